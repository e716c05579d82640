"""The curvature at a point: eigenvalues of the Hessian, scaled so that they can be told from rounding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt

from descend.evaluation import Vector

EPSILON = 2.0**-52
Direction = tuple[float, ...]


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues and eigenvectors (rows, orthonormal) of D H D.

    D makes the diagonal ±1 where it is more than rounding (Jacobi scaling), so that a weak curvature in one variable
    is not lost beside a strong one in another; the signs are those of H (Sylvester).  An eigenvalue within
    `tolerance` of zero counts as none.  `largest` is the largest eigenvalue of H itself, in the variables' own units.

    A *direction* is a step in the variables, as long as their scale: its largest entry, in `units`, is 1.
    """

    values: tuple[float, ...]
    vectors: tuple[tuple[float, ...], ...]
    scaling: tuple[float, ...]
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
    def null(self) -> list[Direction]:
        """The directions without curvature."""
        return [self._direction(k) for k, value in enumerate(self.values) if abs(value) <= self.tolerance]

    def weakest(self, most: int) -> list[Direction]:
        """Return the directions in which the cost bends least over the variables' scale."""
        bends = [value * self._length(k) ** -2 for k, value in enumerate(self.values)]
        order = sorted(range(len(bends)), key=lambda k: bends[k])[:most]
        limit = 1e-6 * max(bends)
        return [self._direction(k) for rank, k in enumerate(order) if rank == 0 or bends[k] <= limit]

    def _length(self, k: int) -> float:
        steps = zip(self.scaling, self.vectors[k], self.units, strict=True)
        return max(abs(d * w) / u for d, w, u in steps)

    def _direction(self, k: int) -> Direction:
        length = self._length(k)
        return tuple(d * w / length for d, w in zip(self.scaling, self.vectors[k], strict=True))

    def newton(self, gradient: Vector) -> Vector:
        """Return H⁺ · gradient: the Newton step (to be subtracted), zero along directions without curvature."""
        scaled = [d * g for d, g in zip(self.scaling, gradient, strict=True)]
        result = [0.0] * len(scaled)
        for value, vector in zip(self.values, self.vectors, strict=True):
            if abs(value) > self.tolerance:
                length = sum(w * s for w, s in zip(vector, scaled, strict=True)) / value
                result = [r + length * w for r, w in zip(result, vector, strict=True)]
        return Vector([d * r for d, r in zip(self.scaling, result, strict=True)])

    def null_slope(self, gradient: Iterable[float], *, absolute: bool = False) -> float:
        """Return the largest slope along a direction without curvature; `absolute`: a bound from entries' bounds."""
        entries = list(gradient)
        products = [[p * g for p, g in zip(direction, entries, strict=True)] for direction in self.null]
        return max((sum(map(abs, p)) if absolute else abs(sum(p)) for p in products), default=0.0)


def spectrum(hessian: Sequence[Sequence[float]], error: Sequence[Sequence[float]], units: Sequence[float]) -> Spectrum:
    """Return the curvature; `error` bounds the rounding error of each entry of `hessian`, `units` are scales."""
    size = len(units)
    scaling = tuple(_scale(hessian[k][k], error[k][k], units[k]) for k in range(size))
    if size == 1:  # most first descents: no NumPy
        value = hessian[0][0] * scaling[0] * scaling[0]
        slack = error[0][0] * scaling[0] * scaling[0] + 4 * EPSILON * abs(value)
        return Spectrum((value,), ((1.0,),), scaling, tuple(units), slack, hessian[0][0])
    import numpy as np

    matrix = np.array(hessian)
    factors = np.outer(scaling, scaling)
    values, columns = np.linalg.eigh(matrix * factors)
    # By Weyl an eigenvalue moves by at most the norm of the error, which is at most its largest row sum.
    carried = float((np.array(error) * factors).sum(axis=1).max())
    slack = carried + 4 * size * EPSILON * float(np.abs(values).max())
    vectors = tuple(tuple(map(float, columns[:, k])) for k in range(size))
    largest = float(np.linalg.eigvalsh(matrix)[-1])
    return Spectrum(tuple(map(float, values)), vectors, scaling, tuple(units), slack, largest)


def _scale(diagonal: float, error: float, unit: float) -> float:
    size = abs(diagonal)
    return 1.0 / sqrt(size) if size > 4 * error and size > 1e-300 else unit
