"""The language: every decided reading, every refusal with its place."""

from __future__ import annotations

from fractions import Fraction

import mpmath as mp
import pytest

from descend.errors import FormulaError, LimitError
from descend.expression.parse import parse, parse_model
from descend.expression.tokens import GREEK
from tests.oracles.evaluate import evaluate

POINT = {"x": 1.7, "y": -0.4, "z": 2.25}


def value(text, point=POINT, **settings):
    tape, root = parse(text, **settings)
    names = tape.symbols((root,))
    return evaluate(tape, [root], {name: point.get(name, 1.1 + k / 8) for k, name in enumerate(names)})[0]


def refusal(text, **settings):
    with pytest.raises(FormulaError) as caught:
        parse(text, **settings)
    return caught.value


class TestReadings:
    """The decided readings: each text means the same function as the plain one beside it."""

    @pytest.mark.parametrize(
        ("text", "plain"),
        [
            ("2x^2 + 3 sin(x) - |y|/4", "2*x**2 + 3*sin(x) - abs(y)/4"),
            ("-x^2", "0 - x*x"),
            ("(-x)^2", "x*x"),
            ("2^-x", "1/(2**x)"),
            ("2^-x^2", "2**(0 - x*x)"),
            ("x^y^2", "x**(y*y)"),
            ("-2^2", "-4"),
            ("--x", "x"),
            ("+-+x", "0 - x"),
            ("x - -y", "x + y"),
            ("2*-x", "0 - 2*x"),
            ("x/-y", "0 - x/y"),
            ("x²", "x*x"),
            ("x⁻²", "1/(x*x)"),
            ("x²y³", "x**2*y**3"),
            ("2x", "2*x"),
            ("2(x+1)", "2*(x+1)"),
            ("(x+1)(x-1)", "x*x - 1"),
            ("x(x+1)", "x*x + x"),
            ("x (x+1)", "x*x + x"),
            ("x y", "x*y"),
            ("2 x y z", "2*x*y*z"),
            ("2x(x)", "2*x*x"),
            ("2sin(x)cos(x)", "sin(2*x)"),
            ("x^2y", "x**2*y"),
            ("2|x|", "2*x"),
            ("|x - 3| + |y|", "abs(x - 3) + abs(y)"),
            ("|2(|x|)|", "2*x"),
            ("|sin(|x|)|", "sin(x)"),
            ("8/4/2", "1"),
            ("8/4*2", "4"),
            ("x/y*z", "(x/y)*z"),
            ("x − y·z ÷ 2", "x - y*z/2"),
            ("2×x", "2*x"),
            (".5x + 5.", "x/2 + 5"),
            ("1e3x", "1000*x"),
            ("1E-2", "0.01"),
            ("2e", "2*exp(1)"),
            ("e^x", "exp(x)"),
            ("E^2", "exp(2)"),
            ("2pi", "2*pi"),
            ("2πr", "2*pi*r"),
            ("ln(z)", "log(z)"),
            ("Abs(y) + Max(x, y) + Min(x, y)", "-y + x + y"),
            ("arctan(x) + arcsinh(x)", "atan(x) + asinh(x)"),
            ("max(x, y, z)", "max(max(x, y), z)"),
            ("max(x)", "x"),
            ("where(x > y, 1, 2)", "1"),
            ("where(x ≤ y, 1, 2)", "2"),
            ("where(x ≥ x, 1, 2)", "1"),
            ("where(x ≠ y, 1, 2)", "1"),
            ("where(x != x, 1, 2)", "2"),
            ("where(x == x, 1, 2)", "1"),
            ("where(0 < x < 1, 1, 2)", "2"),
            ("where(0 < x < 2, 1, 2)", "1"),
            ("where(x < 0 or y < 0 and z < 0, 1, 2)", "2"),
            ("where(y < 0 or y < 0 and z < 0, 1, 2)", "1"),
            ("where((x > 0 or y > 0) and not z > 0, 1, 2)", "2"),
            ("where(not not x > 0, 1, 2)", "1"),
            ("where(not (x > 0), 1, 2)", "2"),
            ("where(x + 1 > x + y and 1 > 0, 1, 2)", "1"),
            ("cbrt(-8)", "-2"),
            ("Piecewise((1, x < 0), (2, x < 2), (3, True))", "2"),
            ("Piecewise((1, x < 0), (2, x < 1), (3, True))", "3"),
            ("Piecewise((1, False), (2, True), (3, x > 0), (4, True))", "2"),
            ("2Piecewise((x, True))^2", "2*x*x"),
            ("Piecewise((x, not False and x > 0), (y, True))", "x"),
            ("Heaviside(x) + 2Heaviside(y) + 4Heaviside(0*x)", "3"),
            ("Heaviside(0*x, 5) + Heaviside(x, 5) + Heaviside(y, 5)", "6"),
            ("digamma(z)", "polygamma(0, z)"),
            ("chebyshevt(3, x)", "4*x^3 - 3*x"),
            ("\tx\n+\r\ny ", "x + y"),
            ("`x` + `y`", "x + y"),
        ],
    )
    def test_meaning(self, text, plain):
        assert mp.almosteq(value(text), value(plain), 1e-14)

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("xy", ("xy",)),
            ("x_1 + x10 + x2", ("x2", "x10", "x_1")),
            ("I S N Q lambda beta", ("I", "N", "Q", "S", "beta", "lambda")),
            ("α β₁ + γ", ("alpha", "beta1", "gamma")),
            ("αβ", ("alpha", "beta")),
            ("nan + inf + True + None + oo", ("None", "True", "inf", "nan", "oo")),
            ("e + E + pi + π", ()),
            ("`Sepal Length (cm)` + `sin` + `1/x`", ("1/x", "Sepal Length (cm)", "sin")),
            ("`e` + e", ("e",)),
            ("sum + prod*Sum", ("Sum", "prod", "sum")),
            ("Heaviside + digamma*Piecewise", ("Heaviside", "Piecewise", "digamma")),
        ],
    )
    def test_names(self, text, names):
        assert parse(text).names == names

    def test_known_names_are_symbols(self):
        assert parse("e^x + E + pi").names == ("x",)
        assert parse("e^x + E + pi", names=["e", "E", "pi"]).names == ("E", "e", "pi", "x")
        assert parse("price(1 + rate)", names=["price", "rate"]).names == ("price", "rate")
        assert parse("sin(x)", names=["sin"]).names == ("x",)
        assert parse("sin*x", names=["sin"]).names == ("sin", "x")
        assert parse("sum*x", names=["sum"]).names == ("sum", "x")
        assert parse("True*x", names=["True"]).names == ("True", "x")

    def test_every_greek_letter(self):
        for letter, name in GREEK.items():
            assert parse(f"2{letter}").names == (() if name == "pi" else (name,))

    def test_decimals_are_exact(self):
        tape, root = parse("0.1 + 0.2")
        assert tape.value(root) == Fraction(3, 10)
        tape, root = parse("1e-308")
        assert tape.value(root) == Fraction(1, 10**308)


