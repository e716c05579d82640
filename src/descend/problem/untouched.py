"""Entries at the end of an array that the formula never touches: they are variables, and stay where they start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from descend.errors import printable
from descend.problem.layout import Extent
from descend.problem.problem import Problem


def lengthened(problem: Problem, start: Any, sizes: Iterable[Any]) -> Problem:
    """Return the problem with its arrays as long as the start has them, if that is one of `sizes`.

    A cost of n variables may leave out the last (NONDIA of CUTEst does): a start of n numbers, n among the constants
    of the formula, is no mistake then.  The cost does not change along such an entry; a note says so.
    """
    whole = {int(size) for size in sizes if size == size // 1}
    extents, notes = dict(problem.extents), []
    for name, extent in problem.extents.items():
        given = _length(start, name, alone=len(problem.variables) == 1)
        if given is None or given not in whole or given <= extent.length:
            continue
        extents[name] = Extent(extent.first, given)
        first, last = extent.first + extent.length, extent.first + given - 1
        shown = printable(name)
        which = f"{shown}[{first}] does" if first == last else f"{shown}[{first}] to {shown}[{last}] do"
        notes.append(f"{which} not occur in the cost, and {'stays' if first == last else 'stay'} at the start")
    return replace(problem, extents=extents, notes=(*problem.notes, *notes)) if notes else problem


def _length(start: Any, name: str, *, alone: bool) -> int | None:
    """Return how many numbers the start gives an array, None where it gives no sequence."""
    if isinstance(start, Mapping):
        values = {str(getattr(key, "name", key)): value for key, value in start.items()}.get(name)
    else:
        values = start if alone else None
    if values is None or isinstance(values, (str, bytes)):
        return None
    try:
        return len(values)
    except TypeError:  # a number
        return None
