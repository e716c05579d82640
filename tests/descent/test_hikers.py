"""Many hikers at once walk as each would alone."""

from __future__ import annotations

import random

import pytest

import descend
from descend.box import Box
from descend.descent import hikers
from descend.descent.hikers import walk_many
from descend.descent.loop import descend as loop
from descend.descent.status import Ending
from descend.descent.stopping import Idle, Looks, NotFinite, Seconds, Steps, StepSize, Unmoved
from descend.errors import MethodError
from descend.expression.parse import parse
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector
from tests.descent.test_first_order import METHODS, SCHEDULED
from tests.kernel.tapes import all_same, same

ALL = METHODS | SCHEDULED | {"gradient descent": descend.GradientDescent(0.003)}
COSTS = {  # made of operations that NumPy rounds as Python does
    "valley": ("(1-x)^2 + 100*(y-x^2)^2", 2),
    "roots": ("sqrt(1+x^2) + abs(y-1) + x*y/9 + z^4/4 + 1/(2+z^2)", 3),
    "edge of the domain": ("sqrt(x) + y^2", 2),
    "one": ("x^4 - x^2", 1),
    "many": (" + ".join(f"{k}*(x{k}-{k})^2" for k in range(1, 12)), 11),
}
RULES = StepSize(1e-3) | NotFinite() | Unmoved() | Idle(40) | Looks(150)


def objective(text):
    return FormulaObjective(make_problem(parse(text)), 1, compiled=False)


def starts(size, count=12):
    rng = random.Random(size)
    return [Vector([rng.gauss(0, 2) for _ in range(size)]) for _ in range(count)]


def assert_same(found, alone):
    assert (found.ending, found.steps, found.looks) == (alone.ending, alone.steps, alone.looks)
    assert found.rises == alone.rises
    assert same(found.step_size, alone.step_size)
    for a, b in ((found.best, alone.best), (found.last, alone.last)):
        assert all_same(a.point, b.point)
        assert same(a.evaluation.cost, b.evaluation.cost)
        assert all_same(a.evaluation.gradient, b.evaluation.gradient)
    assert len(found.tail) == len(alone.tail)
    assert all(all_same(a, b) for a, b in zip(found.tail, alone.tail, strict=True))


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("name", ALL)
def test_each_walks_as_alone(name, cost):
    text, size = COSTS[cost]
    runs = walk_many(objective(text), ALL[name], starts(size), RULES)
    assert len(runs) == 12
    for run, start in zip(runs, starts(size), strict=True):
        assert_same(run, loop(objective(text), ALL[name], start, RULES))


@pytest.mark.parametrize("name", ALL)
def test_in_a_box(name):
    text, size = COSTS["valley"]
    many, one = objective(text), objective(text)
    many.box = one.box = Box(Vector([-1.0, 0.25]), Vector([0.5, float("inf")]))
    inside = [one.box.project(start) for start in starts(size)]
    for run, start in zip(walk_many(many, ALL[name], inside, RULES), inside, strict=True):
        assert_same(run, loop(one, ALL[name], start, RULES))


def test_functions_of_numpy_agree_to_rounding():
    text = "log(1+x^2) + cosh(y/3) + x*y/9 + exp(-y^2)"
    rules = NotFinite() | Steps(60)
    for run, start in zip(walk_many(objective(text), descend.Adam(0.1), starts(2), rules), starts(2), strict=True):
        alone = loop(objective(text), descend.Adam(0.1), start, rules)
        assert list(run.last.point) == pytest.approx(list(alone.last.point), rel=1e-11)


def test_hikers_end_one_by_one_and_looks_are_counted():
    near_and_far = [Vector([x]) for x in (0.0, 1e-3, 1.0, 100.0)]
    looked = []
    one = objective("x^2")
    plain = one.looks
    one.looks = lambda points: looked.append(len(points)) or plain(points)
    runs = walk_many(one, descend.GradientDescent(0.25), near_and_far, StepSize(1e-6) | NotFinite() | Looks(500))
    assert sum(looked) == sum(run.looks for run in runs)
    assert [run.looks for run in runs] == sorted(run.looks for run in runs)
    assert runs[0].looks < runs[1].looks < runs[3].looks
    assert {run.ending for run in runs} == {Ending.STEP_SMALL}


def test_an_interrupt_keeps_what_was_seen(monkeypatch):
    one, left = objective("x^2"), [5]
    plain = one.looks

    def looks(points):
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt
        return plain(points)

    one.looks = looks
    runs = walk_many(one, descend.GradientDescent(0.25), [Vector([1.0]), Vector([2.0])], NotFinite() | Looks(500))
    assert [(run.ending, run.looks) for run in runs] == [(Ending.INTERRUPTED, 4)] * 2
    assert [run.best.point[0] for run in runs] == [0.125, 0.25]


def test_the_clock_ends_all(monkeypatch):
    times = iter(range(1000))
    monkeypatch.setattr(hikers, "perf_counter", lambda: next(times))
    runs = walk_many(objective("x^2"), descend.GradientDescent(1e-9), starts(1, 3), NotFinite() | Seconds(7.0))
    assert {run.ending for run in runs} == {Ending.TIME}
    assert {run.looks for run in runs} == {7}


def test_what_hikers_cannot_do():
    with pytest.raises(MethodError, match="not of fixed step"):
        walk_many(objective("x^2"), descend.BarzilaiBorwein(), starts(1), NotFinite() | Looks(5))
    with pytest.raises(MethodError, match="cannot be stopped by AllOf"):
        walk_many(objective("x^2"), descend.GradientDescent(0.1), starts(1), (Looks(5) & Unmoved()) | NotFinite())