class TestModels:
    def test_one_tape(self):
        model = parse_model("log(y) = b0 + b1*x")
        assert tuple(model.tape.symbols((model.left,))) == ("y",)
        assert tuple(model.tape.symbols((model.right,))) == ("b0", "b1", "x")

    @pytest.mark.parametrize(
        ("text", "reason", "position"),
        [
            ("y ~ x", r"y = b0 \+ b1\*x", 2),
            ("b0 + b1*x", "one '='", 9),
            ("y = x = z", "one '='", 6),
            ("= x", "empty", 0),
            ("y = ", "empty", 4),
            ("y = 1/2x", "two ways|can be read as", 7),
            ("y) = x", "never opened", 1),
            ("(y = x", "not closed", 0),
            ("y > 0 = x", "where", 2),
            ("y = sum(x[i], i = 0, 3)", "written with commas", 16),
            ("y[0] = y + 1", "y is an array elsewhere", 7),
        ],
    )
    def test_refusals(self, text, reason, position):
        with pytest.raises(FormulaError, match=reason) as caught:
            parse_model(text)
        assert caught.value.position == position


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "reason", "position"),
        [
            ("", "empty", 0),
            ("  ", "empty", 2),
            ("1/2x", r"\(1/2\)\*x or as 1/\(2\*x\)", 3),
            ("x/2y", r"\(x/2\)\*y or as x/\(2\*y\)", 3),
            ("1/2(x+1)", "can be read as", 3),
            ("x/(2)y", "two ways", 5),
            ("1 + 2/3 x", "can be read as", 8),
            ("sin^2(x)", r"sin\(x\)\^2 or sin\(sin\(x\)\)", 3),
            ("sin²(x)", "two ways", 3),
            ("sin x", r"needs brackets: sin\(x\)", 0),
            ("2 + log", "needs brackets", 4),
            ("|a|b|", "two ways", 3),
            ("|a||b|", "two ways", 3),
            ("||x| - 1|", "two ways", 1),
            ("|x", "not closed", 0),
            ("x|", "too early", 2),
            ("1,5", "1.5", 1),
            ("(1,5)", "1.5", 2),
            ("x 2", r"did you mean x\*2", 2),
            ("2 3", r"did you mean 2\*3", 2),
            ("(x)2", "operator is missing", 3),
            ("x = 2", "no '='", 2),
            ("y ~ x", "no meaning", 2),
            ("x > 0", r"inside where", 2),
            ("(x > 0) + 1", "a number is needed", 0),
            ("1 + (x > 0)", "a number is needed", 4),
            ("-(x > 0)", "a number is needed", 1),
            ("2(x > 0)", "a number is needed", 1),
            ("x^(x > 0)", "a number is needed", 2),
            ("|(x > 0)|", "a number is needed", 1),
            ("sin(x > 0)", "a number is needed", 4),
            ("where(x > (y > 0), 1, 2)", "a number is needed", 10),
            ("where(x > 0, y > 0, 2)", "a number is needed", 13),
            ("where(x, 1, 2)", "is a condition", 6),
            ("where(x and y, 1, 2)", "two conditions", 6),
            ("where(not x, 1, 2)", "before a condition", 6),
            ("x and y", "not expected", 2),
            ("and", "between conditions", 0),
            ("sqt(x)", r"did you mean sqrt\?", 0),
            ("myfunction(x)", r"write myfunction\*\(", 0),
            ("sin()", "takes 1 argument, not 0", 0),
            ("sin(x, y)", "takes 1 argument, not 2", 0),
            ("atan2(x)", "takes 2 arguments, not 1", 0),
            ("max()", "takes at least 1 argument, not 0", 0),
            ("max(x,)", "missing after this comma", 5),
            ("max(,x)", "comma", 4),
            ("(", "too early", 1),
            ("()", "nothing stands between", 1),
            ("x + (", "too early", 5),
            ("(x + )", "missing before this bracket", 5),
            ("(x + 1", "not closed", 0),
            ("x + 1)", "never opened", 5),
            ("+", "too early", 1),
            ("*x", "something before", 0),
            ("x ^", "too early", 3),
            ("x^^2", "something before", 2),
            ("x²^3", "two powers", 2),
            ("x⁻", "whole number", 1),
            ("²", "not expected", 0),
            ("x! + 1", "factorial", 1),
            ("∑x", r"write sum\(body", 0),
            ("x 'y'", "backticks", 2),
            ("a @ b", r"sum\(a\[i\]\*b\[i\]", 2),
            ("10%", "quotient", 2),
            (r"\frac{1}{2}", "LaTeX", 0),
            ("{x}", "round brackets", 0),
            ("√x", "sqrt", 0),
            ("x.real", "attributes", 1),
            ("`x", "not closed", 0),
            ("``", "no name", 0),
            ("_x", "unexpected", 0),
            ("a__b", "underscores", 0),
            ("x + " + "a" * 33, "32 characters; a longer one is written in `backticks`", 4),
            ("factorial(5)", r"exp\(gammaln\(n \+ 1\)\)", 0),
            ("2 + gamma(5)", r"exp\(gammaln\(x\)\)", 4),
            ("zeta(3)", r"write zeta\*\(", 0),
            ("summ(x, i, 0, 3)", r"did you mean sum\?", 0),
            ("piecewise((x, True))", r"did you mean Piecewise\?", 0),
            ("Piecewise()", r"pairs: Piecewise\(\(a, x > 0\), \(b, True\)\)", 10),
            ("Piecewise(x, True)", "pairs", 10),
            ("Piecewise((x, x > 0), y)", "pairs", 22),
            ("Piecewise((x, x > 0), (y, y > 0))", r"end it with \(value, True\)", 22),
            ("Piecewise((x, y), (1, True))", "is a condition", 14),
            ("Piecewise((x), (1, True))", "condition is missing", 12),
            ("Piecewise((x > 0, True))", "comparison only stands", 13),
            ("Piecewise((x, True, y))", "comma", 18),
            ("Piecewise((x, True)", "not closed", 9),
            ("Piecewise((x, True", "not closed", 10),
            ("Piecewise((x, 0 < True), (1, True))", "a number is needed", 18),
            ("Heaviside()", "takes 1 or 2 arguments, not 0", 0),
            ("Heaviside(1, 2, 3)", "takes 1 or 2 arguments, not 3", 0),
            ("digamma(0, x)", "takes 1 argument, not 2", 0),
            ("chebyshevt(1/2, x)", "a degree is a whole number, and 1/2 is none", 11),
            ("chebyshevt(-1, x)", "a degree is 0, 1, 2", 11),
            ("chebyshevt(sin(n), x)", "a degree is made of", 11),
            ("chebyshevt(x[0], y)", "a degree is made of", 11),
            ("x + 1/0", "division by zero", 5),
            ("x/(1 - 1)", "division by zero", 1),
            ("0^(-1)", "division by zero", 1),
            ("1 + sqrt(-1)", "outside the real numbers", 4),
            ("(-8)^(1/3)", "cbrt", 4),
            ("polygamma(x, 2)", "order", 0),
            ("x\u00a0+ 1", "U\\+00A0", 1),
        ],
    )
    def test_reason_and_place(self, text, reason, position):
        error = refusal(text)
        assert error.position == position
        assert not isinstance(error, LimitError)
        with pytest.raises(FormulaError, match=reason):
            raise error

    def test_the_caret_is_under_the_place(self):
        reason, shown, caret = str(refusal("x + 1/2y + z")).split("\n")
        assert reason.startswith("this can be read")
        assert shown[caret.index("^")] == "y"

    @pytest.mark.parametrize(
        ("text", "shown", "column"),
        [
            ("\tx\n+\ry $", " x + y $", 7),
            ("x\x1b[31m", "x?[31m", 1),
            ("`日本` + $", "`日本` + $", 9),
            ("`e\u0301` + $", "`e\u0301` + $", 6),
            ("`a\u202eb` + $", "`a?b` + $", 8),
        ],
    )
    def test_the_caret_stays_under_its_place(self, text, shown, column):
        assert str(refusal(text)).split("\n")[1:] == [f"  {shown}", f"  {' ' * column}^"]

    def test_the_caret_in_a_long_formula(self):
        text = "+".join(["x"] * 500) + "+ $ +" + "+".join(["x"] * 500)
        _, shown, caret = str(refusal(text)).split("\n")
        assert shown[caret.index("^")] == "$"
        assert len(shown) < 140

    def test_a_column_is_meant(self):
        with pytest.raises(FormulaError, match=r"did you mean `net price`\?") as caught:
            parse_model("y = a*`net prize`", names=["y", "net price"])
        assert caught.value.position == 6
        assert "did you mean price*(...)?" in refusal("prize(x + 1)", names=["price"]).reason
