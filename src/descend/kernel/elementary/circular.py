"""sin, cos and tan.

x = q·π/2 + r with |r| ≤ π/4, π/2 in four parts.  The first three have 33 bits, so that q times them is exact while
|q| ≤ 2^20, and each difference is exact wherever it is small (Cody and Waite, 1980): r is right to its last place, also
beside a multiple of π/2.  Arguments beyond that are left to the C library.  On r minimax polynomials (Remez).
"""

from __future__ import annotations

from descend.kernel.elementary.exponential import ROUND
from descend.kernel.elementary.writer import Bits, Truth, Vector

TWO_OVER_PI = 0.6366197723675814
HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32)
REACH = 2.0**20  # ·π/2 is what the reduction is good for; more than that is left over
S = (  # (sin(r) - r)/r³, to 2^-57.9 of the sine
    -0.16666666666666632, 0.008333333333322219, -0.00019841269829653702, 2.7557313639895082e-06,
    -2.5050750232271645e-08, 1.5896354313568553e-10,
)  # fmt: skip
C = (  # (cos(r) - 1 + r²/2)/r⁴, to 2^-63.9 of the cosine
    0.041666666666666595, -0.001388888888887369, 2.4801587289189714e-05, -2.7557314264777505e-07,
    2.08757112130706e-09, -1.1359022900714789e-11,
)  # fmt: skip


def far(x: Vector) -> Truth:
    """Say which arguments are beyond what the reduction is good for."""
    return abs(x) > REACH


def _reduced(x: Vector) -> tuple[Vector, Vector, Bits]:
    """Return sin(r), cos(r) and q, whose last two bits count."""
    shifted = x * TWO_OVER_PI + ROUND
    q = shifted - ROUND
    r = x
    for part in HALF_PI:
        r = r - q * part
    z = r * r
    return r + (r * z) * z.polynomial(S), 1.0 + z * (z * z.polynomial(C) - 0.5), shifted.bits()


def _turned(x: Vector, quadrants: Bits) -> Vector:
    """Change the sign in the third and fourth quadrant."""
    return (x.bits() ^ ((quadrants & 2) << 62)).vector()


def sin(x: Vector) -> Vector:
    """Return the sine; x itself near 0."""
    s, c, q = _reduced(x)
    value = _turned((q & 1).is_zero().where(s, c), q)
    return (abs(x) < 2.0**-27).where(x, value)


def cos(x: Vector) -> Vector:
    """Return the cosine."""
    s, c, q = _reduced(x)
    return _turned((q & 1).is_zero().where(c, s), q + 1)


def tan(x: Vector) -> Vector:
    """Return the tangent, sin(r)/cos(r) or -cos(r)/sin(r); x itself near 0."""
    s, c, q = _reduced(x)
    even = (q & 1).is_zero()
    value = even.where(s, c) / even.where(c, s)
    value = (value.bits() ^ (q << 63)).vector()
    return (abs(x) < 2.0**-27).where(x, value)
