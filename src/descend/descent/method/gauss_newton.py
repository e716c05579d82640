"""Gauss-Newton: the step that would be right if the residuals were linear, shortened until the cost falls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.method.base import Method, State
from descend.descent.method.subproblem import EPSILON
from descend.descent.status import Ending
from descend.evaluation import COST_NOISE, Evaluation, Needs
from descend.vector import Vector

SUFFICIENT = 1e-4  # Armijo's constant
SHORTEST, LONGEST = 0.1, 0.5  # of the last length, when it is made shorter
TRIES = 60  # of one line search
CLOSE = 1e-12  # of each variable: a step that ends the descent
PATIENCE = 3  # steps at the level of rounding, without progress in the slope
ROUNDINGS = 8.0  # ε times the number of variables, of the largest eigenvalue: smaller ones are rounding


@dataclass(frozen=True)
class GaussNewtonState(State):
    """The accepted point, the step from it and the share of it that is being tried; arrays are NumPy arrays.

    `stays` counts steps in a row that the cost cannot tell from none and that are not half as long as the one before.
    """

    cost: float = inf
    gradient: Any = None
    at: Any = None
    origin: Any = None
    step: Any = None
    length: float = 1.0
    tries: int = 0
    stays: int = 0


@dataclass(frozen=True)
class GaussNewton(Method):
    """Gauss-Newton for f = Σ wᵢrᵢ²: x ← x + t·p, p = -N⁺∇f with the normal matrix N = 2·JᵀWJ.

    Where N is singular p is the step of least norm, in variables scaled by the column norms of J.  t = 1, or shorter by
    quadratic interpolation until f(x + t·p) ≤ f(x) + 10⁻⁴·t·∇f·p (Armijo).  Near residuals that are large and bent it
    converges slowly, or not at all from far: `LevenbergMarquardt` does.  Variables at a bound that keeps the cost from
    falling are held, and trials are projected.

    Needs a sum of squares.  Source: Gauss, *Theoria motus*, 1809; Nocedal & Wright, *Numerical Optimization*, 2006,
    ch. 10.3.

    >>> import descend
    >>> r = descend.minimize("(x - 1)^2 + (x*y - 2)^2", [3, 3], method="gauss-newton")
    >>> r.status.name, r.looks < 10
    ('MINIMUM', True)
    """

    name: ClassVar[str] = "gauss-newton"
    needs: ClassVar[Needs] = Needs.NORMAL_MATRIX
    source: ClassVar[str] = "Gauss (1809); Nocedal & Wright, Numerical Optimization (2006), 10.3"

    def start(self, x: Vector, box: Box | None = None) -> GaussNewtonState:
        return GaussNewtonState(x, box=box)

    def predict(self, state: State) -> Vector:
        assert isinstance(state, GaussNewtonState)
        point: Vector = state.x
        if state.step is None:
            return point
        moved = point.like(state.at + state.length * state.step)
        return moved if state.box is None else state.box.project(moved)

    def learn(self, state: GaussNewtonState, point: Vector, evaluation: Evaluation) -> GaussNewtonState:
        if state.step is None:
            if not evaluation.finite:
                return replace(state, accepted=False, gave_up=Ending.NOT_FINITE)
            return _stepping(replace(state, origin=point.array()), point, evaluation)
        if evaluation.finite and _falls(state, point, evaluation):
            moved = replace(state, x=point, number=state.number + 1, accepted=True)
            return _stepping(moved, point, evaluation)
        if state.tries >= TRIES or point == state.x:
            return replace(state, accepted=False, gave_up=Ending.NO_STEP)
        return replace(state, accepted=False, length=_shorter(state, evaluation), tries=state.tries + 1)

    def describe(self) -> str:
        return "Gauss-Newton with a backtracking search"


def _slope(state: GaussNewtonState, point: Vector) -> float:
    """Return ∇f times the step that was taken, which ends at the bounds."""
    return float(state.gradient @ (point.array() - state.at))


def _falls(state: GaussNewtonState, point: Vector, evaluation: Evaluation) -> bool:
    if evaluation.cost <= state.cost + SUFFICIENT * _slope(state, point):
        return True
    # Costs that differ by rounding only: by the trapezoidal rule on the slopes.
    if evaluation.cost > state.cost + COST_NOISE * abs(state.cost):
        return False
    return float((state.gradient + evaluation.gradient.array()) @ (point.array() - state.at)) < 0.0


def _shorter(state: GaussNewtonState, evaluation: Evaluation) -> float:
    if not evaluation.finite:
        return SHORTEST * state.length
    slope = state.length * float(state.gradient @ state.step)
    bend = evaluation.cost - state.cost - slope
    return state.length * min(LONGEST, max(SHORTEST, -0.5 * slope / bend if bend > 0 else 0.0))


def _stepping(state: GaussNewtonState, point: Vector, evaluation: Evaluation) -> GaussNewtonState:
    """Return the state at a new point, with the step from it."""
    import numpy as np

    assert evaluation.curvature is not None
    at, gradient = point.array(), evaluation.gradient.array()
    new = replace(state, cost=evaluation.cost, gradient=gradient, at=at, length=1.0, tries=0)
    if not gradient.any():
        return replace(new, gave_up=Ending.FLAT)
    normal = evaluation.curvature.normal()
    if not np.isfinite(normal).all():
        return replace(new, gave_up=Ending.NOT_FINITE)
    free = np.ones(len(at), dtype=bool)
    if state.box is not None:
        free[list(state.box.held(point, evaluation.gradient))] = False
    step = np.zeros(len(at))
    found, whole = least_norm(normal[np.ix_(free, free)], gradient[free])
    step[free] = -found
    # Where parameters depend on one another the slope along that has to be rounding too, for a verdict.
    close = CLOSE if whole else EPSILON
    if (np.abs(step) <= close * np.abs(at) + EPSILON * np.abs(at - state.origin)).all():
        return replace(new, gave_up=Ending.CLOSE)
    if state.step is not None:
        seen = abs(float(gradient @ step)) > COST_NOISE * abs(evaluation.cost)
        scale = np.sqrt(np.abs(np.diag(normal)))
        longer = np.linalg.norm(scale * step) > 0.5 * np.linalg.norm(scale * state.step)
        new = replace(new, stays=0 if seen or not longer else state.stays + 1)
    return replace(new, step=step, gave_up=Ending.NO_STEP if new.stays >= PATIENCE else None)


def least_norm(normal: Any, gradient: Any) -> tuple[Any, bool]:
    """Return N⁺·gradient, in variables scaled by the roots of N's diagonal (the column norms of J); is N regular?

    Eigenvalues within rounding of 0 count as 0.
    """
    import numpy as np

    scaling = np.sqrt(np.diag(normal))
    scaling = np.where(scaling > 0.0, scaling, 1.0)
    values, vectors = np.linalg.eigh(normal / scaling / scaling[:, np.newaxis])
    kept = values > ROUNDINGS * len(values) * EPSILON * values.max(initial=0.0)
    parts = (gradient / scaling) @ vectors
    return (vectors[:, kept] @ (parts[kept] / values[kept])) / scaling, bool(kept.all())
