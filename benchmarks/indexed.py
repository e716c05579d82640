"""Cost and gradient of sums over an index, a million variables, beside hand-written NumPy; on two threads beside one.

The formulas are those of the CUTEst collection and of Moré, Garbow and Hillstrom (`tests/data/cases` has more of them).
A process of its own is bound to one processor before any library is loaded.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from statistics import median
from threading import Thread
from time import perf_counter
from typing import Any, NamedTuple

from benchmarks.measure import in_turns, milliseconds, ratio, show

ONE_THREAD = dict.fromkeys(("DESCEND_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
NO_CACHE = {"DESCEND_CACHE": "off"}  # what is compiled is compiled
POLYNOMIAL, TRANSCENDENTAL = 5, 12  # ns an element, asked of us
COMPILING = 0.15  # s, asked of us, whatever n
RUNNING = 0.020  # s a look at n = 10⁵, asked of us


class Formula(NamedTuple):
    """A formula of x[0], ..., x[n-1] and the nanoseconds an element that are asked of us."""

    name: str
    text: str
    asked: int
    multiple: int = 1  # n must be one of it


FORMULAS = (
    Formula("Rosenbrock chain", "sum(100*(x[i+1] - x[i]^2)^2 + (1 - x[i])^2, i, 0, n-2)", POLYNOMIAL),
    Formula("ARWHEAD", "sum((x[i]^2 + x[n-1]^2)^2 - 4x[i] + 3, i, 0, n-2)", POLYNOMIAL),
    Formula("DQDRTIC", "sum(x[i]^2 + 100x[i+1]^2 + 100x[i+2]^2, i, 0, n-3)", POLYNOMIAL),
    Formula(
        "FREUROTH",
        "sum((-13 + x[i] + ((5 - x[i+1])*x[i+1] - 2)*x[i+1])^2"
        " + (-29 + x[i] + ((x[i+1] + 1)*x[i+1] - 14)*x[i+1])^2, i, 0, n-2)",
        POLYNOMIAL,
    ),
    Formula(
        "WOODS",
        "sum(100*(x[4i+1] - x[4i]^2)^2 + (1 - x[4i])^2 + 90*(x[4i+3] - x[4i+2]^2)^2 + (1 - x[4i+2])^2"
        " + 10*(x[4i+1] + x[4i+3] - 2)^2 + (x[4i+1] - x[4i+3])^2/10, i, 0, n/4 - 1)",
        POLYNOMIAL,
        4,
    ),
    Formula(
        "BROYDN3DLS",
        "((3 - 2x[0])*x[0] - 2x[1] + 1)^2 + sum(((3 - 2x[i])*x[i] - x[i-1] - 2x[i+1] + 1)^2, i, 1, n-2)"
        " + ((3 - 2x[n-1])*x[n-1] - x[n-2] + 1)^2",
        POLYNOMIAL,
    ),
    Formula(
        "DIXMAANE",
        "1 + sum(x[i]^2*((i+1)/n), i, 0, n-1) + sum(x[i]^2*x[i + n/3]^4, i, 0, 2n/3 - 1)/8"
        " + sum(x[i]*x[i + 2n/3]*((i+1)/n), i, 0, n/3 - 1)/8",
        POLYNOMIAL,
        3,
    ),
    Formula("COSINE", "sum(cos(x[i]^2 - x[i+1]/2), i, 0, n-2)", TRANSCENDENTAL),
    Formula("EG2", "sum(sin(x[0] + x[i]^2 - 1), i, 0, n-2) + sin(x[n-1]^2)/2", TRANSCENDENTAL),
    Formula(
        "TOINTGSS",
        "sum((10/(n-2) + x[i+2]^2)*(2 - exp(-(x[i] - x[i+1])^2/(1/10 + x[i+2]^2))), i, 0, n-3)",
        TRANSCENDENTAL,
    ),
    Formula(
        "BROYDN7D",
        "|1 - 2x[1] + (3 - x[0]/2)*x[0]|^(7/3) + sum(|1 - x[i-1] - 2x[i+1] + (3 - x[i]/2)*x[i]|^(7/3), i, 1, n-2)"
        " + |1 - x[n-2] + (3 - x[n-1]/2)*x[n-1]|^(7/3) + sum(|x[i] + x[i + n/2]|^(7/3), i, 0, n/2 - 1)",
        TRANSCENDENTAL,
        2,
    ),
    Formula(
        "Ackley",
        "-20exp(-sqrt(sum(x[i]^2, i, 0, n-1)/n)/5) - exp(sum(cos(2pi*x[i]), i, 0, n-1)/n) + 20 + e",
        TRANSCENDENTAL,
    ),
)
INTEGRAL = (
    "sum((x[i] + ((n-i)*sum((j+1)*(x[j] + (j+1)/(n+1) + 1)^3, j, 0, i)"
    " + (i+1)*sum((n-j)*(x[j] + (j+1)/(n+1) + 1)^3, j, i+1, n-1))/(2(n+1)^3))^2, i, 0, n-1)"
)
PAIRS = "sum(sum((x[i] - x[j])^2/(1 + (x[i] - x[j])^2), j, 0, n-1), i, 0, n-1)"
RUNNING_SUMS = (
    ("discrete integral equation", INTEGRAL),
    ("rotated hyper-ellipsoid", "sum(sum(x[j], j, 0, i)^2, i, 0, n-1)"),
)


def run(*, quick: bool) -> None:
    """Print four tables: looks, compiling, running sums, two threads."""
    sys.stdout.flush()
    command = [sys.executable, "-m", "benchmarks.indexed", *(["--quick"] if quick else [])]
    if subprocess.run(command, env=os.environ | ONE_THREAD | NO_CACHE, check=False).returncode:
        raise SystemExit("indexed: the process failed")


def measure(*, quick: bool) -> None:
    """Measure in this process, which is bound to one processor but for the last table."""
    processors = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if processors:
        os.sched_setaffinity(0, processors[:1])
    import numpy as np

    import descend

    point = np.random.default_rng(0).uniform(0.5, 1.5, 10**6)
    descend.compile("x^2 + sin(y)")([1, 2])  # an unrelated formula: what is loaded once is not what is measured
    _looks(point, 1200 if quick else 10**6, 2 if quick else 15)
    print()
    _compiling(1200 if quick else 10**6, 1 if quick else 7)
    print()
    _running(point, 1000 if quick else 10**5, 2 if quick else 15)
    print()
    if processors:
        os.sched_setaffinity(0, processors)
    _two_threads(point, 1200 if quick else 10**6, 2 if quick else 31)


def _two_threads(point: Any, largest: int, rounds: int) -> None:
    """Time one thread beside two; on a shared machine the second processor may be busy, so hashing is timed as well."""
    texts = [*((f.name, f.text, largest // f.multiple * f.multiple, largest) for f in FORMULAS)]
    pairs = min(3000, largest)
    texts.append((f"all pairs of {pairs:,}", PAIRS, pairs, pairs * pairs))
    rows = []
    for name, text, n, elements in texts:
        fun, x = _made(text, n), point[:n]

        def look(threads: str, fun: Any = fun, x: Any = x) -> Any:
            os.environ["DESCEND_THREADS"] = threads
            return fun.value_and_gradient(x)

        (value, gradient), (other, slopes) = look("1"), look("2")
        if value != other or (gradient != slopes).any():
            raise SystemExit(f"indexed: {name} has other bits on two threads")
        times = in_turns(
            {
                "one": lambda look=look: look("1"),
                "two": lambda look=look: look("2"),
                "hash": lambda: _hash(1, 2),
                "hash at once": lambda: _hash(2, 1),
            },
            rounds,
        )
        rows.append(
            (
                name,
                *(f"{1e9 * median(times[key]) / elements:.2f}" for key in ("one", "two")),
                f"{ratio(times['one'], times['two']):.2f}",
                f"{ratio(times['hash'], times['hash at once']):.2f}",
            )
        )
    os.environ["DESCEND_THREADS"] = "1"
    show(
        f"indexed: value and gradient on two threads, n = {largest:,} ({rounds} rounds)",
        ("ns an element", "one thread", "two", "× faster", "hashing"),
        rows,
        (
            "the bits are the same",
            "hashing: what two threads gain on two SHA-256 in the same rounds; 2 on an idle machine",
        ),
    )


def _hash(threads: int, times: int) -> None:
    """Hash 2 MB so many times on each thread."""

    def work() -> None:
        for _ in range(times):
            sha256(bytes(2_000_000))

    others = [Thread(target=work) for _ in range(threads - 1)]
    for thread in others:
        thread.start()
    work()
    for thread in others:
        thread.join()


def _made(text: str, n: int) -> Any:
    import descend

    fun = descend.compile(text, constants={"n": n})
    if fun.evaluator != "compiled":
        raise SystemExit(f"indexed: descend is {fun.evaluator}")
    return fun


def _looks(point: Any, largest: int, rounds: int) -> None:
    rows = []
    for formula in FORMULAS:
        n = largest // formula.multiple * formula.multiple
        fun, x = _made(formula.text, n), point[:n]
        contestants: dict[str, Callable[[], Any]] = {"descend": lambda fun=fun, x=x: fun.value_and_gradient(x)}
        if formula.name in BY_HAND:
            contestants["NumPy"] = lambda formula=formula, x=x: BY_HAND[formula.name](x)
            _check(contestants)
        times = in_turns(contestants, rounds)
        ours = times["descend"]
        theirs = times.get("NumPy")
        rows.append(
            (
                formula.name,
                f"{1e9 * median(ours) / n:.2f}",
                f"{1e9 * min(ours) / n:.2f}",
                formula.asked,
                "" if theirs is None else f"{1e9 * median(theirs) / n:.1f}",
                "" if theirs is None else f"{ratio(theirs, ours):.1f}",
            )
        )
    show(
        f"indexed: value and gradient, n = {largest:,}, one thread ({rounds} rounds)",
        ("ns an element", "median", "least", "asked ≤", "NumPy", "× faster"),
        rows,
        ("NumPy: array operations on shifted views of the whole vector, written by hand",),
    )


def _compiling(largest: int, rounds: int) -> None:
    """Time `compile` and the first look, at a small and at a large n, in turns."""
    import numpy as np

    rows = []
    for formula in FORMULAS:
        small = 10 if 10 % formula.multiple == 0 else 12
        large = largest // formula.multiple * formula.multiple
        lengths = {n: _length(_made(formula.text, n)) for n in (small, large)}
        spent: dict[int, list[float]] = {small: [], large: []}
        for _ in range(rounds):
            for n, times in spent.items():
                x = np.full(n, 0.75)
                began = perf_counter()
                fun = _made(formula.text, n)
                fun.value_and_gradient(x)
                first = perf_counter()
                fun.value_and_gradient(x)
                times.append(first - began - (perf_counter() - first))
        rows.append(
            (
                formula.name,
                *(milliseconds(median(spent[n])) for n in (small, large)),
                milliseconds(COMPILING),
                *(lengths[n] for n in (small, large)),
            )
        )
    show(
        f"indexed: from text to the first look, ms ({rounds} rounds)",
        ("", "n = 10", f"n = {largest:,}", "asked ≤", "operations, n = 10", f"operations, n = {largest:,}"),
        rows,
        ("reading, differentiating, machine code; without the time of one look", "n = 12 where 10 will not do"),
    )


def _length(fun: Any) -> int:
    """Return how many operations the tape has; among its constants two may happen to be equal, say n/4 and 3."""
    return sum(entry.op != "constant" for entry in fun._objective.problem.tape.entries)  # noqa: SLF001


def _running(point: Any, n: int, rounds: int) -> None:
    rows = []
    for name, text in RUNNING_SUMS:
        fun, x = _made(text, n), point[:n] - 1
        contestants: dict[str, Callable[[], Any]] = {
            "descend": lambda fun=fun, x=x: fun.value_and_gradient(x),
            "NumPy": lambda name=name, x=x: BY_HAND[name](x),
        }
        _check(contestants)
        times = in_turns(contestants, rounds)
        ours, theirs = times["descend"], times["NumPy"]
        against = f"{ratio(theirs, ours):.1f}"
        rows.append((name, *map(milliseconds, (median(ours), min(ours), RUNNING, median(theirs))), against))
    show(
        f"indexed: running sums, value and gradient, n = {n:,}, one thread ({rounds} rounds)",
        ("ms", "median", "least", "asked ≤", "NumPy", "× faster"),
        rows,
        ("NumPy: cumsum, the gradient worked out by hand",),
    )


def _check(contestants: dict[str, Callable[[], Any]]) -> None:
    """Raise when two contestants do not compute the same."""
    import numpy as np

    (value, gradient), (expected, slopes) = contestants["descend"](), contestants["NumPy"]()
    scale = np.abs(slopes).max()
    if not np.isclose(value, expected, rtol=1e-9) or not np.allclose(gradient, slopes, rtol=1e-9, atol=1e-9 * scale):
        raise SystemExit("indexed: descend and NumPy do not compute the same")


# ------------------------------------------------------------------------------------------------------------- by hand


def _chain(x: Any) -> tuple[Any, Any]:
    import numpy as np

    a, b = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    gradient = np.zeros_like(x)
    gradient[:-1] = -400 * a * x[:-1] - 2 * b
    gradient[1:] += 200 * a
    return 100 * (a @ a) + b @ b, gradient


def _arwhead(x: Any) -> tuple[Any, Any]:
    import numpy as np

    a = x[:-1] ** 2 + x[-1] ** 2
    gradient = np.empty_like(x)
    gradient[:-1] = 4 * a * x[:-1] - 4
    gradient[-1] = 4 * x[-1] * a.sum()
    return a @ a - 4 * x[:-1].sum() + 3 * len(a), gradient


def _cosine(x: Any) -> tuple[Any, Any]:
    import numpy as np

    a = x[:-1] ** 2 - x[1:] / 2
    s = np.sin(a)
    gradient = np.zeros_like(x)
    gradient[:-1] = -2 * s * x[:-1]
    gradient[1:] += s / 2
    return np.cos(a).sum(), gradient


def _integral(x: Any) -> tuple[Any, Any]:
    import numpy as np

    n = len(x)
    t = np.arange(1, n + 1)
    base = x + t / (n + 1) + 1
    cubes, slopes = base**3, 3 * base**2
    left, right = t * cubes, (n + 1 - t) * cubes
    later = right.sum() - right.cumsum()
    factor = 1 / (2 * (n + 1) ** 3)
    r = x + ((n + 1 - t) * left.cumsum() + t * later) * factor
    before, after = (r * t).cumsum() - r * t, (r * (n + 1 - t))[::-1].cumsum()[::-1]
    return r @ r, 2 * (r + factor * slopes * (t * after + (n + 1 - t) * before))


def _ellipsoid(x: Any) -> tuple[Any, Any]:
    s = x.cumsum()
    return s @ s, 2 * s[::-1].cumsum()[::-1]


BY_HAND: dict[str, Callable[[Any], tuple[Any, Any]]] = {
    "Rosenbrock chain": _chain,
    "ARWHEAD": _arwhead,
    "COSINE": _cosine,
    "discrete integral equation": _integral,
    "rotated hyper-ellipsoid": _ellipsoid,
}

if __name__ == "__main__":
    measure(quick="--quick" in sys.argv)
