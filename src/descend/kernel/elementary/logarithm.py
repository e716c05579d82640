"""log, log1p, log2, log10, asinh, acosh and atanh.

x = 2^k·(1 + f) with 1 + f in [√½, √2), and log(1 + f) = 2s + s·z·R(z) for s = f/(2 + f) and z = s², R a minimax
polynomial (Remez).  How the parts are added up, and what is kept of them, is after Sun's fdlibm (e_log.c, s_log1p.c,
e_log10.c; 1993).  No branches.
"""

from __future__ import annotations

from math import inf, nan

from descend.kernel.elementary.exponential import LN2_HIGH, LN2_LOW
from descend.kernel.elementary.writer import UPPER, Bits, Vector, with_sign_of

ROOT_HALF = 0x3FE6A09E667F3BCD  # the bits of √½
ONE = 0x3FF0000000000000
MANTISSA = (1 << 52) - 1
LN2, ROOT_2 = 0.6931471805599453, 1.4142135623730951
WHOLE = 0x4330000000000000  # the bits of 2^52; with n in its last places, of 2^52 + n
R = (  # (log(1 + f) - 2s)/(s·z), to 2^-59 of the logarithm
    0.6666666666666733, 0.399999999994214, 0.2857142874112917, 0.222221986854955, 0.18183559147776207,
    0.15314169702852712, 0.14794866684827887,
)  # fmt: skip
RECIPROCAL = (1.005, -1.0806, 0.91424)  # 1/(1 + f), to 1.2 %
# Constants in two parts: the first short, so that its products are exact.
LOG2_E = (1.44269504072144627571e00, 1.67517131648865118353e-10)
LOG10_E = (4.34294481878168880939e-01, 2.50829467116452752298e-11)
LOG10_2 = (3.01029995663611771306e-01, 3.69423907715893078616e-13)


def split(x: Vector) -> tuple[Vector, Vector, Bits]:
    """Return (k, 1 + f, k + 1023 as a whole number) of normal x > 0."""
    shifted = x.bits() + (ONE - ROOT_HALF)
    exponent = shifted >> 52
    k = (exponent | WHOLE).vector() - (2.0**52 + 1023.0)
    return k, ((shifted & MANTISSA) + ROOT_HALF).vector(), exponent


def _split_any(x: Vector) -> tuple[Vector, Vector]:
    """Return (k, f) of any finite x > 0: also below the normal numbers."""
    tiny = x < 2.0**-1022
    k, m, _ = split(tiny.where(x * 2.0**54, x))
    return tiny.where(k - 54.0, k), m - 1.0


def _series(f: Vector) -> tuple[Vector, Vector]:
    """Return f²/2 and s·(f²/2 + z·R(z)): log(1 + f) is f minus the first plus the second."""
    s = f / (2.0 + f)
    half = 0.5 * f * f
    z = s * s
    return half, s * (half + z * z.polynomial(R))


def _inside(x: Vector, value: Vector, zero: float) -> Vector:
    """Return `value` inside the domain; -inf at its end `zero`, inf at inf, NaN elsewhere."""
    positive = x > zero
    outside = x.equals(zero).where(-inf, positive.where(x, nan))
    return (positive & (x < inf)).where(value, outside)


def log(x: Vector) -> Vector:
    """Return the natural logarithm."""
    k, f = _split_any(x)
    half, rest = _series(f)
    return _inside(x, k * LN2_HIGH - ((half - (rest + k * LN2_LOW)) - f), 0.0)


def log1p(x: Vector) -> Vector:
    """Return log(1 + x); x itself near 0."""
    u = 1.0 + x
    k, m, exponent = split(u)
    unscaled = k.equals(0.0)
    f = unscaled.where(x, m - 1.0)
    part = u - x
    lost = (1.0 - part) + (x - (u - part))  # by rounding 1 + x: the exact error of a sum (Knuth)
    lost = (unscaled | (x > 2.0**54)).where(0.0, lost * ((2046 - exponent) << 52).vector())
    half, rest = _series(f)
    mended = k * LN2_LOW + lost * f.polynomial(RECIPROCAL)
    value = k * LN2_HIGH - ((half - (rest + mended)) - f)
    return (abs(x) < 2.0**-54).where(x, _inside(x, value, -1.0))


def log1p_unit(x: Vector) -> Vector:
    """Return log(1 + x) of 0 ≤ x ≤ 1, in half the time: 1 + x is (1 + f) or 2(1 + f)."""
    large = x > ROOT_2 - 1.0
    half, rest = _series(f := large.where(0.5 * (x - 1.0), x))
    return large.where(LN2_HIGH, 0.0) - ((half - (rest + large.where(LN2_LOW, 0.0))) - f)


def _two_parts(f: Vector, base: tuple[float, float]) -> tuple[Vector, Vector]:
    """Return log(1 + f) times a constant, as a short number and what is left of it."""
    half, rest = _series(f)
    high = ((f - half).bits() & UPPER).vector()
    low = ((f - high) - half) + rest
    return high * base[0], (low + high) * base[1] + low * base[0]


def _sum(large: Vector, high: Vector, low: Vector) -> Vector:
    """Return large + high + low, of falling size."""
    total = large.plain_add(high)
    return total + (low + large.plain_sub(total).plain_add(high))


def log2(x: Vector) -> Vector:
    """Return the logarithm to base 2, exact for its powers."""
    k, f = _split_any(x)
    return _inside(x, _sum(k, *_two_parts(f, LOG2_E)), 0.0)


def log10(x: Vector) -> Vector:
    """Return the logarithm to base 10."""
    k, f = _split_any(x)
    high, low = _two_parts(f, LOG10_E)
    return _inside(x, _sum(k * LOG10_2[0], high, k * LOG10_2[1] + low), 0.0)


def asinh(x: Vector) -> Vector:
    """Return the inverse hyperbolic sine: log1p(a + a²/(1 + √(1 + a²))) for a = |x|, log(a) + log(2) far out."""
    a = abs(x)
    far = a > 2.0**28
    square = a * a
    value = log1p(far.where(a - 1.0, a + square / (1.0 + (1.0 + square).sqrt()))) + far.where(LN2, 0.0)
    return with_sign_of((a < 2.0**-28).where(a, value), x)


def acosh(x: Vector) -> Vector:
    """Return the inverse hyperbolic cosine: log1p(d + √(d·(d + 2))) for d = x - 1, log(x) + log(2) far out."""
    d = x - 1.0
    far = x > 2.0**28
    near = (x < 1.0).where(nan, d + (d * (d + 2.0)).sqrt())
    return log1p(far.where(d, near)) + far.where(LN2, 0.0)


def atanh(x: Vector) -> Vector:
    """Return the inverse hyperbolic tangent: log1p(2a/(1 - a))/2 for a = |x|."""
    a = abs(x)
    return with_sign_of(0.5 * log1p((a + a) / (1.0 - a)), x)
