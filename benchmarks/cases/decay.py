"""An exponential decay: a transcendental function a row."""

from __future__ import annotations

from typing import Any

import numpy as np

import descend
from benchmarks.cases.common import Work, jax_work, plain_read, shares, summed

BLOCK = 65_536  # rows that NumPy works on at a time, so that its intermediate arrays stay in the cache


class Decay:
    """Σ (a·exp(-b·x) + c - y)²."""

    title = "a·exp(-bx)+c"

    def __init__(self, rows: int) -> None:
        random = np.random.default_rng(2)
        self.rows = rows
        self.x = random.uniform(0, 4, size=rows)
        self.y = 2 * np.exp(-1.5 * self.x) + 0.5 + 0.01 * random.normal(size=rows)
        self.at = np.array([1.8, 1.2, 0.4])

    def plain_read(self, threads: int) -> Work:
        """Read the same numbers once."""
        return plain_read([self.x, self.y], threads)

    def descend(self) -> Any:
        """Compile the model given as text."""
        table = {"x": self.x, "y": self.y}
        return descend.compile("y = a*exp(-b*x) + c", table, variables=["a", "b", "c"])

    def numpy(self, threads: int) -> Work:
        """Work on blocks of rows, into arrays made beforehand; whole columns and smaller blocks were slower."""
        space = {first: np.empty((2, BLOCK)) for first in shares(self.rows, threads)[:-1]}  # a pair of arrays a thread

        def part(first: int, last: int) -> Any:
            a, b, c = self.at
            sums = np.zeros(4)  # cost and gradient
            for low in range(first, last, BLOCK):
                high = min(last, low + BLOCK)
                x, y = self.x[low:high], self.y[low:high]
                e, r = space[first][:, : len(y)]
                np.multiply(x, -b, out=e)
                np.exp(e, out=e)
                np.multiply(e, a, out=r)
                r += c
                r -= y
                sums[:2] += r @ r, 2 * (r @ e)
                sums[3] += 2 * r.sum()
                e *= x
                sums[2] -= 2 * a * (r @ e)
            return sums

        return summed(part, self.rows, threads)

    def numexpr(self, threads: int) -> Work:
        """Elementwise work by numexpr, the sums by BLAS."""
        import numexpr

        numexpr.set_num_threads(threads)
        a, b, c = self.at
        e, r, xe = (np.empty(self.rows) for _ in range(3))
        names = {"a": a, "b": b, "c": c, "x": self.x, "y": self.y, "e": e}

        def part(first: int, last: int) -> Any:
            own = r[first:last]
            by_a, by_b = own @ e[first:last], -a * (own @ xe[first:last])
            return np.array([own @ own, 2 * by_a, 2 * by_b, 2 * own.sum()])

        sums = summed(part, self.rows, threads)

        def work() -> Any:
            numexpr.evaluate("exp(-b*x)", local_dict=names, out=e)
            numexpr.evaluate("a*e + c - y", local_dict=names, out=r)
            numexpr.evaluate("x*e", local_dict=names, out=xe)
            return sums()

        return work

    def numba(self, threads: int) -> Work:
        """One fused loop."""
        import numba

        @numba.njit(nogil=True, fastmath=True)
        def loop(x: Any, y: Any, at: Any) -> Any:
            a, b, c = at[0], at[1], at[2]
            cost = by_a = by_b = by_c = 0.0
            for i in range(len(y)):
                e = np.exp(-b * x[i])
                r = a * e + c - y[i]
                cost += r * r
                by_a += r * e
                by_b -= r * x[i] * e
                by_c += r
            return np.array([cost, 2 * by_a, 2 * a * by_b, 2 * by_c])

        def part(first: int, last: int) -> Any:
            return loop(self.x[first:last], self.y[first:last], self.at)

        return summed(part, self.rows, threads)

    def jax(self, _: int) -> Work:
        """Jit value_and_grad in double precision."""
        return jax_work(
            lambda np_, p, x, y: np_.sum((p[0] * np_.exp(-p[1] * x) + p[2] - y) ** 2), self.at, self.x, self.y
        )
