"""Every status, reached through the public door, with its sentence, its advice and its exit code."""

from __future__ import annotations

import shlex

import pytest

import descend
from descend import Status
from descend.problem.objective import FormulaObjective


def interrupting(progress):
    if progress.looks == 4:
        raise KeyboardInterrupt


# status → (how to reach it, words of the advice)
REACHED = {
    Status.EXACT: (lambda: descend.minimize("x^2 - 4x + 1"), "this is the minimum, there is no other"),
    Status.MINIMUM: (lambda: descend.minimize("x^4 - x^2", 1), ""),
    Status.STEP_SMALL: (
        lambda: descend.gradient_descent("x^2", 3, 0.1, precision=1e-4),
        "precision=2.5e-5 would have done",
    ),
    Status.LOOKS_SPENT: (
        lambda: descend.minimize("x^2", 3, learning_rate=1e-3, max_looks=50),
        "Give more with max_looks=",
    ),
    Status.TIME_SPENT: (
        lambda: descend.minimize("x^4 + x", 3, learning_rate=1e-12, max_looks=10**9, max_seconds=0.02),
        "Give more",
    ),
    Status.STALLED: (lambda: descend.minimize("-exp(-(x-40)^2)", 0), "Start somewhere else"),
    Status.DIVERGING: (lambda: descend.gradient_descent("x^2", 3, 1.01), "below 1 "),
    Status.CYCLING: (lambda: descend.gradient_descent("x^2", 3, 1.0), "learning rate"),
    Status.NOT_FINITE: (lambda: descend.minimize("x - log(x)", 3, learning_rate=30), "smaller"),
    Status.UNBOUNDED: (lambda: descend.minimize("x", 1), "fix a variable"),
    Status.SADDLE: (lambda: descend.minimize("x^2 - y^2 + y^4", [0, 0], escape=False), "a little to the side"),
    Status.MAXIMUM: (lambda: descend.minimize("x^4 - x^2", 0, escape=False), "start somewhere else"),
    Status.AT_BOUND: (lambda: descend.minimize("(x-1)^2 + exp(x)", 5, bounds={"x": (3, None)}), "x = 3 is a bound"),
    Status.AT_KINK: (lambda: descend.minimize("abs(x - 0.3) + abs(y)", [1, 1]), ""),
    Status.COST_REACHED: (lambda: descend.minimize("x^4 + x", 3, target_cost=1), "Leave the target away"),
    Status.OUTSIDE_DOMAIN: (lambda: descend.minimize("x - log(x)", -1), "log(x) is nan at the start"),
    Status.INTERRUPTED: (lambda: descend.minimize("x^4 + x", 3, callback=interrupting), "start there to go on"),
    Status.STOPPED_BY_CALLER: (lambda: descend.minimize("x^4 + x", 3, callback=lambda p: p.looks == 4), ""),
}
SUCCESSES = {Status.EXACT, Status.MINIMUM, Status.AT_BOUND, Status.AT_KINK, Status.COST_REACHED}


def test_no_status_is_left_out():
    assert set(REACHED) == set(Status)


@pytest.mark.parametrize("status", Status, ids=lambda s: s.name)
def test_each_is_reached_and_said(status):
    run, advice = REACHED[status]
    result = run()
    assert result.status is status
    assert result.success is (status in SUCCESSES) is status.success
    assert result.message == status.value
    assert advice in result.advice
    assert result.exit_code == (0 if result.success else 130 if status is Status.INTERRUPTED else 1)
    report = str(result)
    assert f"{status.name}: {status.value}" in report
    assert all(word in " ".join(report.split()) for word in result.advice.split()[:4])
    if result.success:
        assert result.raise_if_failed() is result
    else:
        with pytest.raises(descend.UnsuccessfulError, match=status.name):
            result.raise_if_failed()


def test_every_sentence_is_one():
    for status in Status:
        assert status.value[0].isupper()
        assert status.value.endswith(".")
    assert len({status.value for status in Status}) == len(Status)


