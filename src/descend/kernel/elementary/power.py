"""pow and cbrt.

x^y = 2^(y·log₂ x), the logarithm and the product in two parts each: the first has 21 bits, so that products of first
parts are exact with and without a fused multiply-add.  After Sun's fdlibm (e_pow.c, 2004), on one interval instead of
two.  What is no positive normal number, or gives none, is left to the C library.
"""

from __future__ import annotations

from math import inf

from descend.kernel.elementary.exponential import ROUND, expm1_near, two_to
from descend.kernel.elementary.logarithm import split
from descend.kernel.elementary.writer import SIGN, UPPER, Truth, Vector

L = (  # (3·atanh(s)/s - 3 - s²)/s⁴, to 2^-66 of the logarithm
    0.6000000000000311, 0.4285714285526218, 0.33333333762400824, 0.27272677910582005, 0.23080079364915787,
    0.19886433909185133, 0.19784133957969965,
)  # fmt: skip
ROOT = (  # ∛w on [0.3535, 2.8285], to 2^-9
    0.443553332529102, 0.8984229901061834, -0.473939595440189, 0.15335527159697818, -0.019556501697068775,
)  # fmt: skip
TWO_THIRDS_LOG2_E = (0.9617962837219238, 4.102040517767816e-07)
LN2 = (0.6931467056274414, 4.7493250390316726e-07)
LARGEST = 1021.5  # of |y·log₂ x|: the result is a normal number


def _short(x: Vector) -> Vector:
    """Return the first 21 bits."""
    return (x.bits() & UPPER).vector()


def _log2(x: Vector) -> tuple[Vector, Vector]:
    """Return log₂(x) in two parts, the first short.

    With s = (m - 1)/(m + 1) it is k + ⅔·log₂(e)·s·(3 + s² + s⁴·L(s²)).
    """
    k, m, _ = split(x)
    f = m - 1.0
    inverse = 1.0 / (m + 1.0)
    s = f * inverse
    s_high = _short(s)
    sum_high = _short(m + 1.0)
    sum_low = m - (sum_high - 1.0)
    s_low = inverse * ((f - s_high * sum_high) - s_high * sum_low)
    z = s * s
    r = (z * z) * z.polynomial(L) + s_low * (s_high + s)
    square = s_high * s_high
    t_high = _short(3.0 + square + r)
    t_low = r - ((t_high - 3.0) - square)
    u = s_high * t_high
    v = s_low * t_high + t_low * s
    p_high = _short(u + v)
    p_low = v - (p_high - u)
    high = TWO_THIRDS_LOG2_E[0] * p_high
    low = TWO_THIRDS_LOG2_E[1] * p_high + p_low * (TWO_THIRDS_LOG2_E[0] + TWO_THIRDS_LOG2_E[1])
    first = _short(high + low + k)
    return first, low - ((first - k) - high)


def _exponent(x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """Return y·log₂ x in two parts."""
    high, low = _log2(x)
    y_high = _short(y)
    return y_high * high, (y - y_high) * high + y * low


def unusual(x: Vector, y: Vector) -> Truth:
    """Say where `power` is not good."""
    high, low = _exponent(x, y)
    return ~((x >= 2.0**-1022) & (x < inf) & (abs(high + low) < LARGEST))


def power(x: Vector, y: Vector) -> Vector:
    """Return x to the power y."""
    high, low = _exponent(x, y)
    k = (high + low + ROUND) - ROUND
    part = high - k
    short = _short(part + low)
    r = short * LN2[0] + ((low - (short - part)) * (LN2[0] + LN2[1]) + short * LN2[1])
    return two_to(k) * (1.0 + expm1_near(r))


def cbrt(x: Vector) -> Vector:
    """Return the cube root: a polynomial for the first digits, a step of Halley's method and one of Newton's."""
    size = abs(x)
    tiny = size < 2.0**-1022
    k, m, _ = split(tiny.where(size * 2.0**54, size))
    third = (k * (1.0 / 3.0) + ROUND) - ROUND
    w = m * two_to(k - 3.0 * third)
    c = w.polynomial(ROOT)
    cube = c * c * c
    c = c * ((cube + (w + w)) / ((cube + cube) + w))
    c = c - (c - w / (c * c)) * (1.0 / 3.0)
    value = c * two_to(tiny.where(third - 18.0, third))
    signed = (value.bits() | (x.bits() & SIGN)).vector()
    return ((size > 0.0) & (size < inf)).where(signed, x)
