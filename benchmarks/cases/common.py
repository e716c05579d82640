"""What the cases share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Work = Callable[[], Any]
BLOCK = 4096  # rows that NumPy works on at a time, so that its intermediate arrays stay in the cache


def jax_work(cost: Callable[..., Any], at: Any, x: Any, y: Any) -> Work:
    """Return the jitted value and gradient of ``cost(numpy, at, x, y)`` in `at`."""
    import jax

    fun = jax.jit(jax.value_and_grad(lambda p, x, y: cost(jax.numpy, p, x, y)))
    at, x, y = (jax.numpy.asarray(v) for v in (at, x, y))
    return lambda: jax.block_until_ready(fun(at, x, y))


def in_threads(part: Callable[[int, int], Any], rows: int, threads: int) -> Callable[[], list[Any]]:
    """Return a call of `part(first, last)` for a share of the rows a thread; it returns their results."""
    bounds = [rows * k // threads for k in range(threads + 1)]
    firsts, lasts = bounds[:-1], bounds[1:]
    if threads == 1:
        return lambda: [part(0, rows)]
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(part, firsts, lasts))


def summed(part: Callable[[int, int], Any], rows: int, threads: int) -> Work:
    """Return the sum over the threads of arrays of cost and gradient."""
    parts = in_threads(part, rows, threads)

    def work() -> Any:
        total = sum(parts())
        return total[0], total[1:]

    return work


def plain_read(columns: list[Any], threads: int) -> Work:
    """Return a reading of all numbers of the columns."""
    return in_threads(lambda first, last: [column[first:last].max() for column in columns], len(columns[0]), threads)