class TestWhichComesFirst:
    def test_what_was_reached_comes_before_the_rule_that_ended(self):
        assert descend.gradient_descent("x^2", 3, 0.1).status is Status.MINIMUM  # its 100 steps were spent
        assert descend.minimize("x^2", 3, learning_rate=0.4, max_looks=60).status is Status.MINIMUM

    def test_an_interrupt_at_the_minimum_is_an_interrupt(self):
        def late(progress):
            if progress.looks == 200:
                raise KeyboardInterrupt

        result = descend.minimize("x^2", 3, learning_rate=0.4, callback=late)
        assert result.status in {Status.INTERRUPTED, Status.MINIMUM}

    def test_climbing_comes_before_the_budget(self):
        assert descend.minimize("x^2", 3, learning_rate=1.2, max_looks=30).status is Status.DIVERGING

    def test_diverging_to_infinity_says_the_rate_and_not_only_that_it_is_infinite(self):
        result = descend.gradient_descent("x^4", 3, 1.0)
        assert result.status is Status.DIVERGING
        assert "rate" in result.advice

    @pytest.mark.parametrize(
        "cost", ["-exp(x)", "x^3", "-x^4", "log(x)", "-log(1+x^2)", "-sqrt(1+x^2)", "x - sin(x)/2"]
    )
    def test_a_cost_without_end_is_no_success(self, cost):
        for start in (1, -1) if "log(x)" not in cost else (1,):
            for settings in ({}, {"learning_rate": 0.5, "max_looks": 500}):
                assert not descend.minimize(cost, start, **settings).success

    @pytest.mark.parametrize(
        ("cost", "start"), [("x", 1), ("-x^2", 1), ("x*y", [1, 1]), ("x + y", [0, 0]), ("x^2 - 1e-9*y^2", [1, 0])]
    )
    def test_a_quadratic_without_end_is_said_to_be(self, cost, start):
        assert descend.minimize(cost, start).status is Status.UNBOUNDED
        assert descend.gradient_descent(cost, start, 0.1).status is Status.UNBOUNDED


class TestOutside:
    @pytest.mark.parametrize(
        ("cost", "start", "blamed"),
        [
            ("log(x) + x", -1, "log(x)"),
            ("x*log(x)", 0, "log(x)"),
            ("1/x + x", 0, "1/x"),
            ("sqrt(x) + x", 0, "sqrt(x)"),  # it has a value there, but no slope
            ("x^2 + y*log(y)", [1, -2], "log(y)"),
            ("1e12*x*log(x*1e-12)", -3e12, "log"),
        ],
    )
    @pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.1}], ids=["auto", "rate"])
    def test_a_start_without_a_value_is_outside_of_the_domain(self, cost, start, blamed, settings):
        result = descend.minimize(cost, start, **settings)
        assert result.status is Status.OUTSIDE_DOMAIN
        assert blamed in result.advice
        assert result.looks == 1

    @pytest.mark.parametrize("cost", ["exp(x)", "x^200", "cosh(x)"])
    def test_a_value_too_large_for_a_double_is_not(self, cost):
        result = descend.minimize(cost, 1000 if cost != "x^200" else 1e10)
        assert result.status is Status.NOT_FINITE
        assert "inf" in result.advice


