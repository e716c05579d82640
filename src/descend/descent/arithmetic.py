"""The names that a fixed-step method's `learn` may use, for numbers and for tape symbols alike.

Points and gradients are `Vector`s when a run is walked by the loop, and `Symbols` when the method is traced once on a
tape; both have + - and *.  On a tape nothing is simplified: the traced rule does the very
operations that the loop does, in the same order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NoReturn

from descend.expression.tape import Tape

STEP_NUMBER = "`k"  # the symbol of the step number: no door accepts a backtick in a name, so it is nobody's variable


class Symbols:
    """A vector (or, with `scalar`, a number) of tape entries."""

    __slots__ = ("entries", "tape")

    def __init__(self, tape: Tape, entries: Sequence[int]) -> None:
        self.tape = tape
        self.entries = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[int]:
        return iter(self.entries)

    def __bool__(self) -> NoReturn:
        raise TypeError("the truth of a symbol is not known while a method is traced")

    __eq__ = None  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

    def _with(self, op: str, other: Symbols | float) -> Symbols:
        if not isinstance(other, Symbols):
            other = Symbols(self.tape, [self.tape.constant(other)] * len(self))
        pairs = zip(self.entries, other.entries, strict=True)
        return Symbols(self.tape, [self.tape.raw(op, pair) for pair in pairs])

    def __add__(self, other: Symbols | float) -> Symbols:
        return self._with("add", other)

    def __sub__(self, other: Symbols) -> Symbols:
        return self + -other

    def __neg__(self) -> Symbols:
        return Symbols(self.tape, [self.tape.raw("neg", (e,)) for e in self.entries])

    def __mul__(self, factor: float | Symbols) -> Symbols:
        if isinstance(factor, Symbols):
            if len(factor) != 1:  # number · vector
                return factor * self
            (scale,) = factor.entries
        else:
            scale = self.tape.constant(factor)
        return Symbols(self.tape, [self.tape.raw("mul", (scale, e)) for e in self.entries])

    __rmul__ = __mul__
