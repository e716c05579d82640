"""The verdict's parts: curvature told from rounding, the estimated distance, the neighbourhood; and the criteria."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

import descend
from descend import Status
from descend.descent.judgement import Kind
from descend.descent.spectrum import spectrum
from descend.descent.verdict import judge
from descend.expression.parse import parse
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector


def verdict(text, point, start=None, precision=None):
    problem = make_problem(parse(text))
    objective = FormulaObjective(problem, 1, compiled=False)
    place = Vector([float(v) for v in point])
    return judge(objective, place, Vector([float(v) for v in start or point]), precision)


def zero(size):
    return np.zeros((size, size))


class TestSpectrum:
    def test_a_weak_curvature_is_not_lost_beside_a_strong_one(self):
        found = spectrum(np.diag([1e12, 1e-12]), zero(2), [1.0, 1.0])
        assert found.positive
        assert not found.null_indices
        assert not spectrum(np.diag([1e12, -1e-12]), zero(2), [1.0, 1.0]).upward([0, 1])
        assert spectrum(np.diag([1e12, -1e-12]), zero(2), [1.0, 1.0]).negative

    def test_curvature_within_its_error_is_none(self):
        error = np.diag([0.0, 1e-9])
        assert len(spectrum(np.diag([1.0, 1e-10]), error, [1.0, 1.0]).null_indices) == 1
        assert not spectrum(np.diag([1.0, 1e-7]), error, [1.0, 1.0]).null_indices

    def test_rounding_in_one_variable_does_not_drown_another(self):
        found = spectrum(np.diag([0.0, 2.0]), np.diag([1e-12, 0.0]), [1e9, 1.0])
        assert len(found.null_indices) == 1
        assert found.positive

    def test_the_signs_are_those_of_the_matrix(self):
        rng = np.random.default_rng(0)
        for _ in range(50):
            matrix = rng.normal(size=(4, 4))
            matrix = matrix + matrix.T
            units = list(10.0 ** rng.uniform(-6, 6, 4))
            found = spectrum(matrix, zero(4), units)
            values = np.linalg.eigvalsh(matrix)
            assert sum(v < 0 for v in found.values) == (values < 0).sum()  # Sylvester's law of inertia
            assert found.largest == pytest.approx(values[-1], rel=1e-12)

    def test_the_newton_step_solves_the_system(self):
        rng = np.random.default_rng(1)
        matrix = rng.normal(size=(5, 5))
        matrix, slope = matrix @ matrix.T + np.eye(5), rng.normal(size=5)
        step = spectrum(matrix, zero(5), [1.0] * 5).newton(Vector(slope))
        assert list(step) == pytest.approx(np.linalg.solve(matrix, slope), rel=1e-10)

    def test_the_reach_bounds_every_newton_step_of_the_error(self):
        rng = np.random.default_rng(2)
        matrix = rng.normal(size=(4, 4))
        matrix, error = matrix @ matrix.T + np.eye(4), rng.uniform(0, 1, 4)
        found = spectrum(matrix, zero(4), [1.0] * 4)
        reach = np.array(list(found.reach(error)))
        for _ in range(100):
            step = np.linalg.solve(matrix, rng.uniform(-1, 1, 4) * error)
            assert (np.abs(step) <= reach * (1 + 1e-9)).all()

    @pytest.mark.parametrize("entry", [1e200, math.inf, math.nan])
    def test_beyond_doubles_there_is_no_answer(self, entry):
        assert spectrum([[0.0, entry], [entry, 0.0]], zero(2), [1e200, 1e200]) is None


class TestDistance:
    @pytest.mark.parametrize(
        ("text", "minimum"),
        [
            ("(x-1)^2", 1),
            ("cosh(x-1)", 1),
            ("x^4", 0),
            ("x - log(x)", 1),
            ("x^6", 0),
            ("x^3 - 3*x", 1),
            ("exp(x) - x", 0),
        ],
    )
    @pytest.mark.parametrize("away", [1e-3, 1e-6])
    def test_the_estimate_is_near_the_truth(self, text, minimum, away):
        estimate = verdict(text, [minimum + away], start=[minimum + 1]).distance
        assert estimate == pytest.approx(away, rel=0.05)

    def test_in_several_variables(self):
        found = verdict("100*(y - x^2)^2 + (1 - x)^2", [1 + 1e-5, 1 + 2.5e-5], start=[-1.2, 1])
        assert found.distance == pytest.approx(math.hypot(1e-5, 2.5e-5), rel=0.01)

    def test_no_estimate_where_newton_leads_nowhere(self):
        assert verdict("sqrt(abs(x))", [1e-3], start=[1]).kind is Kind.SLOPE
        assert verdict("-x^2", [0.5], start=[1]).distance == math.inf

    def test_the_precision_is_a_distance(self):
        for precision, kind in ((1.1e-3, Kind.MINIMUM), (0.9e-3, Kind.SLOPE)):
            assert verdict("(x-1)^2 + (x-1)^4", [1 + 1e-3], start=[3], precision=precision).kind is kind

    def test_without_a_precision_each_variable_is_held_against_its_own_scale(self):
        text = "(x/1e-9 - 1)^2 + (y/1e9 - 1)^2"
        assert verdict(text, [1e-9, 1e9], start=[2e-9, 2e9]).kind is Kind.MINIMUM
        assert verdict(text, [1.001e-9, 1e9], start=[2e-9, 2e9]).kind is Kind.SLOPE
        assert verdict(text, [1e-9, 1.001e9], start=[2e-9, 2e9]).kind is Kind.SLOPE


class TestKinds:
    @pytest.mark.parametrize(
        ("text", "point", "kind"),
        [
            ("x^2", [0], Kind.MINIMUM),
            ("-x^2", [0], Kind.MAXIMUM),
            ("x^3", [0], Kind.SADDLE),
            ("x^4", [0], Kind.MINIMUM),
            ("-x^4", [0], Kind.MAXIMUM),
            ("x^2 - y^2", [0, 0], Kind.SADDLE),
            ("-x^2 - y^2", [0, 0], Kind.MAXIMUM),
            ("-x^2 - y^4", [0, 0], Kind.SADDLE),  # its curvature is one negative and one unknown: not more is said
            ("x^2 + y^4", [0, 0], Kind.MINIMUM),
            ("x^2 - y^4", [0, 0], Kind.SADDLE),
            ("x^4 + y^4", [0, 0], Kind.MINIMUM),
            ("-x^4 - y^4", [0, 0], Kind.MAXIMUM),
            ("x^4 + y^4 - 3*x^2*y^2", [0, 0], Kind.SADDLE),
            ("x*y*z + x^4 + y^4 + z^4", [0, 0, 0], Kind.SADDLE),
            ("(x - y^2)*(x - 3*y^2)", [0, 0], Kind.SADDLE),  # Peano: rises along every line
            ("(x - y^2)^2 + y^6", [0, 0], Kind.MINIMUM),
            ("x + y", [0, 0], Kind.SLOPE),
            ("exp(-x)", [800], Kind.FLAT),
            ("erf(x)", [30], Kind.FLAT),
            ("x^2 - erf(y)", [0, 30], Kind.FLAT),
            ("log(x)", [-1], Kind.UNKNOWN),
        ],
    )
    def test_a_stationary_point_is_called_what_it_is(self, text, point, kind):
        assert verdict(text, point).kind is kind

    @pytest.mark.parametrize("offset", [0, 5, -1e6])
    def test_inflections_are_told_by_their_slopes_where_the_cost_hides_them(self, offset):
        for point in (1.0, 1 + 1e-9, 1 - 1e-10):
            assert verdict(f"(x-1)^3 + {offset}", [point], start=[2]).kind is not Kind.MINIMUM

    def test_a_minimum_in_a_valley_is_not_the_only_one(self):
        assert not verdict("(x + y - 1)^2 + 0*x^3", [2, -1]).unique
        assert verdict("(x - 1)^2 + y^4", [1, 0]).unique

    def test_a_slow_fall_is_seen_though_one_variable_hardly_moved(self):
        # It falls by 1e-20 for each unit across the valley u = 1, in which y has moved by 1e-4 only, x by 5e6.
        x, y = "((x + 701346774.4808599)/1e6)", "(y/1e6)"
        u = f"(0.19247944336411246*{x} + 0.9813010057481045*{y} - 1)"
        v = f"(-0.9813010057481045*{x} + 0.19247944336411246*{y})"
        point, start = [-696151414.4859402, 0.0001036237180149871], [-701346774.4808599, 0.0]
        assert verdict(f"{u}^2 + 1e-20*{v}", point, start=start).kind is not Kind.MINIMUM
        assert verdict(f"{u}^2", point, start=start).kind is Kind.MINIMUM

    def test_a_generous_precision_makes_no_maximum(self):
        assert verdict("cos(x)", [0.3], start=[0.5], precision=1.0).kind is Kind.SLOPE
        assert verdict("x^3", [0.5], start=[1], precision=10).kind is Kind.SLOPE
        assert verdict("x^2*y", [1, 1], start=[2, 2], precision=10).kind is Kind.SLOPE


class TestCriteria:
    def test_each_has_its_number_and_its_bound(self):
        result = descend.minimize("(x-2)^4 + y^2", [3, 1])
        text = str(result)
        assert len(result.criteria) == 3
        for criterion in result.criteria:
            assert criterion.holds == (criterion.value <= criterion.bound)
            assert str(criterion) in text
            assert ("≤" if criterion.holds else "≰") in str(criterion)

    def test_the_bound_on_the_slope_is_its_rounding_error(self):
        """The running error bound covers the error of the slope, evaluated again in 50 digits."""
        text = "(x-1)^7"
        expanded = "x^7-7*x^6+21*x^5-35*x^4+35*x^3-21*x^2+7*x-1"
        for x in (1.01, 0.97, 1.003, 1.0):
            seen = verdict(expanded, [x])
            slope = next(c for c in seen.criteria if "slope" in c.what)
            with mp.workdps(50):
                exact = 7 * (mp.mpf(x) - 1) ** 6
            assert abs(slope.value - float(abs(exact))) <= slope.bound <= 1e-12
        assert verdict(text, [1.0]).kind is Kind.SADDLE


def test_article_on_the_parabola_of_issue_5():
    """x² - 4x + 1 from 10 with the article's rule at 1e-6: what each learning rate comes to."""

    def run(rate, **settings):
        return descend.gradient_descent("x^2 - 4x + 1", 10, rate, precision=1e-6, **settings)

    tiny = run(1e-8, max_iterations=1000)
    assert (tiny.status, tiny.steps) == (Status.STEP_SMALL, 1)
    assert "8 away" in tiny.advice
    assert run(1e-3).status is Status.LOOKS_SPENT
    assert run(1e-3).steps == 100
    assert "max_iterations" in run(1e-3).advice
    enough = run(0.1, max_iterations=1000)
    assert (enough.status, enough.steps) == (Status.STEP_SMALL, 66)
    assert "3.2e-6" in enough.advice
    assert "2.5e-7" in enough.advice
    assert abs(float(enough) - 2) == pytest.approx(3.2e-6, rel=0.02)
    assert run(1.0).status is Status.CYCLING
    large = run(1.01)
    assert large.status is Status.DIVERGING
    assert "below 1 " in large.advice
    assert descend.minimize("x^2 - 4x + 1", 10, learning_rate=0.1, precision=1e-6).status is Status.MINIMUM
