"""The running error bound as a program: the same numbers as `with_bounds`, in machine code too, and never too small."""

from __future__ import annotations

import math

import mpmath as mp
import numpy as np
import pytest

from descend.expression.derivative import gradient, hessian
from descend.expression.parse import parse
from descend.kernel.bounded import bounded
from descend.kernel.compile import compilable
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.program import lower
from descend.kernel.rounding import UNIT, with_bounds
from descend.kernel.rows import RowsKernel
from tests.oracles.read import read

COSTS = [
    "x*y + x**2*y - 3*y",
    "(x - 1/3)**3*(y + 0.1)",
    "exp(x*y) - exp(x)",
    "log(1 + x**2 + y**2)/(x + 4)",
    "sin(3*x - y) + cos(x*y) + tan(x/4)",
    "atan(x - y)*tanh(x) + sinh(y/2)*cosh(x/3)",
    "(x + 2)**5.5 + sqrt(x + 3) + cbrt(y)",
    "sigmoid(x*y) + softplus(x - y)",
    "where(x**2 > y, x**3, y/(x**2 + 1))",
    "max(x*y, x - y) + min(x/3, y/7) + abs(x*x - y)",
    "hypot(x, y) + atan2(y - x, 3 + x*y)",
    "erf(x) + erfc(y) + gammaln(x + 4)",
    "asinh(x*y) + acosh(2 + x**2) + atanh(y/9)",
    "(x - y)**2/(x - y + 1e-3)",
]
POINTS = np.random.default_rng(3).uniform(-1.9, 1.9, (2, 40))
ADDITIONS = 37.0


def programs(text):
    tape, root = parse(text)
    names = tuple(tape.symbols((root,)))
    symbols = [tape.symbol(n) for n in names]
    second = hessian(tape, root, symbols)
    program = lower(tape, [root, *gradient(tape, root, symbols), *second[0]], names)
    return program, bounded(program), names


@pytest.mark.parametrize("text", COSTS)
def test_the_same_bounds_as_with_numpy(text):
    program, both, _ = programs(text)
    count = len(program.outputs)
    with np.errstate(all="ignore"):
        values, errors = with_bounds(program, list(POINTS), arrays())
    found = evaluate_arrays(Interpreter(both, arrays()), [ADDITIONS, *POINTS])
    shape = POINTS[0].shape
    for k in range(count):
        assert np.array_equal(np.broadcast_to(found[k], shape), np.broadcast_to(values[k], shape), equal_nan=True)
        right = np.broadcast_to(errors[k] + ADDITIONS * UNIT * np.abs(values[k]), shape)
        got = np.broadcast_to(found[count + k], shape)
        got = np.where(np.isnan(got), math.inf, got)
        assert np.allclose(got, np.where(np.isnan(right), math.inf, right), rtol=1e-13, atol=0)


@pytest.mark.parametrize("text", COSTS)
def test_sums_in_machine_code_lie_within_their_bounds(text):
    program, both, names = programs(text)
    assert compilable(both) is None
    kernel = RowsKernel(both, 1)
    columns = [np.ascontiguousarray(c) for c in POINTS[: len(names)]]
    found = kernel([float(kernel.additions(40))], columns)
    total, bound = found[0], found[len(program.outputs)]
    with mp.workdps(50):
        rows = zip(*columns, strict=True)
        exact = mp.fsum(read(text)(dict(zip(names, map(mp.mpf, row), strict=True))) for row in rows)
        error = abs(mp.mpf(total) - exact)
    assert error <= bound < 1e-11 * (1 + abs(total))
    # The derivatives against the bounds of NumPy, whose own rightness is tested elsewhere.
    with np.errstate(all="ignore"):
        values, errors = with_bounds(program, columns, arrays())
    for k in range(1, len(program.outputs)):
        ours, theirs = found[len(program.outputs) + k], float(np.sum(np.broadcast_to(errors[k], 40)))
        difference = abs(found[k] - math.fsum(np.broadcast_to(values[k], 40)))
        assert not difference > ours + theirs
        assert math.isnan(ours) or ours >= 0.5 * theirs


class TestEdges:
    @pytest.mark.parametrize(
        ("text", "row"),
        [
            ("1/(x - y)", (1.0, 1.0)),
            ("log(x - y)", (1.0, 1.0)),
            ("exp(1000*x)*y", (1.0, 0.0)),
            ("x^y", (-1.0, 0.5)),
            ("1/((x + 1e17) - 1e17 - y)", (4.0, 0.0)),  # rounding may have reached the pole
        ],
    )
    def test_where_nothing_is_known_the_bound_is_not_finite(self, text, row):
        program, both, _ = programs(text)
        count = len(program.outputs)
        kernel = RowsKernel(both, 1)
        columns = [np.full(5, v) for v in row]
        assert not math.isfinite(kernel([9.0], columns)[count])
        with np.errstate(all="ignore"):
            assert not math.isfinite(with_bounds(program, list(row))[1][0])

    def test_a_constant_beyond_the_doubles(self):
        tape, root = parse("x + 1e308*10")
        both = bounded(lower(tape, [root], ("x",)))
        value, bound = Interpreter(both)([0.0, 1.0])
        assert value == math.inf
        assert not math.isfinite(bound)

    def test_a_turned_comparison_counts_for_both_branches(self):
        """x·(1/3)·3 may be x or beside it: the comparison is not certain, and the branches' errors both count."""
        tape, root = parse("where(x/3*3 < x, 1e6*sin(x), x)")
        both = bounded(lower(tape, [root], ("x",)))
        (_, sure), (_, unsure) = (Interpreter(both)([0.0, x]) for x in (1.0, 1.0))
        assert sure == unsure >= 1e6 * math.sin(1.0) * UNIT

    def test_a_comparison_of_unknown_numbers_is_not_certain(self):
        """The bound of the condition's left side is unknown there (0·inf): both branches' errors count."""
        tape, root = parse("where(exp(800*x)*(y/3) < 1, x/3, 1e9*sin(x))")
        program = lower(tape, [root], ("x", "y"))
        (_,), (bound,) = with_bounds(program, [1.0, 0.0])
        assert bound >= 1e9 * math.sin(1.0) * UNIT
        assert Interpreter(bounded(program))([0.0, 1.0, 0.0])[1] == pytest.approx(bound, rel=1)

    def test_a_chebyshev_polynomial(self):
        tape, root = parse("chebyshevt(6, x/3)")
        program = lower(tape, [root], ("x",))
        xs = np.linspace(-3.5, 3.5, 29)
        (_,), (right,) = with_bounds(program, [xs], arrays())
        assert np.allclose(Interpreter(bounded(program), arrays())([0.0, xs])[1], right, rtol=1e-13, atol=0)

    def test_additions_count(self):
        tape, root = parse("x")
        both = bounded(lower(tape, [root], ("x",)))
        assert Interpreter(both)([100.0, -3.0]) == [-3.0, 300 * UNIT]
