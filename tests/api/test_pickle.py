"""Compiled functions pickled: the same values, before and after a call, here and in a new process."""

from __future__ import annotations

import multiprocessing
import pickle

import numpy as np
import pytest

import descend

ROWS = {"x": np.linspace(0, 3, 50, dtype=np.float32), "y": np.linspace(2, 0.3, 50)}
CHAIN = "sum(log(1 + (x[i] - x[i+1])^2), i, 0, n-2)"
FUNCTIONS = {
    "formula": lambda: descend.compile("(1 - x)^2 + log(1 + exp(y))*z"),
    "sums": lambda: descend.compile(CHAIN, constants={"n": 3}),
    "sums with data": lambda: descend.compile(
        "sum(c[i]*exp(x[i]), i, 0, 2)", data={"c": [1.0, 2.0, 3.0]}, variables=["x"]
    ),
    "model": lambda: descend.compile("y = a*exp(-b*x) + c", ROWS),
}
POINT, DIRECTION = [0.3, -0.7, 1.9], [1.0, 2.0, -1.0]


def values(fun):
    """Return the bits of all that a function of three variables gives."""
    found = [fun(POINT), fun.gradient(POINT), fun.hessian(POINT), fun.hessian_product(POINT, DIRECTION)]
    return [np.asarray(f).tobytes() for f in found]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_same_values_before_and_after_a_call(name):
    fun = FUNCTIONS[name]()
    unused = pickle.dumps(fun)
    expected = values(fun)
    if name == "sums":
        fun.sparse_hessian(POINT)
    for again in (pickle.loads(unused), pickle.loads(pickle.dumps(fun)), fun):
        assert values(again) == expected
        assert (again.names, again.evaluator, repr(again)) == (fun.names, "compiled", repr(fun))
    back = pickle.loads(pickle.dumps(pickle.loads(unused)))
    assert values(back) == expected


def test_residuals_and_patterns():
    fun = descend.compile("(1 - x)^2 + 100*(y - x^2)^2")
    expected = fun.gauss_newton([1, 1]).tolist()
    again = pickle.loads(pickle.dumps(fun))
    assert again.gauss_newton([1, 1]).tolist() == expected == [[802.0, -400.0], [-400.0, 200.0]]
    assert again.sparse_hessian([1, 1]).toarray().tolist() == [[802.0, -400.0], [-400.0, 200.0]]


def test_in_a_new_process():
    fun = FUNCTIONS["model"]()
    expected = fun(POINT)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(fun, [POINT, POINT]) == [expected, expected]
