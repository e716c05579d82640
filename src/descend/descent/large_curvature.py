"""The curvature at a point of many variables: signs, directions and Newton steps without all eigenvalues."""

from __future__ import annotations

from math import sqrt
from typing import Any

from descend.descent.directions import Directions, LargeCurvature
from descend.descent.face import Face
from descend.descent.lanczos import lowest_pair
from descend.descent.product_curvature import ProductCurvature, Products
from descend.descent.sparse import Factor, affordable, factorised
from descend.descent.spectrum import QUIET
from descend.vector import Vector

EPSILON = 2.0**-52
ROUNDINGS = 64.0  # of one factorisation: times the spacing of doubles at the largest curvature
NULL_BLOCK = 8  # directions without curvature that are looked for
ITERATIONS = 6  # of inverse iteration
FILTERS = 4  # passes that part directions with curvature from those without


def curvature_at(face: Face, point: Vector, units: Any) -> LargeCurvature | None:
    """Return the curvature at a point of the face, None where it is not finite or cannot be had."""
    import numpy as np

    full = face.full(point)
    found = face.objective.sparse_bounds(full)
    if found is not None and affordable(found[0]):
        matrix, error = found
        if face.free is not None:
            free = np.asarray(face.free)
            matrix, error = matrix[free][:, free], error[free][:, free]
        if not (np.isfinite(matrix.data).all() and np.isfinite(error.data).all()):
            return None
        return SparseCurvature(matrix.tocsc(), error.tocsc(), units)
    products = Products(face, full)
    if products.times(units) is None:
        return None
    return ProductCurvature(products, units)


class SparseCurvature:
    """A sparse Hessian that can be factorised: the signs of its eigenvalues are those of the pivots of LDLᵀ."""

    def __init__(self, matrix: Any, error: Any, units: Any) -> None:
        import numpy as np
        from scipy import sparse

        self._np = np
        diagonal, slack = matrix.diagonal(), error.diagonal()
        self.scaling, self._bent = _scales(diagonal, slack, units)
        scale = sparse.diags_array(self.scaling)
        self.hessian = matrix
        self._matrix = (scale @ matrix @ scale).tocsc()
        carried = abs(scale @ error @ scale)
        top = float(abs(self._matrix).sum(axis=0).max(initial=0.0))
        self._tolerance = float(carried.sum(axis=0).max(initial=0.0)) + ROUNDINGS * EPSILON * top
        self._carried, self._top = carried, top
        self._base = factorised(self._matrix, self._tolerance)
        self.directions = self._found()

    def _found(self) -> Directions:
        np, tolerance, size = self._np, self._tolerance, self._matrix.shape[0]
        none = np.zeros((0, size))
        positive = bool((self._matrix.diagonal() > tolerance).any()) or factorised(-self._matrix, tolerance) is None
        if self._base is None:
            value, vector, shift = self._downward()
            mine = float(np.abs(vector) @ (self._carried @ np.abs(vector))) + 4.0 * EPSILON * float(
                np.abs(vector) @ (abs(self._matrix) @ np.abs(vector))
            )
            if value < -mine:
                return Directions(self._bent, value, mine, True, positive, self.scaling * vector, none)
            self._tolerance = tolerance = shift  # rounding in the factorisation was larger
        if factorised(self._matrix, -tolerance) is not None:
            vector = self._inverse(np.random.default_rng(0).standard_normal((size, 1)), self._base)[:, 0]
            value = float(vector @ (self._matrix @ vector))
            return Directions(self._bent, value, tolerance, False, positive, self.scaling * vector, none)
        block = self._inverse(np.random.default_rng(0).standard_normal((size, min(NULL_BLOCK, size))), self._base)
        values, turn = np.linalg.eigh(block.T @ (self._matrix @ block))
        block = block @ turn
        null = np.abs(values) <= 4.0 * tolerance
        null[0] = True  # the factorisation says that there is one
        captured = not null.all() or size <= NULL_BLOCK
        return Directions(
            self._bent,
            float(values[0]),
            tolerance,
            False,
            positive,
            self.scaling * block[:, 0],
            block[:, null].T,
            captured,
        )

    def _inverse(self, block: Any, factor: Factor | None) -> Any:
        assert factor is not None
        for _ in range(ITERATIONS):
            block = _orthonormal(factor.solve(block))
        return block

    def _downward(self) -> tuple[float, Any, float]:
        """Return (curvature, direction, shift that makes all positive): the direction that bends downward most."""
        np = self._np
        shift = 4.0 * self._tolerance
        while (factor := factorised(self._matrix, shift)) is None:
            shift *= 4.0
        self._base = factor
        begin = np.random.default_rng(0).standard_normal((self._matrix.shape[0], 1))
        vector = self._inverse(begin, factor)[:, 0]
        return float(vector @ (self._matrix @ vector)), vector, shift

    def newton(self, gradient: Any) -> Any:
        assert self._base is not None
        right = self.scaling * gradient
        null = self.directions.null
        if not len(null):
            step = self._base.solve(right)
            for _ in range(2):
                step = step + self._base.solve(right - self._matrix @ step)
        elif self.directions.captured:
            step = self._base.solve(right - null.T @ (null @ right))
            step = step - null.T @ (null @ step)
        else:
            step = self._base.solve(right)
            for _ in range(FILTERS):
                step = step - self._tolerance * self._base.solve(step)
        return self.scaling * step

    def null_part(self, vector: Any) -> Any:
        return self.scaling * self._null(vector / self.scaling)

    def _null(self, scaled: Any) -> Any:
        null = self.directions.null
        if self.directions.captured:
            return null.T @ (null @ scaled)
        assert self._base is not None
        for _ in range(FILTERS):
            scaled = self._tolerance * self._base.solve(scaled)
        return scaled

    def null_slope(self, gradient: Any) -> float:
        part = self._null(self.scaling * gradient)
        return sqrt(float(part @ part))

    def change(self, other: LargeCurvature) -> float:
        assert isinstance(other, SparseCurvature)
        scale = self.scaling
        difference = (other.hessian - self.hessian).tocoo()
        entries = difference.data * scale[difference.row] * scale[difference.col]
        return sqrt(float(entries @ entries)) / self.directions.lowest

    def largest(self) -> float:
        begin = self._np.random.default_rng(0).standard_normal(self._matrix.shape[0])
        return -lowest_pair(lambda v: -(self.hessian @ v), begin, 30).value


def _orthonormal(block: Any) -> Any:
    """Return the columns made orthonormal (Gram-Schmidt, twice): for a few columns faster than LAPACK's threads."""
    block = block.copy()
    for k in range(block.shape[1]):
        column = block[:, k]
        for _ in range(2):
            column = column / sqrt(float(column @ column))
            column = column - block[:, :k] @ (column @ block[:, :k])
        block[:, k] = column / sqrt(float(column @ column))
    return block


def _scales(diagonal: Any, error: Any, units: Any) -> tuple[Any, Any]:
    """Return D, and where it comes from the curvature: there the diagonal of D H D is ±1, it is more than rounding."""
    import numpy as np

    size = np.abs(diagonal)
    with np.errstate(all="ignore"):
        quiet = np.where(error > 1e-300, np.minimum(units, QUIET / np.sqrt(error)), units)
        bent = (size > 4.0 * error) & (size > 1e-300)
        return np.where(bent, 1.0 / np.sqrt(size), quiet), bent
