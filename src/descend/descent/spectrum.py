"""The curvature at a point: eigenvalues of the Hessian, scaled so that they can be told from rounding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt

from descend.vector import Vector

EPSILON = 2.0**-52
QUIET = 2.0**-20  # the square of this is the size of rounding, scaled, where curvature is scaled to 1
Direction = tuple[float, ...]
Matrix = Sequence[Sequence[float]]


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
    def most_negative(self) -> int:
        """The eigenvector in which the cost bends downward most over its scale."""
        return min(range(len(self.values)), key=self._bend)

    def bend(self, index: int) -> float:
        """Return the size of the curvature along the direction of an eigenvector."""
        return abs(self._bend(index))

    def _bend(self, index: int) -> float:
        length = self.size_of(self._step(self.vectors[index])) or 1.0
        return self.values[index] / length / length

    @property
    def null_indices(self) -> list[int]:
        """The eigenvectors without curvature."""
        return [k for k, value in enumerate(self.values) if abs(value) <= self.tolerance]

    def upward(self, without: Sequence[int]) -> list[int]:
        """Return the eigenvectors in which the cost curves upward, but for those named."""
        return [k for k, value in enumerate(self.values) if value > self.tolerance and k not in without]

    def weakest(self, most: int) -> list[int]:
        """Return (at most so many of) the eigenvectors, those first in which the cost bends least over its scale."""
        return sorted(range(len(self.values)), key=self._bend)[:most]

    def combined(self, indices: Sequence[int], weights: Sequence[float]) -> Direction:
        """Return the direction that is a combination of eigenvectors, each first made as long as a direction."""
        total = [0.0] * len(self.units)
        for k, weight in zip(indices, weights, strict=True):
            step = self._step(self.vectors[k])
            length = self.size_of(step) or 1.0
            total = [t + weight * s / length for t, s in zip(total, step, strict=True)]
        length = self.size_of(total) or 1.0
        return tuple(t / length for t in total)

    def components(self, gradient: Vector, indices: Sequence[int]) -> list[float]:
        """Return the slopes along the directions of some eigenvectors."""
        return [gradient.dot(Vector(self.combined((k,), (1.0,)))) for k in indices]

    def size_of(self, step: Iterable[float]) -> float:
        """Return the length of a step against the variables' scale: its largest entry in `units`."""
        return max(abs(s) / u for s, u in zip(step, self.units, strict=True))

    def _step(self, vector: Sequence[float]) -> list[float]:
        return [d * w for d, w in zip(self.scaling, vector, strict=True)]

    def _pairs(self) -> Iterable[tuple[float, tuple[float, ...]]]:
        return zip(self.values, self.vectors, strict=True)

    def newton(self, gradient: Vector, indices: Sequence[int] | None = None) -> Vector:
        """Return H⁺ · gradient: the Newton step (to be subtracted), zero along directions without curvature.

        With `indices` it is the step in the space of these eigenvectors only.
        """
        scaled = [d * g for d, g in zip(self.scaling, gradient, strict=True)]
        result = [0.0] * len(scaled)
        for k, (value, vector) in enumerate(self._pairs()):
            if abs(value) > self.tolerance and (indices is None or k in indices):
                length = sum(w * s for w, s in zip(vector, scaled, strict=True)) / value
                result = [r + length * w for r, w in zip(result, vector, strict=True)]
        return Vector([d * r for d, r in zip(self.scaling, result, strict=True)])

    def reach(self, errors: Iterable[float]) -> Vector:
        """Return a bound on |H⁺ · e|, entry by entry, for every e within ± `errors`."""
        scaled = [d * e for d, e in zip(self.scaling, errors, strict=True)]
        result = [0.0] * len(scaled)
        for value, vector in self._pairs():
            if abs(value) > self.tolerance:
                length = sum(abs(w) * s for w, s in zip(vector, scaled, strict=True)) / abs(value)
                result = [r + length * abs(w) for r, w in zip(result, vector, strict=True)]
        return Vector([d * r for d, r in zip(self.scaling, result, strict=True)])

    def blurred(self, errors: Iterable[float], relative: float) -> list[int]:
        """Return the eigenvectors along which rounding of the slope moves its zero by more than that part of a scale.

        `errors` bound the slope's rounding errors, entry by entry.
        """
        scaled = [d * e for d, e in zip(self.scaling, errors, strict=True)]
        found = []
        for k, (value, vector) in enumerate(self._pairs()):
            length = sum(abs(w) * s for w, s in zip(vector, scaled, strict=True))
            if value > self.tolerance and length * self.size_of(self._step(vector)) > relative * value:
                found.append(k)
        return found

    def null_slope(self, gradient: Iterable[float], *, absolute: bool = False) -> float:
        """Return the largest slope along a direction without curvature; `absolute`: a bound from entries' bounds."""
        entries = list(gradient)
        directions = [self.combined((k,), (1.0,)) for k in self.null_indices]
        products = [[p * g for p, g in zip(direction, entries, strict=True)] for direction in directions]
        return max((sum(map(abs, p)) if absolute else abs(sum(p)) for p in products), default=0.0)

    def change(self, before: Matrix, after: Matrix) -> float:
        """Return how much the curvature differs, against the least of its eigenvalues (a bound: Frobenius)."""
        total = 0.0
        for k, (old, new) in enumerate(zip(before, after, strict=True)):
            scale = self.scaling[k]
            row = zip(self.scaling, old, new, strict=True)
            entries = [scale * d * (b - a) for d, a, b in row]
            total += sum(e * e for e in entries)
        return sqrt(total) / self.smallest


def spectrum(hessian: Matrix, error: Matrix, units: Sequence[float]) -> Spectrum | None:
    """Return the curvature; `error` bounds the rounding error of each entry of `hessian`, `units` are scales.

    None where it leaves the range of doubles.
    """
    size = len(units)
    scaling = tuple(_scale(hessian[k][k], error[k][k], units[k]) for k in range(size))
    if size == 1:  # most first descents: no NumPy
        value = hessian[0][0] * scaling[0] * scaling[0]
        slack = error[0][0] * scaling[0] * scaling[0] + 4 * EPSILON * abs(value)
        found = Spectrum((value,), ((1.0,),), scaling, tuple(units), slack, hessian[0][0])
    else:
        import numpy as np

        matrix = np.array(hessian)
        factors = np.array(scaling)
        with np.errstate(all="ignore"):
            scaled, carried = (np.array(m) * factors * factors[:, np.newaxis] for m in (hessian, error))
            if not (np.isfinite(scaled).all() and np.isfinite(carried).all()):
                return None
        values, columns = np.linalg.eigh(scaled)
        # By Weyl an eigenvalue moves by at most the norm of the error, which is at most its largest row sum.
        slack = float(carried.sum(axis=1).max()) + 4 * size * EPSILON * float(np.abs(values).max())
        vectors = tuple(tuple(map(float, columns[:, k])) for k in range(size))
        largest = float(np.linalg.eigvalsh(matrix)[-1])
        found = Spectrum(tuple(map(float, values)), vectors, scaling, tuple(units), slack, largest)
    return found if isfinite(found.tolerance) and all(map(isfinite, found.values)) else None


def _scale(diagonal: float, error: float, unit: float) -> float:
    size = abs(diagonal)
    if size > 4 * error and size > 1e-300:
        return 1.0 / sqrt(size)
    # Only rounding: small enough that it does not drown the other variables' curvature.
    return min(unit, QUIET / sqrt(error)) if error > 1e-300 else unit
