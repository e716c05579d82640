"""What the cost does around a stationary point, where slope and curvature at the point alone cannot tell.

A direction is followed along the valley's floor: after each step the other directions, in which the cost bends
upward, are corrected by Newton's method.  So (x - y²)(x - 3y²), which rises from 0 along every straight line but not
along x = 2y², is found out (Peano's surface).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from math import inf, isfinite, sqrt
from typing import NamedTuple

from descend.descent.face import Face
from descend.descent.spectrum import Direction, Spectrum
from descend.evaluation import Evaluation, Order
from descend.vector import Vector

# How far is looked, in the variables' scale; the nearest are for variables at 0, which have no scale of their own.
DISTANCES = (1e-24, 1e-20, 1e-16, 1e-12, 1e-10, *(10.0**k for k in range(-8, 1)))
ENDS = DISTANCES[0], DISTANCES[-1]
FURTHEST = 0.05  # what counts as nearby; a plateau that ends beyond is one all the same
STEEPEST = 30.0  # times what rounding hides: more than a slope, times the step, is above the change of the cost
NOISES = 8.0  # bounds on the rounding error that a difference must exceed
WITHIN = 2e-8  # of the scale: a little more than a minimum may be away, so that it may lie between
CLOSE_BY = 4e-8
FURTHER = tuple(k * 10.0**e for e in range(-8, 1) for k in (1, 3))  # how far a way down is followed, in scales
FLOOR_STEPS = 6  # Newton corrections after each step
FURTHEST_FLOOR = 1.0  # of the variables' scale: beyond, a correction leads somewhere else
MOST_PAIRS = 28  # of directions without curvature that are combined, where there are more than three
REFINED = 12  # steps of the search for the lowest direction, where there are several without curvature


class Side(NamedTuple):
    """What the cost does first along a direction: +1 it rises, -1 it falls, 0 it stays level; where, how much."""

    sign: int
    away: float
    much: float = 0.0


class Surroundings:
    """The neighbourhood of `point`, where `seen` was seen and the curvature is `curvature`."""

    def __init__(self, face: Face, point: Vector, seen: Evaluation, curvature: Spectrum) -> None:
        self.face, self.point, self.seen, self.curvature = face, point, seen, curvature
        self._fall: Vector | None = None  # the first step that was found to lead down

    def side(self, direction: Direction, along: Sequence[int], first: float, last: float = FURTHEST) -> Side:
        """Walk along `direction` (made of the eigenvectors `along`), further with each look.

        A fall within the distance that a minimum may be away counts only where nothing rises behind it: the minimum
        itself may lie there.
        """
        others = self.curvature.upward(along)
        found = Side(0, inf)
        for away in sorted({first, *(d for d in DISTANCES if first < d <= last)}):
            step = Vector([away * d for d in direction])
            if self.point + step != self.point:
                change = self._look(step, others)
                if change > 0 or (change < 0 and away > WITHIN):
                    return Side(1 if change > 0 else -1, away, abs(change))
                if change < 0 and not found.sign:
                    found = Side(-1, away, abs(change))
        return found

    def _look(self, step: Vector, others: Sequence[int]) -> float:
        """How much higher the cost is there or, where rounding hides it, is about to be; 0 where that is hidden too."""
        there = self._floor(self.point + step, others)
        seen = self.face.look(there, Order.BOUNDS)
        change = self._change(step, there, seen)
        if change < 0 and self._fall is None and there.finite:
            self._fall = there - self.point
        return change

    def _change(self, step: Vector, there: Vector, seen: Evaluation) -> float:
        """How much higher the cost is or, from the slope along the step, is about to be.

        Along the floor the cost changes by the slope along the step that was taken from it: what slope is left across
        is what the corrections have left.
        """
        if seen.cost == -inf or not all(map(isfinite, there)):
            return -inf  # down for ever, or over the edge of the doubles: no reason to call this a minimum
        difference = seen.cost - self.seen.cost
        hidden = NOISES * (seen.cost_error + self.seen.cost_error)
        if abs(difference) > hidden:  # false for NaN
            return difference
        if not seen.finite or seen.gradient_error is None:
            return 0.0
        slope = step.dot(seen.gradient)
        noise = sum(abs(a) * e for a, e in zip(step, seen.gradient_error, strict=True))
        # A change that large would show in the cost: that slope is what the corrections have left across the floor.
        return slope if NOISES * noise < abs(slope) <= STEEPEST * hidden else 0.0

    def _floor(self, there: Vector, others: Sequence[int]) -> Vector:
        seen = self.face.look(there) if others else None
        best = there
        for _ in range(FLOOR_STEPS):
            if seen is None or not seen.finite:
                break
            lower = best - self.curvature.newton(seen.gradient, others)
            if not self.curvature.size_of(lower - there) <= FURTHEST_FLOOR:
                break
            before, seen = seen, self.face.look(lower)
            if not seen.cost < before.cost:
                break
            best = lower
        return best

    def null_sides(self) -> list[tuple[Side, Side]]:
        """What the cost does both ways along directions without curvature, and along their combinations."""
        null = self.curvature.null_indices
        size = len(null)
        pairs = [self._both(null, tuple(float(j == k) for j in range(size))) for k in range(size)]
        for k in range(size):
            if not any(side.sign for side in pairs[k]):
                pairs[k] = self._further(null[k], pairs[k])
        if size == 1 or _falls(pairs):
            return pairs
        # In combinations each direction is as long as it takes for the cost to rise by the same, as a quartic would.
        rising = [next((side for side in pair if side.sign and side.much < inf), None) for pair in pairs]
        much = max((side.much for side in rising if side is not None), default=0.0)
        lengths = [FURTHEST if side is None else side.away * (much / side.much) ** 0.25 for side in rising]
        mixed = [_times(lengths, signs) for signs in _mixed_signs(size)]
        for weights in mixed:
            pairs.append(self._both(null, weights))
            if _falls(pairs):
                return pairs
        away = 10.0 * min(side.away for pair in pairs for side in pair if side.much < inf)
        if away <= FURTHEST and self._falls_somewhere(null, mixed, away):
            pairs.append((Side(-1, away), Side(0, inf)))
        return pairs

    def _further(self, index: int, level: tuple[Side, Side]) -> tuple[Side, Side]:
        """Look for a fall further along a level direction, until every variable has moved by its own scale.

        A variable that hardly moved has a small scale, and with it all of a direction in which it takes part.
        """
        direction = self.curvature.combined((index,), (1.0,))
        moves = [u / abs(d) for d, u in zip(direction, self.curvature.units, strict=True) if d]
        away = 10.0 * ENDS[1]
        while away <= max(moves):
            for way in (1.0, -1.0):
                step = Vector([way * away * d for d in direction])
                if self._look(step, self.curvature.upward((index,))) < 0:
                    return Side(-1, away), Side(0, inf)
            away *= 10.0
        return level

    def _both(self, null: Sequence[int], weights: Sequence[float]) -> tuple[Side, Side]:
        direction = self.curvature.combined(null, weights)
        back = tuple(-d for d in direction)
        return self.side(direction, null, *ENDS), self.side(back, null, *ENDS)

    def _falls_somewhere(self, null: Sequence[int], mixed: Sequence[Sequence[float]], away: float) -> bool:
        """Search for the lowest cost at one distance from the point, among all directions without curvature."""
        others = self.curvature.upward(null)
        lengths = [max(abs(w[k]) for w in mixed) for k in range(len(null))]
        chosen = min(mixed, key=lambda w: self._cost(null, w, away, others))
        weights, lowest = chosen, self._cost(null, chosen, away, others)
        pace = 0.5
        for _ in range(REFINED):
            seen = self.face.look(self._place(null, weights, away, others))
            slopes = _times(lengths, self.curvature.components(seen.gradient, null))
            size = Vector(slopes).norm()
            if not 0 < size < inf:
                return False
            turns = [pace * length * s / size for length, s in zip(lengths, slopes, strict=True)]
            turned = tuple(w - turn for w, turn in zip(weights, turns, strict=True))
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
        cost = self.face.look(self._place(null, weights, away, others)).cost
        return cost if cost == cost else inf  # noqa: PLR0124 - NaN is not low

    def falls_beside(self, first: float, most: int) -> bool:
        """Whether the cost falls on some side along the directions that bend upward least.

        Near the inflection of x³ the curvature is positive, though tiny, and so is the Newton step: only a look at
        both sides, a few such steps away, tells it from a minimum.
        """
        for index in self.curvature.weakest(most):
            direction = self.curvature.combined((index,), (1.0,))
            back = tuple(-d for d in direction)
            if min(self.side(d, (index,), first).sign for d in (direction, back)) < 0:
                return True
        return False

    @property
    def walled(self) -> bool:
        """Whether some variable stands at a bound, so that not every direction is open."""
        box = self.face.box
        if box is None:
            return False
        ends = zip(self.point, self.face.reduced(box.lower), self.face.reduced(box.upper), strict=True)
        return any(x <= low or x >= high for x, low, high in ends)

    def falls_along_curvature(self) -> bool:
        """Whether the cost is seen to fall along the direction that bends downward most; where, `lower` tells.

        Looked at from the distance on at which that curvature lowers the cost by more than its rounding error.
        """
        direction = self.curvature.combined((self.curvature.most_negative,), (1.0,))
        bend = self.curvature.bend(self.curvature.most_negative)
        seen = sqrt(2.0 * NOISES * self.seen.cost_error / bend) if 0 < bend < inf else 0.0
        back = tuple(-d for d in direction)
        return any(
            self._look(Vector([max(seen, CLOSE_BY) * far * d for d in way]), ()) < 0
            for far in (10.0, 1e4)
            for way in (direction, back)
        )

    def lower(self) -> Vector | None:
        """Return the lowest point on the way down that was found, None where none is lower by more than rounding."""
        if self._fall is None:
            return None
        size = self.curvature.size_of(self._fall) or 1.0
        best, lowest = None, self.seen.cost - NOISES * self.seen.cost_error
        for away in (1.0, *(far / size for far in FURTHER if far > size)):
            there = self.point + away * self._fall
            seen = self.face.look(there)
            if seen.finite and seen.cost < lowest:
                best, lowest = there, seen.cost
        return best

    def rises_beside(self, indices: Sequence[int]) -> tuple[bool, bool]:
        """Whether the cost is seen to rise on both sides along each of some directions; second: whether it falls.

        Asked where rounding leaves the slope's zero open, though the cost itself may tell on which side it is.
        """
        signs = []
        for index in indices:
            direction = self.curvature.combined((index,), (1.0,))
            for way in (direction, tuple(-d for d in direction)):
                signs.append(self.side(way, (index,), CLOSE_BY).sign)
                if signs[-1] < 0:
                    return False, True
        return all(sign > 0 for sign in signs), False

    def jumps_down(self, first: float, most: int) -> bool:
        """Whether the cost is lower on some side close by, though slope and curvature say bowl (a jump)."""
        allowed = NOISES * self.seen.cost_error
        for index in self.curvature.weakest(most):
            step = max(first, CLOSE_BY) * Vector(self.curvature.combined((index,), (1.0,)))
            for there in (self.point + step, self.point - step):
                if self.face.look(there).cost < self.seen.cost - allowed:
                    self._fall = there - self.point
                    return True
        return False


def _falls(pairs: Sequence[tuple[Side, Side]]) -> bool:
    return any(side.sign < 0 for pair in pairs for side in pair)


def _times(a: Sequence[float], b: Sequence[float]) -> tuple[float, ...]:
    return tuple(x * y for x, y in zip(a, b, strict=True))


def _mixed_signs(size: int) -> list[tuple[float, ...]]:
    """Ways to combine `size` directions, one of each pair w, -w: for up to three all with -1, 0, 1; else in pairs."""
    if size <= 3:
        signs = [w for w in product((1.0, 0.0, -1.0), repeat=size) if sum(map(abs, w)) > 1]
        return [w for w in signs if next(s for s in w if s) > 0]
    pairs = list(combinations(range(size), 2))[:MOST_PAIRS]
    return [
        tuple(1.0 if k == i else sign if k == j else 0.0 for k in range(size)) for i, j in pairs for sign in (1.0, -1.0)
    ]
