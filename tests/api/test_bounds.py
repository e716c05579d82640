"""Bounds through the doors: every look lies in them, the answer is right and says when a bound holds it."""

from __future__ import annotations

import numpy as np
import pytest
import sympy

import descend
from descend import MethodError, Status
from descend.descent.method.registry import METHODS
from descend.evaluation import Needs

DATA = {"x": [0.0, 1.0, 2.0, 3.0], "y": [1.0, 3.0, 5.0, 7.5]}
RATES = {"learning_rate": 0.01}
SETTINGS = {
    name: RATES
    for name, method in METHODS.items()
    if (field := method.__dataclass_fields__.get("learning_rate")) is not None
}


@pytest.mark.parametrize("name", [n for n, m in METHODS.items() if m.needs in {Needs.GRADIENT, Needs.HESSIAN}])
def test_no_method_looks_outside(name):
    seen = []
    result = descend.minimize(
        "(x-3)^4 + (x-3)^2 + (y+1)^2 + x*y/10",
        {"x": 1, "y": 0},
        bounds={"x": (0, 2), "y": (-0.5, None)},
        method=name,
        max_looks=5000,
        callback=lambda progress: seen.append(tuple(progress.point)),
        **SETTINGS.get(name, {}),
    )
    assert len(seen) > 1
    assert all(0 <= x <= 2 and y >= -0.5 for x, y in seen)
    if result.success:
        assert (result["x"], result["y"]) == (2.0, -0.5)
        assert result.status is Status.AT_BOUND


def test_a_closed_form_inside():
    result = descend.minimize("(x-3)^2", bounds={"x": (0, 5)})
    assert (result.status, float(result), result.looks) == (Status.EXACT, 3.0, 2)


@pytest.mark.parametrize(("bounds", "end"), [((0, 2), 2.0), ((4, None), 4.0), ((None, -1), -1.0), ((2, 2), 2.0)])
@pytest.mark.parametrize("scale", ["1", "1e-12", "1e12"])
def test_a_closed_form_outside(bounds, end, scale):
    result = descend.minimize(f"{scale}*(x-3)^2", bounds={"x": bounds})
    assert (result.status, float(result)) == (Status.AT_BOUND, end)


def test_bounded_only_by_its_bounds():
    result = descend.minimize("x + 2y", bounds={"x": (-1, 1), "y": (-3, 3)})
    assert (result.status, result.variables) == (Status.AT_BOUND, {"x": -1.0, "y": -3.0})


def test_uphill():
    result = descend.maximize("x", bounds={"x": (0, 5)})
    assert (result.status, float(result), result.cost) == (Status.AT_BOUND, 5.0, 5.0)


def test_an_array():
    result = descend.minimize("sum((x[i] - i)^2, i, 0, 4)", bounds={"x": (1, [9, 9, 9, 2, 2])})
    assert result["x"].tolist() == [1.0, 1.0, 2.0, 2.0, 2.0]
    assert result.success


def test_a_start_outside_is_moved_and_that_is_said():
    result = descend.minimize("(x-1)^4 + x", 9, bounds={"x": (0, 2)})
    assert "the start was outside the bounds: moved to x = 2" in result.notes
    assert result.success


def test_the_least_squares_of_a_line():
    inside = descend.fit("y = b0 + b1*x", DATA, bounds={"b1": (0, 5)})
    assert inside.status is Status.EXACT
    held = descend.fit("y = b0 + b1*x", DATA, bounds={"b1": (0, 2)})
    assert held.status is Status.AT_BOUND
    assert held.parameters["b1"] == 2.0
    assert held.parameters["b0"] == pytest.approx(np.mean(DATA["y"]) - 2 * np.mean(DATA["x"]), rel=1e-12)


@pytest.mark.parametrize(("assumption", "end"), [("positive", 0.0), ("nonnegative", 0.0), ("negative", -2.0)])
def test_the_sign_of_a_symbol_is_a_bound(assumption, end):
    x = sympy.Symbol("x", real=True, **{assumption: True})
    result = descend.minimize((x + 2) ** 2)
    assert float(result) == end
    assert any(note.startswith(f"x is declared {assumption}: its ") for note in result.notes)


def test_a_bound_against_the_sign_of_a_symbol():
    x = sympy.Symbol("x", positive=True)
    with pytest.raises(MethodError, match="declared"):
        descend.minimize(x**2, bounds={"x": (None, -1)})


def test_the_articles_loop_says_that_it_has_no_bounds():
    x = sympy.Symbol("x", positive=True)
    result = descend.gradient_descent((x + 1) ** 2, 3, 0.1)
    assert float(result) == pytest.approx(-1, abs=1e-8)
    assert "gradient_descent has no bounds: what x is declared to be is not enforced" in result.notes


@pytest.mark.parametrize("name", ["x", "e"])
def test_a_name_in_bounds_is_a_variable(name):
    assert descend.minimize(f"({name}-1)^2", bounds={name: (0, 3)}).variables == {name: 1.0}


@pytest.mark.parametrize("settings", [{"fixed": {"y": 1}}, {"tied": {"y": "2*x"}}])
def test_what_is_not_free_has_no_bounds(settings):
    with pytest.raises(MethodError, match="not free: 'y'"):
        descend.minimize("x^2 + x*y", bounds={"y": (0, 1)}, **settings)
