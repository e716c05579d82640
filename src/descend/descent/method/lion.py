"""Lion: steps of one length in every variable, by the sign of a mean of slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import sign, zeros
from descend.descent.method.base import State
from descend.descent.method.schedules import FRACTION, POSITIVE_OR_ZERO, RatedMethod, check
from descend.vector import Vector


@dataclass(frozen=True)
class MeanState(State):
    """The running mean of the gradients."""

    mean: Any = None


@dataclass(frozen=True)
class Lion(RatedMethod):
    """x ← x - rate · (sign(β₁m + (1 - β₁)g) + λx);  m ← β₂m + (1 - β₂)g, from m = 0, with λ = `weight_decay`.

    Every step is as long as the rate in each variable, so it comes to rest only with a rate that falls.
    Source: Chen et al., *Symbolic discovery of optimization algorithms* (NeurIPS 2023), algorithm 2; there λ > 0.

    >>> import descend
    >>> descend.minimize("x^2 + 100*(y-1)^2", [3, 3], method=descend.Lion("0.1*0.99^k")).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "lion"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Chen et al., NeurIPS (2023)"

    learning_rate: float | str = 0.0001
    beta1: float = 0.9
    beta2: float = 0.99
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, beta1=FRACTION, beta2=FRACTION, weight_decay=POSITIVE_OR_ZERO)

    def start(self, x: Vector, box: Box | None = None) -> MeanState:
        return MeanState(x, box=box, mean=zeros(x))

    def learn(self, state: MeanState, point: Any, evaluation: Any) -> State:
        g, rate = evaluation.gradient, self.rate(state.number)
        step = sign(self.beta1 * state.mean + (1.0 - self.beta1) * g) + self.weight_decay * point
        mean = self.beta2 * state.mean + (1.0 - self.beta2) * g
        return self.stepped(state, point - rate * step, rate, mean=mean)
