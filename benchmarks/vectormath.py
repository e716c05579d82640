"""Our own vector functions beside the C library's (libmvec): speed in a loop over rows, and units in the last place.

The loop is that of a row kernel: a function of a column is multiplied with eight columns and added to eight sums, which
live in registers, so that a call costs what it costs there.  All columns are in the second-level cache.  Errors are the
worst over random doubles of the function's domain, with everyday ones, against 50 digits.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.measure import in_turns, ratio, show
from descend.kernel import elementary
from descend.kernel.compile import MachineCode
from descend.kernel.lower import module
from descend.kernel.target import target
from descend.kernel.vector_math import LIBMVEC_IN_ROWS, OURS_IN_LOOPS, LanesBody
from tests.kernel.lanes import (
    LANE_BY_LANE,
    LIBMVEC,
    OURS,
    OURS_CALLED,
    exactly,
    forms,
    ulps,
    vector_function,
    written,
)

TIMED = (OURS, OURS_CALLED, LIBMVEC, LANE_BY_LANE)
SUMS = 8
ROWS = 1000  # a multiple of 8, so that columns are aligned; no power of two, or they would share the cache's sets
EVERYDAY = {
    "exp": (-20, 3), "expm1": (-3, 3), "log": (0.01, 50), "log1p": (0, 1), "log2": (0.01, 50), "log10": (0.01, 50),
    "asin": (-1, 1), "acos": (-1, 1), "atanh": (-1, 1), "acosh": (1, 9), "erfc": (-3, 6), "pow": (0.01, 9),
}  # fmt: skip
PAGE = Path(__file__).parent.parent / "docs" / "vector-mathematics.md"
MARK = "<!-- measured by python -m benchmarks vectormath -->"


@contextmanager
def made_for(name: str) -> Iterator[None]:
    """Compile for a target."""
    before = os.environ.get("DESCEND_TARGET")
    os.environ["DESCEND_TARGET"] = name
    try:
        yield
    finally:
        os.environ.pop("DESCEND_TARGET")
        if before is not None:
            os.environ["DESCEND_TARGET"] = before


class RowLoop:
    """Machine code that sums f(x)·column over the rows, for eight columns."""

    def __init__(self, name: str, lanes: int, how: str, columns: np.ndarray[Any, Any], arguments: int) -> None:
        b = LanesBody(lanes)
        b.label("entry")
        b.write("br label %loop")
        b.label("loop")
        b.write("%i = phi i64 [0, %entry], [%next, %loop]")
        for k in range(SUMS):
            b.write(f"%s{k} = phi {b.kind} [{b.number(0.0)}, %entry], [%t{k}, %loop]")

        def load(column: int) -> str:
            row = b.emit(f"add i64 %i, {column * ROWS}")
            return b.emit(f"load {b.kind}, ptr {b.emit(f'getelementptr inbounds double, ptr %x, i64 {row}')}, align 8")

        taken = [load(SUMS + k) for k in range(arguments)]
        value = written(name, how)(b, taken)
        for k in range(SUMS):
            product = b.emit(f"fmul contract {b.kind} {load(k)}, {value}")
            b.write(f"%t{k} = fadd contract {b.kind} %s{k}, {product}")
        b.write(f"%next = add i64 %i, {lanes}")
        b.write(f"%more = icmp slt i64 %next, {ROWS}")
        b.write("br i1 %more, label %loop, label %done")
        b.label("done")
        for k in range(SUMS):
            b.write(f"store {b.kind} %t{k}, ptr {b.emit(f'getelementptr double, ptr %out, i64 {k * lanes}')}, align 8")
        b.write("ret void")
        self.code = MachineCode(module([("void @f(ptr noalias %x, ptr noalias %out)", b)]), 2, 1)
        call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(self.code.address("f"))
        out = np.empty(SUMS * lanes)
        self.kept = columns, out
        addresses = columns.ctypes.data, out.ctypes.data
        self.run = lambda: [call(*addresses) for _ in range(8)]

    def __call__(self) -> None:
        """Take the rows eight times."""
        self.run()


def table_of(name: str, arguments: int) -> np.ndarray[Any, Any]:
    """Return the columns: those that are multiplied with, and the arguments in the function's everyday range."""
    rng = np.random.default_rng(5)
    memory = np.empty((SUMS + arguments) * ROWS + 8)
    start = -memory.ctypes.data % 64 // 8
    rows = memory[start : start + (SUMS + arguments) * ROWS].reshape(SUMS + arguments, ROWS)
    rows[:] = rng.uniform(-1, 1, rows.shape)
    rows[SUMS:] = rng.uniform(*EVERYDAY.get(name, (-3, 3)), (arguments, ROWS))
    return rows


