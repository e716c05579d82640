"""What a verdict says of a point."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from descend.vector import Vector

RELATIVE = 1e-8  # of each variable's scale: what "as far as doubles support" asks of the estimated distance


class Kind(Enum):
    """What the point is."""

    MINIMUM = "minimum"
    FLAT = "flat"  # slope and curvature are zero, and so is every difference nearby
    SADDLE = "saddle"
    MAXIMUM = "maximum"
    KINK = "kink"  # a minimum at a kink
    SLOPE = "slope"  # not stationary
    UNKNOWN = "unknown"  # too many variables for the curvature, or no finite values


@dataclass(frozen=True)
class Criterion:
    """One line of the verdict: a number, the bound it is held against, and whether it holds."""

    what: str
    value: float
    bound: float
    holds: bool

    def __str__(self) -> str:
        return f"{self.what}: {self.value:.3g} {'≤' if self.holds else '≰'} {self.bound:.3g}"


@dataclass(frozen=True)
class Judgement:
    """What the point is, with the numbers: the estimated distance to the minimum (Euclidean; inf where unknown).

    `held` are the entries that stand at a bound which alone keeps the cost from falling: the point is judged over the
    others.  `lower` is a lower point nearby, where one was found.  `looks` are the verdict's own.
    """

    kind: Kind
    distance: float
    criteria: tuple[Criterion, ...]
    largest_curvature: float = 0.0
    unique: bool = True
    stretch: float = 1.0  # the distance in Newton steps: 1 at a parabola, 3 at x⁴
    held: tuple[int, ...] = ()
    lower: Vector | None = None
    looks: int = 0