class TestBounds:
    """The active set by hand: what holds, what does not, and what is left of the cost on the face."""

    @pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
    @pytest.mark.parametrize("scale", [1e-12, 1.0, 1e12])
    def test_a_bound_holds_where_the_slope_points_out_of_the_box(self, factor, scale):
        x, y = f"(x/{scale})", f"(y/{scale})"
        cost = f"{factor}*(({x} - 2)^2 + ({y} - 2)^4 + {x}*{y}/10)"
        result = descend.minimize(cost, [0, 0], bounds={"x": (None, 1 * scale)})
        assert result.status is Status.AT_BOUND
        assert result["x"] == scale
        # 4 (y - 2)³ + 1/10 = 0 on the face x = 1.
        assert result["y"] / scale == pytest.approx(2 - (1 / 40) ** (1 / 3), rel=1e-7)
        assert any("at a bound" in criterion.what and criterion.holds for criterion in result.criteria)

    def test_a_minimum_inside_is_not_at_a_bound(self):
        assert descend.minimize("x^4 - x", 1, bounds={"x": (0, 5)}).status is Status.MINIMUM

    @pytest.mark.parametrize("cost", ["x^2", "x^2 + x^4", "x^4"])
    def test_a_multiplier_of_zero_holds_nothing(self, cost):
        result = descend.minimize(f"{cost} + (y-1)^2 + y^4", {"x": 2, "y": 0}, bounds={"x": (0, 5)})
        assert result.status is Status.MINIMUM

    def test_a_saddle_on_the_face_is_none_of_a_minimum(self):
        settings = {"bounds": {"x": (0, None)}, "escape": False}
        assert descend.minimize("x + y^4 - y^2", [0, 0], **settings).status is Status.MAXIMUM
        found = descend.minimize("x + x^2 + y^4 - y^2", [0, 0], bounds={"x": (0, None)})
        assert found.status is Status.AT_BOUND
        assert abs(found["y"]) == pytest.approx(0.5**0.5, rel=1e-8)

    def test_a_minimum_that_only_the_box_makes_one(self):
        # -x² - y² over the unit square: its corners; x³ at 0: the multiplier is zero, and outside is a wall.
        corner = descend.minimize("-x^2 - y^2 - x*y/2 + 0*x^4", [0.3, 0.4], bounds={"x": (0, 1), "y": (0, 1)})
        assert (corner.status, corner["x"], corner["y"]) == (Status.AT_BOUND, 1.0, 1.0)
        assert descend.minimize("x^3", 1, bounds={"x": (0, None)}).status is Status.MINIMUM

    def test_a_maximisation_is_told_in_its_own_sign(self):
        result = descend.maximize("x - x^4/100", 1, bounds={"x": (0, 2)})
        assert (result.status, result.success) == (Status.AT_BOUND, True)
        assert result.message == "A maximum was reached at a bound: only the bound keeps the cost from rising further."

    def test_many_bounds_are_not_all_named(self):
        cost, names = "x1 + x2 + x3 + x4 + x5 + (x1-x2)^4", ["x1", "x2", "x3", "x4", "x5"]
        result = descend.minimize(cost, [1] * 5, bounds=dict.fromkeys(names, (0, 3)))
        assert result.status is Status.AT_BOUND
        assert "x3 = 0 and 2 more are bounds" in result.advice


class TestEscape:
    @pytest.mark.parametrize("factor", [1e-12, 1.0, 1e12])
    @pytest.mark.parametrize("method", ["auto", "barzilai-borwein"])
    @pytest.mark.parametrize(
        ("cost", "start", "lowest"),
        [
            ("x^4 - x^2", 0, -0.25),
            ("x^2 - y^2 + y^4", [1, 0], -0.25),
            ("x^4 + y^4 - (x-y)^2", [0, 0], -2),
            ("x^6 - x^4", 0, -4 / 27),  # no curvature at 0: found by looking
            ("(x^2 + y^2 - 1)^2", [0, 0], 0),
            ("x^3*(x-4) + y^2", [0, 1], -27),  # an inflection
        ],
    )
    def test_it_goes_on_to_a_minimum(self, cost, start, lowest, method, factor):
        result = descend.minimize(f"{factor}*({cost})", start, method=method)
        assert result.success
        assert result.cost == pytest.approx(factor * lowest, rel=1e-12, abs=1e-12 * factor)

    def test_the_budget_is_one_for_all(self):
        seen = []
        settings = {"method": "barzilai-borwein", "trace": True}
        result = descend.minimize("x^4 - x^2", 0, **settings, callback=lambda p: seen.append((p.looks, p.steps)))
        assert [looks for looks, _ in seen] == list(range(1, result.looks + 1)) == list(result.trace["look"])
        assert result.steps == result.trace["step"][-1] >= 1
        assert sorted(result.trace["step"]) == result.trace["step"]
        for budget in (1, 2, 5):
            short = descend.minimize("x^4 - x^2", 0, **settings, max_looks=budget)
            assert short.looks == len(short.trace) == budget
            assert not short.success

    def test_a_note_says_from_where(self):
        assert "x = 0" in " ".join(descend.minimize("x^4 - x^2", 0, method="barzilai-borwein").notes)

    def test_the_verdicts_own_looks_are_counted_apart(self, monkeypatch):
        taken = []
        look = FormulaObjective.look
        monkeypatch.setattr(FormulaObjective, "look", lambda self, *a: (taken.append(a), look(self, *a))[1])
        for cost, start in (("x^4 - x^2", 1), ("x^4 - x^2", 0), ("x^4 + y^2 - x*y^3", [1, 1]), ("x^6", 0)):
            taken.clear()
            result = descend.minimize(cost, start, method="barzilai-borwein", trace=True)
            assert result.looks == len(result.trace)
            assert result.looks + result.verdict_looks == len(taken)


