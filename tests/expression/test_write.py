"""Text reads back as the same function; LaTeX is mathematics and nothing else."""

from __future__ import annotations

import random
import re
from fractions import Fraction

import mpmath as mp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from descend.expression.derivative import gradient
from descend.expression.latex import name_to_latex
from descend.expression.limits import Limits
from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.expression.write import to_latex, to_text
from tests.oracles import formulas
from tests.oracles.evaluate import evaluate


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(50):
        yield


def again(text):
    return to_text(*parse(text))


class TestText:
    @pytest.mark.parametrize(
        "text",
        [
            "2*x*sin(y)",
            "-x + 1",
            "1 - x",
            "a - b",
            "a - (b + c)",
            "-(a + b)",
            "x^2",
            "-x^2",
            "(-x)^2",
            "(x^2)^3",
            "x^(y^2)",
            "x^(-2)",
            "2^(-x)",
            "x^1.5",
            "x^(1/3)",
            "1/x",
            "-1/x",
            "x/(y*z)",
            "x*y/z",
            "x/3",
            "2*x/3",
            "1/3",
            "-1/3",
            "0.5*x",
            "1.5*x^2/y",
            "0*log(x)",
            "1/(0*x)",
            "1/(1/x)",
            "sqrt(x)",
            "sqrt(x)^2",
            "e",
            "exp(2)",
            "exp(x)",
            "2*pi*r",
            "(1 - x)^2 + 100*(y - x^2)^2",
            "(x + 1)/(y + 1)",
            "x*(y + 1)*(z + 1)",
            "(1/3)^x",
            "(-2)^x",
            "0.5^x",
            "1e-300*x + 1e30*y",
            "1.5e-7",
            "0.0001",
            "12345678901234567890",
            "max(x, y, z)",
            "min(x, max(y, 2), 3)",
            "where(x > 0, x, -1)",
            "where(x >= 0 and y < 1, x, y)",
            "where(x != 1, 1, 2)",
            "where(x == 1 or not (y < 1 and z < 1), 1, 2)",
            "where((x < 0 or y < 0) and z < 0, 1, 2)",
            "where(x < 0 or y < 0 and z < 0, 1, 2)",
            "polygamma(1, x)",
            "atan2(y, x)",
            "`a b` + `sin` + `pi` + `e` + e + `and` + `sum` + x_2",
            "`1/x`^2",
        ],
    )
    def test_is_a_fixed_point(self, text):
        assert again(text) == text

    @pytest.mark.parametrize(
        ("typed", "shown"),
        [
            ("2x sin(y)", "2*x*sin(y)"),
            ("y*(2*(x*3))", "6*y*x"),
            ("x*x*x", "x^3"),
            ("x^2*x", "x^3"),
            ("(x+1)*x", "x*(x + 1)"),
            ("(a/b)/c", "a/(b*c)"),
            ("a*(b/c)", "a*b/c"),
            ("(a/b)*(c/d)", "a*c/(b*d)"),
            ("a/(b/c)", "a/(b/c)"),
            ("x*(-y)", "-x*y"),
            ("x - (-y)", "x + y"),
            ("|x|", "abs(x)"),
            ("where(0 < x, 1, 2)", "where(x > 0, 1, 2)"),
            ("e^x", "exp(x)"),
            ("x/4", "0.25*x"),
            ("x/1024", "0.0009765625*x"),
            ("1/7", "1/7"),
            ("ln(x)", "log(x)"),
        ],
    )
    def test_is_readable(self, typed, shown):
        assert again(typed) == shown

    def test_derivatives_read_like_those_of_a_person(self):
        def slopes(text):
            tape, root = parse(text)
            return [to_text(tape, slope) for slope in gradient(tape, root, list(tape.symbols((root,)).values()))]

        assert slopes("x^2*sin(y)") == ["2*x*sin(y)", "x^2*cos(y)"]
        assert slopes("x^2") == ["2*x"]
        assert slopes("x/y") == ["1/y", "-x/y^2"]
        assert slopes("(1-x)^2") == ["-2*(1 - x)"]
        assert slopes("exp(-x^2)") == ["-2*x*exp(-x^2)"]
        assert slopes("abs(x)") == ["sign(x)"]
        assert slopes("where(x > 0, x^2, x)") == ["where(x > 0, 2*x, 1)"]

    @pytest.mark.parametrize("seed", range(120))
    def test_random_formulas_and_their_gradients_read_back(self, seed):
        rng = random.Random(seed)
        tape, root = parse(formulas.formula(rng, 4).text)
        point = formulas.point(rng)
        for index in (root, *gradient(tape, root, list(tape.symbols((root,)).values()))):
            text = to_text(tape, index, 100_000)
            back = parse(text, limits=Limits(characters=100_000, nesting=500, nodes=100_000))
            (value,), (expected,) = evaluate(*_rooted(back), point), evaluate(tape, [index], point)
            assert mp.almosteq(value, expected, 1e-40)

    @given(st.fractions().filter(lambda q: q.denominator < 10**30))
    @settings(max_examples=200)
    def test_numbers(self, number):
        tape = Tape()
        text = to_text(tape, tape.constant(number))
        back = parse(text, limits=Limits(digits=500))
        assert back.tape.value(back.root) == number or float(back.tape.value(back.root)) == float(number)

    @given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300))
    @settings(max_examples=200)
    def test_doubles(self, number):
        tape = Tape()
        text = to_text(tape, tape.constant(number))
        if abs(number) > 1e-280:  # literals end at 1e-308
            back = parse(text)
            assert float(back.tape.value(back.root)) == number
        assert len(text) < 45

    @given(st.text(min_size=1, max_size=40).filter(lambda name: "`" not in name))
    @settings(max_examples=200)
    def test_any_name_reads_back(self, name):
        tape = Tape()
        text = to_text(tape, tape.add((tape.symbol(name), tape.constant(1))))
        assert text.isprintable()
        if name.isprintable():
            assert parse(text).names == (name,)

    def test_a_shared_expression_does_not_explode(self):
        tape = Tape()
        index = tape.symbol("x")
        for _ in range(200):
            index = tape.call("sin", tape.add((tape.mul((index, index)), index)))
        text, latex = to_text(tape, index), to_latex(tape, index)
        assert len(text) == 2001
        assert text.endswith("…")
        assert len(latex) == 20_001
        for _ in range(200):
            index = tape.mul((index, tape.call("exp", index), tape.div(index, tape.add((index, tape.constant(1))))))
        assert to_text(tape, index).endswith("…")

    def test_a_deep_expression_needs_no_recursion(self):
        tape = Tape()
        index = tape.symbol("x")
        for _ in range(50_000):
            index = tape.call("sin", index)
        assert to_text(tape, index, 10**6).startswith("sin(sin(")
        assert to_latex(tape, index, 10**6).endswith(r"\right)")
        for _ in range(5_000):
            index = tape.call("max", tape.neg(index), tape.symbol("y"))
        assert to_text(tape, index).startswith("max(-max(")

    def test_signs_of_powers(self):
        tape = Tape()
        negative = tape.constant(Fraction(-1, 2))
        assert to_text(tape, tape.raw("pow", (negative, tape.symbol("x")))) == "(-0.5)^x"


