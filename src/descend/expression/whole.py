"""What may stand in square brackets and in bounds: arithmetic with whole numbers, indices and constants."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from descend.expression import binders
from descend.expression.tape import Tape

MOST_INDEX = 10**15  # far beyond any memory, and arithmetic with such places does not overflow


class Restriction(NamedTuple):
    """What may stand in a place of an array or a bound of a sum, and what is said about anything else."""

    what: str
    functions: frozenset[str]
    operations: frozenset[str]
    says: str


ARITHMETIC = frozenset({"constant", "symbol", "index", "add", "neg"})  # and *, /, ^, which are looked at
ROUNDING = frozenset({"min", "max", "floor", "ceil"})
PLACE = Restriction(
    "a place in an array",
    frozenset(),
    ARITHMETIC,
    "only linear index arithmetic stands in square brackets: x[2i + 1], x[n - 1]",
)
BOUND = Restriction(
    "a bound",
    ROUNDING,
    ARITHMETIC | ROUNDING,
    "a bound is made of whole numbers, constants such as n, outer indices, + - * /, min, max, floor and ceil",
)
DEGREE = BOUND._replace(
    what="a degree",
    says="a degree is made of whole numbers, constants such as n, indices, + - * /, min, max, floor and ceil",
)


# ------------------------------------------------------------------------------------------------------------ brackets


def objection(tape: Tape, found: int, restriction: Restriction) -> str | None:
    """Say why an entry is surely no place, bound or degree, None where it may be one (n has no value yet)."""
    value = tape.value(found)
    if value is not None:
        return _number(value, restriction)
    entries = tape.reachable((found,))
    for entry in entries:
        op, args, _ = tape[entry]
        varying = [bool(tape.free[arg]) for arg in args]
        match op:
            case "mul":
                fair = restriction is not PLACE or sum(varying) <= 1
            case "div":
                fair = not varying[1]
            case "pow":
                fair = not any(varying) or (restriction is not PLACE and tape.value(args[1]) is not None)
            case _:
                fair = op in restriction.operations
        if not fair:
            return restriction.says
    if restriction is PLACE and all(tape[entry].op != "symbol" for entry in entries):
        linear = binders.affine(tape, found)
        if linear is None:
            return f"{restriction.what} is a whole number, which this is not for every index"
        numbers = (Fraction(number) for number in (*linear[0].values(), linear[1]))
        return next((reason for number in numbers if (reason := _number(number, restriction))), None)
    return None


def _number(value: Fraction, restriction: Restriction) -> str | None:
    if abs(value) > MOST_INDEX:
        return f"{restriction.what} is at most 10^15, and {_shown(value)} is beyond"
    if value.denominator != 1:
        return f"{restriction.what} is a whole number, and {_shown(value)} is none"
    return None


def _shown(value: Fraction) -> str:
    """Spell a constant, which may have thousands of digits, in a few characters."""
    if value.numerator.bit_length() + value.denominator.bit_length() < 100:
        return str(value)
    return "this"
