"""Gradient descent with momentum: the heavy ball."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.method.base import State
from descend.descent.method.schedules import FRACTION, RatedMethod, check
from descend.vector import Vector


@dataclass(frozen=True)
class BallState(State):
    """The point before this one."""

    previous: Any = None


@dataclass(frozen=True)
class Momentum(RatedMethod):
    """x_{k+1} = x_k - rate · ∇f(x_k) + momentum · (x_k - x_{k-1}), with x_{-1} = x_0.

    On a quadratic cost with curvatures from m to L the best settings are rate = 4/(√L + √m)² and momentum =
    ((√L - √m)/(√L + √m))².  Source: Polyak, *USSR Comput. Math. Math. Phys.* 4 (1964).

    >>> import descend
    >>> descend.minimize("x^2 + 10*(y-1)^2", [3, 3], method=descend.Momentum(0.08, momentum=0.3)).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "momentum"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Polyak, USSR Comput. Math. Math. Phys. 4 (1964)"

    momentum: float = 0.9

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, momentum=FRACTION)

    def start(self, x: Vector, box: Box | None = None) -> BallState:
        return BallState(x, box=box, previous=x)

    def learn(self, state: BallState, point: Any, evaluation: Any) -> State:
        rate = self.rate(state.number)
        new = point - rate * evaluation.gradient + self.momentum * (point - state.previous)
        return self.stepped(state, new, rate, previous=point)

    def describe(self) -> str:
        return f"{super().describe()}, momentum {self.momentum:g}"
