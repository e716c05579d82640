"""`descend.derivative` of formulas with sums and arrays: what is printed is the gradient."""

from __future__ import annotations

import re

import mpmath as mp
import pytest
import sympy

import descend
from tests.oracles.case_formula import CaseFormula
from tests.oracles.cases import cases

LINE = re.compile(r"d/dx\[(?P<place>.*?)\] \+= (?P<value>.*?)(?:  for (?P<ranges>.*))?")
RANGE = re.compile(r"(\w+) in (.*?)\.\.(.*)")
I, J, K, N = sympy.symbols("i j k n", integer=True)
X = sympy.IndexedBase("x")
ROSENBROCK = "sum(100*(x[i+1] - x[i]^2)^2 + (1 - x[i])^2, i, 0, n-2)"


def oracle(text, constants, data=None):
    return CaseFormula(re.sub(r"\be\b", "E", text.replace("^", "**")), constants, data)


def gathered(text, size, constants, data, values):
    """Return the gradient that the lines of a text describe, each line read and looped over by the oracle."""
    gradient = [mp.mpf(0)] * size
    for line in text.split("\n"):
        found = LINE.fullmatch(line)
        assert found, line
        rows = [dict(constants)]
        for span in re.split(r", (?=\w+ in )", found["ranges"] or ""):
            if span:
                index, low, high = RANGE.fullmatch(span).groups()
                rows = [
                    row | {index: k}
                    for row in rows
                    for k in range(*(int(oracle(end, row)({}).value) + add for end, add in ((low, 0), (high, 1))))
                ]
        for row in rows:
            place = int(oracle(found["place"], row)({}).value)
            gradient[place] += oracle(found["value"], row, data)(values).value
    return gradient


READABLE = [c for c in cases("cutest", "testfunctions", "mgh") if c.content.get("form") == "indexed"]


@pytest.mark.parametrize("case", READABLE, ids=str)
def test_what_is_printed_is_the_gradient(case):
    n = case.size
    (point,) = case.points(n, 1)
    values = dict(zip(case.names(n), point, strict=True))
    text = descend.derivative(case.objective, variables="x")["x"].text()
    if "chebyshevt_diff" in text or "sign(" in text:
        pytest.skip("the oracle does not know the function")
    expected = case.formula()(values)
    with mp.workdps(50):
        found = gathered(text, n, case.constants(n), case.data, values)
        for name, slope in zip(case.names(n), found, strict=True):
            size = expected.slopes.get(name, 0)
            assert mp.almosteq(slope, expected.slope.get(name, 0), 1e-30, 1e-30 * size), name


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("sum(x[i]^2, i, 0, n-1)", "d/dx[i] += 2*x[i]  for i in 0..n - 1"),
        ("x[0]^2*x[3]", "d/dx[0] += 2*x[3]*x[0]\nd/dx[3] += x[0]^2"),
        (
            ROSENBROCK,
            """\
d/dx[i + 1] += 200*(x[i + 1] - x[i]^2)  for i in 0..n - 2
d/dx[i] += -400*x[i]*(x[i + 1] - x[i]^2) - 2*(1 - x[i])  for i in 0..n - 2""",
        ),
        ("sum(i*x[i], i, 0, 3)", "d/dx[i] += i  for i in 0..3"),
        ("exp(sum(x[i], i, 0, 3)/4)", "d/dx[i] += 0.25*exp(0.25*sum(x[j], j, 0, 3))  for i in 0..3"),
    ],
)
def test_text(text, shown):
    found = descend.derivative(text, variables=["x"])["x"]
    assert str(found) == repr(found) == found.text()
    assert sorted(str(found).split("\n")) == sorted(shown.split("\n"))


def test_names_in_bounds_and_places_are_constants():
    assert list(descend.derivative("sum(a*x[i + m]^2, i, 0, n-1)/n")) == ["a", "x"]
    assert str(descend.derivative("sum(a*x[i]^2, i, 0, n-1)")["a"]) == "sum(x[i]^2, i, 0, n - 1)"
    with pytest.raises(descend.FormulaError, match="n stands in a bound of a sum"):
        descend.derivative("sum(x[i], i, 0, n-1)/n", variables="n")
    with pytest.raises(descend.FormulaError, match="y"):
        descend.derivative("sum(x[i], i, 0, n-1)", variables="y")
    with pytest.raises(descend.FormulaError, match="twice"):
        descend.derivative("x*y", variables=["x", "x"])


def test_constant_arrays_are_those_that_are_not_named():
    both = descend.derivative("sum(c[i]*x[i], i, 0, 2)")
    assert list(both) == ["c", "x"]
    assert str(both["c"]) == "d/dc[i] += x[i]  for i in 0..2"
    assert list(descend.derivative("sum(c[i]*x[i], i, 0, 2)", variables="x")) == ["x"]


