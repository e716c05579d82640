"""Gradient descent that chooses its own step lengths: Barzilai-Borwein lengths, safeguarded by backtracking."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from operator import index
from typing import ClassVar

from descend.box import Box
from descend.descent.method.base import Method, State
from descend.descent.status import Ending
from descend.errors import MethodError, printable
from descend.evaluation import Evaluation
from descend.vector import Vector

SUFFICIENT = 1e-4  # Armijo's constant
TRIES = 60  # of one line search
ROUNDING = 4e-16  # relative noise of a cost: below it only the slope can tell progress


@dataclass(frozen=True)
class SearchState(State):
    """The accepted point with what was seen there, the length being tried, and the last accepted costs."""

    cost: float = float("inf")
    gradient: Vector | None = None
    length: float = 0.0
    tries: int = 0
    recent: tuple[float, ...] = ()


@dataclass(frozen=True)
class Backtracking(Method):
    """Steepest descent, x ← x - t · ∇f(x); t is the Barzilai-Borwein length, shortened until the cost falls.

    Accepted when f(new) ≤ max(last `memory` costs) - 10⁻⁴ t |∇f|² (Grippo, Lampariello & Lucidi 1986), or when the
    cost is equal to rounding and the slope has become smaller.  Lengths: t = sᵀs/sᵀy and sᵀy/yᵀy in turn.
    """

    name: ClassVar[str] = "backtracking"
    source: ClassVar[str] = "Barzilai & Borwein, IMA J. Numer. Anal. 8 (1988); Raydan, SIAM J. Optim. 7 (1997)"

    memory: int = 10

    def __post_init__(self) -> None:
        try:
            memory = 0 if isinstance(self.memory, bool) else index(self.memory)
        except TypeError:
            memory = 0
        if memory < 1:
            raise MethodError(f"memory must be a whole number of at least 1, not {printable(repr(self.memory), 40)}")
        object.__setattr__(self, "memory", memory)

    def start(self, x: Vector, box: Box | None = None) -> SearchState:
        return SearchState(x, box=box)

    def predict(self, state: State) -> Vector:
        assert isinstance(state, SearchState)
        if state.gradient is None:
            point: Vector = state.x
            return point
        moved: Vector = state.x - state.length * state.gradient
        return moved

    def learn(self, state: SearchState, point: Vector, evaluation: Evaluation) -> SearchState:
        if state.gradient is None:
            return self._first(state, evaluation)
        if self._accepts(state, evaluation):
            return self._accepted(state, point, evaluation)
        length = self._shorter(state, evaluation)
        if state.tries >= TRIES:
            return replace(state, accepted=False, gave_up=Ending.NO_STEP)
        return replace(state, accepted=False, length=length, tries=state.tries + 1)

    def _first(self, state: SearchState, evaluation: Evaluation) -> SearchState:
        if not evaluation.finite:
            return replace(state, accepted=False, gave_up=Ending.NOT_FINITE)
        size = evaluation.gradient.norm()
        if size == 0:
            return replace(state, gave_up=Ending.FLAT)
        length = 0.1 * max(1.0, state.x.norm()) / size  # a tenth of the way that the point is from 0
        return replace(
            state, cost=evaluation.cost, gradient=evaluation.gradient, length=length, recent=(evaluation.cost,)
        )

    def _accepts(self, state: SearchState, evaluation: Evaluation) -> bool:
        assert state.gradient is not None
        if not evaluation.finite:
            return False
        slope = state.gradient.norm()
        if evaluation.cost <= max(state.recent) - SUFFICIENT * (state.length * slope) * slope:
            return True
        noise = ROUNDING * abs(state.cost)
        return evaluation.cost <= state.cost + noise and evaluation.gradient.norm() < slope

    def _shorter(self, state: SearchState, evaluation: Evaluation) -> float:
        """The minimum of the parabola through what is known, kept between a tenth and a half of the length."""
        assert state.gradient is not None
        if not isfinite(evaluation.cost):
            return 0.1 * state.length
        slope = state.gradient.norm()
        fall = state.length * slope * slope
        curve = 2.0 * (evaluation.cost - state.cost + fall)
        return state.length * min(0.5, max(0.1, fall / curve if curve > 0 else 0.5))

    def _accepted(self, state: SearchState, point: Vector, evaluation: Evaluation) -> SearchState:
        assert state.gradient is not None
        slope = evaluation.gradient.norm()
        length = _barzilai_borwein(point - state.x, evaluation.gradient - state.gradient, long=state.number % 2 == 0)
        if length is None:
            length = 4.0 * state.length
        # No further than ten times as far as the point is from 0: a length learned on a bend may be meaningless.
        if 0 < slope < float("inf"):
            length = min(length, 10.0 * max(1.0, point.norm()) / slope)
        if not 0.0 < length < float("inf"):
            length = state.length
        return replace(
            state,
            x=point,
            number=state.number + 1,
            rate=state.length,
            accepted=True,
            gave_up=Ending.FLAT if slope == 0 else None,
            cost=evaluation.cost,
            gradient=evaluation.gradient,
            length=length,
            tries=0,
            recent=(*state.recent, evaluation.cost)[-self.memory :],
        )

    def describe(self) -> str:
        return "gradient descent with a backtracking search"


def _barzilai_borwein(moved: Vector, change: Vector, *, long: bool) -> float | None:
    """sᵀs/sᵀy or sᵀy/yᵀy for the step s and the change y of the slope; None where the cost does not bend upward.

    From lengths and the cosine between them, so that squares of tiny or huge numbers cannot leave the doubles.
    """
    far, bend = moved.norm(), change.norm()
    if not (0 < far < float("inf") and 0 < bend < float("inf")):
        return None
    cosine = ((1.0 / far) * moved).dot((1.0 / bend) * change)
    if not cosine > 0:
        return None
    return far / bend / cosine if long else far / bend * cosine
