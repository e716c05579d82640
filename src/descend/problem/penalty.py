"""Penalties with kinks: lasso, elastic net and group lasso, beside a smooth cost.

P(x) = Σ_b w_b |x_b| + ½ Σᵢ rᵢ xᵢ² over blocks b of variables, |.| the Euclidean length.  A block of one variable is the
lasso (Tibshirani, *J. R. Stat. Soc. B* 58, 1996), with r the elastic net (Zou & Hastie, *J. R. Stat. Soc. B* 67, 2005),
a larger block the group lasso (Yuan & Lin, *J. R. Stat. Soc. B* 68, 2006).  P has a kink where a block is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import log2
from typing import Any, NamedTuple

from descend.box import Box
from descend.errors import FormulaError, MethodError, UnavailableError, printable
from descend.problem.layout import Layout

SUM = 24  # roundings of a pairwise sum, beside the logarithm of its length


class Named(NamedTuple):
    """A penalty as it is asked for: kind, numbers, and groups of the names that it is on (none: all)."""

    kind: str
    numbers: tuple[Fraction, ...]
    groups: tuple[tuple[str, ...], ...]
    text: str


class Zeros(NamedTuple):
    """The variables that are held at 0, and the largest |∇f_b|/w_b of the blocks that are 0, with its error."""

    held: Sequence[int]
    share: float
    error: float


@dataclass(frozen=True, eq=False)
class KinkedPenalty:
    """The penalty of a point, as NumPy arrays: `blocks` (n,) numbers the block of each variable (-1: none).

    `weights` (of each block) are w_b, and `ridge` (n,) are rᵢ.
    """

    text: str
    blocks: Any
    weights: Any
    ridge: Any

    def value(self, x: Any) -> float:
        """Return P(x)."""
        import numpy as np

        with np.errstate(all="ignore"):
            return float(np.sum(self.weights * self.sizes(x)) + 0.5 * np.sum(self.ridge * x * x))

    def sizes(self, x: Any) -> Any:
        """Return the length |x_b| of each block."""
        import numpy as np

        own = x[self._member]
        largest = float(np.abs(own).max(initial=0.0))
        if not (0.0 < largest < np.inf):
            return np.bincount(self._own, np.abs(own), len(self.weights))
        unit = 2.0 ** np.floor(np.log2(largest))  # a power of two: no rounding, and no square leaves the doubles
        return unit * np.sqrt(np.bincount(self._own, (own / unit) ** 2, len(self.weights)))

    def prox(self, x: Any, lengths: Any) -> Any:
        """Return argmin_z P(z) + Σᵢ (zᵢ - xᵢ)²/(2 lengthsᵢ); the lengths of a block are equal.

        Blocks are shortened by w·length, or become 0 where they are shorter; then all is divided by 1 + r·length.
        """
        import numpy as np

        member, own = self._member, self._own
        shortened = x.copy()
        size, cut = self.sizes(x)[own], self.weights[own] * lengths[member]
        part = np.where(size > cut, x[member] - cut * (x[member] / np.where(size > 0, size, 1.0)), 0.0)
        shortened[member] = np.where(np.isfinite(x[member]), part, x[member])
        return shortened / (1.0 + lengths * self.ridge)

    def at_kink(self, x: Any) -> Any:
        """Return which variables (n,) belong to a block that is 0."""
        import numpy as np

        zero = np.zeros(len(x), dtype=bool)
        zero[self._member] = (self.sizes(x) == 0.0)[self._own]
        return zero

    def pull(self, x: Any) -> Any:
        """Return ∇P (n,) with 0 for the blocks that are 0."""
        import numpy as np

        slope = self.ridge * x
        size = self.sizes(x)[self._own]
        slope[self._member] += np.where(
            size > 0, self.weights[self._own] * (x[self._member] / np.where(size > 0, size, 1.0)), 0.0
        )
        return slope

    def largest_pull(self, x: Any) -> Any:
        """Return a bound on the terms of every entry (n,) of a subgradient of P."""
        import numpy as np

        bound = self.ridge * np.abs(x)
        bound[self._member] += self.weights[self._own]
        return bound

    def shortest(self, x: Any, slope: Any) -> Any:
        """Return the shortest subgradient of f + P at x, where f has the gradient `slope`."""
        import numpy as np

        total = slope + self.pull(x)
        zero = self.at_kink(x)[self._member]
        size = self.sizes(slope)[self._own]
        cut, own = self.weights[self._own], slope[self._member]
        left = np.where(size > cut, own - cut * (own / np.where(size > 0, size, 1.0)), 0.0)
        total[self._member] = np.where(zero & np.isfinite(own), left, total[self._member])
        return total

    def zeros(self, x: Any, slope: Any, error: Any, without: Sequence[int]) -> Zeros | None:
        """Return what is said of the blocks that are 0 (`without` those of some variables); None where none is.

        `error` bounds the error of each entry of the slope.  Blocks with |∇f_b| = w_b within the error are not held.
        """
        import numpy as np

        block = self.sizes(x) == 0.0
        block[self.blocks[[k for k in without if self.blocks[k] >= 0]]] = False
        if not block.any():
            return None
        share, slack = self.sizes(slope) / self.weights, self.sizes(error) / self.weights
        held = self._member[(block & (share + slack < 1.0))[self._own]]
        worst = int(np.flatnonzero(block)[np.argmax(share[block])])
        return Zeros(held.tolist(), float(share[worst]), float(slack[worst]))

    def bend(self, x: Any) -> Any:
        """Return ∇²P (n, n) with 0 for the blocks that are 0."""
        import numpy as np

        full = np.diag(self.ridge)
        if self.single:
            return full
        for index, weight, size in zip(self._indices, self.weights, self.sizes(x), strict=True):
            if size > 0:
                unit = x[index] / size
                full[np.ix_(index, index)] += weight / size * (np.eye(len(index)) - np.outer(unit, unit))
        return full

    def bend_product(self, x: Any, direction: Any) -> Any:
        """Return ∇²P times a direction, with 0 for the blocks that are 0."""
        import numpy as np

        product = self.ridge * direction
        if self.single:
            return product
        member, own = self._member, self._own
        size = self.sizes(x)[own]
        safe = np.where(size > 0, size, 1.0)
        unit, moved = x[member] / safe, direction[member]
        along = np.bincount(own, unit * moved, len(self.weights))[own]
        product[member] += np.where(size > 0, self.weights[own] / safe * (moved - unit * along), 0.0)
        return product

    def equal(self, lengths: Any) -> Any:
        """Return the numbers with those of a block made equal: the largest."""
        import numpy as np

        if self.single:
            return lengths
        most = np.zeros(len(self.weights))
        np.maximum.at(most, self._own, lengths[self._member])
        equal = lengths.copy()
        equal[self._member] = most[self._own]
        return equal

    @cached_property
    def single(self) -> bool:
        """Whether every block is one variable."""
        return len(self._own) == len(self.weights)

    @cached_property
    def roundings(self) -> float:
        """How many roundings a length, or the sum of all, takes at most."""
        import numpy as np

        return SUM + log2(len(self.blocks) + 1) + int(np.bincount(self._own).max(initial=1))

    @cached_property
    def _member(self) -> Any:
        import numpy as np

        return np.flatnonzero(self.blocks >= 0)

    @cached_property
    def _own(self) -> Any:
        return self.blocks[self._member]

    @cached_property
    def _indices(self) -> Sequence[Any]:
        import numpy as np

        return [np.flatnonzero(self.blocks == k) for k in range(len(self.weights))]


def make_penalty(named: Named, layout: Layout, box: Box | None = None) -> KinkedPenalty:
    """Return the penalty with kinks on the variables that are named (a group penalises no others), or on all.

    "l1" (λ) is λ·Σ|xᵢ|; "elastic-net" (α, ρ) is α·ρ·Σ|xᵢ| + ½·α·(1 - ρ)·Σxᵢ²; "group" (λ) is λ·Σ_b √p_b·|x_b|, p_b the
    size of the group.  Raises `FormulaError`, `MethodError`, `UnavailableError`.
    """
    import numpy as np

    places = [np.concatenate([_places(layout, name) for name in group]) for group in named.groups]
    size = len(layout.labels)
    blocks = np.full(size, -1)
    ridge = np.zeros(size)
    factor = float(named.numbers[0])
    named_places = np.concatenate(places) if places else np.arange(size)
    if len(np.unique(named_places)) < len(named_places):
        raise MethodError(f"a variable is named twice in {printable(named.text)}")
    if named.kind != "group":
        places = list(named_places[:, np.newaxis])
    for k, index in enumerate(places):
        blocks[index] = k
    weights = np.array([factor * len(index) ** 0.5 for index in places])
    if named.kind == "elastic-net":
        share = float(named.numbers[1])
        ridge[blocks >= 0] = factor * (1.0 - share)
        weights *= share
        if share == 0.0:
            blocks, weights = np.full(size, -1), np.zeros(0)
    made = KinkedPenalty(named.text, blocks, weights, ridge)
    grouped = np.flatnonzero(blocks >= 0)
    if box is not None and not made.single:
        open_ended = np.isinf(box.lower.array()) & np.isinf(box.upper.array())
        for k in grouped[~open_ended[grouped]]:
            name = printable(layout.labels[int(k)])
            raise UnavailableError(
                f"{name} has bounds and is in a group of the penalty: only l1 and elastic-net allow both"
            )
    return made


def _places(layout: Layout, name: str) -> Any:
    """Return where a variable, or one entry of an array, stands in the vector."""
    import numpy as np

    for variable, extent, place in layout.slices():
        if name == variable:
            return np.arange(place.start, place.stop)
        if extent is not None:
            for k in range(extent.length):
                if name == f"{variable}[{extent.first + k}]":
                    return np.array([place.start + k])
    raise FormulaError(f"the penalty mentions {printable(name)}, which the cost does not have")
