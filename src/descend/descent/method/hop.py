"""Two methods in turn: the second goes on where the first gets no further."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.method.base import Method, State
from descend.descent.status import Ending
from descend.evaluation import COST_NOISE, WORST, Evaluation, Needs
from descend.vector import Vector

DONE = frozenset({Ending.FLAT, Ending.CLOSE, Ending.SOLVED, Ending.NOT_FINITE})  # no reason to try anything else


@dataclass(frozen=True)
class HopState(State):
    """The memory of the method at work, and what was seen at its point; `idle` looks have not lowered the cost."""

    inner: State | None = None
    hopped: bool = False
    evaluation: Evaluation | None = None
    lowest: float = WORST
    idle: int = 0
    said: str = ""


@dataclass(frozen=True)
class Hop(Method):
    """`first` until it gives up, or for `patience` looks has not lowered the cost; then `second`, from where it stands.

    The second method begins with what is known at that point, without another look.  What the cost must be able to
    give, the one who makes a Hop has checked for both.
    """

    name: ClassVar[str] = "hop"

    first: Method
    second: Method
    patience: int = 60

    def __post_init__(self) -> None:
        more = [method.needs for method in (self.first, self.second) if method.needs is not Needs.GRADIENT]
        object.__setattr__(self, "needs", more[0] if more else Needs.GRADIENT)

    def start(self, x: Vector, box: Box | None = None) -> HopState:
        return HopState(x, box=box, inner=self.first.start(x, box))

    def predict(self, state: State) -> Vector:
        assert isinstance(state, HopState)
        assert state.inner is not None
        return self._at_work(state).predict(state.inner)

    def learn(self, state: HopState, point: Vector, evaluation: Evaluation) -> HopState:
        inner: State = self._at_work(state).learn(state.inner, point, evaluation)
        known = state.evaluation
        if inner.x is point:
            known = evaluation
        elif inner.x is not state.x:
            known = None  # it has moved to where nobody has looked yet
        lower = evaluation.finite and evaluation.cost < state.lowest - COST_NOISE * abs(evaluation.cost)
        lowest, idle = (evaluation.cost, 0) if lower else (state.lowest, state.idle + 1)
        new = _around(state, inner, evaluation=known, lowest=lowest, idle=idle)
        stuck = new.idle >= self.patience if inner.gave_up is None else inner.gave_up not in DONE
        return self._over(new) if stuck and not state.hopped else new

    def _at_work(self, state: HopState) -> Method:
        return self.second if state.hopped else self.first

    def _over(self, state: HopState) -> HopState:
        begun: State = self.second.start(state.x, state.box)
        if state.evaluation is not None:
            begun = self.second.learn(begun, state.x, state.evaluation)
        steps = "1 step" if state.number == 1 else f"{state.number} steps"
        said = f"{self.first.describe()} got no further after {steps}: went on with {self.second.describe()}"
        onward = replace(state, hopped=True, idle=0, inner=None, said=said)  # the second counts its steps from 0
        return _around(onward, begun)

    def describe(self) -> str:
        return self.first.describe()


def _around(state: HopState, inner: State, **memory: Any) -> HopState:
    """Return the state with another memory of the method at work, and of its own."""
    before = 0 if state.inner is None else state.inner.number
    return replace(
        state,
        x=inner.x,
        number=state.number + inner.number - before,
        rate=inner.rate,
        accepted=inner.accepted,
        gave_up=inner.gave_up,
        inner=inner,
        hops=(*((state.said,) if state.said else ()), *inner.hops),
        **memory,
    )
