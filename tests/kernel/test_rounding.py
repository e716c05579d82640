"""The running bound bounds the error, against mpmath, and is not far above it."""

from __future__ import annotations

import math
import random
import statistics

import mpmath as mp
import numpy as np
import pytest

from descend.expression.derivative import gradient, hessian
from descend.expression.functions import CONDITIONS, TABLE
from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.kernel.interpret import FLOATS, arrays
from descend.kernel.program import lower
from descend.kernel.rounding import with_bounds
from tests.kernel.tapes import inf, moderate_point, random_formula, same
from tests.oracles.evaluate import evaluate


def compare(tape, outputs, names, point):
    """Return (error, bound, right value) of each output at a point."""
    values, bounds = with_bounds(lower(tape, outputs, names), point)
    with mp.workdps(60):
        right = evaluate(tape, outputs, dict(zip(names, point, strict=True)))
        return [(abs(v - r), b, r) for v, b, r in zip(values, bounds, right, strict=True)]


def check(found, about):
    for error, bound, right in found:
        if not mp.isfinite(right):  # 1/0 and the like
            continue
        assert bound >= 0, about
        assert error <= bound, (about, float(error), bound)


@pytest.mark.parametrize("seed", range(250))
def test_random_formulas(seed):
    rng = random.Random(seed)
    text = random_formula(rng, 2 + seed % 4)
    tape, root = parse(text)
    names = tuple(tape.symbols((root,)))
    outputs = [root, *gradient(tape, root, [tape.symbol(n) for n in names])]
    for _ in range(3):
        point = moderate_point(rng)
        check(compare(tape, outputs, names, [point[n] for n in names]), (text, point))


def test_second_derivatives():
    rng = random.Random(5)
    for _ in range(25):
        text = random_formula(rng, 3)
        tape, root = parse(text)
        names = tuple(tape.symbols((root,)))
        outputs = [entry for row in hessian(tape, root, [tape.symbol(n) for n in names]) for entry in row]
        point = moderate_point(rng)
        check(compare(tape, outputs, names, [point[n] for n in names]), (text, point))


def test_is_not_far_above():
    """The median over random formulas; a bound takes the worst case of every operation."""
    rng = random.Random(6)
    ratios = []
    for _ in range(150):
        text = random_formula(rng, 4)
        tape, root = parse(text)
        names = tuple(tape.symbols((root,)))
        point = moderate_point(rng)
        for error, bound, right in compare(tape, [root], names, [point[n] for n in names]):
            ratios.append(bound / max(float(error), math.ulp(float(right)) / 8))
    assert statistics.median(ratios) < 60


CANCELLING = (
    "(x + 1) - x", "(x + 1e10) - 1e10", "x^2 - 2*x*1.0000001 + 1.0000002", "1/((x + 1e8) - 1e8 - x/2)",
    "sqrt((x + 1e6) - 1e6)", "log((1 + 1e-9*x) - 1)", "exp(1e3*((x + 1e3) - 1e3))*1e-200", "sin(1e6*x*x)",
    "cos(1e12*(x/3))", "tan(1e5*x/7)", "((x + 1e8) - 1e8)/((x + 1e7) - 1e7)", "((x + 1e7) - 1e7)^1.7",
    "hypot((x + 1e8) - 1e8, x/3)", "atan2((x + 1e9) - 1e9, x/3 - 1)", "((x + 1e9) - 1e9)^((x + 1e7) - 1e7)",
    "cbrt(x/3 - 0.2)", "max((x + 1e9) - 1e9, x)", "abs(x/3 - 0.1)", "logaddexp(x/3 + 1e8, 1e8)", "erfc(9*x/7)",
    "softplus((x + 1e9) - 1e9)", "sigmoid(1e9 - (x + 1e9))", "gammaln(1 + x/1e6)", "polygamma(1, x/3)", "pi*x - 3*x",
    "acos(1 - x*x/1e9)", "acosh(1 + x/1e12/3)", "atanh(1 - x/1e9)", "x*1e-300*1e-20/3", "(x*1e-200)*(x*1e-150)",
    "0.1*x - 0.1*x", "exp(-740*x)", "sin(1e16*(x/3))", "cos(3e16*(x/3))", "((x + 1e15) - 1e15)^2", "tan(1e15*(x/3))",
)  # fmt: skip


@pytest.mark.parametrize("text", CANCELLING)
def test_where_digits_are_lost(text):
    tape, root = parse(text)
    rng = random.Random(7)
    for _ in range(100):
        point = [rng.uniform(0.5, 1.5)]
        ((error, bound, right),) = compare(tape, [root], ("x",), point)
        if mp.isfinite(right):
            assert error <= bound, (point, float(error), bound)


@pytest.mark.parametrize("text", ["y/(x/3)^(-3)", "(x/3)*y", "y/(x/3)", "y*(x/3)*(x/7)", "(y/7)/(x/3)", "exp(x/3)*y"])
def test_near_the_smallest_numbers(text):
    tape, root = parse(text)
    rng = random.Random(9)
    for _ in range(500):
        point = {"x": rng.uniform(0.3, 8), "y": rng.choice([-1, 1]) * 10.0 ** rng.uniform(-323, -300)}
        names = tuple(tape.symbols((root,)))
        ((error, bound, _),) = compare(tape, [root], names, [point[n] for n in names])
        assert error <= bound, (point, float(error), bound)


@pytest.mark.parametrize("text", ["acosh(1 + x)", "erfc(acosh(1 + x))*y", "exp(acosh(1 + x))*y", "acos(1 - x)"])
def test_where_a_slope_is_infinite(text):
    tape, root = parse(text)
    rng = random.Random(10)
    names = tuple(tape.symbols((root,)))
    for _ in range(300):
        point = {"x": 10.0 ** rng.uniform(-25, -14), "y": rng.uniform(1, 2)}
        ((error, bound, _),) = compare(tape, [root], names, [point[n] for n in names])
        assert error <= bound, (point, float(error), bound)


