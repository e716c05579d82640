"""Costs with kinks: a linear program finds which pieces meet at the minimum, a Newton step keeps them together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar

from descend.descent.method.base import Method, State
from descend.descent.status import Ending
from descend.evaluation import Evaluation, Needs

if TYPE_CHECKING:
    from descend.box import Box
    from descend.problem.kinks import Pieces
    from descend.vector import Vector

NOISE = 2.0**-48  # relative: a change of the cost that cannot be told from rounding
CLOSE = 1e-9  # of each variable's scale: a tied Newton step as short as this has arrived
CLOSE = 1e-8  # of the variables' scales: a Newton step that is no longer leads to where the point is
TRIES = 60
FURTHEST = 1e3  # steps, in the variables' scales
PARTS = (1.0, 0.5, 0.25, 0.1, 0.01, 1e-3)  # of the way to the linear program's corner


@dataclass(frozen=True)
class SLQPState(State):
    """The accepted point with its cost and pieces, the step being tried, what it should gain, how far is allowed.

    `ties` are the pieces that the step keeps together; `corrected` says that it is the second-order correction.
    """

    cost: float = float("inf")
    pieces: Any = None
    step: Any = None
    gain: float = 0.0
    radius: float = 1.0
    tries: int = 0
    scale: Any = None
    ties: Any = None
    corrected: bool = False


@dataclass(frozen=True)
class SLQP(Method):
    """Sequential linear-quadratic programming for costs made of abs, max and min.

    Every kink is a largest piece, mₖ = maxᵢ aₖᵢ.  The model at x is gᵀp + ½ pᵀHp + Σₖ wₖ maxᵢ(aₖᵢ + ∇aₖᵢᵀp): a linear
    program in |pⱼ| ≤ radius · scaleⱼ tells which pieces meet, the Newton step under these ties (`ties.tied_step`) gives
    the quadratic convergence, and the point with the lowest model on the way from one to the other is tried.  A trial
    that is too high because the ties bend is corrected once, back onto them (Fletcher 1982).

    >>> import descend
    >>> r = descend.minimize("abs(x - 0.3) + abs(y)", [1, 1], method=descend.SLQP())
    >>> r["x"], r["y"], r.status.name
    (0.3, 0.0, 'AT_KINK')
    """

    name: ClassVar[str] = "slqp"
    needs: ClassVar[Needs] = Needs.KINKS
    source: ClassVar[str] = (
        "Fletcher & Sainz de la Maza, Math. Program. 43 (1989); Byrd et al., Math. Program. 100 (2004)"
    )

    def start(self, x: Vector, box: Box | None = None) -> SLQPState:
        return SLQPState(x, box=box)

    def predict(self, state: State) -> Vector:
        assert isinstance(state, SLQPState)
        if state.step is None:
            return super().predict(state)
        moved = state.x.like(state.x.array() + state.step)
        return moved if state.box is None else state.box.project(moved)

    def learn(self, state: SLQPState, point: Vector, evaluation: Evaluation) -> SLQPState:
        import numpy as np

        if state.step is None:
            if not evaluation.finite:
                return replace(state, accepted=False, gave_up=Ending.NOT_FINITE)
            x = np.abs(point.array())
            scale = np.where(x > 0, x, x.max(initial=0.0) or 1.0)
            return self._ahead(replace(state, scale=scale), point, evaluation)
        noise = NOISE * abs(state.cost)
        actual = state.cost - evaluation.cost
        ratio = actual / state.gain if evaluation.finite else -1.0
        if state.gain <= noise and evaluation.finite and actual >= -noise:
            ratio = 1.0
        size = float(np.max(np.abs(state.step) / state.scale, initial=0.0))
        if ratio <= 1e-4:
            if evaluation.finite and not state.corrected and (corrected := self._corrected(state, evaluation)):
                return corrected
            if state.tries >= TRIES or (state.gain <= noise and evaluation.finite):
                return replace(state, accepted=False, gave_up=Ending.NO_STEP)
            radius = size * (0.1 if not isfinite(evaluation.cost) else 0.3)
            return self._planned(replace(state, radius=radius, tries=state.tries + 1, accepted=False))
        radius = 0.5 * size if ratio < 0.25 else max(state.radius, 2.5 * size) if ratio > 0.75 else state.radius
        radius = min(radius, FURTHEST)
        scale = np.maximum(state.scale, np.abs(point.array()))
        moved = replace(state, x=point, number=state.number + 1, accepted=True, radius=radius, tries=0, scale=scale)
        if state.gain <= noise:
            return replace(moved, cost=evaluation.cost, gave_up=Ending.CLOSE)
        return self._ahead(moved, point, evaluation)

    def _ahead(self, state: SLQPState, point: Vector, evaluation: Evaluation) -> SLQPState:
        """Take the pieces apart at a point that is accepted, and plan the next step."""
        assert evaluation.curvature is not None
        pieces = evaluation.curvature.pieces()
        return self._planned(replace(state, x=point, cost=evaluation.cost, pieces=pieces))

    def _corrected(self, state: SLQPState, evaluation: Evaluation) -> SLQPState | None:
        """Return the trial moved back onto the ties, as the pieces at the trial tell; None where that is far away."""
        import numpy as np

        from descend.descent.ties import manifold

        assert evaluation.curvature is not None
        back = state.scale * manifold(evaluation.curvature.pieces(), state.ties, state.scale).back
        if not 0 < np.max(np.abs(back) / state.scale) <= np.max(np.abs(state.step) / state.scale):
            return None
        return replace(state, step=state.step + back, corrected=True, accepted=False, tries=state.tries + 1)

    def _planned(self, state: SLQPState) -> SLQPState:
        import numpy as np

        with np.errstate(all="ignore"):
            return self._best(state)

    def _best(self, state: SLQPState) -> SLQPState:
        """Try the point with the lowest model."""
        import numpy as np

        from descend.descent.ties import multipliers, tied_step

        pieces, scale = state.pieces, state.scale
        low, high = -state.radius * scale, state.radius * scale
        if state.box is not None:
            low = np.maximum(low, state.box.lower.array() - state.x.array())
            high = np.minimum(high, state.box.upper.array() - state.x.array())
        corner, ties = _corner(pieces, low, high)
        weights = multipliers(pieces, ties).weights
        newton = np.clip(tied_step(pieces, ties, weights, scale, state.radius).p, low, high)
        hessian = pieces.hessian(weights)
        candidates = [newton, *(part * corner for part in PARTS)]
        candidates += [base + part * (newton - base) for base in candidates[1:3] for part in (0.25, 0.5, 0.75)]
        gains = [_gain(pieces, hessian, p) for p in candidates]
        best = int(np.argmax(gains))
        gain = gains[best]
        if not gain > 0 or not np.any(candidates[best]):
            arrived = np.all(np.abs(newton) <= CLOSE * scale)
            return replace(state, gave_up=Ending.CLOSE if arrived else Ending.NO_STEP)
        return replace(state, step=candidates[best], gain=gain, ties=ties, corrected=False)

    def describe(self) -> str:
        return "sequential linear-quadratic programming over kinks"


def _gain(pieces: Pieces, hessian: Any, p: Any) -> float:
    """Return by how much the model falls along p (-inf where it is not finite)."""
    import numpy as np

    change = float(pieces.gradient @ p + 0.5 * (p @ (hessian @ p)))
    for role, values, slopes in zip(pieces.roles, pieces.values, pieces.slopes, strict=True):
        largest = int(np.argmax(values))
        moved = slopes @ p
        rise = float(np.max(values - values[largest] + moved)) if role > 0 else float(moved[largest])
        change += float(role) * rise
    return -change if isfinite(change) else float("-inf")


def _corner(pieces: Pieces, low: Any, high: Any) -> tuple[Any, list[Any]]:
    """Solve the linear program: return (the step, for each kink the pieces that are largest there)."""
    import numpy as np
    from scipy.optimize import linprog

    size = len(pieces.gradient)
    ties: list[Any] = [np.array([int(np.argmax(values))]) for values in pieces.values]
    reach = np.maximum(np.abs(low), np.abs(high))
    reach[reach == 0] = 1.0
    cost = pieces.gradient * reach
    rows, sides, owners = [], [], []
    tops: list[float] = []
    for k, (role, values, slopes) in enumerate(zip(pieces.roles, pieces.values, pieces.slopes, strict=True)):
        largest = int(np.argmax(values))
        if not role > 0:
            cost = cost + role * slopes[largest] * reach
            continue
        # In units of how far the pieces can move, so that the solver's tolerance means the same at any scale.
        unit = float(np.abs(slopes * reach).sum(axis=1).max()) or 1.0
        for i, (value, slope) in enumerate(zip(values, slopes, strict=True)):
            rows.append((len(tops), slope * reach / unit))
            sides.append((values[largest] - value) / unit)
            owners.append((k, i))
        tops.append(float(role) * unit)
    count = len(tops)
    matrix = np.zeros((len(rows), size + count))
    for row, (top, slope) in enumerate(rows):
        matrix[row, :size] = slope
        matrix[row, size + top] = -1.0
    objective = np.concatenate([cost, tops])
    objective = objective / (np.abs(objective).max(initial=0.0) or 1.0)
    if not (np.isfinite(objective).all() and np.isfinite(matrix).all() and np.isfinite(sides).all()):
        return np.zeros(size), ties  # at the end of the doubles
    bounds = [*zip(low / reach, high / reach, strict=True), *([(None, None)] * count)]
    upper = np.array(sides) if rows else None
    found = linprog(objective, matrix if rows else None, upper, bounds=bounds, method="highs-ds")
    if found.x is None:
        return np.zeros(size), ties
    if rows:
        slack = upper - matrix @ found.x
        for k in {k for k, _ in owners}:
            ties[k] = np.array([i for (o, i), s in zip(owners, slack, strict=True) if o == k and s <= 1e-9])
    return found.x[:size] * reach, ties
