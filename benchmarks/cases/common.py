"""What the cases share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Work = Callable[[], Any]


def jax_work(cost: Callable[..., Any], at: Any, x: Any, y: Any) -> Work:
    """Return the jitted value and gradient of ``cost(numpy, at, x, y)`` in `at`."""
    import jax

    fun = jax.jit(jax.value_and_grad(lambda p, x, y: cost(jax.numpy, p, x, y)))
    at, x, y = (jax.numpy.asarray(v) for v in (at, x, y))
    return lambda: jax.block_until_ready(fun(at, x, y))


def shares(rows: int, threads: int) -> list[int]:
    """Return where the rows of each thread begin, and the end of the last."""
    return [rows * k // threads for k in range(threads + 1)]


def in_threads(part: Callable[[int, int], Any], rows: int, threads: int) -> Callable[[], list[Any]]:
    """Return a call of `part(first, last)` for a share of the rows a thread; it returns their results."""
    if threads == 1:
        return lambda: [part(0, rows)]
    bounds = shares(rows, threads)
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(part, bounds[:-1], bounds[1:]))


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
