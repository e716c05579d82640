"""The line searches by name."""

from __future__ import annotations

from descend.descent.method.hager_zhang import HagerZhang
from descend.descent.method.search import Armijo, Search
from descend.descent.method.wolfe import StrongWolfe, WeakWolfe

SEARCHES: dict[str, Search] = {
    "strong-wolfe": StrongWolfe(),
    "hager-zhang": HagerZhang(),
    "weak-wolfe": WeakWolfe(),
    "armijo": Armijo(),
}
# Conjugate directions are conjugate only after a sharp search (Nocedal & Wright, 2006, section 5.2).
SHARP: dict[str, Search] = {"strong-wolfe": StrongWolfe(curvature=0.1), "hager-zhang": HagerZhang(curvature=0.1)}
