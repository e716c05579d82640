"""Proximal gradient with Barzilai and Borwein's lengths, for penalties with kinks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from descend.descent.method.composite import (
    NOISE,
    SUFFICIENT,
    TRIES,
    Composite,
    CompositeState,
    Seen,
    accepted,
    proximal_point,
)
from descend.descent.method.settings import whole_number
from descend.descent.status import Ending

if TYPE_CHECKING:
    from descend.box import Box
    from descend.vector import Vector


@dataclass(frozen=True)
class ProximalState(CompositeState):
    """Also the last accepted costs."""

    recent: tuple[float, ...] = ()


@dataclass(frozen=True)
class Proximal(Composite):
    """x ← prox(x - t·D⁻¹∇f(x)), the iterative shrinkage-thresholding of costs f + P (ISTA).

    prox(v) = argmin_z P(z) + (z - v)ᵀD(z - v)/(2t): soft thresholds for "l1", shorter blocks for "group".  D is the
    diagonal of the Hessian at the start (of many variables a number), t Barzilai and Borwein's length in that metric,
    halved until (f + P)(new) ≤ max(last `memory` costs) - 10⁻⁴·|new - x|²_D/(2t).  With `newton`, a Newton step in the
    variables that are not 0 is tried where the proximal step leaves the zeros as they are.

    >>> import descend
    >>> r = descend.minimize("(x-3)^2 + (y-0.1)^2", [1, 1], penalty="l1(1)", method=descend.Proximal())
    >>> r["x"], r["y"], r.status.name
    (2.5, 0.0, 'AT_KINK')
    """

    name: ClassVar[str] = "proximal"
    source: ClassVar[str] = (
        "Wright, Nowak & Figueiredo, IEEE Trans. Signal Process. 57 (2009); "
        "Daubechies, Defrise & De Mol, Commun. Pure Appl. Math. 57 (2004)"
    )

    memory: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "memory", whole_number(self.memory, "memory"))

    def start(self, x: Vector, box: Box | None = None) -> ProximalState:
        return ProximalState(x, box=box, origin=x)

    def step(self, state: Any, ahead: Any) -> Any:
        return replace(state, trial=state.x.like(ahead))

    def tried(self, state: Any, point: Vector, seen: Seen, curvature: Any) -> Any:
        import numpy as np

        here = state.here
        moved = seen.x - here.x
        far = float(moved @ (state.metric / state.length * moved))
        costs = (*state.recent, here.cost)
        noise = NOISE * (abs(here.smooth) + abs(here.cost))
        if seen.usable and seen.cost <= max(costs) - 0.5 * SUFFICIENT * far + noise:
            turned = seen.slope - here.slope
            new = accepted(state, point, seen, curvature, recent=(*costs, seen.cost)[-self.memory :])
            return self.onward(replace(new, length=self._length(state, moved, turned, far * state.length)))
        shorter = replace(state, accepted=False, length=0.5 * state.length, tries=state.tries + 1)
        ahead = proximal_point(shorter, here)
        if state.tries >= TRIES or np.array_equal(ahead, here.x):
            return replace(shorter, gave_up=Ending.NO_STEP)
        return self.step(shorter, ahead)

    def _length(self, state: Any, moved: Any, turned: Any, far: float) -> float:
        """Return sᵀDs/sᵀy or sᵀy/yᵀD⁻¹y in turn; four times the last where the cost does not bend upward."""
        bend, across = float(moved @ turned), float(turned @ (turned / state.metric))
        if not (bend > 0 and far > 0 and across > 0):
            return 4.0 * float(state.length)
        return far / bend if state.number % 2 == 0 else bend / across

    def describe(self) -> str:
        return "proximal gradient with Barzilai and Borwein's lengths"
