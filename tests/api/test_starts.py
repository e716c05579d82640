"""Starts that nobody gave, and many starts: where they are, what is listed, and that looks are counted for all."""

from __future__ import annotations

import math

import pytest

import descend
from descend import MethodError, Status
from descend.box import Box
from descend.problem.start import spread_region, spread_starts
from descend.vector import Vector

CAMEL = "4x^2 - 2.1x^4 + x^6/3 + x*y - 4y^2 + 4y^4"
# Szegö, Towards Global Optimisation 2 (1978): six minima, in pairs that are each other's mirror image.
CAMEL_COSTS = [-1.0316284534898774, -0.2154638243837, 2.1042503103140]
RASTRIGIN = "20 + x^2 + y^2 - 10cos(2pi*x) - 10cos(2pi*y)"


class TestNoneGiven:
    @pytest.mark.parametrize(
        "cost",
        [
            "x*log(x)", "1/x + x", "-sqrt(1-x^2)", "(log(x-5))^2", "(log(x-5000)-1)^2 + exp(y)+y^2", "x^2 + 1/(x+3)",
            "-sqrt(1-x^2-y^2)", "(log(-x-70))^2", "(log(x*y-100))^2", "(acos(x-20) - 1)^2", "cosh(x-y)+x^4",
        ],
    )  # fmt: skip
    def test_there_is_one_in_the_domain(self, cost):
        result = descend.minimize(cost)
        assert math.isfinite(result.cost)
        assert any(note.startswith("no start was given: started ") for note in result.notes)

    def test_it_lies_in_the_bounds(self):
        seen = []
        descend.minimize(
            "log(x-5)^2+x^2", bounds={"x": (7, 8)}, callback=lambda p: seen.append(p.point[0]), max_looks=1
        )
        assert 7 < seen[0] < 8

    def test_not_where_the_slope_is_zero(self):
        assert descend.minimize("cos(x - y) + (x + y)^2/100", escape=False).looks > 1

    def test_nowhere_a_value(self):
        with pytest.raises(descend.StartError, match="give one with start="):
            descend.minimize("log(-x^2-1)")


class TestMany:
    def test_all_six_of_the_camel(self):
        result = descend.minimize(CAMEL, starts=50)
        assert len(result.minima) == 6
        assert [m.cost for m in result.minima] == pytest.approx([c for c in CAMEL_COSTS for _ in (0, 1)], rel=1e-10)
        assert sum(m.starts for m in result.minima) == 50
        assert result.cost == result.minima[0].cost
        assert result.variables == result.minima[0].variables
        assert all(m.status is Status.MINIMUM for m in result.minima)
        assert "distinct minima found: 6" in result.report()

    def test_the_best_of_rastrigin(self):
        result = descend.minimize(RASTRIGIN, starts=200, bounds={"x": (-5.12, 5.12), "y": (-5.12, 5.12)})
        assert [result["x"], result["y"]] == pytest.approx([0, 0], abs=1e-8)
        assert result.success

    def test_a_run_repeats_and_another_seed_is_another_run(self):
        one, again, other = (descend.minimize(CAMEL, starts=5, seed=seed) for seed in (3, 3, 4))
        assert (one.looks, one.minima) == (again.looks, again.minima)
        assert one.looks != other.looks
        assert (one.seed, other.seed) == (3, 4)

    def test_every_look_is_counted(self):
        seen = []
        result = descend.minimize(CAMEL, starts=7, callback=lambda p: seen.append(tuple(p.point)) and None)
        assert result.looks == len(seen)

    def test_the_budget_is_for_all(self):
        result = descend.minimize(CAMEL, starts=10, max_looks=40)
        assert result.looks <= 40
        with pytest.raises(MethodError, match="max_looks=5 is for all 10 starts"):
            descend.minimize(CAMEL, starts=10, max_looks=5)

    def test_points_without_a_value_are_left_out(self):
        result = descend.minimize("x*log(x)", 0.01, starts=10)
        assert result.success
        assert sum(m.starts for m in result.minima) == 10
        assert any("points without a value were left out" in note for note in result.notes)

    def test_uphill(self):
        result = descend.maximize("sin(x)", starts=20, bounds={"x": (0, 20)})
        assert [m.cost for m in result.minima if m.status is Status.MAXIMUM] == pytest.approx([1, 1, 1], rel=1e-12)

    def test_what_is_solved_needs_one(self):
        result = descend.minimize("(x-1)^2", starts=5)
        assert (result.status, result.looks) == (Status.EXACT, 2)
        assert "one start is enough: the minimum is computed" in result.notes

    def test_arrays(self):
        result = descend.minimize("sum((x[i]^2 - 1)^2, i, 0, 1)", [0, 0], starts=40)
        ends = {tuple(m.variables["x"].round(9).tolist()) for m in result.minima}
        assert ends == {(1, 1), (1, -1), (-1, 1), (-1, -1)}

    def test_a_fit(self):
        x = [0.1 * k for k in range(40)]
        data = {"x": x, "y": [math.sin(2 * t + 0.5) for t in x]}
        fitted = descend.fit("y = sin(w*x + p)", data, starts=30, bounds={"w": (0, 5), "p": (-3, 3)})
        assert fitted.parameters == pytest.approx({"w": 2.0, "p": 0.5}, rel=1e-7)

    def test_the_first_target_reached_ends_all(self):
        result = descend.minimize(CAMEL, starts=50, target_cost=-1)
        assert result.cost <= -1
        assert result.looks < descend.minimize(CAMEL, starts=50).looks / 5

    @pytest.mark.parametrize("starts", [0, -1, 2.5, "3", None, True])
    def test_what_is_no_number_of_starts(self, starts):
        with pytest.raises(MethodError, match=r"^starts must be"):
            descend.minimize("x^4 + x", starts=starts)


class TestSpread:
    def test_over_the_bounds_evenly(self):
        box = Box(Vector([0.0, 10.0]), Vector([1.0, 30.0]))
        points = [p for p, _ in zip(spread_starts(Vector([0.5, 20.0]), box, 0), range(257), strict=False)]
        assert points[0] == Vector([0.5, 20.0])
        cells = {(int(4 * x), int((y - 10) / 5)) for x, y in points[1:]}
        assert cells == {(i, j) for i in range(4) for j in range(4)}  # 256 random points would mostly do so too
        for cell in cells:
            count = sum((int(4 * x), int((y - 10) / 5)) == cell for x, y in points[1:])
            assert 13 <= count <= 19  # random ones: 16 ± 4

    @pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
    def test_around_the_start_on_its_scale(self, scale):
        (a, b), (c, d) = spread_region(Vector([2 * scale, 0.0]), None)
        assert [a, b, c, d] == pytest.approx([-4 * scale, 8 * scale, -6 * scale, 6 * scale], rel=1e-15, abs=0)

    def test_as_far_as_one_bound(self):
        box = Box(Vector([0.0]), Vector([math.inf]))
        assert spread_region(Vector([1.0]), box) == [(0.0, 4.0)]

    def test_in_many_variables(self):
        box = Box(Vector([-1.0] * 40), Vector([1.0] * 40))
        points = spread_starts(Vector([0.0] * 40), box, 1)
        next(points)
        assert all(box.contains(p) for p, _ in zip(points, range(50), strict=False))
