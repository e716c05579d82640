"""Nesterov's accelerated gradient method, started again where its momentum points uphill."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import divide, dot, less, sqrt, where
from descend.descent.method.base import State
from descend.descent.method.schedules import FRACTION, RatedMethod, check
from descend.errors import MethodError
from descend.vector import Vector


@dataclass(frozen=True)
class NesterovState(State):
    """`x` is where it looks, y_k; `base` the point x_k that the step leads from, and `t` the number t_k."""

    base: Any = None
    t: Any = 1.0


@dataclass(frozen=True)
class Nesterov(RatedMethod):
    """x_{k+1} = y_k - rate · ∇f(y_k);  y_{k+1} = x_{k+1} + β_k · (x_{k+1} - x_k).

    β_k = (t_k - 1)/t_{k+1} with t_0 = 1, t_{k+1} = (1 + √(1 + 4t_k²))/2, or the fixed `momentum`.  It looks at the
    points y_k, which are what trace and result show.  With `restart`, where ∇f(y_k)ᵀ(x_{k+1} - x_k) > 0, it starts
    again from x_{k+1}.  Sources: Nesterov, *Soviet Math. Dokl.* 27 (1983); the t_k: Beck & Teboulle, *SIAM J. Imaging
    Sci.* 2 (2009); the restart: O'Donoghue & Candès, *Found. Comput. Math.* 15 (2015).

    >>> import descend
    >>> descend.minimize("x^2 + 100*(y-1)^2", [3, 3], method=descend.Nesterov(0.005)).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "nesterov"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = (
        "Nesterov, Soviet Math. Dokl. 27 (1983); O'Donoghue & Candès, Found. Comput. Math. 15 (2015)"
    )

    momentum: float | None = None
    restart: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.momentum is not None:
            check(self, momentum=FRACTION)
        if not isinstance(self.restart, bool):
            raise MethodError("restart is True or False")

    def start(self, x: Vector, box: Box | None = None) -> NesterovState:
        return NesterovState(x, box=box, base=x)

    def learn(self, state: NesterovState, point: Any, evaluation: Any) -> State:
        rate = self.rate(state.number)
        new = point - rate * evaluation.gradient
        if state.box is not None:
            new = state.box.project(new)
        moved = new - state.base
        t: Any = 0.5 * (1.0 + sqrt(1.0 + 4.0 * (state.t * state.t)))
        momentum = divide(state.t - 1.0, t) if self.momentum is None else self.momentum
        if self.restart:
            uphill = less(0.0, dot(evaluation.gradient, moved))
            t, momentum = where(uphill, 1.0, t), where(uphill, 0.0, momentum)
        return self.stepped(state, new + momentum * moved, rate, base=new, t=t)

    def describe(self) -> str:
        kind = "t_k" if self.momentum is None else f"{self.momentum:g}"
        return f"{super().describe()}, momentum {kind}{', with restart' if self.restart else ''}"
