"""exp, expm1, sinh, cosh and tanh.

x = k·log 2 + r with |r| ≤ log(2)/2, k·log 2 in two parts of which the first is exact (Cody and Waite, *Software Manual
for the Elementary Functions*, 1980), and exp(r) = 1 + r + r²·Q(r), Q a minimax polynomial (Remez).  No branches.
"""

from __future__ import annotations

from descend.kernel.elementary.writer import Avx512Body, Vector, with_sign_of

LOG2E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # 32 bits, so that k times it is exact
LN2_LOW = 1.90821492927058770002e-10
ROUND = 1.5 * 2.0**52  # x + ROUND has no bits behind the point
BIAS = 1023.0
Q = (  # (exp(r) - 1 - r)/r², to 2^-55.6 of expm1(r)
    0.5000000000000006, 0.1666666666666659, 0.04166666666657693, 0.008333333333389412, 0.0013888888931518706,
    0.00019841269719282555, 2.4801505320847915e-05, 2.7557407318064446e-06, 2.762602149124169e-07,
    2.50538401907935e-08,
)  # fmt: skip
LARGEST = 711.0  # beyond, exp and its kind are infinite (sinh and cosh from 710.4759)
SMALLEST = -746.0  # below, exp is 0


def expm1_near(r: Vector) -> Vector:
    """Return exp(r) - 1 for |r| ≤ log(2)/2."""
    return r + (r * r) * r.polynomial(Q)


def reduced(x: Vector, rest: Vector | float = 0.0) -> tuple[Vector, Vector]:
    """Return (k, expm1(r)) of x + rest, the rest being so small that it is not in the last places of x."""
    k = (x * LOG2E + ROUND) - ROUND
    r = (x - k * LN2_HIGH) - k * LN2_LOW
    return k, expm1_near(r if rest == 0.0 else r + rest)


def two_to(k: Vector) -> Vector:
    """Return 2^k for a whole k in [-1022, 1023], or the whole number nearest to k."""
    return ((k + (ROUND + BIAS)).bits() << 52).vector()


def scaled(x: Vector, k: Vector) -> Vector:
    """Return x·2^k, rounded once: in two steps, where the processor has no instruction for it."""
    if isinstance(x.body, Avx512Body):
        return Vector(x.body, x.body.scalef(x.name, k.name))
    half = k * 0.5 + (ROUND + BIAS)
    rest = k - (half - (ROUND + BIAS))
    return x * (half.bits() << 52).vector() * two_to(rest)


def exp(x: Vector) -> Vector:
    """Return e to the power x."""
    k, p = reduced(x.clamped(SMALLEST, LARGEST))
    return scaled(1.0 + p, k)


def _half_expm1(x: Vector) -> Vector:
    """Return expm1(x)/2 for x in [-40, 710]: 2^(k-1)·expm1(r) + (2^(k-1) - 1/2)."""
    k, p = reduced(x)
    scale = two_to(k - 1.0)
    return scale * p + (scale - 0.5)


def expm1(x: Vector) -> Vector:
    """Return exp(x) - 1; x itself near 0."""
    half = _half_expm1(x.clamped(-40.0, 710.0))
    return (abs(x) < 2.0**-54).where(x, half + half)


def _exp_half(k: Vector, p: Vector) -> Vector:
    """Return exp(x)/2 from what `reduced` returned."""
    return scaled(1.0 + p, k - 1.0)


def sinh(x: Vector) -> Vector:
    """Return the hyperbolic sine: h + h/(2h + 1) for h = expm1(|x|)/2."""
    size = abs(x).clamped(0.0, LARGEST)
    k, p = reduced(size)
    scale = two_to(k.clamped(0.0, 64.0) - 1.0)
    half = scale * p + (scale - 0.5)
    near = half + half / (half + half + 1.0)
    found = (size < 22.0).where(near, _exp_half(k, p))
    return with_sign_of((size < 2.0**-28).where(size, found), x)


def cosh(x: Vector) -> Vector:
    """Return the hyperbolic cosine: h + 1/(4h) for h = exp(|x|)/2."""
    half = _exp_half(*reduced(abs(x).clamped(0.0, LARGEST)))
    return half + 0.25 / half


def tanh(x: Vector) -> Vector:
    """Return the hyperbolic tangent: h/(h + 1) for h = expm1(2|x|)/2."""
    size = abs(x).clamped(0.0, 22.0)
    half = _half_expm1(size + size)
    return with_sign_of((size < 2.0**-28).where(size, half / (half + 1.0)), x)
