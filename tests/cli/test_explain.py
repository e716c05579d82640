"""descend explain."""

from __future__ import annotations

import json

import descend


def test_says_what_the_door_says(shell):
    result = shell("explain", "x^4 - 3x^2")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == f"{descend.explain('x^4 - 3x^2')}\n"


def test_json(shell):
    found = json.loads(shell("explain", "x^2 + n*y^2", "--let", "n=10", "--json").stdout)
    assert found["convex"] is True
    assert found["quadratic"]["largest"] == 20.0
    assert found["rates"]["safe_below"] == 0.1
    assert found["below"]["at"] == [{"x": 0.0, "y": 0.0}]


def test_a_formula_that_begins_with_a_minus(shell):
    assert "falls without end" in shell("explain", "-x^2").stdout


def test_models(shell):
    shown = shell("explain", "y = a*b*x", "--column", "x").stdout
    assert "Only a*b matters" in shown
    assert "--column" in shell("explain", "y = a*x").stdout


def test_errors(shell):
    result = shell("explain", "x +")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "^" in result.stderr
