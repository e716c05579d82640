"""From text to the first value and gradient: compile times, and the second process that finds the object code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from statistics import median
from typing import Any

from benchmarks.cases.loops import CASES
from benchmarks.measure import in_turns, milliseconds, ratio, show

CHAIN = 50
WRITTEN, INDEXED = "50-chain, written out", "50-chain, indexed"
FORMULAS = {
    "x²": CASES[0].text,
    "10-variable mix": CASES[2].text,
    WRITTEN: " + ".join(f"100*(x{i + 1} - x{i}^2)^2 + (1 - x{i})^2" for i in range(CHAIN - 1)),
    INDEXED: f"sum(100*(x[i+1] - x[i]^2)^2 + (1 - x[i])^2, i, 0, {CHAIN - 2})",
}
STARTS = {
    "x²": list(CASES[0].start),
    "10-variable mix": list(CASES[2].start),
    WRITTEN: [0.5] * CHAIN,
    INDEXED: [0.5] * CHAIN,
}
ASKED = {"x²": 15.0, "10-variable mix": 60.0, WRITTEN: 120.0}  # ms
CACHED = 5.0  # ms


def run_compile(*, quick: bool) -> dict[str, dict[str, list[float]]]:
    """Print how long descend, JAX and Numba take from a cost to its first value and gradient; return the times."""
    before = os.environ.get("DESCEND_CACHE")
    os.environ["DESCEND_CACHE"] = "off"
    try:
        return _compile(quick=quick)
    finally:
        if before is None:
            del os.environ["DESCEND_CACHE"]
        else:
            os.environ["DESCEND_CACHE"] = before


def _compile(*, quick: bool) -> dict[str, dict[str, list[float]]]:
    contestants: dict[str, Callable[[str], Any]] = {"descend": from_text, "JAX": jax_first, "Numba": numba_first}
    notes = [
        "from text (descend) or a Python function (JAX, Numba) to the first value and gradient",
        "libraries are loaded, and have compiled x² before",
        "Numba: value and slopes written by hand; the chain with array: JAX by slices, Numba by a loop",
    ]
    for name in tuple(contestants):
        try:
            contestants[name]("x²")
        except ImportError as error:
            del contestants[name]
            notes.append(f"{name} was skipped: {error}")
    found, rows = {}, []
    for title in FORMULAS:
        calls = {name: (lambda make=make, title=title: make(title)) for name, make in contestants.items()}
        agree(title, calls)
        times = found[title] = in_turns(calls, 2 if quick else 5, warm=False)
        rows += [
            (
                f"{title}: {name}",
                milliseconds(median(own)),
                milliseconds(min(own)),
                f"{ratio(own, times['descend']):.1f}",
            )
            for name, own in times.items()
        ]
    show("compiling", ("ms", "median", "least", "time ÷ descend's"), rows, notes)
    print()
    return found


def agree(title: str, calls: dict[str, Callable[[], Any]]) -> None:
    """Raise when two contestants do not compute the same."""
    import numpy as np

    expected = calls["descend"]()
    for name, call in calls.items():
        for a, b in zip(call(), expected, strict=True):
            if not np.allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-9):
                raise SystemExit(f"kernel: {title}: {name} computes {a}, descend {b}")


def from_text(title: str) -> Any:
    """Read, differentiate, compile and call."""
    import descend

    fun = descend.compile(FORMULAS[title])
    assert fun.evaluator == "compiled"
    return fun.value_and_gradient(STARTS[title])


def jax_first(title: str) -> Any:
    """Trace, compile and call: JAX would find an earlier compilation, so it forgets all."""
    import jax

    jax.config.update("jax_enable_x64", val=True)
    jax.clear_caches()
    start = jax.numpy.array(STARTS[title])
    fun = jax.jit(jax.value_and_grad(_jax_cost(title)))
    return jax.block_until_ready(fun(start))


def _jax_cost(title: str) -> Callable[[Any], Any]:
    import jax.numpy as jnp

    if title == INDEXED:
        return lambda x: jnp.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)
    if title == WRITTEN:
        return lambda x: sum(100 * (b - a**2) ** 2 + (1 - a) ** 2 for a, b in pairwise(x))
    of = CASES[0 if title == "x²" else 2].of
    return lambda x: of(jnp, *x)


def numba_first(title: str) -> Any:
    """Compile and call value and slopes written by hand."""
    import numba
    import numpy as np

    scope: dict[str, Any] = {"np": np}
    for name in ("exp", "sin", "cos"):
        scope[name] = getattr(np, name)
    exec(_numba_text(title), scope)  # noqa: S102 - our own text, the statements that the loops share
    return numba.njit(fastmath=True)(scope["fun"])(np.array(STARTS[title]))


def _numba_text(title: str) -> str:
    if title == INDEXED:
        return """
