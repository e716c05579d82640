"""Fixed-step methods against the papers: the recursions in 50 digits, an independent library, and their own loops."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import descend
from descend.box import Box
from descend.descent.compiled import walk
from descend.descent.loop import descend as loop
from descend.descent.status import Ending
from descend.descent.stopping import Idle, NotFinite, Steps, StepSize, Unmoved
from descend.descent.trace import Recorder
from descend.errors import MethodError
from descend.expression.parse import parse
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import ArrayVector, Vector
from tests.kernel.tapes import all_same
from tests.oracles import recursions

STEPS = 120
FEW = 40  # of the methods whose last bits grow from step to step: they swing around the minimum
SWINGING = {"rmsprop", "rmsprop ε", "adam set", "dog"}


def curved(v):
    """The slope of log(1 + x²) + cosh(y/3) + xy/9 + z⁴/4 + z²/2 - z."""
    x, y, z = v
    return [2 * x / (1 + x**2) + y / 9, mp.sinh(y / 3) / 3 + x / 9, z**3 + z - 1]


def bowl(v):
    """The slope of (x-1)² + 25(y+2)²/2."""
    return [2 * (v[0] - 1), 25 * (v[1] + 2)]


COSTS = {
    "curved": ("log(1+x^2) + cosh(y/3) + x*y/9 + z^4/4 + z^2/2 - z", curved, (3.0, -2.5, 0.25)),
    "bowl": ("(x-1)^2 + 25*(y+2)^2/2", bowl, (3.0, 1.5)),
}

# name → (method, the paper's path).
PAPERS = {
    "momentum": (descend.Momentum(0.03), lambda *a: recursions.heavy_ball(*a, 0.03, 0.9)),
    "weak momentum": (descend.Momentum(0.05, momentum=0.25), lambda *a: recursions.heavy_ball(*a, 0.05, 0.25)),
    "nesterov": (descend.Nesterov(0.03), lambda *a: recursions.nesterov(*a, 0.03, restart=True)),
    "nesterov on": (descend.Nesterov(0.03, restart=False), lambda *a: recursions.nesterov(*a, 0.03)),
    "nesterov fixed": (
        descend.Nesterov(0.03, momentum=0.7, restart=False), lambda *a: recursions.nesterov(*a, 0.03, 0.7),
    ),
    "adagrad": (descend.AdaGrad(0.5), lambda *a: recursions.adagrad(*a, 0.5)),
    "adagrad ε": (descend.AdaGrad(0.5, epsilon=0.1), lambda *a: recursions.adagrad(*a, 0.5, 0.1)),
    "rmsprop": (descend.RMSProp(0.02), lambda *a: recursions.rmsprop(*a, 0.02, 0.9)),
    "rmsprop ε": (descend.RMSProp(0.02, 0.8, 0.01), lambda *a: recursions.rmsprop(*a, 0.02, 0.8, 0.01)),
    "adadelta": (descend.Adadelta(), lambda *a: recursions.adadelta(*a, 0.95, 1e-6)),
    "adam": (descend.Adam(0.1), lambda *a: recursions.adam(*a, 0.1)),
    "adam set": (
        descend.Adam(0.05, beta1=0.5, beta2=0.75, epsilon=0.01), lambda *a: recursions.adam(*a, 0.05, 0.5, 0.75, 0.01),
    ),
    "adamw": (
        descend.AdamW(0.1, weight_decay=0.01), lambda *a: recursions.adam(*a, 0.1, weight_decay=0.01),
    ),
    "adamw scheduled": (
        descend.AdamW("0.1/(1+k/10)", weight_decay=0.01),
        lambda *a: recursions.adam(*a, lambda k: mp.mpf(0.1) / (1 + mp.mpf(k) / 10), weight_decay=0.01),
    ),
    "amsgrad": (descend.AMSGrad(0.1), lambda *a: recursions.amsgrad(*a, 0.1)),
    "nadam": (descend.Nadam(0.1), lambda *a: recursions.nadam(*a, 0.1)),
    "lion": (descend.Lion(0.01, weight_decay=0.125), lambda *a: recursions.lion(*a, 0.01, weight_decay=0.125)),
    "dog": (descend.DoG(), lambda s, x, n: recursions.dog(s, x, n, 1e-6 * recursions.length(recursions.exact(x)))),
    "adgd": (
        descend.AdGD(first=0.01),
        lambda s, x, n: recursions.adgd(
            s, x, n, 0.01 * recursions.length(recursions.exact(x)) / recursions.length(s(recursions.exact(x)))
        ),
    ),
}  # fmt: skip
METHODS = {name: method for name, (method, _) in PAPERS.items()}


def objective(text, *, compiled=False):
    return FormulaObjective(make_problem(parse(text)), 1, compiled=compiled)


def path_of(text, method, start, steps=STEPS, *, compiled=False, rules=None):
    made = objective(text, compiled=compiled)
    go = walk if compiled else loop
    return go(made, method, Vector(start), rules or NotFinite() | Steps(steps), recorder=Recorder(made.names))


@pytest.mark.parametrize("cost", COSTS)
@pytest.mark.parametrize("name", PAPERS)
def test_the_path_is_the_papers(name, cost):
    """To 1e-12 of the path's size, the first steps included (each alone to 1e-14)."""
    method, published = PAPERS[name]
    text, slope, start = COSTS[cost]
    steps = FEW if name in SWINGING else STEPS
    with mp.workdps(recursions.DIGITS):
        expected = np.array([[float(v) for v in point] for point in published(slope, start, steps)])
    found = np.array([list(row.point) for row in path_of(text, method, start, steps).trace])
    assert found.shape == expected.shape
    size = np.abs(expected).max()
    assert np.abs(found[:4] - expected[:4]).max() <= 1e-14 * size
    assert np.abs(found - expected).max() <= 1e-12 * size
    assert np.abs(expected[-1] - expected[0]).max() > 1e-6 * size  # the path leads somewhere


