"""Gradient descent with a fixed learning rate, or one that is a formula of the step number k."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.descent.method.base import State
from descend.descent.method.schedules import RatedMethod


@dataclass(frozen=True)
class GradientDescent(RatedMethod):
    """x ← x - rate · ∇f(x), Cauchy's method with a fixed factor (Cauchy 1847).

    `learning_rate` is a positive number, or a formula of the step number k = 0, 1, 2, ... such as "0.1/(1+k/10)".
    It multiplies the gradient of the cost as named: nothing is rescaled.
    """

    name: ClassVar[str] = "gradient-descent"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Cauchy, C. R. Acad. Sci. Paris 25 (1847)"

    def learn(self, state: State, point: Any, evaluation: Any) -> State:
        rate = self.rate(state.number)
        return self.stepped(state, point - rate * evaluation.gradient, rate)

    def describe(self) -> str:
        return f"gradient descent, learning rate {self.learning_rate}"
