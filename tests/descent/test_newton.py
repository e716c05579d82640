"""Trust-region Newton: its first steps in 50 digits, the subproblem's conditions of optimality, how far it goes."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import descend
from descend import Newton, Status
from descend.descent.method.subproblem import DenseModel
from descend.errors import MethodError

ROSENBROCK = "100*(y - x^2)^2 + (1 - x)^2"


def path(text, start, **settings):
    trace = descend.minimize(text, start, method=Newton(**settings), trace=True, escape=settings.get("escape", True))
    return trace, [row for row in trace.trace if row.accepted]


# --------------------------------------------------------------------------------------------------- the recursion


@pytest.mark.parametrize(
    ("text", "derivatives", "start"),
    [
        ("exp(x) - 2*x", lambda x: (mpmath.exp(x) - 2, mpmath.exp(x), mpmath.exp(x)), "1.1"),
        ("cosh(x) - x", lambda x: (mpmath.sinh(x) - 1, mpmath.cosh(x), mpmath.sinh(x)), "0.5"),
        ("x*log(x)", lambda x: (mpmath.log(x) + 1, 1 / x, -1 / x**2), "0.4"),
    ],
)
def test_the_first_steps_are_chebyshevs(text, derivatives, start):
    """x - u - u²f'''/(2f'') with u = f'/f'': Chebyshev's method of third order, in 50 digits."""
    _, rows = path(text, float(start))
    with mpmath.workdps(50):
        x = mpmath.mpf(float(start))
        for row in rows[1:3]:
            first, second, third = derivatives(x)
            u = first / second
            x = x - u - u * u * third / (2 * second)
            assert abs(row.point[0] - x) <= 1e-12 * abs(x)
            x = mpmath.mpf(row.point[0])


def test_a_correction_that_is_longer_than_half_the_step_is_left_out():
    # x⁴ - 6x² at 1.1: p = -f'/f'' = 3.14..., and a = -p²f'''/(2f'') = -51 is no correction.
    f1, f2, f3 = 4 * 1.1**3 - 12 * 1.1, 12 * 1.1**2 - 12, 24 * 1.1
    p = -f1 / f2
    assert abs(-p * p * f3 / (2 * f2)) > 0.5 * p
    result, rows = path("x^4 - 6*x^2", 1.1)
    tried = [row.point[0] for row in result.trace]
    assert tried[1] == pytest.approx(1.1 + p, rel=1e-13)
    assert rows[-1].point[0] == pytest.approx(np.sqrt(3), rel=1e-12)


def test_steps_towards_a_singular_minimum_are_made_longer():
    """For x⁴ a corrected step is 4/9 of the way, so q = 5/9, and the third is 9/4 times as long: it arrives."""
    result, rows = path("x^4", 1)
    assert [row.point[0] for row in rows[:2]] == pytest.approx([1, 5 / 9], rel=1e-14)
    assert abs(rows[2].point[0]) < 1e-14
    assert result.status is Status.MINIMUM


# -------------------------------------------------------------------------------------------------- the subproblem


@pytest.mark.parametrize("seed", range(30))
def test_the_step_is_the_lowest_point_of_the_ball(seed):
    """Moré & Sorensen: (H + λD²)p = -g with H + λD² ⪰ 0 and λ(|Dp| - radius) = 0 are necessary and sufficient."""
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 7))
    basis, _ = np.linalg.qr(rng.normal(size=(size, size)))
    hessian = (basis * rng.normal(size=size) * 10.0 ** rng.integers(-2, 3)) @ basis.T
    hessian = 0.5 * (hessian + hessian.T)
    scaling = 10.0 ** rng.uniform(-1, 1, size)
    slope, radius = rng.normal(size=size), 10.0 ** rng.uniform(-2, 1)
    model = DenseModel(hessian, slope, scaling)
    found = model.step(radius)
    length = np.linalg.norm(scaling * found.step)
    if found.interior:
        assert length <= radius
        assert hessian @ found.step == pytest.approx(-slope, rel=1e-8, abs=1e-8)
    else:
        assert length == pytest.approx(radius, rel=0.11)
    # No other point of the ball (of that size) is lower: a sample, and the way back to it.
    for _ in range(200):
        other = rng.normal(size=size)
        other *= min(length, radius) * rng.uniform() ** (1 / size) / np.linalg.norm(other)
        assert model.reduction(other / scaling) <= model.reduction(found.step) + 1e-9


def test_the_hard_case_goes_along_the_lowest_direction():
    model = DenseModel(np.diag([-1.0, 2.0, 3.0]), np.array([0.0, 2.0, 3.0]), np.ones(3))
    found = model.step(2.0)
    assert not found.interior
    # λ = 1: the rest is (0, -2/3, -3/4), and the first variable fills the ball.
    assert found.step[1:] == pytest.approx([-2 / 3, -3 / 4], rel=1e-12)
    assert np.linalg.norm(found.step) == pytest.approx(2, rel=1e-12)


