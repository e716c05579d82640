"""asin, acos, atan and atan2: on a short interval t + t³·P(t²), P a minimax polynomial (Remez).  No branches."""

from __future__ import annotations

from descend.kernel.elementary.writer import SIGN, Vector, with_sign_of

PI = (3.141592653589793, 1.2246467991473532e-16)
HALF_PI = (PI[0] / 2, PI[1] / 2)
QUARTER_PI = (PI[0] / 4, PI[1] / 4)
TAN_8 = 0.41421356237309503  # tan(π/8)
TAN_38 = 2.414213562373095  # tan(3π/8)
A = (  # (atan(t) - t)/t³, to 2^-59 of the arctangent
    -0.33333333333333204, 0.19999999999954668, -0.14285714280282324, 0.1111111078704526, -0.09090897847440262,
    0.07692061643303334, -0.06663118883428912, 0.058479894376677576, -0.05039728277640992, 0.03807476168679766,
    -0.01791788225806304,
)  # fmt: skip
S = (  # (asin(t) - t)/t³, to 2^-55.9 of the arcsine
    0.16666666666665475, 0.07500000000325363, 0.04464285683608625, 0.030381958866917868, 0.022371763679425317,
    0.017359629433669328, 0.013885905916858902, 0.012165198036586333, 0.006543951497107471, 0.019487715845673683,
    -0.016164862499071314, 0.031874069307605696,
)  # fmt: skip


def _atan_near(t: Vector) -> Vector:
    """Return atan(t) for |t| ≤ tan(π/8)."""
    z = t * t
    return t + (t * z) * z.polynomial(A)


def atan(x: Vector) -> Vector:
    """Return the arctangent: of (|x| - 1)/(|x| + 1) plus π/4 above tan(π/8), of -1/|x| plus π/2 above tan(3π/8)."""
    size = abs(x)
    middle, upper = size > TAN_8, size > TAN_38
    top = upper.where(-1.0, middle.where(size - 1.0, size))
    bottom = upper.where(size, middle.where(size + 1.0, 1.0))
    base = upper.where(HALF_PI[0], middle.where(QUARTER_PI[0], 0.0))
    rest = upper.where(HALF_PI[1], middle.where(QUARTER_PI[1], 0.0))
    return with_sign_of(base + (_atan_near(top / bottom) + rest), x)


def atan2(y: Vector, x: Vector) -> Vector:
    """Return the angle of the point (x, y), from the arctangent of the smaller coordinate over the larger."""
    up, right = abs(y), abs(x)
    steep = up > right
    high, low = steep.where(up, right), steep.where(right, up)
    ratio = low.equals(high).where(high.equals(0.0).where(0.0, 1.0), low / high)  # also of 0/0 and inf/inf
    middle = ratio > TAN_8
    near = _atan_near(middle.where(ratio - 1.0, ratio) / middle.where(ratio + 1.0, 1.0))
    angle = middle.where(QUARTER_PI[0] + (near + QUARTER_PI[1]), near)
    angle = steep.where(HALF_PI[0] - (angle - HALF_PI[1]), angle)
    left = (x.bits() & SIGN).is_zero()
    return with_sign_of(left.where(angle, PI[0] - (angle - PI[1])), y)


def _asin_series(t: Vector, z: Vector) -> Vector:
    """Return asin(t) for t² = z ≤ 1/4."""
    return t + (t * z) * z.polynomial(S)


def asin(x: Vector) -> Vector:
    """Return the arcsine: of |x| up to a half, else π/2 - 2·asin(√((1 - |x|)/2))."""
    size = abs(x)
    far = size > 0.5
    z = far.where(0.5 - 0.5 * size, size * size)
    series = _asin_series(far.where(z.sqrt(), size), z)
    return with_sign_of(far.where(HALF_PI[0] - (2.0 * series - HALF_PI[1]), series), x)


def acos(x: Vector) -> Vector:
    """Return the arccosine: π/2 - asin(x) for |x| up to a half, else 2·asin(√((1 - |x|)/2)), from π for x < 0."""
    size = abs(x)
    far = size > 0.5
    z = far.where(0.5 - 0.5 * size, size * size)
    series = _asin_series(far.where(z.sqrt(), x), z)
    twice = series + series
    outer = (x < 0.0).where(PI[0] - (twice - PI[1]), twice)
    return far.where(outer, HALF_PI[0] - (series - HALF_PI[1]))
