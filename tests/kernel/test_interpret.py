"""Primitives: IEEE meaning at the edges against NumPy, right digits against mpmath, and exact fractions."""

from __future__ import annotations

import math
import random
import warnings
from fractions import Fraction
from itertools import product

import mpmath as mp
import numpy as np
import pytest

from descend.expression.parse import parse
from descend.kernel.interpret import (
    EXACT,
    FLOATS,
    Interpreter,
    arrays,
    evaluate_arrays,
    exact,
    exact_point,
)
from descend.kernel.program import PRIMITIVES, lower
from tests.kernel.tapes import EDGES, inf, nan, same, ulps
from tests.oracles.evaluate import OPERATIONS

CONDITIONS = ("lt", "le", "eq")
ONE = [name for name, count in PRIMITIVES.items() if count == 1 and name != "not"]
TWO = [name for name, count in PRIMITIVES.items() if count == 2 and name not in {*CONDITIONS, "and", "or", "polygamma"}]
# Where the C library and NumPy or SciPy differ by more than 2 units in the last place.
ALLOWED = {"cbrt": 4, "tanh": 3, "erf": 3, "gammaln": 16}
EXACTLY = {"add", "sub", "mul", "div", "neg", "sqrt", "abs", "floor", "ceil", "min", "max"}


def numpys(name, *args):
    with np.errstate(all="ignore"):
        return float(arrays()[name](*map(np.float64, args)))


def agree(name, ours, theirs, args):
    if math.isnan(theirs) or math.isinf(theirs) or math.isinf(ours) or math.isnan(ours):
        return same(ours, theirs)
    if name == "erfc" and args[0] > 0:  # SciPy's squares the argument inside an exponential, and flushes to zero
        return abs(ours - theirs) <= (8 + 2 * args[0] * args[0]) * math.ulp(ours) or ours < 1e-300
    if ours == theirs == 0 and name not in {"min", "max"}:  # NumPy leaves open which zero is the smaller
        return same(ours, theirs)
    allowed = 0 if name in EXACTLY else ALLOWED.get(name, 2)
    scale = max(abs(theirs), 1.0) if name == "gammaln" else theirs
    return abs(ours - theirs) <= allowed * math.ulp(scale)


@pytest.mark.parametrize("name", ONE)
def test_one_argument_is_numpys(name):
    rng = random.Random(7)
    points = [*EDGES, *(rng.gauss(0, 3) for _ in range(300)), *(math.exp(rng.gauss(0, 20)) for _ in range(300))]
    if name == "gammaln":  # SciPy: -inf at -inf, +inf for denormals
        points = [x for x in points if x != -inf and not 0 < abs(x) < 1e-300]
    wrong = [
        (x, FLOATS[name](x), numpys(name, x)) for x in points if not agree(name, FLOATS[name](x), numpys(name, x), (x,))
    ]
    assert not wrong


@pytest.mark.parametrize("name", TWO)
def test_two_arguments_are_numpys(name):
    rng = random.Random(8)
    points = [*product(EDGES, EDGES), *((rng.gauss(0, 5), rng.gauss(0, 5)) for _ in range(300))]
    if name == "pow":  # NumPy takes a square root there, of -0.0 and of -inf too
        points = [p for p in points if p[1] != 0.5]
    wrong = [
        (p, FLOATS[name](*p), numpys(name, *p))
        for p in points
        if not agree(name, FLOATS[name](*p), numpys(name, *p), p)
    ]
    assert not wrong


@pytest.mark.parametrize("name", CONDITIONS)
def test_comparisons_are_numpys(name):
    for a, b in product(EDGES, EDGES):
        assert FLOATS[name](a, b) is bool(arrays()[name](np.float64(a), np.float64(b)))


def test_truth():
    for a, b in product([False, True], repeat=2):
        assert FLOATS["and"](a, b) is (a and b)
        assert FLOATS["or"](a, b) is (a or b)
        assert FLOATS["not"](a) is (not a)
    assert FLOATS["where"](True, 1.0, nan) == 1.0
    assert FLOATS["where"](False, nan, 2.0) == 2.0


