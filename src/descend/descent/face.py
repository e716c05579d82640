"""The cost as a verdict sees it: of the variables that no bound holds, infinite outside the box, looks counted."""

from __future__ import annotations

from collections.abc import Sequence

from descend.box import Box
from descend.evaluation import Evaluation, Objective, Order
from descend.vector import Vector


class Face:
    """The cost over the entries `free` of a point (None: all), the others held where they are.

    Outside of the box the cost is +∞, so a probe finds a wall there.  `looks` counts evaluations.
    """

    def __init__(self, objective: Objective, point: Vector, free: Sequence[int] | None = None) -> None:
        self.objective, self.whole, self.free = objective, point, free
        self.box: Box | None = objective.box
        self.work = objective.work
        self.looks = 0

    def reduced(self, vector: Vector) -> Vector:
        """Return the free entries."""
        return vector if self.free is None else vector.like([vector[k] for k in self.free])

    def full(self, point: Vector) -> Vector:
        """Return the point of all variables that has these free entries."""
        if self.free is None:
            return point
        entries = list(self.whole)
        for k, x in zip(self.free, point, strict=True):
            entries[k] = x
        return self.whole.like(entries)

    def inside(self, point: Vector) -> Vector:
        """Return the nearest point of the box."""
        return point if self.box is None else self.reduced(self.box.project(self.full(point)))

    def look(self, point: Vector, order: Order = Order.GRADIENT) -> Evaluation:
        """Evaluate at the free entries."""
        full = self.full(point)
        if self.box is not None and not self.box.contains(full):
            return Evaluation(float("inf"), point.like([float("nan")] * len(point)))
        self.looks += 1
        return self.seen(self.objective.look(full, order))

    def product(self, point: Vector, direction: Vector) -> Vector:
        """Return Hessian times `direction`, of all variables."""
        return self.objective.product(point, direction)

    def seen(self, evaluation: Evaluation) -> Evaluation:
        """Return the part of an evaluation that belongs to the free entries."""
        free = self.free
        if free is None:
            return evaluation
        error = evaluation.gradient_error
        hessian, hessian_error = (
            None if matrix is None else tuple(tuple(matrix[i][j] for j in free) for i in free)
            for matrix in (evaluation.hessian, evaluation.hessian_error)
        )
        return evaluation._replace(
            gradient=self.reduced(evaluation.gradient),
            gradient_error=None if error is None else self.reduced(error),
            hessian=hessian,
            hessian_error=hessian_error,
        )


def held_entries(box: Box | None, point: Vector, seen: Evaluation) -> list[int]:
    """Return the entries that stand at a bound which alone keeps the cost from falling.

    The multiplier (the slope, pointing out of the box) must exceed its rounding error: one that is zero holds nothing.
    """
    if box is None or seen.gradient_error is None:
        return []
    errors = seen.gradient_error
    return [k for k in box.held(point, seen.gradient) if abs(seen.gradient[k]) > errors[k]]
