"""How large a formula may be.  The limits are checked while the tape is built, so a hostile text is refused early."""

from __future__ import annotations

from dataclasses import dataclass, fields

from descend.errors import LimitError, MethodError, printable


@dataclass(frozen=True)
class Limits:
    """Limits on formulas; ``limits=descend.Limits(nodes=10_000)`` raises one of them.

    All but `entries` guard text; `entries` guards every tape, also those made from SymPy objects.
    """

    characters: int = 20_000
    nesting: int = 64
    nodes: int = 4_000
    names: int = 500
    digits: int = 40  # of one literal
    exponent: int = 308  # |power of ten| of one literal
    power: int = 1_000  # |exponent| of a constant power
    loops: int = 8  # sums and products inside one another: each multiplies the work of a look
    entries: int = 1_000_000  # operations on a tape
    rounds: int = 1_000_000_000  # of the loops of all sums in one look

    def __post_init__(self) -> None:
        """Refuse what is no limit (`MethodError`)."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                shown = printable(repr(value), 40)
                raise MethodError(f"the limit {field.name} is a whole number of at least 1, not {shown}")


STANDARD = Limits()


def beyond(limit: str, reason: str, text: str | None = None, position: int | None = None) -> LimitError:
    """Return the error for a text that is beyond `limit` (the name of a field of `Limits`)."""
    return LimitError(
        f"{reason} (in Python, limits=descend.Limits({limit}=...) raises the limit)",
        text,
        position,
    )
