"""The step of a trust-region method: the lowest point of a quadratic model in a ball."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any, NamedTuple, Protocol

EPSILON = 2.0**-52
RADIUS_KEPT = 0.1  # how well a step must fill the ball
BENT = 1e-8  # of the largest curvature: less does not make a first step longer
FLAT = 1e-24  # relative: the slope of a quartic at 1e-8 of the radius, which is as near as is asked for
ROUNDS = 50  # of the iteration for λ
DENSE = 500  # variables up to which all eigenvalues are computed


class Step(NamedTuple):
    """A step, and whether it is the model's own minimum, which lies inside the ball."""

    step: Any
    interior: bool


class Model(Protocol):
    """f + g·s + s·Hs/2 around a point, over the variables that are free (others do not move).

    A model is made once a point and asked again after a rejected trial.  Arrays are NumPy arrays of all variables.
    """

    definite: bool  # every curvature is positive, beyond rounding

    def step(self, radius: float) -> Step:
        """Return the lowest point of the model with |D·s| ≤ radius."""
        ...

    def solve(self, right: Any) -> Any:
        """Return (H + λD²)⁻¹ · right with the λ of the last step; directions without curvature are left out."""
        ...

    def reduction(self, step: Any) -> float:
        """Return how much the model falls along `step`: -g·s - s·Hs/2."""
        ...

    def restricted(self, scaling: Any, free: Any) -> Model:
        """Return the model over fewer variables, those of the mask `free`; `scaling` as before."""
        ...

    def span(self) -> float:
        """Return the length |D·p| of Newton's step, in an indefinite model of one with every curvature taken upward.

        Infinite where that is not known.
        """
        ...

    def lowest(self) -> Any | None:
        """Return the direction v that bends downward most, |D·v| = 1; None where every direction bends upward."""
        ...


class DenseModel:
    """The model with a Hessian whose eigenvalues are computed.

    With D⁻¹HD⁻¹ = VWVᵀ a step is -V(W + λ)⁻¹Vᵀ·D⁻¹g for the least λ ≥ 0 that keeps it in the ball, found by Newton's
    method on the secular equation 1/|p(λ)| = 1/radius; where the slope has no part in the eigenvectors that bend
    downward most, a part along them is added (the hard case).

    Source: Moré & Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983); Conn, Gould & Toint, *Trust-Region Methods* (2000).
    """

    def __init__(self, hessian: Any, gradient: Any, scaling: Any, free: Any | None = None) -> None:
        import numpy as np

        self._np = np
        self._free = free
        self.hessian, self.gradient, self.scaling = hessian, gradient, scaling
        reduced, scale = hessian, scaling
        if free is not None:
            reduced, scale = hessian[np.ix_(free, free)], scaling[free]
        self._scale = scale
        self._values, self._vectors = np.linalg.eigh(reduced / scale / scale[:, np.newaxis])
        self._slopes = (self._inside(gradient) / scale) @ self._vectors
        self._top = float(np.abs(self._values).max(initial=0.0))
        self._level = 4.0 * len(scale) * EPSILON * self._top
        self.definite = bool(len(scale) and self._values[0] > self._level)
        self._shift = 0.0

    def _inside(self, vector: Any) -> Any:
        return vector if self._free is None else vector[self._free]

    def _outside(self, vector: Any) -> Any:
        if self._free is None:
            return vector
        full = self._np.zeros(len(self.gradient))
        full[self._free] = vector
        return full

    def _back(self, coefficients: Any) -> Any:
        return self._outside((self._vectors @ coefficients) / self._scale)

    def step(self, radius: float) -> Step:
        np, values, slopes = self._np, self._values, self._slopes
        self._shift = 0.0
        if not len(values):
            return Step(self._outside(values), interior=True)
        if self.definite:
            newton = -slopes / values
            if sqrt(newton @ newton) <= radius:
                return Step(self._back(newton), interior=True)
        least = max(0.0, -float(values[0]))
        if values[0] >= -self._level:
            flat, enough = values <= self._level, FLAT * self._top * radius
        else:
            flat, enough = values - values[0] <= self._level, EPSILON * sqrt(slopes @ slopes)
        if sqrt(slopes[flat] @ slopes[flat]) <= enough:
            with np.errstate(all="ignore"):
                rest = np.where(flat, 0.0, -slopes / (values + least))
            length = sqrt(rest @ rest)
            if length <= radius:
                self._shift = least
                if values[0] >= -self._level:
                    return Step(self._back(rest), interior=True)
                rest[0] = sqrt(radius * radius - length * length)
                return Step(self._back(rest), interior=False)
        size = sqrt(slopes @ slopes)
        self._shift = _shift(values, slopes, least, size, radius)
        return Step(self._back(-slopes / (values + self._shift)), interior=False)

    def solve(self, right: Any) -> Any:
        np = self._np
        values = self._values + self._shift
        parts = (self._inside(right) / self._scale) @ self._vectors
        with np.errstate(all="ignore"):
            return self._back(np.where(np.abs(values) > self._level, parts / values, 0.0))

    def reduction(self, step: Any) -> float:
        return -float(self.gradient @ step + 0.5 * (step @ self.hessian @ step))

    def restricted(self, scaling: Any, free: Any) -> DenseModel:
        return DenseModel(self.hessian, self.gradient, scaling, free)

    def span(self) -> float:
        upward = self._np.maximum(self._values, BENT * self._top)
        steps = self._slopes / self._np.where(self._values > 0.0, upward, self._top)
        return sqrt(steps @ steps)

    def lowest(self) -> Any | None:
        if not len(self._values) or self._values[0] >= -self._level:
            return None
        return self._outside(self._vectors[:, 0] / self._scale)


def _shift(values: Any, slopes: Any, least: float, size: float, radius: float) -> float:
    """Return λ > `least` with |(W + λ)⁻¹c| = radius, nearly."""
    low, high = least, max(size / radius - float(values[0]), least)
    shift = low + 1e-3 * (high - low)
    for _ in range(ROUNDS):
        parts = slopes / (values + shift)
        length = sqrt(parts @ parts)
        if abs(length - radius) <= RADIUS_KEPT * radius:
            break
        low, high = (shift, high) if length > radius else (low, shift)
        bend = float(parts @ (parts / (values + shift)))
        new = shift + (length - radius) / radius * length * length / bend if 0.0 < bend < inf else high
        shift = new if low < new < high else 0.5 * (low + high)
    return shift
