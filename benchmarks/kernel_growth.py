"""One formula on tables of 10³ … 10⁸ rows: time a row, memory beyond the table; and two threads against one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.kernel_works import environment, processors, with_one_thread
from benchmarks.measure import in_turns, show

MODEL, POINT = "y = a*exp(-b*x) + c", [1.8, 1.2, 0.4]
BUSY = "y = a*exp(-b*x) + c*exp(-d*x) + e*tanh(f*x)"  # much arithmetic on few columns
BUSY_POINT = [1.8, 1.2, 0.4, 0.3, 0.2, 0.1]
STEP = 1_000_000  # rows of the table that are drawn at a time: the peak of memory is the table's own


def run(*, quick: bool) -> dict[str, Any]:
    """Print a table; return ns a row by rows, MB beyond the table by rows, and times of one and two threads."""
    most = 6 if quick else 8
    threads = min(2, processors())
    found = {10**k: _process(["rows", str(10**k)], threads) for k in range(3, most + 1)}
    rows = []
    for count, one in found.items():
        before = found.get(count // 10)
        grown = f"{one['seconds'] / before['seconds']:.2f}" if before else ""
        each = f"{1e9 * one['seconds'] / count:.3g}"
        rows.append(
            (f"{count:,}", f"{1e3 * one['seconds']:.3g}", each, grown, f"{one['beyond']:.1f}", f"{one['table']:,.0f}")
        )
    show(
        f"{MODEL}, a process a line, {threads} threads",
        ("rows", "ms a pass", "ns a row", "time ÷ that of a tenth", "MB beyond the table", "MB of the table"),
        rows,
        (
            "beyond the table: the peak (VmHWM) after compile() and all passes, less what there was with the table",
            "libraries and code for this formula are in memory before",
        ),
    )
    print()
    scaling = _process(["scaling", str(100_000 if quick else 3_000_000)], 2) if processors() > 1 else None
    if scaling:
        one, two = scaling["one"], scaling["two"]
        print(f"{BUSY}: {1e3 * median(one):.1f} ms on one thread, {1e3 * median(two):.1f} ms on two, in turns\n")
    return {"rows": found, "scaling": scaling}


def _process(arguments: list[str], threads: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.kernel_growth", *arguments]
    done = subprocess.run(command, env=environment(threads), stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"kernel: the process of {' '.join(arguments)} failed")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def table(rows: int) -> dict[str, Any]:
    """Return columns x and y, drawn a million rows at a time."""
    import numpy as np

    random = np.random.default_rng(2)
    x, y = np.empty(rows), np.empty(rows)
    for low in range(0, rows, STEP):
        own = random.uniform(0, 4, size=min(STEP, rows - low))
        x[low : low + STEP] = own
        y[low : low + STEP] = 2 * np.exp(-1.5 * own) + 0.5
    return {"x": x, "y": y}


def grow(rows: int) -> dict[str, float]:
    """Compile the model for so many rows; return the seconds of a pass and the MB beyond the table."""
    import descend

    descend.compile(MODEL, table(STEP), variables=["a", "b", "c"]).value_and_gradient(POINT)  # libraries and code
    columns = table(rows)
    _forget_peak()
    before = _memory("VmRSS")
    fun = descend.compile(MODEL, columns, variables=["a", "b", "c"])
    fun.value_and_gradient(POINT)
    spent: list[float] = []
    while len(spent) < 3 or (sum(spent) < 0.5 and len(spent) < 2000):
        began = perf_counter()
        fun.value_and_gradient(POINT)
        spent.append(perf_counter() - began)
    return {"seconds": median(spent), "beyond": _memory("VmHWM") - before, "table": 16e-6 * rows}


def _forget_peak() -> None:
    """Set VmHWM to what the process has now (Linux)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _memory(name: str) -> float:
    """Return VmRSS or VmHWM in MB."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024e-6
    raise KeyError(name)


def scale(rows: int) -> dict[str, list[float]]:
    """Return the times of one and of two threads, in turns."""
    import descend

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    fun = descend.compile(BUSY, table(rows), variables=list("abcdef"))

    def two() -> Any:
        return fun.value_and_gradient(BUSY_POINT)

    return in_turns({"one": with_one_thread(two), "two": two}, 15)


if __name__ == "__main__":
    work: Callable[[int], Any] = {"rows": grow, "scaling": scale}[sys.argv[1]]
    print(json.dumps(work(int(sys.argv[2]))))
