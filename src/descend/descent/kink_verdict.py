"""The verdict where pieces of a kink meet: is 0 a subgradient, and does the cost bend upward along the kink?

First order: weights λ ≥ 0 of the tied pieces with g + Σ wₖ λₖᵢ ∇aₖᵢ = 0, every kink convex (wₖ > 0).  Second order: the
Hessian of Φ is positive along the directions that keep the ties whose weight is not 0 (a larger space than the critical
cone, so it is enough; Fletcher, *Practical Methods of Optimization*, 1987, ch. 14).  Where it is zero, the cost is
probed both ways, moved back onto the ties after each step.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from descend.descent.judgement import RELATIVE, Criterion, Judgement, Kind
from descend.evaluation import Objective, Order
from descend.vector import Vector

if TYPE_CHECKING:
    from descend.problem.kinks import Pieces

WEIGHTLESS = 1e-6  # a smaller weight does not hold its piece to the tie
DISTANCES = tuple(10.0**k for k in range(-8, -1))  # in the variables' scales, that probes go
BACK = 3  # Newton corrections of a probe, back onto the ties
NOISES = 8.0  # bounds on the rounding error that a difference must exceed
SLACK = 1e-12  # of the largest subgradient: what its combination loses in the least-squares solution


def judge_kink(objective: Objective, point: Vector, start: Vector, precision: float | None) -> Judgement | None:
    """Judge a point at which pieces of kinks meet; None where none do, so that the cost is smooth there.

    Variables at a bound are held, if the subgradient that is 0 in all others points out of the box in them.
    """
    pieces = objective.pieces(point)
    if pieces is None:
        return None
    import numpy as np  # smooth costs of a few variables do without

    x, origin = point.array(), start.array()
    scale = np.maximum(np.abs(x), np.abs(x - origin))
    scale[scale == 0] = scale.max(initial=0.0) or 1.0
    reach = RELATIVE * scale if precision is None else np.full(len(x), precision)
    with np.errstate(over="ignore"):  # pieces at the ends of the doubles' range are far apart
        ties = [_tied(pieces, k, reach) for k in range(len(pieces.values))]
    if all(len(tie) == 1 for tie in ties):
        return None
    if pieces.inner <= RELATIVE:  # a kink within a kink, and both at once
        return Judgement(Kind.UNKNOWN, np.inf, ())
    if any(len(tie) > 1 and role < 0 for tie, role in zip(ties, pieces.roles, strict=True)):
        return Judgement(Kind.SLOPE, np.inf, ())  # a roof: the cost falls on a side of it
    box = objective.box
    inside = np.full(len(x), fill_value=True) if box is None else (x > box.lower.array()) & (x < box.upper.array())
    free = np.flatnonzero(inside)
    with np.errstate(all="ignore"):
        return _Kink(objective, point, pieces, pieces.restricted(free), ties, scale[free], free).judgement(precision)


def _tied(pieces: Pieces, k: int, reach: Any) -> Any:
    """Return the pieces of a kink that are largest, up to rounding or to what so small a step changes.

    A kink whose pieces have the same slope, or on which the cost does not depend to first order, is none.
    """
    import numpy as np

    values, errors, slopes, role = pieces.values[k], pieces.errors[k], pieces.slopes[k], pieces.roles[k]
    top = int(np.argmax(values))
    apart = np.abs(slopes - slopes[top]) @ reach
    close = values[top] - values <= apart + errors + errors[top]
    differs = np.abs(role * (slopes - slopes[top])).max(axis=1) > pieces.gradient_error.max()
    return np.array([top, *(i for i in np.flatnonzero(close & differs) if i != top)])


class _Kink(NamedTuple):
    objective: Objective
    point: Vector
    whole: Pieces
    pieces: Pieces  # of the free variables
    ties: Sequence[Any]
    scale: Any  # of the free variables
    free: Any

    def judgement(self, precision: float | None) -> Judgement:
        import numpy as np

        from descend.descent.ties import manifold, multipliers, tied_step

        seen = self.objective.look(self.point, Order.BOUNDS)
        noise = NOISES * seen.cost_error
        weights, rest = multipliers(self.pieces, self.ties)
        held = self._held(weights)
        if held is None:
            return Judgement(Kind.SLOPE, np.inf, ())
        holding = [tie[weights[k][tie] > WEIGHTLESS] if len(tie) > 1 else tie for k, tie in enumerate(self.ties)]
        step = tied_step(self.pieces, holding, weights, self.scale)
        _, along = manifold(self.pieces, self.ties, self.scale)
        # Across the ties the weights alone can make up for the slope; along them the Newton step does.
        across = self.scale * rest - along @ (along.T @ (self.scale * rest))
        size = max(float(np.abs(r * s).max()) for r, s in zip(self.pieces.roles, self.pieces.slopes, strict=True))
        bound = float(np.linalg.norm(self.scale * (self.pieces.gradient_error + SLACK * size)))
        stationary = float(np.linalg.norm(across)) <= bound < np.inf
        distances = np.abs(step.p)
        close, criterion = _close(distances, self.scale, precision)
        distance = float(np.linalg.norm(distances))
        criteria = (
            criterion,
            Criterion("shortest subgradient across the kink, against its rounding error",
                      float(np.linalg.norm(across)), bound, stationary),
            Criterion("downward curvature along the kink, against its rounding error",
                      max(0.0, -float(step.curvature.min(initial=0.0))), step.noise,
                      bool((step.curvature >= -step.noise).all())),
        )  # fmt: skip
        if not (stationary and close):
            return Judgement(Kind.SLOPE, distance if stationary else np.inf, criteria)
        if (step.curvature < -step.noise).any():
            return Judgement(Kind.SADDLE, distance, criteria)
        level = [axis for axis, bend in zip(step.along.T, step.curvature, strict=True) if abs(bend) <= step.noise]
        kind, unique = Kind.KINK, True
        for axis in level:
            for direction in (axis, -axis):
                change = self._side(step.p, direction, noise)
                kind = Kind.SADDLE if change < 0 else kind
                unique = unique and change > 0
        if kind is Kind.KINK and self._falls(step.p, noise):
            kind = Kind.SLOPE
        return Judgement(kind, distance, criteria, unique=unique, held=held)

    def _held(self, weights: Sequence[Any]) -> tuple[int, ...] | None:
        """Return the variables at a bound; None where one would rather leave it."""
        import numpy as np

        box, whole = self.objective.box, self.whole
        if box is None:
            return ()
        slope = whole.gradient + sum(
            role * (own @ slopes) for role, own, slopes in zip(whole.roles, weights, whole.slopes, strict=True)
        )
        x, free = self.point.array(), set(self.free.tolist())
        held = [k for k in range(len(x)) if k not in free]
        outward = np.where(x <= box.lower.array(), slope, -slope)
        return tuple(held) if all(outward[k] > whole.gradient_error[k] for k in held) else None

    def _at(self, moved: Any) -> Vector:
        """Return the point with the free variables moved, within the box."""
        entries = self.point.array()
        entries[self.free] += moved
        there = self.point.like(entries)
        return there if self.objective.box is None else self.objective.box.project(there)

    def _side(self, centre: Any, direction: Any, noise: float) -> int:
        """Return whether the cost rises (1), falls (-1) or stays level (0) that way from `centre`, along the ties."""
        import numpy as np

        from descend.descent.ties import manifold

        here = self.objective.look(self._at(centre)).cost
        for away in DISTANCES:
            moved = centre + away * direction
            for _ in range(BACK):
                pieces = self.objective.pieces(self._at(moved)).restricted(self.free)
                back = self.scale * manifold(pieces, self.ties, self.scale).back
                if not np.isfinite(back).all():
                    break
                moved = moved + back
            change = self.objective.look(self._at(moved)).cost - here
            if abs(change) > noise:
                return 1 if change > 0 else -1
        return 0

    def _falls(self, centre: Any, noise: float) -> bool:
        """Whether the cost is lower a little to a side of `centre`: along the axes, and across the ties."""
        import numpy as np

        directions = [*np.diag(self.scale)]
        for k, tie in enumerate(self.ties):
            for i in tie[1:]:
                across = self.scale**2 * (self.pieces.slopes[k][i] - self.pieces.slopes[k][tie[0]])
                directions.append(across / (np.max(np.abs(across) / self.scale) or 1.0))
        here = self.objective.look(self._at(centre)).cost
        return any(
            self.objective.look(self._at(centre + sign * away * d)).cost < here - noise
            for d in directions
            for sign in (1.0, -1.0)
            for away in (1e-7, 1e-5, 1e-3)
        )


def _close(distances: Any, scale: Any, precision: float | None) -> tuple[bool, Criterion]:
    import numpy as np

    if precision is not None:
        distance = float(np.linalg.norm(distances))
        return distance <= precision, Criterion(
            "estimated distance to the minimum", distance, precision, distance <= precision
        )
    worst = float(np.max(distances / scale, initial=0.0))
    holds = worst <= RELATIVE
    return holds, Criterion("estimated distance to the minimum, relative to the way come", worst, RELATIVE, holds)
