"""Work on several threads.  Compiled code releases the interpreter lock, so Python threads are enough."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

OPERATION_SECONDS = 0.15e-9  # what an operation is taken to last
WORTH = 2_000_000  # operations below which a second thread costs more than it brings
MOST = 1024  # threads that DESCEND_THREADS may ask for
SHARES = 4  # pieces for each thread, so that one that is held up leaves its work to the others


class _Pool:
    """Threads that are made when they are first needed."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Start without threads: after a fork there are none."""
        self.executor: ThreadPoolExecutor | None = None
        self.size = 0
        self.making = threading.Lock()
        self.here = threading.local()  # `worker` is set in the threads of a pool

    def workers(self, count: int) -> ThreadPoolExecutor:
        """Return a pool of at least `count` threads; `RuntimeError` where the process ends and may not have any."""
        from concurrent.futures import ThreadPoolExecutor  # it wants to be told of the end: not possible at the end

        with self.making:
            if self.executor is None or self.size < count:
                marked = (self.here, "worker", True)
                self.executor = ThreadPoolExecutor(count, "descend", initializer=setattr, initargs=marked)
                self.size = count
            return self.executor


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.forget)


def threads() -> int:
    """Return how many threads a long pass uses.

    DESCEND_THREADS says it.  Without it: the processors that this process may use, but no more than OMP_NUM_THREADS,
    which joblib, Dask and others set in their workers so that these do not all use the whole machine.
    """
    wanted = _number("DESCEND_THREADS")
    if wanted is not None:
        return wanted
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(found, _number("OMP_NUM_THREADS") or found)


def _number(variable: str) -> int | None:
    """Return a count of threads in the environment, None where there is none (OpenMP's may be a list by depth)."""
    written = os.environ.get(variable, "").split(",")[0].strip()
    if written.isascii() and written.isdigit() and len(written) <= 4 and 0 < int(written) <= MOST:
        return int(written)
    return None


class _Pieces:
    """Hands out the pieces [first, last) of a range, each once."""

    def __init__(self, part: Callable[[int, int], None], blocks: int, piece: int) -> None:
        self.part, self.blocks, self.piece = part, blocks, piece
        self._starts = iter(range(0, blocks, piece))
        self.stopped = False

    def work(self) -> None:
        """Take pieces until there is none, or until a part has failed somewhere."""
        try:
            for first in self._starts:  # one step of such an iterator is atomic
                if self.stopped:
                    return
                self.part(first, min(first + self.piece, self.blocks))
        except BaseException:
            self.stopped = True
            raise


def run_parts(part: Callable[[int, int], None], blocks: int, largest: int, work: int) -> None:
    """Call `part(first, last)` over all blocks, at most `largest` at a time, on several threads when it pays.

    `work` is about how many operations there are in all.  The calling thread takes pieces like the others, and serves
    signals between its own; it does all by itself where no thread is to be had, and in one of the threads here.  An
    exception in a part is raised when the parts that had begun have ended; the rest is left.  Only Ctrl-C may end the
    waiting while other threads are still at work: `part` must own the memory that it works on.
    """
    count = min(threads(), blocks)
    if count <= 1 or work < WORTH or getattr(_pool.here, "worker", False):
        _Pieces(part, blocks, largest).work()
        return
    pieces = _Pieces(part, blocks, min(largest, -(-blocks // (SHARES * count))))
    waiting: list[Future[None]] = []
    try:
        with contextlib.suppress(RuntimeError):  # no thread is to be had: a limit, or the end of the process
            pool = _pool.workers(count - 1)
            for _ in range(count - 1):
                waiting += [pool.submit(pieces.work)]
        pieces.work()
    finally:
        try:
            # A thread that has not begun by now would find nothing to do.
            failures = [future.exception() for future in waiting if not future.cancel()]
        except BaseException:
            pieces.stopped = True
            raise
    for failure in failures:
        if failure is not None:
            raise failure
