"""Logarithms of sums of exponentials over an index, and shares of them, against SciPy's logsumexp and softmax."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

import descend
from descend.expression.parse import parse
from descend.expression.shifted import shift_exponentials

POINTS = [[1000.0, 0, 0], [1000, -1000, 999], [-1000, -1001, -1002], [0.1, 0.2, 0.3], [0, 0, 0], [-1e300, 5, 1e300]]
LSE = "log(sum(exp(x[i]), i, 0, 2))"


@pytest.mark.parametrize("x", POINTS)
class TestAgainstSciPy:
    def test_value_and_gradient(self, x):
        value, gradient = descend.compile(LSE).value_and_gradient(x)
        assert value == pytest.approx(logsumexp(x), rel=1e-15)
        assert gradient == pytest.approx(softmax(x), rel=1e-14, abs=0)

    def test_second_derivatives(self, x):
        share = softmax(x)
        exact = np.diag(share) - np.outer(share, share)
        assert descend.compile(LSE).hessian(x) == pytest.approx(exact, rel=1e-13, abs=1e-16)

    def test_with_a_constant(self, x):
        fun = descend.compile("log(1 + sum(exp(x[i]), i, 0, 2))")
        assert fun(x) == pytest.approx(logsumexp([0, *x]), rel=1e-15, abs=1e-16)
        assert fun.gradient(x) == pytest.approx(softmax([0, *x])[1:], rel=1e-14, abs=0)

    def test_with_weights(self, x):
        fun = descend.compile("log(sum(c[i]*exp(x[i]), i, 0, 2))", data={"c": [1.0, 2.0, 3.0]})
        assert fun(x) == pytest.approx(logsumexp(x, b=[1, 2, 3]), rel=1e-15)

    def test_a_share(self, x):
        fun = descend.compile("exp(x[1])/sum(exp(x[i]), i, 0, 2)")
        share = softmax(x)
        assert fun(x) == pytest.approx(share[1], rel=1e-14, abs=0)
        assert fun.gradient(x) == pytest.approx(share[1] * (np.eye(3)[1] - share), rel=1e-13, abs=1e-16)

    def test_the_interpreter_too(self, x):
        walk = descend.steps(LSE, start={"x": x}, learning_rate=0.1)
        assert next(walk).cost == pytest.approx(logsumexp(x), rel=1e-15)


def test_with_a_number_beside():
    fun = descend.compile("log(sum(exp(-x[i]^2), i, 0, 2) + exp(y))")
    assert fun([100, 100, 100, -20_000]) == pytest.approx(-10_000 + np.log(3), rel=1e-15)
    assert fun([1, 2, 3, 800]) == 800
    assert fun.gradient([1, 2, 3, 800])[3] == 1


def test_inside_another_sum_and_running():
    fun = descend.compile("sum(log(sum(exp(x[j]), j, 0, i)), i, 0, n-1)", constants={"n": 4})
    x = [1.0, 900, 2, 901]
    assert fun(x) == pytest.approx(sum(logsumexp(x[: i + 1]) for i in range(4)), rel=1e-15)
    assert fun.gradient(x) == pytest.approx(sum(np.append(softmax(x[: i + 1]), np.zeros(3 - i)) for i in range(4)))
    fun = descend.compile("log(sum(sum(exp(x[i]*y[j]), j, 0, 1), i, 0, 1))")
    assert fun([30, 1, 40, -2]) == pytest.approx(1200)


def test_what_is_no_such_sum_stays():
    for text in ("log(sum(x[i]^2, i, 0, 3))", "log(2 + sum(exp(x[i])*exp(-x[i]), i, 0, 3))", "log(exp(x) + exp(y))"):
        tape, root = parse(text)
        assert shift_exponentials(tape, root) == root


def test_as_written_it_overflows():
    assert descend.compile(LSE, keep_as_written=True)([1000, 0, 0]) == np.inf


def test_infinite_and_missing_exponents_come_through():
    fun = descend.compile("log(sum(exp(1/x[i]), i, 0, 2))")
    assert fun([0.0, 1, 1]) == np.inf
    assert np.isnan(descend.compile("log(sum(exp(log(x[i])), i, 0, 2))")([-1.0, 1, 1]))


def test_what_is_wrong_is_said_in_words():
    result = descend.minimize("log(sum(exp(log(x[i])), i, 0, 2))", start=-1)
    assert result.status.name == "OUTSIDE_DOMAIN"
    assert "log(x[0])" in result.advice
