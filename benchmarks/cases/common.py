"""What the cases share."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

Work = Callable[[], Any]
BLOCK = 4096  # rows that NumPy works on at a time, so that its intermediate arrays stay in the cache


def jax_work(cost: Callable[..., Any], at: Any, x: Any, y: Any) -> Work:
    """Return the jitted value and gradient of ``cost(numpy, at, x, y)`` in `at`."""
    import jax

    fun = jax.jit(jax.value_and_grad(lambda p, x, y: cost(jax.numpy, p, x, y)))
    at, x, y = (jax.numpy.asarray(v) for v in (at, x, y))
    return lambda: jax.block_until_ready(fun(at, x, y))


def plain_read(tables: list[Any], threads: int) -> Work:
    """Return a reading of all numbers of the tables, a part of them a thread."""
    parts = [part for table in tables for part in np.array_split(table, threads)]
    if threads == 1:
        return lambda: [part.max() for part in parts]
    pool = ThreadPoolExecutor(threads)
    return lambda: list(pool.map(np.max, parts))
