"""Levenberg-Marquardt in a trust region, with geodesic acceleration; the exact Hessian where residuals are large."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.method.base import Method, State
from descend.descent.method.subproblem import EPSILON, DenseModel
from descend.descent.method.trials import fall_ratio, tried
from descend.descent.status import Ending
from descend.evaluation import COST_NOISE, Curvature, Evaluation, Needs
from descend.vector import Vector

SUFFICIENT = 1e-4  # of the predicted fall: less is no step
POOR, GOOD = 0.25, 0.75  # ratios of actual to predicted fall at which the radius changes
SHORTEST, LONGEST = 0.1, 0.5  # of a rejected step, by interpolation
OUTSIDE = 0.25  # of a step that left the domain
FIRST = 100.0  # the first radius, in sizes of the start (Moré 1978)
BENDS = 0.375  # the largest acceleration, of the step: Transtrum & Sethna's 2|δ₂|/|δ₁| ≤ 3/4
CLOSE = 1e-12  # of each variable: an estimated distance that ends the descent
SHORTER = 20  # times that a step is made shorter because the residuals bend too much along it
SLOWEST, PARALLEL = 0.97, 0.9  # of steps that shrink by a constant ratio: towards a singular minimum
CONTRACTING = 0.3  # ratio of successive full steps above which that ratio is believed
LEAST_SCALE = 1e-8  # of the largest: the smallest entry of D
MOST_DOUBTS = 12  # steps for which the normal matrix was no good, after which another method is better
PATIENCE = 3  # steps at the level of rounding, without progress in the slope
ROUNDINGS = 8.0  # rounding errors of a scaled slope, in ε times the size of the residuals
SHORTEST_RADIUS = 1e-16  # of the point's size


@dataclass(frozen=True)
class LevenbergMarquardtState(State):
    """The accepted point, its model and the trial being looked at; arrays are NumPy arrays.

    `exact`: the model has the Hessian, not the normal matrix.  `model_step` is the model's part of the trial,
    `interior`: it is the model's own minimum.  `full` is the last step that was interior.  `stays` counts steps at the
    level of rounding that did not make the slope smaller, `doubts` steps that
    took the Hessian, or were `shortened` because the residuals bend: there Gauss and Newton's model is a poor one.
    """

    cost: float = inf
    gradient: Any = None
    at: Any = None
    origin: Any = None
    curvature: Curvature | None = None
    exact: bool = False
    model: DenseModel | None = None
    scaling: Any = None
    radius: float = 0.0
    model_step: Any = None
    trial: Any = None
    interior: bool = False
    full: Any = None
    stays: int = 0
    shortened: bool = False
    doubts: int = 0


@dataclass(frozen=True)
class LevenbergMarquardt(Method):
    """Levenberg-Marquardt for f = Σ wᵢrᵢ²: x ← x + p + a, p = -(N + λD²)⁻¹∇f with the normal matrix N = 2·JᵀWJ.

    λ ≥ 0 is the least for which |D·p| ≤ radius (Moré 1978); D are the largest column norms of J so far.  The
    acceleration a = -(N + λD²)⁻¹ JᵀW·r''(p, p) follows the bend of the residuals along p, where |a| ≤ 3/8·|p|.  Where
    the exact Hessian predicted the change of the slope over the last step better than N did, it takes the place of N
    in the next model (as Dennis, Gay & Welsch do with an approximation), with ∇³f[p, p]/2 in the acceleration.
    Variables at a bound that keeps the cost from falling are held, and trials are projected.

    Needs a sum of squares.  Source: Moré, *Lecture Notes in Mathematics* 630 (1978); Transtrum & Sethna,
    arXiv:1201.5885 (2012); Dennis, Gay & Welsch, *ACM Trans. Math. Softw.* 7 (1981).

    >>> import descend
    >>> r = descend.minimize("100*(y - x^2)^2 + (1 - x)^2", [-1.2, 1], method="levenberg-marquardt")
    >>> r.status.name, r.looks < 25
    ('MINIMUM', True)
    """

    name: ClassVar[str] = "levenberg-marquardt"
    needs: ClassVar[Needs] = Needs.NORMAL_MATRIX
    source: ClassVar[str] = "Moré (1978); Transtrum & Sethna (2012); Dennis, Gay & Welsch (1981)"

    def start(self, x: Vector, box: Box | None = None) -> LevenbergMarquardtState:
        return LevenbergMarquardtState(x, box=box)

    def predict(self, state: State) -> Vector:
        assert isinstance(state, LevenbergMarquardtState)
        return tried(state)

    def learn(self, state: LevenbergMarquardtState, point: Vector, evaluation: Evaluation) -> LevenbergMarquardtState:
        if state.trial is None:
            return self._first(state, point, evaluation)
        ratio = fall_ratio(state, point, evaluation)
        if ratio > SUFFICIENT:
            return self._accepted(state, point, evaluation, ratio)
        return self._rejected(state, evaluation)

    # ---------------------------------------------------------------------------------------------------- one look

    def _first(self, state: LevenbergMarquardtState, point: Vector, evaluation: Evaluation) -> LevenbergMarquardtState:
        import numpy as np

        if not evaluation.finite:
            return replace(state, accepted=False, gave_up=Ending.NOT_FINITE)
        at, gradient = point.array(), evaluation.gradient.array()
        begun = replace(
            state, cost=evaluation.cost, gradient=gradient, at=at, origin=at, curvature=evaluation.curvature,
            scaling=np.zeros(len(at)),
        )  # fmt: skip
        begun = _modelled(begun)
        return replace(begun, gave_up=Ending.FLAT) if _flat(begun) else _proposed(_with_first_radius(begun))

    def _accepted(
        self, state: LevenbergMarquardtState, point: Vector, evaluation: Evaluation, ratio: float
    ) -> LevenbergMarquardtState:
        assert state.model is not None
        gradient = evaluation.gradient.array()
        at = point.array()
        step = at - state.at
        length = _size(state.scaling * step)
        radius = state.radius
        if ratio < POOR:
            radius = 0.5 * length
        elif ratio > GOOD:
            radius = max(radius, 2.0 * length)
        moved = replace(
            state, x=point, number=state.number + 1, accepted=True, cost=evaluation.cost, gradient=gradient, at=at,
            curvature=evaluation.curvature, radius=radius, full=step if state.interior else None,
            exact=_other_is_better(state, step, gradient) ^ state.exact,
        )  # fmt: skip
        if _flat(moved):
            return replace(moved, gave_up=Ending.FLAT)
        if state.interior and _arrived(state, at, gradient):
            return replace(moved, gave_up=Ending.CLOSE)
        moved = replace(moved, doubts=state.doubts + (state.exact or state.shortened))
        if moved.doubts >= MOST_DOUBTS:
            return replace(moved, gave_up=Ending.NO_STEP)
        if state.interior and _is_noise(state, gradient, step):
            moved = replace(moved, stays=state.stays + 1)
            if moved.stays >= PATIENCE:
                return replace(moved, gave_up=Ending.NO_STEP)
        return _proposed(_modelled(moved))

    def _rejected(self, state: LevenbergMarquardtState, evaluation: Evaluation) -> LevenbergMarquardtState:
        length = _size(state.scaling * state.trial)
        shorter = OUTSIDE
        if evaluation.finite:
            slope = float(state.gradient @ state.trial)
            bend = evaluation.cost - state.cost - slope
            shorter = min(LONGEST, max(SHORTEST, -0.5 * slope / bend if bend > 0 else 0.0))
        radius = shorter * length
        again = replace(state, accepted=False, radius=radius, full=None)
        if not radius > SHORTEST_RADIUS * _size(state.scaling * state.at):
            return replace(again, gave_up=Ending.NO_STEP)
        return _proposed(again)

    def describe(self) -> str:
        return "Levenberg-Marquardt with geodesic acceleration"


def _flat(state: LevenbergMarquardtState) -> bool:
    """Whether the slope is exactly zero, but for what bounds hold."""
    slope = state.x.like(state.gradient)
    return not any(slope if state.box is None else state.box.projected_slope(state.x, slope))


def _size(vector: Any) -> float:
    return Vector(vector).norm()


def _modelled(state: LevenbergMarquardtState) -> LevenbergMarquardtState:
    """Return the state with the model at its point."""
    import numpy as np

    assert state.curvature is not None
    free = None
    if state.box is not None:
        held = list(state.box.held(state.x, state.x.like(state.gradient)))
        if held:
            free = np.ones(len(state.at), dtype=bool)
            free[held] = False
    for exact in (True, False) if state.exact else (False,):
        matrix = state.curvature.hessian() if exact else state.curvature.normal()
        if not np.isfinite(matrix).all():
            return replace(state, gave_up=Ending.NOT_FINITE)
        scaling = np.maximum(state.scaling, np.sqrt(np.abs(np.diag(matrix))))
        scaling = np.maximum(scaling, LEAST_SCALE * (float(scaling.max()) or 1.0))
        model = _Model(matrix, state, scaling, free)
        if model.definite:
            break
    return replace(state, exact=exact, scaling=scaling, model=model)


def _with_first_radius(state: LevenbergMarquardtState) -> LevenbergMarquardtState:
    size = _size(state.scaling * state.at)
    return replace(state, radius=FIRST * (size or _size(state.scaling)))


def _proposed(state: LevenbergMarquardtState) -> LevenbergMarquardtState:
    """Return the state with the next trial: the model's step in the ball, accelerated."""
    import numpy as np

    if state.gave_up is not None:
        return state
    assert state.model is not None
    assert state.curvature is not None
    radius, shorter = state.radius, 0
    while True:
        p, interior = state.model.step(radius)
        if not np.isfinite(p).all() or not p.any():
            return replace(state, gave_up=Ending.NO_STEP)
        bend = state.curvature.third(p) if state.exact else state.curvature.residual_curvature(p)
        a = -0.5 * state.model.solve(bend) if np.isfinite(bend).all() else np.zeros_like(p)
        length = _size(state.scaling * p)
        ratio = _size(state.scaling * a) / length
        if ratio <= BENDS or shorter == SHORTER:
            break
        shorter += 1
        radius = length * max(SHORTEST, min(LONGEST, 0.8 * BENDS / ratio))
    trial = p + a if ratio <= BENDS else p
    if interior and state.full is not None:
        ratio = _size(state.scaling * trial) / _size(state.scaling * state.full)
        if CONTRACTING < ratio < SLOWEST and _cosine(state.scaling * trial, state.scaling * state.full) > PARALLEL:
            trial = trial / (1.0 - ratio)
    return replace(state, radius=radius, model_step=p, trial=trial, interior=interior, shortened=shorter > 0)


