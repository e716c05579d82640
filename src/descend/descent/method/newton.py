"""Newton's method in a trust region, with the third derivative along each step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, sqrt
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.method.base import Method, State
from descend.descent.method.boxed import unblocked, within
from descend.descent.method.models import model_of
from descend.descent.method.subproblem import Model
from descend.descent.method.trials import fall_ratio, tried
from descend.descent.status import Ending
from descend.errors import MethodError
from descend.evaluation import COST_NOISE, Curvature, Evaluation, Needs
from descend.vector import Vector

SUFFICIENT = 1e-4  # of the predicted fall: less is no step
POOR, GOOD = 0.25, 0.75  # ratios of actual to predicted fall at which the radius changes
SHORTEST, LONGEST = 0.1, 0.5  # of a rejected step, by interpolation
OUTSIDE = 0.25  # of a step that left the domain
TURN = 0.5  # the largest correction by the third derivative, of the step
CLOSE = 1e-9  # of each variable's scale: a tenth of what a verdict asks for
CONTRACTING = 0.1  # ratio of successive steps from which Newton's method converges fast
SLOWEST, PARALLEL = 0.9, 0.9  # of steps that shrink by a constant ratio: towards a singular minimum
FAR = 100.0  # times the point's size: no first step of a bowl is longer
STAYS = 0.5  # of a slope that rounding keeps from shrinking
SHORTEST_RADIUS = 1e-16  # of the point's size


@dataclass(frozen=True)
class NewtonState(State):
    """The accepted point, its model and the trial being looked at; arrays are NumPy arrays.

    `newton` is the last full Newton step (None after any other step), `trial` the step being tried and `model_step`
    the model's part of it; `interior`: that step is the model's own minimum; `boosted`: it was made longer.
    """

    cost: float = inf
    gradient: Any = None
    at: Any = None
    origin: Any = None
    curvature: Curvature | None = None
    model: Model | None = None
    scaling: Any = None
    radius: float = 0.0
    free: Any = None  # mask of the variables that no bound holds, None where none is held
    model_step: Any = None
    trial: Any = None
    interior: bool = False
    boosted: bool = False
    newton: Any = None


@dataclass(frozen=True)
class Newton(Method):
    """Trust-region Newton: x ← x + p + a, where p is the lowest point of f + g·p + p·Hp/2 with |D·p| ≤ radius.

    Then a = -(H + λD²)⁻¹ ∇³f[p, p]/2 bends the step as the cost bends (Chebyshev's method; the same as geodesic
    acceleration), where |a| ≤ |p|/2.  Where full steps shrink by a constant ratio q along one direction, as they do
    towards a singular minimum, the next is 1/(1 - q) times as long.  The radius follows the ratio of actual to
    predicted fall.  Variables at a bound that keeps the cost from falling are held, and trials are projected.
    `escape` goes on from a point without slope, a saddle or a maximum, along the direction that bends downward most.

    Needs the Hessian.  Source: Conn, Gould & Toint, *Trust-Region Methods*, 2000; Moré & Sorensen 1983 (the step);
    Transtrum & Sethna 2012 (the correction); Decker & Kelley 1983 (singular minima).

    >>> import descend
    >>> r = descend.minimize("100*(y - x^2)^2 + (1 - x)^2", [-1.2, 1], method="newton")
    >>> r.status.name, r.looks < 25
    ('MINIMUM', True)
    """

    name: ClassVar[str] = "newton"
    needs: ClassVar[Needs] = Needs.HESSIAN
    source: ClassVar[str] = "Conn, Gould & Toint, Trust-Region Methods (2000); Moré & Sorensen (1983)"

    escape: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.escape, bool):
            raise MethodError("escape is True or False")

    def start(self, x: Vector, box: Box | None = None) -> NewtonState:
        return NewtonState(x, box=box)

    def predict(self, state: State) -> Vector:
        assert isinstance(state, NewtonState)
        return tried(state)

    def learn(self, state: NewtonState, point: Vector, evaluation: Evaluation) -> NewtonState:
        import numpy as np

        with np.errstate(all="ignore"):
            return self._learned(state, point, evaluation)

    def _learned(self, state: NewtonState, point: Vector, evaluation: Evaluation) -> NewtonState:
        if state.trial is None:
            return self._first(state, point, evaluation)
        ratio = fall_ratio(state, point, evaluation)
        if _is_rounding(state, evaluation):
            if ratio > SUFFICIENT:
                state = replace(state, x=point, number=state.number + 1)
            return replace(state, accepted=ratio > SUFFICIENT, gave_up=Ending.CLOSE)
        if ratio > SUFFICIENT:
            moved = self._accepted(state, point, evaluation, ratio)
            if moved is not None:
                return moved
        return self._rejected(state, evaluation)

    # ---------------------------------------------------------------------------------------------------- one look

    def _first(self, state: NewtonState, point: Vector, evaluation: Evaluation) -> NewtonState:
        import numpy as np

        if not evaluation.finite:
            return replace(state, accepted=False, gave_up=Ending.NOT_FINITE)
        at = point.array()
        begun = replace(state, cost=evaluation.cost, gradient=evaluation.gradient.array(), at=at, origin=at)
        begun = replace(begun, scaling=np.ones(len(at)), curvature=evaluation.curvature)
        modelled = self._modelled(begun)
        if modelled is None:
            return replace(state, accepted=False, gave_up=Ending.NOT_FINITE)
        return self._proposed(replace(modelled, radius=_first_radius(modelled)))

    def _accepted(self, state: NewtonState, point: Vector, evaluation: Evaluation, ratio: float) -> NewtonState | None:
        assert state.model is not None
        length = _length(state, state.trial)
        radius = state.radius
        if ratio < POOR:
            radius = 0.5 * length
        elif ratio > GOOD:
            radius = max(radius, 2.0 * length)
        at, gradient = point.array(), evaluation.gradient.array()
        moved = replace(
            state,
            x=point,
            number=state.number + 1,
            accepted=True,
            cost=evaluation.cost,
            gradient=gradient,
            at=at,
            curvature=evaluation.curvature,
            radius=radius,
            newton=state.trial if state.interior and not state.boosted else None,
            trial=None,
        )
        if self._arrived(state, moved, ratio):
            return replace(moved, gave_up=Ending.CLOSE)
        modelled = self._modelled(moved)
        return None if modelled is None else self._proposed(modelled)

    def _rejected(self, state: NewtonState, evaluation: Evaluation) -> NewtonState:
        length = _length(state, state.trial)
        refused = replace(state, accepted=False, newton=None)
        if state.boosted:
            return self._proposed(refused)  # the same step, at its own length
        slope = float(state.gradient @ state.trial)
        if isfinite(evaluation.cost):
            rise = evaluation.cost - state.cost - slope
            part = -0.5 * slope / rise if rise > 0 else OUTSIDE
            radius = length * min(max(part, SHORTEST), LONGEST)
        else:
            radius = length * OUTSIDE
        size = max(sqrt(float(state.at @ state.at)), _length(state, state.at - state.origin))
        if not radius > SHORTEST_RADIUS * size:
            return replace(refused, gave_up=Ending.NO_STEP)
        return self._proposed(replace(refused, radius=radius))

    def _arrived(self, old: NewtonState, new: NewtonState, ratio: float) -> bool:
        """Whether the step with the old Hessian from the new point is too short to matter."""
        assert old.model is not None
        if not old.interior or old.boosted or not old.model.definite or not abs(ratio - 1.0) < POOR:
            return False
        if new.box is not None and _free(new) is not None:
            return False
        chord = old.model.solve(new.gradient)
        near = _length(old, chord) <= CONTRACTING * _length(old, old.trial)
        return bool(near and (abs(chord) <= CLOSE * _scales(new)).all())

    # ----------------------------------------------------------------------------------------- the model, the step

    def _modelled(self, state: NewtonState) -> NewtonState | None:
        """Return the state with the model at its point; None where the Hessian is not finite."""
        assert state.curvature is not None
        free = _free(state)
        model = model_of(state.curvature, state.gradient, state.scaling, free)
        return None if model is None else replace(state, free=free, model=model)

    def _proposed(self, state: NewtonState) -> NewtonState:
        """Return the state with the next trial, or with the reason why there is none."""
        import numpy as np

        model, curvature = state.model, state.curvature
        assert model is not None
        assert curvature is not None
        slope = state.gradient if state.free is None else state.gradient * state.free
        if not slope.any():
            down = model.lowest() if self.escape else None
            if down is None:
                return replace(state, gave_up=Ending.FLAT)
            step, interior = state.radius * down, False
        else:
            model = unblocked(state, model)
            step, interior = model.step(state.radius)
        trial, boosted = step, False
        turn = -0.5 * model.solve(curvature.third(step))
        if _length(state, turn) <= TURN * _length(state, step):
            trial = step + turn
        if interior:
            factor = _stretch(state.newton, trial)
            if (factor * abs(trial) <= CLOSE * _scales(state)).all():
                return replace(state, gave_up=Ending.CLOSE)
            if factor > 1.0:
                trial, boosted = factor * trial, True
        if state.box is not None:
            kept, trial = within(state, step, trial)
            step, interior = kept, interior and bool((kept == step).all())
        if not np.isfinite(trial).all():
            return replace(state, gave_up=Ending.NO_STEP)
        return replace(state, model_step=step, trial=trial, interior=interior, boosted=boosted)


def _free(state: NewtonState) -> Any | None:
    """Return the mask of the variables that no bound holds; None where that is all of them."""
    if state.box is None:
        return None
    import numpy as np

    held = state.box.held(state.x, state.x.like(state.gradient))
    if not held:
        return None
    mask = np.ones(len(state.at), dtype=bool)
    mask[list(held)] = False
    return mask


def _length(state: NewtonState, step: Any) -> float:
    scaled = state.scaling * step
    return sqrt(float(scaled @ scaled))


def _scales(state: NewtonState) -> Any:
    """Return each variable's scale: the larger of its size and how far it has come."""
    import numpy as np

    scales = np.maximum(abs(state.at), abs(state.at - state.origin))
    return np.where(scales == 0.0, scales.max(), scales)


