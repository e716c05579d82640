"""Quadratics are solved in exact fractions: against SymPy's exact solver, in every shape a quadratic can have."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

import descend
from descend import Status
from descend.expression.parse import parse
from descend.problem.problem import make_problem
from descend.problem.quadratic import Shape, solve_quadratic
from descend.vector import Vector


def solved(text, start=None):
    return solve_quadratic(make_problem(parse(text)), None if start is None else Vector(start))


def draw(rng, size, *, definite=True, rank=None):
    """Return (A, b) of ½xᵀAx + bᵀx in small fractions; A = LLᵀ (of low rank, where asked)."""
    rank = size if rank is None else rank
    factor = sympy.Matrix(size, rank, lambda i, j: sympy.Rational(rng.randint(-6, 6), rng.randint(1, 4)))
    matrix = factor * factor.T + (
        sympy.eye(size) * sympy.Rational(1, rng.randint(1, 9)) if definite else sympy.zeros(size)
    )
    return matrix, sympy.Matrix(size, 1, lambda i, j: sympy.Rational(rng.randint(-9, 9), rng.randint(1, 7)))


def text_of(matrix, vector):
    names = sympy.symbols([f"x{k}" for k in range(len(vector))])
    x = sympy.Matrix(names)
    cost = (x.T * matrix * x / 2 + vector.T * x)[0]
    return str(sympy.expand(cost)).replace("**", "^"), names


@pytest.mark.parametrize("seed", range(12))
def test_the_minimum_is_the_exact_one_rounded_once(seed):
    rng = random.Random(seed)
    matrix, vector = draw(rng, rng.randint(1, 6))
    text, _ = text_of(matrix, vector)
    exact = [float(Fraction(int(v.p), int(v.q))) for v in matrix.LUsolve(-vector)]
    closed = solved(text)
    assert closed.shape is Shape.BOWL
    assert list(closed.minimum) == exact  # to the last bit
    result = descend.minimize(text)
    assert result.status is Status.EXACT
    assert list(result.variables.values()) == exact
    assert "this is the minimum, there is no other" in result.advice


@pytest.mark.parametrize("seed", range(8))
def test_in_a_valley_the_nearest_minimum_is_given(seed):
    rng = random.Random(100 + seed)
    size = rng.randint(2, 5)
    while True:  # until every variable occurs
        matrix, _ = draw(rng, size, definite=False, rank=rng.randint(1, size - 1))
        vector = matrix * sympy.Matrix(size, 1, lambda i, j: rng.randint(-5, 5))  # so that there is a minimum
        if all(matrix[k, k] for k in range(size)):
            break
    text, _ = text_of(matrix, vector)
    start = [float(rng.randint(-9, 9)) for _ in range(size)]
    closed = solved(text, start)
    assert closed.shape is Shape.VALLEY
    a, b = np.array(matrix.tolist(), float), np.array(vector.tolist(), float).ravel()
    nearest = start + np.linalg.pinv(a) @ (-b - a @ start)
    assert list(closed.minimum) == pytest.approx(nearest, rel=1e-9, abs=1e-9)
    assert "not the only point" in descend.minimize(text, start).advice


@pytest.mark.parametrize("seed", range(6))
def test_what_falls_without_end_is_said_to(seed):
    rng = random.Random(200 + seed)
    size = rng.randint(1, 5)
    matrix, vector = draw(rng, size)
    matrix[0, 0] -= matrix.trace() + 1  # a negative entry on the diagonal
    text, _ = text_of(matrix, vector)
    assert solved(text).shape is Shape.UNBOUNDED
    assert descend.minimize(text, [1.0] * size).status is Status.UNBOUNDED


class TestShapes:
    @pytest.mark.parametrize(
        ("text", "shape"),
        [
            ("x^2", Shape.BOWL),
            ("x^2 + y^2 + x*y", Shape.BOWL),
            ("x^2 + y^2 + 2*x*y", Shape.VALLEY),
            ("x^2 + y^2 + 2*x*y + x + y", Shape.VALLEY),
            ("x^2 + y^2 + 2*x*y + x - y", Shape.UNBOUNDED),
            ("x^2 + y^2 + 2.0000000000000000001*x*y", Shape.UNBOUNDED),
            ("x^2 + y^2 + 1.9999999999999999999*x*y", Shape.BOWL),
            ("x", Shape.UNBOUNDED),
            ("x*y", Shape.UNBOUNDED),
            ("-x^2", Shape.UNBOUNDED),
            ("x - x + 5", Shape.CONSTANT),
            ("x^2 - x*x", Shape.CONSTANT),
            ("(x+1)^2 - x^2 - 2*x", Shape.CONSTANT),
            ("x^2 + 0*y", Shape.VALLEY),
        ],
    )
    def test_of_a_quadratic(self, text, shape):
        assert solved(text).shape is shape

    @pytest.mark.parametrize(
        "text", ["x^3", "x^4", "sin(x)", "x^2 + exp(y)", "abs(x)", "x/y", "sqrt(x^2)", "x^y", "x^2.5"]
    )
    def test_what_is_no_quadratic_is_left_to_others(self, text):
        assert solved(text) is None

    def test_hidden_quadratics(self):
        assert list(solved("(x+1)*(x-3) + (2*y - 4)^2/3").minimum) == [1.0, 2.0]
        assert list(solved("x^2/(1/3) - x/2").minimum) == [1 / 12]

    def test_irrational_coefficients(self):
        result = descend.minimize("(x - sqrt(2))^2 + (y - pi)^2", method="auto")
        assert result["x"] == pytest.approx(2**0.5, rel=1e-12)
        assert result["y"] == pytest.approx(3.141592653589793, rel=1e-12)
        assert result.success

    def test_thirty_variables_exactly_and_more_by_descent(self):
        text = " + ".join(f"(x{k} - {k})^2" for k in range(30))
        assert descend.minimize(text).status is Status.EXACT
        more = descend.minimize(text + " + (x30 - 30)^2 + (x31 - 31)^2")
        assert more.success
        assert more["x31"] == pytest.approx(31, rel=1e-9)

    def test_tiny_and_huge_numbers_are_exact(self):
        assert descend.minimize("1e-300*(x - 1e-200)^2", 1)["x"] == 1e-200
        assert descend.minimize("1e300*(x - 1e200)^2")["x"] == 1e200
        far = descend.minimize("(x - 10^300*10^300)^2", 1)  # the minimum is beyond doubles
        assert not far.success

    def test_the_solution_is_given_where_the_cost_underflows(self):
        result = descend.minimize("1e-300*1e-300*(x - 3)^2")
        assert result.status is not Status.EXACT or result["x"] == 3.0

    def test_the_constant_cost_is_said_to_be_constant(self):
        result = descend.minimize("x - x + 5", 3)
        assert result.success
        assert result["x"] == 3.0
        assert "the same everywhere" in result.advice


class TestIndexed:
    """Short costs of array variables are recognised too, exactly."""

    def test_a_bowl(self):
        result = descend.minimize("sum((x[i] - i)^2, i, 0, n-1)", constants={"n": 5})
        assert result.status.name == "EXACT"
        assert result["x"].tolist() == [0, 1, 2, 3, 4]

    def test_with_data_and_a_number(self):
        result = descend.minimize("sum(c[i]*(a*i - x[i])^2 + (x[i] - 1)^2, i, 0, 2)", data={"c": [1.0, 2.0, 4.0]})
        assert result.status.name == "EXACT"
        a, x = result["a"], result["x"]
        assert x == pytest.approx((np.array([1, 2, 4]) * a * np.arange(3) + 1) / np.array([2, 3, 5]), rel=1e-12)

    def test_without_end(self):
        assert descend.minimize("sum(-x[i]^2, i, 0, 3)", start=1).status.name == "UNBOUNDED"

    def test_a_long_one_is_walked_down(self):
        result = descend.minimize("sum((x[i] - i)^2, i, 0, n-1)", start=0, constants={"n": 31})
        assert result.status.name == "MINIMUM"
        assert result.why_method == "the cost is a sum of squares of 31 variables"
