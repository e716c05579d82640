"""Kinks and jumps: the sub-expression, and the place where it has one."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.interval import REALS
from descend.expression.analyse.polynomial import coefficients, expand
from descend.expression.analyse.ranges import Ranges
from descend.expression.analyse.squares import varies
from descend.expression.tape import Tape


class Kink(NamedTuple):
    """`entry` has a kink (or a jump) where `zero` is 0, or (`whole`) a whole number; solved: where variable = value."""

    entry: int
    zero: int
    jump: bool
    whole: bool = False
    variable: str | None = None
    value: Fraction | None = None


def kinks(tape: Tape, root: int, bounds: Ranges, constants: frozenset[str], deadline: Deadline = ENDLESS) -> list[Kink]:
    """Return the kinks that the ranges do not rule out.  Raises `OutOfTimeError`."""
    found: dict[tuple[int, int], Kink] = {}
    for index in tape.reachable((root,)):
        deadline.check()
        if bounds.get(index) is None or not varies(tape, index, constants):
            continue
        for kink in _of(tape, index, bounds):
            if varies(tape, kink.zero, constants):
                found.setdefault((kink.entry, kink.zero), _solved(tape, kink, deadline))
    return list(found.values())


def _of(tape: Tape, index: int, bounds: Ranges) -> Iterator[Kink]:
    entry = tape[index]
    match entry.op:
        case "abs" | "sign":
            if not (bounds.get(entry.args[0]) or REALS).nonzero:
                yield Kink(index, entry.args[0], jump=entry.op == "sign")
        case "floor" | "ceil":
            yield Kink(index, entry.args[0], jump=True, whole=True)
        case "min" | "max" if len(entry.args) == 2:
            a, b = (bounds.get(x) or REALS for x in entry.args)
            if a.high >= b.low and b.high >= a.low:
                a_first = tape.value(entry.args[0]) is None
                yield Kink(index, tape.sub(*(entry.args if a_first else entry.args[::-1])), jump=False)
        case "where":
            for inner in tape.reachable((entry.args[0],)):
                if tape[inner].op in {"lt", "le", "eq"}:
                    yield Kink(index, tape.sub(*tape[inner].args), jump=True)


def _solved(tape: Tape, kink: Kink, deadline: Deadline) -> Kink:
    names = tape.symbols((kink.zero,))
    if kink.whole or len(names) != 1 or tape.arrays((kink.zero,)) or tape.free[kink.zero]:
        return kink
    name = next(iter(names))
    polynomial = expand(tape, kink.zero, [name], deadline, 10)
    row = coefficients(polynomial) if polynomial is not None else []
    if len(row) != 2:
        return kink
    return kink._replace(variable=name, value=-row[0] / row[1])