@pytest.mark.parametrize("name", ["momentum", "rmsprop ε", "adadelta", "adam", "adam set"])
def test_the_path_is_torchs(name):
    torch = pytest.importorskip("torch", reason="PyTorch is too large for the test extra; the papers are tested above")
    optimisers = {
        "momentum": lambda p: torch.optim.SGD(p, lr=0.03, momentum=0.9),
        "rmsprop ε": lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.8, eps=0.01),
        "adadelta": lambda p: torch.optim.Adadelta(p, lr=1.0, rho=0.95, eps=1e-6),
        "adam": lambda p: torch.optim.Adam(p, lr=0.1),
        "adam set": lambda p: torch.optim.Adam(p, lr=0.05, betas=(0.5, 0.75), eps=0.01),
    }
    text, _, start = COSTS["curved"]
    point = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimiser = optimisers[name]([point])
    expected = [list(start)]
    for _ in range(FEW):
        optimiser.zero_grad()
        x, y, z = point
        cost = torch.log(1 + x**2) + torch.cosh(y / 3) + x * y / 9 + z**4 / 4 + z**2 / 2 - z
        cost.backward()
        optimiser.step()
        expected.append(point.detach().tolist())
    found = [list(row.point) for row in path_of(text, METHODS[name], start, FEW).trace]
    assert np.abs(np.array(found) - np.array(expected)).max() <= 1e-11


RULES = StepSize(1e-9) | NotFinite() | Unmoved() | Idle(60) | Steps(900)
LOOPS = {
    "one variable": ("x^4 + x", (2.0,)),
    "valley": ("(1-x)^2 + 100*(y-x^2)^2", (-1.2, 1.0)),
    "three": COSTS["curved"][::2],
    "from zero": ("(x-1)^2 + abs(y+2)", (0.0, 0.0)),
    "flat": ("0*x + 3", (2.0,)),
    "a slope of zero in one": ("x^2 + 0*y", (2.0, 1.0)),
    "out of the domain": ("sqrt(x) + y^2", (0.05, 1.0)),
    "huge": ("1e200*x^2 + y^2", (3.0, 1e-3)),
    "tiny": ("1e-200*x^2 + 1e-201*y^2", (3.0, 1e-3)),
}
SCHEDULED = {
    "momentum scheduled": descend.Momentum("0.05/(1+k/10)"),
    "nesterov scheduled": descend.Nesterov("0.05/(1+k/10)"),
    "adam scheduled": descend.Adam("0.3/(1+k)"),
}


@pytest.mark.parametrize("case", LOOPS)
@pytest.mark.parametrize("name", [*METHODS, *SCHEDULED])
def test_the_machine_loop_walks_as_the_loop_does(name, case):
    method, (text, start) = (METHODS | SCHEDULED)[name], LOOPS[case]
    machine = path_of(text, method, start, compiled=True, rules=RULES)
    by_hand = path_of(text, method, start, rules=RULES)
    assert (machine.tier, by_hand.tier) == ("machine code", "interpreted")
    assert (machine.ending, machine.steps, machine.looks) == (by_hand.ending, by_hand.steps, by_hand.looks)
    assert all_same(machine.best.point, by_hand.best.point)
    assert len(machine.trace) == len(by_hand.trace)
    for a, b in zip(machine.trace, by_hand.trace, strict=True):
        assert all_same(a.point, b.point)
        assert all_same((a.cost, a.step_size, a.learning_rate), (b.cost, b.step_size, b.learning_rate))


@pytest.mark.parametrize("name", METHODS)
def test_slices_hand_the_memory_on(name, monkeypatch):
    """A loop cut into slices of one look each is the loop in one piece."""
    text, _, start = COSTS["curved"]
    whole = path_of(text, METHODS[name], start, compiled=True)
    monkeypatch.setattr("descend.descent.compiled.SLICE_SECONDS", 0.0)
    pieces = path_of(text, METHODS[name], start, compiled=True)
    assert [list(row.point) for row in pieces.trace] == [list(row.point) for row in whole.trace]


