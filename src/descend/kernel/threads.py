"""Row blocks on several threads.  Compiled code releases the interpreter lock, so Python threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

OPERATION_SECONDS = 0.15e-9  # what an operation is taken to last
WORTH = 2_000_000  # operations below which a second thread costs more than it brings
MOST = 1024  # threads that DESCEND_THREADS may ask for

_pool: ThreadPoolExecutor | None = None
_made = (0, 0)  # the process that made the pool (after a fork its threads are gone), and how many threads it has


def threads() -> int:
    """Return how many threads a long pass uses: DESCEND_THREADS, else the processors this process may use."""
    written = os.environ.get("DESCEND_THREADS", "").strip()
    if written.isascii() and written.isdigit() and len(written) <= 4 and 0 < int(written) <= MOST:
        return int(written)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _workers(count: int) -> ThreadPoolExecutor:
    global _pool, _made
    pool, (owner, size) = _pool, _made
    if pool is None or owner != os.getpid() or size < count:
        pool = ThreadPoolExecutor(count, thread_name_prefix="descend")
        _pool, _made = pool, (os.getpid(), count)
    return pool


def run_parts(part: Callable[[int, int], None], blocks: int, largest: int, work: int) -> None:
    """Call `part(first, last)` over all blocks, at most `largest` at a time, on several threads when it pays.

    Ctrl-C may end the waiting while other threads are still at work: `part` must own the memory that it works on.
    """
    count = threads()
    if count == 1 or work < WORTH or blocks < 2 * count:
        for first, last in pairwise([*range(0, blocks, largest), blocks]):
            part(first, last)
        return
    # Each round gives every thread one piece and waits: between rounds signals are served.
    piece = min(largest, -(-blocks // count))
    pieces = list(pairwise([*range(0, blocks, piece), blocks]))
    pool = _workers(count - 1)
    for start in range(0, len(pieces), count):
        own, *others = pieces[start : start + count]
        waiting = [pool.submit(part, *bounds) for bounds in others]
        try:
            part(*own)
        finally:
            for future in waiting:
                future.result()
