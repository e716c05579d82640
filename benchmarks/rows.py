"""Cost and gradient of a sum over many rows, beside hand-written NumPy, numexpr, Numba and JAX.

A preview: the kernel at the machine's limit is a later issue.  Each number of threads has a process of its own, bound
to so many processors before any library is loaded; inside it the contestants take turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median
from typing import Any

from benchmarks.measure import in_turns, ratio, show

ROWS = 5_000_000
TOLERANCE = 1e-9  # relative: contestants must agree before they are timed
# One thread inside a call of BLAS: NumPy's work is shared out among Python threads, and both together would quarrel.
BLAS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def run(*, quick: bool) -> None:
    """Print a table a number of threads."""
    for threads in (1, 2):
        if threads > (os.cpu_count() or 1):
            print(f"rows, {threads} threads: skipped, there is one processor")
            continue
        pools = dict.fromkeys(("DESCEND_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS"), str(threads))
        command = [sys.executable, "-m", "benchmarks.rows", str(threads), *(["--quick"] if quick else [])]
        if threads > 1:
            print()
        sys.stdout.flush()
        if subprocess.run(command, env=os.environ | BLAS | pools | {"JAX_ENABLE_X64": "1"}, check=False).returncode:
            raise SystemExit(f"rows: the process with {threads} threads failed")


def measure(threads: int, *, quick: bool) -> None:
    """Measure all cases in this process, which is bound to `threads` processors."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    from benchmarks.cases.decay import Decay
    from benchmarks.cases.linear import Linear

    count, rounds = (200_000, 2) if quick else (ROWS, 7)
    rows: list[tuple[str, ...]] = []
    skipped: dict[str, str] = {}
    for case in (Linear(count), Decay(count)):
        contestants = {"descend": made(case), "NumPy": case.numpy(threads)}
        for name, make in (("numexpr", case.numexpr), ("Numba", case.numba), ("JAX", case.jax)):
            try:
                contestants[name] = make(threads)
            except ImportError as error:
                skipped[name] = f"{name} was skipped: {error}"
        check(contestants)
        contestants["plain read"] = case.plain_read(threads)
        times = in_turns(contestants, rounds)
        for name, spent in times.items():
            against = ratio(spent, times["descend"])
            rows.append(
                (f"{case.title}: {name}", f"{1e3 * median(spent):.1f}", f"{1e3 * min(spent):.1f}", f"{against:.2f}")
            )
    show(
        f"rows: value and gradient, {count:,} rows, {threads} thread{'s' if threads > 1 else ''} ({rounds} rounds)",
        ("ms a pass", "median", "least", "time ÷ descend's"),
        rows,
        (
            "ms are absolute; plain read: the largest number of each column of the same table, by NumPy",
            "NumPy: linear by BLAS on whole columns, a·exp(-bx)+c on blocks of 65,536 rows; a share a thread",
            "compiling is not in the times of descend, Numba and JAX",
            *skipped.values(),
        ),
    )


def made(case: Any) -> Any:
    """Return descend's contestant, which must be machine code: what is interpreted is not what is measured here."""
    fun = case.descend()
    if fun.evaluator != "compiled":
        raise SystemExit(f"rows: descend is {fun.evaluator}")
    return lambda: fun.value_and_gradient(case.at)


def check(contestants: dict[str, Any]) -> None:
    """Raise when two contestants do not compute the same."""
    import numpy as np

    expected = contestants["NumPy"]()
    for name, work in contestants.items():
        got = work()
        for a, b in ((got[0], expected[0]), (got[1], expected[1])):
            if not np.allclose(np.asarray(a), np.asarray(b), rtol=TOLERANCE, atol=TOLERANCE * expected[0]):
                raise SystemExit(f"rows: {name} computes {got}, NumPy {expected}")


if __name__ == "__main__":
    measure(int(sys.argv[1]), quick="--quick" in sys.argv)
