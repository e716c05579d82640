"""What was found out about a formula, as one frozen record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from math import isfinite
from typing import Any

from descend.expression.analyse.below import Below
from descend.expression.analyse.quadratic import Rates
from descend.expression.analyse.witness import Bend


@dataclass(frozen=True)
class QuadraticFacts:
    """A quadratic cost: its smallest and largest curvature, and the minimum in closed form.

    `shape`: "bowl" (one minimum), "valley" (a line or plane of minima), "falls" (level somewhere, and falling there),
    "saddle" or "hill" (bent downwards).  In a valley `smallest` is the smallest curvature across it.
    """

    shape: str
    smallest: float
    largest: float
    condition: float | None
    minimum: Mapping[str, float] | None
    value: float | None


@dataclass(frozen=True)
class Explanation:
    """What can be known about a formula before descending; None is "unknown" throughout.

    ``print(explanation)`` says it in sentences, `to_dict` gives plain data.  `convex` and `concave` are proved, not
    sampled; `bend` holds the witness where they are False.  `below` holds the lowest value or the way down, `rates`
    what gradient descent can be expected to do.  `unfinished` names the questions that ran out of time.
    """

    formula: str
    variables: tuple[str, ...]
    size: int
    model: str | None
    degree: int | None
    linear_in: tuple[str, ...]
    linear_together: tuple[str, ...]
    quadratic: QuadraticFacts | None
    residuals: int | None
    sum_of_squares: bool
    convex: bool | None
    concave: bool | None
    bounded_below: bool | None
    range: tuple[float, float] | None
    domain: tuple[str, ...] | None
    domain_empty: bool
    kinks: tuple[str, ...] | None
    groups: tuple[tuple[str, ...], ...] | None
    separable_entries: tuple[str, ...]
    dead: tuple[str, ...] | None
    together: tuple[str, ...] | None
    rates: Rates | None
    bend: Bend
    below: Below
    unfinished: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float

    def __str__(self) -> str:
        from descend.expression.words import sentences

        return sentences(self)

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON: numbers that are not finite are None."""
        result: dict[str, Any] = _plain(self)
        return result


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, Rates):
        return {k: _plain(v) for k, v in value._asdict().items()}
    if isinstance(value, (tuple, list)):
        return [_plain(v) for v in value]
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, float):
        return value + 0.0 if isfinite(value) else None
    return value
