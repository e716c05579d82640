"""The curvature at a point: eigenvalues of the Hessian in units of each variable's scale."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from descend.evaluation import Vector

EPSILON = 2.0**-52


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues and eigenvectors (rows, orthonormal) of D H D, where D holds the `units`.

    An eigenvalue within `tolerance` of zero counts as none: its direction is in `null`.  `largest` is the largest
    eigenvalue of H itself, in the variables' own units.
    """

    values: tuple[float, ...]
    vectors: tuple[tuple[float, ...], ...]
    units: tuple[float, ...]
    tolerance: float
    largest: float

    @property
    def smallest(self) -> float:
        """The smallest eigenvalue."""
        return min(self.values)

    @property
    def negative(self) -> bool:
        """Whether some direction curves downward."""
        return any(v < -self.tolerance for v in self.values)

    @property
    def positive(self) -> bool:
        """Whether some direction curves upward."""
        return any(v > self.tolerance for v in self.values)

    @property
    def null(self) -> list[tuple[float, ...]]:
        """The directions without curvature (in units)."""
        return [w for v, w in zip(self.values, self.vectors, strict=True) if abs(v) <= self.tolerance]

    def newton(self, gradient: Vector) -> Vector:
        """Return H⁺ · gradient: the Newton step (to be subtracted), zero along directions without curvature."""
        scaled = [u * g for u, g in zip(self.units, gradient, strict=True)]
        result = [0.0] * len(scaled)
        for value, vector in zip(self.values, self.vectors, strict=True):
            if abs(value) > self.tolerance:
                length = sum(w * s for w, s in zip(vector, scaled, strict=True)) / value
                result = [r + length * w for r, w in zip(result, vector, strict=True)]
        return Vector([u * r for u, r in zip(self.units, result, strict=True)])

    def null_slope(self, gradient: Iterable[float], *, absolute: bool = False) -> float:
        """Return the largest slope along a direction without curvature; `absolute`: a bound from entries' bounds."""
        scaled = [u * g for u, g in zip(self.units, gradient, strict=True)]
        slopes = [
            sum(abs(w * s) for w, s in zip(vector, scaled, strict=True))
            if absolute
            else abs(sum(w * s for w, s in zip(vector, scaled, strict=True)))
            for vector in self.null
        ]
        return max(slopes, default=0.0)


def spectrum(hessian: Sequence[Sequence[float]], error: Sequence[Sequence[float]], units: Sequence[float]) -> Spectrum:
    """Return the curvature; `error` bounds the rounding error of each entry of `hessian`."""
    size = len(units)
    if size == 1:  # most first descents: no NumPy
        value = hessian[0][0] * units[0] * units[0]
        slack = error[0][0] * units[0] * units[0] + 4 * EPSILON * abs(value)
        return Spectrum((value,), ((1.0,),), tuple(units), slack, hessian[0][0])
    import numpy as np

    scale = np.array(units)
    matrix = np.array(hessian)
    scaled = matrix * np.outer(scale, scale)
    values, columns = np.linalg.eigh(scaled)
    # By Weyl an eigenvalue moves by at most the norm of the error, which is at most its largest row sum.
    carried = float((np.array(error) * np.outer(scale, scale)).sum(axis=1).max())
    slack = carried + 4 * size * EPSILON * float(np.abs(values).max())
    vectors = tuple(tuple(map(float, columns[:, k])) for k in range(size))
    largest = float(np.linalg.eigvalsh(matrix)[-1])
    return Spectrum(tuple(map(float, values)), vectors, tuple(units), slack, largest)
