"""Exact constants while they are folded: products that know 1, and the length beyond which they are refused."""

from __future__ import annotations

from fractions import Fraction

from descend.errors import LimitError

ZERO, ONE, MINUS_ONE = Fraction(0), Fraction(1), Fraction(-1)  # asked for by identity: most factors are one of these
UNITS = {(x.numerator, x.denominator): x for x in (ZERO, ONE, MINUS_ONE)}
MAX_BITS = 8192  # of one exact constant: stops towers of powers while they are built


def small(value: Fraction) -> Fraction:
    """Return a constant while it is folded; refused as soon as it is too long, or a wall of powers takes seconds."""
    if value.numerator.bit_length() + value.denominator.bit_length() > MAX_BITS:
        raise too_long()
    return value


def product(a: Fraction, b: Fraction) -> Fraction:
    """Return a·b, refused where it is too long."""
    return b if a is ONE else a if b is ONE else small(a * b)


def ordinary(value: Fraction) -> bool:
    """Whether a constant lies well within the range of doubles."""
    return abs(value.numerator.bit_length() - value.denominator.bit_length()) < 900


def too_long() -> LimitError:
    """Return the error to raise for a constant that is too long."""
    return LimitError(f"a constant of this formula has more than {MAX_BITS} bits when it is folded exactly")
