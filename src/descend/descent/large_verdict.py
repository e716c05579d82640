"""The verdict for many variables: the questions of `verdict`, asked of factors and products instead of eigenvalues."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any, NamedTuple

from descend.descent.directions import LargeCurvature
from descend.descent.face import Face
from descend.descent.judgement import RELATIVE, Criterion, Judgement, Kind
from descend.descent.large_curvature import curvature_at
from descend.evaluation import Evaluation, Order
from descend.vector import Vector

ULPS = 2.0**-50  # relative: steps as small as this are the spacing of doubles
TINIEST = 1e-290  # scale of a variable that began at its minimum
HARDLY = 0.25  # a change of the curvature that leaves a bowl a bowl
SLOWEST = 0.995  # ratio of Newton steps above which no minimum is in sight
NOISES = 8.0  # bounds on the rounding error that a difference must exceed
# Of the variables' scale, along directions without curvature: a minimum nearer than the first is where it should be.
DISTANCES = (RELATIVE, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.05)
LOWER = (1e-6, 1e-4, 1e-2, 0.1, 1.0)  # of the variables' scale: where a lower point is looked for
CLOSE_BY = 4e-8
COMBINED = 4  # directions without curvature, at random, that are followed
FLOOR_STEPS = 8  # Newton corrections after each step along one


class Side(NamedTuple):
    """What the cost does first along a direction: +1 it rises, -1 it falls, 0 it stays level; how far away, where."""

    sign: int
    away: float = inf
    point: Any = None


def judge_large(
    face: Face, point: Vector, seen: Evaluation, start: Vector, precision: float | None
) -> Judgement | None:
    """Judge a point of many variables; None where the curvature cannot be had."""
    import numpy as np

    with np.errstate(all="ignore"):
        x, began = point.array(), start.array()
        scales = np.maximum(np.abs(x), np.abs(x - began))
        units = np.where(scales > 0, scales, scales.max(initial=0.0) or 1.0)
        curvature = curvature_at(face, point, units)
        if curvature is None:
            return None
        return _Large(face, point, seen, curvature, scales, units).judged(precision)


class _Large:
    def __init__(
        self, face: Face, point: Vector, seen: Evaluation, curvature: LargeCurvature, scales: Any, units: Any
    ) -> None:
        import numpy as np

        self._np = np
        assert seen.gradient_error is not None
        self.face, self.point, self.seen, self.curvature = face, point, seen, curvature
        self.x, self.scales, self.units = point.array(), scales, units
        self.slope, self.slope_error = seen.gradient.array(), seen.gradient_error.array()
        # How far is near: as much as the variables' scales are in the units of the curvature, so that a variable that
        # began at its minimum, which has hardly a scale, is not taken to be tiny.
        bent, scaling = curvature.directions.bent, curvature.scaling
        furthest = float((units / scaling)[bent].max(initial=0.0))
        self.measure = np.where(bent, scaling * furthest, units)
        self.lower: Any = None
        self.lowest_cost = inf

    def judged(self, precision: float | None) -> Judgement:
        np, curvature = self._np, self.curvature
        found = curvature.directions
        rounding = bool((np.abs(self.slope) <= self.slope_error).all() and np.isfinite(self.slope_error).all())
        newton, reach = curvature.newton(self.slope), self._reach()
        stretch, bowl = self._second_look(reach if rounding else newton, reach)
        distances = np.abs(newton) * (1.0 if rounding else stretch)
        distances = np.where(newton == 0, 0.0, np.where(np.isfinite(distances), distances, inf))
        close, criterion = self._close(distances, precision)
        noise = _length(curvature.scaling * self.slope_error)
        still = curvature.null_slope(self.slope) <= noise
        kind, unique = Kind.SLOPE, True
        if rounding or close:
            kind, unique = self._stationary(still=rounding or still)
            if kind is Kind.MINIMUM and self._falls_beside(distances, reach, bowl=bowl):
                kind = Kind.SADDLE
            # A generous precision makes a minimum, but no point with a slope a saddle or a maximum.
            if kind in {Kind.SADDLE, Kind.MAXIMUM} and not (rounding or self._close(distances, None)[0]):
                kind = Kind.SLOPE
        distance = _length(distances)
        if not found.positive and not len(found.null):
            distance = inf
        return Judgement(
            kind,
            distance,
            (criterion, self._slope_criterion(), self._curvature_criterion()),
            curvature.largest(),
            unique,
            max(1.0, stretch),
            lower=None if self.lower is None or kind is Kind.MINIMUM else self._vector(self.lower),
        )

    # ------------------------------------------------------------------------------------------------ distances

    def _reach(self) -> Any:
        """Return about how far the rounding error of the slope carries the Newton step, entry by entry."""
        np = self._np
        signs = np.random.default_rng(0).integers(0, 2, (2, len(self.x))) * 2.0 - 1.0
        return np.max([np.abs(self.curvature.newton(s * self.slope_error)) for s in signs], axis=0)

    def _second_look(self, step: Any, reach: Any) -> tuple[float, bool]:
        """Return (stretch, bowl), as `verdict` does: how many Newton steps the minimum is away, whether a bowl."""
        np, found = self._np, self.curvature.directions
        definite = not found.negative and not len(found.null)
        if not step.any():
            return 1.0, definite
        if not (np.abs(step) > ULPS * np.abs(self.x)).any():
            return 1.0, False
        there_point = self.face.inside(self._vector(self.x - step))
        there = self.face.look(there_point, Order.BOUNDS)
        again = curvature_at(self.face, there_point, self.units) if there.finite else None
        if again is None:
            return inf, False
        assert there.gradient_error is not None
        bowl = definite and found.lowest > 0 and self.curvature.change(again) <= HARDLY
        slope, error = there.gradient.array(), there.gradient_error.array()
        first = np.where(np.abs(step) > np.maximum(ULPS * np.abs(self.x), reach), step, 0.0)
        back = again.newton(slope)
        noise = np.abs(again.newton(error))
        back = np.where(np.abs(back) > np.maximum(ULPS * np.abs(self.x), noise), back, 0.0)
        length = _length(first)
        if length == 0 or (np.abs(slope) <= error).all() or not back.any():
            return 1.0, bowl
        ratio = _length(back) / length
        if float(back @ first) < -0.9 * _length(back) * length and ratio < 1.0 + SLOWEST:
            return 1.0, bowl  # the minimum lies between
        return (1.0 / (1.0 - ratio) if ratio < SLOWEST else inf), bowl

    def _close(self, distances: Any, precision: float | None) -> tuple[bool, Criterion]:
        np = self._np
        if precision is not None:
            distance = _length(distances)
            return distance <= precision, Criterion(
                "estimated distance to the minimum", distance, precision, distance <= precision
            )
        scales = np.where(distances > 0, np.maximum(self.scales, TINIEST), 1.0)
        worst = float((distances / scales).max(initial=0.0))
        what = "estimated distance to the minimum, relative to the way come"
        return worst <= RELATIVE, Criterion(what, worst, RELATIVE, worst <= RELATIVE)

    def _slope_criterion(self) -> Criterion:
        slope, bound = _length(self.slope), _length(self.slope_error)
        return Criterion("size of the slope, against its rounding error", slope, bound, slope <= bound)

    def _curvature_criterion(self) -> Criterion:
        found = self.curvature.directions
        worst = max(0.0, -found.lowest)
        what = "downward curvature, against its rounding error"
        return Criterion(what, worst, found.tolerance, not found.negative)

    # ------------------------------------------------------------------------------------------------ neighbourhood

    def _stationary(self, *, still: bool) -> tuple[Kind, bool]:
        """Tell what the point is, and whether it is the only one nearby.

        Where there is a slope along directions without curvature (not `still`), the cost must rise both ways within the
        precision: so it does beside the minimum of x⁴.
        """
        found = self.curvature.directions
        if found.negative:
            self._go_down(found.direction)
            return (Kind.SADDLE if found.positive or len(found.null) else Kind.MAXIMUM), True
        if not len(found.null):
            return Kind.MINIMUM, True
        sides = [self._side(sign * direction) for direction in self._null_directions() for sign in (1.0, -1.0)]
        signs = [side.sign for side in sides]
        if not still and not all(side.sign > 0 and side.away <= RELATIVE for side in sides):
            return Kind.SLOPE, True
        if min(signs) < 0:
            return (Kind.MAXIMUM if max(signs) < 0 and not found.positive else Kind.SADDLE), True
        if any(signs[k] != signs[k + 1] for k in range(0, len(signs), 2)):
            return Kind.FLAT, False
        if not all(self._bends_upward(side.point) for side in sides if side.sign > 0):
            return (Kind.SADDLE if self.lower is not None else Kind.UNKNOWN), True
        return (Kind.MINIMUM if found.positive or max(signs) > 0 else Kind.FLAT), min(signs) > 0

    def _null_directions(self) -> list[Any]:
        """Return directions without curvature, each as long as the variables' scale: those found, and combinations."""
        np, found = self._np, self.curvature.directions
        single = [self.curvature.scaling * vector for vector in found.null] if found.captured else []
        rng = np.random.default_rng(0)
        mixed = [
            self.curvature.null_part(self.curvature.scaling * rng.standard_normal(len(self.x))) for _ in range(COMBINED)
        ]
        if found.captured and len(single) == 1:
            mixed = []
        downhill = self.curvature.null_part(self.curvature.scaling**2 * self.slope)
        return [d / self._size(d) for d in [downhill, *single, *mixed] if self._size(d) > 0]

    def _size(self, step: Any) -> float:
        return float((self._np.abs(step) / self.measure).max(initial=0.0))

    def _side(self, direction: Any) -> Side:
        for away in DISTANCES:
            there = self._floor(self.x + away * direction)
            if (there != self.x).any():
                change = self._change(there)
                if change:
                    return Side(1 if change > 0 else -1, away, there)
        return Side(0)

    def _floor(self, there: Any) -> Any:
        """Return the point corrected by Newton's method along the directions that have curvature."""
        best, shortest = there, inf
        for _ in range(FLOOR_STEPS):
            step = self.curvature.newton(self.face.look(self._vector(best)).gradient.array())
            length = self._size(step)
            if not (length < shortest and self._size(best - step - there) <= 1.0):
                break
            best, shortest = best - step, length
        return best

    def _change(self, there: Any) -> float:
        """Return how much higher the cost is there or, where rounding hides it, is about to be; 0 where hidden too."""
        np = self._np
        seen = self.face.look(self._vector(there), Order.BOUNDS)
        if seen.cost == -inf:
            return -inf
        self._note(there, seen.cost)
        difference = seen.cost - self.seen.cost
        if abs(difference) > NOISES * (seen.cost_error + self.seen.cost_error):
            return difference
        if not seen.finite or seen.gradient_error is None:
            return 0.0
        away = there - self.x
        slope = float(away @ seen.gradient.array())
        noise = float(np.abs(away) @ seen.gradient_error.array())
        return slope if abs(slope) > NOISES * noise else 0.0

    def _note(self, there: Any, cost: float) -> None:
        if cost < min(self.lowest_cost, self.seen.cost - NOISES * self.seen.cost_error):
            self.lower, self.lowest_cost = there, cost

    def _go_down(self, direction: Any) -> None:
        """Look for a lower point along a direction that bends downward."""
        size = self._size(direction)
        if not size > 0:
            return
        for away in LOWER:
            for sign in (1.0, -1.0):
                there = self.x + sign * away / size * direction
                self._note(there, self.face.look(self._vector(there)).cost)

    def _bends_upward(self, there: Any) -> bool:
        """Whether the curvature at a point nearby is nowhere negative; if it is, a lower point is looked for there."""
        found = curvature_at(self.face, self._vector(there), self.units)
        if found is None:
            return False
        if not found.directions.negative:
            return True
        direction, away = found.directions.direction, self._size(there - self.x)
        for length in (0.1 * away, away, 10.0 * away):
            for sign in (1.0, -1.0):
                beside = there + sign * length / self._size(direction) * direction
                self._note(beside, self.face.look(self._vector(beside)).cost)
        return False

    def _falls_beside(self, distances: Any, reach: Any, *, bowl: bool) -> bool:
        """Whether the cost is lower a few Newton steps away, though slope and curvature say bowl.

        So it is close to an inflection (of x³) and beside a jump.  All variables are carried past the minimum at once;
        there the curvature must still not be negative.
        """
        np = self._np
        step = 4.0 * np.sign(self.curvature.newton(self.slope)) * np.maximum(distances, reach)
        if step.any():
            step = step * max(1.0, CLOSE_BY / self._size(step))
        allowed = NOISES * self.seen.cost_error
        rng = np.random.default_rng(3)
        first = max(self._size(step), CLOSE_BY)
        looked = [first * self.units * rng.uniform(-1, 1, len(self.x)) for _ in range(2)]
        lowest = self.curvature.directions.direction
        looked.append(max(first, CLOSE_BY) / (self._size(lowest) or 1.0) * lowest)
        for away in [step, *looked]:
            for there in (self.x + away, self.x - away):
                cost = self.face.look(self._vector(there)).cost
                if cost < self.seen.cost - allowed:
                    self._note(there, cost)
                    return True
        if bowl or not step.any():
            return False
        upward = self._bends_upward(self.x - step) and self._bends_upward(self.x + step)
        # Beside the floor of a curved valley the curvature along it may be negative, and the floor no lower for that.
        return self.lower is not None if len(self.curvature.directions.null) else not upward

    def _vector(self, entries: Any) -> Vector:
        return self.point.like(entries)


def _length(array: Any) -> float:
    largest = float(abs(array).max(initial=0.0))
    if largest == 0.0 or not largest < inf:
        return largest
    scaled = array / largest
    return largest * sqrt(float(scaled @ scaled))
