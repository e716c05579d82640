"""What a row of the table of functions holds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from descend.expression.tape import Tape


class Monotone(Enum):
    """How a function of one argument (or of the first, the others held) moves over its whole domain."""

    INCREASING = "increasing"
    DECREASING = "decreasing"
    NEITHER = "neither"


class Curvature(Enum):
    """The curvature of a function over its whole domain, jointly in its arguments."""

    AFFINE = "affine"
    CONVEX = "convex"
    CONCAVE = "concave"
    NEITHER = "neither"


# The partial derivatives of an entry: (tape, arguments, the entry itself) → an entry for each argument, None for zero.
Partials = Callable[["Tape", tuple[int, ...], int], tuple[int | None, ...]]


@dataclass(frozen=True)
class Function:
    """Everything mathematical that has to be known about one function.

    `arity` is (least, most), most None for any number; `domain` a condition on the arguments in words; `exact` maps
    rational arguments to rational values that are folded; `kink` says that the derivative jumps somewhere;
    `stands_for` are formulas that lose digits, as text, which `stabilise` replaces by the function.
    """

    name: str
    meaning: str
    arity: tuple[int, int | None]
    partials: Partials
    domain: str
    monotone: Monotone
    curvature: Curvature
    aliases: tuple[str, ...] = ()
    exact: dict[Fraction, Fraction] = field(default_factory=dict)
    kink: bool = False
    typed: bool = True  # whether a person may write it by name (operators and `not` are not written so)
    stands_for: tuple[str, ...] = ()


def row(
    name: str,
    meaning: str,
    partials: Partials,
    domain: str,
    monotone: Monotone,
    curvature: Curvature,
    *,
    arity: tuple[int, int | None] = (1, 1),
    aliases: tuple[str, ...] = (),
    exact: dict[int, int] | None = None,
    kink: bool = False,
    typed: bool = True,
    stands_for: tuple[str, ...] = (),
) -> Function:
    """Make a row of the table."""
    table = {Fraction(a): Fraction(b) for a, b in (exact or {}).items()}
    return Function(
        name, meaning, arity, partials, domain, monotone, curvature, aliases, table, kink, typed, stands_for
    )


REAL = "any real number"


def zero(_tape: Tape, args: tuple[int, ...], _entry: int) -> tuple[None, ...]:
    """Partials of a function that is constant between its jumps."""
    return (None,) * len(args)