def test_latex():
    slope = descend.derivative("sum(x[i]^2, i, 0, n-1)")["x"]
    expected = r"\frac{\partial f}{\partial x_{i}} \mathrel{+}= 2 x_{i} \quad i = 0, \ldots, n - 1"
    assert slope.latex() == expected
    assert slope._repr_latex_() == rf"$\begin{{array}}{{l}} {expected} \end{{array}}$"
    assert descend.derivative(ROSENBROCK)["x"].latex().count(r" \\ ") == 1


@pytest.mark.parametrize(
    "cost",
    [
        sympy.Sum(X[I] ** 2, (I, 0, N - 1)),
        sympy.Sum((X[I + 1] - X[I] ** 2) ** 2, (I, 0, N - 2)),
        sympy.exp(sympy.Sum(X[J] * sympy.Sum(X[I], (I, 0, J)), (J, 0, N - 1))),
        X[0] ** 2 * X[2],
        sympy.Product(X[I] + I, (I, 0, N - 1)),
    ],
    ids=range(5),
)
def test_sympy(cost):
    slope = descend.derivative(cost)["x"]
    entries = sympy.symbols("x:3")
    values = {X[k]: entry for k, entry in enumerate(entries)}
    whole = unrolled(cost.subs(N, 3)).subs(values)
    for k, entry in enumerate(entries):
        shown = unrolled(slope.sympy(K).subs({N: 3, K: k})).subs(values)
        assert sympy.simplify(shown - sympy.diff(whole, entry)) == 0
        assert sympy.simplify(unrolled(slope.sympy(k).subs(N, 3)).subs(values) - shown) == 0
    free = {one for one in slope.sympy().free_symbols if isinstance(one, sympy.Symbol)}
    assert len(free - {N, X.label}) == 1  # the entry's index, called apart


def unrolled(expression):
    if isinstance(expression, (sympy.Sum, sympy.Product)):
        *inner, (index, low, high) = expression.limits
        body = expression.func(expression.function, *inner) if inner else expression.function
        terms = [unrolled(body.subs(index, k)) for k in range(int(low), int(high) + 1)]
        return (sympy.Add if isinstance(expression, sympy.Sum) else sympy.Mul)(*terms)
    return expression.func(*map(unrolled, expression.args)) if expression.has(sympy.Sum, sympy.Product) else expression


def test_the_users_own_index_comes_back():
    q = sympy.Symbol("q", integer=True)
    slope = descend.derivative(sympy.Sum(X[q] ** 2, (q, 0, N - 1)))["x"]
    assert slope.sympy(K) == sympy.Sum(2 * X[q] * sympy.KroneckerDelta(q, K), (q, 0, N - 1))
    # An index of the user's that is the entry's cannot be that of a loop too.
    assert slope.sympy(q).free_symbols >= {q}
    t = sympy.Symbol("t")
    in_t = descend.derivative(sympy.Sum(t * X[q], (q, 0, N - 1)))["t"]
    assert in_t.sympy() == sympy.Sum(X[q], (q, 0, N - 1))


def test_second_derivatives_in_arrays_are_refused():
    from descend.api.derivative import second_derivatives

    with pytest.raises(descend.UnavailableError, match="hessian_product"):
        second_derivatives("sum(x[i]^2, i, 0, 3)")
    assert str(second_derivatives("sum(a^2*x[i], i, 0, n)", variables="a")["a", "a"]) == "2*sum(x[i], i, 0, n)"


class TestLong:
    TEXT = "+".join(f"exp(sin(x^2 + 3*y)^2 + {k})*sin(x^2 + 3*y)" for k in range(1, 25))

    def test_repeated_parts_have_names(self):
        slope = descend.derivative(self.TEXT)["y"]
        assert "\n  where u1 = " in str(slope)
        assert len(str(slope)) < 0.8 * len(slope.text())

    def test_the_text_for_programs_reads_back(self):
        slope = descend.derivative(self.TEXT)["y"]
        again = descend.compile(slope.text())
        assert again([0.3, -0.4]) == pytest.approx(descend.compile(self.TEXT).gradient([0.3, -0.4])[1], rel=1e-12)


def test_integer_symbols_are_constants_through_every_door():
    t = sympy.Symbol("t")
    total = sympy.Sum((X[I] - I) ** 2, (I, 0, N - 1)) / N
    assert descend.minimize(total, [1.0, 1.0, 1.0], constants={N: 3})["x"] == pytest.approx([0, 1, 2], abs=1e-6)
    assert descend.minimize((t - N) ** 2, 1.0, constants={"n": 4})["t"] == pytest.approx(4)
    assert descend.minimize((t - N) ** 2, {"t": 1.0}, fixed={"n": 4})["t"] == pytest.approx(4)
    assert next(descend.steps((t - N) ** 2, 1.0, learning_rate=0.5, constants={"n": 4})).cost == 9.0
    assert descend.compile((t - N) ** 2, constants={"n": 4})([1.0]) == 9.0
    with pytest.raises(descend.FormulaError, match="integer"):
        descend.minimize((t - N) ** 2, {"t": 1.0, "n": 2.0})
