"""FISTA: accelerated proximal gradient, with restart, for penalties with kinks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING, Any, ClassVar

from descend.descent.method.composite import (
    TRIES,
    Composite,
    CompositeState,
    Seen,
    accepted,
    proximal_point,
)
from descend.descent.status import Ending
from descend.errors import MethodError

if TYPE_CHECKING:
    from descend.box import Box
    from descend.vector import Vector

BLURRED = 1e-10  # of the cost: smaller differences of it are not asked


@dataclass(frozen=True)
class FISTAState(CompositeState):
    """Also the accepted point before, the number t_k, what was seen at y_k (None: it is being looked at)."""

    before: Any = None
    t: float = 1.0
    ahead: Any = None  # what was seen at y_k


@dataclass(frozen=True)
class FISTA(Composite):
    """x_k = prox(y_k - s·D⁻¹∇f(y_k));  y_{k+1} = x_k + (t_k - 1)/t_{k+1} · (x_k - x_{k-1}).

    t_1 = 1, t_{k+1} = (1 + √(1 + 4t_k²))/2.  s = 1 at first, and is halved until f(x) ≤ f(y) + ∇f(y)ᵀ(x - y) +
    |x - y|²_D/(2s); D is the diagonal of the Hessian at the start (of many variables a number).  With `restart`, where
    (y_k - x_k)ᵀD(x_k - x_{k-1}) > 0, it begins again from x_k with t = 1 and s twice as long (O'Donoghue & Candès).
    With `newton`, a Newton step in the variables that are not 0 is tried where the proximal step leaves the zeros as
    they are.

    >>> import descend
    >>> r = descend.minimize("(x-3)^2 + (y-0.1)^2", [1, 1], penalty="l1(1)", method=descend.FISTA())
    >>> r["x"], r["y"], r.status.name
    (2.5, 0.0, 'AT_KINK')
    """

    name: ClassVar[str] = "fista"
    source: ClassVar[str] = (
        "Beck & Teboulle, SIAM J. Imaging Sci. 2 (2009); O'Donoghue & Candès, Found. Comput. Math. 15 (2015)"
    )

    restart: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.restart, bool):
            raise MethodError("restart is True or False")

    def start(self, x: Vector, box: Box | None = None) -> FISTAState:
        return FISTAState(x, box=box, origin=x)

    def step(self, state: Any, ahead: Any) -> Any:
        import numpy as np

        here, before = state.here, state.before
        if before is None:  # the first step, and the first after a restart
            return replace(state, ahead=here, trial=state.x.like(ahead))
        following = 0.5 * (1.0 + sqrt(1.0 + 4.0 * state.t * state.t))
        momentum = (state.t - 1.0) / following
        state = replace(state, t=following)
        if momentum == 0.0 or np.array_equal(before, here.x):
            return replace(state, ahead=here, trial=state.x.like(ahead))
        there = state.x.like(here.x + momentum * (here.x - before))
        if state.box is not None:
            there = state.box.project(there)
        return replace(state, ahead=None, trial=there)

    def tried(self, state: Any, point: Vector, seen: Seen, curvature: Any) -> Any:
        if state.ahead is None:  # a look at y_k
            at = seen if seen.usable else state.here
            state = replace(state, ahead=at, accepted=False)
            return replace(state, trial=state.x.like(proximal_point(state, at)))
        at = state.ahead
        moved = seen.x - at.x
        room = 0.5 * float(moved @ (state.metric / state.length * moved))
        if room > BLURRED * (abs(at.smooth) + abs(seen.smooth)):
            below = seen.smooth <= at.smooth + float(at.slope @ moved) + room
        else:  # costs as near as this are rounding: the slopes tell the curvature
            below = float((seen.slope - at.slope) @ moved) <= 2.0 * room
        if seen.usable and below:
            return self._moved(state, point, seen, curvature)
        shorter = replace(state, accepted=False, length=0.5 * state.length, tries=state.tries + 1)
        if state.tries >= TRIES:
            return replace(shorter, gave_up=Ending.NO_STEP)
        return replace(shorter, trial=state.x.like(proximal_point(shorter, at)))

    def _moved(self, state: Any, point: Vector, seen: Seen, curvature: Any) -> Any:
        along = seen.x - state.here.x
        new = accepted(state, point, seen, curvature, before=state.here.x)
        if self.restart and float((state.ahead.x - seen.x) @ (state.metric * along)) > 0:
            return self.onward(replace(new, before=None, t=1.0, length=2.0 * state.length))
        return self.onward(new)

    def polished(self, state: Any, point: Vector, seen: Seen, curvature: Any) -> Any:
        return super().polished(replace(state, before=None, t=1.0), point, seen, curvature)

    def describe(self) -> str:
        return "accelerated proximal gradient (FISTA)"
