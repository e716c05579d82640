"""`auto`: which method is taken on which structure, and that names, shifts and scales have no say."""

from __future__ import annotations

import pytest

import descend
from descend import Status

CHOSEN = {
    "x^2 + 3*y^2 - x": ("solved in closed form", "the cost is quadratic"),
    "(1 - x)^2 + 100*(y - x^2)^2": ("Levenberg-Marquardt", "a sum of squares of 2 variables"),
    "cosh(x - y) + y^4 + x": ("newton", "no sum of squares"),
    "abs(x - 0.3) + abs(y + x) + y^2": ("sequential linear-quadratic", "kinks"),
    "max(x^2 + y, 1 - 2*y) + y^2": ("sequential linear-quadratic", "kinks"),
}


@pytest.mark.parametrize("text", CHOSEN)
def test_the_structure_decides_and_the_reason_is_said(text):
    method, why = CHOSEN[text]
    result = descend.minimize(text, [2, 1])
    assert method in result.method
    assert why in result.why_method
    assert result.success
    named = descend.minimize(text.replace("x", "u").replace("mau", "max"), [2, 1], variables=None)
    assert (named.method, named.looks, named.status) == (result.method, result.looks, result.status)


def test_a_learning_rate_asks_for_gradient_descent():
    result = descend.minimize("(1 - x)^2 + x^4", 0, learning_rate=0.05)
    assert result.method.startswith("gradient descent")
    assert "a learning rate was given" in result.why_method


def test_a_sum_of_squares_of_many_variables_goes_to_newton():
    text = "sum((1 - x[i])^2 + 100*(x[i+1] - x[i]^2)^2, i, 0, n - 2)"
    few = descend.minimize(text, {"x": [-1.0] * 10}, constants={"n": 10})
    many = descend.minimize(text, {"x": [0.9] * 300}, constants={"n": 300}, max_looks=40)
    assert "Levenberg" in few.method
    assert "newton" in many.method


def test_kinks_that_are_never_met_leave_a_smooth_cost():
    """|x|³ has no kink; its minimum is singular, and shifted out of the way a Newton step is what helps."""
    result = descend.minimize("abs(x)^3 + exp(x - 2) + x^2*y^2 + (y - 1)^2", [3, 4])
    assert result.status is Status.MINIMUM
    slope = descend.compile("abs(x)^3 + exp(x - 2) + x^2*y^2 + (y - 1)^2").gradient([result["x"], result["y"]])
    assert max(map(abs, slope)) < 1e-9


def test_a_fit_of_a_curve_is_a_sum_of_squares_too():
    times = [0.0, 1.0, 2.0, 3.0]
    fit = descend.fit("y = a*exp(-b*t)", {"t": times, "y": [2.0, 1.1, 0.65, 0.36]})
    assert "sum of squares of 2 variables" in fit.why_method
    assert fit.success
