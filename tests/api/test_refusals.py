"""What this version does not have yet is refused by name, with what to do meanwhile; nothing is silently ignored."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

import descend
from descend import DataError, FormulaError, MethodError, UnavailableError
from descend.problem.loss.registry import PLANNED

DATA = {"x": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.1]}
FIT = {
    "weights": [np.array([1.0, 2, 3]), [1, 2, 3], "w", pd.Series([1.0, 2, 3])],
    "sigma": [np.array([1.0, 2, 3]), 0.5],
    "robust": [True],
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in FIT.items() for v in values])
def test_fit(name, value):
    with pytest.raises(UnavailableError, match=f"^{name}= ") as caught:
        descend.fit("y = a + b*x", DATA, **{name: value})
    assert "; " in str(caught.value)


@pytest.mark.parametrize("data", [np.arange(3.0), {"c": "abc"}, {"c": [[1.0]]}, {"c": [1.0, float("nan")]}, [1.0]])
def test_constant_arrays_that_are_none(data):
    with pytest.raises(DataError):
        descend.compile("sum(x[i]*c[i], i, 0, 1)", data=data)


def test_data_that_the_formula_does_not_have():
    with pytest.raises(FormulaError, match=r"no array .d."):
        descend.compile("sum(x[i]*c[i], i, 0, 1)", data={"c": [1.0, 2.0], "d": [1.0]})


@pytest.mark.parametrize("name", [*PLANNED, "huber(1.35)", "tweedie(1.5)"])
def test_planned_losses(name):
    with pytest.raises(UnavailableError, match="rss, mse"):
        descend.fit("y = a + b*x", DATA, loss=name)


@pytest.mark.parametrize(("door", "settings"), [(descend.minimize, {"method": "adm"}), (descend.fit, {"loss": "rms"})])
def test_what_does_not_exist_at_all(door, settings):
    with pytest.raises(MethodError) as caught:
        door("x^2", 3, **settings) if door is descend.minimize else door("y = a + b*x", DATA, **settings)
    assert not isinstance(caught.value, UnavailableError)


def test_near_names_are_suggested():
    with pytest.raises(MethodError, match="did you mean barzilai-borwein"):
        descend.minimize("x^2", 3, method="barzilai-borwien")
    with pytest.raises(MethodError, match="did you mean barzilai-borwein"):
        descend.minimize("x^2", 3, method="backtracking")  # its former name
    with pytest.raises(MethodError, match="did you mean rss"):
        descend.fit("y = a + b*x", DATA, loss="rsss")


def test_methods_and_rates_that_do_not_fit():
    with pytest.raises(MethodError, match="needs a learning rate"):
        descend.minimize("x^2", 3, method="gradient-descent")
    with pytest.raises(MethodError, match="chooses its own steps"):
        descend.minimize("x^2", 3, method="barzilai-borwein", learning_rate=0.1)
    with pytest.raises(MethodError, match="to the method itself"):
        descend.minimize("x^2", 3, method=descend.GradientDescent(0.1), learning_rate=0.1)


def test_methods_can_be_given_as_objects():
    by_name = descend.minimize("x^4 + x^2", 1, method="gradient-descent", learning_rate=0.1)
    by_object = descend.minimize("x^4 + x^2", 1, method=descend.GradientDescent(0.1))
    assert by_object.variables == by_name.variables
    assert descend.fit("y = a + b*x", DATA, method=descend.BarzilaiBorwein()).success


@pytest.mark.parametrize("door", [descend.minimize, descend.maximize, descend.fit])
def test_what_comes_later_is_absent_from_the_signatures(door):
    absent = {"by", "cluster", "batch_rows", "checkpoint", "certify"}
    assert not absent & set(inspect.signature(door).parameters)


@pytest.mark.parametrize("field", [{"names": -1}, {"names": "a"}, {"nodes": True}, {"nodes": 1.5}, {"rounds": 0}])
def test_limits_that_are_none(field):
    with pytest.raises(MethodError, match="whole number of at least 1"):
        descend.Limits(**field)


@pytest.mark.parametrize("door", [descend.derivative, descend.compile, descend.explain, descend.minimize])
def test_limits_of_another_kind(door):
    with pytest.raises(MethodError, match="limits"):
        door("x^2", limits=5)


@pytest.mark.parametrize(
    "values",
    [
        {"fixed": {"n": 3}, "constants": {"n": 4}},
        {"tied": {"n": "x"}, "constants": {"n": 4}},
        {"tied": {"n": "x"}, "fixed": {"n": 4}},
    ],
)
def test_a_name_with_two_values(values):
    with pytest.raises(FormulaError, match="n is given two values"):
        descend.minimize("n*x^2 + x", 1, **values)


def test_arrays_are_not_fixed_or_tied_yet():
    for values in ({"fixed": {"x": 1.0}}, {"tied": {"x": "y"}}):
        with pytest.raises(UnavailableError, match="x is an array"):
            descend.minimize("sum(x[i]^2, i, 0, 2) + y^2", {"x": 1, "y": 1}, **values)


def test_a_name_that_looks_like_an_entry():
    with pytest.raises(FormulaError, match="rename"):
        descend.minimize("`x[0]`^2 + sum(x[i]^2, i, 0, 2)", 1)


def test_constant_arrays_are_not_for_models():
    with pytest.raises(DataError, match="a model has its table"):
        descend.compile("y = a*x", {"x": [1, 2], "y": [2, 4]}, data={"c": [1.0, 2.0]})
