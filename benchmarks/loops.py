"""Nanoseconds an iteration of whole loops, and how long it takes until there is a loop."""

from __future__ import annotations

import os
from collections.abc import Callable
from ctypes import memmove
from functools import partial
from math import isclose
from statistics import median
from time import perf_counter

from benchmarks.cases.loops import CASES, EXACT, FAST, FUSED, Loop, LoopCase, gcc_loop, jax_loop, numba_loop
from benchmarks.measure import in_turns, milliseconds, ratio, show
from descend.descent.compiled import trace_rule
from descend.descent.method.gradient_descent import GradientDescent
from descend.expression.parse import parse
from descend.kernel.small import SmallLoop
from descend.kernel.small_layout import BEST_COST, MAX_STEPS, STEPS_DONE, LoopRules
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector

NOTES = (
    "making it: from the formula (C, Numba, JAX: from the written loop) to the first step; descend without its cache",
    "-ffast-math, fastmath and XLA may round otherwise than written, and fuse; gcc fuses without it unless told",
    "descend goes on from a fused guess, but keeps only what rounds as written: the path is its Python loop's",
)


def our_loop(case: LoopCase) -> Loop:
    """Return descend's loop, from the text of the formula to machine code."""
    objective = FormulaObjective(make_problem(parse(case.text)), 1, compiled=True)
    assert objective.machine is not None
    program = trace_rule(GradientDescent(case.rate), objective.machine, objective.names)
    rules, start = LoopRules(step_size=True), Vector(case.start)
    loop = SmallLoop(program, start, rules, max_steps=0, patience=0, step_limit=0.0)
    buffers = [(buffer, bytes(buffer)) for buffer in (loop._d, loop._n)]  # noqa: SLF001

    def run(steps: int) -> list[float]:
        for buffer, begin in buffers:  # back to the start
            memmove(buffer, begin, len(begin))
        buffers[1][0][MAX_STEPS] = steps
        assert loop.run(steps + 1) == STEPS_DONE
        return [loop.number(BEST_COST), *loop.x]

    return run


CONTESTANTS: dict[str, Callable[[LoopCase], Loop]] = {
    "descend": our_loop,
    "gcc -O3 -march=native -ffast-math": partial(gcc_loop, flags=FAST),
    "gcc -O3 -march=native": partial(gcc_loop, flags=FUSED),
    "gcc -O3 -march=native -ffp-contract=off": partial(gcc_loop, flags=EXACT),
    "Numba": numba_loop,
    "JAX": jax_loop,
}


def made(case: LoopCase) -> tuple[dict[str, Loop], dict[str, float], list[str]]:
    """Return the loops, the seconds until each had taken its first step (less a warm one), and who is missing."""
    loops, seconds, missing = {}, {}, []
    for name, make in CONTESTANTS.items():
        try:
            began = perf_counter()
            loop = make(case)
            loop(1)
            first = perf_counter() - began
        except ImportError as error:
            missing.append(f"{name} is left out: {error}")
            continue
        began = perf_counter()
        loop(1)
        loops[name], seconds[name] = loop, first - (perf_counter() - began)
    return loops, seconds, missing


def agree(loops: dict[str, Loop], steps: int) -> None:
    """Compare lowest cost and last point after `steps`."""
    right = loops["descend"](steps)
    for name, loop in loops.items():
        for ours, theirs in zip(right, loop(steps), strict=True):
            assert isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-12), (name, ours, theirs)


def run(*, quick: bool = False) -> dict[str, dict[str, list[float]]]:
    """Measure and print; return the times of the loops, a round each, by title and contestant."""
    before = os.environ.get("DESCEND_CACHE")
    os.environ["DESCEND_CACHE"] = "off"
    try:
        made(CASES[0])  # libraries are loaded, and have compiled something
        found = {}
        for case in CASES:
            found[case.title] = _measure(case, quick=quick)
            print()
        return found
    finally:
        if before is None:
            del os.environ["DESCEND_CACHE"]
        else:
            os.environ["DESCEND_CACHE"] = before


def _measure(case: LoopCase, *, quick: bool) -> dict[str, list[float]]:
    loops, compiling, missing = made(case)
    steps = 500_000 if len(case.start) <= 2 else 20_000  # a millisecond: few are interrupted by other programs
    agree(loops, steps)
    calls = {name: partial(loop, steps) for name, loop in loops.items()}
    times = in_turns(calls, 3 if quick else 75)
    rows = [
        (
            name,
            f"{1e9 * median(times[name]) / steps:.2f}",
            f"{1e9 * min(times[name]) / steps:.2f}",
            f"{ratio(times[name], times['descend']):.2f}",
            milliseconds(compiling[name]),
        )
        for name in loops
    ]
    show(
        f"{case.title}: the loop, ns an iteration ({steps:,} steps)",
        ("", "median", "least", "time ÷ descend's", "making it, ms"),
        rows,
        (*NOTES, *missing),
    )
    return times
