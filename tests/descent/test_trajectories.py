"""On quadratics the paths have closed forms, here in 50 digits: x_k = x* + (I - rA)^k (x_0 - x*) and the like."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import descend
from descend.descent.compiled import walk
from descend.descent.loop import descend as loop
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.method.momentum import Momentum
from descend.descent.method.nesterov import Nesterov
from descend.descent.stopping import Idle, Looks, NotFinite, Steps, StepSize, Unmoved
from descend.descent.trace import Recorder
from descend.errors import MethodError
from descend.expression.parse import parse
from descend.kernel.compile import COUNTERS
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector

DIGITS = 50


def quadratic(size, seed, condition):
    """Return (A, x*) with small whole numbers in x*, and A exactly representable."""
    rng = np.random.default_rng(seed)
    rotation, _ = np.linalg.qr(rng.normal(size=(size, size)))
    matrix = rotation @ np.diag(np.geomspace(1.0, condition, size)) @ rotation.T
    matrix = np.round(0.5 * (matrix + matrix.T) * 1024) / 1024
    return matrix, rng.integers(-5, 6, size).astype(float)


def cost_text(matrix, centre):
    """½ (x - x*)ᵀ A (x - x*), written out."""
    names = [f"x{k}" for k in range(len(centre))]
    terms = [
        f"({matrix[i, j]!r})*({names[i]} - ({centre[i]!r}))*({names[j]} - ({centre[j]!r}))"
        for i in range(len(names))
        for j in range(len(names))
    ]
    return f"({' + '.join(terms)})/2".replace("np.float64", "")


def closed_form(matrix, centre, start, rate, count):
    """Return x_0 … x_count in 50 digits, each from a matrix power."""
    with mp.workdps(DIGITS):
        step = mp.eye(len(centre)) - mp.mpf(rate) * mp.matrix(matrix.tolist())
        away = mp.matrix([mp.mpf(s) - mp.mpf(c) for s, c in zip(start, centre, strict=True)])
        points = [step**k * away + mp.matrix(centre.tolist()) for k in range(count + 1)]
        return np.array([[float(v) for v in p] for p in points])


def two_term_form(matrix, centre, start, rate, count, weights):
    """Return the points of a recursion of two terms, in 50 digits.

    `weights` gives the upper blocks of the matrix of step k, which takes (z_k, z_{k-1}) to (z_{k+1}, z_k), with z the
    distance from x*.
    """
    size = len(centre)
    with mp.workdps(DIGITS):
        eye, gradient = mp.eye(size), mp.eye(size) - mp.mpf(rate) * mp.matrix(matrix.tolist())
        away = [mp.mpf(s) - mp.mpf(c) for s, c in zip(start, centre, strict=True)]
        pair, points = mp.matrix(away + away), []
        for k in range(count + 1):
            points.append([float(pair[i] + mp.mpf(centre[i])) for i in range(size)])
            upper, lower = weights(k, gradient, eye)
            step = mp.zeros(2 * size)
            for i in range(size):
                step[size + i, i] = 1
                for j in range(size):
                    step[i, j], step[i, size + j] = upper[i, j], lower[i, j]
            pair = step * pair
        return np.array(points)


def ball(momentum):
    """x_{k+1} = (I - rA + βI) x_k - β x_{k-1}: one matrix, so the points are its powers."""
    return lambda _k, gradient, eye: (gradient + mp.mpf(momentum) * eye, -mp.mpf(momentum) * eye)


def accelerated(momentum):
    """The points before the momentum: x_{k+1} = (I - rA)((1 + β_k) x_k - β_k x_{k-1}), β_0 = 0."""
    numbers = [mp.mpf(1)]

    def weights(k, gradient, _eye):
        with mp.workdps(DIGITS):
            while len(numbers) < k + 2:
                numbers.append((1 + mp.sqrt(1 + 4 * numbers[-1] ** 2)) / 2)
            # y_k = x_k + β_{k-1} (x_k - x_{k-1})
            beta = 0 if k == 0 else mp.mpf(momentum) if momentum else (numbers[k - 1] - 1) / numbers[k]
            return (1 + beta) * gradient, -beta * gradient

    return weights


@pytest.mark.parametrize(
    ("size", "condition", "rate"), [(1, 1.0, 0.3), (2, 10.0, 0.05), (3, 100.0, 0.01), (6, 30.0, 0.03)]
)
@pytest.mark.parametrize("momentum", [None, 0.5, 0.8])
def test_heavy_ball_and_nesterov_on_a_quadratic(size, condition, rate, momentum):
    """The heavy ball against its two-term matrix; Nesterov's points x_k against theirs, found from where it looks."""
    matrix, centre = quadratic(size, size, condition)
    start = centre + np.arange(1, size + 1)
    text, count = cost_text(matrix, centre), 60

    def path(method):
        rules, recorder = NotFinite() | Steps(count), Recorder([f"x{k}" for k in range(size)])
        run = loop(objective_of(text), method, Vector(start), rules, recorder=recorder)
        return np.array([list(row.point) for row in run.trace]), np.array([list(row.gradient) for row in run.trace])

    if momentum is not None:
        expected = two_term_form(matrix, centre, start, rate, count, ball(momentum))
        found, _ = path(Momentum(rate, momentum=momentum))
        assert np.abs(found - expected).max() <= 1e-13 * np.abs(expected - centre).max()
    expected = two_term_form(matrix, centre, start, rate, count, accelerated(momentum))
    looked, slopes = path(Nesterov(rate, momentum=momentum, restart=False))
    found = np.vstack([start, (looked - rate * slopes)[:-1]])
    assert np.abs(found - expected).max() <= 1e-13 * np.abs(expected - centre).max()


