"""What is known of the curvature at a point of many variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Directions:
    """What is known of the eigenvalues of D H D (D: Jacobi scaling, as in `Spectrum`).

    `lowest` is a bound on the lowest, as far as it was resolved (`tolerance`); `negative` says that `direction`, in the
    variables, provably bends downward; `null` are the directions without curvature (rows, in the units of D), all of
    them if `captured`; `bent` says which variables have a curvature of their own.
    """

    bent: Any
    lowest: float
    tolerance: float
    negative: bool
    positive: bool
    direction: Any
    null: Any
    captured: bool = True


class LargeCurvature(Protocol):
    """The curvature at a point; arrays are those of the free variables."""

    @property
    def scaling(self) -> Any:
        """D, of the scaled Hessian D H D."""
        ...

    @property
    def directions(self) -> Directions:
        """What is known of its eigenvalues."""
        ...

    def newton(self, gradient: Any) -> Any:
        """Return the Newton step (to be subtracted) without directions that have no curvature; NaN if not found."""
        ...

    def null_part(self, vector: Any) -> Any:
        """Return the part of a step along directions without curvature."""
        ...

    def null_slope(self, gradient: Any) -> float:
        """Return the size of the slope along directions without curvature."""
        ...

    def change(self, other: LargeCurvature) -> float:
        """Return how much the curvature differs elsewhere, against its lowest eigenvalue."""
        ...

    def largest(self) -> float:
        """Return the largest eigenvalue of the Hessian, nearly."""
        ...
