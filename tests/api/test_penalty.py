"""Penalties: the minimum is that of cost plus penalty, and the report shows both."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import findroot, mp

import descend
from descend import FormulaError, MethodError

DATA = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.5]}


def test_ridge_on_a_quadratic_is_solved():
    result = descend.minimize("(x-3)^2 + (y-1)^2", penalty="l2(0.5)")
    assert result.status is descend.Status.EXACT
    assert result.variables == pytest.approx({"x": 2.0, "y": 2 / 3}, rel=1e-15)
    assert result.penalty == pytest.approx(0.5 * (4 + 4 / 9), rel=1e-15)
    assert "of it the penalty 2.222222222" in result.report()
    assert result.to_dict()["penalty"] == result.penalty


def test_a_formula_with_a_constant_of_its_own():
    result = descend.minimize("(x-3)^4 + (y-1)^2", penalty="a*x^2", constants={"a": 0.5})
    with mp.workdps(30):
        x = findroot(lambda t: 4 * (t - 3) ** 3 + t, 2.5)
    assert result.success
    assert result["x"] == pytest.approx(float(x), rel=1e-9)
    assert result.penalty == pytest.approx(float(x * x / 2), rel=1e-9)


@pytest.mark.parametrize("penalty", ["l2(1)", "sum(x[i]^2, i, 0, 4)"])
def test_of_an_array(penalty):
    result = descend.minimize("sum((x[i]-i)^2, i, 0, 4)", penalty=penalty)
    assert result["x"].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert (result.cost, result.penalty) == (15.0, 7.5)


def test_uphill_it_is_subtracted():
    result = descend.maximize("4x - x^2", penalty="l2(1)")
    assert (float(result), result.cost, result.penalty) == (1.0, 2.0, 1.0)


@pytest.mark.parametrize("loss", ["rss", "mse"])
@pytest.mark.parametrize("penalty", ["l2(0.5)", "0.5*a^2 + 0.5*b^2"])
def test_ridge_regression(loss, penalty):
    fitted = descend.fit("y = a + b*x", DATA, penalty=penalty, loss=loss)
    design = np.column_stack([np.ones(4), DATA["x"]])
    weight = 0.5 if loss == "rss" else 2.0  # a mean over four rows
    expected = np.linalg.solve(design.T @ design + weight * np.eye(2), design.T @ DATA["y"])
    assert fitted.success
    assert list(fitted.parameters.values()) == pytest.approx(expected.tolist(), rel=1e-9)
    assert fitted.penalty == pytest.approx(0.5 * float(expected @ expected), rel=1e-9)
    assert any(note.startswith("no standard errors") for note in fitted.notes)


@pytest.mark.parametrize(
    ("penalty", "error", "words"),
    [
        ("l1", MethodError, "l1 takes its weight"),
        ("l1(0.1: z)", FormulaError, "'z'; it has x"),
        ("l1(0.1: x; x)", MethodError, "l1 takes its weight"),
        ("l1(0.1: x x[2])", MethodError, "named twice"),
        ("l1(0.1: x[9])", FormulaError, "x[9], which the cost does not have"),
        ("elastic-net(0.1)", MethodError, "a weight and a share"),
        ("elastic-net(0.1, 2)", MethodError, "a weight and a share"),
        ("group(0.1)", MethodError, "group(0.1: x1 x2; x3 x4)"),
        ("group(0.1: x; )", MethodError, "group(0.1: x1 x2; x3 x4)"),
        ("group(0.1: x; x[1])", MethodError, "named twice"),
        ("l2(1: x[2])", FormulaError, "whole variables"),
        ("l2", MethodError, "l2 takes its weight"),
        ("l2(-1)", MethodError, "greater than 0"),
        ("l2(x)", MethodError, "a number"),
        (0.5, MethodError, "penalty='l2(0.5)'"),
        ("z^2", FormulaError, "'z'; it has x"),
        ("x^", FormulaError, "\n"),
        ("sum(x[i]^2, i, 0, 9)", FormulaError, "entries of an array that the cost does not have"),
    ],
)
def test_what_is_none(penalty, error, words):
    with pytest.raises(error) as caught:
        descend.minimize("sum((x[i]-i)^2, i, 0, 4)", penalty=penalty)
    assert words in str(caught.value)
