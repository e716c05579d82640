"""Every status, reached through the public door, with its sentence, its advice and its exit code."""

from __future__ import annotations

import pytest

import descend
from descend import Status


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
    Status.SADDLE: (lambda: descend.minimize("x^2 - y^2 + y^4", [1, 0]), "a little to the side"),
    Status.MAXIMUM: (lambda: descend.minimize("x^4 - x^2", 0), "start somewhere else"),
    Status.INTERRUPTED: (lambda: descend.minimize("x^4 + x", 3, callback=interrupting), "start there to go on"),
    Status.STOPPED_BY_CALLER: (lambda: descend.minimize("x^4 + x", 3, callback=lambda p: p.looks == 4), ""),
}
SUCCESSES = {Status.EXACT, Status.MINIMUM}


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

    def test_not_finite_names_the_expression(self):
        result = descend.minimize("x - log(x) + y^2", [3, 0], learning_rate=30)
        assert "log(x)" in result.advice

    def test_a_convex_cost_has_one_minimum_and_a_valley_many(self):
        assert "there is no other" in descend.minimize("(x-1)^2 + y^2").advice
        assert "not the only point" in descend.minimize("(x + y)^2", [1, 2]).advice
        assert "not unique" in descend.minimize("(x*y - 1)^2", [3, 1]).advice
