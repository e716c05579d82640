"""The six forms that must keep their digits: at most 4 bits lost by value, first and second derivative.

The truth is written out by hand for each derivative and evaluated by mpmath; it shares nothing with the tape.
"""

from __future__ import annotations

import math
import random
import sys

import mpmath as mp
import pytest

from descend.expression.derivative import gradient
from descend.expression.parse import parse
from descend.expression.stabilise import stabilise
from descend.kernel.compile import PointKernel
from descend.kernel.interpret import Interpreter
from descend.kernel.program import lower

MOST = 4.0
LEAST, LARGEST = sys.float_info.min, sys.float_info.max


def sigmoid(x):
    return 1 / (1 + mp.exp(-x))


def exprel(x):
    """Value and derivatives of (exp(x) - 1)/x, in closed form."""
    e = mp.exp(x)
    return (e - 1) / x, (e * (x - 1) + 1) / x**2, (e * (x * x - 2 * x + 2) - 2) / x**3


def logsumexp(x, y):
    p, q = sigmoid(x - y), sigmoid(y - x)
    return mp.log(mp.exp(x) + mp.exp(y)), p, q, p * q, -p * q, p * q


ONE = {
    "log(1 + exp(x))": lambda x: (mp.log(1 + mp.exp(x)), sigmoid(x), sigmoid(x) * sigmoid(-x)),
    "log(cosh(x))": lambda x: (mp.log(mp.cosh(x)), mp.tanh(x), mp.sech(x) ** 2),
    "1 - cos(x)": lambda x: (1 - mp.cos(x), mp.sin(x), mp.cos(x)),
    "sqrt(1 + x^2) - 1": lambda x: (mp.sqrt(1 + x * x) - 1, x / mp.sqrt(1 + x * x), (1 + x * x) ** mp.mpf(-1.5)),
    "(exp(x) - 1)/x": exprel,
}


def bits_lost(value, right):
    if not math.isfinite(value):
        return 53.0
    error = float(abs(value - right) / abs(right))
    return max(0.0, 53.0 + math.log2(error)) if error else 0.0


def digits(*point):
    """Digits that keep 30 through the cancellations of the formulas as written."""
    small = max(0.0, -math.log10(min(abs(c) for c in point)))
    large = max(abs(c) for c in point)
    return int(60 + 3.2 * small + (330 + 2.1 * math.log10(large) if large > 2 else 0))


def grid(seed):
    rng = random.Random(seed)
    sizes = [rng.uniform(1, 10) * 10.0**k for k in range(-300, 300, 9)]
    fine = [reach * (k + rng.random()) / 40 for reach in (1.5, 12, 740) for k in range(-40, 40)]
    edges = (1.0, 2.0, 3.0, 0.7, math.log(2), math.pi / 2, math.pi, 700.0, 709.9, 716.0, 1e-300, 1e300, 0.5, 1e154, 1e8)
    near = [e * (1 + k * 2.0**-50) for e in edges for k in (-3, 0, 2)]
    return [sign * x for x in (*sizes, *near) for sign in (1, -1)] + fine


def outputs(text):
    """Return the program of the stable form: value, first, second derivatives (lower triangle)."""
    tape, root = parse(text)
    names = tuple(tape.symbols((root,)))
    symbols = [tape.symbol(name) for name in names]
    stable = stabilise(tape, root)
    slopes = gradient(tape, stable, symbols)
    second = [entry for k, slope in enumerate(slopes) for entry in gradient(tape, slope, symbols[: k + 1])]
    return lower(tape, [stable, *slopes, *second], names)


def normal(value):
    return LEAST <= abs(value) <= LARGEST


@pytest.mark.parametrize("text", ONE)
def test_one_variable(text):
    program = outputs(text)
    interpreter, kernel = Interpreter(program), PointKernel(program)
    counted = 0
    for x in grid(1):
        with mp.workdps(digits(x)):
            right = ONE[text](mp.mpf(x))
        values = interpreter([x])
        assert kernel([x]) == pytest.approx(values, rel=0, abs=0, nan_ok=True), x
        for order, (value, true) in enumerate(zip(values, right, strict=True)):
            if normal(true):
                counted += 1
                assert bits_lost(value, true) <= MOST, (x, order, value, float(true))
    assert counted > 500


