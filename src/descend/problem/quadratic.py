"""Quadratic costs: the exact minimum, or the proof that there is none."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from fractions import Fraction
from typing import Any, NamedTuple

from descend.expression.analyse import EXACT_VARIABLES, quadratic
from descend.expression.analyse.unroll import unrolled
from descend.expression.tape import Formula
from descend.problem.problem import Problem
from descend.vector import Vector


class Shape(Enum):
    """What a quadratic looks like."""

    BOWL = "one minimum"
    VALLEY = "a line or plane of minima"
    CONSTANT = "the same value everywhere"
    UNBOUNDED = "falls without end"


class Closed(NamedTuple):
    """The shape, and the minimum (nearest to the start, where it is not the only one) rounded to doubles."""

    shape: Shape
    minimum: Vector | None


def solve_quadratic(problem: Problem, start: Vector | None) -> Closed | None:
    """Solve a quadratic cost exactly, in fractions; None where the cost is not certainly one, or is too large."""
    found = quadratic(problem.tape, problem.gradient, problem.root, problem.variables)
    if found is None:
        return None
    if not found.semidefinite():
        return Closed(Shape.UNBOUNDED, None)
    solved = found.stationary()
    if solved is None:  # level in a direction in which the cost is linear
        return Closed(Shape.UNBOUNDED, None)
    solution, basis = solved
    if not basis:
        return Closed(Shape.BOWL, _rounded(solution))
    origin = [Fraction(x) for x in start] if start is not None else [Fraction(0)] * len(solution)
    shape = Shape.CONSTANT if len(basis) == len(solution) else Shape.VALLEY
    return Closed(shape, _rounded(_nearest(solution, basis, origin)))


def written_out(problem: Problem, data: Mapping[str, Any]) -> Problem | None:
    """Return a short indexed problem with each entry of its arrays as a variable of its own, None of a long one.

    Only to see whether it is quadratic: what is evaluated is never written out.
    """
    names = problem.labels
    held = any(problem.tape[k].op == "held_max" for k in problem.tape.reachable((problem.root,)))
    if held or not 0 < len(names) <= EXACT_VARIABLES:
        return None  # a logarithm of exponentials is not quadratic
    formula = unrolled(Formula(problem.tape, problem.root), {name: array.tolist() for name, array in data.items()})
    if formula is None or set(formula.names) != set(names):
        return None
    return Problem(formula.tape, formula.root, tuple(names), maximise=problem.maximise)


def _nearest(solution: list[Fraction], basis: list[list[Fraction]], origin: list[Fraction]) -> list[Fraction]:
    """Return the point of solution + span(basis) that is nearest to `origin` (exact Gram-Schmidt)."""
    orthogonal: list[list[Fraction]] = []
    point = list(solution)
    for vector in basis:
        rest = list(vector)
        for other in orthogonal:
            factor = _dot(rest, other) / _dot(other, other)
            rest = [a - factor * b for a, b in zip(rest, other, strict=True)]
        orthogonal.append(rest)
        away = [o - p for o, p in zip(origin, point, strict=True)]
        factor = _dot(away, rest) / _dot(rest, rest)
        point = [p + factor * r for p, r in zip(point, rest, strict=True)]
    return point


def _dot(a: list[Fraction], b: list[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def _rounded(values: list[Fraction]) -> Vector | None:
    try:
        return Vector([float(v) for v in values])
    except OverflowError:
        return None
