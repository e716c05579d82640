"""Stopping rules: each alone, joined with | and &, and which of them names the ending."""

from __future__ import annotations

import pytest

from descend.descent.loop import descend as loop
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.run import Progress
from descend.descent.status import Ending
from descend.descent.stopping import (
    AllOf,
    AnyOf,
    Idle,
    Looks,
    NotFinite,
    Rule,
    Seconds,
    Steps,
    StepSize,
    Target,
    Unmoved,
)
from descend.evaluation import Evaluation
from descend.expression.parse import parse
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector


def walk(text, start, rate, rule):
    objective = FormulaObjective(make_problem(parse(text)), 1, compiled=False)
    return loop(objective, GradientDescent(rate), Vector([start]), rule)


def article_steps(start, rate, precision):
    """How many steps the article's loop takes on x² until a step is shorter than `precision`."""
    x, steps = start, 0
    while True:
        new = x - rate * 2 * x
        steps += 1
        if abs(new - x) < precision:
            return steps
        x = new


class TestEachAlone:
    def test_steps(self):
        run = walk("x^2", 3.0, 0.1, Steps(7))
        assert (run.ending, run.steps, run.looks) == (Ending.STEPS, 7, 8)
        assert walk("x^2", 3.0, 0.1, Steps(0)).looks == 1

    def test_looks(self):
        run = walk("x^2", 3.0, 0.1, Looks(7))
        assert (run.ending, run.steps, run.looks) == (Ending.LOOKS, 6, 7)

    def test_step_size_is_the_articles(self):
        run = walk("x^2", 3.0, 0.1, StepSize(1e-4))
        assert (run.ending, run.steps) == (Ending.STEP_SMALL, article_steps(3.0, 0.1, 1e-4))
        assert run.step_size < 1e-4

    def test_step_size_is_smaller_not_equal(self):
        assert walk("x", 0.0, 0.5, StepSize(0.5) | Steps(5)).ending is Ending.STEPS
        assert walk("x", 0.0, 0.5, StepSize(0.5000001) | Steps(5)).ending is Ending.STEP_SMALL

    def test_target_is_reached_where_the_cost_is_no_higher(self):
        # x² from 3 at rate 0.25: 3, 1.5, 0.75, so costs of 9, 2.25, 0.5625.
        for cost, looks in ((9.0, 1), (8.9, 2), (2.25, 2), (2.2, 3)):
            run = walk("x^2", 3.0, 0.25, Target(cost) | Looks(10))
            assert (run.ending, run.looks) == (Ending.TARGET, looks)
        assert walk("log(x)", 0.5, 0.25, Target(-1e300) | Looks(2)).ending is Ending.LOOKS  # -∞ is no cost

    def test_not_finite(self):
        run = walk("log(x)", 1.0, 3.0, NotFinite())
        assert (run.ending, run.looks) == (Ending.NOT_FINITE, 2)
        assert run.best.point == Vector([1.0])

    def test_unmoved(self):
        run = walk("x^2", 1e-3, 0.5, Unmoved() | Looks(10))
        assert (run.ending, list(run.last.point)) == (Ending.UNMOVED, [0.0])

    def test_idle_counts_looks_without_a_lower_cost_or_a_smaller_slope(self):
        run = walk("x^2", 1.0, 1.0, Idle(5) | Looks(100))  # 1, -1, 1, ...: never better again
        assert (run.ending, run.looks) == (Ending.IDLE, 6)

    def test_seconds(self):
        run = walk("x^2", 1.0, 1e-9, Seconds(0.03) | Looks(10**9))
        assert run.ending is Ending.TIME
        assert 0.03 <= run.seconds < 1.0


class Says(Rule):
    """A rule that ends with `ending` from look `look` on."""

    def __init__(self, ending, look):
        self.what, self.look = ending, look

    def ending(self, progress):
        return self.what if progress.looks >= self.look else None


def progress(looks):
    return Progress(Vector([0.0]), Vector([0.0]), looks=looks)


