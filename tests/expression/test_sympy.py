"""The SymPy door: what comes in means the same, what cannot is refused, and it goes out in the user's own symbols."""

from __future__ import annotations

import random
import subprocess
import sys
from fractions import Fraction

import mpmath as mp
import pytest
import sympy

from descend.errors import FormulaError, LimitError
from descend.expression.derivative import gradient
from descend.expression.limits import Limits
from descend.expression.parse import parse
from descend.expression.sympy import from_sympy, from_sympy_model, is_sympy, to_sympy
from descend.expression.sympy_symbols import declared_sign
from descend.expression.tape import Tape
from descend.expression.write import to_text
from tests.oracles import formulas
from tests.oracles.evaluate import evaluate
from tests.oracles.read import read

X, Y, Z = sympy.symbols("x y z")


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(50):
        yield


def text(expression):
    return to_text(*from_sympy(expression).formula)


class TestReading:
    @pytest.mark.parametrize(
        ("expression", "expected"),
        [
            (X**2, "x^2"),
            (X / 3, "x/3"),
            (-2 * X / 3, "-2*x/3"),
            (X**-2, "1/x^2"),
            (1 / X, "1/x"),
            (Y / (3 * X**2), "y/(3*x^2)"),
            (sympy.sqrt(X), "sqrt(x)"),
            (1 / sympy.sqrt(X), "1/sqrt(x)"),
            (X ** sympy.Rational(-3, 2), "1/x^1.5"),
            (sympy.cbrt(X), "x^(1/3)"),
            (X**0.5, "sqrt(x)"),
            (X ** sympy.Float(-2), "1/x^2"),
            (X**Y, "x^y"),
            (X ** (-Y), "x^(-y)"),
            (sympy.E**X, "exp(x)"),
            (sympy.E + sympy.pi, "e + pi"),
            (sympy.exp(1) * X, "e*x"),
            (X - Y, "x - y"),
            (sympy.Rational(22, 7), "22/7"),
            (sympy.Integer(5), "5"),
            (0.1 * X, "0.1*x"),
            (sympy.log(X, 2), "log(x)/log(2)"),
            (sympy.Abs(X), "abs(x)"),
            (sympy.Max(X, Y, 1), "max(1, x, y)"),
            (sympy.Min(X, Y), "min(x, y)"),
            (sympy.ceiling(X) + sympy.floor(Y), "ceil(x) + floor(y)"),
            (sympy.loggamma(X), "gammaln(x)"),
            (sympy.digamma(X), "polygamma(0, x)"),
            (sympy.polygamma(2, X), "polygamma(2, x)"),
            (sympy.sec(X) * sympy.csch(X), "1/(sinh(x)*cos(x))"),
            (sympy.cot(X), "cos(x)/sin(x)"),
            (sympy.Heaviside(X), "where(x < 0, 0, where(x == 0, 0.5, 1))"),
            (sympy.Heaviside(X, 1), "where(x < 0, 0, 1)"),
            (sympy.Piecewise((X, X > 0), (Y, True)), "where(x > 0, x, y)"),
            (
                sympy.Piecewise((X, (X > 0) & (Y <= 1)), (Y, sympy.Ne(X, 0) | ~(Y < 2)), (1, True)),
                "where(y <= 1 and x > 0, x, where(y >= 2 or x != 0, y, 1))",
            ),
            (sympy.UnevaluatedExpr(X), "x"),
            (
                sympy.Piecewise((1, sympy.ITE(X > 0, Y > 0, Y < 0)), (2, True)),
                "where(x > 0 and y > 0 or not (x > 0) and y < 0, 1, 2)",
            ),
            (sympy.Add(X, X, evaluate=False), "2*x"),
            (sympy.Mul(X, 1 / X, evaluate=False), "x/x"),
            (sympy.GoldenRatio, "0.5*(1 + sqrt(5))"),
            (sympy.EulerGamma, "-polygamma(0, 1)"),
        ],
    )
    def test_meaning(self, expression, expected):
        assert text(expression) == expected

    def test_floats_are_the_binary_numbers_they_hold(self):
        tape, root = from_sympy(sympy.Float(0.1)).formula
        assert tape.value(root) == Fraction(0.1)
        tape, root = from_sympy(sympy.Float("0.1", 40)).formula
        assert 0 < abs(tape.value(root) - Fraction(1, 10)) < Fraction(1, 10**40)
        tape, root = from_sympy(sympy.Float(-2.5)).formula
        assert tape.value(root) == Fraction(-5, 2)
        assert from_sympy(sympy.Float(0)).formula.tape.value(0) == 0

    def test_the_symbols_are_the_users_own(self):
        x = sympy.Symbol("x", real=True)
        read = from_sympy(x + Y)
        assert read.symbols == {"x": x, "y": Y}
        assert read.symbols["x"] is x
        assert read.notes == ()

    @pytest.mark.parametrize("seed", range(100))
    def test_random_expressions_mean_the_same(self, seed):
        rng = random.Random(seed)
        both = formulas.formula(rng, 4)
        formula = from_sympy(both.expression).formula
        point = formulas.point(rng)
        (value,) = evaluate(formula.tape, [formula.root], point)
        assert mp.almosteq(value, read(both.text)(point), 1e-30)

    @pytest.mark.parametrize("assumption", ["positive", "negative", "nonnegative", "nonpositive"])
    def test_assumed_signs_are_told(self, assumption):
        read = from_sympy(sympy.Symbol("x", real=True, **{assumption: True}) + 1)
        assert read.notes == ()
        assert declared_sign(read.symbols["x"]) == assumption
        assert declared_sign(sympy.IndexedBase(sympy.Symbol("x", real=True, **{assumption: True}))) == assumption

    def test_what_is_not_enforced_is_noted(self):
        read = from_sympy(sympy.Symbol("x", real=True, nonzero=True) + 1)
        assert read.notes == ("the assumption nonzero on x is not enforced in this version",)
        assert declared_sign(read.symbols["x"]) is None

    def test_a_dummy_gets_a_free_name(self):
        one, other = sympy.Dummy("x"), sympy.Dummy("x")
        read = from_sympy(one + 2 * other + X + sympy.Symbol("x_1"))
        assert set(read.symbols) == {"x", "x_1", "x_2", "x_3"}
        assert {read.symbols["x_2"], read.symbols["x_3"]} == {one, other}
        assert len(read.notes) == 2
        assert "dummy" in read.notes[0]

    def test_names_are_names_and_nothing_else(self):
        hostile = sympy.Symbol("__import__('os').system('touch /tmp/pwned')")
        assert from_sympy(hostile + 1).formula.names == (hostile.name,)
        assert from_sympy(sympy.Symbol("sin") * sympy.Symbol("lambda")).formula.names == ("lambda", "sin")

    def test_models(self):
        b0, b1 = sympy.symbols("b0 b1")
        model, symbols, notes = from_sympy_model(sympy.Eq(Y, b0 + b1 * X))
        assert to_text(model.tape, model.left) == "y"
        assert to_text(model.tape, model.right) == "b0 + b1*x"
        assert set(symbols) == {"b0", "b1", "x", "y"}
        assert notes == ()
        with pytest.raises(FormulaError, match="equation"):
            from_sympy_model(X + Y)
        with pytest.raises(FormulaError, match="equation"):
            from_sympy_model("y = x")

    def test_recognition(self):
        assert is_sympy(X)
        assert is_sympy(sympy.Matrix([[1]]))
        assert not is_sympy("x")
        assert not is_sympy(1.0)

    def test_recognition_does_not_import(self):
        program = "import sys, descend.expression.sympy as s; s.is_sympy(1); assert 'sympy' not in sys.modules"
        subprocess.run([sys.executable, "-c", program], check=True)


