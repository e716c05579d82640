"""L-BFGS: BFGS for many variables, which remembers the last steps instead of a matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from descend.descent.method.bfgs import BENDS, length_of
from descend.descent.method.search import Search
from descend.descent.method.searched import Searched, SearchedState, Turn
from descend.descent.method.searches import SEARCHES
from descend.descent.method.settings import one_of, whole_number
from descend.vector import Vector

Pair = tuple[Any, Any]  # the step and the change of the gradient, as arrays


@dataclass(frozen=True)
class LBFGS(Searched):
    """d = -H·∇f(x), where H is BFGS's matrix made of the last `memory` steps, from H₀ = (sᵀy/yᵀy)·I of the last.

    H·∇f(x) is computed by the two-loop recursion (Nocedal & Wright, 2006, algorithm 7.4), O(memory·n).  With bounds the
    pairs are restricted to the free variables.

    >>> import descend
    >>> r = descend.minimize("sum((x[i] - i)^4 + x[i]^2, i, 0, n-1)", [1.0] * 50, constants={"n": 50}, method="l-bfgs")
    >>> r.status.name, r.looks < 80
    ('MINIMUM', True)
    """

    name: ClassVar[str] = "l-bfgs"
    source: ClassVar[str] = "Nocedal, Math. Comp. 35 (1980); Liu & Nocedal, Math. Program. 45 (1989)"

    memory: int = 10
    search: str = "strong-wolfe"

    def __post_init__(self) -> None:
        object.__setattr__(self, "memory", whole_number(self.memory, "memory"))
        one_of(self.search, SEARCHES, "search")

    def strategy(self) -> Search:
        return SEARCHES[self.search]

    def knows(self, state: SearchedState) -> bool:
        variables = len(state.x)
        return bool(self.memory >= variables and state.number > variables)

    def turn(self, at: Turn) -> tuple[Any, Vector]:
        import numpy as np

        pairs = (*(at.state.memory or ()), (at.moved.array(), at.turned.array()))
        gradient = at.free(at.gradient).array()
        held = sorted(at.held)
        with np.errstate(all="ignore"):
            pairs = (*pairs[:-1], *(pair for pair in pairs[-1:] if bends(pair)))[-self.memory :]
            usable = [pair for pair in (_restricted(pair, held) for pair in pairs) if bends(pair)]
            direction = at.gradient.like(-two_loop(usable, gradient))
        return (pairs if usable else None), direction

    def describe(self) -> str:
        return f"L-BFGS, memory {self.memory}"


def _restricted(pair: Pair, held: list[int]) -> Pair:
    if not held:
        return pair
    s, y = pair[0].copy(), pair[1].copy()
    s[held] = 0.0
    y[held] = 0.0
    return s, y


def bends(pair: Pair) -> bool:
    """Whether the cost bends upward along the step."""
    s, y = pair
    far, bend = length_of(s), length_of(y)
    return bool(0 < far < float("inf") and 0 < bend < float("inf") and (s / far) @ (y / bend) > BENDS)


def two_loop(pairs: Sequence[Pair], gradient: Any) -> Any:
    """Return H·gradient for the H that `pairs` (oldest first) make; the gradient itself where there are none."""
    if not pairs:
        return gradient
    size = length_of(gradient) or 1.0
    rest = gradient / size
    # Unit vectors: y = bend·v and s = far·u, so that ρ·s·yᵀ = u·vᵀ/uᵀv and no square leaves the doubles.
    units = []
    for s, y in pairs:
        far, bend = length_of(s), length_of(y)
        units.append((s / far, y / bend, far / bend))
    shares = []
    for u, v, _ in reversed(units):
        share = (u @ rest) / (u @ v)
        shares.append(share)
        rest = rest - share * v
    u, v, unit = units[-1]
    step = unit * float(u @ v) * rest
    for (u, v, unit), share in zip(units, reversed(shares), strict=True):
        step = step + (unit * share - (v @ step) / (u @ v)) * u
    return size * step
