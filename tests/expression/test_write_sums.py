"""Sums, products and array entries as text, which reads back, and as LaTeX."""

from __future__ import annotations

import re

import mpmath as mp
import pytest

from descend.expression import binders
from descend.expression.derivative import full_gradient, hessian_product
from descend.expression.layout import index_names
from descend.expression.limits import Limits
from descend.expression.parse import parse
from descend.expression.sympy import from_sympy, to_sympy
from descend.expression.tape import Tape
from descend.expression.write import to_latex, to_text
from tests.oracles.case_formula import CaseFormula
from tests.oracles.cases import cases

CASES = [case for case in cases("cutest", "testfunctions", "mgh") if "objective" in case.content]


def again(text):
    return to_text(*parse(text))


def oracle(text, constants, data=None):
    """Read a text of descend's with the oracle, which knows Python's power and SymPy's E."""
    return CaseFormula(re.sub(r"\be\b", "E", text.replace("^", "**")), constants, data)


@pytest.mark.parametrize(
    "text",
    [
        "sum(x[i]^2, i, 0, n - 1)",
        "prod(x[2*i + 1] - t, i, 1, 0.5*n)",
        "sum(sum(x[j]*x[i], j, 0, i), i, 0, n - 1)",
        "exp(sum(cos(2*pi*x[i]), i, 0, n - 1)/n)",
        "sum((1 - x[i])^2 + 100*(x[i + 1] - x[i]^2)^2, i, 0, n - 2)",
        "sum(x[i]*prod(x[j] + k, j, max(0, i - 5), min(i, n))^2, i, 0, n)",
        "x[0] + x[n - 1]*y",
        "2*y*sum(x[i], i, 0, n)",
        "-sum(x[i], i, 0, n) - prod(x[i], i, 0, n)^2",
        "sum(-x[i], i, 0, n)/prod(i, i, 1, 5)",
        "sum(chebyshevt(i, x[i]) + chebyshevt_diff(1, i, y), i, 0, n)",
        "`a b`[0] + `sum`[1] + `x`",
        "sum(where(i < x[i], x[i], 0), i, 0, 3)",
        "sum(y, i, 1, n)",
        "sum(i^2*y^i, i, 1, 9)",
    ],
)
def test_is_a_fixed_point(text):
    assert again(text) == text.replace("`x`", "x")


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("sum(x[k]*i, k, 0, n)", "sum(x[j]*i, j, 0, n)"),
        ("sum(sum(x[k]*i*l, k, 0, q), q, 0, j)", "sum(sum(x[m]*i*l, m, 0, k), k, 0, j)"),
        ("sum(i[k], k, 0, 3)*j + k + l + m", "j*sum(i[i1], i1, 0, 3) + k + l + m"),
        ("sum(q*sum(x[q], q, 0, 2), q, 0, 3)", "sum(i*sum(x[j], j, 0, 2), i, 0, 3)"),
        ("sum(x[q], q, 0, 2)*sum(y[q], q, 0, 3)", "sum(x[i], i, 0, 2)*sum(y[i], i, 0, 3)"),
        ("Sum(x[i]*x[j], (i, 0, j), (j, 0, 5))", "sum(sum(x[j]*x[i], j, 0, i), i, 0, 5)"),
    ],
)
def test_indices_are_called_apart_from_the_names_of_the_formula(typed, shown):
    assert again(typed) == shown
    assert again(shown) == shown


def test_names_of_indices():
    assert index_names((), 8) == ["i", "j", "k", "l", "m", "i1", "i2", "i3"]
    assert index_names({"i", "i1"}, 6) == ["j", "k", "l", "m", "i2", "i3"]


def test_an_index_that_nothing_binds_is_named_too():
    tape = Tape()
    loose = tape.add((tape.index(binders.OPEN), tape.symbol("i")))
    assert to_text(tape, loose).endswith(" + i")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_formulas_of_the_cases_read_back(case):
    n = case.size
    (point,) = case.points(n, 1)
    values = dict(zip(case.names(n), point, strict=True))
    tape, root = parse(case.objective, names=case.data)
    text = to_text(tape, root, 100_000)
    assert to_text(*parse(text, names=case.data, limits=Limits(nodes=20_000, characters=100_000)), 100_000) == text
    expected = case.formula()(values)
    found = oracle(text, case.constants(n), case.data)(values)
    assert mp.almosteq(found.value, expected.value, 1e-30, 1e-30 * expected.terms)


