"""The article's loop, 10⁷ steps down x² at rate 1e-9, beside `descend.gradient_descent` in the same process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import exp, log1p
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple
from unittest.mock import patch

import sympy

import descend
from benchmarks.measure import ratio, show
from descend.kernel.small import SmallLoop

START, RATE = 3, 1e-9
MOST_NS, LEAST_RATIO = 4, 20  # asked for by issue 2


class Spent(NamedTuple):
    """Nanoseconds a step: wall time, and the processor's own (which the load of other programs does not stretch)."""

    wall: float
    processor: float


class Watch:
    """Adds up the wall and processor time of what it is told to watch."""

    def __init__(self) -> None:
        self.wall = self.processor = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Count the time inside the with block."""
        wall, processor = perf_counter(), process_time()
        yield
        self.wall += perf_counter() - wall
        self.processor += process_time() - processor

    def a_step(self, steps: int) -> Spent:
        """Return ns a step."""
        return Spent(1e9 * self.wall / steps, 1e9 * self.processor / steps)


def articles_loop(
    f_prime: Callable[[float], float],
    initial_guess: float,
    learning_rate: float,
    precision: float | None = None,
    max_iterations: int = 100,
) -> float:
    """Walk as the article does and return the last point."""
    current_x = initial_guess
    for _ in range(max_iterations):
        gradient = f_prime(current_x)
        new_x = current_x - learning_rate * gradient
        if precision is not None and abs(new_x - current_x) < precision:
            return new_x
        current_x = new_x
    return current_x


def theirs(steps: int) -> tuple[Spent, float]:
    """Return (ns a step of the loop alone, last point) of the article's way."""
    x = sympy.Symbol("x")
    f_prime = sympy.lambdify(x, sympy.diff(x**2, x))
    watch = Watch()
    with watch.running():
        point = articles_loop(f_prime, START, RATE, max_iterations=steps)
    return watch.a_step(steps), point


def ours(steps: int) -> tuple[Spent, Spent, Any]:
    """Return (ns a step of the whole call, of the machine-code loop alone, the result)."""
    whole, alone = Watch(), Watch()
    run_slice = SmallLoop.run

    def watched(loop: SmallLoop, count: int) -> int:
        with alone.running():
            return run_slice(loop, count)

    with patch.object(SmallLoop, "run", watched), whole.running():
        result = descend.gradient_descent("x^2", START, RATE, max_iterations=steps)
    return whole.a_step(steps), alone.a_step(steps), result


def run(*, quick: bool) -> None:
    """Print ns a step of both and the ratio."""
    rounds, many, few = (2, 10**6, 10**5) if quick else (9, 10**7, 10**6)
    ours(10**6)  # loads what has to be loaded
    times: dict[str, list[Spent]] = {"article": [], "whole": [], "alone": []}
    for _ in range(rounds):
        spent, point = theirs(few)
        times["article"].append(spent)
        whole, alone, result = ours(many)
        times["whole"].append(whole)
        times["alone"].append(alone)
    article = [t.wall for t in times["article"]]

    def row(name: str, key: str) -> tuple[str, ...]:
        wall, processor = [t.wall for t in times[key]], [t.processor for t in times[key]]
        faster = f"{ratio(article, wall):.1f}"
        return name, f"{median(wall):.2f}", f"{min(wall):.2f}", f"{median(processor):.2f}", faster

    same = float(descend.gradient_descent("x^2", START, RATE, max_iterations=few)) == point
    closed = START * exp(many * log1p(-2 * RATE))
    apart = abs(float(result) / closed - 1)
    show(
        f"article: x² at rate {RATE:g}, {many:.0e} steps ({rounds} rounds; asked: ≤ {MOST_NS} ns, ≥ {LEAST_RATIO} ×)",
        ("ns a step", "median", "least", "processor time", "× faster"),
        [
            row(f"the article's loop ({few:.0e} steps, loop alone)", "article"),
            row("descend, whole call", "whole"),
            row("descend, loop alone", "alone"),
        ],
        (
            "absolute figures; median and least are wall time, which other programs on the machine stretch",
            f"last point {float(result)!r} after {result.steps:,} steps ({result.evaluator})",
            f"3·(1-2·rate)^steps = {closed!r}, {apart:.0e} of it apart: all steps were taken",
            f"after {few:.0e} steps both loops stand at the same double: {'yes' if same else 'NO'}",
        ),
    )
