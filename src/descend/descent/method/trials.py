"""What methods that try a model's step share: where the trial is, and how well the model foretold the fall."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descend.evaluation import Evaluation
    from descend.vector import Vector

SMALL = 1e-8  # relative: falls so small are better known from the slopes at both ends


def tried(state: Any) -> Vector:
    """Return the point to look at: the accepted one before there is a trial, else the trial, within the box.

    `state` has the fields x, at (x as an array), trial and box.
    """
    point: Vector = state.x
    if state.trial is None:
        return point
    moved = point.like(state.at + state.trial)
    return moved if state.box is None else state.box.project(moved)


def fall_ratio(state: Any, point: Vector, evaluation: Evaluation) -> float:
    """Return actual by predicted fall; -inf for a trial that may not be taken.

    `state` has the fields x, cost, gradient, trial, model and model_step.
    """
    if not evaluation.finite or point == state.x:
        return -inf
    predicted = float(state.model.reduction(state.model_step))
    actual = float(state.cost - evaluation.cost)
    if abs(predicted) <= SMALL * abs(state.cost):
        # By the trapezoidal rule: costs that differ this little may differ by rounding only.
        slopes = -0.5 * float((state.gradient + evaluation.gradient.array()) @ state.trial)
        if abs(actual - slopes) <= SMALL * abs(state.cost):
            actual = slopes
    return actual / predicted if predicted > 0 else -inf
