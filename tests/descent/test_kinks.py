"""Costs with kinks: published minima are reached and called AT_KINK; roofs, saddles and slopes at kinks are not."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

import descend
from descend import SLQP, Status
from descend.box import Box
from descend.descent.judgement import Kind
from descend.descent.kink_verdict import judge_kink
from descend.descent.ties import multipliers
from descend.expression.parse import parse
from descend.problem.objective import make_objective
from descend.problem.problem import make_problem
from descend.vector import Vector


def objective(text):
    return make_objective(make_problem(parse(text)), 1000)


# text, start, the minimum's value: Lukšan & Vlček, Test Problems for Nonsmooth Unconstrained Optimization, 2000.
PUBLISHED = {
    "CB2": ("max(x^2 + y^4, (2-x)^2 + (2-y)^2, 2*exp(y-x))", [1, -0.1], 1.9522244935),
    "CB3": ("max(x^4 + y^2, (2-x)^2 + (2-y)^2, 2*exp(y-x))", [2, 2], 2.0),
    "DEM": ("max(5x + y, -5x + y, x^2 + y^2 + 4y)", [1, 1], -3.0),
    "QL": ("max(x^2 + y^2, x^2 + y^2 + 10*(-4x - y + 4), x^2 + y^2 + 10*(-x - 2y + 6))", [-1, 5], 7.2),
    "LQ": ("max(-x - y, -x - y + x^2 + y^2 - 1)", [-0.5, -0.5], -math.sqrt(2)),
    "Mifflin1": ("-x + 20*max(x^2 + y^2 - 1, 0)", [0.8, 0.6], -1.0),
    "Mifflin2": ("-x + 2*(x^2 + y^2 - 1) + 1.75*abs(x^2 + y^2 - 1)", [-1, -1], -1.0),
    "MAXL": (
        "max(" + ", ".join(f"abs(x{i})" for i in range(20)) + ")",
        [i if i <= 10 else -i for i in range(1, 21)],
        0,
    ),
}


class TestReached:
    @pytest.mark.parametrize("name", PUBLISHED)
    def test_published_minima(self, name):
        text, start, least = PUBLISHED[name]
        result = descend.minimize(text, start, method=SLQP())
        assert result.cost == pytest.approx(least, rel=1e-9, abs=1e-9)
        assert result.status is Status.AT_KINK
        assert result.looks <= 40

    def test_the_point_of_cb2_in_fifty_digits(self):
        """At its minimum two pieces are equal, and a combination of their slopes is 0."""
        text, start, _ = PUBLISHED["CB2"]
        found = descend.minimize(text, start, method=SLQP())
        with mp.workdps(50):
            a = lambda x, y: x**2 + y**4
            b = lambda x, y: (2 - x) ** 2 + (2 - y) ** 2

            def conditions(x, y, w):
                slopes = [(2 * x, 4 * y**3), (-2 * (2 - x), -2 * (2 - y))]
                return [a(x, y) - b(x, y), *(w * s + (1 - w) * t for s, t in zip(*slopes, strict=True))]

            x, y, w = mp.findroot(conditions, (1.1, 0.9, 0.5))
            assert 0 < w < 1
            assert 2 * mp.exp(y - x) < a(x, y)
        assert found["x"] == pytest.approx(float(x), rel=1e-12)
        assert found["y"] == pytest.approx(float(y), rel=1e-12)

    def test_a_sum_of_distances_ends_at_the_median(self):
        points = [7.5, -2, 3.25, 11, 0.5]
        text = " + ".join(f"abs(x - ({p}))" for p in points)
        result = descend.minimize(text, -40, method=SLQP())
        assert (float(result), result.status) == (3.25, Status.AT_KINK)

    def test_between_two_medians_every_point_is_one(self):
        result = descend.minimize("abs(x - 1) + abs(x - 3)", -4, method=SLQP())
        assert result.success
        assert 1 <= float(result) <= 3
        assert result.cost == 2

    def test_least_absolute_deviations_go_through_as_many_points_as_there_are_parameters(self):
        """A best line by absolute deviations passes through two points: all such lines are tried."""
        xs, ys = [0, 1, 2, 3, 4, 5], [0.1, 0.9, 2.3, 2.8, 9.0, 5.2]
        text = "sum(abs(y[i] - a - b*x[i]), i, 0, 5)"
        result = descend.minimize(text, {"a": 0, "b": 0}, data={"x": xs, "y": ys}, method=SLQP())
        best = math.inf
        for i in range(6):
            for j in range(i):
                slope = (ys[i] - ys[j]) / (xs[i] - xs[j])
                best = min(best, math.fsum(abs(y - ys[i] - slope * (x - xs[i])) for x, y in zip(xs, ys, strict=True)))
        assert result.status is Status.AT_KINK
        assert result.cost == pytest.approx(best, rel=1e-14)

    @pytest.mark.parametrize("factor", [1e-30, 1e-12, 1e12, 1e30])
    @pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
    def test_units_do_not_matter(self, factor, scale):
        text = f"{factor}*(abs(x/{scale} - 0.3) + max(y/{scale}, -2*y/{scale}, (y/{scale})^2))"
        result = descend.minimize(text, [scale, scale], method=SLQP())
        assert result.status is Status.AT_KINK
        assert result["x"] == pytest.approx(0.3 * scale, rel=1e-14)
        assert abs(result["y"]) <= 1e-14 * scale

    def test_a_valley_bent_along_a_kink(self):
        result = descend.minimize("abs(x - 1) + 100*abs(y - x^2)", [-1.2, 1], method=SLQP())
        assert (result["x"], result["y"], result.status) == (1.0, 1.0, Status.AT_KINK)


class TestNotCalledAMinimum:
    @pytest.mark.parametrize(
        ("text", "start"),
        [
            ("-abs(x)", 0), ("-abs(x)", 1), ("max(x, 2x)", 1), ("max(x, 2x)", 0), ("min(x, 2x)", 0),
            ("abs(x) - 2*abs(y)", [0, 0]), ("abs(x) - y^2", [0, 0]), ("abs(x - y^2) - 0.1*y^2", [0, 0]),
            ("abs(x) + y^3", [0, 0]), ("max(x, y)", [0, 0]), ("abs(x*y) - x", [0, 0]),
            ("abs(x - y^2) - y^4", [0, 0]),
        ],
    )  # fmt: skip
    def test_roofs_slopes_and_saddles(self, text, start):
        result = descend.minimize(text, start, method=SLQP(), max_looks=200)
        assert not result.success
        size = 1 if isinstance(start, int) else 2
        kink = judge_kink(objective(text), Vector([0.0] * size), Vector([1.0] * size), None)
        assert kink is None or kink.kind not in {Kind.KINK, Kind.MINIMUM}

    @pytest.mark.parametrize("away", [1e-3, 1e-6, -1e-6])
    def test_a_point_beside_the_kink(self, away):
        """So far away no tie is seen: the cost has a slope there."""
        assert judge_kink(objective("abs(x - 1)"), Vector([1.0 + away]), Vector([0.0]), None) is None

    def test_a_generous_precision_sees_the_tie(self):
        found = judge_kink(objective("abs(x - 1)"), Vector([1.0 + 1e-4]), Vector([0.0]), 1e-3)
        assert found.kind is Kind.KINK
        assert found.distance == pytest.approx(1e-4, rel=1e-9)

    def test_smooth_points_are_left_to_the_smooth_verdict(self):
        assert judge_kink(objective("min(x^2, (x-3)^2 + 1)"), Vector([3.0]), Vector([1.7]), None) is None
        assert descend.minimize("min(x^2, (x-3)^2 + 1)", 1.7, method=SLQP()).status is Status.MINIMUM

    def test_a_cost_without_kinks_is_refused(self):
        with pytest.raises(descend.MethodError, match="no kinks"):
            descend.minimize("x^2 + y^4", [1, 1], method=SLQP())


class TestMultipliers:
    def test_they_are_the_barycentre(self):
        """At 0, max of three planes: the weights that combine their slopes to 0, by hand."""
        pieces = objective("max(2x, -x + y, -x - 3y)").pieces(Vector([0.0, 0.0]))
        weights, rest = multipliers(pieces, [np.array([0, 1, 2])])
        by_slope = {tuple(s): w for s, w in zip(pieces.slopes[0].tolist(), weights[0], strict=True)}
        assert by_slope[2.0, 0.0] == pytest.approx(1 / 3)
        assert by_slope[-1.0, 1.0] == pytest.approx(1 / 2)
        assert by_slope[-1.0, -3.0] == pytest.approx(1 / 6)
        assert np.abs(rest).max() < 1e-15


def test_at_a_bound_and_a_kink():
    """abs(x) + y over y >= 1: the bound holds y, the kink holds x; over y <= 1 nothing holds y."""
    cost = objective("abs(x) + y")
    cost.box = Box(Vector([-math.inf, 1.0]), Vector([math.inf, math.inf]))
    found = judge_kink(cost, Vector([0.0, 1.0]), Vector([1.0, 2.0]), None)
    assert (found.kind, found.held) == (Kind.KINK, (1,))
    cost.box = Box(Vector([-math.inf, -math.inf]), Vector([math.inf, 1.0]))
    assert judge_kink(cost, Vector([0.0, 1.0]), Vector([1.0, 0.0]), None).kind is Kind.SLOPE