class TestAdvice:
    @pytest.mark.parametrize(
        ("cost", "start", "curvature"), [("x^2", 3, 2), ("5*x^2 + y^2", [1, 1], 10), ("(x - 3)^2/8", 0, 0.25)]
    )
    def test_the_largest_safe_rate_is_two_over_the_curvature(self, cost, start, curvature):
        result = descend.gradient_descent(cost, start, 2.2 / curvature)
        assert result.status is Status.DIVERGING
        safe = float(result.advice.split("below ")[1].split(" ")[0])
        assert safe == pytest.approx(2 / curvature, rel=0.05)
        assert descend.gradient_descent(cost, start, 0.9 * safe, max_iterations=2000).success

    def test_the_precision_that_would_have_done_does(self):
        cost, start, asked = "(x-1)^2 + (y+2)^2/2", [3, 3], 1e-5
        for rate in (0.01, 0.1, 0.3):
            first = descend.gradient_descent(cost, start, rate, precision=asked, max_iterations=10**5)
            assert first.status is Status.STEP_SMALL
            needed = float(first.advice.split("precision=")[1].split(" ")[0])
            again = descend.gradient_descent(cost, start, rate, precision=needed, max_iterations=10**5)
            assert ((again["x"] - 1) ** 2 + (again["y"] + 2) ** 2) ** 0.5 <= 1.1 * asked

    def test_a_timid_rate_is_told_so(self):
        advice = descend.minimize("x^2", 3, learning_rate=1e-4, max_looks=20).advice
        assert "larger learning rate (below 1)" in advice
        assert "3 away" in advice

    def test_other_methods_than_the_plain_one_have_no_such_rate(self):
        assert "below" not in descend.minimize("x^2", 3, method="momentum", learning_rate=5.0).advice

    def test_a_run_that_diverges_offers_the_command_to_run(self):
        result = descend.gradient_descent("x^2 - 4x + 1", 10, 1.01)
        assert result.status is Status.DIVERGING
        command = result.advice.split("Run: ")[1]
        words = shlex.split(command)
        assert words[:2] == ["descend", "gradient-descent"]
        again = descend.gradient_descent(words[2], float(words[4]), float(words[6]))
        assert again.success
        assert float(again) == pytest.approx(2)

    def test_not_finite_names_the_expression(self):
        result = descend.minimize("x - log(x) + y^2", [3, 0], learning_rate=30)
        assert "log(x)" in result.advice

    def test_a_convex_cost_has_one_minimum_and_a_valley_many(self):
        assert "there is no other" in descend.minimize("(x-1)^2 + y^2").advice
        assert "not the only point" in descend.minimize("(x + y)^2", [1, 2]).advice
        assert "not unique" in descend.minimize("(x*y - 1)^2", [3, 1]).advice