# ------------------------------------------------------------------------------------------------- how far it goes


def test_from_a_maximum_and_a_saddle_it_goes_on_unless_told_not_to():
    assert abs(float(descend.minimize("x^4 - x^2", 0, method="newton"))) == pytest.approx(0.5**0.5, rel=1e-12)
    assert descend.minimize("x^4 - x^2", 0, method="newton", escape=False).status is Status.MAXIMUM
    saddle = descend.minimize("x^2 - y^2 + y^4", [0, 0], method="newton", escape=False)
    assert (saddle.status, saddle.looks) == (Status.SADDLE, 1)
    assert descend.minimize("x^2 - y^2 + y^4", [0, 0], method="newton").cost == pytest.approx(-0.25, rel=1e-12)


def test_a_trial_outside_the_domain_is_shortened():
    result = descend.minimize("x*log(x)", 3, method="newton", trace=True)
    assert any(not row.accepted and not np.isfinite(row.cost) for row in result.trace)
    assert float(result) == pytest.approx(np.exp(-1), rel=1e-12)
    assert all(np.isfinite(row.cost) for row in result.trace if row.accepted)


@pytest.mark.parametrize("power", [-12, 12])
@pytest.mark.parametrize(
    ("text", "start"),
    [(ROSENBROCK, [-1.2, 1.0]), ("x^4 + x*y + (1 + y)^2", [2.0, -3.0]), ("(x-y)^4 + (x+y-2)^2", [5, 1])],
)
def test_units_of_cost_and_variables_do_not_matter(text, start, power):
    plain = descend.minimize(text, start, method="newton")
    scale = 10.0**power
    costly = descend.minimize(f"1e{power}*({text})", start, method="newton")
    assert (costly.status, costly.looks) == (plain.status, pytest.approx(plain.looks, abs=2))
    units = text.replace("x", f"(x*1e{-power})").replace("y", f"(y*1e{-power})")
    wide = descend.minimize(units, [s * scale for s in start], method="newton")
    assert (wide.status, wide.looks) == (plain.status, pytest.approx(plain.looks, abs=2))
    assert [wide["x"] / scale, wide["y"] / scale] == pytest.approx([plain["x"], plain["y"]], rel=1e-6)


def test_a_bound_that_keeps_the_cost_from_falling_holds_the_variable():
    # On y = 0.5 Rosenbrock's minimum over x solves 400x³ - 198x - 2 = 0; the multiplier is df/dy < 0.
    result = descend.minimize(ROSENBROCK, [0.5, 0.4], bounds={"y": (None, 0.5)}, method="newton")
    x = max(r.real for r in np.roots([400, 0, -198, -2]) if abs(r.imag) < 1e-12)
    assert result["y"] == 0.5
    assert result["x"] == pytest.approx(x, rel=1e-10)
    assert result.gradient["y"] < 0
    assert result.status is Status.AT_BOUND


@pytest.mark.parametrize("seed", range(8))
def test_boxes_against_scipy(seed):
    from scipy.optimize import minimize

    rng = np.random.default_rng(seed)
    root = rng.normal(size=(4, 4))
    matrix, shift = root @ root.T + np.eye(4), rng.normal(size=4)
    names = ["a", "b", "c", "d"]
    text = " + ".join(
        [f"({float(matrix[i, j])!r})*{p}*{q}/2" for i, p in enumerate(names) for j, q in enumerate(names)]
        + [f"({float(s)!r})*{n} + {n}^4" for n, s in zip(names, shift, strict=True)]
    )
    fun = descend.compile(text)
    bounds = [(float(c) - 0.3, float(c) + 0.3) for c in rng.normal(size=4)]
    middle = [0.5 * (low + high) for low, high in bounds]
    result = descend.minimize(text, middle, bounds=dict(zip(names, bounds, strict=True)), method="newton")
    settings = {"gtol": 1e-13, "ftol": 1e-16}
    other = minimize(fun, middle, jac=fun.gradient, bounds=bounds, method="L-BFGS-B", options=settings)
    assert result.success
    assert result.cost <= other.fun + 1e-12 * abs(other.fun)
    assert [result[n] for n in names] == pytest.approx(other.x, abs=1e-6)
    assert result.looks <= 25


def test_at_the_level_of_rounding_it_ends():
    """A cost near 1e8 whose falls drown in rounding: the slopes still tell."""
    result = descend.minimize("1e8 + cosh(x - 1) + (y - x)^2 + y^4/10", [3, -2], method="newton")
    assert result.looks < 20
    assert result.success


@pytest.mark.parametrize("value", [1, "yes", None])
def test_escape_is_true_or_false(value):
    with pytest.raises(MethodError, match="escape is True or False"):
        Newton(escape=value)
