"""Every error that `descend` raises on purpose, as one tree.

::

    DescendError
    ├── FormulaError         the text of a formula (or a SymPy object) cannot be understood
    │   └── LimitError       a formula is larger than the limits allow
    ├── StartError           the starting point is missing, misnamed or unusable
    ├── DomainError          a formula has no value where one is needed
    ├── DataError            the data cannot be read or used (knows the column and the row)
    ├── MethodError          a method, a loss or one of their settings does not exist or does not fit
    ├── UnavailableError     a planned part that this version does not have yet
    └── UnsuccessfulError    raised only on request, by `Result.raise_if_failed`

A run that merely does not succeed is not an exception: it is a `Result` with a status.
Each message says what is wrong, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def printable(text: str, limit: int = 200) -> str:
    """Return `text` with every unprintable character shown as ``?``, cut to `limit` characters."""
    shown = "".join(c if c.isprintable() else "?" for c in text[: limit + 1])
    return shown if len(text) <= limit else shown[:limit] + "…"


SPACES = dict.fromkeys(map(ord, "\t\n\r"), " ")  # of the same width, so that a caret stays under its place


def _columns(text: str) -> int:
    """Return how many columns `text` takes in a terminal: none for a combining mark, two for a wide character."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(c) else 1 + (east_asian_width(c) in {"W", "F"}) for c in text)


def nearest(name: str, choices: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the choice that `name` may have been meant for, printable, or None."""
    from difflib import get_close_matches  # only a mistake needs it

    close = get_close_matches(name, list(choices), n=1, cutoff=cutoff)
    return printable(close[0]) if close else None


def unknown_name(name: str, present: Sequence[str] | Mapping[str, int], what: str) -> str:
    """Return the sentence for a name that does not occur, with what there is and the nearest to it."""
    shown = ", ".join(printable(p) for p in list(present)[:8]) + (", ..." if len(present) > 8 else "")
    close = nearest(name, present)
    hint = f"; did you mean {close}?" if close else f"; it has {shown}" if present else "; it has none"
    return f"{what} {printable(name)!r}{hint}"


class DescendError(Exception):
    """The root of the tree: ``except descend.DescendError`` catches everything raised on purpose."""


class FormulaError(DescendError):
    """A formula cannot be understood.

    Attributes: `reason` (one sentence), `text` (the formula, or None), `position` (0-based index of the place in
    `text`, or None).  ``str(error)`` shows the reason and, under the text, a caret at the place.
    """

    def __init__(self, reason: str, text: str | None = None, position: int | None = None) -> None:
        self.reason = reason
        self.text = text
        self.position = position
        super().__init__(reason, text, position)

    def __str__(self) -> str:
        if self.text is None or self.position is None:
            return self.reason
        window = 60  # a long formula is shown around the place only
        position = min(max(self.position, 0), len(self.text))
        first = max(0, position - window)
        shown = printable(self.text[first : position + window].translate(SPACES), 2 * window)
        lead = "…" if first else ""
        return f"{self.reason}\n  {lead}{shown}\n  {' ' * _columns(lead + shown[: position - first])}^"


class LimitError(FormulaError):
    """A formula is larger than `descend.Limits` allows; the message names the limit and how to raise it."""


class StartError(DescendError):
    """The starting point is missing, names the wrong variables, or the cost has no finite value there."""


class DomainError(DescendError):
    """A formula has no finite value where one is needed (the logarithm of a negative number, say)."""


class DataError(DescendError):
    """The data cannot be read or used.  Attributes: `column` (name or None), `row` (1-based data row or None)."""

    def __init__(self, reason: str, column: str | None = None, row: int | None = None) -> None:
        self.reason = reason
        self.column = column
        self.row = row
        super().__init__(reason, column, row)

    def __str__(self) -> str:
        where = [f"column {printable(self.column)!r}"] if self.column is not None else []
        where += [f"row {self.row}"] if self.row is not None else []
        return f"{', '.join(where)}: {self.reason}" if where else self.reason


class MethodError(DescendError):
    """A method, loss or setting does not exist, or does not fit this cost."""


class UnavailableError(DescendError):
    """A part that is planned but not in this version; the message says what to use meanwhile."""


class UnsuccessfulError(DescendError):
    """Raised by `Result.raise_if_failed` when the status is not a success."""
