"""Kinks and jumps: the sub-expression, and the place where it has one.

At an edge of the domain there is none to speak of: sqrt(x) at 0.  sqrt(x²) has one, sqrt(x⁴) = x² has not, so how fast
an argument vanishes decides; where that is not known, it is said that there *may* be one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from descend.expression.analyse.conditions import whole
from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.interval import REALS, Range
from descend.expression.analyse.polynomial import coefficients, degree, expand, total_degree
from descend.expression.analyse.ranges import Ranges
from descend.expression.analyse.roots import real_roots
from descend.expression.analyse.squares import varies
from descend.expression.tape import Tape

HIGHEST = 12  # degree of a polynomial whose roots are looked for
# Of functions with a vertical tangent at an end of their domain: the arguments there.
VERTICAL = {"asin": (1, -1), "acos": (1, -1), "acosh": (1,), "sqrt1pm1": (-1,)}


class Kink(NamedTuple):
    """`entry` has a kink (or a `jump`) where `zero` is 0, or (`whole`) a whole number; solved: where variable = value.

    Not `sure`: it may have one.  With `beside`, that entry must be 0 too.  `steep`: no corner, but no derivative.
    """

    entry: int
    zero: int
    jump: bool = False
    whole: bool = False
    variable: str | None = None
    value: Fraction | None = None
    approximate: bool = False
    sure: bool = True
    beside: int | None = None
    steep: bool = False


class Zero(NamedTuple):
    """Near where `entry` is 0 (a variable has a value), something is like ±|entry|^order; `even`: without a sign."""

    entry: int
    order: Fraction
    even: bool
    variable: str | None = None
    value: Fraction | None = None
    approximate: bool = False


def kinks(tape: Tape, root: int, bounds: Ranges, constants: frozenset[str], deadline: Deadline = ENDLESS) -> list[Kink]:
    """Return the kinks that the ranges do not rule out.  Raises `OutOfTimeError`."""
    found: dict[tuple[int, int, Fraction | None], Kink] = {}
    look = _Look(tape, bounds, deadline)
    for index in tape.reachable((root,)):
        deadline.check()
        if bounds.get(index) is None or not varies(tape, index, constants):
            continue
        for kink in look.of(index):
            if varies(tape, kink.zero, constants):
                found.setdefault((kink.entry, kink.zero, kink.value), kink)
    return list(found.values())


class _Look:
    def __init__(self, tape: Tape, bounds: Ranges, deadline: Deadline) -> None:
        self.tape = tape
        self.bounds = bounds
        self.deadline = deadline

    def range(self, index: int) -> Range:
        return self.bounds.get(index) or REALS

    def of(self, index: int) -> Iterator[Kink]:
        tape, (op, args, _) = self.tape, self.tape[index]
        match op:
            case "abs":
                if self.range(args[0]).low < 0 < self.range(args[0]).high:
                    yield from self.at_zeros(index, args[0], "abs")
            case "sign":
                if not self.range(args[0]).nonzero:
                    yield from self.at_zeros(index, args[0], "sign")
            case "floor" | "ceil":
                yield Kink(index, args[0], jump=True, whole=True, sure=self.affine(args[0]))
            case "min" | "max" if len(args) == 2:
                a, b = map(self.range, args)
                if a.high >= b.low and b.high >= a.low:
                    a_first = tape.value(args[0]) is None
                    yield from self.at_zeros(index, tape.sub(*(args if a_first else args[::-1])), "abs")
            case "min" | "max":
                yield from (Kink(index, a, sure=False) for a in args if tape.value(a) is None)
            case "where":
                for inner in tape.reachable((args[0],)):
                    if tape[inner].op in {"lt", "le", "eq"}:
                        yield from self.at_zeros(index, tape.sub(*tape[inner].args), "where")
            case "sqrt" | "cbrt":
                if not self.range(args[0]).nonzero:
                    yield from self.at_zeros(index, args[0], op)
            case "pow":
                yield from self.power(index, args[0], args[1])
            case "hypot":
                yield from self.hypot(index, args)
            case "atan2":
                if not self.range(args[1]).positive and not self.range(args[0]).nonzero:
                    yield Kink(index, args[0], jump=True, sure=False)
            case _ if op in VERTICAL:
                for end in VERTICAL[op]:
                    if end in self.range(args[0]):
                        yield from self.at_zeros(index, tape.sub(args[0], tape.constant(end)), "sqrt")

    def power(self, index: int, base: int, exponent: int) -> Iterator[Kink]:
        power = self.tape.value(exponent)
        if self.range(base).nonzero or (power is not None and (power.denominator == 1 or not 0 < power < 1)):
            return
        if power is not None:
            yield from self.at_zeros(index, base, "sqrt", power)
        elif not whole(self.tape, exponent) and not self.affine(base):
            yield Kink(index, base, sure=False)

    def hypot(self, index: int, args: Sequence[int]) -> Iterator[Kink]:
        if self.range(index).positive:
            return
        tape = self.tape
        moving = [a for a in args if tape.value(a) != 0]
        sure = all(map(self.affine, moving))
        if len(moving) == 1:
            yield Kink(index, moving[0], sure=sure)
            return
        a, b = moving
        names = [{*tape.symbols((x,)), *tape.arrays((x,))} for x in moving]
        one, other = (self.zeros(x) or [] for x in moving)
        if sure and names[0] == names[1] and one and other and one[0].variable and other[0].variable:
            if one[0].value == other[0].value:
                yield Kink(index, a, variable=one[0].variable, value=one[0].value)
            return
        yield Kink(index, a, sure=sure and names[0].isdisjoint(names[1]), beside=b)

    def at_zeros(self, index: int, inner: int, op: str, power: Fraction = Fraction(1, 2)) -> Iterator[Kink]:
        """Return the kinks of `index` where `inner` vanishes, which enters as |u|, √u, u^power, ..."""
        jump, perhaps = op in {"sign", "where"}, op == "where"
        found = self.zeros(inner)
        if found is None:
            yield Kink(index, inner, jump, sure=False, steep=op == "cbrt")
            return
        for zero in found:
            match op:
                case "abs":
                    bent = zero.order <= 1 and not zero.even
                case "sqrt":
                    bent = zero.order * power <= 1 and zero.even
                case "cbrt":
                    bent = zero.order < 3 or (zero.order == 3 and zero.even)
                case _:
                    bent = True
            steep = op == "cbrt" and zero.order != 3
            if bent and self.within(zero):
                at = (zero.variable, zero.value, zero.approximate)
                yield Kink(index, zero.entry, jump, False, *at, sure=not perhaps, steep=steep)

    def within(self, zero: Zero) -> bool:
        """Whether a solved zero lies inside the domain (not at its edge)."""
        if zero.variable is None or zero.value is None:
            return True
        r = self.range(self.tape.symbol(zero.variable))
        return r.low < zero.value < r.high

    def zeros(self, index: int) -> list[Zero] | None:
        """Return where an entry vanishes, and how; None where that is not known."""
        self.deadline.check()
        tape = self.tape
        names = list(tape.symbols((index,)))
        if len(names) == 1 and not tape.arrays((index,)) and not tape.free[index]:
            polynomial = expand(tape, index, names, self.deadline, 200)
            row = coefficients(polynomial) if polynomial is not None else []
            if 2 <= len(row) <= HIGHEST + 1:
                return [
                    Zero(index, Fraction(r.multiplicity), r.multiplicity % 2 == 0, names[0], r.middle, r.low != r.high)
                    for r in real_roots(row, self.deadline)
                ]
        if self.affine(index):
            return [Zero(index, Fraction(1), even=False)]
        if self.norm(index):
            return [Zero(index, Fraction(2), even=True)]
        return self._through(index)

    def _through(self, index: int) -> list[Zero] | None:
        tape, (op, args, _) = self.tape, self.tape[index]
        match op:
            case "neg":
                return self.zeros(args[0])
            case "mul":
                rest = [a for a in args if not tape.value(a)]
                return self.zeros(rest[0]) if len(rest) == 1 else None
            case "div" if tape.value(args[1]):
                return self.zeros(args[0])
            case "abs":
                return self._raised(args[0], Fraction(1), even=True)
            case "sqrt":
                return self._raised(args[0], Fraction(1, 2), even=True)
            case "cbrt":
                return self._raised(args[0], Fraction(1, 3), even=False)
            case "pow":
                power = tape.value(args[1])
                if power is not None and power > 0:
                    return self._raised(args[0], power, even=power.denominator != 1 or power % 2 == 0)
        return None

    def _raised(self, inner: int, power: Fraction, *, even: bool) -> list[Zero] | None:
        found = self.zeros(inner)
        return found and [z._replace(order=z.order * power, even=even or z.even) for z in found]

    def affine(self, index: int) -> bool:
        """Whether an entry is a straight line in its variables, and not constant."""
        tape = self.tape
        names, arrays = list(tape.symbols((index,))), tape.arrays((index,))
        if arrays or tape.free[index]:
            return bool(arrays) and degree(tape, index, [*names, *arrays]) == 1
        polynomial = expand(tape, index, names, self.deadline, 200) if names else None
        return polynomial is not None and total_degree(polynomial) == 1

    def norm(self, index: int) -> bool:
        """Whether an entry is a sum of squares of straight lines that share no variable, so all can be 0."""
        tape = self.tape
        if tape[index].op != "add":
            return False
        taken: set[str] = set()
        for arg in tape[index].args:
            factor, core = tape.factor(arg)
            if factor <= 0 or tape[core].op != "pow" or tape.value(tape[core].args[1]) != 2:
                return False
            base = tape[core].args[0]
            names = set(tape.symbols((base,)))
            if names & taken or tape.arrays((base,)) or not self.affine(base):
                return False
            taken |= names
        return True
