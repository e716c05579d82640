"""Every case through both doors, text and SymPy, against 50 digits.

The bound of an error is 10⁻¹³ of the sum of the absolute values of the terms that the number is a sum of (`jet.py` says
which those are): a formula that cancels may lose what it cancels, and no more.
"""

from __future__ import annotations

import random

import mpmath as mp
import pytest
import sympy

import descend
from tests.oracles.case_formula import DIGITS, CaseFormula
from tests.oracles.case_sympy import build
from tests.oracles.cases import cases

OBJECTIVES = cases("cutest", "mgh", "testfunctions")
MODELS = cases("nist_linear", "nist_nonlinear")
BOUND = 1e-13
BOUND_OF_PRODUCTS = 1e-12
POINTS = 3
ROWS = 6  # of a model's data


def routes(text, constants=None, data=None):
    """Return the function of both routes."""
    given = {"constants": constants or None, "data": data or None}
    return {"text": descend.compile(text, **given), "SymPy": descend.compile(build(text), **given)}


def check(jet, names, values, size_of, bound, exact):
    """Hold numbers against the oracle's."""
    with mp.workdps(DIGITS):
        for name, value in zip(names, values, strict=True):
            wanted, size = exact.get(name, mp.mpf(0)), size_of.get(name, mp.mpf(0))
            assert abs(mp.mpf(float(value)) - wanted) <= bound * size, (name, value, mp.nstr(wanted, 20))


def compare(fun, formula, point, direction=None):
    """Hold value, gradient and, where there is a direction, the Hessian product at a point against the oracle."""
    speeds = None if direction is None else dict(zip(fun.names, direction, strict=True))
    jet = formula(dict(zip(fun.names, point, strict=True)), speeds)
    value, gradient = fun.value_and_gradient(point)
    check(jet, ["value"], [value], {"value": jet.terms}, BOUND, {"value": jet.value})
    check(jet, fun.names, gradient, jet.slopes, BOUND, jet.slope)
    if direction is not None:
        # What is zero term by term need not be zero to the last bit: the whole product is the scale.
        largest = max(jet.bends.values(), default=mp.mpf(0))
        sizes = {name: jet.bends.get(name, 0) + largest * 1e-3 for name in fun.names}
        check(jet, fun.names, fun.hessian_product(point, direction), sizes, BOUND_OF_PRODUCTS, jet.bend)


@pytest.mark.parametrize("case", OBJECTIVES, ids=str)
def test_objectives(case):
    n, formula = case.size, case.formula()
    funs = routes(case.objective, case.constants(n), case.data)
    touched = [
        name
        for name in case.names(n)
        if name in formula(dict(zip(case.names(n), case.points(n, 1)[0], strict=True))).slope
    ]
    rng = random.Random(1)
    for route, fun in funs.items():
        assert sorted(fun.names) == sorted(touched), route
        assert list(fun.names) == [name for name in case.names(n) if name in fun.names], route
    for point in case.points(n, POINTS):
        at = [x for name, x in zip(case.names(n), point, strict=True) if name in touched]
        direction = [rng.uniform(-1, 1) for _ in at]
        for fun in funs.values():
            compare(fun, formula, at, direction)


@pytest.mark.parametrize("case", [case for case in OBJECTIVES if "residuals" in case.content], ids=str)
def test_residuals_are_the_objective(case):
    """The sum of the squares of the residuals, written as one formula."""
    squares = []
    for residual in case.content["residuals"]:
        square = f"({residual['expr']})**2"
        if "index" in residual:
            index, low, high = residual["index"]
            square = f"Sum({square}, ({index}, {low}, {high}))"
        squares.append(square)
    n = case.size
    text = " + ".join(squares)
    fun = descend.compile(text, constants=case.constants(n) or None, data=case.data or None)
    (point,) = case.points(n, 1)
    formula = CaseFormula(text, case.constants(n), case.data)
    compare(fun, formula, point)
    same = case.formula()(dict(zip(fun.names, point, strict=True)))
    assert abs(fun(point) - same.value) <= BOUND * same.terms


@pytest.mark.parametrize("case", MODELS, ids=str)
def test_models(case):
    content = case.content
    table = {name: column[:: max(1, len(column) // ROWS)][:ROWS] for name, column in content["data"].items()}
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    names = content["params"]
    squares = CaseFormula(f"({content['response']} - ({content['model']}))**2")
    equation = sympy.Eq(build(content["response"], ()), build(content["model"], ()))
    funs = {
        "text": descend.compile(f"{content['response']} = {content['model']}", table),
        "SymPy": descend.compile(equation, table),
    }
    rng = random.Random(str(case))
    start = content.get("starts", [content["certified"]["params"]])[0]
    for _ in range(POINTS):
        point = [x * (1 + 0.05 * rng.uniform(-1, 1)) for x in start]
        jets = [squares(dict(zip(names, point, strict=True)) | row) for row in rows]
        value = mp.fsum(jet.value for jet in jets)
        slope = {name: mp.fsum(jet.slope.get(name, 0) for jet in jets) for name in names}
        sizes = {name: mp.fsum(jet.slopes.get(name, 0) for jet in jets) for name in names}
        for route, fun in funs.items():
            assert set(fun.names) == set(names), route
            at = [point[names.index(name)] for name in fun.names]
            got, gradient = fun.value_and_gradient(at)
            check(None, ["value"], [got], {"value": value}, BOUND, {"value": value})
            check(None, fun.names, gradient, sizes, BOUND, slope)
