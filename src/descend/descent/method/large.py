"""Trust-region models of many variables: with a sparse Hessian that is factorised, or with products alone."""

from __future__ import annotations

from math import inf, sqrt
from typing import Any

from descend.descent.lanczos import Pair, lowest_pair, newton_length
from descend.descent.method.large_products import ProductModel, Scaled
from descend.descent.method.subproblem import BENT, Step
from descend.descent.sparse import affordable, factorised
from descend.evaluation import Curvature

EPSILON = 2.0**-52
ROUNDINGS = 16.0  # times the spacing of doubles at the largest curvature: less curvature than that is none
RADIUS_KEPT = 0.1  # how well a step must fill the ball
HARD = 0.2  # of the model's fall that a step along the lowest direction may give away (Moré & Sorensen's σ₂)
ROUNDS = 60  # of the iteration for λ
LANCZOS = 60  # products for a direction that bends downward
SPANNED = 20  # products for the length of Newton's step


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
        self._space = Scaled(gradient, scaling, free)
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

    def restricted(self, scaling: Any, free: Any) -> SparseModel:
        """Return the model over fewer variables."""
        return SparseModel(self.hessian, self.gradient, scaling, free)

    def span(self) -> float:
        """Return the length |D·p| of Newton's step, every curvature taken upward, nearly."""
        return newton_length(lambda v: self._matrix @ v, self._space.slope, BENT, SPANNED)

    def lowest(self) -> Any | None:
        """Return a direction that bends downward, |D·v| = 1; None where there is none."""
        return None if self._pair.value >= -self._level else self._space.vector(self._pair.vector)
