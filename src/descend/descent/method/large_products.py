"""The trust-region model with products alone: conjugate gradients up to the edge of the ball."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

from descend.descent.lanczos import Pair, lowest_pair, newton_length
from descend.descent.method.subproblem import BENT, Step

EPSILON = 2.0**-52
LANCZOS = 60  # products for a direction that bends downward
SPANNED = 20  # products for the length of Newton's step
FORCING = 1e-3  # how far conjugate gradients reduce the slope of the model
SOLVED = 1e-6  # the same, where a distance is asked for
MOST_PRODUCTS = 1_000  # of one solution
MOST_KEPT = 2**24  # numbers of the path of conjugate gradients that are kept for a smaller ball


class Scaled:
    """Vectors of all variables ↔ those of the free variables in units of the ball: s = D⁻¹y."""

    def __init__(self, gradient: Any, scaling: Any, free: Any | None) -> None:
        import numpy as np

        self._np = np
        self._size, self._free = len(gradient), free
        self._scale = scaling if free is None else scaling[free]
        self.slope = self.covector(gradient)

    def covector(self, vector: Any) -> Any:
        """Return D⁻¹v, the slope or any other right-hand side, in units of the ball."""
        return (vector if self._free is None else vector[self._free]) / self._scale

    def vector(self, step: Any) -> Any:
        """Return D⁻¹y: the step in all variables."""
        if self._free is None:
            return step / self._scale
        full = self._np.zeros(self._size)
        full[self._free] = step / self._scale
        return full

    def rescaled(self, step: Any) -> Any:
        """Return y = Ds of a step in all variables."""
        return (step if self._free is None else step[self._free]) * self._scale


class ProductModel:
    """The model with products alone: conjugate gradients in the units of the ball, up to its edge.

    They end where the slope of the model is reduced by `FORCING`, at the edge, or where a direction bends downward,
    which is followed to the edge.  The path is kept: a smaller ball takes no further products.

    Source: Steihaug, SIAM J. Numer. Anal. 20 (1983); Toint, in *Sparse Matrices and Their Uses* (1981).
    """

    def __init__(self, product: Callable[[Any], Any], gradient: Any, scaling: Any, free: Any | None = None) -> None:
        import numpy as np

        self._np = np
        self._space = Scaled(gradient, scaling, free)
        self._product, self.gradient = product, gradient
        self._shift = 0.0
        self._path: list[Any] = []  # the points of conjugate gradients
        self._reached = 0.0  # the radius up to which the path is known
        self._ended = False  # whether it ends inside
        self._pair: Pair | None = None
        self.definite = True  # as long as no direction has been seen that does not bend upward

    def _times(self, vector: Any) -> Any:
        return self._space.covector(self._product(self._space.vector(vector)))

    def step(self, radius: float) -> Step:
        """Return where the path of conjugate gradients ends or leaves the ball."""
        np, slope = self._np, self._space.slope
        if not slope.any():
            pair = self._lowest()
            if pair.value >= 0:
                return Step(self._space.vector(np.zeros_like(slope)), interior=True)
            return Step(self._space.vector(radius * pair.vector), interior=False)
        if radius > self._reached and not self._ended:
            self._walk(radius)
        before = np.zeros_like(slope)
        for point in self._path:
            if not sqrt(point @ point) <= radius:
                found = _edge(before, point - before, radius)
                self._shift = self._multiplier(found)
                return Step(self._space.vector(found), interior=False)
            before = point
        self._shift = 0.0
        return Step(self._space.vector(before), interior=self._ended)

    def _walk(self, radius: float) -> None:
        np, slope = self._np, self._space.slope
        self._reached, self._path, self._ended = radius, [], False
        most_kept = max(2, MOST_KEPT // max(1, len(slope)))
        point, rest = np.zeros_like(slope), -slope
        direction, square = rest, float(rest @ rest)
        bound = FORCING * sqrt(square)
        for _ in range(MOST_PRODUCTS):
            times = self._times(direction)
            bend = float(direction @ times)
            if not bend > EPSILON * sqrt(float(times @ times) * float(direction @ direction)):
                if not np.isfinite(bend):  # no model there: down the slope
                    direction, point = -slope, np.zeros_like(slope)
                self.definite = False
                self._path.append(_edge(point, direction, 2.0 * max(radius, sqrt(point @ point))))
                return
            length = square / bend
            point = point + length * direction
            self._path.append(point)
            if len(self._path) > most_kept:  # chords of the path do as well
                del self._path[-2::-2]
            if sqrt(point @ point) > radius:
                return
            rest = rest - length * times
            square, old = float(rest @ rest), square
            if sqrt(square) <= bound:
                break
            direction = rest + square / old * direction
        self._ended = True

    def _multiplier(self, step: Any) -> float:
        """Return λ of a step to the edge, as its own Rayleigh quotient says: -(g + Hs)·s / |Ds|²."""
        away = -float(self._space.slope @ step) - float(step @ self._times(step))
        return max(0.0, away / float(step @ step))

    def solve(self, right: Any) -> Any:
        """Return (H + λD²)⁻¹ · right with the λ of the last step, by conjugate gradients."""
        right = self._space.covector(right)
        return self._space.vector(conjugate_gradients(lambda v: self._times(v) + self._shift * v, right, SOLVED))

    def reduction(self, step: Any) -> float:
        """Return how much the model falls along `step`."""
        return -float(self.gradient @ step) - 0.5 * float(step @ self._product(step))

    def restricted(self, scaling: Any, free: Any) -> ProductModel:
        """Return the model over fewer variables."""
        return ProductModel(self._product, self.gradient, scaling, free)

    def span(self) -> float:
        """Return the length |D·p| of Newton's step, every curvature taken upward, nearly."""
        return newton_length(self._times, self._space.slope, BENT, SPANNED)

    def lowest(self) -> Any | None:
        """Return a direction that bends downward, |D·v| = 1; None where none was found."""
        pair = self._lowest()
        return None if pair.value >= -pair.noise else self._space.vector(pair.vector)

    def _lowest(self) -> Pair:
        if self._pair is None:
            begin = self._np.random.default_rng(0).standard_normal(len(self._space.slope))
            self._pair = lowest_pair(self._times, begin, LANCZOS)
        return self._pair


def _edge(point: Any, direction: Any, radius: float) -> Any:
    """Return point + t·direction with t ≥ 0 at the given length."""
    size = sqrt(direction @ direction)
    unit = direction / size
    along, room = float(point @ unit), max(0.0, radius * radius - float(point @ point))
    root = sqrt(along * along + room)
    far = room / (root + along) if along > 0 else root - along
    return point + far * unit


def conjugate_gradients(
    times: Callable[[Any], Any], right: Any, forcing: float = FORCING, most: int = MOST_PRODUCTS
) -> Any:
    """Return the solution of A·y = right, as far as A bends upward."""
    import numpy as np

    point, rest = np.zeros_like(right), right
    direction, square = rest, float(rest @ rest)
    bound = forcing * sqrt(square)
    for _ in range(most):
        if not sqrt(square) > bound:
            break
        along = times(direction)
        bend = float(direction @ along)
        if not bend > EPSILON * sqrt(float(along @ along) * float(direction @ direction)):
            break
        length = square / bend
        point = point + length * direction
        rest = rest - length * along
        square, old = float(rest @ rest), square
        direction = rest + square / old * direction
    return point
