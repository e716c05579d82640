"""The same formulas as SymPy objects, made node by node, against 50 digits of the text."""

from __future__ import annotations

import random

import mpmath as mp
import pytest

import descend
from tests.indexed.formulas import DATA, FORMULAS
from tests.oracles.case_formula import DIGITS, CaseFormula
from tests.oracles.case_sympy import build

BOUND = 1e-12


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_value_and_gradient(formula):
    rng = random.Random(formula.text)
    n = formula.sizes[-1]
    data = DATA if "c[" in formula.text else None
    fun = descend.compile(build(formula.text), constants={"n": n}, data=data)
    point = [rng.uniform(0.2, 1.5) if formula.positive else rng.uniform(-1.5, 1.5) for _ in fun.names]
    jet = CaseFormula(formula.text, {"n": n}, data)(dict(zip(fun.names, point, strict=True)))
    value, gradient = fun.value_and_gradient(point)
    with mp.workdps(DIGITS):
        assert abs(mp.mpf(value) - jet.value) <= BOUND * jet.terms
        for slope, name in zip(gradient, fun.names, strict=True):
            size = jet.slopes.get(name, 0)
            assert abs(mp.mpf(float(slope)) - jet.slope.get(name, 0)) <= BOUND * size, name
