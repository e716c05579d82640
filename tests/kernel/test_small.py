"""The loop in machine code walks the path of `descent.loop`, bit for bit, in slices of any size."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from descend.descent import compiled
from descend.descent.compiled import trace_rule, walk
from descend.descent.loop import descend
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.status import Ending
from descend.descent.stopping import Idle, Looks, NotFinite, Seconds, Steps, StepSize, Unmoved
from descend.expression.parse import parse
from descend.kernel import small, small_layout
from descend.kernel.lower import NO_MACHINE_CODE
from descend.kernel.program import lower
from descend.kernel.small import SmallLoop
from descend.kernel.small_layout import LoopRules
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector
from tests.kernel.tapes import all_same, inf, random_formula, same

ARTICLE = NotFinite() | Steps(200)
PRECISE = StepSize(1e-4) | NotFinite() | Steps(300)
FAR = NotFinite() | Unmoved() | Looks(400) | Idle(20)
EVERY = StepSize(1e-12) | NotFinite() | Unmoved() | Steps(150) | Idle(60)

FORMULAS = {  # name → formula, start, learning rate
    "one variable": ("x^2", (3,), 0.1),
    "two": ("(1-x)^2 + 100*(y-x^2)^2", (-1.2, 1), 1e-3),
    "three": ("x^2 + x*y + y^2 + exp(z/3) - z", (1, -2, 0.5), 0.2),
    "four": ("cosh(a-b) + (b-c)^4 + sin(c)*d + d^2", (1, 2, -1, 0.3), 0.05),
    "five": ("log(1+a^2) + sqrt(1+b^2) + atan(c)^2 + abs(d) + max(f, -f/2)", (1, 2, 3, 0.05, 0.25), 0.1),
    "rate of the step": ("x^2 + y^4", (1, 1), "0.1/(1+k/10)"),
    "rate that grows": ("x^2", (1,), "0.01*1.1^k"),
    "a variable named k": ("(k-1)^2 + k^4", (2,), "0.1/(1+k/10)"),
    "diverging": ("x^2", (3,), 1.01),
    "diverging at once": ("exp(x^2)", (5,), 1),
    "cycling": ("x^2", (3,), 1),
    "cycling in two": ("abs(x) + y^2", (0.5, 1), 1),
    "not a number on the way": ("sqrt(x)", (0.1,), 0.05),
    "a pole on the way": ("1/x + x", (0.5,), 0.125),
    "not a number at the start": ("log(x)", (-1,), 0.1),
    "infinite slope at the start": ("sqrt(x)", (0,), 0.1),
    "flat": ("0*x + 3", (2,), 0.1),
    "flat in one direction": ("(x-y)^2", (2, 1), 0.1),
    "plateau": ("tanh(x)^2", (30,), 0.1),
    "already there": ("x^2", (0,), 0.1),
    "negative zero": ("x^3", (-0.0,), 0.1),
    "upward for ever": ("-x", (0,), 1e307),
    "infinite and finite": ("exp(-x)", (-700,), 1e10),
    "still at infinity": ("-atan(x)", (0,), 1e307),
    "huge slopes": ("1e160*x^2", (3,), 1e-161),
    "tiny steps": ("x^2 + y^2", (1e-158, 2e-159), 0.1),
    "tiny steps, one variable": ("x^2", (1e-158,), 0.1),
    "huge steps": ("x^2 + y^2", (1e153, 1e152), 0.9),
    "denormal": ("x^2", (1e-310,), 0.1),
    "kinks": ("abs(x) + abs(y-1)", (0.35, 0.2), 0.1),
    "jumps": ("floor(x) + x^2 + where(x < 1, x, 2*x)", (2.5,), 0.1),
    "powers of constants": ("2^x + 8^(-x)", (1,), 0.1),
    "constants in a condition": ("where(x > 1e300, x, x^2)", (1,), 0.1),
}


def objective(text, *, machine):
    return FormulaObjective(make_problem(parse(text)), 10, compiled=machine)


def start_of(values):
    return Vector([float(v) for v in values])


def interpreted(text, start, rate, rules):
    """Return (run, what was counted at its end)."""
    seen = []
    run = descend(objective(text, machine=False), GradientDescent(rate), start_of(start), rules, watch=seen.append)
    return run, seen[-1]


@pytest.fixture
def loops(monkeypatch):
    """The compiled loops that `walk` makes."""
    made = []

    class Kept(SmallLoop):
        def __init__(self, *args, **settings):
            super().__init__(*args, **settings)
            made.append(self)

    monkeypatch.setattr(small, "SmallLoop", Kept)
    return made


def assert_same_run(a, b):
    assert (a.ending, a.steps, a.looks, a.rises) == (b.ending, b.steps, b.looks, b.rises)
    assert same(a.step_size, b.step_size)
    assert len(a.tail) == len(b.tail)
    for p, q in zip(a.tail, b.tail, strict=True):
        assert all_same(p, q)
    for p, q in ((a.last, b.last), (a.best, b.best), ((a.start, None), (b.start, None))):
        assert all_same(p[0], q[0])
    for p, q in ((a.last.evaluation, b.last.evaluation), (a.best.evaluation, b.best.evaluation)):
        assert same(p.cost, q.cost)
        assert all_same(p.gradient, q.gradient)


def assert_same_walk(text, start, rate, rules, loops):
    right, progress = interpreted(text, start, rate, rules)
    found = walk(objective(text, machine=True), GradientDescent(rate), start_of(start), rules)
    assert found.tier == "machine code"
    assert_same_run(found, right)
    loop = loops[-1]
    if any(isinstance(rule, Idle) for rule in rules.rules):
        assert loop.integer(small_layout.IDLE) == progress.idle
    if any(isinstance(rule, Unmoved) for rule in rules.rules):
        assert bool(loop.integer(small_layout.STILL)) != progress.moved
    return found


@pytest.mark.parametrize("rules", [ARTICLE, PRECISE, FAR, EVERY], ids=["article", "precise", "far", "every"])
@pytest.mark.parametrize("name", FORMULAS)
def test_same_path(name, rules, loops):
    assert_same_walk(*FORMULAS[name], rules, loops)


@pytest.mark.parametrize("seed", range(60))
def test_random_costs(seed, loops):
    rng = random.Random(seed)
    text = random_formula(rng, 3)
    while not names_in(text) or "gammaln" in text:  # the interpreter's is another
        text = random_formula(rng, 3)
    rate = rng.choice([1e-3, 0.1, 0.7, 3.0, "0.3/(1+k)", "0.1*cos(k)^2"])
    rules = rng.choice([ARTICLE, PRECISE, FAR, EVERY])
    assert_same_walk(text, [rng.gauss(0, 2) for _ in names_in(text)], rate, rules, loops)


def names_in(text):
    tape, root = parse(text)
    return tuple(tape.symbols((root,)))


@pytest.mark.parametrize(
    ("name", "rules", "ending"),
    [
        ("one variable", NotFinite() | Steps(0), Ending.STEPS),
        ("one variable", NotFinite() | Looks(1), Ending.LOOKS),
        ("one variable", NotFinite() | Steps(1), Ending.STEPS),
        ("one variable", NotFinite() | Looks(7) | Steps(9), Ending.LOOKS),
        ("one variable", NotFinite() | Looks(9) | Steps(7), Ending.STEPS),
        ("one variable", NotFinite() | Steps(5) | Seconds(1e9), Ending.STEPS),
        ("one variable", StepSize(inf) | NotFinite() | Steps(5), Ending.STEP_SMALL),
        ("flat", NotFinite() | Unmoved() | Steps(5), Ending.UNMOVED),
        ("flat", NotFinite() | Idle(3) | Steps(9), Ending.IDLE),
        ("flat", NotFinite() | Idle(0) | Steps(9), Ending.IDLE),
        ("not a number at the start", NotFinite() | Steps(0), Ending.NOT_FINITE),
        ("cycling", NotFinite() | Unmoved() | Looks(10**4) | Idle(100), Ending.IDLE),
        ("diverging", NotFinite() | Steps(10**6), Ending.NOT_FINITE),
        ("upward for ever", NotFinite() | Steps(10**4), Ending.NOT_FINITE),
    ],
)
def test_endings(name, rules, ending, loops):
    assert assert_same_walk(*FORMULAS[name], rules, loops).ending is ending


# Two rules hold after the same look: the first in order names the ending.
TIES = {
    "small step into a hole": ("where(x > 1, sqrt(x - 1) + x, sqrt(x - 1))", (1.001,), 1e-4,
                               (StepSize(1), NotFinite(), Steps(9))),
    "budget and idle": ("0*x + 3", (2,), 0.1, (NotFinite(), Looks(4), Idle(3))),
    "budget and no move": ("0*x + 3", (2,), 0.1, (NotFinite(), Looks(2), Unmoved())),
    "steps and looks": ("x^2", (3,), 0.1, (NotFinite(), Looks(6), Steps(5))),
    "small step at the end": ("x^2", (3,), 0.1, (NotFinite(), Steps(1), StepSize(10))),
}  # fmt: skip


AS_IT_WAS_TYPED = [  # the rate is added up in the order of the rate, whatever the cost holds
    ("(k + sin(k) + cos(k))^2/50 + k^2", (start / 7,), "0.01*(cos(k) + sin(k) + k)/(1 + k)") for start in range(8)
]
HUGE = ("1e200*x^2", (3,), 1e-199)  # diverges; every slope's square is infinite, and the best point is the start


def test_a_rate_that_shares_a_sum_with_the_cost(loops):
    for case in AS_IT_WAS_TYPED:
        assert_same_walk(*case, ARTICLE, loops)


def test_the_best_point_where_slopes_are_huge(loops):
    assert assert_same_walk(*HUGE, NotFinite() | Steps(20), loops).best.point == Vector([3.0])


@pytest.mark.expects_fallback
def test_a_rate_without_machine_code(monkeypatch):
    monkeypatch.setitem(NO_MACHINE_CODE, "polygamma", "there is no polygamma function here")
    rate = GradientDescent("0.1*polygamma(1, k + 1)")
    run = walk(objective("x^2", machine=True), rate, Vector([3.0]), ARTICLE)
    assert run.tier == "interpreted: there is no polygamma function here"
    assert (run.steps, run.ending) == (200, Ending.STEPS)


def in_order(rules):
    joined, *others = rules
    for rule in others:
        joined = joined | rule
    return joined


@pytest.mark.parametrize("name", TIES)
def test_ties_backward(name, loops):
    text, start, rate, rules = TIES[name]
    assert_same_walk(text, start, rate, in_order(reversed(rules)), loops)


@pytest.mark.parametrize("name", TIES)
def test_ties(name, loops):
    text, start, rate, rules = TIES[name]
    assert_same_walk(text, start, rate, in_order(rules), loops)


@pytest.mark.parametrize("slices", [(1, 0.0), (3, 0.0), (7, 1e-9), (10**9, 1.0)])
@pytest.mark.parametrize("name", ["two", "cycling", "diverging", "rate of the step", "five"])
def test_slices_of_any_size_are_the_same_run(name, slices, loops, monkeypatch):
    monkeypatch.setattr(compiled, "FIRST_SLICE", slices[0])
    monkeypatch.setattr(compiled, "SLICE_SECONDS", slices[1])
    for rules in (ARTICLE, FAR):
        assert_same_walk(*FORMULAS[name], rules, loops)


def machine_loop(text, start, rate, *, steps):
    objective_ = objective(text, machine=True)
    program = trace_rule(GradientDescent(rate), objective_.machine, objective_.names)
    return SmallLoop(
        program, start_of(start), LoopRules(True, True, True), max_steps=steps, patience=10**9, step_limit=0.0
    )


def state(loop):
    return [*loop.x, *loop.best, *(c for p in loop.tail for c in p), *loop._d], list(loop._n)


class TestSmallLoop:
    def test_random_slices(self):
        rng = random.Random(1)
        whole = machine_loop("(1-x)^2 + 100*(y-x^2)^2", (-1.2, 1), 1e-3, steps=5000)
        assert whole.run(10**9) == small_layout.STEPS_DONE
        cut = machine_loop("(1-x)^2 + 100*(y-x^2)^2", (-1.2, 1), 1e-3, steps=5000)
        while cut.run(rng.choice([1, 2, 3, 8, 50])) == small_layout.RUNNING:
            pass
        assert all_same(state(cut)[0], state(whole)[0])
        assert state(cut)[1] == state(whole)[1]

    def test_a_slice_stands_at_a_point_not_yet_looked_at(self):
        loop = machine_loop("x^2", (3,), 0.1, steps=100)
        assert loop.tail == []
        assert loop.run(2) == small_layout.RUNNING
        assert loop.integer(small_layout.LOOKS) == loop.integer(small_layout.STEPS) == 2
        assert [p[0] for p in loop.tail] == [3.0, 3.0 - 0.1 * 6.0]
        assert loop.x[0] == pytest.approx(3 * 0.8**2)

    def test_running_on_after_the_end_changes_no_point(self):
        loop = machine_loop("x^2", (3,), 0.1, steps=10)
        assert loop.run(100) == small_layout.STEPS_DONE
        x = loop.x
        assert loop.run(100) == small_layout.STEPS_DONE
        assert loop.x == x

    def test_the_tail_keeps_the_last_points_oldest_first(self):
        loop = machine_loop("x^2", (3,), 0.1, steps=21)
        loop.run(100)
        assert len(loop.tail) == small_layout.TAIL
        assert all(b[0] == pytest.approx(0.8 * a[0]) for a, b in pairwise(loop.tail))
        assert loop.tail[-1] == loop.x

    def test_two_loops_at_once(self):
        a, b = (machine_loop("x^2", (s,), 0.1, steps=50) for s in (3, 5))
        while a.run(3) == small_layout.RUNNING:
            b.run(2)
        b.run(1000)
        assert b.best[0] / a.best[0] == pytest.approx(5 / 3)

    @pytest.mark.parametrize("others", [0, 1, 3])
    @pytest.mark.parametrize("step", [0.0, 5e-324, 1e-200, 3e-160, 1e-150, 1.0, 1e150, 1e160, 8e307])
    def test_step_sizes_neither_overflow_nor_underflow(self, step, others):
        """A step of a known length is small below a limit just above it, and not at its length."""
        names = ["x", "y", "z", "w"][: 1 + others]
        tape, root = parse(" + ".join(f"0*{name}" for name in names))
        by = tape.symbol("by")
        # The number of the step is the factor: nothing moves in step 0, all double in step 1.
        symbols = [tape.symbol(name) for name in names]
        new = [tape.raw("add", (x, tape.raw("mul", (x, by)))) for x in symbols]
        program = lower(tape, [root, *[tape.constant(0)] * len(names), *new], [*names, "by"])
        start = Vector([step / (1 + 2 * k) for k in range(len(names))][::-1])
        length = start.norm()
        for limit, small_at in ((length, False), (math.nextafter(length, inf), True)):
            loop = SmallLoop(
                program, start, LoopRules(step_size=True, unmoved=False), max_steps=2, patience=9, step_limit=limit
            )
            assert loop.run(1) == small_layout.RUNNING
            loop._n[small_layout.SMALL] = 0  # the first step, of length 0, was small
            loop.run(1)
            assert bool(loop.integer(small_layout.SMALL)) is small_at, limit


class TestTenMillionSteps:
    """The article's square with a rate of 1e-9: all steps are taken, and the last point proves it."""

    STEPS = 10_000_000

    def test_last_point(self):
        run = walk(
            objective("x^2", machine=True), GradientDescent(1e-9), Vector([3.0]), NotFinite() | Steps(self.STEPS)
        )
        assert (run.steps, run.looks, run.ending) == (self.STEPS, self.STEPS + 1, Ending.STEPS)
        x = 3.0
        for _ in range(self.STEPS):
            x = x - 1e-9 * (2.0 * x)
        assert run.last.point[0] == x
        assert x == pytest.approx(3 * math.exp(self.STEPS * math.log1p(-2e-9)), rel=1e-10)
