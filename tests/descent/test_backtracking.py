"""Backtracking: the published lengths and the published rule of acceptance, checked on every recorded step."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

import descend
from descend.descent.loop import descend as loop
from descend.descent.method.backtracking import Backtracking
from descend.descent.stopping import Idle, Looks
from descend.descent.trace import Recorder
from descend.evaluation import Evaluation, Work
from descend.vector import Vector

ROSENBROCK = "100*(y - x^2)^2 + (1 - x)^2"
COSTS = {
    ROSENBROCK: [-1.2, 1.0],
    "x^4 + 3*y^2 - x*y + x": [2.0, -3.0],
    "(x-1)^4 + cosh(y/2) + x*y/10": [4.0, 5.0],
    "log(1 + x^2 + 2*y^2) + (x - y)^2/10": [30.0, 7.0],
    "exp(x) + exp(-2*x) + y^2": [3.0, 1.0],
}


def accepted_path(text, start, looks=400):
    """Return (points, costs, gradients, rates) of the accepted points; rates[k] led from point k to point k + 1."""
    trace = descend.minimize(text, start, method="backtracking", max_looks=looks, trace=True).trace
    rows = [row for row in list(trace)[:-1] if row.accepted]  # the last look may be a trial that nobody judged
    points = [np.array(list(r.point)) for r in rows]
    slopes = [np.array(list(r.gradient)) for r in rows]
    return points, [r.cost for r in rows], slopes, [r.learning_rate for r in rows][1:]


def test_the_first_steps_by_hand():
    # A tenth of the way from 0: 0.1·3 = 0.05·6.  Then s = -0.3, y = -0.6, and sᵀs/sᵀy = 1/2 = 1/f'' ends it.
    points, costs, _, rates = accepted_path("x^2", 3)
    assert [p[0] for p in points] == pytest.approx([3, 2.7], abs=1e-15)
    assert rates == pytest.approx([0.05], rel=1e-15)
    assert costs == pytest.approx([9, 7.29], abs=1e-15)
    assert float(descend.minimize("x^2", 3, method="backtracking")) == pytest.approx(0, abs=1e-15)


def test_near_zero_the_first_step_is_a_tenth():
    points, *_ = accepted_path("(x-5)^2", 0.5)
    assert points[1][0] == pytest.approx(0.6, rel=1e-15)


@pytest.mark.parametrize("text", COSTS)
def test_every_length_is_barzilai_and_borweins_possibly_shortened(text):
    points, _, slopes, rates = accepted_path(text, COSTS[text])
    checked = 0
    for k in range(1, len(rates)):
        s, y = points[k] - points[k - 1], slopes[k] - slopes[k - 1]
        if not s @ y > 1e-290:  # below, the squares taken here lose their digits (the method's own do not)
            continue
        first, second = s @ s / (s @ y), s @ y / (y @ y)
        furthest = 10 * max(1.0, np.linalg.norm(points[k])) / np.linalg.norm(slopes[k])
        length = min(second if (k - 1) % 2 else first, furthest)
        assert rates[k] <= length * (1 + 1e-6)
        checked += rates[k] == pytest.approx(length, rel=1e-6)
        if rates[k] < length * (1 - 1e-6):  # shortened, each time by a factor between a tenth and a half
            assert rates[k] <= 0.5 * length * (1 + 1e-9)
    assert checked >= 5


@pytest.mark.parametrize("text", COSTS)
def test_every_step_goes_down_the_slope_and_is_accepted_by_the_published_rule(text):
    points, costs, slopes, rates = accepted_path(text, COSTS[text])
    for k, rate in enumerate(rates):
        assert points[k + 1] == pytest.approx(points[k] - rate * slopes[k], rel=1e-13, abs=1e-300)
        square = slopes[k] @ slopes[k]
        monotone_enough = costs[k + 1] <= max(costs[max(0, k - 9) : k + 1]) - 1e-4 * rate * square
        rounding = costs[k + 1] <= costs[k] + 4e-16 * abs(costs[k]) and slopes[k + 1] @ slopes[k + 1] < square
        assert monotone_enough or rounding


@pytest.mark.parametrize("text", COSTS)
def test_it_arrives(text):
    result = descend.minimize(text, COSTS[text], method="backtracking")
    assert result.status is descend.Status.MINIMUM
    assert max(map(abs, result.gradient.values())) < 1e-6


@pytest.mark.parametrize(
    ("share", "accepted"), [(0.9, True), (2e-4, True), (1.01e-4, True), (0.99e-4, False), (0.0, False), (-1.0, False)]
)
def test_armijos_constant_is_a_ten_thousandth(share, accepted):
    """A step of length t is taken when the cost falls by 10⁻⁴ t |g|² at least (and the slope is no argument)."""
    method = Backtracking(memory=1)
    state = method.learn(method.start(Vector([3.0])), Vector([3.0]), Evaluation(10.0, Vector([2.0])))
    trial = method.predict(state)
    fall = share * state.length * 2.0**2
    after = method.learn(state, trial, Evaluation(10.0 - fall, Vector([5.0])))
    assert after.accepted is accepted
    assert after.number == accepted
    assert (after.x is trial) is accepted
    if not accepted:
        assert 0.1 * state.length <= after.length <= 0.5 * state.length


def test_memory_1_is_monotone():
    result = descend.minimize(ROSENBROCK, [-1.2, 1], method=Backtracking(memory=1), trace=True)
    costs = [row.cost for row in result.trace if row.accepted]
    assert all(b <= a * (1 + 4e-16) for a, b in pairwise(costs))
    assert result.success


class Formula:
    """An objective of two variables from two functions, to stand apart from the package's own evaluators."""

    box = None
    work = Work()
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
    loop(objective, Backtracking(), Vector(start), Looks(looks), recorder=Recorder(objective.names))
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
        result = descend.minimize("x - log(x)", 1e-3, method="backtracking", trace=True)
        assert result["x"] == pytest.approx(1, rel=1e-8)
        assert result.success

    def test_no_step_at_all_gives_up(self):
        # A cost that is higher wherever one looks, against its own slope.
        liar = Formula(lambda x, y: 0.0 if (x, y) == (1.0, 1.0) else 1.0, lambda x, y: [1.0, 1.0])
        ended = loop(liar, Backtracking(), Vector([1.0, 1.0]), Looks(1000) | Idle(500))
        assert ended.ending.name == "NO_STEP"
        assert ended.looks <= 70

    def test_nothing_finite_at_the_start(self):
        nowhere = Formula(lambda x, y: math.nan, lambda x, y: [math.nan, math.nan])
        ended = loop(nowhere, Backtracking(), Vector([1.0, 1.0]), Looks(1000))
        assert (ended.ending.name, ended.looks) == ("NOT_FINITE", 1)

    def test_a_flat_start_is_one_look(self):
        result = descend.minimize("x^4 - x^2", 0, method="backtracking", escape=False)
        assert (result.looks, result.steps) == (1, 0)
