"""Chebyshev polynomials and their derivatives, of a degree known at run time: same bits everywhere, right digits."""

from __future__ import annotations

import math
import random

import mpmath as mp
import numpy as np
import pytest

from descend.expression.derivative import gradient
from descend.expression.tape import Tape
from descend.kernel.compile import PointKernel
from descend.kernel.interpret import Interpreter, arrays
from descend.kernel.program import lower
from descend.kernel.rounding import with_bounds
from tests.kernel.tapes import all_same, inf, nan
from tests.oracles.evaluate import OPERATIONS

TAPE = Tape()
PROGRAM = lower(TAPE, [TAPE.raw("chebyshevt_diff", tuple(TAPE.symbol(n) for n in "mkx"))], tuple("mkx"))


def some(rng):
    orders = (0.0, 0.0, 1.0, 1.0, 2.0, 3.0, 7.0, 170.0, 171.0, -1.0, 0.5, inf, nan)
    degrees = (*(float(k) for k in range(12)), 33.0, 1000.0, 1e6, 2.0**53, 2.0**54, -1.0, 2.5, inf, nan)
    places = (1.0, -1.0, 0.0, -0.0, nan, inf, -inf, 1e200, rng.uniform(-1, 1), rng.uniform(-3, 3))
    return [rng.choice(orders), rng.choice(degrees), rng.choice(places)]


def test_machine_code_floats_and_arrays_agree():
    rng = random.Random(1)
    points = [some(rng) for _ in range(4000)]
    kernel, interpreter = PointKernel(PROGRAM), Interpreter(PROGRAM)
    with np.errstate(all="ignore"):
        (columns,) = Interpreter(PROGRAM, arrays())([np.array(c) for c in zip(*points, strict=True)])
    for point, column in zip(points, columns, strict=True):
        assert all_same(interpreter(point), kernel(point)), point
        assert all_same(interpreter(point), [float(column)]), point


@pytest.mark.parametrize("order", range(5))
def test_digits_and_bound(order):
    rng = random.Random(order)
    kernel = PointKernel(PROGRAM)
    with mp.workdps(80):
        for _ in range(150):
            degree = rng.randrange(60)
            x = rng.choice([1.0, -1.0, 0.0, rng.uniform(-1, 1), rng.uniform(-2, 2)])
            right = OPERATIONS["chebyshevt_diff"](mp.mpf(order), mp.mpf(degree), mp.mpf(x))
            (value,) = kernel([order, degree, x])
            scale = OPERATIONS["chebyshevt_diff"](mp.mpf(order), mp.mpf(degree), mp.mpf(max(1, abs(x))))
            assert abs(value - right) <= (degree**2 / 4 + 1) * 2**-53 * scale
            (_, (bound,)) = with_bounds(PROGRAM, [float(order), float(degree), x])
            assert abs(value - right) <= bound


def test_at_the_ends():
    """T_k(±1) = (±1)^k, T_k'(±1) = (±1)^(k+1)·k², T_k''(±1) = (±1)^k·k²(k² − 1)/3, exactly."""
    kernel = PointKernel(PROGRAM)
    for k in range(200):
        for x in (1.0, -1.0):
            sign = x**k
            assert kernel([0.0, k, x]) == [sign]
            assert kernel([1.0, k, x]) == [sign * x * k * k]
            assert kernel([2.0, k, x]) == [sign * (k * k * (k * k - 1)) / 3]


def test_derivative():
    tape = Tape()
    k, x = tape.symbol("k"), tape.symbol("x")
    (slope,) = gradient(tape, tape.call("chebyshevt", k, x), [x])
    (curvature,) = gradient(tape, slope, [x])
    program = lower(tape, [slope, curvature], ("k", "x"))
    for degree in (0.0, 1.0, 2.0, 3.0, 8.0):
        for t in (0.3, -0.9, 1.0):
            polynomial = np.polynomial.Chebyshev.basis(int(degree))
            expected = [polynomial.deriv()(t), polynomial.deriv(2)(t)]
            assert PointKernel(program)([degree, t]) == pytest.approx(expected, rel=1e-13, abs=1e-13)


def test_bound_of_an_inexact_argument():
    tape = Tape()
    x = tape.symbol("x")
    blurred = tape.raw("add", (tape.raw("add", (x, tape.constant(2**23))), tape.constant(-(2**23))))
    for degree in (0, 1, 5, 20):
        program = lower(tape, [tape.call("chebyshevt", tape.constant(degree), blurred)], ("x",))
        rng = random.Random(degree)
        for _ in range(50):
            t = rng.uniform(-1.5, 1.5)
            ((value,), (bound,)) = with_bounds(program, [t])
            with mp.workdps(50):
                assert abs(value - mp.chebyt(degree, mp.mpf(t))) <= bound
    program = lower(tape, [tape.call("chebyshevt", blurred, x)], ("x",))
    assert math.isinf(with_bounds(program, [1.0])[1][0])
