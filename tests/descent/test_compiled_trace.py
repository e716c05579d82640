"""The trace that the loop in machine code writes is the Python loop's, row for row and bit for bit."""

from __future__ import annotations

import random

import pytest

from descend.descent import compiled
from descend.descent.compiled import walk
from descend.descent.loop import descend
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.status import Ending
from descend.descent.stopping import Idle, Looks, NotFinite, Seconds, Steps, StepSize, Unmoved
from descend.descent.trace import Recorder
from descend.expression.parse import parse
from descend.kernel import small
from descend.kernel.small_layout import ROWS
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector
from tests.kernel.tapes import all_same, random_formula, same

RULES = {
    "article": NotFinite() | Steps(700),
    "precise": StepSize(1e-4) | NotFinite() | Steps(300),
    "far": NotFinite() | Unmoved() | Looks(2_000) | Idle(20),
}
CASES = {  # name → formula, start, learning rate
    "one variable": ("x^2", (3,), 0.1),
    "Rosenbrock": ("(1-x)^2 + 100*(y-x^2)^2", (-1.2, 1), 1e-3),
    "three": ("x^2 + x*y + y^2 + exp(z/3) - z", (1, -2, 0.5), 0.2),
    "five": ("log(1+a^2) + sqrt(1+b^2) + atan(c)^2 + abs(d) + max(f, -f/2)", (1, 2, 3, 0.05, 0.25), 0.1),
    "rate of the step": ("x^2 + y^4", (1, 1), "0.1/(1+k/10)"),
    "rate that grows": ("x^2", (1,), "0.01*1.1^k"),
    "rate that shares a sum with the cost": ("(k + sin(k) + cos(k))^2/50", (2,), "0.01*(cos(k) + sin(k) + k)/(1 + k)"),
    "constant formula as rate": ("x^2 + sin(y)", (1, 2), "1/3"),
    "diverging": ("x^2", (3,), 1.01),
    "diverging at once": ("exp(x^2)", (5,), 1),
    "huge slopes": ("1e200*x^2", (3,), 1e-199),
    "cycling": ("abs(x) + y^2", (0.5, 1), 1),
    "not a number on the way": ("sqrt(x)", (0.1,), 0.05),
    "not a number at the start": ("log(x)", (-1,), 0.1),
    "flat": ("0*x + 3", (2,), 0.1),
    "tiny steps": ("x^2 + y^2", (1e-158, 2e-159), 0.1),
    "denormal": ("x^2", (1e-310,), 0.1),
}  # fmt: skip


def traces(text, start, rate, rules, limit):
    """Return (run of the loop in machine code, run of the Python loop), both recorded."""
    runs = []
    for machine, go in ((True, walk), (False, descend)):
        objective = FormulaObjective(make_problem(parse(text)), 10, compiled=machine)
        recorder = Recorder(objective.names, limit)
        runs.append(go(objective, GradientDescent(rate), Vector([float(v) for v in start]), rules, recorder=recorder))
    return runs


def assert_same_trace(text, start, rate, rules, limit):
    found, right = traces(text, start, rate, rules, limit)
    assert (found.tier, right.tier) == ("machine code", "interpreted")
    assert (found.ending, found.looks) == (right.ending, right.looks)
    assert (found.trace.names, found.trace.stride) == (right.trace.names, right.trace.stride)
    assert len(found.trace) == len(right.trace)
    for a, b in zip(found.trace, right.trace, strict=True):
        assert (a.step, a.look, a.accepted) == (b.step, b.look, b.accepted)
        assert all_same(a.point, b.point)
        assert all_same(a.gradient, b.gradient)
        assert all_same((a.cost, a.step_size, a.learning_rate), (b.cost, b.step_size, b.learning_rate))
    return found


@pytest.mark.parametrize("limit", [1, 2, 7, 20_000])
@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("name", CASES)
def test_same_trace(name, rules, limit):
    assert_same_trace(*CASES[name], RULES[rules], limit)


def names_in(text):
    tape, root = parse(text)
    return tuple(tape.symbols((root,)))