def _rooted(formula):
    return formula.tape, [formula.root]


class TestLatex:
    @pytest.mark.parametrize(
        ("text", "latex"),
        [
            ("x^2*y/2", r"\frac{x^{2} y}{2}"),
            ("(x+1)/(2y)", r"\frac{x + 1}{2 y}"),
            ("(x+1)/y", r"\frac{x + 1}{y}"),
            ("-(x+1)", r"-\left(x + 1\right)"),
            ("2^x*3", r"3 \cdot 2^{x}"),
            (
                "x_1 + x2 + alpha + beta_max + omicron",
                r"x_{1} + x_{2} + \alpha + \beta_{\mathrm{max}} + \mathrm{omicron}",
            ),
            ("sqrt(x) + cbrt(y) + |z|", r"\sqrt{x} + \sqrt[3]{y} + \left|z\right|"),
            ("exp(-x^2) + e", r"e^{-x^{2}} + e"),
            ("sin(x)^2", r"\left(\sin\left(x\right)\right)^{2}"),
            ("max(x, y, z)", r"\max\left(x, y, z\right)"),
            ("1e-300x", r"10^{-300} x"),
            ("1.5e-7x", r"1.5 \cdot 10^{-7} x"),
            ("log(x) + log2(x)", r"\ln\left(x\right) + \log_{2}\left(x\right)"),
            ("polygamma(1, x)", r"\psi^{(1)}\left(x\right)"),
            ("x^(1/3)", r"x^{\frac{1}{3}}"),
            ("2*pi", r"2 \pi"),
            ("0.5", "0.5"),
            ("3x/4", r"\frac{3 x}{4}"),
            ("0.1x", "0.1 x"),
        ],
    )
    def test_shapes(self, text, latex):
        assert to_latex(*parse(text)) == latex

    def test_cases(self):
        latex = to_latex(*parse("where(x >= 1, x, where(x != 0 and not (y < 2 or y < x), 2, 3))"))
        assert latex == (
            r"\begin{cases} x & \text{if } x \ge 1 \\ "
            r"2 & \text{if } x \ne 0 \land \left(\lnot \left(y < 2 \lor y < x\right)\right) \\ "
            r"3 & \text{otherwise} \end{cases}"
        )

    @pytest.mark.parametrize(
        ("name", "latex"),
        [
            ("x", "x"),
            ("x2", "x_{2}"),
            ("x_2", "x_{2}"),
            ("x12_3", "x_{12,3}"),
            ("rate", r"\mathrm{rate}"),
            ("sigma_x", r"\sigma_{x}"),
            ("Omega", r"\Omega"),
            ("b0", "b_{0}"),
            (r"\input{/etc/passwd}", r"\text{\textbackslash{}input\{/etc/passwd\}}"),
            ("a$b_c^d~e%f&g#h", r"\text{a\$b\_c\textasciicircum{}d\textasciitilde{}e\%f\&g\#h}"),
            ("Sepal Length (cm)", r"\text{Sepal Length (cm)}"),
            ("a\nb", r"\text{a?b}"),
        ],
    )
    def test_names(self, name, latex):
        assert name_to_latex(name) == latex

    @given(st.text(min_size=1, max_size=30))
    @settings(max_examples=300)
    def test_no_name_becomes_a_command(self, name):
        latex = name_to_latex(name)
        commands = set(re.findall(r"\\([a-zA-Z]+)", latex))
        greek = commands - {"text", "textbackslash", "textasciicircum", "textasciitilde", "mathrm"}
        assert all(word in name for word in greek)
        unescaped = re.sub(r"\\[\\{}$&#%_]", "", latex)
        assert unescaped.count("{") == unescaped.count("}")

    @pytest.mark.parametrize("seed", range(60))
    def test_brackets_pair(self, seed):
        tape, root = parse(formulas.formula(random.Random(seed), 4).text)
        for index in (root, *gradient(tape, root, list(tape.symbols((root,)).values()))):
            latex = to_latex(tape, index, 10**6)
            assert latex.count(r"\left") == latex.count(r"\right")
            depth = 0
            for character in latex:
                depth += (character == "{") - (character == "}")
                assert depth >= 0
            assert depth == 0