class TestRefusing:
    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda: "x**2", "a text"),
            (lambda: 3, "a int"),
            (lambda: None, "NoneType"),
            (lambda: X > 0, "a condition"),
            (lambda: sympy.true, "a condition"),
            (lambda: sympy.Eq(X, 1), "fit"),
            (lambda: sympy.Matrix([X]), "a matrix"),
            (lambda: sympy.MatrixSymbol("A", 2, 2), "matrices"),
            (lambda: sympy.MatrixSymbol("A", 2, 2)[0, 0], "not a function that descend knows"),
            (lambda: sympy.I * X, "imaginary"),
            (lambda: sympy.oo + X, "infinity"),
            (lambda: -sympy.oo, "infinity"),
            (lambda: sympy.zoo, "infinity"),
            (lambda: sympy.nan, "nan"),
            (lambda: sympy.Symbol("n", integer=True), "integer"),
            (lambda: sympy.Symbol("n", even=True), "integer"),
            (lambda: sympy.Symbol("z", complex=True), "real"),
            (lambda: sympy.Symbol("z", real=False), "real"),
            (lambda: sympy.Symbol("z", imaginary=True), "real"),
            (lambda: sympy.Symbol("z", commutative=False), "commute"),
            (lambda: sympy.Wild("w"), "pattern"),
            (lambda: X + sympy.Symbol("x", real=True), "two different symbols are called x"),
            (lambda: sympy.Symbol("a`b"), "backticks"),
            (lambda: sympy.Symbol("a\x1b[31m"), r"'a\?\[31m'"),
            (lambda: sympy.Symbol(""), "printable"),
            (lambda: sympy.IndexedBase("x"), r"x is an array; a formula is made of its entries, x\[i\]"),
            (lambda: sympy.Function("f")(X), "undefined function"),
            (lambda: sympy.Function("sin")(X), "undefined function"),
            (lambda: sympy.Derivative(sympy.Function("f")(X), X), "doit"),
            (lambda: sympy.Integral(X, X), "doit"),
            (lambda: sympy.Limit(X, X, 0), "doit"),
            (lambda: sympy.gamma(X), r"gamma is not a function .*; write exp\(loggamma\(x\)\)"),
            (lambda: sympy.factorial(X), r"factorial is not a function .*; write exp\(loggamma\(n \+ 1\)\)"),
            (lambda: sympy.binomial(X, Y), r"write exp\(loggamma\(n \+ 1\) - "),
            (lambda: sympy.Mod(X, Y), r"write x - y\*floor\(x/y\)"),
            (lambda: sympy.DiracDelta(X), "DiracDelta"),
            (lambda: sympy.Catalan, "Catalan"),
            (lambda: sympy.re(X), "re is not"),
            (lambda: sympy.Piecewise((X, X > 0)), "value everywhere"),
            (lambda: sympy.polygamma(Y, X), "order"),
            (lambda: sympy.log(X, 2, evaluate=False), "doit"),
            (lambda: sympy.sqrt(-X - 1).subs(X, 1), "imaginary"),
            (lambda: sympy.Pow(-8, sympy.Rational(1, 3), evaluate=False), "cbrt"),
            (lambda: sympy.Mul(X, sympy.Pow(0, -1, evaluate=False), evaluate=False), "division by zero"),
            (lambda: sympy.O(X), "Order"),
        ],
    )
    def test_reason(self, make, reason):
        with pytest.raises(FormulaError, match=reason):
            from_sympy(make())

    def test_limits(self):
        with pytest.raises(LimitError, match="entries"):
            from_sympy(sum(sympy.sin(k * X) for k in range(1, 100)), Limits(entries=50))
        with pytest.raises(LimitError, match="bits"):
            from_sympy(sympy.Float("1e100000"))
        with pytest.raises(LimitError, match="bits"):
            from_sympy(sympy.Float((0, 1, 10**12, 1)))
        with pytest.raises(LimitError, match="bits"):
            from_sympy(sympy.Integer(7) ** 10_000)

    def test_a_deep_expression_needs_no_recursion(self):
        expression = X
        for _ in range(5_000):
            expression = sympy.sin(expression, evaluate=False)
        assert len(from_sympy(expression).formula.tape) == 5_001

    def test_a_shared_expression_is_walked_once(self):
        expression = X
        for _ in range(60):
            expression = sympy.Add(sympy.sin(expression, evaluate=False), expression, evaluate=False)
        assert len(from_sympy(expression).formula.tape) == 121


