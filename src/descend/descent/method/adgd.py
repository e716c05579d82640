"""AdGD: gradient descent that measures the curvature along its own path.  No rate to choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import divide, equal, less, minimum, norm, ratio, sqrt, where, zeros
from descend.descent.method.base import Method, State, stepped
from descend.descent.method.schedules import POSITIVE, check
from descend.vector import Vector


@dataclass(frozen=True)
class AdGDState(State):
    """The point before with its gradient, the last length λ and its growth θ."""

    previous: Any = None
    slope: Any = None
    length: Any = 0.0
    growth: Any = float("inf")


@dataclass(frozen=True)
class AdGD(Method):
    """x_{k+1} = x_k - λ_k ∇f(x_k), λ_k = min(√(1 + θ_{k-1}) λ_{k-1}, |x_k - x_{k-1}|/(2|∇f(x_k) - ∇f(x_{k-1})|)).

    θ_k = λ_k/λ_{k-1}, and θ_0 = ∞: after the first step, which only has to be small, the curvature decides.  That step
    is `first` times |x_0| long (times 1 where x_0 = 0), so that the path does not depend on units; in the paper λ_0 is
    a number.  Converges on every convex cost with a locally Lipschitz gradient.
    Source: Malitsky & Mishchenko, *Adaptive gradient descent without descent* (ICML 2020), algorithm 1.

    >>> import descend
    >>> descend.minimize("x^4 + 100*(y-1)^2 + x^2", [3, 3], method="adgd").status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "adgd"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Malitsky & Mishchenko, ICML (2020)"

    first: float = 1e-6

    def __post_init__(self) -> None:
        check(self, first=POSITIVE)

    def start(self, x: Vector, box: Box | None = None) -> AdGDState:
        return AdGDState(x, box=box, previous=x, slope=zeros(x))

    def learn(self, state: AdGDState, point: Any, evaluation: Any) -> State:
        g = evaluation.gradient
        size = norm(point)
        begin = ratio(self.first * where(equal(size, 0.0), 1.0, size), norm(g))
        moved = norm(point - state.previous)
        bend = where(equal(moved, 0.0), state.length, divide(moved, 2.0 * norm(g - state.slope)))
        onward = minimum(sqrt(1.0 + state.growth) * state.length, bend)
        first = less(state.number, 1.0)
        length = where(first, begin, onward)
        growth = where(first, state.growth, ratio(length, state.length))
        new = point - length * g
        return stepped(state, new, length, previous=point, slope=g, length=length, growth=growth)
