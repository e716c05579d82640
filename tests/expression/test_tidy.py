"""Derivatives for reading: the strings that a person expects, and the same function, whatever was rearranged."""

from __future__ import annotations

import random

import mpmath as mp
import pytest

from descend.expression.derivative import gradient
from descend.expression.limits import Limits
from descend.expression.named import to_named_text
from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.expression.tidy import MOST, tidy
from descend.expression.write import to_text
from tests.oracles import formulas
from tests.oracles.evaluate import evaluate
from tests.oracles.read import read


@pytest.fixture(autouse=True)
def digits():
    with mp.workdps(50):
        yield


def slopes(text):
    tape, root = parse(text)
    return [to_text(*tidy(tape, slope)) for slope in gradient(tape, root, list(tape.symbols((root,)).values()))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x^2*sin(y)", ["2*x*sin(y)", "x^2*cos(y)"]),
        ("log(1 + exp(x))", ["exp(x)/(1 + exp(x))"]),
        ("1/(1 + exp(-x))", ["exp(-x)/(1 + exp(-x))^2"]),
        ("sigmoid(a + b*x)", ["sigmoid(a + b*x)*sigmoid(-(a + b*x))"] + 2 * [None]),
        ("100*(y - x^2)^2 + (1 - x)^2", ["-2*(1 - x) - 400*x*(y - x^2)", "200*(y - x^2)"]),
        ("(x^2 + 1)/(y - 3)", ["2*x/(y - 3)", "-(x^2 + 1)/(y - 3)^2"]),
        ("log(x)/x", ["1/x^2 - log(x)/x^2"]),
        ("x*log(x)", ["log(x) + 1"]),
        ("x*(1 - x)", ["1 - 2*x"]),
        ("tanh(w*x)", ["x/cosh(w*x)^2", "w/cosh(w*x)^2"]),
        ("x^(-2)", ["-2/x^3"]),
        ("x^(1/3)", ["1/(3*x^(2/3))"]),
        ("1/(1 + x)^2", ["-2/(1 + x)^3"]),
        ("asin(x)", ["1/sqrt(1 - x^2)"]),
        ("hypot(x, y)", ["x/hypot(x, y)", "y/hypot(y, x)"]),
        ("logaddexp(x, y)", ["sigmoid(x - y)", "sigmoid(y - x)"]),
        ("log(s) + (x - m)^2/(2*s^2)", ["(m - x)/s^2", "1/s - (x - m)^2/s^3", "(x - m)/s^2"]),
        ("sin(x)/x", ["cos(x)/x - sin(x)/x^2"]),
        ("(a*x + b)/(c*x + d)", [None, None, None, None, "a/(c*x + d) - c*(a*x + b)/(c*x + d)^2"]),
        ("sin(x)^2*cos(x)^3", ["2*cos(x)^4*sin(x) - 3*sin(x)^3*cos(x)^2"]),
        ("exp(-x)/exp(x)", ["-2*exp(-x)/exp(x)"]),
        ("where(x > 0, x*log(x), x^2)", ["where(x > 0, log(x) + x/x, 2*x)"]),
    ],
)
def test_reads_like_a_persons(text, expected):
    assert [e is None or e == found for e, found in zip(expected, slopes(text), strict=True)] == [True] * len(expected)


@pytest.mark.parametrize(
    "text",
    [
        "x/x",
        "x^3/x",
        "0*log(x)",
        "(x - y)/(x - y)",
        "where(x > 0, log(x), 0) + x/x",
        "sum(log(x), i, 1, n) + x/x",
        "x - x",
        "1/(1/x)",
        "sqrt(x)^2/sqrt(x)",
    ],
)
def test_the_domain_stays(text):
    tape, root = parse(text)
    shown = to_text(*tidy(tape, root))
    assert shown == to_text(tape, root)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("x^2*log(x)/x", "x*log(x)"),
        ("exp(x)*y/exp(x)", "y"),
        ("2*pi*x/pi", "2*x"),
        ("x/x^3", "1/x^2"),
        ("(a + b) - (c - d)", "a + b + d - c"),
        ("-(a - b)*c", "c*(b - a)"),
        ("-(a + b)", "-(a + b)"),
        ("-a + b", "b - a"),
        ("-a - b", "-a - b"),
        ("(1/x)^2", "1/x^2"),
        ("sum(2*a*x[i], i, 0, n)", "2*sum(a*x[i], i, 0, n)"),
        ("sum(x[i] - (y - x[i]), i, 0, n)", "sum(2*x[i] - y, i, 0, n)"),
    ],
)
def test_rearranging(text, shown):
    assert to_text(*tidy(*parse(text))) == shown


@pytest.mark.parametrize("seed", range(150))
def test_the_function_stays(seed):
    rng = random.Random(seed)
    tape, root = parse(formulas.formula(rng, 4).text)
    point = formulas.point(rng)
    for index in (root, *gradient(tape, root, list(tape.symbols((root,)).values()))):
        (before,) = evaluate(tape, [index], point)
        new, entry = tidy(tape, index)
        (after,) = evaluate(new, [entry], point)
        assert mp.almosteq(after, before, 1e-35)
        # What is shown is read by Python's own parser too.
        text = to_text(new, entry, 10**6).replace("^", "**")
        if len(text) < 5_000 and "polygamma" not in text:
            assert mp.almosteq(read(text)(point), before, 1e-30)


def test_the_tape_itself_is_not_touched():
    tape, root = parse("-log(x)/x^2 + 1/x^2 + x*x^(-3)")
    before = list(tape.entries)
    tidy(tape, root)
    assert tape.entries == before


def test_what_is_long_stays_as_it_is():
    tape = Tape()
    index = tape.symbol("x")
    for _ in range(MOST):
        index = tape.call("sin", index)
    assert tidy(tape, index) == (tape, index)


class TestNames:
    def test_a_short_text_has_none(self):
        tape, root = parse("sin(x^2 + 3*y + 1)*(x^2 + 3*y + 1)")
        assert to_named_text(tape, root) == to_text(tape, root)

    def test_repeated_parts_are_named(self):
        inner = "sin(x^2 + 3*y - u1)"
        text = "+".join(f"exp({inner}^2 + {k})*{inner}" for k in range(1, 25))
        tape, root = parse(text)
        shown = to_named_text(tape, root)
        first, *rest = shown.split("\n")
        assert first.startswith("u2*exp(u2^2 + 1) + u2*exp(u2^2 + 2) + ")
        assert rest == ["  where u2 = sin(x^2 + 3*y - u1)"]

    @pytest.mark.parametrize("seed", range(40))
    def test_names_put_back_are_the_same_function(self, seed):
        rng = random.Random(seed)
        tape, root = parse("+".join(formulas.formula(rng, 4).text for _ in range(4)))
        point = formulas.point(rng)
        for index in gradient(tape, root, list(tape.symbols((root,)).values())):
            shown = to_named_text(tape, index, 10**6)
            first, *rest = shown.split("\n")
            values = dict(point)
            if any("polygamma" in line for line in (first, *rest)):
                continue
            for line in rest:
                name, _, part = line.removeprefix("  where ").strip().partition(" = ")
                values[name] = read(part.replace("^", "**"))(values)
            (expected,) = evaluate(tape, [index], point)
            assert mp.almosteq(read(first.replace("^", "**"))(values), expected, 1e-30)

    def test_a_deep_net_of_shared_parts_is_cut_in_time(self):
        tape = Tape()
        index = tape.symbol("x")
        for _ in range(200):
            index = tape.call("sin", tape.add((tape.mul((index, index)), index)))
        shown = to_named_text(tape, index, 100_000)
        assert "…" not in shown
        assert shown.count("\n") < 450
        assert to_named_text(tape, index).endswith("…")


def test_limits_of_long_texts_can_be_raised():
    tape, root = parse("exp(-x)/(1 + x^2)")
    (slope,) = gradient(tape, root, [tape.symbol("x")])
    text = to_text(*tidy(tape, slope))
    assert to_text(*tidy(*parse(text, limits=Limits(nodes=10_000)))) == text