def test_a_complementary_error_that_is_not_normal():
    """SciPy's is 0 there."""
    tape, root = parse("erfc(x)")
    x = np.linspace(26.5, 28, 200)
    (values,), (bounds,) = with_bounds(lower(tape, [root], ("x",)), [x], arrays())
    with mp.workdps(60):
        for point, value, bound in zip(x.tolist(), values.tolist(), bounds.tolist(), strict=True):
            assert abs(value - mp.erfc(point)) <= bound


ORDERED = {"polygamma", "chebyshevt", "exprel_diff"}  # their first argument is a whole number


@pytest.mark.parametrize(
    "name", [n for n in TABLE if n not in CONDITIONS and TABLE[n].arity[1] in {1, 2} and n not in ORDERED]
)
def test_every_function_of_inexact_arguments(name):
    """Arguments that carry errors of 1e-9, relative to the numbers they are made of, over the whole domain."""
    count = TABLE[name].arity[0]
    tape = Tape()
    symbols = [tape.symbol(n) for n in "ab"[:count]]
    big = tape.constant(2**23)
    blurred = [tape.raw("add", (tape.raw("add", (s, big)), tape.constant(-(2**23)))) for s in symbols]
    root = tape.raw(name, tuple(blurred))
    rng = random.Random(8)
    ratios = []
    for _ in range(400):
        point = [rng.gauss(0, 2) for _ in symbols]
        ((error, bound, right),) = compare(tape, [root], tuple("ab"[:count]), point)
        if mp.isfinite(right):
            jump = name in {"floor", "ceil", "sign"} and error >= 0.5  # the whole number lies within the blur
            assert error <= bound or jump, (point, float(error), bound)
            ratios.append(bound)
    assert len(ratios) > 20
    assert statistics.median(ratios) < 1e-6


def bounds_at(text, *point, names="xyz"):
    tape, root = parse(text)
    return with_bounds(lower(tape, [root], tuple(names[: len(point)])), point)


class TestEdges:
    def test_exact_operations_have_no_error(self):
        assert bounds_at("-x", 0.1) == ([-0.1], [0.0])
        assert bounds_at("abs(x)", -0.1) == ([0.1], [0.0])
        assert bounds_at("max(x, y)", 0.1, 0.3) == ([0.3], [0.0])
        assert bounds_at("where(x < y, x, y)", 0.1, 0.3) == ([0.1], [0.0])
        assert bounds_at("floor(x)", 2.5) == ([2.0], [0.0])

    def test_constants(self):
        assert bounds_at("x - 0.5", 0.5)[1] == [0.0]
        assert bounds_at("x - 0.1", 0.1)[1][0] == pytest.approx(2**-53 * 0.1)

    @pytest.mark.parametrize("text", ["1/((x + 1e17) - 1e17 - x)", "tan(1e17*(x/3))", "log((x + 1e17) - 1e17)"])
    def test_where_nothing_is_known(self, text):
        values, bounds = bounds_at(text, 0.7)
        assert bounds == [inf] or math.isinf(values[0])

    def test_an_uncertain_comparison_counts_both_branches(self):
        # logaddexp takes another branch for equal arguments; here rounding has made them equal.
        for x in (0.25, 0.3, 0.7):
            tape, root = parse("logaddexp(y, (x + 1e15) - 1e15)")
            y = (x + 1e15) - 1e15
            check(compare(tape, [root], ("y", "x"), [y, x]), x)

    def test_the_product_of_two_errors(self):
        tape, root = parse(f"((x + {2**50}) - {2**50})^2")  # 1/8 is lost, half a unit in the last place
        check(compare(tape, [root], ("x",), [0.125]), root)

    @pytest.mark.parametrize("name", ["sin", "cos"])
    def test_a_wave_is_not_judged_by_the_ends_of_a_whole_period(self, name):
        start = int(math.pi * 2**53) // 4 * 4  # where the error of a sum is half a period
        function = getattr(math, name)
        centre = min(range(start, start + 4000, 4), key=lambda c: abs(function(float(c))))
        tape, root = parse(f"{name}(x + {centre})")
        check(compare(tape, [root], ("x",), [1.5]), centre)

    def test_values_that_are_not_finite(self):
        for text, x in (("log(x)", -1.0), ("exp(x)", 1e4), ("1/x", 0.0), ("x - x", inf)):
            values, bounds = bounds_at(text, x)
            assert not math.isfinite(values[0])
            assert bounds[0] == inf or bounds[0] == 0

    def test_arrays_have_the_bounds_of_floats(self):
        rng = random.Random(9)
        for seed in range(40):
            text = random_formula(random.Random(seed), 3)
            tape, root = parse(text)
            names = tuple(tape.symbols((root,)))
            if not names:
                continue
            program = lower(tape, [root, *gradient(tape, root, [tape.symbol(n) for n in names])], names)
            points = [[rng.uniform(-2, 2) for _ in names] for _ in range(7)]
            with np.errstate(all="ignore"):
                columns, errors = with_bounds(program, [np.array(c) for c in zip(*points, strict=True)], arrays())
            for k, point in enumerate(points):
                values, bounds = with_bounds(program, point, FLOATS)
                for value, bound, column, error in zip(values, bounds, columns, errors, strict=True):
                    found = float(np.broadcast_to(error, 7)[k])
                    assert float(np.broadcast_to(column, 7)[k]) == pytest.approx(value, rel=1e-9, abs=1e-12)
                    assert same(found, bound) or bound / 4 - 1e-20 <= found <= bound * 4 + 1e-20