def _cosine(a: Any, b: Any) -> float:
    return float((a / _size(a)) @ (b / _size(b)))


def _other_is_better(state: LevenbergMarquardtState, step: Any, gradient: Any) -> bool:
    """Whether the matrix that the model has not predicts the new slope better than the one it has."""
    assert state.curvature is not None
    assert state.model is not None
    change = gradient - state.gradient
    own = _size((change - state.model.hessian @ step) / state.scaling)
    if own <= 0.01 * _size(state.gradient / state.scaling):
        return False
    other = state.curvature.normal_product(step) if state.exact else state.curvature.product(step)
    return _size((change - other) / state.scaling) < 0.5 * own


def _arrived(state: LevenbergMarquardtState, at: Any, gradient: Any) -> bool:
    """Whether the distance that is left, by the old model, is nothing: the new slope's Newton step."""
    import numpy as np

    assert state.model is not None
    left = np.abs(state.model.solve(gradient))
    # Where parameters depend on one another the slope along that has to be rounding too, for a verdict.
    close = CLOSE if state.model.definite else EPSILON
    return bool((left <= close * np.abs(at) + EPSILON * np.abs(at - state.origin)).all())


def _is_noise(state: LevenbergMarquardtState, gradient: Any, step: Any) -> bool:
    """Whether the cost cannot tell the step any more, and what is left is not half as long."""
    assert state.model is not None
    if abs(state.model.reduction(state.model_step)) > COST_NOISE * abs(state.cost):
        return False
    return _size(state.scaling * state.model.solve(gradient)) > 0.5 * _size(state.scaling * step)


class _Model(DenseModel):
    """The quadratic model without the slopes that are only rounding along directions without curvature.

    By Cauchy and Schwarz an entry of the scaled gradient JᵀWr is at most |r| in size, so its rounding error is a small
    multiple of ε·|r|: where parameters depend on one another, no step is taken along what does not change the model
    (the step of least norm).
    """

    def __init__(self, matrix: Any, state: LevenbergMarquardtState, scaling: Any, free: Any) -> None:
        super().__init__(matrix, state.gradient, scaling, free)
        rounding = ROUNDINGS * len(scaling) * EPSILON * sqrt(abs(state.cost))
        self._slopes[(self._values <= self._level) & (abs(self._slopes) <= rounding)] = 0.0
