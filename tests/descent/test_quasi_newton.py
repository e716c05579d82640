"""BFGS and L-BFGS: closed forms, the published update in 50 digits, and each against the other."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import descend
from descend import BFGS, LBFGS, MethodError, Status
from descend.descent.method.bfgs import newton, updated
from descend.descent.method.l_bfgs import two_loop

RNG = np.random.default_rng(5)
ROSENBROCK = "100*(y - x^2)^2 + (1 - x)^2"


def pairs(n, count):
    """Steps and changes of the gradient of a convex quadratic."""
    root = RNG.normal(size=(n, n))
    matrix = root @ root.T + np.eye(n)
    steps = RNG.normal(size=(count, n))
    return [(s, matrix @ s) for s in steps]


def published(inverse, s, y):
    """Nocedal & Wright (2006), eq. 6.17, in 50 digits."""
    with mpmath.workdps(50):
        h = mpmath.matrix(inverse.tolist() if isinstance(inverse, np.ndarray) else inverse)
        s, y = mpmath.matrix(s.tolist()), mpmath.matrix(y.tolist())
        rho = 1 / (y.T * s)[0]
        left = mpmath.eye(len(s)) - rho * s * y.T
        return left * h * left.T + rho * s * s.T


def as_array(matrix):
    return np.array([[float(matrix[i, j]) for j in range(matrix.cols)] for i in range(matrix.rows)])


@pytest.mark.parametrize("n", [1, 2, 5])
def test_the_update_is_the_published_one(n):
    given = pairs(n, 4)
    s, y = given[0]
    ours, exact = None, mpmath.mpf(float(s @ y)) / mpmath.mpf(float(y @ y)) * mpmath.eye(n)
    for s, y in given:
        ours, exact = updated(ours, s, y), published(exact, s, y)
        assert ours == pytest.approx(as_array(exact), rel=1e-10, abs=1e-12)
        assert ours @ y == pytest.approx(s, rel=1e-9)  # the secant equation


def test_no_update_where_the_cost_bends_down():
    inverse = np.diag([2.0, 3.0])
    assert updated(inverse, np.array([1.0, 0.0]), np.array([-1.0, 0.5])) is inverse
    assert updated(None, np.array([1.0, 0.0]), np.array([0.0, 0.0])) is None


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_update_of_tiny_and_huge_numbers(scale):
    (s, y), *_ = pairs(3, 1)
    plain, scaled = updated(None, s, y), updated(None, scale * s, scale * y)
    assert scaled == pytest.approx(plain, rel=1e-12)


@pytest.mark.parametrize("count", [1, 3, 6])
def test_two_loops_are_the_dense_update(count):
    given = pairs(6, count)
    s, y = given[-1]
    exact = mpmath.mpf(float(s @ y)) / mpmath.mpf(float(y @ y)) * mpmath.eye(6)
    for s, y in given:
        exact = published(exact, s, y)
    gradient = RNG.normal(size=6)
    assert two_loop(given, gradient) == pytest.approx(as_array(exact) @ gradient, rel=1e-9, abs=1e-11)


def test_on_a_quadratic_with_exact_lengths_it_ends_in_n_steps_at_conjugate_gradients_points():
    """Nazareth (1979); the points of linear conjugate gradients in 50 digits."""
    n = 5
    root = RNG.normal(size=(n, n))
    matrix, b = root @ root.T + np.eye(n), RNG.normal(size=n)
    with mpmath.workdps(50):
        a, r = mpmath.matrix(matrix.tolist()), mpmath.matrix(b.tolist())
        x, d, exact = mpmath.zeros(n, 1), r, []
        for _ in range(n):
            length = (r.T * r)[0] / (d.T * a * d)[0]
            x, new = x + length * d, r - length * a * d
            d, r = new + (new.T * new)[0] / (r.T * r)[0] * d, new
            exact.append([float(v) for v in x])
    point, inverse, ours = np.zeros(n), None, []
    for _ in range(n):
        gradient = matrix @ point - b
        direction = -gradient if inverse is None else -newton(inverse, gradient, [])
        moved = -(gradient @ direction) / (direction @ matrix @ direction) * direction
        inverse = updated(inverse, moved, matrix @ moved)
        point = point + moved
        ours.append(point)
    assert np.array(ours) == pytest.approx(np.array(exact), rel=1e-8, abs=1e-10)
    assert inverse == pytest.approx(np.linalg.inv(matrix), rel=1e-8, abs=1e-10)


def test_the_direction_of_a_face_is_that_of_its_own_block():
    root = RNG.normal(size=(6, 6))
    matrix, gradient = root @ root.T + np.eye(6), RNG.normal(size=6)
    free, held = [0, 2, 5], [1, 3, 4]
    step = newton(np.linalg.inv(matrix), gradient, held)
    assert step[held] == pytest.approx(0, abs=0)
    assert step[free] == pytest.approx(np.linalg.solve(matrix[np.ix_(free, free)], gradient[free]), rel=1e-9)


@pytest.mark.parametrize("method", [BFGS(), BFGS(search="hager-zhang"), LBFGS(), LBFGS(memory=3)], ids=str)
class TestDescents:
    def test_rosenbrock(self, method):
        r = descend.minimize(ROSENBROCK, [-1.2, 1], method=method)
        assert r.status is Status.MINIMUM
        assert [r["x"], r["y"]] == pytest.approx([1, 1], rel=1e-8)
        assert r.looks <= 80

    @pytest.mark.parametrize("factor", ["10^12", "10^(-12)"])
    def test_units(self, method, factor):
        r = descend.minimize(f"{factor}*({ROSENBROCK})", [-1.2, 1], method=method)
        assert r.status is Status.MINIMUM
        unit = float(factor.replace("10^", "1e").replace("(", "").replace(")", ""))
        shrunk = f"100*(y/{factor} - (x/{factor})^2)^2 + (1 - x/{factor})^2"
        assert descend.minimize(shrunk, {"x": -1.2 * unit, "y": unit}, method=method).status is Status.MINIMUM

    def test_a_logarithm_is_not_left(self, method):
        r = descend.minimize("x*log(x)", 3, method=method)
        assert r["x"] == pytest.approx(float(mpmath.exp(-1)), rel=1e-8)
        assert r.success

    def test_a_bound_holds(self, method):
        """On the face y = 1/2 the minimum solves 200·x³ - 99·x - 1 = 0."""
        r = descend.minimize(ROSENBROCK, [-1.2, 0.4], bounds={"x": (0, 2), "y": (None, 0.5)}, method=method)
        root = max(float(z.real) for z in mpmath.polyroots([200, 0, -99, -1]) if abs(z.imag) < 1e-20)
        assert r.status is Status.AT_BOUND
        assert r["x"] == pytest.approx(root, rel=1e-8)
        assert r["y"] == 0.5


def test_with_a_memory_of_all_steps_l_bfgs_finds_what_bfgs_finds():
    both = [descend.minimize("x^2 + 10*y^2 + x^4", [3, 1], method=m, trace=True) for m in (BFGS(), LBFGS(memory=99))]
    ours, theirs = ([list(row.point) for row in r.trace][:3] for r in both)  # one pair: the same H₀, the same H
    assert np.array(ours) == pytest.approx(np.array(theirs), rel=1e-12)


def test_kinks():
    r = descend.minimize("abs(x - 0.3) + abs(y)", [1, 1], method=BFGS(search="weak-wolfe"))
    assert [r["x"], r["y"]] == pytest.approx([0.3, 0], abs=1e-8)
    assert r.success


@pytest.mark.parametrize("make", [lambda: BFGS(search="wolf"), lambda: LBFGS(memory=0), lambda: LBFGS(search=3)])
def test_settings_are_checked(make):
    with pytest.raises(MethodError):
        make()


def test_a_matrix_too_large_is_refused():
    with pytest.raises(MethodError, match="l-bfgs"):
        descend.minimize("sum(x[i]^4, i, 0, n-1)", [1.0] * 5001, constants={"n": 5001}, method="bfgs")
