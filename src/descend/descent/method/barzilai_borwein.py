"""Barzilai and Borwein's gradient descent with a non-monotone search; in a box the spectral projected gradient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.descent.method.search import Armijo, Search
from descend.descent.method.searched import Searched, Turn
from descend.descent.method.settings import whole_number
from descend.vector import Vector

FURTHEST = 10.0  # times as far as the point is from 0, and from the start: lengths learned on a bend may be meaningless
LONGER = 4.0  # times the last length, where the cost does not bend upward


@dataclass(frozen=True)
class BarzilaiBorwein(Searched):
    """x ← x - t·∇f(x), with t = sᵀs/sᵀy and sᵀy/yᵀy in turn, s the last step and y the change of the gradient.

    A length is halved or more until f(new) ≤ max(last `memory` costs) - 10⁻⁴·t·|∇f|² (Grippo, Lampariello & Lucidi
    1986; Raydan 1997).  With bounds it is the projected gradient along the arc (Birgin, Martínez & Raydan, SIAM J.
    Optim. 10, 2000).  For many variables and costs that are not badly scaled.

    >>> import descend
    >>> descend.minimize("(x-1)^4 + (y+2)^2 + x*y", [0, 0], method="barzilai-borwein").status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "barzilai-borwein"
    source: ClassVar[str] = "Barzilai & Borwein, IMA J. Numer. Anal. 8 (1988); Raydan, SIAM J. Optim. 7 (1997)"

    memory: int = 10

    def __post_init__(self) -> None:
        object.__setattr__(self, "memory", whole_number(self.memory, "memory"))

    def strategy(self) -> Search:
        return Armijo()

    def reference(self, recent: tuple[float, ...]) -> tuple[tuple[float, ...], float | None]:
        kept = recent[-self.memory :]
        return kept, max(kept)

    def turn(self, at: Turn) -> tuple[Any, Vector]:
        return True, -at.free(at.gradient)

    def first_length(self, at: Turn, direction: Vector, unit: float) -> float:
        state = at.state
        assert state.origin is not None
        point = state.x + at.moved
        length = spectral_length(at.moved, at.turned, long=state.number % 2 == 0)
        length = LONGER * at.again(unit) if length is None else length * unit
        scale = max(point.norm(), (point - state.origin).norm())
        furthest = FURTHEST * scale / direction.norm() if scale else length
        length = min(length, furthest)
        return length if 0.0 < length < float("inf") else at.again(unit)

    def describe(self) -> str:
        return "gradient descent with Barzilai and Borwein's lengths"


def spectral_length(moved: Vector, turned: Vector, *, long: bool) -> float | None:
    """sᵀs/sᵀy or sᵀy/yᵀy for the step s and the change y of the slope; None where the cost does not bend upward.

    From lengths and the cosine between them, so that squares of tiny or huge numbers cannot leave the doubles.
    """
    far, bend = moved.norm(), turned.norm()
    if not (0 < far < float("inf") and 0 < bend < float("inf")):
        return None
    cosine = ((1.0 / far) * moved).dot((1.0 / bend) * turned)
    if not cosine > 0:
        return None
    return far / bend / cosine if long else far / bend * cosine
