"""Barzilai and Borwein's method: the published lengths and Raydan's rule of acceptance, on every recorded step."""

from __future__ import annotations

import math
from itertools import pairwise

import mpmath
import numpy as np
import pytest

import descend
from descend import BarzilaiBorwein, MethodError, Status
from descend.descent.loop import descend as loop
from descend.descent.method.barzilai_borwein import spectral_length
from descend.descent.stopping import Idle, Looks
from descend.descent.trace import Recorder
from descend.evaluation import Evaluation, Work
from descend.vector import Vector

ROSENBROCK = "100*(y - x^2)^2 + (1 - x)^2"
COSTS = {
    ROSENBROCK: [-1.2, 1.0],
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


@pytest.mark.parametrize("cost", ["-x^4", "x^3 - 1", "1e-12*x", "-x^2", "-exp(x)"])
def test_a_fall_without_end_is_followed_to_the_end_of_the_doubles(cost):
    """Also where the square of the slope, or the length of a step in units of the slope, is no double."""
    start = -1.0 if cost == "1e-12*x" else 1.0
    result = descend.minimize(cost, start, method="barzilai-borwein", max_looks=2000)
    assert result.status is Status.UNBOUNDED
    assert result.looks < 2000
    assert result.cost < -1e290


def test_memory_1_is_monotone():
    result = descend.minimize(ROSENBROCK, [-1.2, 1], method=BarzilaiBorwein(memory=1), trace=True)
    costs = [row.cost for row in result.trace if row.accepted]
    assert all(b <= a * (1 + 2.0**-40) for a, b in pairwise(costs))
    assert result.success


class Formula:
    """An objective of two variables from two functions, to stand apart from the package's own evaluators."""

    box = None
    work = Work()
    rough = frozenset()
    names = ("x", "y")

    def __init__(self, cost, gradient):
        self.cost, self.gradient, self.points = cost, gradient, []

    def look(self, point, order=None):
        self.points.append(tuple(point))
        x, y = point
        return Evaluation(self.cost(x, y), Vector(self.gradient(x, y)))


def rosenbrock(x, y):
    return 100 * (y - x * x) ** 2 + (1 - x) ** 2


def rosenbrock_slope(x, y):
    return [-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)]


def run(objective, start, looks=60):
    loop(objective, BarzilaiBorwein(), Vector(start), Looks(looks), recorder=Recorder(objective.names))
    return objective.points


class TestEquivariance:
    PLAIN = staticmethod(lambda: run(Formula(rosenbrock, rosenbrock_slope), [-1.2, 1.0]))

    def test_exchanging_the_variables_exchanges_the_path_exactly(self):
        swapped = Formula(lambda x, y: rosenbrock(y, x), lambda x, y: rosenbrock_slope(y, x)[::-1])
        assert [p[::-1] for p in run(swapped, [1.0, -1.2])] == self.PLAIN()

    def test_reflection_is_exact(self):
        def slope(x, y):
            a, b = rosenbrock_slope(-x, y)
            return [-a, b]

        mirrored = Formula(lambda x, y: rosenbrock(-x, y), slope)
        assert [(-x, y) for x, y in run(mirrored, [1.2, 1.0])] == self.PLAIN()

    @pytest.mark.parametrize("factor", [2.0**40, 2.0**-40])
    def test_the_unit_of_the_cost_does_not_matter_at_all(self, factor):
        scaled = Formula(
            lambda x, y: factor * rosenbrock(x, y), lambda x, y: [factor * g for g in rosenbrock_slope(x, y)]
        )
        assert run(scaled, [-1.2, 1.0]) == self.PLAIN()

    @pytest.mark.parametrize("angle", [0.3, 1.0, 2.5])
    def test_rotation(self, angle):
        c, s = math.cos(angle), math.sin(angle)

        def back(u, v):
            return c * u + s * v, -s * u + c * v

        def slope(u, v):
            a, b = rosenbrock_slope(*back(u, v))
            return [c * a - s * b, s * a + c * b]

        start = [c * -1.2 - s * 1.0, s * -1.2 + c * 1.0]
        turned = [back(*p) for p in run(Formula(lambda u, v: rosenbrock(*back(u, v)), slope), start, looks=25)]
        # Rounding is all that differs; the valley magnifies it from step to step.
        assert np.array(turned[:12]) == pytest.approx(np.array(self.PLAIN()[:12]), rel=1e-8, abs=1e-8)


class TestRefusals:
    def test_a_step_out_of_the_domain_is_shortened(self):
        result = descend.minimize("x - log(x)", 1e-3, method="barzilai-borwein", trace=True)
        assert result["x"] == pytest.approx(1, rel=1e-8)
        assert result.success

    def test_no_step_at_all_gives_up(self):
        # A cost that is higher wherever one looks, against its own slope.
        liar = Formula(lambda x, y: 0.0 if (x, y) == (1.0, 1.0) else 1.0, lambda x, y: [1.0, 1.0])
        ended = loop(liar, BarzilaiBorwein(), Vector([1.0, 1.0]), Looks(1000) | Idle(500))
        assert ended.ending.name == "NO_STEP"
        assert ended.looks <= 70

    def test_nothing_finite_at_the_start(self):
        nowhere = Formula(lambda x, y: math.nan, lambda x, y: [math.nan, math.nan])
        ended = loop(nowhere, BarzilaiBorwein(), Vector([1.0, 1.0]), Looks(1000))
        assert (ended.ending.name, ended.looks) == ("NOT_FINITE", 1)

    def test_a_flat_start_is_one_look(self):
        result = descend.minimize("x^4 - x^2", 0, method="barzilai-borwein", escape=False)
        assert (result.looks, result.steps) == (1, 0)
