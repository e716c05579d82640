"""A penalty that is added to the cost: ridge, lasso, elastic net and group lasso by name, or any smooth formula."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from descend.answer.result import Result
from descend.api.reading import name_of, named_numbers, read_cost
from descend.descent.choose import Facts
from descend.errors import FormulaError, MethodError, UnavailableError, printable, unknown_name
from descend.evaluation import Objective
from descend.expression.binders import BINDERS
from descend.expression.limits import Limits
from descend.expression.parse import parse
from descend.expression.tape import Formula
from descend.problem.objective import make_objective
from descend.problem.penalised import PenalisedObjective
from descend.problem.penalty import Named, make_penalty
from descend.problem.problem import Problem, replace_names
from descend.vector import Vector

NAMED = re.compile(r"\s*(l1|l2|elastic-net|group)\b\s*(?:\(([^()]*)\))?\s*")
NAME = re.compile(r"`[^`]*`|[^\s,;]+")
EXAMPLE = "penalty='l2(0.5)', 'l1(0.1)', or a formula such as penalty='0.5*x^2'"
SAMPLES = {
    "l1": ("its weight", "'l1(0.1)' adds 0.1 times all sizes"),
    "l2": ("its weight", "'l2(0.5)' adds 0.5 times all squares"),
    "elastic-net": ("a weight and a share from 0 to 1", "'elastic-net(0.1, 0.5)'"),
    "group": ("a weight and groups of variables", "'group(0.1: x1 x2; x3 x4)'"),
}


@dataclass(frozen=True)
class Penalty:
    """A `formula` of the variables, or one that has a name."""

    formula: Formula | None = None
    named: Named | None = None

    @property
    def kinked(self) -> bool:
        """Whether it has kinks, so that it is not added to the formula of the cost."""
        return self.named is not None and self.named.kind != "l2"


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
    if named is None and isinstance(penalty, str) and NAMED.match(penalty):
        raise MethodError("one penalty by name, and nothing else; l1 and l2 together are 'elastic-net(0.1, 0.5)'")
    if named is not None:
        return Penalty(named=_named(penalty.strip(), named[1], named[2] or "", names))
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


def _named(text: str, kind: str, inside: str, names: Collection[str]) -> Named:
    """Read what stands in the brackets of a penalty with a name: numbers and, after a colon, names."""
    before, colon, after = inside.partition(":")
    numbers = tuple(_number(part, kind) for part in before.split(","))
    groups = tuple(tuple(name.strip("`") for name in NAME.findall(part)) for part in after.split(";")) if colon else ()
    wants_two = kind == "elastic-net"
    if len(numbers) != 1 + wants_two or (wants_two and not 0 <= numbers[1] <= 1) or numbers[0] <= 0:
        raise _complaint(kind)
    if (kind == "group" and not groups) or any(not group for group in groups) or (kind != "group" and len(groups) > 1):
        raise _complaint(kind)
    for name in (name for group in groups for name in group):
        if name not in names and name.partition("[")[0] not in names:
            raise FormulaError(unknown_name(name, sorted(names), "the penalty mentions what the cost does not have,"))
    return Named(kind, numbers, groups, text)


def _number(text: str, kind: str) -> Fraction:
    formula = parse(text) if text.strip() else None
    value = None if formula is None else formula.tape.value(formula.root)
    if value is None:
        raise _complaint(kind)
    return Fraction(value)


def _complaint(kind: str) -> MethodError:
    takes, sample = SAMPLES[kind]
    return MethodError(f"{kind} takes {takes}, a number greater than 0: penalty={sample}")


def penalised(
    problem: Problem, penalty: Penalty | None, *, rows: int | None = None, data: Mapping[str, Any] | None = None
) -> Problem:
    """Return the problem with the penalty added to what is minimised; to the loss of one row, its share of a row."""
    if penalty is None or penalty.kinked:
        return problem
    tape = problem.tape
    entry = tape.graft(*penalty.formula) if penalty.formula is not None else _ridge(problem, penalty.named)
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


def _ridge(problem: Problem, named: Named | None) -> int:
    """Return the entry of the weighted sum of the squares of the variables that are named, or of all."""
    assert named is not None
    tape = problem.tape
    two = tape.constant(Fraction(2))
    chosen = [name for group in named.groups for name in group] or list(problem.variables)
    squares = []
    for name in dict.fromkeys(chosen):
        extent = problem.extents.get(name)
        if extent is not None:
            last = extent.first + extent.length - 1
            squares.append(tape.graft(*parse(f"sum({name}[i]^2, i, {extent.first}, {last})", names=[name])))
        elif name in problem.variables:
            squares.append(tape.pow(tape.symbol(name), two))
        else:
            raise FormulaError(f"l2 takes whole variables, not {printable(name)}; write the formula out")
    return tape.mul([tape.constant(named.numbers[0]), tape.add(squares)])


def with_kinks(objective: Objective, problem: Problem, penalty: Penalty | None) -> tuple[Any, Problem]:
    """Return objective and problem with the penalty beside the cost, if it has kinks."""
    if penalty is None or penalty.named is None or not penalty.kinked:
        return objective, problem
    made = make_penalty(penalty.named, problem.layout, objective.box)
    whole = PenalisedObjective(objective, made)
    whole.box = objective.box
    return whole, replace(problem, kinked=made)


def on_which(penalty: Penalty | None) -> tuple[str, ...]:
    """Say that a penalty which names no parameters is on all of them."""
    if penalty is None or penalty.named is None or penalty.named.groups:
        return ()
    numbers = ", ".join(f"{float(value):g}" for value in penalty.named.numbers)
    some = f"{penalty.named.kind}({numbers}: b1 b2)"
    return (f"the penalty is on every parameter, a constant too: {some} is on b1 and b2 only",)


def facts_beside(facts: Facts, penalty: Penalty | None) -> Facts:
    """Return what is still known of a cost when a penalty with kinks is added: that it is convex."""
    return facts if penalty is None or not penalty.kinked else Facts(convex=facts.convex)


def with_penalty(result: Result, point: Vector, data: Mapping[str, Any] | None = None) -> Result:
    """Return the result with what the penalty is at the reported point."""
    problem = result.problem
    if problem.kinked is not None:
        return replace(result, penalty=problem.kinked.value(point.array()))
    if problem.penalty is None:
        return result
    alone = replace(problem, root=problem.penalty, penalty=None, columns=())
    value = make_objective(alone, 1, data, compiled=False).look(point).cost
    return replace(result, penalty=value)
