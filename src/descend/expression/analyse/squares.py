"""Sums of squares: what Gauss-Newton and Levenberg-Marquardt can take, Σ wᵢ·rᵢ² + constants with wᵢ ≥ 0."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.interval import REALS
from descend.expression.analyse.ranges import Ranges
from descend.expression.analyse.terms import terms
from descend.expression.tape import Tape


@dataclass(frozen=True)
class Squares:
    """The residuals (entries, under their indices), and how many there are (None: the number is not known)."""

    residuals: tuple[int, ...]
    count: int | None


def squares(
    tape: Tape, root: int, bounds: Ranges, constants: frozenset[str], deadline: Deadline = ENDLESS
) -> Squares | None:
    """Return `root` as a sum of squares, None where it is not written as one.  Raises `OutOfTimeError`."""
    found: list[int] = []
    count: int | None = 0
    for factor, index in terms(tape, root):
        deadline.check()
        if not varies(tape, index, constants):
            continue
        if factor <= 0:
            return None
        inner = _square(tape, index, bounds, constants, deadline)
        if inner is None:
            return None
        found += inner.residuals
        count = None if count is None or inner.count is None else count + inner.count
    return Squares(tuple(found), count) if found else None


def varies(tape: Tape, index: int, constants: frozenset[str]) -> bool:
    """Return whether an entry depends on a symbol or an array that is not constant."""
    return any(
        tape[i].op in {"symbol", "access"} and str(tape[i].value) not in constants for i in tape.reachable((index,))
    )


def _square(tape: Tape, index: int, bounds: Ranges, constants: frozenset[str], deadline: Deadline) -> Squares | None:
    entry = tape[index]
    match entry.op:
        case "pow":
            power = tape.value(entry.args[1])
            if power is None or power.denominator != 1 or power <= 0 or power % 2:
                return None
            base = entry.args[0]
            return Squares((base if power == 2 else tape.pow(base, tape.constant(Fraction(power, 2))),), 1)
        case "mul":
            moving = [a for a in entry.args if varies(tape, a, constants)]
            if any((bounds.get(a) or REALS).low < 0 for a in entry.args if a not in moving):
                return None
            if len(moving) == 2 and moving[0] == moving[1]:
                return Squares((moving[0],), 1)
            return squares(tape, moving[0], bounds, constants, deadline) if len(moving) == 1 else None
        case "div" if not varies(tape, entry.args[1], constants) and (bounds.get(entry.args[1]) or REALS).positive:
            return squares(tape, entry.args[0], bounds, constants, deadline)
        case "sum":
            inner = squares(tape, entry.args[0], bounds, constants, deadline)
            low, high = tape.value(entry.args[1]), tape.value(entry.args[2])
            if inner is None or low is None or high is None:
                return inner and Squares(inner.residuals, None)
            return Squares(inner.residuals, None if inner.count is None else inner.count * int(high - low + 1))
    return None
