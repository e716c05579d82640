"""Random costs of 1 to 12 variables, at nasty points too: the compiled loop's run is the Python loop's, bit for bit."""

from __future__ import annotations

import random

import pytest

from descend.descent.compiled import walk
from descend.descent.loop import descend
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.status import Ending
from descend.descent.stopping import Idle, Looks, NotFinite, Steps, StepSize, Unmoved
from descend.descent.trace import Recorder
from descend.expression.parse import parse
from descend.kernel import small_code
from descend.kernel.guess import worth_guessing
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector
from tests.kernel.tapes import all_same, random_point, same

RULES = (
    NotFinite() | Steps(120),
    StepSize(1e-3) | NotFinite() | Steps(120),
    NotFinite() | Unmoved() | Looks(150) | Idle(9),
    StepSize(1e-9) | NotFinite() | Unmoved() | Steps(90) | Idle(30),
)
RATES = (1e-9, 1e-3, 0.01, 0.05, 0.1, 0.25, 0.5, 3.0, 1e12, "0.3/(1+k)", "0.1*cos(k)^2", "2/(3+k)^2")
MILD = (  # of two variables, or one twice; the first are additions and multiplications alone
    "{0}^2", "({0} - {1})^2", "{0}*{1}/4", "-3*{0}", "0.5*{0}^2", "({0} - 1)^2 + {1}^2", "0*{0} + 2", "({0} - 0.5)^4/9",
    "abs({0} - {1})", "exp({0}/3)", "exp(-{0}^2)", "sin({0})*cos({1})", "log(1 + {0}^2)", "tanh({0}*{1})",
    "max({0}, {1})", "where({0} < {1}, {0}^2, {1})", "atan({0})^2", "sqrt(1 + {0}^2)",
)  # fmt: skip
WILD = (
    "{0}^2*{1}^2", "({0} - {1}^2)^2", "-2*({0} + {1})^2", "1e-200*{0}^2", "1e300*{0}*{1}", "1e100*{0}^2", "sqrt({0})",
    "1/{0}", "{0}^3/({1} - 1)", "cosh({0})", "log({0})",
)  # fmt: skip


def drawn(seed):
    """Return (cost as text, start, rate, rules)."""
    rng = random.Random(seed)
    names = [f"x{k}" for k in range(1 + seed % 12)]
    choice = MILD if seed % 3 else MILD[:8]
    terms = [rng.choice(choice).format(name, rng.choice(names)) for name in names]
    terms += [rng.choice(choice).format(*rng.choices(names, k=2)) for _ in range(rng.randrange(3))]
    if seed % 4 == 0:
        terms.append(rng.choice(WILD).format(*rng.choices(names, k=2)))
    start = random_point(rng, len(names)) if seed % 5 == 0 else [rng.gauss(0, 2) for _ in names]
    return " + ".join(f"({term})" for term in terms), start, rng.choice(RATES), rng.choice(RULES)


def both(text, start, rate, rules, limit=None):
    """Return (run of the compiled loop, run of the Python loop)."""
    runs = []
    for machine, go in ((True, walk), (False, descend)):
        objective = FormulaObjective(make_problem(parse(text)), 10, compiled=machine)
        recorder = None if limit is None else Recorder(objective.names, limit)
        runs.append(go(objective, GradientDescent(rate), Vector(start), rules, recorder=recorder))
    return runs


def assert_same(text, start, rate, rules):
    found, right = both(text, start, rate, rules)
    assert found.tier == "machine code"
    assert (found.ending, found.steps, found.looks, found.rises) == (
        right.ending, right.steps, right.looks, right.rises,
    )  # fmt: skip
    assert same(found.step_size, right.step_size)
    for a, b in zip(found.tail, right.tail, strict=True):
        assert all_same(a, b)
    for a, b in ((found.last, right.last), (found.best, right.best)):
        assert all_same(a.point, b.point)
        assert same(a.evaluation.cost, b.evaluation.cost)
        assert all_same(a.evaluation.gradient, b.evaluation.gradient)
    return found


@pytest.mark.parametrize("seed", range(240))
def test_same_run(seed):
    assert_same(*drawn(seed))


@pytest.mark.parametrize("seed", range(0, 240, 5))
def test_same_trace(seed):
    text, start, rate, rules = drawn(seed)
    found, right = both(text, start, rate, rules, 1 + seed % 40)
    assert found.trace.stride == right.trace.stride
    assert len(found.trace) == len(right.trace)
    for a, b in zip(found.trace, right.trace, strict=True):
        assert (a.step, a.look) == (b.step, b.look)
        assert all_same([*a.point, *a.gradient, *a[5:7], a.cost], [*b.point, *b.gradient, *b[5:7], b.cost])


def test_the_draw_reaches_the_endings_and_both_kinds_of_program(monkeypatch):
    kinds = set()

    def seen(program):
        kinds.add(worth_guessing(program))
        return worth_guessing(program)

    monkeypatch.setattr(small_code, "worth_guessing", seen)
    endings = {both(*drawn(seed))[0].ending for seed in range(100)}
    assert kinds == {True, False}
    assert endings >= {Ending.NOT_FINITE, Ending.STEPS, Ending.LOOKS, Ending.STEP_SMALL, Ending.IDLE}


OVERFLOWS = {  # 2·x, or the square of a slope, overflows where its factor in the step does not
    "slope overflows": ("x^2 + 0*y", (1.2e308, 1.0), 1e-3),
    "slope overflows on the way": ("(1e150*x)^2/1e300 + x^2", (4e153, ), 1e-300),
    "negative": ("-x^2", (1.2e308,), 1e-3),
    "rate times two overflows": ("x^2", (1e-3,), 1.2e308),
    "denormal slope": ("x^2", (5e-324,), 0.4),
    "denormal rate": ("x^2", (3.0,), 5e-324),
    "denormal both": ("4*x^2 + 0.25*y^2", (3e-320, 7e-322), 1e-310),
    "ends at a zero with a sign": ("x^2", (-3.0,), 0.5),
    "zero with a sign all along": ("x^2 + y^2", (-0.0, 0.0), 0.3),
}  # fmt: skip


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("name", OVERFLOWS)
def test_edges_of_the_doubles(name, rules):
    text, start, rate = OVERFLOWS[name]
    assert_same(text, [float(v) for v in start], rate, rules)


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_guess_that_is_always_wrong_changes_nothing(size, monkeypatch):
    def wrong(b, program, inputs, outputs):
        return [b.emit(f"fadd double {name}, 0x3FF0000000000000") for name in inputs[: len(outputs)]]

    monkeypatch.setattr(small_code, "guess", wrong)
    text = " + ".join(f"({k + 1}*x{k} - {k})^2" for k in range(size))
    for rules in RULES:
        assert_same(text, [1.0 + k for k in range(size)], 0.01, rules)


def test_many_variables():
    text = " + ".join(f"exp(x{k}/9) + (x{k} - x{(k + 1) % 300})^2" for k in range(300))
    found = assert_same(text, [0.01 * k for k in range(300)], 1e-2, RULES[3])
    assert found.steps == 90