class TestJoined:
    early, late = Says(Ending.STEPS, 2), Says(Ending.TIME, 4)

    def test_any_ends_with_the_first_that_says_so(self):
        either = self.early | self.late
        assert [either.ending(progress(k)) for k in range(1, 6)] == [None, *[Ending.STEPS] * 4]

    def test_where_two_say_so_at_once_the_first_in_order_names_it(self):
        assert (self.late | self.early).ending(progress(9)) is Ending.TIME
        assert (self.early | self.late).ending(progress(9)) is Ending.STEPS

    def test_all_wait_for_each_other_and_the_last_in_order_names_it(self):
        both = self.early & self.late
        assert [both.ending(progress(k)) for k in range(1, 6)] == [None, None, None, Ending.TIME, Ending.TIME]
        assert (self.late & self.early).ending(progress(9)) is Ending.STEPS

    def test_joining_flattens_and_mixes(self):
        a, b, c = Steps(1), Looks(2), Seconds(3)
        assert a | b | c == AnyOf((a, b, c)) == a | (b | c)
        assert a & b & c == AllOf((a, b, c)) == a & (b & c)
        assert (a & b) | c == AnyOf((AllOf((a, b)), c))
        assert (a | b) & c == AllOf((AnyOf((a, b)), c))

    def test_in_a_run(self):
        assert walk("x^2", 3.0, 0.1, Steps(50) & StepSize(1e-4)).steps == 50  # the step rule holds from 40 on
        assert walk("x^2", 3.0, 0.1, Steps(20) & StepSize(1e-4)).steps == 40
        assert walk("x^2", 3.0, 0.1, StepSize(1e-4) | Steps(20)).ending is Ending.STEPS

    def test_a_rule_must_say_when(self):
        with pytest.raises(NotImplementedError):
            Rule().ending(progress(1))


class TestProgress:
    def seen(self, *costs_and_slopes):
        p = Progress(Vector([0.0]), Vector([0.0]))
        for k, (cost, slope) in enumerate(costs_and_slopes):
            p.saw(Vector([float(k)]), Evaluation(cost, Vector([slope])))
        return p

    def test_best_is_the_lowest(self):
        p = self.seen((3.0, 1.0), (1.0, 1.0), (2.0, 0.1))
        assert p.best.point == Vector([1.0])
        assert p.looks == 3

    def test_of_equal_costs_the_flatter_is_better(self):
        assert self.seen((1.0, 0.5), (1.0, 0.1)).best.point == Vector([1.0])
        assert self.seen((1.0, 0.1), (1.0, 0.5)).best.point == Vector([0.0])
        assert self.seen((1.0, 0.1), (1.0, 0.1)).best.point == Vector([0.0])  # the first of equals

    def test_costs_closer_than_rounding_are_equal(self):
        assert self.seen((1.0, 0.5), (1.0 - 2e-16, 0.9)).best.point == Vector([0.0])
        assert self.seen((1.0, 0.5), (1.0 + 2e-16, 0.1)).best.point == Vector([1.0])
        assert self.seen((1.0, 0.5), (1.0 - 1e-14, 0.9)).best.point == Vector([1.0])

    def test_what_is_not_finite_is_never_best(self):
        nan, inf = float("nan"), float("inf")
        assert self.seen((nan, 1.0), (5.0, 1.0), (nan, 0.0), (-inf, 0.0), (1.0, nan)).best.point == Vector([1.0])
        assert self.seen((nan, 1.0)).best is None

    def test_idle_is_reset_by_a_lower_cost_or_a_smaller_slope(self):
        assert self.seen((1.0, 1.0), (2.0, 2.0), (2.0, 2.0)).idle == 2
        assert self.seen((1.0, 1.0), (2.0, 2.0), (2.0, 0.5)).idle == 0
        assert self.seen((1.0, 1.0), (2.0, 2.0), (0.5, 9.0)).idle == 0

    def test_rises_counts_the_climb_at_the_end(self):
        assert self.seen((1.0, 1.0), (2.0, 1.0), (3.0, 1.0)).rises == 2
        assert self.seen((1.0, 1.0), (2.0, 1.0), (2.0, 1.0)).rises == 0
        assert self.seen((1.0, 1.0), (float("nan"), 1.0)).rises == 1

    def test_the_tail_is_the_recent_past(self):
        p = self.seen(*[(1.0, 1.0)] * 20)
        assert [point[0] for point in p.tail] == [12.0, 13.0, 14.0, 15.0, 16.0, 17.0, 18.0, 19.0]
