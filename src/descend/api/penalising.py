"""A smooth penalty that is added to the cost: ridge by name, or any formula of the variables."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from descend.answer.result import Result
from descend.api.reading import name_of, named_numbers, read_cost
from descend.errors import FormulaError, MethodError, UnavailableError, unknown_name
from descend.expression.binders import BINDERS
from descend.expression.limits import Limits
from descend.expression.parse import parse
from descend.expression.tape import Formula
from descend.problem.objective import make_objective
from descend.problem.problem import Problem, replace_names
from descend.vector import Vector

NAMED = re.compile(r"\s*(l1|l2|elastic-net|group)\b\s*(?:\((.*)\))?\s*")
EXAMPLE = "penalty='l2(0.5)', or a formula such as penalty='0.5*x^2'"


@dataclass(frozen=True)
class Penalty:
    """The sum of all squares times `weight`, or a `formula` of the variables."""

    weight: Fraction | None = None
    formula: Formula | None = None


def read_penalty(
    penalty: Any,
    names: Collection[str],
    *,
    constants: Any = None,
    fixed: Any = None,
    tied: Any = None,
    limits: Limits | None = None,
) -> Penalty | None:
    """Read a penalty on a cost of the variables `names`.  Raises `MethodError`, `FormulaError`, `UnavailableError`."""
    if penalty is None:
        return None
    if isinstance(penalty, (int, float)):
        raise MethodError(f"a penalty says what it measures: {EXAMPLE}")
    named = NAMED.fullmatch(penalty) if isinstance(penalty, str) else None
    if named is not None and named[1] != "l2":
        raise UnavailableError(f"penalty= {named[1]} has kinks and is not in this version; l2(0.5) is smooth")
    if named is not None:
        return Penalty(weight=_weight(named[2]))
    given = named_numbers(constants, "constants") | named_numbers(fixed, "fixed")
    formula = read_cost(penalty, names=[*names, *given], given=list(given), limits=limits).formula
    formulas = {name_of(k): read_cost(v, names=tied, limits=limits).formula for k, v in (tied or {}).items()}
    present = formula.names
    formula = replace_names(
        formula,
        {name: value for name, value in given.items() if name in present},
        {name: value for name, value in formulas.items() if name in present},
    )
    for name in (*formula.names, *formula.tape.arrays((formula.root,))):
        if name not in names:
            raise FormulaError(unknown_name(name, sorted(names), "the penalty mentions what the cost does not have,"))
    return Penalty(formula=formula)


def of_the_cost(constants: Any, formula: Formula, penalty: Any) -> Any:
    """Return the constants without those that only the penalty mentions."""
    if not (isinstance(penalty, str) and isinstance(constants, Mapping)) or NAMED.fullmatch(penalty):
        return constants
    mentioned = parse(penalty, names=[name_of(k) for k in constants]).names
    present = (*formula.names, *formula.tape.arrays((formula.root,)))
    return {k: v for k, v in constants.items() if name_of(k) in present or name_of(k) not in mentioned}


def _weight(text: str | None) -> Fraction:
    formula = None if not text else parse(text)
    value = None if formula is None else formula.tape.value(formula.root)
    if value is None or value <= 0:
        raise MethodError("l2 takes its weight, a number greater than 0: penalty='l2(0.5)' adds 0.5 times all squares")
    return Fraction(value)


def penalised(
    problem: Problem, penalty: Penalty | None, *, rows: int | None = None, data: Mapping[str, Any] | None = None
) -> Problem:
    """Return the problem with the penalty added to what is minimised; to the loss of one row, its share of a row."""
    if penalty is None:
        return problem
    tape = problem.tape
    entry = _ridge(problem, penalty.weight) if penalty.formula is None else tape.graft(*penalty.formula)
    indexed = any(tape[k].op in BINDERS or tape[k].op == "access" for k in tape.reachable((entry,)))
    share = entry if rows is None or problem.mean else tape.mul([tape.constant(Fraction(1, rows)), entry])
    root = tape.add([problem.root, share])
    if indexed and problem.columns:
        raise UnavailableError("sums over an index are not part of a penalty on a model yet; write the terms out")
    if indexed:
        from descend.problem.extents import array_extents

        if array_extents(tape, root, dict(data or {})) != problem.extents:
            raise FormulaError("the penalty reaches entries of an array that the cost does not have")
    return replace(problem, root=root, penalty=entry, indexed=problem.indexed or indexed)


def _ridge(problem: Problem, weight: Fraction | None) -> int:
    """Return the entry of the weighted sum of the squares of all variables."""
    assert weight is not None
    tape = problem.tape
    two = tape.constant(Fraction(2))
    squares = [tape.pow(symbol, two) for symbol in problem.symbols]
    for name, extent in problem.extents.items():
        last = extent.first + extent.length - 1
        squares.append(tape.graft(*parse(f"sum({name}[i]^2, i, {extent.first}, {last})", names=[name])))
    return tape.mul([tape.constant(weight), tape.add(squares)])


def with_penalty(result: Result, point: Vector, data: Mapping[str, Any] | None = None) -> Result:
    """Return the result with what the penalty is at the reported point."""
    problem = result.problem
    if problem.penalty is None:
        return result
    alone = replace(problem, root=problem.penalty, penalty=None, columns=())
    value = make_objective(alone, 1, data, compiled=False).look(point).cost
    return replace(result, penalty=value)