@pytest.mark.parametrize("case", [case for case in CASES if case.indexed][::3], ids=str)
def test_the_formulas_of_the_cases_go_through_sympy(case):
    n = case.size
    (point,) = case.points(n, 1)
    values = dict(zip(case.names(n), point, strict=True))
    tape, root = parse(case.objective)
    back = from_sympy(to_sympy(tape, root), given={"n"}).formula
    expected = case.formula()(values)
    found = oracle(to_text(*back, 100_000), case.constants(n), case.data)(values)
    assert mp.almosteq(found.value, expected.value, 1e-30, 1e-30 * expected.terms)


def test_a_tangent_of_a_product_is_written_as_a_sum_of_products():
    tape, root = parse("prod(x[i], i, 0, n)")
    found = hessian_product(tape, root, [], [], {"x": "v"})
    texts = [to_text(tape, s.value, scope=tuple(loop.level for loop in s.loops)) for s in found.scatters]
    assert texts
    for text in texts:
        assert "tangent" not in text
        parse(text)
    tape = Tape()
    index = tape.index(binders.OPEN)
    tangent = (tape.access("x", index), tape.access("v", index), tape.constant(0), tape.symbol("n"))
    direct = binders.bind(tape, "prod_tangent", binders.OPEN, tangent)
    text = to_text(tape, direct)
    assert text == "sum(v[i]*prod(x[j], j, 0, i - 1)*prod(x[j], j, i + 1, n), i, 0, n)"
    assert (
        to_latex(tape, direct)
        == r"\sum_{i=0}^{n} v_{i} \left(\prod_{j=0}^{i - 1} x_{j}\right) \prod_{j=i + 1}^{n} x_{j}"
    )
    point = {f"{name}[{k}]": mp.mpf(k + shift) / 7 for name, shift in (("x", 2), ("v", -3)) for k in range(4)}
    factors = [(point[f"x[{k}]"], point[f"v[{k}]"]) for k in range(4)]
    expected = mp.fsum(
        v * mp.fprod(x for j, (x, _) in enumerate(factors) if j != k) for k, (_, v) in enumerate(factors)
    )
    assert mp.almosteq(oracle(text, {"n": 3})(point).value, expected, 1e-12)


@pytest.mark.parametrize(
    ("text", "latex"),
    [
        ("sum(x[i]^2, i, 0, n - 1)", r"\sum_{i=0}^{n - 1} x_{i}^{2}"),
        ("prod(x[2*i + 1], i, 1, n)", r"\prod_{i=1}^{n} x_{2 i + 1}"),
        ("sum(x1[i] - y_a[0], i, 0, 3)", r"\sum_{i=0}^{3} \left(x_{1,i} - y_{a,0}\right)"),
        ("sum(-x[i], i, 0, 3)", r"\sum_{i=0}^{3} \left(-x_{i}\right)"),
        ("2*sum(x[i], i, 0, n)", r"2 \sum_{i=0}^{n} x_{i}"),
        ("-sum(x[i], i, 0, n) + y", r"-\sum_{i=0}^{n} x_{i} + y"),
        ("sum(x[i], i, 0, n)*prod(x[i], i, 0, n)", None),
        ("sum(x[i], i, 0, n)^2", r"\left(\sum_{i=0}^{n} x_{i}\right)^{2}"),
        ("sum(x[i], i, 0, n)/n", r"\frac{\sum_{i=0}^{n} x_{i}}{n}"),
        ("chebyshevt(k, x)", r"T_{k}\left(x\right)"),
        ("chebyshevt(k, x)^2", r"\left(T_{k}\left(x\right)\right)^{2}"),
        ("chebyshevt_diff(2, k, x)", r"T_{k}^{(2)}\left(x\right)"),
        ("sum(x[k], k, 0, i)", r"\sum_{j=0}^{i} x_{j}"),
        ("`a b`[n]", r"\text{a b}_{n}"),
        (
            "sum(sum(x[j], j, 0, i)^2, i, 0, n)",
            r"\sum_{i=0}^{n} \left(\sum_{j=0}^{i} x_{j}\right)^{2}",
        ),
    ],
)
def test_latex(text, latex):
    found = to_latex(*parse(text))
    if latex is None:  # which of the two stands first depends on the order of the tape; one of them has brackets
        assert found.count(r"\left(") == 1
    else:
        assert found == latex


@pytest.mark.parametrize("case", [case for case in CASES if case.indexed], ids=str)
def test_brackets_pair_in_latex(case):
    tape, root = parse(case.objective)
    scatters = full_gradient(tape, root, [], ["x"]).scatters
    for index, scope in [(root, ()), *((s.value, tuple(loop.level for loop in s.loops)) for s in scatters)]:
        latex = to_latex(tape, index, 10**6, scope)
        assert latex.count(r"\left") == latex.count(r"\right")
        depths = [0]
        for character in latex:
            depths.append(depths[-1] + (character == "{") - (character == "}"))
        assert min(depths) == depths[-1] == 0
