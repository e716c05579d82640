"""DoG, distance over gradients: a rate from how far the descent has come.  No rate to choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import equal, hypot, maximum, norm, ratio, where
from descend.descent.method.base import Method, State, stepped
from descend.descent.method.schedules import POSITIVE, check
from descend.vector import Vector


@dataclass(frozen=True)
class DoGState(State):
    """Where it began, the furthest distance from there, and the root of the sum of squared slopes."""

    origin: Any = None
    furthest: Any = 0.0
    slopes: Any = 0.0


@dataclass(frozen=True)
class DoG(Method):
    """x_{k+1} = x_k - r_k/√(Σ_{i≤k} |g_i|²) · g_k, with r_k = max(r_ε, max_{i≤k} |x_i - x_0|).

    r_ε is `first` times |x_0| (times 1 where x_0 = 0), so that the path does not depend on units; in the paper it is
    1e-6 · (1 + |x_0|), and a small number is added under the root.  The points are the iterates, not their average.
    Source: Ivgi, Hinder & Carmon, *DoG is SGD's best friend* (ICML 2023).

    >>> import descend
    >>> descend.minimize("x^2 + 100*(y-1)^2", [3, 3], method="dog").status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "dog"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Ivgi, Hinder & Carmon, ICML (2023)"

    first: float = 1e-6

    def __post_init__(self) -> None:
        check(self, first=POSITIVE)

    def start(self, x: Vector, box: Box | None = None) -> DoGState:
        return DoGState(x, box=box, origin=x)

    def learn(self, state: DoGState, point: Any, evaluation: Any) -> State:
        g = evaluation.gradient
        size = norm(state.origin)
        first = self.first * where(equal(size, 0.0), 1.0, size)
        furthest = maximum(state.furthest, maximum(first, norm(point - state.origin)))
        slopes = hypot(state.slopes, norm(g))
        length = ratio(furthest, slopes)
        return stepped(state, point - length * g, length, furthest=furthest, slopes=slopes)
