"""erf and erfc, by minimax polynomials (Remez).  No branches."""

from __future__ import annotations

from descend.kernel.elementary.exponential import SMALLEST, exp, reduced, scaled
from descend.kernel.elementary.writer import Vector, with_sign_of

NEAR = (  # erf(x)/x - 1, to 2^-57
    0.12837916709551256, -0.3761263890318355, 0.11283791670945244, -0.02686617064327463, 0.005223977607409817,
    -0.0008548325989016169, 0.00012055295299428115, -1.4924744246121806e-05, 1.6447512387314066e-06,
    -1.6209134376176496e-07, 1.3722792472179133e-08, -7.800838510993636e-10,
)  # fmt: skip
FAR = (  # -log(erfc(1 + t)), to 2^-56 of erf
    1.8496055099332482, 2.6389675142347904, 0.8431072563585554, 0.04156109804442676, -0.010033825403464577,
    0.001977902757901443, -0.00023732327336437067, -2.6275664703456205e-05, 2.715485161073961e-05,
    -9.60313221900529e-06, 2.054264692995357e-06, -1.392104607926461e-07, -9.917966439088373e-08,
    5.2467995112925564e-08, -1.4942873585955456e-08, 2.84425966926807e-09, -3.608347724654423e-10,
    2.7719200999994403e-11, -9.761195243852703e-13,
)  # fmt: skip
TWO_OVER_ROOT_PI = 1.1283791670955126
SHIFT = 4.0  # t = SHIFT/(SHIFT + x)
MIDDLE = 0.25
SCALED = (  # exp(x²)·erfc(x)/t at t = MIDDLE + s, to 2^-58
    0.18741688405957505, 0.24306532470564118, 0.29752716047409605, 0.3417998198016934, 0.36581763511999194,
    0.36112865719824766, 0.32412684596144997, 0.25862521201941296, 0.17630494152767062, 0.09406993753740585,
    0.0286505853373309, -0.009547183112996028, -0.020280713698337095, -0.012913392583706546, -0.0013552506281372448,
    0.009803590215199505, -0.00595173866644084, 0.020703373492313534, -0.028083728889269015, 0.01526979028550718,
    -0.0030892090264852574,
)  # fmt: skip


def _erf_near(x: Vector, z: Vector) -> Vector:
    """Return erf(x) for x² = z ≤ 1."""
    return x + x * z.polynomial(NEAR)


def erf(x: Vector) -> Vector:
    """Return the error function: x + x·P(x²) for |x| up to 1, else 1 - exp(-Q(|x| - 1))."""
    size = abs(x)
    size = (size > 6.0).where(6.0, size)
    near = _erf_near(size, size * size)
    far = 1.0 - exp(-(size - 1.0).polynomial(FAR))
    return with_sign_of((size > 5.95).where(1.0, (size > 1.0).where(far, near)), x)


def _erfcx(x: Vector) -> tuple[Vector, Vector]:
    """Return f(x) = exp(x²)·erfc(x) for x in [1/2, 28], and what is to be added to it.

    That makes good the rounding of t = SHIFT/(SHIFT + x), to which f is sensitive, with f' = 2x·f - 2/√π.
    """
    total = SHIFT + x
    t = SHIFT / total
    t_short, total_short = t.first_half(), total.first_half()
    t_rest, total_rest = t - t_short, total - total_short
    lost = ((SHIFT - t_short * total_short) - t_short * total_rest) - t_rest * total_short - t_rest * total_rest
    lost = lost - t * (x - (total - SHIFT))
    s = t - MIDDLE
    f = t * (SCALED[0] + s * s.polynomial(SCALED[1:]))
    return f, lost * (total * (1.0 / SHIFT)) * (TWO_OVER_ROOT_PI - 2.0 * x * f)


def erfc(x: Vector) -> Vector:
    """Return 1 - erf(x): so for |x| up to a half; else exp(-x²) times `_erfcx`, from 2 for x < 0."""
    size = abs(x).clamped(0.5, 28.0)
    short = size.first_half()
    k, p = reduced((-(short * short)).clamped(SMALLEST, 0.0), -((size - short) * (size + short)))
    f, rest = _erfcx(size)
    tail = scaled(f + (f * p + (rest + rest * p)), k)
    far = (x < 0.0).where(2.0 - tail, tail)
    return (abs(x) > 0.5).where(far, 1.0 - _erf_near(x, x * x))
