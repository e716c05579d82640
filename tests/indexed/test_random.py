"""Random nests of sums and products against 50 digits: value, gradient, Hessian product, also with zeros."""

from __future__ import annotations

import random

import mpmath as mp
import pytest

import descend
from tests.indexed.formulas import DATA
from tests.indexed.random_formulas import Maker
from tests.oracles.case_formula import DIGITS, CaseFormula

BOUND = 1e-12
BATCHES, EACH = 6, 10


def within(got, wanted, size):
    with mp.workdps(DIGITS):
        return abs(mp.mpf(float(got)) - wanted) <= BOUND * size


def check(seed):
    rng = random.Random(seed)
    text, n = Maker(rng, depth=4).formula(), rng.randint(2, 7)
    data = DATA if "c[" in text else None
    try:
        fun = descend.compile(text, constants={"n": n}, data=data)
    except descend.FormulaError as error:
        if "count from 0" not in str(error):  # the one fault that can be made
            raise
        return
    oracle = CaseFormula(text, {"n": n}, DATA)
    dense = [rng.uniform(-1.5, 1.5) for _ in fun.names]
    for point in (dense, [0.0 if rng.random() < 0.3 else x for x in dense]):
        direction = [rng.uniform(-1, 1) for _ in point]
        jet = oracle(dict(zip(fun.names, point, strict=True)), dict(zip(fun.names, direction, strict=True)))
        value, gradient = fun.value_and_gradient(point)
        product, hessian = fun.hessian_product(point, direction), fun.hessian(point)
        assert within(value, jet.value, jet.terms), (text, n, point)
        for k, name in enumerate(fun.names):
            bend, size = jet.bend.get(name, 0), jet.bends.get(name, 0)
            assert within(gradient[k], jet.slope.get(name, 0), jet.slopes.get(name, 0)), (text, n, point, name)
            assert within(product[k], bend, size), (text, n, point, name)
            assert within(hessian[k] @ direction, bend, 4 * size), (text, n, point, name)


@pytest.mark.parametrize("batch", range(BATCHES))
def test_random_nests(batch):
    for k in range(EACH):
        check(batch * EACH + k)
