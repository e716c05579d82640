"""RMSProp: the slope of each variable, divided by its recent size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import plus, ratio, sqrt, times, zeros
from descend.descent.method.adagrad import SquaresState
from descend.descent.method.base import State
from descend.descent.method.schedules import FRACTION, POSITIVE_OR_ZERO, RatedMethod, check
from descend.vector import Vector


@dataclass(frozen=True)
class RMSProp(RatedMethod):
    """s ← decay · s + (1 - decay) · g²;  x ← x - rate · g/(√s + ε), entry by entry, with s = 0 at first.

    As in the lecture there is no correction of the first means, so the first step is rate/√(1 - decay), and ε = 0 (0/0
    counts as 0; PyTorch has ε = 1e-8).  The steps stay about as long as the rate: it comes to rest for sure only with
    a rate that falls, such as "0.1*0.99^k".
    Source: Tieleman & Hinton, *Neural Networks for Machine Learning*, lecture 6e (2012).

    >>> import descend
    >>> descend.minimize("x^2 + 100*(y-1)^2", [3, 3], method=descend.RMSProp("0.1*0.99^k")).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "rmsprop"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Tieleman & Hinton, Neural Networks for Machine Learning, lecture 6e (2012)"

    learning_rate: float | str = 0.001
    decay: float = 0.9
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, decay=FRACTION, epsilon=POSITIVE_OR_ZERO)

    def start(self, x: Vector, box: Box | None = None) -> SquaresState:
        return SquaresState(x, box=box, squares=zeros(x))

    def learn(self, state: SquaresState, point: Any, evaluation: Any) -> State:
        g, rate = evaluation.gradient, self.rate(state.number)
        squares = self.decay * state.squares + (1.0 - self.decay) * times(g, g)
        step = ratio(g, plus(sqrt(squares), self.epsilon))
        return self.stepped(state, point - rate * step, rate, squares=squares)
