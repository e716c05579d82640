"""Vector forms of the C library: good to 4 units in the last place, NaN and infinities come through."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from descend.expression.reverse import Loop, Scatter
from descend.expression.tape import Tape
from descend.kernel.indexed import IndexedKernel
from descend.kernel.interpret import arrays
from descend.kernel.nest import make_nest
from descend.kernel.vector_math import LATER, ONE, TWO

ORACLES = {name: getattr(mpmath, name) for name in (*ONE, *LATER) if hasattr(mpmath, name)} | {
    "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)),
    "log2": lambda x: mpmath.log(x, 2),
    "erfc": lambda x: mpmath.erfc(x) if abs(x) < 30 else mpmath.mpf(0),  # mpmath's own overflows further out
}
SPECIAL = np.array(
    [
        0.0,
        -0.0,
        np.inf,
        -np.inf,
        np.nan,
        1.0,
        -1.0,
        5e-324,
        1e-310,
        -1e-310,
        1e308,
        -1e308,
        709.7,
        710,
        -745,
        -746,
        1e22,
    ]
)


def pointwise(op, *arguments):
    """op of arrays, by a loop that stores one result an entry."""
    tape = Tape()
    index = tape.index(0)
    names = "xy"[: len(arguments)]
    value = tape.call(op, *(tape.access(name, index) for name in names))
    size = len(arguments[0])
    loop = Loop(0, tape.constant(0), tape.constant(size - 1))
    kernel = IndexedKernel(make_nest(tape, [], [Scatter("g", index, value, (loop,))], []), dict.fromkeys("xyg", 0))
    result = np.zeros(size)
    kernel([], dict(zip(names, arguments, strict=True)), {"g": result})
    return result


def ulps(found, exact):
    """How many units in the last place `found` is away."""
    unit = mpmath.ldexp(1, int(mpmath.floor(mpmath.log(abs(exact), 2))) - 52)
    return abs(mpmath.mpf(float(found)) - exact) / unit


def test_every_function_with_a_vector_form_has_an_oracle():
    assert ORACLES.keys() == {*ONE, *LATER}


@pytest.mark.parametrize("op", [*ONE, *LATER])
def test_four_units_in_the_last_place(op):
    rng = np.random.default_rng(1)
    spread = rng.choice([-1, 1], 80) * 10.0 ** rng.uniform(-300, 300, 80)
    x = np.concatenate([rng.uniform(-1, 1, 80), rng.uniform(-30, 30, 80), spread, rng.uniform(-745, 709, 80)])
    checked = 0
    with mpmath.workdps(40):
        for a, found in zip(x.tolist(), pointwise(op, x), strict=True):
            exact = ORACLES[op](mpmath.mpf(a))
            if isinstance(exact, mpmath.mpc):
                assert np.isnan(found)
            elif op == "erfc" and a < -30:
                assert found == 2
            elif 2.3e-308 < abs(exact) < 1.7e308:
                assert ulps(found, exact) <= 4
                checked += 1
    assert checked >= 80


@pytest.mark.parametrize("op", [*ONE, *LATER])
def test_special_values_are_those_of_ieee_754(op):
    with np.errstate(all="ignore"):
        expected = arrays()[op](SPECIAL)
    assert pointwise(op, SPECIAL) == pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)


@pytest.mark.parametrize("op", TWO)
def test_functions_of_two_arguments(op):
    rng = np.random.default_rng(2)
    x, y = rng.uniform(0.01, 9, 300), rng.uniform(-9, 9, 300)
    with mpmath.workdps(40):
        oracle = {"pow": mpmath.power, "atan2": mpmath.atan2}[op]
        for a, b, found in zip(x.tolist(), y.tolist(), pointwise(op, x, y), strict=True):
            assert ulps(found, oracle(mpmath.mpf(a), mpmath.mpf(b))) <= 4


def test_powers_of_special_values():
    a, b = (m.ravel() for m in np.meshgrid(SPECIAL, [0.0, 1.0, -1.0, 0.5, 2.0, 3.0, -3.0, np.inf, np.nan]))
    with np.errstate(all="ignore"):
        expected = np.power(a, b)
    assert pointwise("pow", a, b) == pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)
