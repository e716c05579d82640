"""Derivatives against SymPy, and against 50-digit differences of the text; neither oracle knows the tape."""

from __future__ import annotations

import random
from functools import cache

import mpmath as mp
import pytest
import sympy

from descend.expression.derivative import gradient, hessian, hessian_product, tangents
from descend.expression.functions import TABLE
from descend.expression.parse import parse
from descend.expression.tape import Formula, Tape
from tests.oracles import formulas
from tests.oracles.evaluate import evaluate
from tests.oracles.read import difference, read

DIGITS = 50
POINTS = {  # inside the domain of each function; both sides where it has two
    "log": (0.3, 2.5),
    "log2": (0.3, 2.5),
    "log10": (0.3, 2.5),
    "log1p": (-0.7, 2.5),
    "sqrt": (0.3, 2.5),
    "asin": (-0.7, 0.4),
    "acos": (-0.7, 0.4),
    "atanh": (-0.7, 0.4),
    "acosh": (1.2, 3.5),
    "gammaln": (0.3, 2.5),
    "log1mexp": (-2.5, -0.3),
}
ONE = formulas.UNARY | formulas.STABLE
TWO = formulas.BINARY | formulas.STABLE_OF_TWO


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(DIGITS + 10):
        yield


@cache
def callable_of(expression):
    """Return a SymPy expression as a function of (x, y, z) in mpmath."""
    extra = {"Heaviside": lambda x, middle=0.5: mp.mpf(x > 0), "DiracDelta": lambda x, order=0: mp.mpf(0)}
    return sympy.lambdify(list(formulas.SYMBOLS.values()), expression, modules=[extra, "mpmath"], cse=True)


def sympy_value(expression, point):
    return callable_of(expression)(*(mp.mpf(point[name]) for name in formulas.NAMES))


def partials(text, point):
    """Return name → derivative by the tape."""
    tape, root = parse(text)
    symbols = tape.symbols((root,))
    return dict(zip(symbols, evaluate(tape, gradient(tape, root, list(symbols.values())), point), strict=True))


def close(a, b, relative, scale=0):
    return abs(a - b) <= relative * max(abs(a), abs(b), scale)


class TestRandomFormulas:
    """200 formulas; the agreement asked for is far below 1e-12, since both sides are evaluated with 60 digits."""

    @pytest.mark.parametrize("seed", range(200))
    def test_gradient_is_that_of_sympy_and_of_differences(self, seed):
        rng = random.Random(seed)
        text, expression = formulas.formula(rng, 3 + seed % 2)
        function = read(text)
        point = formulas.point(rng)
        assert close(function(point), sympy_value(expression, point), 1e-40)
        for name, value in partials(text, point).items():
            assert mp.isfinite(value)
            # The scale is that of the function: a derivative that cancels to nothing has no digits of its own.
            scale = abs(function(point))
            assert close(value, sympy_value(sympy.diff(expression, formulas.SYMBOLS[name]), point), 1e-30, scale)
            assert close(value, difference(function, point, name), 1e-25, scale)

    @pytest.mark.parametrize("seed", range(200, 240))
    def test_hessian_and_its_products(self, seed):
        rng = random.Random(seed)
        text, _ = formulas.formula(rng, 3)
        function = read(text)
        point = formulas.point(rng)
        tape, root = parse(text)
        symbols = tape.symbols((root,))
        entries = list(symbols.values())
        direction = {f"v{name}": rng.uniform(-1, 1) for name in symbols}
        along = [tape.symbol(name) for name in direction]
        product = evaluate(tape, hessian_product(tape, root, entries, along).slopes, point | direction)
        matrix = [evaluate(tape, row, point) for row in hessian(tape, root, entries)]
        v = [mp.mpf(number) for number in direction.values()]
        scale = abs(function(point))
        for row, expected in zip(matrix, product, strict=True):
            assert close(mp.fdot(row, v), expected, 1e-30, scale)
        for k, name in enumerate(symbols):
            assert close(matrix[k][k], difference(function, point, name, order=2), 1e-15, scale)


