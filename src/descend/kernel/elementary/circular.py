"""sin, cos and tan.

x = q·π/2 + r with |r| ≤ π/4, π/2 in four parts.  The first three have 33 bits, so that q times them is exact while
|q| ≤ 2^20, and each difference is exact wherever it is small (Cody and Waite, 1980): r is right to its last place, also
beside a multiple of π/2.  On r minimax polynomials (Remez).  Lanes beyond that take a branch, in which x·2/π is a
product of whole numbers with enough places of 2/π (Payne and Hanek, *Radian Reduction for Trigonometric Functions*,
1983): the C library's own values are wrong by 8 units and more at the doubles closest to a multiple of π/2.
"""

from __future__ import annotations

from math import inf

from descend.kernel.elementary.exponential import ROUND
from descend.kernel.elementary.turns import turns
from descend.kernel.elementary.writer import Bits, Truth, Vector

TWO_OVER_PI = 0.6366197723675814
HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487111665e-21, 8.4784276603689e-32)
REACH = 2.0**20  # two thirds of what the reduction is good for
S = (  # (sin(r) - r)/r³, to 2^-57.9 of the sine
    -0.16666666666666632, 0.008333333333322219, -0.00019841269829653702, 2.7557313639895082e-06,
    -2.5050750232271645e-08, 1.5896354313568553e-10,
)  # fmt: skip
C = (  # (cos(r) - 1 + r²/2)/r⁴, to 2^-63.9 of the cosine
    0.041666666666666595, -0.001388888888887369, 2.4801587289189714e-05, -2.7557314264777505e-07,
    2.08757112130706e-09, -1.1359022900714789e-11,
)  # fmt: skip


def far(x: Vector) -> Truth:
    """Say which arguments are beyond what the reduction is good for (infinite ones are not: they give NaN anyway)."""
    size = abs(x)
    return (size > REACH) & (size < inf)


def _near(x: Vector) -> tuple[Vector, Bits]:
    """Return r and q, whose last two bits count."""
    shifted = x * TWO_OVER_PI + ROUND
    q = shifted - ROUND
    r = x
    for part in HALF_PI:
        r = r - q * part
    return r, shifted.bits()


def _nearer(x: Vector) -> tuple[Vector, Bits]:
    """Return the same, r rounded once instead of up to three times."""
    shifted = x * TWO_OVER_PI + ROUND
    q = shifted - ROUND
    r = x - q * HALF_PI[0]
    lost = -(q * HALF_PI[3])
    for part in HALF_PI[1:3]:
        following = r - q * part
        lost = lost + ((r - following) - q * part)
        r = following
    return r + lost, shifted.bits()


def _far(x: Vector) -> tuple[Vector, Bits]:
    """Return the same of the lanes that are far."""
    return turns(far(x).where(x, 2.0 * REACH))


def _both(r: Vector) -> tuple[Vector, Vector]:
    """Return sin(r) and cos(r)."""
    z = r * r
    return r + (r * z) * z.polynomial(S), 1.0 + z * (z * z.polynomial(C) - 0.5)


def _turned(x: Vector, quadrants: Bits) -> Vector:
    """Change the sign in the third and fourth quadrant."""
    return (x.bits() ^ ((quadrants & 2) << 62)).vector()


def _sin(r: Vector, q: Bits) -> Vector:
    s, c = _both(r)
    return _turned((q & 1).is_zero().where(s, c), q)


def _cos(r: Vector, q: Bits) -> Vector:
    s, c = _both(r)
    return _turned((q & 1).is_zero().where(c, s), q + 1)


def _tan(r: Vector, q: Bits) -> Vector:
    """Return sin(r)/cos(r) or -cos(r)/sin(r)."""
    s, c = _both(r)
    even = (q & 1).is_zero()
    value = even.where(s, c) / even.where(c, s)
    return (value.bits() ^ (q << 63)).vector()


def sin(x: Vector) -> Vector:
    """Return the sine; x itself near 0."""
    return (abs(x) < 2.0**-27).where(x, _sin(*_near(x)))


def sin_far(x: Vector) -> Vector:
    """Return the sine of huge arguments."""
    return _sin(*_far(x))


def cos(x: Vector) -> Vector:
    """Return the cosine."""
    return _cos(*_near(x))


def cos_far(x: Vector) -> Vector:
    """Return the cosine of huge arguments."""
    return _cos(*_far(x))


def tan(x: Vector) -> Vector:
    """Return the tangent; x itself near 0."""
    return (abs(x) < 2.0**-27).where(x, _tan(*_nearer(x)))


def tan_far(x: Vector) -> Vector:
    """Return the tangent of huge arguments."""
    return _tan(*_far(x))
