"""The mistakes that people make in their first hour: each a clear error of ours, never another exception."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import sympy

import descend
from descend import DataError, DescendError, FormulaError, MethodError, StartError

DATA = {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.0, 4.0, 6.1, 8.0], "name": ["a", "b", "c", "d"]}
NO_NUMBER = [
    None, "abc", "", [], {}, ["a"], True, float("nan"), float("inf"), 1j, object(), b"x", 10**400, np.array([1, 2]),
    sympy.oo, sympy.I, sympy.Symbol("q"), set(), (), [None], {"x": {}}, type, ..., np.datetime64("2020"),
    pd.Series([1.0]),
]  # fmt: skip


def ids(value):
    return (
        f"{type(value).__name__}-{value!s:.12}"
        if isinstance(value, (str, int, float, complex))
        else type(value).__name__
    )


def ours(call):
    """Run `call`; whatever it raises must be one of ours, said in one short text."""
    try:
        call()
    except DescendError as error:
        text = str(error)
        assert text.strip()
        assert len(text) < 600
        assert text.isprintable() or "\n" in text


@pytest.mark.parametrize("value", NO_NUMBER, ids=ids)
class TestAnythingAnywhere:
    @pytest.mark.parametrize(
        "name",
        ["method", "learning_rate", "precision", "variables", "bounds", "fixed", "tied", "penalty", "constants", "data",
         "max_looks", "max_seconds", "starts", "seed", "keep_as_written", "progress", "callback", "limits"],
    )  # fmt: skip
    def test_minimize(self, value, name):
        ours(lambda: descend.minimize("x^4 + x", 3, **{"max_looks": 20, name: value}))

    @pytest.mark.parametrize(
        "name", ["cost_fn", "initial_guess", "learning_rate", "precision", "max_iterations", "variables"]
    )
    def test_gradient_descent(self, value, name):
        settings = {"cost_fn": "x^2", "initial_guess": 3, "learning_rate": 0.1, name: value}
        if name == "max_iterations" and isinstance(value, int) and value > 10**9:
            return  # that is what was asked for
        ours(lambda: descend.gradient_descent(**settings))

    @pytest.mark.parametrize(
        "name",
        ["model", "data", "loss", "start", "method", "learning_rate", "precision", "parameters", "columns", "weights",
         "sigma", "fixed", "tied", "constants", "missing", "holdout", "max_looks", "max_seconds", "seed", "callback"],
    )  # fmt: skip
    def test_fit(self, value, name):
        ours(lambda: descend.fit(**{"model": "y = a + b*x", "data": DATA, name: value}))

    def test_a_column(self, value):
        ours(lambda: descend.fit("y = a + b*x", {"x": value, "y": [1.0, 2.0]}))
        ours(lambda: descend.fit("y = a + b*x", {"x": [value, 1.0], "y": [1.0, 2.0]}))

    def test_other_doors(self, value):
        fitted = descend.fit("y = a + b*x", DATA)
        for call in (
            lambda: descend.derivative(value),
            lambda: descend.compile(value),
            lambda: descend.compile("x^2")(value),
            lambda: descend.compile("x^2 + y").gradient(value),
            lambda: next(descend.steps(value, 3, learning_rate=0.1)),
            lambda: next(descend.steps("x^2", value, learning_rate=0.1)),
            lambda: next(descend.steps("x^2", 3, learning_rate=value)),
            lambda: fitted.predict(value),
            lambda: fitted.predict(DATA, kind=value),
            lambda: fitted.evaluate(value),
            lambda: fitted.residuals(value),
            lambda: fitted.intervals(value),
            lambda: descend.load(value),
            lambda: descend.minimize("x^4", 3, method=descend.GradientDescent(value), max_looks=20),
            lambda: descend.minimize("x^4", 3, method=descend.BarzilaiBorwein(memory=value), max_looks=20),
        ):
            ours(call)


class TestWords:
    """What, where, what to do."""

    @pytest.mark.parametrize(
        ("call", "error", "words"),
        [
            (lambda: descend.minimize("x^2 = 4", 3), FormulaError, "="),
            (lambda: descend.minimize("2x +", 3), FormulaError, "ends too early"),
            (lambda: descend.minimize("", 3), FormulaError, "empty"),
            (lambda: descend.minimize("sin x", 3), FormulaError, "sin(x)"),
            (lambda: descend.minimize("x^2 + y", 3), StartError, "one number cannot start 2 variables"),
            (lambda: descend.minimize("x^2", {"y": 3}), StartError, "'y'"),
            (lambda: descend.minimize("x^2", variables=["y"]), FormulaError, "does not contain the variable 'y'"),
            (lambda: descend.minimize("5", 3), FormulaError, "constant"),
            (lambda: descend.minimize(None, 3), FormulaError, "text such as 'x^2'"),
            (lambda: descend.minimize("log(-x^2-1)"), StartError, "give one with start="),
            (lambda: descend.minimize("x^2", 3, learning_rate=-0.1), MethodError, "greater than 0"),
            (lambda: descend.minimize("x^2", 3, learning_rate=0), MethodError, "greater than 0"),
            (lambda: descend.minimize("x^2", 3, precision=0), MethodError, "precision must be greater than 0"),
            (lambda: descend.minimize("x^2", 3, precision=-1), MethodError, "precision must be greater than 0"),
            (lambda: descend.minimize("x^2", 3, max_looks=0), MethodError, "max_looks must be at least 1"),
            (lambda: descend.minimize("x^2", 3, max_looks=1.5), MethodError, "whole number"),
            (lambda: descend.minimize("x^2", 3, max_looks="many"), MethodError, "whole number"),
            (lambda: descend.gradient_descent("x^2", 3, 0.1, max_iterations=-1), MethodError, "at least 0"),
            (lambda: descend.gradient_descent("x^2", 3, None), MethodError, "needs a learning_rate"),
            (lambda: descend.gradient_descent("x^2", None, 0.1), StartError, "the start of x"),
            (lambda: descend.gradient_descent("x^2", 3, "fast"), MethodError, "step number k"),
            (lambda: descend.fit("y = a + b*name", DATA), DataError, "name"),
            (lambda: descend.fit("y = a + b*x", {"x": [1, 2], "y": [1]}), DataError, "same length"),
            (lambda: descend.fit("y = a + b*x", {"x": [], "y": []}), DataError, "no rows"),
            (lambda: descend.fit("y = a + b*x", {}), DataError, "no columns"),
            (lambda: descend.fit("z = a + b*x", DATA), DataError, "there are x, y, name"),
            (lambda: descend.fit("y = a + b*x", [[1, 2], [3, 4]]), DataError, "no names"),
            (lambda: descend.fit("y = a + b*x", "nothing_here.csv"), DataError, "no such file"),
            (lambda: descend.fit("y = a + b*x", DATA, holdout=1.5), MethodError, "between 0 and 1"),
            (lambda: descend.fit("y = a + b*x", DATA, holdout=0.01), DataError, "without rows"),
            (lambda: descend.fit("y = a + b*x", DATA, missing="ignore"), MethodError, "'error' or 'drop'"),
            (lambda: descend.fit("y = a + b*x", DATA, columns=["q"]), DataError, "'q'"),
            (lambda: descend.fit("y = a + b*x", DATA, start={"c": 1}), StartError, "'c'"),
            (lambda: descend.fit("y = a + b*x", DATA).predict({"q": [1]}), DataError, "x"),
            (lambda: descend.fit("y = a + b*x", DATA).intervals(95), MethodError, "0.95"),
            (lambda: descend.derivative("x +* 2"), FormulaError, ""),
        ],
    )  # fmt: skip
    def test_each_says_what_and_what_to_do(self, call, error, words):
        with pytest.raises(error) as caught:
            call()
        assert words in str(caught.value)

    def test_an_empty_file(self, tmp_path):
        path = tmp_path / "empty.csv"
        path.write_text("")
        with pytest.raises(DataError, match="empty"):
            descend.fit("y = a + b*x", path)

    def test_a_text_column_names_the_row(self, tmp_path):
        path = tmp_path / "data.csv"
        path.write_text("x,y\n1,2\n2,oops\n3,4\n")
        with pytest.raises(DataError) as caught:
            descend.fit("y = a + b*x", path)
        assert (caught.value.column, caught.value.row) == ("y", 2)
        assert "oops" in str(caught.value)

    def test_the_caret_stands_under_the_place(self):
        with pytest.raises(FormulaError) as caught:
            descend.minimize("x^2 + $y", 1)
        text, caret = str(caught.value).splitlines()[-2:]
        assert text[caret.index("^")] == "$"

    def test_everything_has_one_root(self):
        for name in ("FormulaError", "StartError", "DomainError", "DataError", "MethodError", "UnavailableError"):
            assert issubclass(getattr(descend, name), DescendError)
        assert issubclass(descend.LimitError, FormulaError)


class TestNumbersThatShouldSimplyWork:
    @pytest.mark.parametrize("rate", [np.float64(0.1), np.float32(0.125), sympy.Rational(1, 10), np.array(0.1), 1 / 10])
    def test_rates(self, rate):
        for result in (
            descend.gradient_descent("x^2", 3, rate),
            descend.minimize("x^2", 3, learning_rate=rate),
            descend.minimize("x^2", 3, method=descend.GradientDescent(rate)),
        ):
            assert result.success

    @pytest.mark.parametrize(
        "start", [np.float32(3), np.array(3.0), np.array([3.0]), pd.Series([3.0]), sympy.Integer(3)]
    )
    def test_starts(self, start):
        assert descend.gradient_descent("x^2", start, 0.1)["x"] == 6.111107929003464e-10

    def test_counts(self):
        for looks in (50, 50.0, np.int64(50), np.float64(50)):
            assert descend.minimize("x^4 + x", 3, learning_rate=1e-6, max_looks=looks).looks == 50
