"""The registries as tables that a person can read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import MISSING, fields

from descend.descent.method.base import Method
from descend.descent.method.registry import METHODS
from descend.expression.functions import TABLE
from descend.problem.loss.registry import LOSSES


class Listing:
    """Rows of text with named columns; prints aligned, iterates over dicts."""

    def __init__(self, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
        self.columns = columns
        self.rows = rows

    def __iter__(self) -> Iterator[dict[str, str]]:
        return (dict(zip(self.columns, row, strict=True)) for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __str__(self) -> str:
        table = [self.columns, *self.rows]
        widths = [max(len(row[k]) for row in table) for k in range(len(self.columns))]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
        )

    __repr__ = __str__


def methods() -> Listing:
    """Return the methods that can be asked for by name."""
    rows = [
        ("auto", "chosen by the structure of the cost; with a learning rate: gradient-descent", "taken", ""),
        *(
            (name, (method.__doc__ or "").partition("\n")[0], _rate(method), method.source)
            for name, method in METHODS.items()
        ),
    ]
    return Listing(("method", "what it does", "learning rate", "source"), rows)


def _rate(method: type[Method]) -> str:
    """Return whether a method needs a learning rate, has one of its own that may be changed, or takes none."""
    for setting in fields(method):
        if setting.name == "learning_rate":
            return "needed" if setting.default is MISSING else f"{setting.default}"
    return "none"


def losses() -> Listing:
    """Return the losses that `fit` knows."""
    rows = [(loss.name, loss.formula, loss.meaning, loss.source) for loss in LOSSES.values()]
    return Listing(("loss", "formula", "meaning", "source"), rows)


def functions() -> Listing:
    """Return the functions of the language."""
    rows = [(row.name, ", ".join(row.aliases), row.meaning, row.domain) for row in TABLE.values() if row.typed]
    return Listing(("function", "also", "meaning", "domain"), rows)
