"""Sparse Hessians, Gauss-Newton matrices: against the dense Hessian and against Jacobians by hand."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import MethodError, StartError, UnavailableError
from descend.problem.sparsity import coloured

CHAIN = "sum((1-x[i])^2 + 100*(x[i+1]-x[i]^2)^2, i, 0, n-2)"


def points(size):
    rng = np.random.default_rng(size)
    return rng.uniform(0.5, 1.5, size), rng.normal(size=size)


class TestSparseHessian:
    @pytest.mark.parametrize(
        ("text", "colours"),
        [
            (CHAIN, 3),
            ("sum(x[i]^4 - exp(x[i]), i, 0, n-1)", 1),
            ("sum((x[i] - x[i+2])^4, i, 0, n-3)", 5),
            ("sum(x[i]^2*x[i + n/3]^4, i, 0, 2n/3 - 1)", 3),
            ("sum((x[i]^2 + x[n-1]^2)^2, i, 0, n-2)", 2),
            ("sum((a*x[i] - b)^4, i, 0, n-1)", 3),
            ("sum(x[2i]*x[2i+1]^2, i, 0, n/2 - 1)", 3),
            ("sum(sum(sin(x[i] - x[j]), j, max(0, i-2), i), i, 0, n-1)", 5),
        ],
    )
    @pytest.mark.parametrize("n", [6, 150])
    def test_it_is_the_hessian_from_few_products(self, text, colours, n):
        fun = descend.compile(text, constants={"n": n})
        x, _ = points(len(fun.names))
        sparse, dense = fun.sparse_hessian(x), fun.hessian(x)
        assert sparse.toarray() == pytest.approx(dense, rel=1e-13, abs=1e-12)
        if n == 150:
            assert int(fun._curvature()._sparsity.colours.max()) + 1 == colours
            assert sparse.nnz < 10 * n

    def test_a_formula_without_sums(self):
        fun = descend.compile("x^2*y + exp(z) + 3*w")
        sparse = fun.sparse_hessian([1, 2, 3, 4])
        assert sparse.toarray() == pytest.approx(fun.hessian([1, 2, 3, 4]))

    def test_many_variables(self):
        n = 20_000
        fun = descend.compile(CHAIN, constants={"n": n})
        x, v = points(n)
        assert fun.sparse_hessian(x) @ v == pytest.approx(fun.hessian_product(x, v), rel=1e-9, abs=1e-9)
        with pytest.raises(StartError, match="sparse_hessian"):
            fun.hessian(x)

    def test_a_dense_one_is_refused(self):
        fun = descend.compile("sum(x[i], i, 0, n-1)^4", constants={"n": 2100})
        with pytest.raises(MethodError, match="products"):
            fun.sparse_hessian(np.ones(2100))

    def test_a_model_says_that_it_has_none(self):
        fun = descend.compile("y = a + b*x", {"x": [1.0, 2.0, 4.0], "y": [2.0, 3.0, 4.0]})
        with pytest.raises(UnavailableError, match="hessian"):
            fun.sparse_hessian([1, 2])


@pytest.mark.parametrize("seed", range(20))
def test_columns_of_one_colour_share_no_row(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(2, 60))
    full = rng.random((size, size)) < 3 / size
    full = full | full.T | np.eye(size, dtype=bool)
    if seed % 2:
        full[0], full[:, 0] = True, True
    rows, columns = np.nonzero(full)
    pattern = coloured(size, rows, columns)
    matrix = np.where(full, rng.normal(size=(size, size)), 0.0)
    matrix = matrix + matrix.T
    assert pattern.recover(lambda direction: matrix @ direction).toarray() == pytest.approx(matrix, abs=1e-12)
    for colour in range(int(pattern.colours.max()) + 1):
        used = full[np.ix_(~pattern.crowded, pattern.colours == colour)].sum(axis=1)
        assert used.max(initial=0) <= 1


class TestGaussNewton:
    def test_a_chain_by_hand(self):
        n = 7
        fun = descend.compile(CHAIN, constants={"n": n})
        x, v = points(n)
        jacobian = np.zeros((2 * (n - 1), n))
        for i in range(n - 1):
            jacobian[i, i] = -1
            jacobian[n - 1 + i, i], jacobian[n - 1 + i, i + 1] = -20 * x[i], 10
        normal = 2 * jacobian.T @ jacobian
        assert fun.gauss_newton(x) == pytest.approx(normal, rel=1e-13, abs=1e-12)
        assert fun.gauss_newton_product(x, v) == pytest.approx(normal @ v, rel=1e-12)

    @pytest.mark.parametrize(
        ("text", "data"),
        [
            ("sum((y[i] - a*exp(-b*i))^2, i, 0, 5)", {"y": [0.0] * 6}),
            ("(a - 1)^2/3 + 5*(b*a - 2)^2 + 7", None),
            ("sum((i+1)/4*(a*i - b)^2, i, 0, 5)", None),
            ("sum((sum(a^j*b, j, 0, i) - 1)^2, i, 0, 4)", None),
            ("sum(sum((a*i - b*j)^2, j, 0, i), i, 0, 3)", None),
            ("(a - b)^4 + (a*b)^6", None),
            ("a*a*3 + b*b + (a*b - 1)*(a*b - 1) + abs(a)^2", None),
            ("pi*(a*b - 1)^2 + exp(2)*(a^2 + b^2)/pi", None),
            ("sum((a^i - b)^2/(i+1), i, 0, 4) + sum(2^i*exp(-i)*(a*b)^2, i, 0, 3)", None),
            ("sum(w[i]*(a*i - b^2)^2, i, 0, 3)", {"w": [1.0, 0.0, 2.0, 3.0]}),
        ],
    )
    def test_it_is_the_hessian_less_the_curvature_of_the_residuals(self, text, data):
        """Where the residuals are linear, or at points where they vanish, both are the same matrix."""
        fun = descend.compile(text, data=data)
        matrix = fun.gauss_newton([0.7, 0.3])
        assert matrix == pytest.approx(matrix.T)
        assert np.linalg.eigvalsh(matrix).min() >= -1e-12
        difference = fun.hessian([0.7, 0.3]) - matrix
        linear = text in {"sum((i+1)/4*(a*i - b)^2, i, 0, 5)", "sum(sum((a*i - b*j)^2, j, 0, i), i, 0, 3)"}
        assert (np.abs(difference).max() < 1e-12) == linear

    def test_zero_residuals(self):
        fun = descend.compile("sum((y[i] - a*exp(-b*i))^2, i, 0, 5)", data={"y": 2 * np.exp(-0.5 * np.arange(6))})
        assert fun.gauss_newton([2, 0.5]) == pytest.approx(fun.hessian([2, 0.5]), rel=1e-12)

    @pytest.mark.parametrize(
        "text",
        ["x^3 + y^2", "x^2 - y^2", "exp(x)*y^2", "x^2 + y", "sum(x[i], i, 0, 2) + y^2", "sum((i-1)*x[i]^2, i, 0, 2)"],
    )
    def test_other_costs_have_none(self, text):
        fun = descend.compile(text)
        with pytest.raises(MethodError, match="sum of squares"):
            fun.gauss_newton_product(np.ones(len(fun.names)), np.ones(len(fun.names)))
