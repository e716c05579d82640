"""How large a formula may be.  The limits are checked while the tape is built, so a hostile text is refused early."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits on formulas; ``limits=descend.Limits(nodes=10_000)`` raises one of them.

    The first seven guard text; `entries` guards every tape, also those made from SymPy objects.
    """

    characters: int = 20_000
    nesting: int = 64
    nodes: int = 4_000
    names: int = 500
    digits: int = 40  # of one literal
    exponent: int = 308  # |power of ten| of one literal
    power: int = 1_000  # |exponent| of a constant power
    entries: int = 1_000_000  # operations on a tape


STANDARD = Limits()
