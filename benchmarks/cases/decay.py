"""Σ (a·exp(-b·x) + c - y)²: an exponential a row."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.common import (
    Case,
    Work,
    in_blocks,
    jax_work,
    numba_work,
    numexpr_threads,
    summed,
    torch_by_hand,
    torch_work,
)
from benchmarks.cases.native import gcc_work, unrolled

BLOCK = 32_768  # rows that NumPy works on at a time, so that its intermediate arrays stay in the cache


class Decay(Case):
    """An exponential decay towards c."""

    key, title = "decay", "a·exp(-bx)+c"
    model, loss = "y = a*exp(-b*x) + c", "rss"

    def __init__(self, rows: int) -> None:
        random = np.random.default_rng(2)
        self.rows = rows
        self.x = random.uniform(0, 4, size=rows)
        self.y = 2 * np.exp(-1.5 * self.x) + 0.5 + 0.01 * random.normal(size=rows)
        self.columns = {"y": self.y, "x": self.x}
        self.at = np.array([1.8, 1.2, 0.4])

    @property
    def names(self) -> list[str]:
        """The parameters."""
        return ["a", "b", "c"]

    def numpy(self, threads: int) -> Work:
        """Array operations on blocks, into arrays made beforehand; whole columns were slower."""
        tables, responses = in_blocks(self.x, BLOCK), in_blocks(self.y, BLOCK)

        def part(first: int, last: int) -> Any:
            a, b, c = self.at
            sums = np.zeros(4)
            space = np.empty((2, BLOCK))
            for x, y in zip(tables[first:last], responses[first:last], strict=True):
                e, r = space[:, : len(y)]
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

        return summed(part, len(tables), threads)

    def numexpr(self, threads: int) -> Work:
        """Elementwise work by numexpr, the sums by BLAS."""
        numexpr = numexpr_threads(threads)
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
        """One fused loop with scalars for the sums."""
        import numba

        @numba.njit(nogil=True, fastmath=True)
        def loop(x: Any, y: Any, at: Any, first: Any, last: Any) -> Any:
            a, b, c = at[0], at[1], at[2]
            x, y = x[first:last], y[first:last]
            cost = by_a = by_b = by_c = 0.0
            for i in range(len(y)):  # from 0: what could be negative is not vectorised
                e = np.exp(-b * x[i])
                r = a * e + c - y[i]
                cost += r * r
                by_a += r * e
                by_b -= r * x[i] * e
                by_c += r
            return np.array([cost, 2 * by_a, 2 * a * by_b, 2 * by_c])

        return numba_work(loop, self.x, self.y, self.at, threads)

    def jax(self) -> Work:
        """The model as it is written."""
        import jax.numpy as jnp

        return jax_work(lambda p, y, x: jnp.sum((p[0] * jnp.exp(-p[1] * x) + p[2] - y) ** 2), self.at, self.y, self.x)

    def torch(self, *, by_hand: bool) -> Work:
        """The model as it is written, or with its slopes."""
        import torch

        def slopes(p: Any, y: Any, x: Any) -> Any:
            e = torch.exp(-p[1] * x)
            r = p[0] * e + p[2] - y
            return [(r * r).sum(), 2 * (r * e).sum(), -2 * p[0] * (r * e * x).sum(), 2 * r.sum()]

        if by_hand:
            return torch_by_hand(slopes, self.at, self.y, self.x)
        return torch_work(
            lambda p, y, x: ((p[0] * torch.exp(-p[1] * x) + p[2] - y) ** 2).sum(), self.at, self.y, self.x
        )

    def gcc(self, threads: int) -> Work:
        """One fused loop."""
        row = "const double e = exp(-b1 * x0), r = b0 * e + b2 - x1, loss = r * r;"
        part = unrolled(2, 3, ["2 * r * e", "-2 * b0 * r * e * x0", "2 * r"], row)
        return gcc_work(part, [self.x, self.y], self.at, threads)
