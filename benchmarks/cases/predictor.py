"""Σ ℓ(z, y) with a linear predictor z = Σ b[j]·x[j], without an intercept: linear, logistic, Poisson, Huber."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.cases.common import (
    Case,
    Work,
    block_rows,
    in_blocks,
    in_threads,
    jax_work,
    numba_work,
    numexpr_threads,
    shares,
    summed,
    torch_by_hand,
    torch_work,
)
from benchmarks.cases.native import gcc_work, unrolled, wide
from benchmarks.cases.row_losses import HUBER, LOGISTIC, POISSON, SQUARES, RowLoss

UNROLLED = 30  # columns up to which the fused loops have a scalar for each


class Predictor(Case):
    """A loss of a linear predictor."""

    def __init__(self, key: str, title: str, loss: RowLoss, rows: int, count: int) -> None:
        random = np.random.default_rng(1)
        self.key, self.title, self.row_loss, self.rows, self.count = key, title, loss, rows, count
        self.x = random.normal(size=(count, rows))  # a column is contiguous
        b = np.linspace(-1.0, 1.0, count) / np.sqrt(count / 10)
        self.at = b + 0.1
        z = b @ self.x
        if loss is LOGISTIC:
            self.y = (random.uniform(size=rows) < 1 / (1 + np.exp(-z))).astype(float)
        elif loss is POISSON:
            self.y = random.poisson(np.exp(z)).astype(float)
        else:
            self.y = z + random.standard_t(3, size=rows)
        self.columns = {"y": self.y} | {f"x{j}": self.x[j] for j in range(count)}
        self.model = "y = " + " + ".join(f"b{j}*x{j}" for j in range(count))
        self.loss = loss.text

    @property
    def names(self) -> list[str]:
        """b0, b1, ..."""
        return [f"b{j}" for j in range(self.count)]

    def numpy(self, threads: int) -> Work:
        """Two products by BLAS on each block, the loss between them."""
        size = block_rows(self.count)
        tables, responses = in_blocks(self.x, size), in_blocks(self.y, size)
        evaluate = self.row_loss.numpy

        def part(first: int, last: int) -> Any:
            sums = np.zeros(1 + self.count)
            spare = np.empty((3, size))
            for x, y in zip(tables[first:last], responses[first:last], strict=True):
                z, space = spare[0, : len(y)], spare[1:, : len(y)]
                np.dot(self.at, x, out=z)
                sums[0] += evaluate(z, y, space)
                sums[1:] += x @ z
            return sums

        return summed(part, len(tables), threads)

    def numexpr(self, threads: int) -> Work:
        """The predictor by BLAS where numexpr would not take so many names, the loss and its slope by numexpr."""
        numexpr = numexpr_threads(threads)
        loss, slope = self.row_loss.numexpr
        few = self.count <= UNROLLED
        text = " + ".join(f"b{j}*x{j}" for j in range(self.count))
        z, d, each = np.empty(self.rows), np.empty(self.rows), np.empty(self.rows)
        names = self.columns | dict(zip(self.names, self.at, strict=True)) | {"z": z}
        bounds = shares(self.rows, threads)
        tables = {a: np.ascontiguousarray(self.x[:, a:b]) for a, b in pairwise(bounds)}

        def predict(first: int, last: int) -> None:
            np.dot(self.at, tables[first], out=z[first:last])

        def add(first: int, last: int) -> Any:
            own = d[first:last]
            cost = each[first:last].sum() if loss else 0.25 * (own @ own)
            return np.array([cost, *(tables[first] @ own)])

        predicted = in_threads(predict, self.rows, threads)
        sums = summed(add, self.rows, threads)

        def work() -> Any:
            if few:
                numexpr.evaluate(text, local_dict=names, out=z)
            else:
                predicted()
            if loss:
                numexpr.evaluate(loss, local_dict=names, out=each)
            numexpr.evaluate(slope, local_dict=names, out=d)
            return sums()

        return work

    def numba(self, threads: int) -> Work:
        """Scalars for few columns; for many a block of rows at a time."""
        from benchmarks.cases.numba_loops import loop_of

        return numba_work(loop_of(self.count, self.row_loss.numba()), self.x, self.y, self.at, threads)

    def jax(self) -> Work:
        """Columns one by one where they are few, which is faster than a product with the table."""
        loss = self.row_loss.jax
        if self.count > UNROLLED:
            return jax_work(lambda b, y, x: loss(b @ x, y).sum(), self.at, self.y, self.x)
        return jax_work(lambda b, y, *x: loss(_predicted(b, x), y).sum(), self.at, self.y, *self.x)

    def torch(self, *, by_hand: bool) -> Work:
        """Columns one by one where they are few: torch.compile then fuses everything into one loop."""
        loss = self.row_loss.torch
        if self.count > UNROLLED:

            def table(b: Any, y: Any, x: Any) -> Any:
                value, slope = loss(b @ x, y)
                return [value.sum(), *(x @ slope)]

            if by_hand:
                return torch_by_hand(table, self.at, self.y, self.x)
            return torch_work(lambda b, y, x: loss(b @ x, y)[0].sum(), self.at, self.y, self.x)

        def columns(b: Any, y: Any, *x: Any) -> Any:
            value, slope = loss(_predicted(b, x), y)
            return [value.sum(), *((slope * column).sum() for column in x)]

        if by_hand:
            return torch_by_hand(columns, self.at, self.y, *self.x)
        return torch_work(lambda b, y, *x: loss(_predicted(b, x), y)[0].sum(), self.at, self.y, *self.x)

    def gcc(self, threads: int) -> Work:
        """Scalars for few columns; for many a block of rows at a time."""
        if self.count > UNROLLED:
            part = wide(self.count, 10, self.row_loss.c)
        else:
            z = " + ".join(f"b{j} * x{j}" for j in range(self.count))
            row = f"const double z = {z}, y = x{self.count}; {self.row_loss.c}"
            part = unrolled(self.count + 1, self.count, [f"d * x{j}" for j in range(self.count)], row)
        return gcc_work(part, [*self.x, self.y], self.at, threads)


def _predicted(b: Any, x: Any) -> Any:
    z = b[0] * x[0]
    for j in range(1, len(x)):
        z = z + b[j] * x[j]
    return z


def linear(rows: int) -> Predictor:
    """Squares of residuals, ten columns."""
    return Predictor("linear10", "linear RSS, 10 columns", SQUARES, rows, 10)


def logistic(rows: int) -> Predictor:
    """Softplus(z) - y·z, ten columns."""
    return Predictor("logistic", "logistic, 10 columns", LOGISTIC, rows, 10)


def linear_wide(rows: int) -> Predictor:
    """Squares of residuals, a hundred columns on a tenth of the rows."""
    return Predictor("linear100", "linear RSS, 100 columns", SQUARES, rows // 10, 100)


def poisson(rows: int) -> Predictor:
    """Exp(z) - y·z, five columns."""
    return Predictor("poisson", "Poisson, 5 columns", POISSON, rows, 5)


def huber(rows: int) -> Predictor:
    """Huber's loss, δ = 1.35, five columns."""
    return Predictor("huber", "Huber, 5 columns", HUBER, rows, 5)
