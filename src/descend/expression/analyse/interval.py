"""Intervals of doubles, rounded outwards, whose ends say whether they are reached.

The same arithmetic serves two purposes.  *Ranges*: every value of a formula lies in its interval; infinite ends are
never reached, so 0·∞ is 0.  *Limits* (``limit=True``): every accumulation point of a formula lies in its interval as
the variables tend to somewhere; infinite ends are meant, so 0·∞ and ∞ - ∞ are anything.

Source: Moore, Kearfott & Cloud, *Introduction to Interval Analysis*, 2009, ch. 2 and 5.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from fractions import Fraction
from math import inf, isinf, nextafter
from typing import NamedTuple

MAX = sys.float_info.max


class Range(NamedTuple):
    """The values between `low` and `high`; an open end is not reached."""

    low: float
    high: float
    open_low: bool = False
    open_high: bool = False

    @property
    def positive(self) -> bool:
        """Whether every value is > 0."""
        return self.low > 0 or (self.low == 0 and self.open_low)

    @property
    def negative(self) -> bool:
        """Whether every value is < 0."""
        return self.high < 0 or (self.high == 0 and self.open_high)

    @property
    def nonzero(self) -> bool:
        """Whether no value is 0."""
        return self.positive or self.negative

    @property
    def point(self) -> bool:
        """Whether there is one value only."""
        return self.low == self.high

    def __contains__(self, value: object) -> bool:
        assert isinstance(value, (int, float))
        above = value > self.low or (value == self.low and not self.open_low)
        return above and (value < self.high or (value == self.high and not self.open_high))


REALS = Range(-inf, inf, True, True)
NONNEGATIVE = Range(0.0, inf, False, True)
POSITIVE = Range(0.0, inf, True, True)
ANY_LIMIT = Range(-inf, inf)


def down(value: float, steps: int = 1) -> float:
    """Return a double below `value` (infinite ones stay)."""
    return value if isinf(value) else _steps(value, -inf, steps)


def up(value: float, steps: int = 1) -> float:
    """Return a double above `value` (infinite ones stay)."""
    return value if isinf(value) else _steps(value, inf, steps)


def _steps(value: float, towards: float, steps: int) -> float:
    for _ in range(steps):
        value = nextafter(value, towards)
    return value


def floor_double(exact: Fraction) -> float:
    """Return the largest double ≤ `exact`, or the one below it."""
    try:
        value = float(exact)
    except OverflowError:
        return MAX if exact > 0 else -inf
    return value if Fraction(value) <= exact else down(value)


def ceil_double(exact: Fraction) -> float:
    """Return the smallest double ≥ `exact`, or the one above it."""
    return -floor_double(-exact)


def constant(value: Fraction) -> Range:
    """Return the interval of one rational number."""
    return Range(floor_double(value), ceil_double(value))


def intersect(a: Range, b: Range) -> Range | None:
    """Return what both contain, None for nothing."""
    low, high = max(a.low, b.low), min(a.high, b.high)
    open_low = (a.open_low and a.low == low) or (b.open_low and b.low == low)
    open_high = (a.open_high and a.high == high) or (b.open_high and b.high == high)
    if low > high or (low == high and (open_low or open_high)):
        return None
    return Range(low, high, open_low, open_high)


def hull(a: Range, b: Range) -> Range:
    """Return the smallest interval with both in it."""
    low, high = min(a.low, b.low), max(a.high, b.high)
    open_low = all(r.open_low for r in (a, b) if r.low == low)
    open_high = all(r.open_high for r in (a, b) if r.high == high)
    return Range(low, high, open_low, open_high)


def clamp(r: Range) -> Range:
    """Return a range whose ends are such that infinities are on their own side only (an overflow is finite)."""
    low = MAX if r.low == inf else r.low
    high = -MAX if r.high == -inf else r.high
    return Range(low, high, r.open_low, r.open_high)


def neg(a: Range) -> Range:
    """-a."""
    return Range(-a.high, -a.low, a.open_high, a.open_low)


def _add_low(a: float, b: float) -> float:
    total = a + b
    if isinf(total):
        return MAX if total > 0 and not (isinf(a) or isinf(b)) else total
    back = total - a
    error = (a - (total - back)) + (b - back)
    return total if error >= 0 else down(total)


def add(a: Range, b: Range, *, limit: bool = False) -> Range:
    """A + b."""
    if limit and ((a.high == inf and b.low == -inf) or (a.low == -inf and b.high == inf)):
        return ANY_LIMIT
    low, high = _add_low(a.low, b.low), -_add_low(-a.high, -b.high)
    return Range(low, high, a.open_low or b.open_low, a.open_high or b.open_high)


def _product(a: float, b: float) -> tuple[float, float]:
    """Return (a double ≤, a double ≥) a·b, with 0·∞ = 0."""
    if a == 0 or b == 0:
        return 0.0, 0.0
    value = a * b
    if abs(a) == 1 or abs(b) == 1 or isinf(a) or isinf(b):
        return value, value
    if isinf(value):
        return (MAX, inf) if value > 0 else (-inf, -MAX)
    exact = Fraction(a) * Fraction(b)
    held = Fraction(value)
    return (value, value) if held == exact else (value, up(value)) if held < exact else (down(value), value)


def mul(a: Range, b: Range, *, limit: bool = False) -> Range:
    """A · b."""
    if limit:
        for one, other in ((a, b), (b, a)):
            if one.low <= 0 <= one.high and (other.low == -inf or other.high == inf):
                return ANY_LIMIT
    ends: list[tuple[float, float, bool]] = []
    for x, x_open in ((a.low, a.open_low), (a.high, a.open_high)):
        for y, y_open in ((b.low, b.open_low), (b.high, b.open_high)):
            low, high = _product(x, y)
            reached = (x == 0 and not x_open) or (y == 0 and not y_open)
            ends.append((low, high, not reached and (x_open or y_open)))
    low, high = min(e[0] for e in ends), max(e[1] for e in ends)
    open_low = all(is_open for least, _, is_open in ends if least == low)
    open_high = all(is_open for _, most, is_open in ends if most == high)
    return Range(low, high, open_low, open_high)


def reciprocal(a: Range) -> Range:
    """1/a, where a lies on one side of 0; an end at 0 stands for what is near it."""
    if a.low < 0:
        return neg(reciprocal(neg(a)))

    def over(value: float) -> tuple[float, float]:
        if value == 0:
            return inf, inf
        result = 1 / value
        if isinf(value) or isinf(result):
            return (result, result) if isinf(value) else (MAX, inf)
        product = Fraction(result) * Fraction(value)
        return (result, result) if product == 1 else (result, up(result)) if product < 1 else (down(result), result)

    return Range(over(a.high)[0], over(a.low)[1], a.open_high, a.open_low or a.low == 0)


def increasing(
    function: Callable[[float], float], a: Range, image: Range = REALS, exact: dict[Fraction, Fraction] | None = None
) -> Range:
    """Return the image of an increasing function whose double is right to 2 units in the last place."""
    low, open_low = _at(function, a.low, exact, down), a.open_low
    high, open_high = _at(function, a.high, exact, up), a.open_high
    if low <= image.low:
        low, open_low = image.low, (image.open_low and not isinf(a.low)) or open_low
    if high >= image.high:
        high, open_high = image.high, (image.open_high and not isinf(a.high)) or open_high
    return Range(low, max(low, high), open_low, open_high)


def decreasing(function: Callable[[float], float], a: Range, image: Range = REALS) -> Range:
    """Return the image of a decreasing function."""
    return increasing(lambda x: function(-x), neg(a), image)


def _at(
    function: Callable[[float], float],
    x: float,
    exact: dict[Fraction, Fraction] | None,
    outwards: Callable[[float, int], float],
) -> float:
    if exact and not isinf(x):
        found = exact.get(Fraction(x))
        if found is not None:
            return float(found)
    value = function(x)
    if isinf(x) or (value == -inf and x in {0.0, -1.0}):  # a limit, or a logarithm's pole
        return value
    if isinf(value):  # an overflow: finite, but beyond all doubles
        return value if outwards is (up if value > 0 else down) else MAX if value > 0 else -MAX
    return outwards(value, 2)


def whole_power(a: Range, n: int) -> Range:
    """a^n for a whole number n ≥ 1."""
    if n % 2 == 0 and a.low < 0:
        if a.high <= 0:
            return whole_power(neg(a), n)
        far = max((-a.low, a.open_low), (a.high, a.open_high), key=lambda end: (end[0], not end[1]))
        return Range(0.0, _power_of(far[0], n)[1], False, far[1])
    return Range(_power_of(a.low, n)[0], _power_of(a.high, n)[1], a.open_low, a.open_high)


def _power_of(x: float, n: int) -> tuple[float, float]:
    if x == 0 or abs(x) == 1 or isinf(x):
        value = x**n
        return value, value
    try:
        value = x**n
    except OverflowError:
        return (MAX, inf) if x > 0 or n % 2 == 0 else (-inf, -MAX)
    if n <= 16:
        exact, held = Fraction(x) ** n, Fraction(value)
        return (value, value) if held == exact else (value, up(value)) if held < exact else (down(value), value)
    return down(value, 2), up(value, 2)
