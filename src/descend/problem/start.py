"""First guesses where the user gives none, and many starts spread over the region where the minima may be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf, isfinite
from random import Random

from descend.box import Box
from descend.errors import StartError, printable
from descend.evaluation import Objective
from descend.problem.problem import Problem
from descend.vector import Vector

CANDIDATES = (1.0, 0.5, 2.0, 0.1, -1.0, 10.0, 0.0, -10.0, 0.01, 100.0)  # where there is no end
SHARES = (0.5, 0.25, 0.75, 0.375, 0.9, 0.1)  # of the way from end to end
LONGEST = 2_000  # operations of a formula whose domain is asked for
REACH = 3.0  # scales of a variable that starts are spread to each side of the first
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)  # Halton's sequence is even in so many variables

Interval = tuple[float, float]


def natural_start(objective: Objective, problem: Problem | None = None) -> Vector:
    """Return the first of a few simple points where cost and slope are finite and the slope is not zero.

    The points lie in the box of the objective and, where none of them has a finite cost, in the domain of the formula
    of the `problem`: 5 + 5 for log(x - 5).  A point without slope is taken where there is no better one.

    Raises `StartError`.
    """
    box = objective.box
    size = len(objective.names)
    intervals = [(-inf, inf)] * size if box is None else list(zip(box.lower, box.upper, strict=True))
    flat: Vector | None = None
    for point in _points(objective, problem, intervals):
        evaluation = objective.look(point)
        if evaluation.finite and any(evaluation.gradient):
            return point
        if evaluation.finite and flat is None:
            flat = point
    if flat is not None:
        return flat
    raise StartError("no simple starting point has a finite cost; give one with start=")


def _points(objective: Objective, problem: Problem | None, intervals: Sequence[Interval]) -> Iterator[Vector]:
    kind = Vector([]) if objective.box is None else objective.box.lower
    rounds = max(len(CANDIDATES), len(SHARES))
    for k in range(rounds):
        yield kind.like([_candidate(interval, k) for interval in intervals])
    narrower = None if problem is None or problem.columns or problem.indexed else _domain(problem, intervals)
    if narrower is not None:
        for k in range(rounds):
            yield kind.like([_candidate(interval, k) for interval in narrower])
    for k in range(rounds):  # variables that are equal may cancel each other's slopes
        yield kind.like([_candidate(interval, k + j) for j, interval in enumerate(narrower or intervals)])


def _candidate(interval: Interval, k: int) -> float:
    """Return the k-th number to try between the ends."""
    low, high = interval
    step = CANDIDATES[k % len(CANDIDATES)]
    if low == -inf and high == inf:
        return step
    if low > -inf and high < inf:
        share = SHARES[k % len(SHARES)]
        return min(max((1 - share) * low + share * high, low), high)
    end, inward = (low, 1.0) if low > -inf else (high, -1.0)
    simple = inward * abs(step)
    if end == 0.0 or (simple - end) * inward > 0:  # a simple number that lies inside
        return simple or inward
    return end + inward * (abs(step) or 1.0) * abs(end)


def _domain(problem: Problem, intervals: Sequence[Interval]) -> list[Interval] | None:
    """Return the intervals narrowed to where the formula may have a value; None where they are as they were."""
    from descend.expression.analyse.domain import domain

    if len(problem.tape.reachable((problem.root,))) > LONGEST:
        return None
    boxes = domain(problem.tape, problem.root).boxes
    narrowed = []
    for symbol, (low, high) in zip(problem.symbols, intervals, strict=True):
        found = boxes.get(symbol)
        ends = (low, high) if found is None else (max(low, found.low), min(high, found.high))
        narrowed.append(ends if ends[0] <= ends[1] else (low, high))
    return None if narrowed == list(intervals) else narrowed


def start_words(names: Sequence[str], point: Vector) -> str:
    """Return a start that was chosen in words: "with every variable at 1", or "at x = 1, y = 2"."""
    if len(set(point)) == 1:
        return f"with every variable at {point[0]:g}"
    shown = ", ".join(f"{printable(names[k])} = {point[k]:g}" for k in range(min(3, len(point))))
    return f"at {shown}" + (", ..." if len(point) > 3 else "")


def spread_starts(first: Vector, box: Box | None, seed: int) -> Iterator[Vector]:
    """Return points without end: `first`, then quasi-random ones in the region of `spread_region`.

    Halton's sequence (Numer. Math. 2, 1960), shifted by random numbers of the seed (Cranley & Patterson, SIAM J. Numer.
    Anal. 13, 1976); random points where there are so many variables that its later entries run in step.
    """
    yield first
    region = spread_region(first, box)
    random = Random(seed)  # noqa: S311 - no secrets here
    shifts = [random.random() for _ in region]
    number = 0
    while True:
        number += 1
        if len(region) <= len(PRIMES):
            shares = [(s + _reversed_digits(number, p)) % 1.0 for s, p in zip(shifts, PRIMES, strict=False)]
        else:
            shares = [random.random() for _ in region]
        yield first.like([low + share * (high - low) for share, (low, high) in zip(shares, region, strict=True)])


def spread_region(first: Vector, box: Box | None) -> list[Interval]:
    """Return from where to where starts are spread: from bound to bound where both are finite.

    Elsewhere up to `REACH` times its scale to both sides of the first start, as far as there is a bound; the scale of a
    variable is its size there, or where it starts at 0 that of the largest, or 1.
    """
    largest = max(map(abs, first), default=0.0) or 1.0
    ends = [(-inf, inf)] * len(first) if box is None else list(zip(box.lower, box.upper, strict=True))
    region = []
    for x, (low, high) in zip(first, ends, strict=True):
        if isfinite(low) and isfinite(high):
            region.append((low, high))
        else:
            far = REACH * (abs(x) or largest)
            region.append((max(low, x - far), min(high, x + far)))
    return region


def region_words(box: Box | None) -> str:
    """Return in words where `spread_starts` puts starts."""
    if box is not None and all(map(isfinite, (*box.lower, *box.upper))):
        return "spread over the bounds"
    words = f"spread around the first, up to {REACH:g} times its size to each side"
    return words if box is None else f"{words} and within the bounds"


def _reversed_digits(number: int, base: int) -> float:
    """Return the digits of a number behind the point, the last first: van der Corput's sequence."""
    value, unit = 0.0, 1.0
    while number:
        number, digit = divmod(number, base)
        unit /= base
        value += unit * digit
    return value
