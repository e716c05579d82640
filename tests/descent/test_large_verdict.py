"""The verdict for many variables: minima, saddles, maxima and what lies between, in 2,000 variables."""

from __future__ import annotations

import re

import numpy as np
import pytest

from descend.descent.judgement import Kind
from descend.descent.verdict import judge
from descend.expression.parse import parse
from descend.problem.objective import make_objective
from descend.problem.problem import make_problem
from descend.vector import ArrayVector

SIZE = 2_000


def objective_of(text):
    return make_objective(make_problem(parse(re.sub(r"\bn\b", str(SIZE), text))), 100_000, compiled=False)


def verdict(text, point, start, precision=None):
    objective = objective_of(text)
    size = len(objective.names)
    place = ArrayVector(np.broadcast_to(np.asarray(point, float), size))
    began = ArrayVector(np.broadcast_to(np.asarray(start, float), size))
    return judge(objective, place, began, precision)


# A sparse cost, and the same with every variable coupled to every other.
SPARSE = "sum(1000*x[i]^2 + (x[i+1]-x[i])^2, i, 0, n-2)"
DENSE = "sum(x[i], i, 0, n-1)^2 + sum(1000*x[i]^2, i, 0, n-1)"


@pytest.mark.parametrize("text", [SPARSE, DENSE])
class TestBowls:
    def test_minimum(self, text):
        found = verdict(text, 0, 1)
        assert found.kind is Kind.MINIMUM
        assert found.unique
        assert found.distance == 0

    def test_not_there_yet(self, text):
        found = verdict(text, 1e-5, 1)
        assert found.kind is Kind.SLOPE
        assert found.distance == pytest.approx(1e-5 * np.sqrt(SIZE), rel=1e-2)
        assert verdict(text, 1e-5, 1, 1e-3).kind is Kind.MINIMUM

    @pytest.mark.parametrize("scale", [1e-30, 1e-12, 1e12, 1e30])
    def test_cost_and_variables_of_any_size(self, text, scale):
        assert verdict(f"{scale!r}*({text})", 1e-12, 1).kind is Kind.MINIMUM
        assert verdict(f"{scale!r}*({text})", 1e-6, 1).kind is Kind.SLOPE
        assert verdict(text, 1e-12 * scale, scale).kind is Kind.MINIMUM
        assert verdict(text, 1e-6 * scale, scale).kind is Kind.SLOPE

    def test_maximum(self, text):
        found = verdict(f"-({text})", 0, 1)
        assert found.kind is Kind.MAXIMUM
        assert objective_of(f"-({text})").look(found.lower).cost < 0

    @pytest.mark.parametrize("down", ["-0.002*x[1234]^2 - 1000*x[1234]^2", "-2000*x[7]^2"])
    def test_one_direction_down_among_two_thousand(self, text, down):
        found = verdict(f"{text} + {down} - 4*x[1234]^2", 0, 1)
        assert found.kind is Kind.SADDLE
        assert objective_of(f"{text} + {down} - 4*x[1234]^2").look(found.lower).cost < 0


class TestSaddles:
    def test_weak_curvature_down_beside_strong_ones_up(self):
        text = "sum(1000*x[i]^2, i, 0, n-2) - 0.001*x[n-1]^2"
        assert verdict(text, 0, 1).kind is Kind.SADDLE
        assert verdict(text.replace("- 0.001", "+ 0.001"), 0, 1).kind is Kind.MINIMUM

    def test_the_same_where_products_are_all_there_is(self):
        text = "sum(1000*x[i]^2, i, 0, n-2) - 0.001*x[n-1]^2 + 0.0001*sum(x[i], i, 0, n-2)^2"
        assert verdict(text, 0, 1).kind is Kind.SADDLE
        assert verdict(text.replace("- 0.001", "+ 0.001"), 0, 1).kind is Kind.MINIMUM

    @pytest.mark.parametrize("coupling", [1.999, 2.001])
    def test_down_along_a_coupling_only(self, coupling):
        # 2·(x, y) bends as 2 ± coupling: the diagonal is positive in both.
        text = f"sum(x[2i]^2 + x[2i+1]^2, i, 0, n/2-1) + {coupling}*x[500]*x[501]"
        assert verdict(text, 0, 1).kind is (Kind.MINIMUM if coupling < 2 else Kind.SADDLE)


class TestNullDirections:
    @pytest.mark.parametrize(
        ("extra", "kind"),
        [
            ("+ x[n-1]^4", Kind.MINIMUM),
            ("- x[n-1]^4", Kind.SADDLE),
            ("+ x[n-1]^3", Kind.SADDLE),
            ("+ (x[n-2] - x[n-1])^4 + 0*x[n-3]", Kind.MINIMUM),
        ],
    )
    def test_higher_orders_decide(self, extra, kind):
        assert verdict(f"sum(x[i]^2, i, 0, n-2) {extra}", 0, 1).kind is kind

    def test_a_valley_is_a_minimum_that_is_not_unique(self):
        found = verdict("sum((x[i]+x[i+1]-2)^2, i, 0, n-2)", 1, 2)
        assert found.kind is Kind.MINIMUM
        assert not found.unique

    def test_many_null_directions(self):
        assert verdict("sum(x[i]^4, i, 0, n-1) + x[0]^2", 0, 1).kind is Kind.MINIMUM
        # One of a thousand quartics falls: along most directions the cost rises all the same.
        assert verdict("sum(x[i]^4, i, 0, n-1) + x[0]^2 - 2*x[777]^4", 0, 1).kind is not Kind.MINIMUM

    def test_quartic_minimum_from_a_distance(self):
        text = "sum((x[i]-1)^4, i, 0, n-1)"
        near = verdict(text, 1 + 1e-4, 2)
        assert near.kind is Kind.SLOPE
        assert near.stretch == pytest.approx(3.0, rel=1e-2)
        assert near.distance == pytest.approx(1e-4 * np.sqrt(SIZE), rel=1e-2)

    def test_inflection(self):
        # Curvature and slope of x³ are positive and tiny: a few steps on it falls.
        text = "sum(x[i]^2, i, 0, n-2) + (x[n-1])^3"
        start = np.ones(SIZE)
        place = np.zeros(SIZE)
        place[-1] = 1e-9
        assert verdict(text, place, start).kind is not Kind.MINIMUM


class TestNoMinimum:
    def test_a_cost_that_falls_for_ever(self):
        for point in (1.0, 20.0, 300.0):
            assert verdict("exp(-sum(x[i], i, 0, n-1)/n)", point, 0).kind is not Kind.MINIMUM
            assert verdict("sum(exp(-x[i]), i, 0, n-1)", point, 0).kind is not Kind.MINIMUM

    def test_a_jump(self):
        text = "sum(x[i]^2, i, 0, n-1) + where(x[3] < 1e-9, 0, -1)"
        assert verdict(text, 0, 1).kind is not Kind.MINIMUM


class TestRounding:
    def test_ill_conditioned_chain(self):
        # The eigenvalues of the fourth difference lie between 16 and (π/n)⁴, 6e-12.
        text = "sum((x[i-1] - 2*x[i] + x[i+1])^2, i, 1, n-2) + (2*x[0]-x[1])^2 + (2*x[n-1]-x[n-2])^2"
        assert verdict(text, 0, 1).kind is Kind.MINIMUM
        bottom = np.sin(np.pi * np.arange(1, SIZE + 1) / (SIZE + 1))  # the lowest eigenvector
        assert verdict(text, 1e-3 * bottom, 1 + bottom).kind is Kind.SLOPE