def worst(name: str, arguments: int, lanes: int, hows: list[str], count: int) -> list[float]:
    """Return the largest error of each implementation."""
    rng = np.random.default_rng(7)
    low, high = EVERYDAY.get(name, (-3, 3))
    x = [
        np.concatenate(
            [
                rng.uniform(low, high, 2 * count),
                rng.choice([-1.0, 1.0], count) * 2.0 ** rng.uniform(-1074, 1023, count),
                rng.uniform(-745, 710, count),
            ]
        )
        for _ in range(arguments)
    ]
    if name == "pow":  # results from the least to the largest double
        x = [np.abs(a) for a in x]
        x[1] = rng.uniform(-1070, 1023, len(x[0])) / np.log2(x[0])
    exact = [exactly(name, *a) for a in zip(*(a.tolist() for a in x), strict=True)]
    found = [vector_function(name, lanes, how)(*x) for how in hows]
    return [max(ulps(f, e) for f, e in zip(values.tolist(), exact, strict=True)) for values in found]


def row_of(name: str, lanes: int, quick: bool) -> list[str]:
    """Measure one function on the target that is set."""
    arguments = elementary.ARGUMENTS.get(name, 1)
    theirs = any(wide == lanes for _, wide in forms(name))
    hows = [OURS, OURS_CALLED, LANE_BY_LANE, *([LIBMVEC] if theirs else [])]
    columns = table_of(name, arguments)
    times = in_turns({how: RowLoop(name, lanes, how, columns, arguments) for how in hows}, 5 if quick else 101)
    compared = [OURS, LIBMVEC] if theirs else [OURS]
    errors = worst(name, arguments, lanes, compared, 20 if quick else 4000)
    cells = [f"{1e9 * median(times[how]) / (8 * ROWS):.2f}" if how in times else "–" for how in TIMED]
    gains = [f"{ratio(times[LIBMVEC], times[how]):.2f}" if theirs else "–" for how in (OURS, OURS_CALLED)]
    in_rows = "libmvec" if theirs and name in LIBMVEC_IN_ROWS else "ours"
    loops = "libmvec" if theirs and name not in OURS_IN_LOOPS else "ours"
    return [f"`{name}`", *cells, *gains, *(f"{e:.2f}" for e in errors), *([] if theirs else ["–"]), in_rows, loops]


def run(quick: bool) -> None:
    """Print a table a target; a full run also writes them into the documentation."""
    head = ["function", *TIMED, "libmvec / ours", "libmvec / called", "ulp: ours", "ulp: libmvec", "rows", "loops"]
    pages = []
    for name in ("native", "generic"):
        with made_for(name):
            lanes = target().lanes
            rows = [row_of(function, lanes, quick) for function in elementary.FORMS]
        title = f"{name}, {lanes} lanes: ns a row, and the worst error in units in the last place"
        show(title, head, rows)
        print()
        lines = [f"**{title}**", "", f"| {' | '.join(head)} |", "|---|" + "---:|" * 8 + "---|---|"]
        pages.append("\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]))
    if not quick:
        before = PAGE.read_text(encoding="utf-8").partition(MARK)[0]
        PAGE.write_text(f"{before}{MARK}\n\n" + "\n\n".join(pages) + "\n", encoding="utf-8")
