"""The verdict where a penalty with kinks holds variables at 0: is 0 a subgradient there, with room to spare?

A block b of variables that is 0 stays so if |∇f_b| < w_b: then the cost rises to first order whichever way the block
moves, and the point is a minimum if it is one over the other variables, in which f + P is smooth (Bach et al.,
*Optimization with Sparsity-Inducing Penalties*, 2012, ch. 1).  A block with |∇f_b| = w_b up to rounding is not held.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from descend.descent.judgement import Criterion
from descend.evaluation import Evaluation
from descend.vector import Vector


class Zeros(NamedTuple):
    """What stands at a kink of the penalty: the variables that it holds there, and the line of the report."""

    entries: Sequence[int]
    criterion: Criterion


def held_at_zero(point: Vector, seen: Evaluation, bounded: Sequence[int]) -> Zeros | None:
    """Return what the penalty holds at 0, but for variables that a bound holds; None where nothing is at a kink."""
    if seen.split is None or seen.gradient_error is None:
        return None
    smooth, penalty = seen.split
    kink = penalty.zeros(point.array(), smooth.gradient.array(), seen.gradient_error.array(), bounded)
    if kink is None:
        return None
    what = "largest slope at what is 0, against the weight of its penalty"
    return Zeros(kink.held, Criterion(what, kink.share, 1.0, kink.share <= 1.0 + kink.error))