def test_log_sum_exp():
    """Value and gradient (and Hessian), but for the value's zero crossing, where the condition number says it."""
    program = outputs("log(exp(x) + exp(y))")
    interpreter = Interpreter(program)
    rng = random.Random(2)
    xs = grid(3)
    pairs = [*zip(xs, rng.sample(xs, len(xs)), strict=True), *((x, x + rng.gauss(0, 3)) for x in xs)]
    pairs += [(x, x * (1 + 2.0**-k)) for k, x in enumerate(rng.sample(xs, 52))]
    for x, y in pairs:
        with mp.workdps(digits(x, y)):
            a, b = mp.mpf(x), mp.mpf(y)
            right = logsumexp(a, b)
            condition = float((abs(a * right[1]) + abs(b * right[2])) / abs(right[0]))
        for order, (value, true) in enumerate(zip(interpreter([x, y]), right, strict=True)):
            if normal(true):
                slack = max(0.0, math.log2(condition)) if order == 0 and condition > 16 else 0.0
                assert bits_lost(value, true) <= MOST + slack, (x, y, order, value, float(true))


@pytest.mark.parametrize("text", ["log(exp(x) + exp(y) + exp(z))", "log(exp(x) + exp(y) + 1)"])
def test_log_sum_exp_of_three(text):
    program = outputs(text)
    interpreter = Interpreter(program)
    rng = random.Random(4)
    for scale in (1e-12, 0.1, 1.0, 30.0, 700.0, 1e5):
        for _ in range(25):
            point = [scale * rng.uniform(-1, 1) for _ in program.inputs]
            with mp.workdps(digits(*point)):
                exponents = [mp.mpf(c) for c in point] + ([mp.mpf(0)] if len(point) == 2 else [])
                weights = [1 / mp.fsum(mp.exp(b - a) for b in exponents) for a in exponents]
                value = mp.log(mp.fsum(map(mp.exp, exponents)))
                n = len(point)
                second = [
                    weights[k] * (mp.fsum(weights[:k] + weights[k + 1 :]) if k == j else -weights[j])
                    for k in range(n)
                    for j in range(k + 1)
                ]
                right = [value, *weights[:n], *second]
                moved = mp.fsum(abs(a * w) for a, w in zip(exponents, weights, strict=True))
                condition = float(moved / abs(value)) if value else math.inf
            for order, (found, true) in enumerate(zip(interpreter(point), right, strict=True)):
                if normal(true):
                    slack = max(0.0, math.log2(condition)) if order == 0 and condition > 16 else 0.0
                    assert bits_lost(found, true) <= MOST + slack, (point, order, found, float(true))


@pytest.mark.parametrize("order", range(6))
def test_derivatives_of_exprel(order):
    """∫₀¹ sᵐ·exp(s·x) ds = 1F1(m + 1; m + 2; x)/(m + 1), also at and around the places where its forms meet."""
    tape, root = parse(f"exprel_diff({order}, x)")
    interpreter = Interpreter(lower(tape, [root], ("x",)))
    m = order + 1
    rng = random.Random(order)
    places = [s * m * (1 + k * 2.0**-52) for s in (1, -1) for k in range(-4, 4)]
    places += [rng.uniform(-2 * m, 2 * m) for _ in range(60)] + [rng.uniform(-740, 740) for _ in range(40)]
    places += [-1e5, -1e40, 1e-300, -1e-300, 715.0, 716.5]
    assert interpreter([0.0]) == [float(mp.mpf(1) / m)]
    for x in places:
        with mp.workdps(60):
            right = mp.hyp1f1(m, m + 1, mp.mpf(x)) / m
        if normal(right):
            assert bits_lost(interpreter([x])[0], right) <= MOST, (x, float(right))