def _is_rounding(state: NewtonState, evaluation: Evaluation) -> bool:
    """Whether the fall that was predicted is within the rounding of the cost, and the slope is too: it stays."""
    assert state.model is not None
    if not evaluation.finite or state.boosted:
        return False
    if not abs(state.model.reduction(state.model_step)) <= COST_NOISE * abs(state.cost):
        return False
    if state.interior:
        return _length(state, state.model.solve(evaluation.gradient.array())) > STAYS * _length(state, state.model_step)
    slope = evaluation.gradient.array()
    return bool(slope @ slope > STAYS**2 * (state.gradient @ state.gradient))


def _stretch(before: Any, step: Any) -> float:
    """Return 1/(1 - q) where full steps shrink by the ratio q along one direction, 1 elsewhere."""
    if before is None:
        return 1.0
    past, now = sqrt(float(before @ before)), sqrt(float(step @ step))
    if not 0.0 < now < SLOWEST * past or now < 0.3 * past:
        return 1.0
    return 1.0 / (1.0 - now / past) if float(before @ step) > PARALLEL * past * now else 1.0


def _first_radius(state: NewtonState) -> float:
    """Return the radius to begin with: as long as Newton's step, but not far beyond what the point is from 0."""
    model = state.model
    assert model is not None
    size = _length(state, state.at) or inf
    span = model.span()
    radius = min(span, FAR * size if model.definite else size)
    return radius if 0.0 < radius < inf else 1.0
