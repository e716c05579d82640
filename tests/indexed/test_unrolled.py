"""Sums and products over an index against the same formula written out, and both against 50 digits."""

from __future__ import annotations

import random
import re

import mpmath as mp
import numpy as np
import pytest

import descend
from tests.indexed.formulas import DATA, FORMULAS
from tests.oracles.case_formula import DIGITS, CaseFormula
from tests.oracles.unroll import unroll

BOUND = 1e-12  # of the sum of the absolute values of what is added up


def data_of(text):
    return DATA if re.search(r"\bc\[", text) else None


def points(formula, names, rng):
    """Return points; the later ones have zeros."""
    first = [rng.uniform(0.2, 1.5) if formula.positive else rng.uniform(-1.5, 1.5) for _ in names]
    yield first
    if formula.zeros:
        yield [0.0 if k == len(names) // 2 else x for k, x in enumerate(first)]
        yield [0.0 if k in {0, len(names) - 1} else x for k, x in enumerate(first)]
        yield [0.0] * len(names)


def within(got, wanted, size, what):
    with mp.workdps(DIGITS):
        assert abs(mp.mpf(float(got)) - wanted) <= BOUND * size, (what, got, mp.nstr(wanted, 20), mp.nstr(size, 5))


def sized(parts, name):
    return parts.get(name, mp.mpf(0))


@pytest.mark.parametrize("formula", FORMULAS, ids=str)
def test_as_written_out(formula):
    rng = random.Random(formula.text)
    for n in formula.sizes:
        data = data_of(formula.text)
        fun = descend.compile(formula.text, constants={"n": n}, data=data)
        scalar = descend.compile(unroll(formula.text, {"n": n}, data))
        flat = {name: name.replace("[", "").replace("]", "") for name in fun.names}
        assert set(scalar.names) <= set(flat.values())
        oracle = CaseFormula(formula.text, {"n": n}, data)
        for point in points(formula, fun.names, rng):
            direction = [rng.uniform(-1, 1) for _ in point]
            at = dict(zip(fun.names, point, strict=True))
            by_flat = {flat[name]: x for name, x in at.items()}
            small = [by_flat[name] for name in scalar.names]
            jets = {name: oracle(at, {name: 1}) for name in fun.names}
            jet = oracle(at, dict(zip(fun.names, direction, strict=True)))

            value, gradient = fun.value_and_gradient(point)
            within(value, jet.value, jet.terms, "value")
            within(scalar(small), jet.value, jet.terms, "value of the formula written out")
            slopes = dict(zip(scalar.names, scalar.gradient(small), strict=True))
            hessian, hessian_of_scalar = fun.hessian(point), scalar.hessian(small)
            product = fun.hessian_product(point, direction)
            for k, name in enumerate(fun.names):
                size = sized(jet.slopes, name)
                within(gradient[k], sized(jet.slope, name), size, f"slope of {name}")
                within(slopes.get(flat[name], 0.0), sized(jet.slope, name), size, f"slope of {name}, written out")
                within(product[k], sized(jet.bend, name), sized(jet.bends, name), f"product at {name}")
                for m, other in enumerate(fun.names):
                    wanted, size = sized(jets[other].bend, name), sized(jets[other].bends, name)
                    within(hessian[k, m], wanted, size, f"bend of {name}, {other}")
                    if flat[name] in scalar.names and flat[other] in scalar.names:
                        place = scalar.names.index(flat[name]), scalar.names.index(flat[other])
                        within(hessian_of_scalar[place], wanted, size, f"bend of {name}, {other}, written out")
            assert np.isfinite(hessian).all()


def test_there_are_many():
    assert len({formula.text for formula in FORMULAS}) == len(FORMULAS) >= 80
    assert sum(len(formula.sizes) for formula in FORMULAS) >= 500
