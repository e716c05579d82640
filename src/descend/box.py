"""The box of the variables: lower and upper bounds, the projection onto it, and the projected slope."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from descend.vector import Vector


@dataclass(frozen=True)
class Box:
    """lower ≤ x ≤ upper, entry by entry; an end that is not there is infinite.

    A minimum of a cost in a box is a point whose *projected slope* x - P(x - g) is zero, where P is `project` and g the
    gradient: zero slope in the free entries, and at a bound a slope that points out of the box (Bertsekas, *Nonlinear
    Programming*, 2016, ch. 3).
    """

    lower: Vector
    upper: Vector

    def project(self, point: Vector) -> Vector:
        """Return the nearest point of the box."""
        entries = zip(point, self.lower, self.upper, strict=True)
        return point.like([min(max(x, low), high) for x, low, high in entries])

    def contains(self, point: Vector) -> bool:
        """Whether the point is in the box."""
        return all(low <= x <= high for x, low, high in zip(point, self.lower, self.upper, strict=True))

    def projected_slope(self, point: Vector, gradient: Vector) -> Vector:
        """Return the gradient with the entries set to 0 that only a bound keeps the point from following down."""
        held = set(self.held(point, gradient))
        return gradient.like([0.0 if k in held else g for k, g in enumerate(gradient)])

    def held(self, point: Vector, gradient: Vector) -> Sequence[int]:
        """Return the entries that stand at a bound which keeps the cost from falling: g > 0 below, g < 0 above."""
        entries = zip(point, gradient, self.lower, self.upper, strict=True)
        return [k for k, (x, g, low, high) in enumerate(entries) if (x <= low and g > 0) or (x >= high and g < 0)]
