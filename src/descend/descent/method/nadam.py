"""Nadam: Adam with Nesterov's momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import divide, plus, ratio, sqrt, times, zeros
from descend.descent.method.adam import AdamMethod, AdamState
from descend.descent.method.base import State
from descend.vector import Vector

WARM = 0.96**0.004  # factor of a step on the part of the momentum that is still missing


@dataclass(frozen=True)
class NadamState(AdamState):
    """`power1` is the product of the momenta so far, `warm` is 0.96^(k/250)."""

    warm: Any = 1.0


@dataclass(frozen=True)
class Nadam(AdamMethod):
    """x ← x - rate · m̂/(√v̂ + ε), m̂ = μ_{k+1} m/(1 - μ₁…μ_{k+1}) + (1 - μ_k) g/(1 - μ₁…μ_k), v̂ = v/(1 - β₂ᵏ).

    m ← μ_k m + (1 - μ_k)g, v ← β₂v + (1 - β₂)g², from zero, with the momenta μ_k = β₁(1 - 0.96^(k/250)/2) at step
    k = 1, 2, ...  PyTorch has β₁ in place of μ_k in m.
    Source: Dozat, *Incorporating Nesterov momentum into Adam* (ICLR workshop 2016, and the report of 2015).

    >>> import descend
    >>> descend.minimize("x^2 + 100*(y-1)^2", [3, 3], method=descend.Nadam(0.1)).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "nadam"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Dozat, ICLR workshop (2016)"

    def start(self, x: Vector, box: Box | None = None) -> NadamState:
        return NadamState(x, box=box, mean=zeros(x), squares=zeros(x))

    def learn(self, state: NadamState, point: Any, evaluation: Any) -> State:
        g, rate = evaluation.gradient, self.rate(state.number)
        warm = WARM * state.warm
        now, then = self.beta1 * (1.0 - 0.5 * warm), self.beta1 * (1.0 - 0.5 * WARM * warm)
        mean = now * state.mean + (1.0 - now) * g
        squares = self.beta2 * state.squares + (1.0 - self.beta2) * times(g, g)
        power1, power2 = now * state.power1, self.beta2 * state.power2
        ahead = divide(then, 1.0 - then * power1) * mean + divide(1.0 - now, 1.0 - power1) * g
        step = ratio(ahead, plus(sqrt(divide(squares, 1.0 - power2)), self.epsilon))
        memory = {"mean": mean, "squares": squares, "power1": power1, "power2": power2, "warm": warm}
        return self.stepped(state, point - rate * step, rate, **memory)
