"""A plain Python function as a cost: called once on symbols."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import descend
from descend.errors import FormulaError
from descend.expression.function import UFUNCS, from_function
from descend.expression.functions import SPELLINGS, TABLE
from descend.expression.parse import parse
from descend.expression.tape import Tape


def same(function, text):
    """Whether a function and a text are one entry of one tape."""
    tape = Tape()
    return tape.graft(*from_function(function)) == tape.graft(*parse(text))


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, "(1 - x)^2 + 100*(y - x^2)^2"),
        (lambda x: 2 / x - x / 4 + 3 - +x, "2/x - x/4 + 3 - x"),
        (lambda x: 2**x + abs(x), "2^x + abs(x)"),
        (lambda x: np.exp(-x) * np.sin(x), "exp(-x)*sin(x)"),
        (lambda x, y: np.maximum(x, y) + np.arctan2(y, x), "max(x, y) + atan2(y, x)"),
        (lambda x: np.square(x) + np.reciprocal(x) + np.power(x, 3), "x^2 + 1/x + x^3"),
        (lambda x: np.float64(0.5) * x + np.int64(2), "x/2 + 2"),
        (lambda x: Fraction(1, 3) * x, "x*(1/3)"),
        (lambda x: sum((x[i + 1] - x[i]) ** 2 for i in range(2)), "0 + (x[1] - x[0])^2 + (x[2] - x[1])^2"),
        (lambda x, scale=3.0: scale * x, "3*x"),
        (lambda *, b, a: a - b, "a - b"),
    ],
)
def test_what_a_function_does_is_written_down(function, text):
    assert same(function, text)


def test_numpy_names_exist():
    assert all(hasattr(np, name) for name in UFUNCS)
    assert all(op in TABLE for op in UFUNCS.values())
    assert {"sin", "exp", "log1p", "hypot", "logaddexp", "sign", "floor"} <= {n for n in SPELLINGS if hasattr(np, n)}


def test_it_is_minimised():
    result = descend.minimize(lambda x, y: (x - 3) ** 2 + np.cosh(y), start={"x": 0, "y": 1})
    assert result.success
    assert result["x"] == pytest.approx(3, abs=1e-8)
    fun = descend.compile(lambda x: x[0] ** 2 + 3 * x[1])
    assert fun.names == ("x[0]", "x[1]")
    assert fun.gradient([2, 5]).tolist() == [4, 3]


def test_a_long_loop_makes_one_sum():
    def cost(x):
        total, product = 0, 1
        for i in range(5000):
            total = total + x[i] ** 2
            product *= x[i]
        return total + product

    tape, root = from_function(cost)
    assert sorted(len(tape[k].args) for k in (root, *tape[root].args) if tape[k].op in {"add", "mul"}) == [5000, 5001]


def test_it_is_called_once():
    calls = []

    def cost(x):
        calls.append(x)
        return x**4

    descend.minimize(cost, 1)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (lambda x: x if x > 0 else -x, "compares"),
        (lambda x: math.exp(x) + 1, "numpy.exp"),
        (lambda x: x % 2, "value of an argument"),
        (lambda x: x * "a", "str"),
        (lambda x: x * 1j, "complex"),
        (lambda x: [x], "returned a list"),
        (lambda x: None, "returned a NoneType"),
        (lambda x: x.missing, "AttributeError"),
        (lambda x: 1 / 0, "ZeroDivisionError"),
        (lambda *x: x[0], r"\*args"),
        (lambda x: np.add.reduce(x) + 1, "plain form"),
        (lambda x: np.gcd(x, 2), "not part of the language"),
        (lambda x: (x + 1)[0], "only an argument"),
        (lambda x: x["a"], "whole number"),
        (lambda x: x * math.nan, "not a number"),
        (lambda a__b: a__b, "name of a variable"),
        (lambda x: (x - x).__class__, "returned a type"),
        (lambda x: x + x[0], "number and as an array"),
        (len, "cannot be read|value of an argument"),
        (print, "cannot be read|named arguments"),
    ],
)
def test_what_has_no_formula(function, why):
    with pytest.raises(FormulaError, match=why):
        descend.minimize(function, 1)


def test_limits_hold():
    with pytest.raises(descend.FormulaError, match="limits="):
        descend.minimize(lambda x: sum(x ** (k + 1) for k in range(100)), 1, limits=descend.Limits(entries=50))
