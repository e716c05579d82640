"""Conjugate gradients: the published betas in 50 digits, linear conjugate gradients on a quadratic, descents."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import descend
from descend import ConjugateGradient, MethodError, Status
from descend.descent.method.conjugate_gradient import hager_zhang, polak_ribiere
from descend.vector import Vector

RNG = np.random.default_rng(7)
ROSENBROCK = "100*(y - x^2)^2 + (1 - x)^2"


def exact(vector):
    return [mpmath.mpf(v) for v in vector]


def dot(a, b):
    return mpmath.fsum(x * y for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
@pytest.mark.parametrize("trial", range(8))
def test_the_betas_are_the_published_ones(trial, scale):
    generator = np.random.default_rng(trial)
    g, before, d = (Vector((scale * v).tolist()) for v in generator.normal(size=(3, 4)))
    with mpmath.workdps(50):
        now, old, way = exact(g), exact(before), exact(d)
        y = [a - b for a, b in zip(now, old, strict=True)]
        pr = max(mpmath.mpf(0), dot(now, y) / dot(old, old))
        rise = dot(way, y)
        turned = [a - 2 * w * dot(y, y) / rise for a, w in zip(y, way, strict=True)]
        hz = max(dot(turned, now) / rise, mpmath.mpf(0.4) * dot(way, old) / dot(way, way))
    assert polak_ribiere(g, before, d) == pytest.approx(float(pr), rel=1e-12, abs=1e-14)
    found = hager_zhang(g, before, d)
    assert found is None if rise <= 0 else found == pytest.approx(float(hz), rel=1e-10)


@pytest.mark.parametrize("beta", ["hager-zhang", "polak-ribiere"])
class TestDescents:
    def test_on_a_quadratic_it_goes_the_way_of_linear_conjugate_gradients(self, beta):
        """Accepted points against those in 50 digits; the search's secant step makes lengths exact."""
        weights, start = [1.0, 3.0, 10.0], [1.0, 2.0, -1.0]
        text = " + ".join(f"{w}*x{k}^2" for k, w in enumerate(weights))
        r = descend.minimize(text, start, method=ConjugateGradient(beta=beta), trace=True)
        taken = [list(row.point) for row in r.trace if row.accepted]
        x, b = np.array(start), 2 * np.array(weights)
        d = g = -b * x
        for k in range(1, 4):
            x = x + (g @ g) / (d @ (b * d)) * d
            new = -b * x
            d, g = new + (new @ new) / (g @ g) * d, new
            assert min(np.abs(np.array(p) - x).max() for p in taken[k : k + 1]) < 0.15 / 4**k

    def test_rosenbrock(self, beta):
        r = descend.minimize(ROSENBROCK, [-1.2, 1], method=ConjugateGradient(beta=beta))
        assert r.status is Status.MINIMUM
        assert [r["x"], r["y"]] == pytest.approx([1, 1], rel=1e-8)

    @pytest.mark.parametrize("factor", ["10^12", "10^(-12)"])
    def test_the_unit_of_the_cost(self, beta, factor):
        r = descend.minimize(f"{factor}*({ROSENBROCK})", [-1.2, 1], method=ConjugateGradient(beta=beta))
        assert r.status is Status.MINIMUM

    def test_a_bound_holds(self, beta):
        bounds = {"x": (1.5, None)}
        r = descend.minimize(ROSENBROCK, [2, 2], bounds=bounds, method=ConjugateGradient(beta=beta))
        assert r.status is Status.AT_BOUND
        assert [r["x"], r["y"]] == pytest.approx([1.5, 2.25], rel=1e-8)


def test_settings_are_checked():
    with pytest.raises(MethodError, match="hager-zhang, polak-ribiere"):
        ConjugateGradient(beta="fletcher")
