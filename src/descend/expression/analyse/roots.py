"""Real roots of polynomials in one variable, isolated exactly.

Square-free decomposition (Yun 1976) gives the multiplicities, Sturm's theorem (1829) counts the roots between two
numbers, bisection in fractions tells them apart: Basu, Pollack & Roy, *Algorithms in Real Algebraic Geometry*, 2006,
ch. 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from descend.expression.analyse.deadline import ENDLESS, Deadline

Row = list[Fraction]  # coefficients, the constant first; the last is not 0

NARROW = Fraction(1, 2**60)  # relative width down to which a root is refined


class Root(NamedTuple):
    """One real root lies between `low` and `high` (it is rational and known where they are equal)."""

    low: Fraction
    high: Fraction
    multiplicity: int

    @property
    def middle(self) -> Fraction:
        """The root, to about 18 digits."""
        return (self.low + self.high) / 2


def value(row: Sequence[Fraction], x: Fraction) -> Fraction:
    """Return the polynomial at x (Horner)."""
    total = Fraction(0)
    for coefficient in reversed(row):
        total = total * x + coefficient
    return total


def derivative(row: Sequence[Fraction]) -> Row:
    """Return the derivative."""
    return [k * c for k, c in enumerate(row)][1:] or [Fraction(0)]


def real_roots(row: Sequence[Fraction], deadline: Deadline = ENDLESS) -> list[Root]:
    """Return the real roots in increasing order.  Raises `OutOfTimeError`."""
    found: list[Root] = []
    for multiplicity, factor in enumerate(_square_free(_trimmed(row), deadline), start=1):
        if len(factor) > 1:
            found += [Root(low, high, multiplicity) for low, high in _isolated(factor, deadline)]
    found.sort(key=lambda root: root.low + root.high)
    return found


def _trimmed(row: Sequence[Fraction]) -> Row:
    result = list(row)
    while result and not result[-1]:
        result.pop()
    return result


def _divided(a: Row, b: Row) -> tuple[Row, Row]:
    """Return quotient and remainder."""
    rest = list(a)
    quotient = [Fraction(0)] * max(1, len(a) - len(b) + 1)
    while len(rest) >= len(b) and rest:
        shift = len(rest) - len(b)
        factor = rest[-1] / b[-1]
        quotient[shift] = factor
        for k, coefficient in enumerate(b):
            rest[shift + k] -= factor * coefficient
        rest.pop()
        rest = _trimmed(rest)
    return _trimmed(quotient), rest


def _monic(row: Row) -> Row:
    return [c / row[-1] for c in row] if row else row


def _common(a: Row, b: Row, deadline: Deadline) -> Row:
    while b:
        deadline.check()
        a, b = b, _monic(_divided(a, b)[1])
    return _monic(a)


def _square_free(row: Row, deadline: Deadline) -> list[Row]:
    """Return the factors whose roots have multiplicity 1, 2, ... (Yun)."""
    if len(row) < 2:
        return []
    slope = derivative(row)
    common = _common(row, _trimmed(slope), deadline)
    b, c = _divided(row, common)[0], _divided(_trimmed(slope), common)[0]
    factors = []
    while len(b) > 1:
        deadline.check()
        d = _trimmed([x - y for x, y in _paired(c, derivative(b))])
        a = _common(b, d, deadline) if d else _monic(b)
        factors.append(a)
        b, c = _divided(b, a)[0], (_divided(d, a)[0] if d else [])
    return factors


def _paired(a: Row, b: Row) -> list[tuple[Fraction, Fraction]]:
    size = max(len(a), len(b))
    return list(zip(a + [Fraction(0)] * (size - len(a)), b + [Fraction(0)] * (size - len(b)), strict=True))


def _chain(row: Row, deadline: Deadline) -> list[Row]:
    """Return Sturm's chain (each remainder scaled by a positive number)."""
    chain = [row, _trimmed(derivative(row))]
    while len(chain[-1]) > 1:
        deadline.check()
        rest = _divided(chain[-2], chain[-1])[1]
        if not rest:
            break
        chain.append([-c / abs(rest[-1]) for c in rest])
    return chain


def _changes(chain: Sequence[Row], x: Fraction) -> int:
    signs = [v > 0 for v in (value(row, x) for row in chain) if v]
    return sum(a != b for a, b in pairwise(signs))


def _isolated(row: Row, deadline: Deadline) -> list[tuple[Fraction, Fraction]]:
    """Return an interval for each root of a square-free polynomial."""
    if len(row) == 2:
        root = -row[0] / row[1]
        return [(root, root)]
    chain = _chain(row, deadline)
    reach = 1 + max(abs(c / row[-1]) for c in row[:-1])  # Cauchy's bound
    bound = Fraction(2) ** (int(reach).bit_length() + 1)
    found: list[tuple[Fraction, Fraction]] = []
    todo = [(-bound, bound, _changes(chain, -bound), _changes(chain, bound))]
    while todo:
        deadline.check()
        low, high, at_low, at_high = todo.pop()
        if at_low - at_high == 0:
            continue
        if at_low - at_high == 1:
            found.append(_refined(row, low, high, deadline))
            continue
        middle = (low + high) / 2
        at_middle = _changes(chain, middle)
        todo += [(low, middle, at_low, at_middle), (middle, high, at_middle, at_high)]
    return found


def _refined(row: Row, low: Fraction, high: Fraction, deadline: Deadline) -> tuple[Fraction, Fraction]:
    """Narrow (low, high], in which there is one simple root."""
    if value(row, high) == 0:
        return high, high
    # The sign just above `low`, which may be a root itself (the neighbour's).
    at_low = value(row, low) or value(derivative(row), low)
    rising = at_low < 0
    while high - low > NARROW * max(abs(low), abs(high)) and high - low > Fraction(1, 2**200):
        deadline.check()
        middle = (low + high) / 2
        at = value(row, middle)
        if at == 0:
            return middle, middle
        if (at < 0) == rising:
            low = middle
        else:
            high = middle
    guess = ((low + high) / 2).limit_denominator(10**6)  # a rational root is recognised
    if low <= guess <= high and value(row, guess) == 0:
        return guess, guess
    return low, high