class TestEveryFunction:
    @pytest.mark.parametrize("name", sorted(ONE))
    def test_of_one_argument(self, name):
        x = formulas.SYMBOLS["x"]
        function = read(f"{name}(x)")
        for number in POINTS.get(name, (-0.7, 0.4, 2.5)):
            point = {"x": number, "y": 0, "z": 0}
            value = partials(f"{name}(x)", point)["x"]
            assert close(value, difference(function, point, "x"), 1e-30)
            if name not in {"floor", "ceil"}:  # SymPy leaves their derivative undone
                assert close(value, sympy_value(sympy.diff(ONE[name](x), x), point), 1e-40)

    @pytest.mark.parametrize("name", sorted(TWO))
    @pytest.mark.parametrize("at", [(0.4, 2.5), (2.5, 0.4), (-0.7, 0.4), (0.4, -0.7)])
    def test_of_two_arguments(self, name, at):
        function = read(f"{name}(x, y)")
        point = {"x": at[0], "y": at[1], "z": 0}
        expression = TWO[name](formulas.SYMBOLS["x"], formulas.SYMBOLS["y"])
        for symbol, value in partials(f"{name}(x, y)", point).items():
            assert close(value, difference(function, point, symbol), 1e-30)
            assert close(value, sympy_value(sympy.diff(expression, formulas.SYMBOLS[symbol]), point), 1e-40)

    @pytest.mark.parametrize("order", range(4))
    def test_polygamma(self, order):
        for number in (0.3, 2.5):
            point = {"x": number, "y": 0, "z": 0}
            value = partials(f"polygamma({order}, x)", point)["x"]
            expression = sympy.polygamma(order + 1, formulas.SYMBOLS["x"])
            assert close(value, sympy_value(expression, point), 1e-40)
            assert close(value, difference(read(f"polygamma({order}, x)"), point, "x"), 1e-30)

    @pytest.mark.parametrize(
        "text", ["x + y", "x*y*y", "-x", "x/y", "x**y", "x**5", "x**(-3)", "x**0.3", "2**x", "pi*x"]
    )
    def test_operators(self, text):
        point = {"x": 1.7, "y": -0.6}
        for name, value in partials(text, point).items():
            assert close(value, difference(read(text), point, name), 1e-30)

    def test_none_is_forgotten(self):
        by_name = {row.name for row in TABLE.values() if row.typed}
        ordered = {"polygamma", "chebyshevt", "chebyshevt_diff", "exprel_diff"}
        assert by_name == {*ONE, *TWO, *ordered, "where"}

    @pytest.mark.parametrize("order", range(4))
    @pytest.mark.parametrize("text", ["exprel_diff({order}, x)", "chebyshevt_diff({order}, 7, x)", "chebyshevt(5, x)"])
    def test_of_an_order(self, order, text):
        text = text.format(order=order)
        for number in (-2.5, 0.3, 1):
            point = {"x": number, "y": 0, "z": 0}
            assert close(partials(text, point)["x"], difference(read(text), point, "x"), 1e-30)

    def test_softmax_of_three(self):
        point = {"x": 0.3, "y": -1.2, "z": 0.8}
        tape, root = parse("softmax(x, y, z)")
        symbols = [tape.symbol(name) for name in "xyz"]
        matrix = [evaluate(tape, row, point) for row in hessian(tape, root, symbols)]
        expression = sympy.exp(formulas.SYMBOLS["x"]) / sum(sympy.exp(s) for s in formulas.SYMBOLS.values())
        for j, a in enumerate("xyz"):
            for k, b in enumerate("xyz"):
                second = sympy.diff(expression, formulas.SYMBOLS[a], formulas.SYMBOLS[b])
                assert close(matrix[j][k], sympy_value(second, point), 1e-40)


class TestBranches:
    @pytest.mark.parametrize(
        ("text", "slope"),
        [
            ("where(x > 0, sqrt(x), 0)", 0),
            ("where(x > 0, x*log(x), 0)", 0),
            ("where(x > 0, sqrt(x), 0)**2", 0),
            ("x*where(x > 0, 1/x, 3)", 3),
            ("exp(where(x <= 0, x, log(x)))", 1),
            ("where(x > 0, sqrt(x), 0) + where(x > 1, sqrt(x), 0)", 0),
            ("where(x > 0, sqrt(x), 0) + where(x < 0, sqrt(x), x)", 1),
            ("where(x > 0, sqrt(x), where(x < 0, 1/x, 2*x))", 2),
            ("where(x == 0, 1, sin(x)/x)", 0),
            ("abs(x)", 0),
            ("min(x, 2*x)", 1),
            ("max(x, 2*x)", 1),
            ("min(2*x, x)", 2),
        ],
    )
    def test_the_branch_that_is_not_taken_does_no_harm(self, text, slope):
        assert partials(text, {"x": 0})["x"] == slope

    @pytest.mark.parametrize(
        "text", ["where(x > 0, sqrt(x), 0)", "where(x > 0, x**1.5, x)", "where(x > 0, x*log(x), 0)"]
    )
    def test_second_derivatives(self, text):
        tape, root = parse(text)
        symbol = tape.symbols((root,))["x"]
        assert evaluate(tape, hessian(tape, root, [symbol])[0], {"x": 0}) == [0]

    def test_zero_power_is_flat(self):
        assert partials("sin(x)^0 + x", {"x": 0})["x"] == 1


class TestSize:
    def test_a_long_chain_needs_no_recursion(self):
        tape = Tape()
        symbol = index = tape.symbol("x")
        for _ in range(100_000):
            index = tape.call("sin", index)
        (slope,) = gradient(tape, index, [symbol])
        assert slope >= 100_000
        length = len(tape)
        tangents(tape, [index], {symbol: tape.constant(1)})
        assert len(tape) <= length + 200_000

    def test_a_product_of_400_sines(self):
        lengths = []
        for count in (200, 400):
            tape, root = parse("*".join(f"sin(x{k})" for k in range(count)))
            gradient(tape, root, list(tape.symbols((root,)).values()))
            lengths.append(len(tape))
        assert lengths[1] <= 2.05 * lengths[0] <= 2.05 * 8 * 200

    def test_gradient_costs_a_small_multiple_of_the_value(self):
        text = " + ".join(f"100*(x{k + 1} - x{k}^2)^2 + (1 - x{k})^2" for k in range(200))
        tape, root = parse(text)
        value = len(tape.reachable((root,)))
        slopes = gradient(tape, root, list(tape.symbols((root,)).values()))
        assert len(tape.reachable((root, *slopes))) <= 4 * value

    def test_absent_symbols_have_no_slope(self):
        tape, root = parse("x^2")
        other = tape.symbol("y")
        assert tape.value(gradient(tape, root, [other])[0]) == 0
        assert isinstance(Formula(tape, root).names, tuple)