@pytest.mark.parametrize("momentum", [0.25, 0.9])
def test_the_heavy_ball_is_the_power_of_one_matrix(momentum):
    """In one variable z_k is the first entry of [[1 + β - ra, -β], [1, 0]]^k (z_0, z_0)."""
    with mp.workdps(DIGITS):
        rate, curvature = mp.mpf(0.0625), mp.mpf(6)
        step = mp.matrix([[1 + mp.mpf(momentum) - rate * curvature, -mp.mpf(momentum)], [1, 0]])
        expected = [float((step**k * mp.matrix([5, 5]))[0] + 2) for k in range(81)]
    result = descend.minimize("3*(x-2)^2", 7, method=Momentum(0.0625, momentum=momentum), max_looks=81, trace=True)
    assert np.abs(np.array(result.trace["x"]) - expected[: len(result.trace)]).max() <= 1e-13 * 5
    assert len(result.trace) > 50


def objective_of(text, *, compiled=False):
    return FormulaObjective(make_problem(parse(text)), 1, compiled=compiled)


@pytest.mark.parametrize(
    ("size", "condition", "rate"), [(1, 1.0, 0.3), (2, 10.0, 0.05), (3, 100.0, 0.019), (6, 30.0, 0.06)]
)
@pytest.mark.parametrize("compiled", [False, True])
def test_the_path_on_a_quadratic_is_the_closed_form(size, condition, rate, compiled):
    matrix, centre = quadratic(size, size, condition)
    start = centre + np.arange(1, size + 1)
    expected = closed_form(matrix, centre, start, rate, 60)
    text = cost_text(matrix, centre)
    scale = np.abs(expected - centre).max()
    if compiled:  # one run for each length: the machine loop keeps only its ends
        for count in (1, 2, 17, 60):
            run = walk(
                objective_of(text, compiled=True), GradientDescent(rate), Vector(start), NotFinite() | Steps(count)
            )
            assert run.tier == "machine code"
            assert np.abs(np.array(list(run.last.point)) - expected[count]).max() <= 1e-13 * scale
    else:
        result = descend.minimize(text, list(start), learning_rate=rate, max_looks=61, trace=True)
        path = np.array([list(row.point) for row in result.trace])
        assert path.shape == expected.shape
        assert np.abs(path - expected).max() <= 1e-13 * scale


def test_ten_thousand_steps_in_machine_code_end_where_the_formula_says():
    result = descend.gradient_descent("(x-1)^2 + 2*(y+3)^2", {"x": 4, "y": 0}, 1e-5, max_iterations=300_000)
    with mp.workdps(DIGITS):
        expected = [1 + 3 * (1 - 2 * mp.mpf(1e-5)) ** 300_000, -3 + 3 * (1 - 4 * mp.mpf(1e-5)) ** 300_000]
    assert result.evaluator == "machine code"
    assert result.steps == 300_000
    assert [result["x"], result["y"]] == pytest.approx([float(e) for e in expected], abs=1e-10)


def test_a_rate_that_is_a_formula_of_the_step():
    rates = [0.4 / (1 + k / 5) for k in range(30)]
    x, points = 3.0, [3.0]
    for rate in rates:
        x -= rate * 2 * x
        points.append(x)
    result = descend.minimize("x^2", 3, learning_rate="0.4/(1+k/5)", max_looks=31, trace=True)
    assert result.trace["x"] == pytest.approx(points, rel=1e-14)


@pytest.mark.parametrize("text", ["a/k", "x", "k+j", "y"])
def test_a_rate_formula_of_other_names_is_refused(text):
    with pytest.raises(MethodError, match="step number k"):
        descend.minimize("x^2", 3, learning_rate=text)


RULES = {
    "steps": NotFinite() | Steps(37),
    "looks": NotFinite() | Looks(37),
    "step size": StepSize(1e-3) | NotFinite() | Steps(5000),
    "idle": NotFinite() | Unmoved() | Looks(3000) | Idle(40),
}


@pytest.mark.parametrize("rules", RULES)
@pytest.mark.parametrize("rate", [0.05, "0.05/(1+k/100)"])
@pytest.mark.parametrize(
    "text", ["(x-1)^2 + x^4 + (y-2)^2/3 + x*y/5", "log(1+x^2) + cosh(y/3)", "x^3 - y", "1/x + y^2"]
)
def test_the_machine_loop_walks_as_the_loop_does(rules, rate, text):
    """Bit for bit: one definition of the method, run by hand and traced into machine code."""
    start, method, stopping = Vector([0.7, -0.4]), GradientDescent(rate), RULES[rules]
    machine = walk(objective_of(text, compiled=True), method, start, stopping)
    by_hand = loop(objective_of(text, compiled=True), method, start, stopping)
    assert machine.tier == "machine code"
    assert (machine.ending, machine.steps, machine.looks) == (by_hand.ending, by_hand.steps, by_hand.looks)
    assert (machine.last.point, machine.best.point) == (by_hand.last.point, by_hand.best.point)
    assert machine.rises == by_hand.rises
    assert machine.tail == by_hand.tail
    assert machine.step_size == by_hand.step_size


def test_the_interpreter_and_machine_code_take_the_same_path():
    text, start = "x^4 - 3*x^2 + x + y^2*x^2 + y^2", Vector([2.0, 1.0])
    rules = NotFinite() | Steps(500)
    runs = [loop(objective_of(text, compiled=c), GradientDescent(0.01), start, rules) for c in (False, True)]
    assert list(runs[0].last.point) == pytest.approx(list(runs[1].last.point), rel=1e-12)


def test_no_silent_fallback():
    before = COUNTERS.fallbacks
    assert descend.gradient_descent("x^2", 3, 1e-9, max_iterations=2_000_000).evaluator == "machine code"
    assert COUNTERS.fallbacks == before
