"""AdaGrad: each variable has the rate that its slopes so far allow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import plus, ratio, sqrt, times, zeros
from descend.descent.method.base import State
from descend.descent.method.schedules import POSITIVE_OR_ZERO, RatedMethod, check
from descend.vector import Vector


@dataclass(frozen=True)
class SquaresState(State):
    """`squares` is the sum, or the running mean, of the squares of each entry of the gradients."""

    squares: Any = None


@dataclass(frozen=True)
class AdaGrad(RatedMethod):
    """s ← s + g²;  x ← x - rate · g/(ε + √s), entry by entry, with s = 0 at first.

    This is the diagonal form, with δ = `epsilon`.  At ε = 0, the default, 0/0 counts as 0 (the paper's pseudo-inverse),
    and the path does not depend on the unit of the cost.  The first step is as long as the rate in each variable.
    Source: Duchi, Hazan & Singer, *J. Mach. Learn. Res.* 12 (2011).

    >>> import descend
    >>> descend.minimize("x^2 + 100*(y-1)^2", [3, 3], method=descend.AdaGrad(1.0)).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "adagrad"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Duchi, Hazan & Singer, J. Mach. Learn. Res. 12 (2011)"

    epsilon: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, epsilon=POSITIVE_OR_ZERO)

    def start(self, x: Vector, box: Box | None = None) -> SquaresState:
        return SquaresState(x, box=box, squares=zeros(x))

    def learn(self, state: SquaresState, point: Any, evaluation: Any) -> State:
        g, rate = evaluation.gradient, self.rate(state.number)
        squares = state.squares + times(g, g)
        step = ratio(g, plus(sqrt(squares), self.epsilon))
        return self.stepped(state, point - rate * step, rate, squares=squares)