@pytest.mark.parametrize("name", METHODS)
def test_arrays_walk_as_tuples_do(name):
    """A point of many variables is a NumPy array; its path is the same but for the order of sums."""
    text, _, start = COSTS["curved"]
    made = objective(text)

    class Arrays:
        names, box, work = made.names, None, made.work

        def look(self, point):
            seen = made.look(Vector(point))
            return seen._replace(gradient=ArrayVector(list(seen.gradient)))

    run = loop(Arrays(), METHODS[name], ArrayVector(start), NotFinite() | Steps(STEPS))
    assert list(run.last.point) == pytest.approx(list(path_of(text, METHODS[name], start).last.point), rel=1e-12)


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("rate", "steps"), [("0.1 - k/100", 10), ("0.1/(20-k)", 20), ("0.05*sqrt(7.5-k)", 8)])
@pytest.mark.parametrize("method", [descend.GradientDescent, descend.Momentum, descend.Adam])
def test_a_rate_that_stops_being_positive_ends_the_run_there(method, rate, steps, compiled):
    run = path_of("x^2 + y^2/3", method(rate), (3.0, 1.0), 500, compiled=compiled)
    assert run.ending is Ending.RATE
    assert (run.steps, run.looks) == (steps, steps + 1)
    assert run.tier == ("machine code" if compiled else "interpreted")
    assert run.trace.rows[-1].accepted
    assert run.last.evaluation.finite


def test_the_result_says_where_the_rate_went_wrong():
    result = descend.minimize("x^2", 3, learning_rate="0.01 - k/5000", max_looks=1000)
    assert result.status is descend.Status.STALLED
    assert "The learning rate is not a positive number at the step number k = 50; mend its formula" in result.advice


@pytest.mark.parametrize("compiled", [False, True])
def test_a_budget_that_ends_at_the_bad_rate_is_a_budget(compiled):
    run = path_of("x^2", descend.GradientDescent("0.1 - k/100"), (3.0,), 10, compiled=compiled)
    assert (run.ending, run.steps) == (Ending.STEPS, 10)


@pytest.mark.parametrize("name", METHODS)
def test_in_a_box_every_look_is_inside(name):
    """And on a separable cost the corner is reached (AdamW and Lion decay to another point)."""
    made = objective("(x-1)^2 + (y+2)^2")
    made.box = Box(Vector([1.5, -1.0]), Vector([float("inf"), 3.0]))
    run = walk(made, METHODS[name], Vector([3.0, 2.5]), NotFinite() | Steps(3000), recorder=Recorder(made.names, 5000))
    assert run.tier == "interpreted"
    assert all(made.box.contains(row.point) for row in run.trace)
    if name not in {"adadelta", "lion", "rmsprop", "rmsprop ε"}:
        assert list(run.last.point) == pytest.approx([1.5, -1.0], abs=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: descend.Momentum(0.1, momentum=1), "momentum is a number of at least 0 and less than 1, not 1"),
        (lambda: descend.Momentum(0.1, momentum="a"), "momentum is a number"),
        (lambda: descend.Adam(beta1=-0.1), "beta1 is a number of at least 0 and less than 1, not -0.1"),
        (lambda: descend.Adam(epsilon=float("nan")), "epsilon is a number of at least 0, not nan"),
        (lambda: descend.Adam(learning_rate=0), "greater than 0"),
        (lambda: descend.Adam(learning_rate=None), "greater than 0"),
        (lambda: descend.Adam(learning_rate=True), "greater than 0"),
        (lambda: descend.Adam(learning_rate="0.1*x"), "step number k"),
        (lambda: descend.AdamW(weight_decay=None), "weight_decay is a number"),
        (lambda: descend.Nesterov(0.1, restart=1), "restart is True or False"),
        (lambda: descend.DoG(first=0), "first is a number greater than 0, not 0"),
        (lambda: descend.Lion(beta2=1.0), "beta2 is a number"),
    ],
)
def test_settings_that_make_no_sense(make, words):
    with pytest.raises(MethodError, match=words):
        make()


@pytest.mark.parametrize("unit", [1e-12, 1e12])
@pytest.mark.parametrize("name", ["adgd", "dog", "adagrad", "rmsprop", "amsgrad", "lion"])
def test_the_unit_of_the_cost_does_not_change_the_path(name, unit):
    text, _, start = COSTS["bowl"]
    method = descend.Lion(0.01) if name == "lion" else METHODS[name]
    plain = np.array([list(row.point) for row in path_of(text, method, start).trace])
    scaled = np.array([list(row.point) for row in path_of(f"{unit!r}*({text})", method, start).trace])
    assert np.abs(plain - scaled).max() <= 1e-9 * np.abs(plain).max()


@pytest.mark.parametrize("unit", [1e-12, 1e12])
@pytest.mark.parametrize("name", ["adgd", "dog"])
def test_the_unit_of_the_variables_does_not_change_the_path(name, unit):
    method = METHODS[name]
    plain = np.array([list(row.point) for row in path_of("(x-1)^2 + 25*(y+2)^2/2", method, (3.0, 1.5)).trace])
    text = f"(x/{unit!r}-1)^2 + 25*(y/{unit!r}+2)^2/2"
    scaled = np.array([list(row.point) for row in path_of(text, method, (3.0 * unit, 1.5 * unit)).trace])
    assert np.abs(plain - scaled / unit).max() <= 1e-9 * np.abs(plain).max()
