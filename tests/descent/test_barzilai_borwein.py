"""Barzilai and Borwein's method: the published lengths and Raydan's rule of acceptance, on every recorded step."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

import descend
from descend import BarzilaiBorwein, MethodError, Status
from descend.descent.method.barzilai_borwein import spectral_length
from descend.vector import Vector

COSTS = {
    "100*(y - x^2)^2 + (1 - x)^2": [-1.2, 1.0],
    "x^4 + 3*y^2 - x*y + x": [2.0, -3.0],
    "log(1 + x^2 + 2*y^2) + (x - y)^2/10": [30.0, 7.0],
    "exp(x) + exp(-2*x) + y^2": [3.0, 1.0],
}


def accepted_path(text):
    result = descend.minimize(text, COSTS[text], method="barzilai-borwein", max_looks=400, trace=True)
    rows = [row for row in list(result.trace)[:-1] if row.accepted]
    points = [np.array(list(r.point)) for r in rows]
    slopes = [np.array(list(r.gradient)) for r in rows]
    return points, [r.cost for r in rows], slopes, [r.learning_rate for r in rows][1:]


@pytest.mark.parametrize("text", COSTS)
def test_every_length_is_the_published_one_possibly_shortened(text):
    points, _, slopes, rates = accepted_path(text)
    checked = 0
    for k in range(1, len(rates)):
        s, y = points[k] - points[k - 1], slopes[k] - slopes[k - 1]
        if not s @ y > 1e-25 * (np.linalg.norm(s) * np.linalg.norm(y)) or np.linalg.norm(s) < 1e-6:
            continue
        length = s @ y / (y @ y) if (k - 1) % 2 else s @ s / (s @ y)
        assert rates[k] <= length * (1 + 1e-6)
        checked += rates[k] == pytest.approx(length, rel=1e-6)
    assert checked >= 4


@pytest.mark.parametrize("text", COSTS)
def test_every_step_is_accepted_by_raydans_rule(text):
    points, costs, slopes, rates = accepted_path(text)
    for k, rate in enumerate(rates):
        assert points[k + 1] == pytest.approx(points[k] - rate * slopes[k], rel=1e-13, abs=1e-300)
        highest = max(costs[max(0, k - 9) : k + 1])
        noise = 2.0**-40 * abs(costs[k])
        assert costs[k + 1] <= highest - 1e-4 * rate * (slopes[k] @ slopes[k]) + noise


@pytest.mark.parametrize("scale", [1.0, 1e-200, 1e200])
@pytest.mark.parametrize("long", [True, False])
def test_the_lengths_in_50_digits(scale, long):
    s, y = np.array([0.3, -1.2, 2.0]), np.array([1.0, -0.7, 0.4])
    with mpmath.workdps(50):
        ss, sy, yy = (mpmath.fdot(a.tolist(), b.tolist()) for a, b in ((s, s), (s, y), (y, y)))
        exact = float(ss / sy if long else sy / yy)
    found = spectral_length(Vector((scale * s).tolist()), Vector((scale * y).tolist()), long=long)
    assert found == pytest.approx(exact, rel=1e-14)
    assert spectral_length(Vector([1.0]), Vector([-1.0]), long=long) is None


def test_two_steps_solve_a_parabola():
    result = descend.minimize("(x - 5)^2", 3, method="barzilai-borwein")
    assert result["x"] == pytest.approx(5, rel=1e-15)
    assert result.steps == 2


def test_the_projected_gradient_stays_in_the_box():
    bounds = {"x": (1.5, None), "y": (None, 2.0)}
    r = descend.minimize("100*(y - x^2)^2 + (1 - x)^2", [2, 1], bounds=bounds, method="barzilai-borwein", trace=True)
    assert all(p[0] >= 1.5 and p[1] <= 2.0 for p in (row.point for row in r.trace))
    assert r.status is Status.AT_BOUND
    assert [r["x"], r["y"]] == pytest.approx([1.5, 2.0], abs=0)  # both multipliers have the right sign: 149, -50


@pytest.mark.parametrize("memory", [0, True, 1.5, "ten"])
def test_settings_are_checked(memory):
    with pytest.raises(MethodError, match="memory must be a whole number"):
        BarzilaiBorwein(memory=memory)
