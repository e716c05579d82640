"""What the cases share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

import descend

Work = Callable[[], Any]
CACHED = 1_400_000  # bytes of a block of the table that NumPy works on at a time: measured


class Case(ABC):
    """Σ over rows of a loss: its data, and a contestant a library.

    `columns` are the table as descend and the fused loops see it, each column contiguous; `at` is the point.
    """

    key: str
    title: str
    model: str
    loss: str
    rows: int
    columns: dict[str, Any]
    at: Any

    def descend(self) -> Any:
        """Compile the model given as text."""
        return descend.compile(self.model, self.columns, loss=self.loss, variables=self.names)

    @property
    @abstractmethod
    def names(self) -> list[str]:
        """The parameters, in the order of `at`."""

    def plain_read(self) -> Any:
        """Compile the sum of all columns: the time in which our own row kernel reads each number once."""
        first, *others = self.columns
        model = f"{first} = offset + " + " + ".join(others)
        return descend.compile(model, self.columns, loss="y + yhat", variables=["offset"])

    @abstractmethod
    def numpy(self, threads: int) -> Work:
        """Blocks that fit the cache, BLAS where it applies, a Python thread a share of the blocks."""

    @abstractmethod
    def numexpr(self, threads: int) -> Work:
        """Elementwise work by numexpr on whole columns, the sums by BLAS."""

    @abstractmethod
    def numba(self, threads: int) -> Work:
        """One fused loop, a share of the rows a thread."""

    @abstractmethod
    def jax(self) -> Work:
        """Jit value_and_grad in double precision."""

    @abstractmethod
    def torch(self, *, by_hand: bool) -> Work:
        """torch.compile of the cost, with autograd; or `by_hand` of cost and gradient together."""

    @abstractmethod
    def gcc(self, threads: int) -> Work:
        """One fused loop in C, a share of the rows a thread of OpenMP."""


def shares(rows: int, threads: int) -> list[int]:
    """Return where the rows of each thread begin, and the end of the last."""
    return [rows * k // threads for k in range(threads + 1)]


def in_threads(part: Callable[[int, int], Any], items: int, threads: int) -> Callable[[], list[Any]]:
    """Return a call of `part(first, last)` for a share of the items a thread; it returns their results."""
    if threads == 1:
        return lambda: [part(0, items)]
    bounds = shares(items, threads)
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(part, bounds[:-1], bounds[1:]))


def summed(part: Callable[[int, int], Any], items: int, threads: int) -> Work:
    """Return the sum over the threads of arrays of cost and gradient."""
    parts = in_threads(part, items, threads)

    def work() -> Any:
        total = sum(parts())
        return total[0], total[1:]

    return work


def block_rows(columns: int) -> int:
    """Return how many rows of `columns` numbers fit the cache, a power of two."""
    return int(2 ** (np.log2(CACHED / (8 * columns)) // 1))


def in_blocks(table: Any, size: int) -> list[Any]:
    """Return contiguous copies of blocks of the last axis: BLAS reads them as they are, and they stay in the cache."""
    return [np.ascontiguousarray(table[..., low : low + size]) for low in range(0, table.shape[-1], size)]


def jax_work(cost: Callable[..., Any], at: Any, *columns: Any) -> Work:
    """Return the jitted value and gradient of ``cost(at, *columns)``."""
    import jax

    fun = jax.jit(jax.value_and_grad(cost))
    given = [jax.numpy.asarray(v) for v in (at, *columns)]
    return lambda: jax.block_until_ready(fun(*given))


def torch_work(cost: Callable[..., Any], at: Any, *columns: Any) -> Work:
    """Return the compiled cost and its gradient by autograd."""
    import torch

    fun = torch.compile(cost, fullgraph=True, dynamic=False)
    point = torch.from_numpy(at.copy()).requires_grad_()
    given = [torch.from_numpy(c) for c in columns]

    def work() -> Any:
        point.grad = None
        value = fun(point, *given)
        value.backward()
        return float(value.detach()), point.grad.numpy()

    return work


def torch_by_hand(outputs: Callable[..., Any], at: Any, *columns: Any) -> Work:
    """Return ``outputs(at, *columns)``, a list of cost and gradient, compiled."""
    import torch

    fun = torch.compile(lambda *given: torch.stack(outputs(*given)), fullgraph=True, dynamic=False)
    given = [torch.from_numpy(c) for c in (at, *columns)]

    def work() -> Any:
        with torch.inference_mode():
            total = fun(*given).numpy()
        return total[0], total[1:]

    return work


def numba_work(loop: Callable[..., Any], table: Any, y: Any, at: Any, threads: int) -> Work:
    """Return the sum over `threads` shares of the rows of ``loop(table, y, at, first, last)``, in parallel."""
    import numba

    numba.set_num_threads(threads)
    bounds = np.array(shares(table.shape[-1], threads))
    outputs = 1 + at.size

    @numba.njit(parallel=True, fastmath=True)
    def run(table: Any, y: Any, at: Any, bounds: Any) -> Any:
        parts = np.empty((len(bounds) - 1, outputs))
        for k in numba.prange(len(bounds) - 1):
            parts[k] = loop(table, y, at, bounds[k], bounds[k + 1])
        return parts.sum(axis=0)

    def work() -> Any:
        total = run(table, y, at, bounds)
        return total[0], total[1:]

    return work


def numexpr_threads(threads: int) -> Any:
    """Return numexpr with its pool set."""
    import numexpr

    numexpr.set_num_threads(threads)
    return numexpr