def fun(x):
    g = np.zeros(len(x))
    cost = 0.0
    for i in range(len(x) - 1):
        b, a = x[i + 1] - x[i] * x[i], 1 - x[i]
        cost += 100 * b * b + a * a
        g[i] -= 400 * b * x[i] + 2 * a
        g[i + 1] += 200 * b
    return cost, g
"""
    if title == WRITTEN:
        terms = range(CHAIN - 1)
        size = CHAIN
        statements = [f"a{i}, b{i} = 1 - x{i}, x{i + 1} - x{i} * x{i}" for i in terms]
        cost = " + ".join(f"100 * b{i} * b{i} + a{i} * a{i}" for i in terms)
        left = [f"-400 * b{i} * x{i} - 2 * a{i}" for i in terms]
        right = [f"200 * b{i}" for i in terms]
        slopes = [left[0], *(f"{a} + {b}" for a, b in zip(left[1:], right[:-1], strict=True)), right[-1]]
    else:
        case = CASES[0 if title == "x²" else 2]
        size, statements, cost, slopes = len(case.start), list(case.statements), case.cost, list(case.slopes)
    return "\n".join(
        [
            "def fun(x):",
            *(f"    x{k} = x[{k}]" for k in range(size)),
            *(f"    {statement}" for statement in statements),
            f"    return {cost}, np.array([{', '.join(slopes)}])",
        ]
    )


# ------------------------------------------------------------------------------------------------------ second process


def run_cache(*, quick: bool) -> dict[str, list[dict[str, float]]]:
    """Print what a second process takes from text to the first value; return the ms of each process by formula."""
    rows: list[tuple[str, ...]] = []
    found: dict[str, list[dict[str, float]]] = {}
    for title in FORMULAS:
        with tempfile.TemporaryDirectory() as folder:
            first = _process(folder, title, [])
            loaded = first["modules"]
            cold = _process(os.devnull, title, loaded)  # imports done, nothing cached
            seconds = [_process(folder, title, loaded) for _ in range(2 if quick else 9)]
        found[title] = seconds
        parts = [median(p[k] for p in seconds) for k in ("imports", "compile", "value", "first", "again")]
        rows.append((title, *(f"{p:.2f}" for p in parts), f"{cold['first']:.1f}"))
    show(
        "a second process, the formula's object code in the cache",
        (
            "ms, medians",
            "imports",
            "compile()",
            "value and gradient",
            "text to first value",
            "again",
            "without the cache",
        ),
        rows,
        (
            "a process of its own each time; DESCEND_CACHE is a folder that one process has filled",
            "compile(): reading, differentiating and lowering, which the cache does not save",
            "imports: all modules that were in sys.modules at the end of that process",
            "again: the same in the same process (without the first use of LLVM and of the files)",
        ),
    )
    print()
    return found


def _process(folder: str, title: str, modules: list[str]) -> dict[str, Any]:
    cache = "off" if folder == os.devnull else folder
    given = json.dumps({"text": FORMULAS[title], "start": STARTS[title], "modules": modules})
    env = os.environ | {"DESCEND_CACHE": cache}
    command = [sys.executable, "-m", "benchmarks.kernel_child"]
    done = subprocess.run(command, input=given, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"kernel: the process of the cache failed: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer
