"""Costs that are sums of squares, and the Gauss-Newton approximation of their Hessian.

For f = Σ wₖ·rₖ² the matrix 2·Σ wₖ·∇rₖ·∇rₖᵀ (the normal matrix, twice JᵀWJ) is positive semidefinite and near the
Hessian where the residuals are small (Nocedal & Wright, *Numerical Optimization*, 2006, ch. 10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from descend.errors import FormulaError
from descend.expression.derivative import Gradient, tangents
from descend.expression.masks import times
from descend.expression.reverse import Loop, Seed, sweep_from
from descend.expression.tape import Tape
from descend.kernel.running import exact_interval, spans

Loops = tuple[Loop, ...]


class Residual(NamedTuple):
    """The term Σ weight·entry² over all indices of `loops`; the weight is an entry that is nowhere negative."""

    loops: Loops
    weight: int
    entry: int


def residuals(tape: Tape, root: int) -> tuple[Residual, ...] | None:
    """Return the residuals of a cost that is written as a sum of squares (and constants), None of any other."""
    found: list[Residual] = []
    todo: list[tuple[int, int, Loops]] = [(root, tape.constant(1), ())]
    while todo:
        index, weight, loops = todo.pop()
        entry = tape[index]
        power = tape.value(entry.args[1]) if entry.op == "pow" else None
        factors = _factors(tape, index, loops)
        if tape.value(index) is not None:
            continue
        if entry.op == "add":
            todo += [(arg, weight, loops) for arg in reversed(entry.args)]
        elif entry.op == "sum":
            assert isinstance(entry.value, int)
            inside = (*loops, Loop(entry.value, entry.args[1], entry.args[2]))
            if entry.value != len(loops):
                return None  # the same for every index around it: its square is not one of this sum
            todo.append((entry.args[0], weight, inside))
        elif power is not None and power.denominator == 1 and power > 0 and power % 2 == 0:
            found.append(Residual(loops, weight, tape.pow(entry.args[0], tape.constant(Fraction(power, 2)))))
        elif factors is not None:
            todo.append((factors[1], tape.mul((weight, factors[0])), loops))
        else:
            return None
    return tuple(found) if found else None


def _factors(tape: Tape, index: int, loops: Loops) -> tuple[int, int] | None:
    """Split a product or quotient into (a factor of constants and indices that is nowhere negative, the rest)."""
    entry = tape[index]
    if entry.op == "div":
        value = tape.value(entry.args[1])
        if value is not None and value > 0:
            return tape.constant(1 / value), entry.args[0]
    if entry.op != "mul":
        return None
    ranges = spans(tape, loops)
    if any(least > most for least, most in ranges.values()):
        return None
    fixed = [a for a in entry.args if _nowhere_negative(tape, a, ranges)]
    rest = [a for a in entry.args if a not in fixed]
    if not fixed or not rest:
        return None
    return tape.mul(fixed), tape.mul(rest)


def _nowhere_negative(tape: Tape, index: int, ranges: dict[int, tuple[int, int]]) -> bool:
    try:
        return exact_interval(tape, index, ranges)[0] >= 0
    except FormulaError:  # not made of constants and indices
        return False


def gauss_newton_product(
    tape: Tape,
    terms: Sequence[Residual],
    symbols: Sequence[int],
    directions: Sequence[int],
    arrays: Mapping[str, str],
) -> Gradient:
    """Return 2·Σ w·∇r·(∇r·v): for each residual its tangent along v, swept back through it.

    v are the entries `directions` and, for each name in `arrays`, the array of directions that it maps to.
    """
    found = tangents(tape, [term.entry for term in terms], dict(zip(symbols, directions, strict=True)), arrays)
    seeds = []
    for term, along in zip(terms, found, strict=True):
        adjoint = times(tape, tape.mul((tape.constant(2), term.weight)), along)
        seeds.append(Seed(term.loops, term.entry, adjoint))
    adjoints, scatters = sweep_from(tape, seeds, frozenset(symbols), frozenset(arrays))
    nothing = tape.constant(0)
    return Gradient([adjoints.get(symbol, nothing) for symbol in symbols], scatters)
