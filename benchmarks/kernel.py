"""The kernel beside its peers, one command: sums over rows, loops, compiling, the cache, growth; then what was asked.

`python -m benchmarks kernel --only logistic loops` chooses works and parts.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from benchmarks import kernel_compile, kernel_growth, kernel_works, loops
from benchmarks.kernel_works import BY_HAND, PEERS, READ, WORKS
from benchmarks.measure import ratio, show

PARTS = ("loops", "compile", "cache", "growth")
CHOICES = (*WORKS, *PARTS)
BUSY = 0.2  # of one processor: what other programs may use
FLAT = 1.5  # the time of ten times the rows may be at most so much more than ten times the time


class Line(NamedTuple):
    """One line of what was asked; `least` says whether the number asked for is a floor or a ceiling."""

    work: str
    what: str
    asked: float
    least: bool
    got: float | None
    note: str = ""

    def cells(self) -> tuple[str, ...]:
        """Return the row of the table."""
        sign = "≥" if self.least else "≤"
        if self.got is None:
            return (self.work, self.what, f"{sign} {self.asked:g}", "not measured", "")
        met = self.got >= self.asked if self.least else self.got <= self.asked
        got = f"{self.got:.2f}" if self.got < 100 else f"{self.got:.0f}"
        return (self.work, self.what, f"{sign} {self.asked:g}", f"{got}{self.note}", "met" if met else "MISS")


def run(*, quick: bool, only: Sequence[str] = ()) -> None:
    """Measure, and print the verdicts at the end."""
    unknown = sorted(set(only) - set(CHOICES))
    if unknown:
        raise SystemExit(f"kernel has no part {', '.join(unknown)}; there are {', '.join(CHOICES)}")
    chosen = only or CHOICES
    began = perf_counter(), _busy(), sum(os.times()[:4])
    works = [w for w in WORKS if w in chosen]
    lines: list[Line] = []
    if works:
        lines += rows_asked(kernel_works.run(works, quick=quick))
    if "loops" in chosen:
        lines += loops_asked(loops.run(quick=quick))
    if "compile" in chosen:
        lines += compile_asked(kernel_compile.run_compile(quick=quick))
    if "cache" in chosen:
        lines += cache_asked(kernel_compile.run_cache(quick=quick))
    if "growth" in chosen:
        lines += growth_asked(kernel_growth.run(quick=quick))
    show(
        "what was asked",
        ("work", "", "asked", "got", ""),
        [line.cells() for line in lines],
        ("from medians of the ratios within each round", *_others(*began), *kernel_works.CALLS),
    )


def _busy() -> float | None:
    """Return the seconds that all processors have been busy since the machine started (Linux)."""
    try:
        line = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0]
    except OSError:
        return None
    user, nice, system, _idle, _waiting, *rest = map(int, line.split()[1:9])
    return (user + nice + system + sum(rest)) / float(os.sysconf("SC_CLK_TCK"))


def _others(began: float, busy: float | None, own: float) -> tuple[str, ...]:
    """Say how much other programs did meanwhile; this process and those that it started do not count."""
    now = _busy()
    if busy is None or now is None:
        return ()
    share = (now - busy - (sum(os.times()[:4]) - own)) / (perf_counter() - began)
    if share < BUSY:
        return (f"other programs used {share:.2f} of a processor meanwhile",)
    return (f"other programs used {share:.2f} of a processor meanwhile: TOO MUCH for figures that are to be quoted",)


def rows_asked(times: dict[int, dict[str, dict[str, list[float]]]]) -> list[Line]:
    """Return the lines about value and gradient over rows."""
    found = []
    for threads, works in times.items():
        for key, spent in works.items():
            read, factor, others = kernel_works.ASKED[key]
            work = f"{key}, {threads} thread{'s' if threads > 1 else ''}"
            ours = spent["descend"]
            if read:
                found.append(Line(work, "% of plain read", read, least=True, got=100 * ratio(spent[READ], ours)))
            peers = {name: ratio(spent[name], ours) for name in PEERS if name in spent}
            for what, some in (
                ("× the best of the peers", peers),
                ("× the best but slopes by hand", _plain(peers)),
            ):
                best = min(some, key=lambda name: some[name])
                found.append(Line(work, what, factor, least=True, got=some[best], note=f" ({best})"))
            for name, least in others.items():
                got = ratio(spent[name], ours) if name in spent else None
                found.append(Line(work, f"× {name}", least, least=True, got=got))
    return found


def _plain(peers: dict[str, float]) -> dict[str, float]:
    return {name: got for name, got in peers.items() if name != BY_HAND}


def loops_asked(times: Any) -> list[Line]:
    """Return the lines about loops, from times of each loop in turns by title and contestant."""
    found = []
    for title, spent in (times or {}).items():
        for name in ("JAX", "Numba"):
            got = ratio(spent[name], spent["descend"]) if name in spent else None
            found.append(Line(f"loop, {title}", f"× {name}", 1.0, least=True, got=got))
        c = [name for name in spent if name.startswith("gcc")]
        if c:
            best = min(c, key=lambda name: median(spent[name]))
            got = ratio(spent["descend"], spent[best])
            found.append(Line(f"loop, {title}", "time ÷ gcc's", 1.3, least=False, got=got, note=f" ({best})"))
    return found


def compile_asked(times: dict[str, dict[str, list[float]]]) -> list[Line]:
    """Return the lines about compiling."""
    found = []
    for title, asked in kernel_compile.ASKED.items():
        spent = times[title]
        ms = 1e3 * median(spent["descend"])
        found.append(Line(f"compile, {title}", "ms", asked, least=False, got=ms))
        for name in ("JAX", "Numba"):
            got = ratio(spent[name], spent["descend"]) if name in spent else None
            found.append(Line(f"compile, {title}", f"× {name}", 5.0, least=True, got=got))
    return found


def cache_asked(times: dict[str, list[dict[str, float]]]) -> list[Line]:
    """Return the lines about a second process."""
    found = []
    for title in kernel_compile.ASKED:
        for what, part in (("ms, text to first value", "first"), ("ms, machine code to first value", "value")):
            ms = median(process[part] for process in times[title])
            found.append(Line(f"second process, {title}", what, kernel_compile.CACHED, least=False, got=ms))
    return found


def growth_asked(found: dict[str, Any]) -> list[Line]:
    """Return the lines about growth, memory and threads."""
    rows = found["rows"]
    steps = {n: rows[n]["seconds"] / (10 * rows[n // 10]["seconds"]) for n in rows if n // 10 in rows}
    worst = max(steps, key=lambda n: steps[n])
    beyond = max(rows, key=lambda n: rows[n]["beyond"])
    lines = [
        Line("growth", "time ÷ 10 × that of a tenth of the rows", FLAT, False, steps[worst], f" (at {worst:,} rows)"),
        Line("growth", "MB beyond the table", 64, False, rows[beyond]["beyond"], f" (at {beyond:,} rows)"),
    ]
    scaling = found["scaling"]
    got = ratio(scaling["one"], scaling["two"]) if scaling else None
    return [*lines, Line("scaling", "1 → 2 threads", 1.7, least=True, got=got)]