class TestWriting:
    @pytest.mark.parametrize(
        ("typed", "expression"),
        [
            ("x^2 + 2x y", X**2 + 2 * X * Y),
            ("x/3", X / 3),
            ("0.1x", X / 10),
            ("exp(-x)", sympy.exp(-X)),
            ("e^2", sympy.exp(2)),
            ("pi x", sympy.pi * X),
            ("sqrt(x)", sympy.sqrt(X)),
            ("log2(x)", sympy.log(X) / sympy.log(2)),
            ("sigmoid(x)", 1 / (1 + sympy.exp(-X))),
            ("gammaln(x)", sympy.loggamma(X)),
            ("polygamma(0, x)", sympy.digamma(X)),
            ("|x|", sympy.Abs(X)),
            ("max(x, y, z)", sympy.Max(X, Y, Z)),
            ("where(x > 0 and y != 1, x, -1)", sympy.Piecewise((X, (X > 0) & sympy.Ne(Y, 1)), (-1, True))),
            ("where(1 < 2, x, y)", X),
            ("cbrt(x)", sympy.sign(X) * sympy.Abs(X) ** sympy.Rational(1, 3)),
            ("ceil(x)", sympy.ceiling(X)),
        ],
    )
    def test_spelling(self, typed, expression):
        assert to_sympy(*parse(typed)) == expression

    def test_the_users_own_symbols(self):
        x = sympy.Symbol("x", real=True)
        result = to_sympy(*parse("|x| + y"), symbols={"x": x})
        assert result == sympy.Abs(x) + Y
        assert result.free_symbols == {x, Y}

    def test_derivatives(self):
        x = sympy.Symbol("x", real=True)
        expression = x**2 * sympy.sin(x) + sympy.exp(-(x**2)) / x
        (tape, root), symbols, _ = from_sympy(expression)
        (slope,) = gradient(tape, root, [tape.symbol("x")])
        assert sympy.simplify(to_sympy(tape, slope, symbols) - sympy.diff(expression, x)) == 0

    @pytest.mark.parametrize("seed", range(100))
    def test_there_and_back(self, seed):
        rng = random.Random(seed)
        tape, root = parse(formulas.formula(rng, 4).text)
        point = formulas.point(rng)
        back = from_sympy(to_sympy(tape, root, formulas.SYMBOLS)).formula
        assert mp.almosteq(evaluate(back.tape, [back.root], point)[0], evaluate(tape, [root], point)[0], 1e-30)

    @pytest.mark.parametrize(
        "typed",
        [
            "exp(log(7)*10^9)",
            "exp(1e18)",
            "exp(exp(exp(exp(5))))",
            "floor(exp(1e18))",
            "exp(x + 10^9*log(7))",
            "((((3*x)^999)^999)^999)^999",
            "((((sqrt(2))^999)^999)^999)^999",
            "where(exp(1e18) < exp(2e18), x, y)",
            "sinh(1e18)*x",
            "2^exp(50)",
        ],
    )
    def test_what_would_choke_sympy_is_refused(self, typed):
        with pytest.raises(LimitError, match="too large"):
            to_sympy(*parse(typed))

    @pytest.mark.parametrize(
        "typed",
        [
            "cosh(1 + " * 60 + "x" + ")" * 60,
            "gammaln(1 + " * 60 + "x" + ")" * 60,
            "max(x, y + " * 60 + "1" + ")" * 60,
            "where(x > y, y, 1 + " * 30 + "1" + ")" * 30,
            "max(" + ", ".join(f"sin({k}*x)" for k in range(60)) + ")",
            "atan2(x, 1 + " * 30 + "y" + ")" * 30,
            "(x + " * 60 + "1" + ")^0.3" * 60,
            "((x + " * 25 + "1" + ")^2)^y" * 25,
            "x^" * 60 + "x",
            "exp(" * 60 + "x" + ")" * 60,
            "2/(x + " * 60 + "1" + ")" * 60,
        ],
        ids=range(11),
    )
    def test_deep_formulas_come_back(self, typed):
        assert to_sympy(*parse(typed)).free_symbols <= {X, Y}

    def test_a_deep_expression_needs_no_recursion(self):
        tape = Tape()
        index = tape.symbol("x")
        for _ in range(10_000):
            index = tape.call("sin", tape.add((index, tape.constant(1))))
        back = from_sympy(to_sympy(tape, index)).formula
        assert len(back.tape) == len(tape)

    @pytest.mark.parametrize("typed", ["log(-1)", "log(0)*x", "asin(2)", "x + acosh(0)", "gammaln(-1)"])
    def test_constants_without_a_value_are_refused(self, typed):
        with pytest.raises(FormulaError, match="no value"):
            to_sympy(*parse(typed))
