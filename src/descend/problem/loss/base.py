"""What a loss is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from descend.expression.tape import Tape


@dataclass(frozen=True)
class Loss:
    """The cost of one row, from the observed y and the predicted ŷ.

    `row` builds it on a tape: (tape, entry of y, entry of ŷ) → entry.  The cost is its sum over the rows, or with
    `mean` its mean.  `quadratic` says that it is quadratic in ŷ, so that a linear model is solved exactly.
    """

    name: str
    meaning: str
    formula: str
    row: Callable[[Tape, int, int], int]
    mean: bool
    quadratic: bool
    source: str
