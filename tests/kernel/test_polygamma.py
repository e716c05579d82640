"""The derivatives of log Γ: machine code, floats and arrays agree, and are right."""

from __future__ import annotations

import math
import random
import sys

import mpmath as mp
import numpy as np
import pytest

from descend.expression.derivative import gradient
from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.kernel.compile import PointKernel
from descend.kernel.interpret import Interpreter, arrays
from descend.kernel.program import lower
from tests.kernel.tapes import all_same, inf, nan

TAPE = Tape()
PROGRAM = lower(TAPE, [TAPE.raw("polygamma", (TAPE.symbol("n"), TAPE.symbol("x")))], ("n", "x"))
EDGES = (0.0, -0.0, -1.5, -3.0, inf, -inf, nan, 1e-300, 5e-324, 1e308, 1.0, 2.0, 16.0, 17.0)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 5, 11, 30, 170, 171, 0.5, -1, nan])
def test_machine_code_floats_and_arrays(order):
    rng = random.Random(3)
    kernel, interpreter = PointKernel(PROGRAM), Interpreter(PROGRAM)
    xs = [*EDGES, *(rng.uniform(0, 40) for _ in range(100)), *(10 ** rng.uniform(-10, 20) for _ in range(50))]
    with np.errstate(all="ignore"):
        (column,) = Interpreter(PROGRAM, arrays())([float(order), np.array(xs)])
    for x, other in zip(xs, column, strict=True):
        (value,) = interpreter([float(order), x])
        assert all_same([value], kernel([float(order), x])), x
        assert float(other) == pytest.approx(value, rel=1e-13, abs=2e-15, nan_ok=True)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4, 5, 9, 15])
def test_digits(order):
    """To 1e-14, relatively, also the digamma function near its zero."""
    rng = random.Random(order)
    interpreter = Interpreter(PROGRAM)
    with mp.workdps(60):
        for _ in range(300):
            x = rng.choice([rng.uniform(0, 3), rng.uniform(0, 40), 10 ** rng.uniform(-12, 12)])
            right = mp.psi(order, mp.mpf(x))
            if sys.float_info.min <= abs(right) <= sys.float_info.max:
                assert abs(interpreter([float(order), x])[0] - right) <= 4e-15 * abs(right), x


def test_around_the_zero_of_the_digamma_function():
    interpreter, kernel = Interpreter(PROGRAM), PointKernel(PROGRAM)
    zero = 1.4616321449683623
    with mp.workdps(60):
        for k in range(-60, 60):
            for x in (zero + k * 2.0**-52, zero + k * 2.0**-12, 1 + abs(k) / 60):
                right = mp.psi(0, mp.mpf(x))
                assert abs(interpreter([0.0, x])[0] - right) <= 1e-15 * abs(right)
                assert interpreter([0.0, x]) == kernel([0.0, x])


def test_outside_of_the_domain():
    interpreter = Interpreter(PROGRAM)
    assert interpreter([0.0, 0.0]) == [-inf]
    assert interpreter([1.0, 0.0]) == [inf]
    assert math.isnan(interpreter([1.0, -0.5])[0])


def test_the_slope_of_gammaln_is_compiled():
    tape, root = parse("gammaln(1 + x^2)")
    (slope,) = gradient(tape, root, [tape.symbol("x")])
    kernel = PointKernel(lower(tape, [slope], ("x",)))
    assert kernel([0.7])[0] == pytest.approx(float(mp.psi(0, mp.mpf(0.7) ** 2 + 1) * mp.mpf(1.4)), rel=1e-14)