@pytest.mark.parametrize(
    ("name", "args", "value"),
    [
        ("min", (-0.0, 0.0), -0.0),
        ("min", (0.0, -0.0), -0.0),
        ("max", (-0.0, 0.0), 0.0),
        ("max", (0.0, -0.0), 0.0),
        ("min", (nan, 1.0), nan),
        ("max", (1.0, nan), nan),
        ("floor", (-0.0,), -0.0),
        ("ceil", (-0.5,), -0.0),
        ("floor", (1e300,), 1e300),
        ("pow", (-0.0, -(1 - 2**-53)), inf),  # not an odd whole number, though -0.99…9 % 2 rounds to 1
        ("pow", (-0.0, -1.0), -inf),
        ("pow", (0.0, -1.0), inf),
        ("pow", (-1e200, 3.0), -inf),
        ("pow", (-1e200, 2.0), inf),
        ("pow", (-8.0, 1 / 3), nan),
        ("pow", (1.0, nan), 1.0),
        ("pow", (nan, 0.0), 1.0),
        ("div", (1.0, -0.0), -inf),
        ("div", (0.0, 0.0), nan),
        ("log", (0.0,), -inf),
        ("log", (-1.0,), nan),
        ("log1p", (-1.0,), -inf),
        ("exp", (1000.0,), inf),
        ("exp", (-1000.0,), 0.0),
        ("sinh", (-1000.0,), -inf),
        ("cosh", (-1000.0,), inf),
        ("atanh", (-1.0,), -inf),
        ("sin", (inf,), nan),
        ("gammaln", (0.0,), inf),
        ("gammaln", (-3.0,), inf),
        ("gammaln", (1e308,), inf),
        ("cbrt", (-8.0,), -2.0),
    ],
)
def test_decided_cases(name, args, value):
    assert same(FLOATS[name](*args), value)


ORDINARY = {  # where mpmath is asked; elsewhere the argument is drawn from a wide normal
    "exp": (-700, 700), "expm1": (-30, 700), "sinh": (-700, 700), "cosh": (-700, 700), "log1p": (-0.999, 50),
    "asin": (-1, 1), "acos": (-1, 1), "atanh": (-1, 1), "acosh": (1, 50), "erfc": (-6, 26), "gammaln": (3, 170),
    "log": (0.01, 9), "log2": (0.01, 9), "log10": (0.01, 9), "sqrt": (0, 9), "pow": (0.1, 9),
}  # fmt: skip
DIGITS = {"cbrt": 4, "erfc": 5, "gammaln": 16}  # units in the last place; the rest 2, as glibc documents


@pytest.mark.parametrize("name", [n for n in (*ONE, *TWO) if n in OPERATIONS])
def test_digits(name):
    rng = random.Random(9)
    worst = 0.0
    with mp.workdps(50):
        for _ in range(300):
            args = [
                rng.uniform(*ORDINARY[name]) if name in ORDINARY else rng.gauss(0, 4) for _ in range(PRIMITIVES[name])
            ]
            right = OPERATIONS[name](*map(mp.mpf, args))
            worst = max(worst, ulps(FLOATS[name](*args), right) if right else abs(FLOATS[name](*args)))
    assert worst <= DIGITS.get(name, 2)


@pytest.mark.parametrize("order", range(4))
def test_polygamma(order):
    rng = random.Random(10)
    with mp.workdps(50):
        for _ in range(100):
            x = rng.uniform(0.01, 20)
            assert ulps(FLOATS["polygamma"](float(order), x), mp.psi(order, mp.mpf(x))) <= 16


class TestInterpreter:
    def test_walks_without_changing_itself(self):
        tape, root = parse("x*y + 3")
        interpreter = Interpreter(lower(tape, [root], ("x", "y")))
        assert [interpreter([2.0, 5.0]), interpreter((0.5, 1.0)), interpreter([2.0, 5.0])] == [[13.0], [3.5], [13.0]]

    def test_arrays_broadcast_and_do_not_warn(self):
        tape, root = parse("a/x + log(x)")
        interpreter = Interpreter(lower(tape, [root], ("a", "x")), arrays())
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (values,) = evaluate_arrays(interpreter, [1.0, np.array([0.0, -1.0, 1.0, inf, nan])])
        assert np.array_equal(values, [nan, nan, 1.0, inf, nan], equal_nan=True)

    def test_conditions_on_arrays(self):
        tape, root = parse("where((x < 1 or x > 2) and not x == 5, x, -x)")
        interpreter = Interpreter(lower(tape, [root], ("x",)), arrays())
        (values,) = interpreter([np.array([0.0, 1.5, 3.0, 5.0])])
        assert values.tolist() == [0.0, -1.5, 3.0, -5.0]

    def test_fractions_are_exact(self):
        tape, root = parse("where(x < y, 0.1*x, max(x, y)/3) - abs(-x)^3 + min(x, 7)")
        program = lower(tape, [root], ("x", "y"))
        interpreter = exact(program)
        assert interpreter is not None
        x, y = exact_point([0.1, 0.7])
        assert interpreter([x, y]) == [x / 10 - x**3 + x]
        assert interpreter([y, x]) == [y / 3 - y**3 + y]

    def test_fractions_only_where_everything_is_rational(self):
        for text in ("sqrt(x)", "x^9 + exp(x)", "floor(x)", "pi*sin(x)"):
            tape, root = parse(text)
            assert exact(lower(tape, [root], ("x",))) is None

    def test_exact_spellings_are_a_part_of_the_table(self):
        assert EXACT.keys() <= FLOATS.keys()
        assert EXACT["div"](Fraction(1), Fraction(3)) == Fraction(1, 3)
        assert arrays().keys() == FLOATS.keys()
