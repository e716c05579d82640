"""Value and gradient of sums over rows, contestants side by side in one process: a process a number of threads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import in_turns, ratio, show

ROWS = 5_000_000
WORKS = ("linear10", "logistic", "decay", "linear100", "softmax", "poisson", "huber")
TOLERANCE = 1e-9  # relative: contestants must agree before they are timed
BY_HAND = "PyTorch, slopes by hand"
PEERS = ("NumPy", "numexpr", "JAX", "PyTorch", BY_HAND)  # those of which the best is asked to be so much slower
READ = "plain read (our sum kernel)"
# work → (at least so many % of a plain read, at least so many times the best peer, at least so many times others)
ASKED: dict[str, tuple[float | None, float, dict[str, float]]] = {
    "linear10": (70, 2, {"Numba": 1}),
    "logistic": (45, 5, {"gcc": 1}),
    "decay": (None, 5, {"gcc": 0.9}),
    "linear100": (50, 1.5, {}),
    "softmax": (None, 3, {}),
    "poisson": (None, 3, {}),
    "huber": (None, 3, {}),
}
CALLS = (
    "each computes value and gradient in float64, warm, into buffers that are there; every column is contiguous",
    "linear predictors have no intercept, 10 columns are 10 parameters; softmax: 15 parameters, classes one-hot",
    "descend: descend.compile(model, table, loss=...).value_and_gradient(point)",
    "plain read: the same call of a model that adds all columns up",
    "NumPy: np.dot and array operations with out= on blocks that fit the cache, a Python thread a share of the blocks",
    "numexpr: evaluate(..., out=) on whole columns; sums and products with the table by np.dot in Python threads",
    "JAX: jit(value_and_grad(f)), x64, on the CPU; columns one by one, 100 columns as a product with the table",
    "PyTorch: torch.compile(f) and backward(); by hand: torch.compile of value and slopes, which it fuses to one loop",
    "Numba: @njit(parallel=True, fastmath=True), prange over shares of the rows, in each a fused loop; see gcc",
    "gcc: -O3 -march=native -ffast-math -fopenmp -lmvec; a scalar for each sum, 100 columns: blocks of 1,024 rows",
)


def run(works: Sequence[str], *, quick: bool) -> dict[int, dict[str, dict[str, list[float]]]]:
    """Print a table a number of threads; return times in turns by threads, work and contestant."""
    found = {}
    for threads in (1, 2):
        if threads > processors():
            print(f"works, {threads} threads: skipped, this process may use {processors()} processor")
            continue
        with tempfile.TemporaryDirectory() as folder:
            answer = Path(folder, "times.json")
            command = [sys.executable, "-m", "benchmarks.kernel_works", str(threads), str(answer), *works]
            sys.stdout.flush()
            given = environment(threads)
            if subprocess.run([*command, *(["--quick"] if quick else [])], env=given, check=False).returncode:
                raise SystemExit(f"kernel: the process with {threads} threads failed")
            found[threads] = json.loads(answer.read_text(encoding="utf-8"))
        print()
    return found


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process in which every library has a pool of `threads`.

    OpenBLAS has one thread: NumPy's work is shared out among Python threads, and both together would quarrel.  Threads
    of OpenMP sleep between passes: waiting busily they would take the processors from the next contestant.
    """
    pools = ("DESCEND_THREADS", "NUMEXPR_NUM_THREADS", "NUMEXPR_MAX_THREADS", "NUMBA_NUM_THREADS")
    pools += ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
    others = {"OPENBLAS_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "JAX_ENABLE_X64": "1", "JAX_PLATFORMS": "cpu"}
    others |= {"DESCEND_CACHE": "off"}  # what is measured is compiled here, and leaves nothing behind
    return os.environ | dict.fromkeys(pools, str(threads)) | others


def measure(threads: int, works: Sequence[str], *, quick: bool) -> dict[str, dict[str, list[float]]]:
    """Measure the works in this process, which is bound to `threads` processors."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    count, rounds = (100_000, 3) if quick else (ROWS, 9)
    times: dict[str, dict[str, list[float]]] = {}
    rows: list[tuple[str, ...]] = []
    skipped: dict[str, str] = {}
    for name in works:
        print(f"{name}, {threads} thread{'s' if threads > 1 else ''} …", file=sys.stderr, flush=True)
        case = made(name, count)
        contestants = ready(case, threads, skipped)
        check(case, contestants)
        read = case.plain_read()
        contestants[READ] = lambda read=read: read.value_and_gradient([0.0])
        contestants["plain read by NumPy (max)"] = numpy_read(list(case.columns.values()), threads)
        spent = times[case.key] = in_turns(contestants, rounds)
        rows += lines(case.title, spent)
    s = "s" if threads > 1 else ""
    show(
        f"value and gradient, {count:,} rows (linear100: {count // 10:,}), {threads} thread{s}, {rounds} rounds",
        ("ms a pass", "median", "least", "time ÷ descend's", "% of plain read"),
        rows,
        list(skipped.values()),
    )
    return times


def made(name: str, rows: int) -> Any:
    """Return the case called `name`."""
    from benchmarks.cases import decay, predictor, softmax

    makers: dict[str, Callable[[int], Any]] = {
        "linear10": predictor.linear,
        "logistic": predictor.logistic,
        "decay": decay.Decay,
        "linear100": predictor.linear_wide,
        "softmax": softmax.Softmax,
        "poisson": predictor.poisson,
        "huber": predictor.huber,
    }
    return makers[name](rows)


def ready(case: Any, threads: int, skipped: dict[str, str]) -> dict[str, Callable[[], Any]]:
    """Return the contestants, compiled; what is not installed is noted in `skipped`."""
    fun = case.descend()
    if fun.evaluator != "compiled":
        raise SystemExit(f"kernel: descend is {fun.evaluator}: what is interpreted is not what is measured here")
    contestants = {"descend": lambda: fun.value_and_gradient(case.at.ravel())}
    makers = {
        "NumPy": lambda: case.numpy(threads),
        "numexpr": lambda: case.numexpr(threads),
        "JAX": case.jax,
        "PyTorch": lambda: case.torch(by_hand=False),
        BY_HAND: lambda: case.torch(by_hand=True),
        "Numba": lambda: case.numba(threads),
        "gcc": lambda: case.gcc(threads),
    }
    for name, make in makers.items():
        try:
            contestants[name] = make()
            contestants[name]()
        except ImportError as error:
            skipped[name] = f"{name} was skipped: {error}"
    return contestants


def check(case: Any, contestants: dict[str, Callable[[], Any]]) -> None:
    """Raise when two contestants do not compute the same."""
    import numpy as np

    cost, slopes = contestants["NumPy"]()
    for name, work in contestants.items():
        own_cost, own = work()
        own = np.asarray(own).ravel()
        apart = np.abs(own - slopes.ravel()).max() / np.abs(slopes).max()
        if not (abs(own_cost - cost) <= TOLERANCE * abs(cost) and apart <= TOLERANCE):
            raise SystemExit(f"kernel: {case.title}: {name} computes {own_cost}, {own}, NumPy {cost}, {slopes}")


def with_one_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """Return the work with DESCEND_THREADS=1 meanwhile."""

    def held() -> Any:
        before = os.environ["DESCEND_THREADS"]
        os.environ["DESCEND_THREADS"] = "1"
        try:
            return work()
        finally:
            os.environ["DESCEND_THREADS"] = before

    return held


def numpy_read(columns: list[Any], threads: int) -> Callable[[], Any]:
    """Return a reading of all numbers of the columns by NumPy."""
    from benchmarks.cases.common import in_threads

    return in_threads(lambda first, last: [column[first:last].max() for column in columns], len(columns[0]), threads)


def lines(title: str, spent: dict[str, list[float]]) -> list[tuple[str, ...]]:
    """Return the rows of the table of a work."""
    return [
        (
            f"{title}: {name}",
            f"{1e3 * median(own):.1f}",
            f"{1e3 * min(own):.1f}",
            f"{ratio(own, spent['descend']):.2f}",
            f"{100 * ratio(spent[READ], own):.0f}",
        )
        for name, own in spent.items()
    ]


if __name__ == "__main__":
    quick = "--quick" in sys.argv
    threads, answer, *works = [a for a in sys.argv[1:] if a != "--quick"]
    Path(answer).write_text(json.dumps(measure(int(threads), works, quick=quick)), encoding="utf-8")
