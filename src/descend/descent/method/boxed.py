"""Trust-region steps within a box: variables at a bound are held, and a step falls at least as far as the slope's."""

from __future__ import annotations

from typing import Any, Protocol

from descend.box import Box
from descend.descent.method.subproblem import Model
from descend.vector import Vector

SHORTER, TRIED = 0.25, 20  # points of the path along the slope: the ratio of their lengths, how many


class Boxed(Protocol):
    """What is asked of a state: where it stands, its model, and the mask of the variables that no bound holds."""

    @property
    def x(self) -> Vector: ...
    @property
    def at(self) -> Any: ...
    @property
    def box(self) -> Box | None: ...
    @property
    def model(self) -> Model | None: ...
    @property
    def gradient(self) -> Any: ...
    @property
    def scaling(self) -> Any: ...
    @property
    def radius(self) -> float: ...
    @property
    def free(self) -> Any: ...


def unblocked(state: Boxed, model: Model) -> Model:
    """Return the model without the variables that stand at a bound and would step over it."""
    if state.box is None:
        return model
    import numpy as np

    lower, upper = state.box.lower.array(), state.box.upper.array()
    free = np.ones(len(state.at), dtype=bool) if state.free is None else state.free
    while free.any():
        step = model.step(state.radius).step
        blocked = ((state.at <= lower) & (step < 0)) | ((state.at >= upper) & (step > 0))
        if not blocked.any():
            break
        free = free & ~blocked
        model = model.restricted(state.scaling, free)
    return model


def within(state: Boxed, step: Any, trial: Any) -> tuple[Any, Any]:
    """Return the step of the model and the trial, both within the box.

    A step that leaves it is replaced by the lowest by the model of: its projection, the step cut where it first meets a
    bound, and points of the projected path along the slope (the generalised Cauchy point).

    Source: Conn, Gould & Toint, SIAM J. Numer. Anal. 25 (1988).
    """
    import numpy as np

    box, model = state.box, state.model
    assert box is not None
    assert model is not None
    found, bent = _projected(state, box, step), _projected(state, box, trial)
    if (found == step).all():
        return found, bent
    moving = step != 0.0
    ends = np.where(step > 0.0, box.upper.array(), box.lower.array()) - state.at
    candidates = [found, float(np.min(ends[moving] / step[moving], initial=1.0)) * step]
    slope = state.gradient / state.scaling**2
    scaled = state.scaling * slope
    steepest = float(np.sqrt(scaled @ scaled))
    if steepest > 0.0:
        candidates += [_projected(state, box, -state.radius / steepest * SHORTER**k * slope) for k in range(TRIED)]
    else:  # without a slope the step follows the curvature, which bends down on both sides
        candidates.append(_projected(state, box, -step))
    best = int(np.argmax([model.reduction(candidate) for candidate in candidates]))
    return candidates[best], bent if best == 0 else candidates[best]


def _projected(state: Boxed, box: Box, move: Any) -> Any:
    return box.project(state.x.like(state.at + move)).array() - state.at
