"""Adam: momentum, and for each variable a rate from the recent size of its slope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import divide, plus, ratio, sqrt, times, zeros
from descend.descent.method.base import State
from descend.descent.method.schedules import FRACTION, POSITIVE_OR_ZERO, RatedMethod, check
from descend.vector import Vector


@dataclass(frozen=True)
class AdamState(State):
    """The two moments m and v, and the powers of their decays that correct their bias."""

    mean: Any = None
    squares: Any = None
    power1: Any = 1.0
    power2: Any = 1.0


@dataclass(frozen=True)
class AdamMethod(RatedMethod):
    """The settings and the moments of Adam and its relatives."""

    learning_rate: float | str = 0.001
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        super().__post_init__()
        check(self, beta1=FRACTION, beta2=FRACTION, epsilon=POSITIVE_OR_ZERO)

    def start(self, x: Vector, box: Box | None = None) -> AdamState:
        return AdamState(x, box=box, mean=zeros(x), squares=zeros(x))

    def moments(self, state: AdamState, g: Any) -> dict[str, Any]:
        """Return the new moments and powers."""
        return {
            "mean": self.beta1 * state.mean + (1.0 - self.beta1) * g,
            "squares": self.beta2 * state.squares + (1.0 - self.beta2) * times(g, g),
            "power1": self.beta1 * state.power1,
            "power2": self.beta2 * state.power2,
        }

    def direction(self, moments: dict[str, Any]) -> Any:
        """Return m̂/(√v̂ + ε), with both moments corrected for their start at zero."""
        mean = divide(moments["mean"], 1.0 - moments["power1"])
        squares = divide(moments["squares"], 1.0 - moments["power2"])
        return ratio(mean, plus(sqrt(squares), self.epsilon))


@dataclass(frozen=True)
class Adam(AdamMethod):
    """x ← x - rate · m̂/(√v̂ + ε), with m̂ = m/(1 - β₁ᵏ) and v̂ = v/(1 - β₂ᵏ) at step k = 1, 2, ...

    m ← β₁m + (1 - β₁)g, v ← β₂v + (1 - β₂)g², entry by entry, from zero.  The first step is as long as the rate in each
    variable.  `epsilon` is a slope: a cost in a much smaller unit needs a smaller one (at 0, the unit does not matter).
    Source: Kingma & Ba, *Adam* (ICLR 2015), algorithm 1.

    >>> import descend
    >>> descend.minimize("x^2 + 100*(y-1)^2", [3, 3], method=descend.Adam(0.1)).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "adam"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Kingma & Ba, ICLR (2015)"

    def learn(self, state: AdamState, point: Any, evaluation: Any) -> State:
        moments, rate = self.moments(state, evaluation.gradient), self.rate(state.number)
        return self.stepped(state, point - rate * self.direction(moments), rate, **moments)
