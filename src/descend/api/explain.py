"""`explain`: what can be known about a cost before descending."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from descend.api.reading import (
    check_settings,
    constant_arrays,
    name_of,
    positive_number,
    prepared,
    read_cost,
    start_names,
)
from descend.errors import DataError
from descend.expression.limits import STANDARD, Limits
from descend.expression.tape import Formula
from descend.problem.problem import make_problem

if TYPE_CHECKING:
    from descend.expression.analyse.explanation import Explanation
    from descend.expression.analyse.facts import Given

SECONDS = 0.4


def explain(
    cost: Any,
    *,
    constants: Any = None,
    data: Any = None,
    columns: Collection[str] | None = None,
    max_seconds: float = SECONDS,
    limits: Limits | None = None,
) -> Explanation:
    """Say what can be known about a cost: where it is defined, its shape, its lowest value, what descent can expect.

    `cost` is text or a SymPy expression, also a model ``y = a*exp(-b*x)``, of which the right side is looked at.
    `constants` gives values to names, `data` constant arrays (the c of ``c[i]``).  In a model, `columns` names what
    comes from data; the other names are its parameters.

    Every claim is certain; what is not known for certain within `max_seconds` is None, in words "unknown".  A claim of
    convexity is a proof by rules of composition or by bounds on the second derivatives; "not convex" comes with a point
    where the curvature is proved negative.  For a quadratic, with curvatures from μ to L: gradient descent converges at
    every rate below 2/L, fastest at 2/(L + μ), where each step multiplies the error by at most (L - μ)/(L + μ) (Polyak,
    *Introduction to Optimization*, 1987).

    Raises `FormulaError`, `DataError`, `MethodError`.

    >>> import descend
    >>> print(descend.explain("x^4 - 3x^2"))
    x^4 - 3*x^2
      A polynomial of degree 4 in x, defined for all real numbers.
      Neither convex nor concave: at x = 0 the curvature is -6.
      Lowest value -2.25, at x = -1.22474 and at x = 1.22474.
    >>> descend.explain("x^2 + 10y^2").rates.safe_below
    0.1
    """
    from descend.expression.analyse.facts import explanation_of

    seconds = positive_number(max_seconds, "max_seconds") or SECONDS
    check_settings(None, limits)
    limits = limits or STANDARD
    if isinstance(cost, str) and _is_model(cost):
        return explanation_of(_model(cost, constants, columns, limits), seconds)
    return explanation_of(_cost(cost, constants, data, limits), seconds)


def _is_model(text: str) -> bool:
    """Whether there is a single = outside all brackets; within, it is a mistake for ==, which the reader explains."""
    return any(
        sum(text[: found.start()].count(b) for b in "([{") <= sum(text[: found.start()].count(b) for b in ")]}")
        for found in re.finditer(r"(?<![<>=!:])=(?!=)", text)
    )


def _cost(cost: Any, constants: Any, data: Any, limits: Limits) -> Given:
    from descend.expression.analyse.facts import Given

    arrays = constant_arrays(data)
    reading = read_cost(cost, names=[*start_names(constants), *arrays], given=start_names(constants), limits=limits)
    formula = prepared(reading, constants=constants, arrays=arrays)
    tape, root = formula
    if not formula.names and not tape.arrays((root,)):
        return Given(formula, notes=reading.notes)
    if not formula.names and set(tape.arrays((root,))) <= set(arrays):
        return Given(formula, arrays, notes=reading.notes)
    problem = make_problem(formula, notes=reading.notes, data=arrays, keep_as_written=True)
    return Given(Formula(problem.tape, problem.root), arrays, size=len(problem.labels), notes=problem.notes)


def _model(text: str, constants: Any, columns: Collection[str] | None, limits: Limits) -> Given:
    from descend.api.reading import Reading, euler_note
    from descend.expression.analyse.facts import Given
    from descend.expression.parse import parse_model
    from descend.expression.words import formula_words

    named = frozenset(name_of(c) for c in columns or ())
    known = [*start_names(constants), *named]
    read = parse_model(text, names=known, limits=limits)
    right = Formula(read.tape, read.right)
    for name in named:
        if name not in right.names and name not in read.tape.symbols((read.left,)):
            raise DataError("the model does not contain this column", column=name)
    if isinstance(constants, Mapping):
        right = prepared(Reading(right), constants=constants)
    notes = list(euler_note(text, known, limits))
    inside = tuple(n for n in right.names if n not in named)
    if not named:
        notes.append("all names are taken for parameters; name the columns with columns=")
    left = formula_words(read.tape, read.left)
    return Given(right, columns=named & set(right.names), size=len(inside), model=left, notes=tuple(notes))
