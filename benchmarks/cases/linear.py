"""A line through ten columns."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import descend
from benchmarks.cases.common import Work, jax_work, plain_read, shares, summed


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
        return plain_read([*self.x, self.y], threads)

    def descend(self) -> Any:
        """Compile the model given as text."""
        model = "y = " + " + ".join(f"b{j}*x{j}" for j in range(10))
        return descend.compile(model, {"y": self.y} | {f"x{j}": self.x[j] for j in range(10)}, loss="rss")

    def _tables(self, threads: int) -> dict[int, Any]:
        """Return a table of its own for each thread's rows: np.dot would copy a part of a table at each call."""
        bounds = shares(self.rows, threads)
        return {a: np.ascontiguousarray(self.x[:, a:b]) for a, b in pairwise(bounds)}

    def numpy(self, threads: int) -> Work:
        """BLAS on a share of the rows a thread, into an array made beforehand; small blocks of rows were slower."""
        r = np.empty(self.rows)
        tables = self._tables(threads)

        def part(first: int, last: int) -> Any:
            x, own = tables[first], r[first:last]
            np.dot(self.at, x, out=own)
            np.subtract(own, self.y[first:last], out=own)
            return np.array([own @ own, *2 * np.dot(x, own)])

        return summed(part, self.rows, threads)

    def numexpr(self, threads: int) -> Work:
        """Residual by numexpr, the sums by BLAS."""
        import numexpr

        numexpr.set_num_threads(threads)
        text = " + ".join(f"b{j}*x{j}" for j in range(10)) + " - y"
        names = {f"b{j}": self.at[j] for j in range(10)} | {f"x{j}": self.x[j] for j in range(10)} | {"y": self.y}
        r = np.empty(self.rows)
        tables = self._tables(threads)

        def part(first: int, last: int) -> Any:
            own = r[first:last]
            return np.array([own @ own, *2 * np.dot(tables[first], own)])

        sums = summed(part, self.rows, threads)

        def work() -> Any:
            numexpr.evaluate(text, local_dict=names, out=r)
            return sums()

        return work

    def numba(self, threads: int) -> Work:
        """One fused loop with scalars for the sums; `parallel=True` and arrays for them were slower."""
        import numba

        @numba.njit(nogil=True, fastmath=True)
        def loop(x: Any, y: Any, b: Any) -> Any:
            x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 = x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7], x[8], x[9]
            b0, b1, b2, b3, b4, b5, b6, b7, b8, b9 = b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9]
            cost = g0 = g1 = g2 = g3 = g4 = g5 = g6 = g7 = g8 = g9 = 0.0
            for i in range(len(y)):  # from 0: what could be negative is not vectorised
                r = b0 * x0[i] + b1 * x1[i] + b2 * x2[i] + b3 * x3[i] + b4 * x4[i] - y[i]
                r += b5 * x5[i] + b6 * x6[i] + b7 * x7[i] + b8 * x8[i] + b9 * x9[i]
                cost += r * r
                g0 += r * x0[i]
                g1 += r * x1[i]
                g2 += r * x2[i]
                g3 += r * x3[i]
                g4 += r * x4[i]
                g5 += r * x5[i]
                g6 += r * x6[i]
                g7 += r * x7[i]
                g8 += r * x8[i]
                g9 += r * x9[i]
            return np.array([cost, 2 * g0, 2 * g1, 2 * g2, 2 * g3, 2 * g4, 2 * g5, 2 * g6, 2 * g7, 2 * g8, 2 * g9])

        def part(first: int, last: int) -> Any:
            return loop(self.x[:, first:last], self.y[first:last], self.at)

        return summed(part, self.rows, threads)

    def jax(self, _: int) -> Work:
        """Jit value_and_grad in double precision."""
        return jax_work(lambda np_, b, x, y: np_.sum((b @ x - y) ** 2), self.at, self.x, self.y)
