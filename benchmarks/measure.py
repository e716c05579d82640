"""Timing side by side, and tables.

Contestants take turns, so that whatever else the machine does in a minute happens to all of them; the order within a
round alternates.  A ratio is the median of the ratios within each round, not the ratio of two medians.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter
from typing import Any


def seconds(work: Callable[[], object]) -> float:
    """Return the wall time of one call."""
    began = perf_counter()
    work()
    return perf_counter() - began


def in_turns(
    contestants: Mapping[str, Callable[[], object]], rounds: int, *, warm: bool = True
) -> dict[str, list[float]]:
    """Return the wall times of each contestant, in seconds, one a round; `warm` calls each once before."""
    if warm:
        for work in contestants.values():
            work()
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds):
        order = list(contestants)
        for name in order if number % 2 == 0 else reversed(order):
            times[name].append(seconds(contestants[name]))
    return times


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios within each round."""
    return median(a / b for a, b in zip(numerators, denominators, strict=True))


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[Any]], notes: Sequence[str] = ()) -> None:
    """Print a Markdown table, aligned; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[k]) for row in [list(head), *cells]) for k in range(len(head))]
    print(f"**{title}**\n")
    print("| " + " | ".join(h.ljust(w) for h, w in zip(head, widths, strict=True)) + " |")
    print("|" + "|".join("-" * (w + 1) + (":" if k else "-") for k, w in enumerate(widths)) + "|")
    for row in cells:
        padded = [c.rjust(w) if k else c.ljust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))]
        print("| " + " | ".join(padded) + " |")
    if notes:
        print("\n" + "\n".join(f"- {note}" for note in notes))
    sys.stdout.flush()


def milliseconds(value: float) -> str:
    """Return a time in ms, three digits."""
    ms = 1e3 * value
    return f"{ms:,.0f}" if ms >= 100 else f"{ms:.3g}"
