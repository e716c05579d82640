"""First guesses where the user gives none."""

from __future__ import annotations

from descend.errors import StartError
from descend.evaluation import Objective
from descend.vector import Vector

CANDIDATES = (1.0, 0.5, 2.0, 0.1, -1.0, 10.0, 0.0)


def natural_start(objective: Objective) -> Vector:
    """Return the first of a few simple points where cost and slope are finite and the slope is not zero.

    Raises `StartError` when there is none.
    """
    size = len(objective.names)
    flat: Vector | None = None
    for value in CANDIDATES:
        point = Vector([value] * size)
        evaluation = objective.look(point)
        if evaluation.finite and any(evaluation.gradient):
            return point
        if evaluation.finite and flat is None:
            flat = point
    if flat is not None:
        return flat
    raise StartError("no simple starting point has a finite cost; give one with start=")
