"""What the cost does around a stationary point, where slope and curvature at the point alone cannot tell.

A direction is followed along the valley's floor: after each step the other directions, in which the cost bends
upward, are corrected by Newton's method.  So (x - y²)(x - 3y²), which rises from 0 along every straight line but not
along x = 2y², is found out (Peano's surface).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, product
from math import inf, isfinite
from typing import NamedTuple

from descend.descent.spectrum import Direction, Spectrum
from descend.evaluation import Evaluation, Objective, Order, Vector

# How far is looked, in the variables' scale; the nearest are for variables at 0, which have no scale of their own.
DISTANCES = (1e-24, 1e-20, 1e-16, 1e-12, 1e-10, *(10.0**k for k in range(-8, 1)))
FURTHEST = 0.05  # what counts as nearby; a plateau that ends beyond is one all the same
NOISES = 8.0  # bounds on the rounding error that a difference must exceed
CLOSE_BY = 4e-8
FLOOR_STEPS = 2  # Newton corrections after each step
FURTHEST_FLOOR = 1.0  # of the variables' scale: beyond, a correction leads somewhere else
REFINED = 12  # steps of the search for the lowest direction, where there are several without curvature


class Side(NamedTuple):
    """What the cost does first along a direction: +1 it rises, -1 it falls, 0 it stays level; and how far away."""

    sign: int
    away: float


class Surroundings:
    """The neighbourhood of `point`, where `seen` was seen and the curvature is `curvature`."""

    def __init__(self, objective: Objective, point: Vector, seen: Evaluation, curvature: Spectrum) -> None:
        self.objective, self.point, self.seen, self.curvature = objective, point, seen, curvature

    def side(self, direction: Direction, along: Sequence[int], first: float, last: float = FURTHEST) -> Side:
        """Walk along `direction` (made of the eigenvectors `along`), further with each look."""
        others = self.curvature.upward(along)
        for away in sorted({first, *(d for d in DISTANCES if first < d <= last)}):
            step = Vector([away * d for d in direction])
            if self.point + step != self.point:
                sign = self._look(step, others)
                if sign:
                    return Side(sign, away)
        return Side(0, inf)

    def _look(self, step: Vector, others: Sequence[int]) -> int:
        """+1, -1 or 0 as the cost is higher or lower there, or, where rounding hides it, is about to be."""
        there = self._floor(self.point + step, others)
        seen = self.objective.look(there, Order.HESSIAN)
        if seen.cost == -inf or not all(map(isfinite, there)):
            return -1  # down for ever, or over the edge of the doubles: no reason to call this a minimum
        difference = seen.cost - self.seen.cost
        if abs(difference) > NOISES * (seen.cost_error + self.seen.cost_error):  # false for NaN
            return 1 if difference > 0 else -1
        if not seen.finite or seen.gradient_error is None:
            return 0
        away = there - self.point
        slope = away.dot(seen.gradient)
        noise = sum(abs(a) * e for a, e in zip(away, seen.gradient_error, strict=True))
        return 0 if not abs(slope) > NOISES * noise else 1 if slope > 0 else -1

    def _floor(self, there: Vector, others: Sequence[int]) -> Vector:
        if not others:
            return there
        best, lowest = there, inf
        for _ in range(FLOOR_STEPS):
            seen = self.objective.look(best)
            if not (seen.finite and seen.cost <= lowest):
                return there
            lowest = seen.cost
            best -= self.curvature.newton(seen.gradient, others)
            if not self.curvature.size_of(best - there) <= FURTHEST_FLOOR:
                return there
        return best

    def null_sides(self) -> list[tuple[Side, Side]]:
        """What the cost does both ways along directions without curvature, and along their combinations."""
        null = self.curvature.null_indices
        pairs = []
        for weights in _combinations(len(null)):
            direction = self.curvature.combined(null, weights)
            there, back = (self.side(d, null, DISTANCES[0], DISTANCES[-1]) for d in (direction, _opposite(direction)))
            pairs.append((there, back))
            if there.sign < 0 or back.sign < 0:
                return pairs
        if len(null) > 1 and self._falls_somewhere(null, [max(there.away, back.away) for there, back in pairs]):
            pairs.append((Side(-1, FURTHEST), Side(0, inf)))
        return pairs

    def _falls_somewhere(self, null: Sequence[int], reaches: Sequence[float]) -> bool:
        """Search for the lowest cost at one distance from the point, among all directions without curvature."""
        away = min([r for r in reaches if r <= FURTHEST], default=0.0)
        if not away:
            return False
        others = self.curvature.upward(null)
        weights: Sequence[float] = min(_combinations(len(null)), key=lambda w: self._cost(null, w, away, others))
        pace = 0.5
        lowest = self._cost(null, weights, away, others)
        for _ in range(REFINED):
            place = self._place(null, weights, away, others)
            slope = self.curvature.components(self.objective.look(place).gradient, null)
            size = Vector(slope).norm()
            if not 0 < size < inf:
                return False
            turned = _unit([w - pace * s / size for w, s in zip(_unit(weights), slope, strict=True)])
            cost = self._cost(null, turned, away, others)
            if cost < lowest:
                weights, lowest = turned, cost
            else:
                pace *= 0.4
        step = Vector([away * d for d in self.curvature.combined(null, weights)])
        return self._look(step, others) < 0

    def _place(self, null: Sequence[int], weights: Sequence[float], away: float, others: Sequence[int]) -> Vector:
        step = Vector([away * d for d in self.curvature.combined(null, weights)])
        return self._floor(self.point + step, others)

    def _cost(self, null: Sequence[int], weights: Sequence[float], away: float, others: Sequence[int]) -> float:
        cost = self.objective.look(self._place(null, weights, away, others)).cost
        return cost if cost == cost else inf  # noqa: PLR0124 - NaN is not low

    def falls_beside(self, first: float, most: int) -> bool:
        """Whether the cost falls on some side along the directions that bend upward least.

        Near the inflection of x³ the curvature is positive, though tiny, and so is the Newton step: only a look at
        both sides, a few such steps away, tells it from a minimum.
        """
        for index in self.curvature.weakest(most):
            direction = self.curvature.combined((index,), (1.0,))
            for d in (direction, _opposite(direction)):
                if self.side(d, (index,), first).sign < 0:
                    return True
        return False

    def jumps_down(self, most: int) -> bool:
        """Whether the cost is lower on some side close by, though slope and curvature say bowl: it is not continuous."""
        allowed = NOISES * self.seen.cost_error
        for index in self.curvature.weakest(most):
            step = CLOSE_BY * Vector(self.curvature.combined((index,), (1.0,)))
            for there in (self.point + step, self.point - step):
                if self.objective.look(there).cost < self.seen.cost - allowed:
                    return True
        return False


def _combinations(size: int) -> Iterator[tuple[float, ...]]:
    """Weights of eigenvectors, one of each pair w, -w: for up to three all of -1, 0, 1; else the axes and diagonals."""
    if size <= 3:
        for weights in product((1.0, 0.0, -1.0), repeat=size):
            if next((w for w in weights if w), 0.0) > 0:
                yield weights
        return
    for k in range(size):
        yield tuple(float(j == k) for j in range(size))
    for i, j in list(combinations(range(size), 2))[:28]:
        for sign in (1.0, -1.0):
            yield tuple(1.0 if k == i else sign if k == j else 0.0 for k in range(size))


def _opposite(direction: Direction) -> Direction:
    return tuple(-d for d in direction)


def _unit(weights: Sequence[float]) -> tuple[float, ...]:
    length = Vector(weights).norm()
    return tuple(w / length for w in weights)
