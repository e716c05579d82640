"""The language: every decided reading, every refusal with its place, hostile texts."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path

import mpmath as mp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from descend.errors import FormulaError, LimitError
from descend.expression.limits import Limits
from descend.expression.parse import parse, parse_model
from descend.expression.tape import Formula
from descend.expression.tokens import GREEK
from tests.oracles.evaluate import evaluate

NASTY = json.loads((Path(__file__).parent / "nasty.json").read_text())
WORDS = [
    "x", "y", "2", "3.5", "1e3", "e", "pi", "(", ")", "(", ")", "+", "-", "*", "/", "^", "**", "|", ",", "²", "⁻", "α",
    "<", "<=", ">", "=", "==", " and ", " or ", "not ", "where(", "sin(", "max(", "abs", "min(", "sqrt(", "`a b`", "π",
    "_", ".", "[", "]", "~", "-1", "0", " ", "\n", "\x00", "\x1b",
]  # fmt: skip
POINT = {"x": 1.7, "y": -0.4, "z": 2.25}


def value(text, point=POINT, **settings):
    tape, root = parse(text, **settings)
    names = tape.symbols((root,))
    return evaluate(tape, [root], {name: point.get(name, 1.1 + k / 8) for k, name in enumerate(names)})[0]


def text_of(row):
    return row["text"] if "text" in row else "".join(piece * count for piece, count in row["pieces"])


def refusal(text, **settings):
    with pytest.raises(FormulaError) as caught:
        parse(text, **settings)
    return caught.value


def outcome(reader, text):
    """Return the error that a reader raises on purpose, None for a formula."""
    try:
        reader(text)
    except FormulaError as error:
        return error
    return None


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
            ("sum(x, i, 0, 3)", "not in this version", 0),
            ("Piecewise((x, x > 0), (1, True))", "not in this version", 0),
            ("x[0]", "indexed", 1),
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
            ("10%", "quotient", 2),
            (r"\frac{1}{2}", "LaTeX", 0),
            ("{x}", "round brackets", 0),
            ("√x", "sqrt", 0),
            ("x.real", "attributes", 1),
            ("`x", "not closed", 0),
            ("``", "no name", 0),
            ("_x", "unexpected", 0),
            ("a__b", "underscores", 0),
            ("x + " + "a" * 33, "32", 4),
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

    def test_the_caret_in_a_long_formula(self):
        text = "+".join(["x"] * 500) + "+ $ +" + "+".join(["x"] * 500)
        _, shown, caret = str(refusal(text)).split("\n")
        assert shown[caret.index("^")] == "$"
        assert len(shown) < 140


class TestLimits:
    @pytest.mark.parametrize(
        ("text", "limits", "name"),
        [
            ("x + 1 ", Limits(characters=5), "characters"),
            ("((x))", Limits(nesting=2), "nesting"),
            ("x^x^x^x", Limits(nesting=3), "nesting"),
            ("sin(sin(sin(x)))", Limits(nesting=3), "nesting"),
            ("x + sin(x)", Limits(nodes=2), "nodes"),
            ("x + y + z", Limits(names=2), "names"),
            ("1234", Limits(digits=3), "digits"),
            ("x^11", Limits(power=10), "power"),
            ("x + y", Limits(entries=2), "entries"),
        ],
    )
    def test_each_is_enforced_and_says_how_to_raise_it(self, text, limits, name):
        with pytest.raises(LimitError, match=rf"Limits\({name}="):
            parse(text, limits=limits)
        assert isinstance(parse(text), Formula)

    def test_power_of_ten(self):
        assert parse("1e308*x").names == ("x",)
        for text in ("1e309", "1e-309", "1e999999999999"):
            assert isinstance(refusal(text), LimitError)

    def test_deep_formulas_are_read_from_deep_programs(self):
        def call(depth):
            return parse("sin(" * 60 + "x" + ")" * 60) if depth == 0 else call(depth - 1)

        assert call(150).names == ("x",)

    def test_depth_is_never_a_recursion_error(self):
        text = "(" * 5000 + "x" + ")" * 5000
        with pytest.raises(LimitError, match="nested"):
            parse(text, limits=Limits(nesting=10_000))


class TestHostile:
    def test_the_corpus_is_large(self):
        assert len(NASTY) >= 200
        assert len({row["what"] for row in NASTY}) == len(NASTY)

    @pytest.mark.parametrize("row", NASTY, ids=[row["what"] for row in NASTY])
    def test_corpus(self, row):
        started = time.process_time()
        error = outcome(parse, text_of(row))
        assert time.process_time() - started < 0.5
        assert {None: "formula", LimitError: "limit", FormulaError: "error"}[error and type(error)] == row["outcome"]
        assert all(line.isprintable() for line in str(error).split("\n"))
        assert len(str(error)) < 500

    @settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sampled_from(WORDS), max_size=30).map("".join))
    def test_words_at_random(self, text):
        self.survives(text)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.text(max_size=40))
    def test_characters_at_random(self, text):
        self.survives(text)

    def survives(self, text):
        started = time.process_time()
        for reader in (parse, parse_model):
            error = outcome(reader, text)
            if error is not None:
                assert all(line.isprintable() for line in str(error).split("\n"))
                assert error.position is None or 0 <= error.position <= len(text)
        assert time.process_time() - started < 1
