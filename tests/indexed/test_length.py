"""Sums are not unrolled: what is made of a formula is as long for ten variables as for a million."""

from __future__ import annotations

import pytest

from descend.api.reading import prepared, read_cost
from descend.problem.problem import make_problem
from tests.oracles.cases import cases

FEW, MANY = 12, 10**6 - 4  # both divisible by 2, 3, 4; no bound of these falls together with a number in a formula
INDEXED = [case for case in cases("cutest", "mgh", "testfunctions") if case.indexed and not case.data]


def operations(text, n):
    """Return the operations of value and gradient, without constants (two of which may happen to be equal)."""
    problem = make_problem(prepared(read_cost(text), constants={"n": n}))
    assert problem.gradient is not None  # made: the tape now holds it
    return [entry.op for entry in problem.tape.entries if entry.op != "constant"]


@pytest.mark.parametrize("case", INDEXED, ids=str)
def test_the_tape_does_not_grow(case):
    assert operations(case.objective, FEW) == operations(case.objective, MANY)


def test_nor_does_that_of_a_scalar_formula_with_a_long_sum():
    text = "sum((a*exp(-b*i/n) - i)^2, i, 0, n-1)"
    assert operations(text, FEW) == operations(text, MANY)
