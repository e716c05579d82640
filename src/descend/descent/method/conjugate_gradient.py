"""Nonlinear conjugate gradients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.descent.method.search import Search
from descend.descent.method.searched import Searched, Turn
from descend.descent.method.searches import SHARP
from descend.descent.method.settings import one_of
from descend.vector import Vector

ETA = 0.4  # of Hager and Zhang's lower bound on beta, in the form of their survey (2006)


@dataclass(frozen=True)
class ConjugateGradient(Searched):
    """d ← -g + β·d, with g the gradient and y its change.

    ``beta="hager-zhang"``: β = (y - 2d·|y|²/dᵀy)ᵀg / dᵀy, not below 0.4·dᵀg/|d|² (CG_DESCENT).
    ``beta="polak-ribiere"``: β = max(0, gᵀy/|g before|²) (Polak & Ribière 1969; Powell 1984).
    Where that does not go down, and where a bound has been met or left, d = -g.

    >>> import descend
    >>> descend.minimize("(x-1)^4 + (x-1)^2 + (y+2)^2 + x*y", [0, 0], method="conjugate-gradient").status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "conjugate-gradient"
    source: ClassVar[str] = "Hager & Zhang, SIAM J. Optim. 16 (2005)"

    beta: str = "hager-zhang"
    search: str = "strong-wolfe"

    def __post_init__(self) -> None:
        one_of(self.beta, BETAS, "beta")
        one_of(self.search, SHARP, "search")

    def strategy(self) -> Search:
        return SHARP[self.search]

    def turn(self, at: Turn) -> tuple[Any, Vector]:
        state = at.state
        steepest = -at.free(at.gradient)
        assert state.gradient is not None
        if at.held != state.held:
            return None, steepest
        beta = BETAS[self.beta](at.free(at.gradient), at.free(state.gradient), at.before())
        if beta is None:
            return None, steepest
        return True, steepest + beta * at.before()

    def first_length(self, at: Turn, direction: Vector, unit: float) -> float:
        """The last length: on a quadratic the lengths lie between the inverses of its curvatures."""
        return at.again(unit)

    def describe(self) -> str:
        return f"conjugate gradients, {self.beta}"


def hager_zhang(gradient: Vector, before: Vector, direction: Vector) -> float | None:
    """Hager and Zhang's β; None where the slope along the direction has not risen."""
    turned = gradient - before
    bend, far = turned.norm(), direction.norm()
    if not 0 < far < float("inf") or not 0 < bend < float("inf"):
        return None
    y, d = (1.0 / bend) * turned, (1.0 / far) * direction
    cosine = d.dot(y)
    if not cosine > 0:
        return None
    beta = (y.dot(gradient) - 2.0 * d.dot(gradient) / cosine) / (cosine * far)
    return max(beta, ETA * (d.dot(before) / far))


def polak_ribiere(gradient: Vector, before: Vector, _direction: Vector) -> float | None:
    """Polak and Ribière's β, not below 0."""
    size = before.norm()
    if not 0 < size < float("inf"):
        return None
    unit = 1.0 / size
    now = unit * gradient
    return max(0.0, now.dot(now - unit * before))


BETAS = {"hager-zhang": hager_zhang, "polak-ribiere": polak_ribiere}
