"""What is called while a descent goes on: the user's callback after each look, and progress now and then."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from typing import Any

from descend.descent.loop import Watch
from descend.descent.run import Progress
from descend.errors import MethodError, printable

PAUSE = 0.25  # seconds between two reports at least


def watching(callback: Callable[[Any], object] | None, progress: Any) -> Watch | None:
    """Return what the loop is to call after each look; None where nobody watches.

    `progress` is a function, called a few times a second, or True for a line on standard error.  Raises `MethodError`.
    """
    if progress is None or progress is False:
        return callback
    if progress is not True and not callable(progress):
        raise MethodError(f"progress is True, or a function of one argument, not {printable(repr(progress), 40)}")
    report = _line if progress is True else progress
    due = perf_counter() + PAUSE

    def watch(seen: Progress) -> object:
        nonlocal due
        if perf_counter() >= due:
            report(seen)
            due = perf_counter() + PAUSE
        return None if callback is None else callback(seen)

    return watch


def _line(seen: Progress) -> None:
    if seen.best is None or sys.stderr is None:
        return
    best = seen.best.evaluation
    sys.stderr.write(
        f"descend: {seen.looks:,} looks, {seen.seconds:.1f} s, best cost {best.cost:.10g}, "
        f"slope {best.gradient_norm:.2g}\n"
    )