@pytest.mark.parametrize("seed", range(30))
def test_random_costs(seed):
    rng = random.Random(seed)
    text = random_formula(rng, 3)
    while not names_in(text) or "gammaln" in text:  # the interpreter's gammaln is another
        text = random_formula(rng, 3)
    start = [rng.gauss(0, 2) for _ in names_in(text)]
    rate = rng.choice([1e-3, 0.1, 0.7, "0.3/(1+k)", "0.1*cos(k)^2"])
    assert_same_trace(text, start, rate, rng.choice(list(RULES.values())), rng.choice([3, 50, 20_000]))


@pytest.mark.parametrize("looks", [1, 2, ROWS - 1, ROWS, ROWS + 1, ROWS + 2, 2 * ROWS, 2 * ROWS + 1])
def test_a_buffer_that_is_just_full(looks):
    run = assert_same_trace("x^2", (3,), 1e-4, NotFinite() | Looks(looks), 20_000)
    assert [row.look for row in run.trace] == list(range(1, looks + 1))


def test_many_doublings():
    run = assert_same_trace("(1-x)^2 + 100*(y-x^2)^2", (-1.2, 1), 1e-4, NotFinite() | Steps(20_000), 6)
    assert run.trace.stride == 4096  # eleven doublings, and more rows than one buffer holds on the way
    assert run.trace.rows[-1].look == 20_001


@pytest.mark.parametrize("slices", [(1, 0.0), (3, 0.0), (7, 1e-9), (10**9, 1.0)])
def test_slices_of_any_size_leave_the_same_trace(slices, monkeypatch):
    monkeypatch.setattr(compiled, "FIRST_SLICE", slices[0])
    monkeypatch.setattr(compiled, "SLICE_SECONDS", slices[1])
    for limit in (4, 20_000):
        assert_same_trace(*CASES["rate of the step"], RULES["article"], limit)


def test_the_budget_of_seconds_ends_with_the_last_look():
    objective = FormulaObjective(make_problem(parse("x^2")), 10, compiled=True)
    recorder = Recorder(objective.names, 100)
    run = walk(
        objective, GradientDescent(1e-9), Vector([3.0]), NotFinite() | Looks(10**12) | Seconds(0.05), recorder=recorder
    )
    assert run.ending is Ending.TIME
    last = run.trace.rows[-1]
    assert (last.look, last.step) == (run.looks, run.steps)
    assert all_same(last.point, run.last.point)
    assert same(last.cost, run.last.evaluation.cost)
    assert all((row.look - 1) % run.trace.stride == 0 for row in run.trace.rows[:-1])


@pytest.mark.parametrize("interrupted", [0, 1, 5])
def test_an_interrupt_keeps_what_was_seen(interrupted, monkeypatch):
    """Ctrl-C after some slice, before its rows are taken: the trace still ends with the last look."""
    run, left = small.SmallLoop.run, [interrupted]

    def broken_off(loop, count):
        reason = run(loop, count)
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        return reason

    monkeypatch.setattr(small.SmallLoop, "run", broken_off)
    objective = FormulaObjective(make_problem(parse("x^2")), 10, compiled=True)
    recorder = Recorder(objective.names, 5)
    found = walk(objective, GradientDescent(0.1), Vector([3.0]), NotFinite() | Steps(500), recorder=recorder)
    right = descend(
        objective, GradientDescent(0.1), Vector([3.0]), NotFinite() | Looks(found.looks), recorder=Recorder(["x"], 5)
    )
    assert found.ending is Ending.INTERRUPTED
    assert found.looks == 2 ** (interrupted + 1) - 1  # slices of 1, 2, 4, ... looks
    assert [row[:7] for row in found.trace.rows[1:]] == [row[:7] for row in right.trace.rows[1:]]


def test_an_interrupt_before_the_first_look(monkeypatch):
    def at_once(loop, count):
        raise KeyboardInterrupt

    monkeypatch.setattr(small.SmallLoop, "run", at_once)
    objective = FormulaObjective(make_problem(parse("x^2")), 10, compiled=True)
    found = walk(objective, GradientDescent(0.1), Vector([3.0]), NotFinite(), recorder=Recorder(["x"]))
    assert (found.ending, found.looks, len(found.trace)) == (Ending.INTERRUPTED, 0, 0)
