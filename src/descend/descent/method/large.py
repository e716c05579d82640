"""Trust-region models of many variables: with a sparse Hessian that is factorised, or with products alone."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt
from typing import Any

from descend.descent.lanczos import Pair, lowest_pair
from descend.descent.method.subproblem import Step
from descend.descent.sparse import affordable, factorised
from descend.evaluation import Curvature

EPSILON = 2.0**-52
ROUNDINGS = 16.0  # times the spacing of doubles at the largest curvature: less curvature than that is none
RADIUS_KEPT = 0.1  # how well a step must fill the ball
HARD = 0.2  # of the model's fall that a step along the lowest direction may give away (Moré & Sorensen's σ₂)
ROUNDS = 60  # of the iteration for λ
LANCZOS = 60  # products for a direction that bends downward
FORCING = 1e-3  # how far conjugate gradients reduce the slope of the model
SOLVED = 1e-6  # the same, where a distance is asked for
MOST_PRODUCTS = 1_000  # of one solution
MOST_KEPT = 2**24  # numbers of the path of conjugate gradients that are kept for a smaller ball


def large_model(
    curvature: Curvature, gradient: Any, scaling: Any, free: Any | None = None
) -> SparseModel | ProductModel | None:
    """Return the model at a point, with a factorised Hessian where it is sparse and its fill is small.

    None where the Hessian is not finite.
    """
    import numpy as np

    hessian = curvature.sparse()
    if hessian is not None and not np.isfinite(hessian.data).all():
        return None
    if hessian is not None and affordable(hessian):
        return SparseModel(hessian, gradient, scaling, free)
    return ProductModel(curvature.product, gradient, scaling, free)


class _Scaled:
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


class SparseModel:
    """The model with a sparse Hessian; each try of λ is one factorisation.

    H + λD² = LDLᵀ tells by its pivots whether it is positive definite.  Where it is, Newton's method on
    1/|D·s(λ)| = 1/radius gives the next λ; where not, λ grows from the value of a direction that bends downward.  In
    the hard case (and near it) a step inside the ball is carried to its edge along the lowest direction.

    Source: Moré & Sorensen, SIAM J. Sci. Stat. Comput. 4 (1983); Conn, Gould & Toint, *Trust-Region Methods* (2000).
    """

    def __init__(self, hessian: Any, gradient: Any, scaling: Any, free: Any | None = None) -> None:
        import numpy as np
        from scipy import sparse

        self._np = np
        self._space = _Scaled(gradient, scaling, free)
        self.hessian, self.gradient = hessian, gradient
        reduced, inverse = hessian, 1.0 / scaling
        if free is not None:
            reduced, inverse = hessian[free][:, free], inverse[free]
        units = sparse.diags_array(inverse)
        self._matrix = (units @ reduced @ units).tocsc()
        self._top = float(abs(self._matrix).sum(axis=0).max(initial=0.0))
        self._level = ROUNDINGS * EPSILON * self._top
        self._shift = self._level
        self._base = factorised(self._matrix, self._level)
        self._factor = self._base
        self._pair = self._lowest()
        self.definite = self._base is not None and self._pair.value > 2.0 * self._level
        if self.definite:
            self._shift = 0.0  # the factor is one of H + level·D², good enough to be refined
        self._least = self._shift

    def _lowest(self) -> Pair:
        """Return the lowest curvature, nearly: by inverse iteration where all are positive, else by Lanczos."""
        np, size = self._np, len(self._space.slope)
        begin = np.random.default_rng(0).standard_normal(size)
        if self._base is None:
            return lowest_pair(lambda v: self._matrix @ v, begin, LANCZOS)
        for _ in range(4):
            begin = self._base.solve(begin / sqrt(begin @ begin)) if size else begin
        return Pair.of(lambda v: self._matrix @ v, begin)

    def step(self, radius: float) -> Step:
        """Return the lowest point of the model with |D·s| ≤ radius, nearly."""
        self._shift, self._factor = self._least, self._base
        slope = self._space.slope
        if self._base is not None:
            newton = -self._solved(slope)
            if sqrt(newton @ newton) <= radius:
                return Step(self._space.vector(newton), interior=True)
        return Step(self._space.vector(self._at_edge(radius)), interior=False)

    def _solved(self, right: Any) -> Any:
        """Return (S + λ)⁻¹ · right, refined once."""
        assert self._factor is not None
        found = self._factor.solve(right)
        rest = right - self._matrix @ found - self._shift * found
        better = found + self._factor.solve(rest)
        return better if self._np.isfinite(better).all() else found

    def _at_edge(self, radius: float) -> Any:
        slope = self._space.slope
        size = sqrt(slope @ slope)
        low, high = max(0.0, -self._pair.value), size / radius + self._top
        growth = abs(float(self._pair.vector @ slope)) / radius + 0.01 * low + self._level
        shift = self._level if self._base is not None else min(low + growth, high)
        inside = None  # the longest step that is short of the edge
        for _ in range(ROUNDS):
            factor = self._base if shift == self._level else factorised(self._matrix, shift)
            if factor is None:
                low, growth = max(low, shift), 4.0 * growth
                shift = min(low + growth, 0.5 * (low + high))
                continue
            self._shift, self._factor = shift, factor
            step = -self._solved(slope)
            length = sqrt(step @ step)
            if abs(length - radius) <= RADIUS_KEPT * radius:
                return step if length <= radius else radius / length * step
            if length > radius:
                low = max(low, shift)
            else:
                high, inside = shift, step
                carried = self._carried(step, radius)
                if carried is not None:
                    return carried
            bend = float(step @ factor.solve(step))
            new = shift + (length - radius) / radius * length * length / bend if bend > 0 else inf
            shift = new if low < new < high else low + 0.1 * (high - low) if low else sqrt(low * high) or 0.1 * high
            if not low < shift < high:
                break
        assert self._factor is not None  # high is beyond every curvature
        step = -self._solved(slope) if inside is None else inside
        length = sqrt(step @ step)
        return step if length <= radius else radius / length * step

    def _carried(self, step: Any, radius: float) -> Any | None:
        """Return the step carried to the edge along the lowest direction, None where that gives away too much."""
        if self._base is not None:
            return None
        assert self._factor is not None
        lowest = self._factor.solve(self._factor.solve(self._pair.vector))
        lowest = lowest / sqrt(lowest @ lowest)
        along, room = float(step @ lowest), radius * radius - float(step @ step)
        # Of the two ends, the one further down: the nearer root has the smaller |τ|, so it bends less.
        root = sqrt(along * along + room)
        far = room / (root + along) if along > 0 else -room / (root - along)
        bend = float(lowest @ (self._matrix @ lowest)) + self._shift
        mine = float(step @ (self._matrix @ step)) + self._shift * float(step @ step)
        gives = far * far * bend <= HARD * (mine + self._shift * radius * radius)
        return step + far * lowest if gives else None

    def solve(self, right: Any) -> Any:
        """Return (H + λD²)⁻¹ · right with the λ of the last step."""
        return self._space.vector(self._solved(self._space.covector(right)))

    def reduction(self, step: Any) -> float:
        """Return how much the model falls along `step`."""
        return -float(self.gradient @ step + 0.5 * (step @ (self.hessian @ step)))

    def span(self) -> float:
        """Return the length of Newton's step, infinite: it is not known beforehand."""
        return inf

    def lowest(self) -> Any | None:
        """Return a direction that bends downward, |D·v| = 1; None where there is none."""
        return None if self._pair.value >= -self._level else self._space.vector(self._pair.vector)


class ProductModel:
    """The model with products alone: conjugate gradients in the units of the ball, up to its edge.

    They end where the slope of the model is reduced by `FORCING`, at the edge, or where a direction bends downward,
    which is followed to the edge.  The path is kept: a smaller ball takes no further products.

    Source: Steihaug, SIAM J. Numer. Anal. 20 (1983); Toint, in *Sparse Matrices and Their Uses* (1981).
    """

    def __init__(self, product: Callable[[Any], Any], gradient: Any, scaling: Any, free: Any | None = None) -> None:
        import numpy as np

        self._np = np
        self._space = _Scaled(gradient, scaling, free)
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

    def span(self) -> float:
        """Return the length of Newton's step, infinite: it is not known beforehand."""
        return inf

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
