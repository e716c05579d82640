"""The curvature at a point of many variables, from products with the Hessian alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import sqrt
from typing import Any

from descend.descent.directions import Directions, LargeCurvature
from descend.descent.face import Face
from descend.descent.lanczos import bottom, lowest_pair
from descend.descent.method.large_products import conjugate_gradients
from descend.descent.spectrum import QUIET
from descend.vector import Vector

EPSILON = 2.0**-52
ROUNDINGS = 64.0  # times the spacing of doubles at the largest curvature
PROBES = 8  # products that estimate the size of each row
MOST_PRODUCTS = 2_000  # of one run of Lanczos's method, or of conjugate gradients
ACCURATE = 1e-6  # residual of a Newton step by conjugate gradients


@dataclass(frozen=True)
class Products:
    """Products with the Hessian at one point of a face."""

    face: Face
    point: Vector

    def times(self, direction: Any) -> Any:
        """Return H·v of the free variables."""
        found = self.face.objective.product(self.point, self._full(direction))
        return self._reduced(found)

    def error(self, direction: Any) -> Any:
        """Return bounds on the rounding errors of H·v; where there are none, a small part of it."""
        import numpy as np

        found = self.face.objective.product_bounds(self.point, self._full(direction))
        if found is None:
            return np.full(len(direction), QUIET * QUIET * np.abs(self.times(direction)).max(initial=0.0))
        return self._reduced(found[1])

    def _full(self, direction: Any) -> Vector:
        import numpy as np

        if self.face.free is None:
            return self.point.like(direction)
        full: Any = np.zeros(len(self.point))
        full[np.asarray(self.face.free)] = direction
        return self.point.like(full)

    def _reduced(self, vector: Vector) -> Any:
        import numpy as np

        entries = vector.array()
        return entries if self.face.free is None else entries[np.asarray(self.face.free)]


@dataclass(frozen=True)
class ProductCurvature:
    """The curvature from products alone.

    The lowest eigenvalue is found by Lanczos's method: what it has not resolved is in the tolerance.  D is made from
    estimates of the size of each row.
    """

    products: Products
    units: Any
    scaling: Any = field(init=False)
    bent: Any = field(init=False)
    directions: Directions = field(init=False)

    def __post_init__(self) -> None:
        import numpy as np

        signs = np.random.default_rng(0).integers(0, 2, (PROBES, len(self.units))) * 2.0 - 1.0
        found = [self.products.times(v * self.units) for v in signs]
        sizes = np.sqrt(np.mean(np.square(found), axis=0))
        bends = sizes * self.units
        with np.errstate(all="ignore"):
            loud = bends > QUIET * QUIET * bends.max(initial=0.0)
            scaling = np.where(loud, np.sqrt(self.units / sizes), self.units)
        object.__setattr__(self, "bent", loud)
        object.__setattr__(self, "scaling", scaling)
        object.__setattr__(self, "directions", self._found())

    def _times(self, vector: Any) -> Any:
        return self.scaling * self.products.times(self.scaling * vector)

    def _found(self) -> Directions:
        import numpy as np

        size = len(self.units)
        begin = np.random.default_rng(0).standard_normal(size)
        low = bottom(self._times, begin, min(MOST_PRODUCTS, 2 * size + 20))
        vector = low.vector / sqrt(float(low.vector @ low.vector))
        value = float(vector @ self._times(vector))
        direction = self.scaling * vector
        noise = float(np.abs(direction) @ self.products.error(direction)) + ROUNDINGS * EPSILON * low.top
        none = np.zeros((0, size))
        negative = value < -noise
        begin = np.random.default_rng(1).standard_normal(size)
        positive = lowest_pair(lambda v: -self._times(v), begin, 30).value < -noise
        null = vector[np.newaxis] if abs(value) <= noise else none
        return Directions(self.bent, value, max(noise, low.slack), negative, positive, direction, null, captured=False)

    def newton(self, gradient: Any) -> Any:
        import numpy as np

        right = self.scaling * gradient
        right = right - self._null(right)
        step = conjugate_gradients(self._times, right, ACCURATE, MOST_PRODUCTS)
        rest = right - self._times(step)
        if not sqrt(float(rest @ rest)) <= 10.0 * ACCURATE * sqrt(float(right @ right)):
            return np.full_like(right, np.nan)
        return self.scaling * (step - self._null(step))

    def _null(self, scaled: Any) -> Any:
        null = self.directions.null
        return null.T @ (null @ scaled)

    def null_part(self, vector: Any) -> Any:
        return self.scaling * self._null(vector / self.scaling)

    def null_slope(self, gradient: Any) -> float:
        part = self._null(self.scaling * gradient)
        return sqrt(float(part @ part))

    def change(self, other: LargeCurvature) -> float:
        import numpy as np

        assert isinstance(other, ProductCurvature)
        sizes = []
        for v in np.random.default_rng(2).standard_normal((2, len(self.units))):
            difference = other.products.times(self.scaling * v) - self.products.times(self.scaling * v)
            sizes.append(float(np.sqrt(np.sum(np.square(self.scaling * difference)))))
        return max(sizes) / self.directions.lowest  # the size of A·v, v at random, is that of A on average (Frobenius)

    def largest(self) -> float:
        import numpy as np

        begin = np.random.default_rng(1).standard_normal(len(self.units))
        return -lowest_pair(lambda v: -self.products.times(v), begin, 30).value
