"""A line through ten columns."""

from __future__ import annotations

from typing import Any

import numpy as np

import descend
from benchmarks.cases.common import BLOCK, Work, jax_work, plain_read

CHUNK = 65_536  # rows of one of Numba's parallel pieces


class Linear:
    """Σ (Σ b[j]·x[j] - y)², ten columns."""

    title = "linear, 10 columns"

    def __init__(self, rows: int) -> None:
        random = np.random.default_rng(1)
        self.rows = rows
        self.x = random.normal(size=(10, rows))  # a column is contiguous
        self.b = np.linspace(-1.0, 1.0, 10)
        self.y = self.b @ self.x + 0.1 * random.normal(size=rows)
        self.at = self.b + 0.25

    def plain_read(self, threads: int) -> Work:
        """Read the same numbers once."""
        return plain_read([self.x.reshape(-1), self.y], threads)

    def descend(self) -> Work:
        """Compile the model given as text."""
        model = "y = " + " + ".join(f"b{j}*x{j}" for j in range(10))
        fun = descend.compile(model, {"y": self.y} | {f"x{j}": self.x[j] for j in range(10)}, loss="rss")
        return lambda: fun.value_and_gradient(self.at)

    def numpy(self) -> Work:
        """Use BLAS on blocks of rows, into arrays made beforehand."""
        space, part = np.empty(BLOCK), np.empty(10)

        def work() -> Any:
            cost, gradient = 0.0, np.zeros(10)
            for low in range(0, self.rows, BLOCK):
                x, y = self.x[:, low : low + BLOCK], self.y[low : low + BLOCK]
                r = np.dot(self.at, x, out=space[: len(y)])
                r -= y
                cost += r @ r
                gradient += np.dot(x, r, out=part)
            return cost, 2 * gradient

        return work

    def numexpr(self, threads: int) -> Work:
        """Residual by numexpr, the sums by BLAS."""
        import numexpr

        numexpr.set_num_threads(threads)
        text = " + ".join(f"b{j}*x{j}" for j in range(10)) + " - y"
        names = {f"b{j}": self.at[j] for j in range(10)} | {f"x{j}": self.x[j] for j in range(10)} | {"y": self.y}
        r = np.empty(self.rows)

        def work() -> Any:
            numexpr.evaluate(text, local_dict=names, out=r)
            return r @ r, 2 * (self.x @ r)

        return work

    def numba(self, threads: int) -> Work:
        """One fused, parallel loop over rows that lie together (the layout that suits it best)."""
        import numba

        numba.set_num_threads(threads)
        columns = 10

        @numba.njit(parallel=True, fastmath=True)
        def loop(x: Any, y: Any, b: Any) -> Any:
            chunks = (len(y) + CHUNK - 1) // CHUNK
            cost, gradients = np.zeros(chunks), np.zeros((chunks, columns))
            for chunk in numba.prange(chunks):
                gradient = np.zeros(columns)
                total = 0.0
                for i in range(chunk * CHUNK, min(len(y), (chunk + 1) * CHUNK)):
                    r = -y[i]
                    for j in range(columns):
                        r += x[i, j] * b[j]
                    total += r * r
                    for j in range(columns):
                        gradient[j] += r * x[i, j]
                cost[chunk], gradients[chunk] = total, gradient
            return cost.sum(), 2 * gradients.sum(axis=0)

        rows = np.ascontiguousarray(self.x.T)
        return lambda: loop(rows, self.y, self.at)

    def jax(self, _: int) -> Work:
        """Jit value_and_grad in double precision."""
        return jax_work(lambda np_, b, x, y: np_.sum((b @ x - y) ** 2), self.at, self.x, self.y)
