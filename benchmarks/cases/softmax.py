"""Softmax regression: Σ log Σₖ exp(zₖ) - Σₖ yₖ·zₖ with zₖ = Σⱼ wₖⱼ·xⱼ, three classes, five columns.

The class of a row is one-hot, three columns of the table, for every contestant.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.cases.common import (
    Case,
    Work,
    block_rows,
    in_blocks,
    jax_work,
    numba_work,
    numexpr_threads,
    shares,
    summed,
    torch_by_hand,
    torch_work,
)
from benchmarks.cases.native import gcc_work, unrolled

CLASSES, COLUMNS = 3, 5


class Softmax(Case):
    """Log-loss of three classes."""

    key, title, loss = "softmax", "softmax, 3 classes, 5 columns", "yhat"

    def __init__(self, rows: int) -> None:
        random = np.random.default_rng(3)
        self.rows = rows
        self.x = random.normal(size=(COLUMNS, rows))
        w = random.normal(size=(CLASSES, COLUMNS))
        self.at = w + 0.2
        drawn = (w @ self.x + random.gumbel(size=(CLASSES, rows))).argmax(axis=0)
        self.y = np.zeros((CLASSES, rows))
        self.y[drawn, np.arange(rows)] = 1.0
        self.columns = {f"y{k}": self.y[k] for k in range(CLASSES)} | {f"x{j}": self.x[j] for j in range(COLUMNS)}
        z = ["(" + " + ".join(f"w{COLUMNS * k + j}*x{j}" for j in range(COLUMNS)) + ")" for k in range(CLASSES)]
        self.model = f"y0 = log({' + '.join(f'exp({t})' for t in z)}) - " + " - ".join(
            f"y{k}*{t}" for k, t in enumerate(z)
        )

    @property
    def names(self) -> list[str]:
        """w0 … w14, class by class."""
        return [f"w{k}" for k in range(CLASSES * COLUMNS)]

    def numpy(self, threads: int) -> Work:
        """Two products by BLAS on each block, the loss between them."""
        size = block_rows(COLUMNS + 2 * CLASSES)
        tables, responses = in_blocks(self.x, size), in_blocks(self.y, size)

        def part(first: int, last: int) -> Any:
            cost, slopes = 0.0, np.zeros((CLASSES, COLUMNS))
            spare = np.empty((2 * CLASSES + 1, size))
            for x, y in zip(tables[first:last], responses[first:last], strict=True):
                rows = x.shape[1]
                z, p, total = spare[:CLASSES, :rows], spare[CLASSES:-1, :rows], spare[-1, :rows]
                np.matmul(self.at, x, out=p)
                np.max(p, axis=0, out=total)
                np.subtract(p, total, out=z)
                np.exp(z, out=p)
                np.sum(p, axis=0, out=total)
                p /= total
                np.log(total, out=total)
                cost += total.sum() - np.vdot(y, z)
                p -= y
                slopes += p @ x.T
            return np.array([cost, *slopes.ravel()])

        return summed(part, len(tables), threads)

    def numexpr(self, threads: int) -> Work:
        """Elementwise work by numexpr, the sums by BLAS."""
        numexpr = numexpr_threads(threads)
        z, d = np.empty((2, CLASSES, self.rows))
        each, total = np.empty((2, self.rows))
        names = self.columns | dict(zip(self.names, self.at.ravel(), strict=True))
        names |= {f"z{k}": z[k] for k in range(CLASSES)} | {f"e{k}": d[k] for k in range(CLASSES)} | {"total": total}
        predictors = [" + ".join(f"w{COLUMNS * k + j}*x{j}" for j in range(COLUMNS)) for k in range(CLASSES)]
        largest = "where(z0 > z1, where(z0 > z2, z0, z2), where(z1 > z2, z1, z2))"
        bounds = shares(self.rows, threads)
        tables = {a: np.ascontiguousarray(self.x[:, a:b]) for a, b in pairwise(bounds)}

        def add(first: int, last: int) -> Any:
            slopes = [tables[first] @ d[k, first:last] for k in range(CLASSES)]
            return np.array([each[first:last].sum(), *np.ravel(slopes)])

        sums = summed(add, self.rows, threads)

        def work() -> Any:
            for k, text in enumerate(predictors):
                numexpr.evaluate(text, local_dict=names, out=z[k])
            numexpr.evaluate(largest, local_dict=names, out=total)
            for k in range(CLASSES):
                numexpr.evaluate(f"exp(z{k} - total)", local_dict=names, out=d[k])
            numexpr.evaluate("total + log(e0 + e1 + e2) - y0*z0 - y1*z1 - y2*z2", local_dict=names, out=each)
            numexpr.evaluate("e0 + e1 + e2", local_dict=names, out=total)
            for k in range(CLASSES):
                numexpr.evaluate(f"e{k}/total - y{k}", local_dict=names, out=d[k])
            return sums()

        return work

    def numba(self, threads: int) -> Work:
        """One fused loop with scalars for the sums."""
        from benchmarks.cases.numba_loops import softmax_loop

        return numba_work(softmax_loop, self.x, self.y, self.at, threads)

    def jax(self) -> Work:
        """Columns one by one; jax.nn.logsumexp of stacked predictors took twice as long."""
        import jax
        import jax.numpy as jnp

        def cost(w: Any, *columns: Any) -> Any:
            y, z = columns[:CLASSES], _predicted(w, columns[CLASSES:])
            largest = jax.lax.stop_gradient(jnp.maximum(jnp.maximum(z[0], z[1]), z[2]))
            total = sum(jnp.exp(v - largest) for v in z)
            return (largest + jnp.log(total) - sum(own * v for own, v in zip(y, z, strict=True))).sum()

        return jax_work(cost, self.at, *self.y, *self.x)

    def torch(self, *, by_hand: bool) -> Work:
        """Columns one by one."""
        import torch

        def row(w: Any, *columns: Any) -> Any:
            y, z = columns[:CLASSES], _predicted(w, columns[CLASSES:])
            largest = torch.maximum(torch.maximum(z[0], z[1]), z[2])
            e = [torch.exp(v - largest) for v in z]
            total = e[0] + e[1] + e[2]
            loss = largest + torch.log(total) - y[0] * z[0] - y[1] * z[1] - y[2] * z[2]
            return loss, [v / total - own for v, own in zip(e, y, strict=True)]

        def slopes(w: Any, *columns: Any) -> Any:
            loss, d = row(w, *columns)
            return [loss.sum(), *((slope * x).sum() for slope in d for x in columns[CLASSES:])]

        if by_hand:
            return torch_by_hand(slopes, self.at, *self.y, *self.x)
        return torch_work(lambda w, *columns: row(w, *columns)[0].sum(), self.at, *self.y, *self.x)

    def gcc(self, threads: int) -> Work:
        """One fused loop."""
        lines = [
            *(
                f"const double z{k} = " + " + ".join(f"b{COLUMNS * k + j} * x{j}" for j in range(COLUMNS)) + ";"
                for k in range(CLASSES)
            ),
            "const double m = fmax(fmax(z0, z1), z2);",
            "const double e0 = exp(z0 - m), e1 = exp(z1 - m), e2 = exp(z2 - m), s = e0 + e1 + e2, q = 1 / s;",
            "const double loss = m + log(s) - x5 * z0 - x6 * z1 - x7 * z2;",
            *(f"const double d{k} = e{k} * q - x{COLUMNS + k};" for k in range(CLASSES)),
        ]
        products = [f"d{k} * x{j}" for k in range(CLASSES) for j in range(COLUMNS)]
        part = unrolled(COLUMNS + CLASSES, CLASSES * COLUMNS, products, " ".join(lines))
        return gcc_work(part, [*self.x, *self.y], self.at, threads)


def _predicted(w: Any, x: Any) -> list[Any]:
    return [sum(w[k, j] * x[j] for j in range(COLUMNS)) for k in range(CLASSES)]
