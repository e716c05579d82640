"""BFGS: the dense quasi-Newton method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.method.search import Search
from descend.descent.method.searched import Searched, SearchedState, Turn
from descend.descent.method.searches import SEARCHES
from descend.descent.method.settings import one_of
from descend.errors import MethodError
from descend.vector import Vector

LARGEST = 5000  # variables: the matrix then takes 200 MB
BENDS = 2.0**-46  # least cosine between step and change of the slope with which the matrix is updated


@dataclass(frozen=True)
class BFGS(Searched):
    """d = -H·∇f(x), with H ≈ (∇²f)⁻¹ updated by H ← (I - ρ·s·yᵀ)·H·(I - ρ·y·sᵀ) + ρ·s·sᵀ, ρ = 1/yᵀs.

    s is the step and y the change of the gradient; H begins as (sᵀy/yᵀy)·I after the first step (Nocedal & Wright,
    2006, eq. 6.17 and 6.20).  An update with sᵀy ≤ 0 is skipped.  `search` chooses the lengths: "strong-wolfe",
    "hager-zhang", "armijo", or "weak-wolfe", the method of Lewis & Overton (2013) for costs with kinks.  With bounds,
    the direction is the one of the face of free variables: H's Schur complement, the inverse of that block of H⁻¹.

    >>> import descend
    >>> r = descend.minimize("100*(y - x^2)^2 + (1 - x)^2", [-1.2, 1], method="bfgs")
    >>> r.status.name, round(r["x"], 8), r.looks < 60
    ('MINIMUM', 1.0, True)
    """

    name: ClassVar[str] = "bfgs"
    source: ClassVar[str] = (
        "Broyden; Fletcher; Goldfarb; Shanno (1970); Nocedal & Wright, Numerical Optimization (2006)"
    )

    search: str = "strong-wolfe"

    def __post_init__(self) -> None:
        one_of(self.search, SEARCHES, "search")

    def strategy(self) -> Search:
        return SEARCHES[self.search]

    def start(self, x: Vector, box: Box | None = None) -> SearchedState:
        if len(x) > LARGEST:
            raise MethodError(f"bfgs keeps a full matrix, {len(x)} variables squared; use l-bfgs")
        return super().start(x, box)

    def knows(self, state: SearchedState) -> bool:
        return bool(state.number > len(state.x))

    def turn(self, at: Turn) -> tuple[Any, Vector]:
        import numpy as np

        moved, turned, gradient = at.moved.array(), at.turned.array(), at.gradient.array()
        with np.errstate(all="ignore"):
            inverse = updated(at.state.memory, moved, turned)
            if inverse is None:
                return None, -at.free(at.gradient)
            return inverse, at.gradient.like(-newton(inverse, gradient, sorted(at.held)))

    def describe(self) -> str:
        return f"BFGS, {self.search} search"


def updated(inverse: Any, moved: Any, turned: Any) -> Any:
    """Return H after the step; unchanged where the cost does not bend upward along it."""
    import numpy as np

    far, bend = length_of(moved), length_of(turned)
    if not (0 < far < np.inf and 0 < bend < np.inf):
        return inverse
    s, y = moved / far, turned / bend  # unit vectors, and H in units of far/bend: no square leaves the doubles
    unit = far / bend
    cosine = float(s @ y)
    if not cosine > BENDS:
        return inverse
    if inverse is None:
        inverse = unit * cosine * np.eye(len(s))
    hy = inverse @ y / unit
    outer = np.outer(hy, s)
    return inverse + unit * ((1.0 + (y @ hy) / cosine) / cosine * np.outer(s, s) - (outer + outer.T) / cosine)


def length_of(array: Any) -> float:
    """Euclidean length, free of overflow and underflow."""
    import numpy as np

    largest = float(np.abs(array).max(initial=0.0))
    return largest * float(np.linalg.norm(array / largest)) if 0.0 < largest < np.inf else largest


def newton(inverse: Any, gradient: Any, held: list[int]) -> Any:
    """Return H·g on the face where the entries `held` are fixed: (B_FF)⁻¹·g_F, where B = H⁻¹."""
    import numpy as np

    if not held:
        return inverse @ gradient
    fixed = np.array(held)
    free = np.setdiff1d(np.arange(len(gradient)), fixed)
    step = np.zeros(len(gradient))
    across = inverse[np.ix_(fixed, free)]
    step[free] = inverse[np.ix_(free, free)] @ gradient[free] - across.T @ np.linalg.solve(
        inverse[np.ix_(fixed, fixed)], across @ gradient[free]
    )
    return step
