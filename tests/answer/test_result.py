"""Result and Fit: the fields of the contract, the article's two lines, JSON, SciPy, pickling."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import sympy

import descend
from descend import Status
from descend.descent.trace import Trace

DATA = {"x": [1.0, 2.0, 3.0, 4.0], "y": [2.1, 3.9, 6.2, 7.8]}


@pytest.fixture(scope="module")
def one():
    return descend.minimize("x^4 - x^2", 1)


@pytest.fixture(scope="module")
def two():
    return descend.minimize("(x-1)^4 + (y+2)^2*x^2", {"x": 3, "y": 1}, trace=True, seed=5)


@pytest.fixture(scope="module")
def line():
    return descend.fit("y = b0 + b1*x", DATA)


class TestFields:
    TYPES: ClassVar = {
        "status": Status, "success": bool, "message": str, "advice": str, "variables": dict, "cost": float,
        "gradient": dict, "method": str, "why_method": str, "criteria": tuple, "steps": int, "looks": int,
        "products": int, "seconds": float, "seed": int,
    }  # fmt: skip

    @pytest.mark.parametrize("name", TYPES)
    def test_types(self, one, two, line, name):
        for result in (one, two, line):
            assert type(getattr(result, name)) is self.TYPES[name]

    def test_values(self, two):
        assert list(two.variables) == ["x", "y"] == list(two.gradient)
        assert two.variables == {"x": pytest.approx(1, abs=1e-4), "y": pytest.approx(-2, abs=1e-6)}
        assert two.cost == two.best.cost
        assert two.best.variables == two.variables
        assert two["x"] == two.variables["x"] == two[sympy.Symbol("x")]
        assert two.last["y"] == two.last.variables["y"]
        assert two.seed == 5
        assert isinstance(two.trace, Trace)
        assert len(two.trace) == two.looks
        assert two.steps < two.looks
        assert 0 < two.hessians <= two.looks

    def test_one_variable_is_a_number(self, one):
        assert float(one) == one["x"] == float(one.best)
        assert one.slope == one.gradient["x"]

    def test_several_are_not(self, two):
        with pytest.raises(ValueError, match="ask by name"):
            float(two)
        with pytest.raises(ValueError, match="ask by name"):
            _ = two.slope

    def test_an_unknown_name(self, two):
        with pytest.raises(KeyError):
            two["z"]

    def test_frozen(self, one, line):
        for result in (one, line):
            with pytest.raises(dataclasses.FrozenInstanceError):
                result.cost = 0.0

    def test_changing_what_was_handed_out_changes_nothing_else(self, line):
        line.parameters["b0"] = 99.0
        line.covariance[0, 0] = 99.0
        line.standard_errors["b0"] = 99.0
        assert line.parameters["b0"] != 99.0
        assert line.covariance[0, 0] != 99.0

    def test_cost_and_gradient_are_those_of_the_reported_point(self, two):
        fun = descend.compile("(x-1)^4 + (y+2)^2*x^2")
        at = list(two.variables.values())
        assert fun(at) == pytest.approx(two.cost, rel=1e-12, abs=1e-300)
        assert list(fun.gradient(at)) == pytest.approx(list(two.gradient.values()), rel=1e-12, abs=1e-300)


class TestText:
    def test_the_articles_two_lines_come_first(self, one):
        for text in (str(one), repr(one), one.report()):
            first, second, *_ = text.splitlines()
            assert first == f"Minimum occurs at x-value: {one['x']!r}"
            assert second == f"Slope at the minimum is:  {one.slope!r}"

    def test_with_names_for_several_variables(self, two):
        first, second, *_ = str(two).splitlines()
        assert first == f"Minimum occurs at x = {two['x']!r}, y = {two['y']!r}"
        assert second == f"Gradient at the minimum is:  x: {two.gradient['x']!r}, y: {two.gradient['y']!r}"

    def test_what_is_no_minimum_is_not_called_one(self):
        first, second, *_ = str(descend.minimize("x^4 - x^2", 0, escape=False)).splitlines()
        assert first == "No minimum was found; the lowest cost seen is at x-value: 0.0"
        assert "minimum" not in second

    def test_the_article_prints_its_lines_whatever_happened(self):
        result = descend.gradient_descent("x^2", 3, 1.01)
        assert str(result).startswith(f"Minimum occurs at x-value: {result['x']!r}\nSlope at the minimum is:  ")
        assert result["x"] == result.last["x"]
        assert "DIVERGING" in str(result)
        assert "best point x = 3" in str(result)

    def test_work_method_and_criteria_are_shown(self, two):
        text = str(two)
        assert f"{two.steps:,} steps, {two.looks:,} looks" in text
        assert two.method in text
        assert all(str(c) in text for c in two.criteria)

    def test_very_many_variables_are_cut(self):
        result = descend.minimize(" + ".join(f"(x{k} - {k})^2" for k in range(28)))
        assert len(str(result).splitlines()[0]) < 400
        assert "28 in all" in str(result)

    def test_a_fit_prints_its_table(self, line):
        text = str(line)
        assert "y = b0 + b1*x" in text
        assert "standard error" in text
        assert "residual sum of squares" in text
        assert "4 rows" in text
        assert "columns y, x" in text or "columns x, y" in text
        assert line.summary() == text


class TestJson:
    KEYS: ClassVar = {
        "status", "success", "message", "advice", "method", "variables", "cost", "gradient", "steps", "looks",
        "seconds", "certificate",
    }  # fmt: skip

    def test_the_contracts_keys(self, one, line):
        assert set(one.to_dict()) >= self.KEYS
        assert set(line.to_dict()) >= (self.KEYS - {"variables"}) | {
            "parameters", "standard_errors", "rss", "r_squared", "rows", "loss",
        }  # fmt: skip
        assert one.to_dict()["status"] == "MINIMUM"
        assert one.to_dict()["certificate"] is None

    def test_numbers_round_trip(self, one, two, line):
        for result in (one, two, line):
            read = json.loads(result.to_json())
            assert read == result.to_dict()
            assert read["cost"] == result.cost
        assert json.loads(two.to_json())["variables"] == two.variables

    def test_what_is_not_finite_is_null(self):
        result = descend.minimize("x - log(x)", 3, learning_rate=30)
        read = json.loads(result.to_json(), parse_constant=pytest.fail)
        assert read["last"]["cost"] is None
        few = descend.fit("y = a + b*x", {"x": [1.0, 2.0], "y": [1.0, 3.0]})
        assert math.isnan(few.standard_errors["a"])
        assert json.loads(few.to_json())["standard_errors"] == {"a": None, "b": None}

    def test_it_is_plain(self, two):
        def plain(value):
            match value:
                case dict():
                    return all(type(k) is str and plain(v) for k, v in value.items())
                case list():
                    return all(map(plain, value))
            return value is None or type(value) in {str, int, float, bool}

        assert plain(two.to_dict())


def test_scipy(two):
    converted = two.to_scipy()
    assert converted.x.tolist() == list(two.variables.values())
    assert (converted.fun, converted.success, converted.nit, converted.nfev) == (two.cost, True, two.steps, two.looks)
    assert converted.jac.tolist() == list(two.gradient.values())
    assert "MINIMUM" in converted.message
    assert not descend.minimize("x^4 - x^2", 0, escape=False).to_scipy().success


class TestPickle:
    def test_results(self, one, two):
        for result in (one, two, descend.maximize("4x - x^2"), descend.gradient_descent("x^2", 3, 1.0)):
            again = pickle.loads(pickle.dumps(result))
            assert str(again) == str(result)
            assert again.status is result.status
            assert again.to_json() == result.to_json()

    def test_fits(self, line):
        again = pickle.loads(pickle.dumps(line))
        assert again.parameters == line.parameters
        assert str(again) == str(line)
        assert again.predict(DATA).tobytes() == line.predict(DATA).tobytes()
        assert (again.covariance == line.covariance).all()

    def test_a_fit_with_held_back_rows(self):
        x = np.arange(20.0)
        fitted = descend.fit("y = a + b*x", {"x": x, "y": 2 * x + np.sin(x)}, holdout=0.25)
        assert pickle.loads(pickle.dumps(fitted)).evaluate() == fitted.evaluate()

    def test_a_result_of_sympy(self):
        x = sympy.Symbol("x")
        again = pickle.loads(pickle.dumps(descend.minimize((x - 1) ** 4, 3)))
        assert again[x] == again["x"]


class TestNotYet:
    @pytest.mark.parametrize("call", ["plot", "animate", "to_html"])
    def test_it_says_what_to_use_meanwhile(self, one, call):
        with pytest.raises(descend.UnavailableError, match="not in this version"):
            getattr(one, call)(Path("somewhere"))

    def test_nothing_pretends(self, one):
        for name in ("certificate", "certify"):
            assert not hasattr(one, name)
