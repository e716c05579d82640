"""Row blocks on several threads.  Compiled code releases the interpreter lock, so Python threads are enough."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

WORTH = 2_000_000  # operations below which a second thread costs more than it brings
MOST = 1024  # threads that DESCEND_THREADS may ask for

_pool: ThreadPoolExecutor | None = None
_owner = 0  # the process that made the pool: after a fork its threads are gone


def threads() -> int:
    """Return how many threads a long pass uses: DESCEND_THREADS, else the processors this process may use."""
    written = os.environ.get("DESCEND_THREADS", "").strip()
    if written.isascii() and written.isdigit() and len(written) <= 4 and 0 < int(written) <= MOST:
        return int(written)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _workers(count: int) -> ThreadPoolExecutor:
    global _pool, _owner
    if _pool is None or _owner != os.getpid() or _pool._max_workers < count:
        _pool, _owner = ThreadPoolExecutor(count, thread_name_prefix="descend"), os.getpid()
    return _pool


def run_parts(part: Callable[[int, int], None], blocks: int, largest: int, work: int) -> None:
    """Call `part(first, last)` over all blocks, at most `largest` at a time, on several threads when it pays.

    Ctrl-C may end the waiting while other threads are still at work: `part` must own the memory that it works on.
    """
    bounds = list(range(0, blocks, largest)) + [blocks]
    count = threads()
    if count == 1 or work < WORTH or blocks < 2 * count:
        for first, last in zip(bounds, bounds[1:], strict=False):
            part(first, last)
        return
    # Each round gives every thread one piece and waits: between rounds signals are served.
    piece = max(1, min(largest, -(-blocks // count)))
    bounds = list(range(0, blocks, piece)) + [blocks]
    pieces = list(zip(bounds, bounds[1:], strict=False))
    pool = _workers(count - 1)
    for start in range(0, len(pieces), count):
        first, *others = pieces[start : start + count]
        waiting = [pool.submit(part, *bound) for bound in others]
        try:
            part(*first)
        finally:
            for future in waiting:
                future.result()
