"""AMSGrad: Adam whose rates never grow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import maximum, plus, ratio, sqrt, times, zeros
from descend.descent.method.base import State
from descend.descent.method.schedules import FRACTION, POSITIVE_OR_ZERO, RatedMethod, check
from descend.vector import Vector


@dataclass(frozen=True)
class AMSGradState(State):
    """The two moments, and the largest of the second so far."""

    mean: Any = None
    squares: Any = None
    largest: Any = None


@dataclass(frozen=True)
class AMSGrad(RatedMethod):
    """x ← x - rate · m/(√v̂ + ε), with v̂ ← max(v̂, v) and m, v as in Adam, entry by entry.

    As in the paper the moments are not corrected for their start at zero and ε = 0 (0/0 counts as 0); PyTorch corrects
    them, and has ε = 1e-8.  The first step is rate · (1 - β₁)/√(1 - β₂), 3.2 times the rate.
    Source: Reddi, Kale & Kumar, *On the convergence of Adam and beyond* (ICLR 2018), algorithm 2.

    >>> import descend
    >>> descend.minimize("x^2 + 100*(y-1)^2", [3, 3], method=descend.AMSGrad(0.1)).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "amsgrad"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Reddi, Kale & Kumar, ICLR (2018)"

    learning_rate: float | str = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, beta1=FRACTION, beta2=FRACTION, epsilon=POSITIVE_OR_ZERO)

    def start(self, x: Vector, box: Box | None = None) -> AMSGradState:
        return AMSGradState(x, box=box, mean=zeros(x), squares=zeros(x), largest=zeros(x))

    def learn(self, state: AMSGradState, point: Any, evaluation: Any) -> State:
        g, rate = evaluation.gradient, self.rate(state.number)
        mean = self.beta1 * state.mean + (1.0 - self.beta1) * g
        squares = self.beta2 * state.squares + (1.0 - self.beta2) * times(g, g)
        largest = maximum(state.largest, squares)
        step = ratio(mean, plus(sqrt(largest), self.epsilon))
        return self.stepped(state, point - rate * step, rate, mean=mean, squares=squares, largest=largest)
