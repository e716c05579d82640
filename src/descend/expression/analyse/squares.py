"""Sums of squares: what Gauss-Newton and Levenberg-Marquardt can take, Σ wᵢ·rᵢ² + constants with wᵢ ≥ 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.interval import REALS
from descend.expression.analyse.ranges import Ranges
from descend.expression.reverse import Loop
from descend.expression.tape import Tape

Loops = tuple[Loop, ...]


class Residual(NamedTuple):
    """The term Σ weight·entry² over all indices of `loops`; the weight is an entry that is nowhere negative."""

    loops: Loops
    weight: int
    entry: int


@dataclass(frozen=True)
class Squares:
    """The residuals, and how many numbers they are over all their loops (None: the number is not known)."""

    residuals: tuple[Residual, ...]
    count: int | None


def squares(
    tape: Tape, root: int, bounds: Ranges, constants: frozenset[str], deadline: Deadline = ENDLESS
) -> Squares | None:
    """Return `root` as a sum of squares, None where it is not written as one.

    `bounds` are the ranges of its entries (they tell the signs of weights), `constants` the names that do not vary.
    Raises `OutOfTimeError`.
    """
    found: list[Residual] = []
    todo: list[tuple[int, int, Loops]] = [(root, tape.constant(1), ())]
    while todo:
        deadline.check()
        index, weight, loops = todo.pop()
        if not varies(tape, index, constants):
            continue
        entry = tape[index]
        if entry.op == "add":
            todo += [(arg, weight, loops) for arg in reversed(entry.args)]
        elif entry.op == "sum" and entry.value == len(loops):  # else: the same for every index around it
            todo.append((entry.args[0], weight, (*loops, Loop(len(loops), *entry.args[1:]))))
        elif (square := _square(tape, index)) is not None:
            found.append(Residual(loops, weight, square))
        elif (split := _weighted(tape, index, bounds, constants)) is not None:
            todo.append((split[1], tape.mul((weight, split[0])), loops))
        else:
            return None
    return Squares(tuple(found), _count(tape, found)) if found else None


def varies(tape: Tape, index: int, constants: frozenset[str]) -> bool:
    """Return whether an entry depends on a symbol or an array that is not constant."""
    return any(
        tape[i].op in {"symbol", "access"} and str(tape[i].value) not in constants for i in tape.reachable((index,))
    )


def _square(tape: Tape, index: int) -> int | None:
    """Return r where the entry is r², None where it is not written as a square."""
    entry = tape[index]
    if entry.op == "pow":
        power = tape.value(entry.args[1])
        if power is None or power.denominator != 1 or power <= 0 or power % 2:
            return None
        return tape.pow(entry.args[0], tape.constant(Fraction(power, 2)))
    if entry.op == "mul" and len(entry.args) == 2 and entry.args[0] == entry.args[1]:
        return entry.args[0]
    return None


def _weighted(tape: Tape, index: int, bounds: Ranges, constants: frozenset[str]) -> tuple[int, int] | None:
    """Split an entry into (a constant factor that is nowhere negative, the rest), None where there is no such."""
    entry = tape[index]
    if entry.op == "div" and not varies(tape, entry.args[1], constants):
        if not (bounds.get(entry.args[1]) or REALS).positive:
            return None
        return tape.div(tape.constant(1), entry.args[1]), entry.args[0]
    if entry.op != "mul":
        return None
    moving = [a for a in entry.args if varies(tape, a, constants)]
    fixed = [a for a in entry.args if a not in moving]
    if not fixed or any((bounds.get(a) or REALS).low < 0 for a in fixed):
        return None
    return tape.mul(fixed), tape.mul(moving)


def _count(tape: Tape, found: Sequence[Residual]) -> int | None:
    total = 0
    for residual in found:
        rounds = 1
        for loop in residual.loops:
            low, high = tape.value(loop.low), tape.value(loop.high)
            if low is None or high is None:
                return None
            rounds *= max(0, int(high - low + 1))
        total += rounds
    return total
