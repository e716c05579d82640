"""A second look at minima of costs with kinks or jumps: what slope and curvature at a point cannot see.

Where |x|·|y| or sign(x)·x meets its corner, derivatives are taken as if the corner were smooth (sign(0) = 0).  So the
cost itself is asked around the point: along every variable, both ways, and in directions at random, each variable with
a weight of its own.  That finds a way down that is as wide as a few hundredths of all directions; it proves nothing.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import TYPE_CHECKING

from descend.descent.judgement import RELATIVE, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from descend.descent.face import Face
    from descend.evaluation import Evaluation
    from descend.vector import Vector

NEAR = 10.0 * RELATIVE  # of the scales: where the nearest look is taken, beyond what the minimum may be away
FURTHER = 100.0  # times as far is the next
FURTHEST = 0.01
DIRECTIONS = 128  # at random
MOST_AXES = 500
NOISES = 16.0  # bounds on the rounding error of the cost that a fall must exceed
SUDDEN = 0.5  # of the rise far away that a jump has made at once


def objection(
    face: Face, point: Vector, seen: Evaluation, scales: Sequence[float], precision: float | None
) -> Kind | None:
    """Return what is wrong with calling `point` a minimum: SLOPE (a point near is lower), UNKNOWN (a jump), or None."""
    rough = face.objective.rough
    if not rough:
        return None
    largest = max(scales, default=0.0) or 1.0
    units = [scale or largest for scale in scales]
    near = NEAR if precision is None else max(NEAR, 10.0 * precision / largest)
    noise = NOISES * seen.cost_error
    for direction in _directions(units):
        for away in (near, min(FURTHER * near, FURTHEST)):
            for sign in (1.0, -1.0):
                if face.look(point + (sign * away) * point.like(direction)).cost < seen.cost - noise:
                    return Kind.SLOPE
    if "jump" in rough and _jumps(face, point, seen.cost, units, noise):
        return Kind.UNKNOWN
    return None


def _axes(units: Sequence[float]) -> Iterator[list[float]]:
    for k, unit in enumerate(units[:MOST_AXES]):
        direction = [0.0] * len(units)
        direction[k] = unit
        yield direction


def _directions(units: Sequence[float]) -> Iterator[list[float]]:
    yield from _axes(units)
    if len(units) > 1:
        random = Random(1)  # noqa: S311 - the same directions each time, so that a run repeats
        for _ in range(DIRECTIONS):
            yield [random.uniform(-1.0, 1.0) * 10.0 ** random.uniform(-1.5, 0.0) * unit for unit in units]


def _jumps(face: Face, point: Vector, cost: float, units: Sequence[float], noise: float) -> bool:
    """Whether the cost rises at once, as it does across a jump: then the limit beside it may be lower and not taken."""
    for direction in _axes(units):
        for sign in (1.0, -1.0):
            step = sign * point.like(direction)
            at_once, far = (face.look(point + away * step).cost - cost for away in (NEAR, FURTHEST))
            if noise < at_once < inf and at_once > SUDDEN * far:
                return True
    return False
