"""What every kind of data becomes: a `Source`, which gives a `Table` of checked columns.

A `Source` knows its names and how many rows it has; `Source.table` fetches the columns that are asked for and checks
those only, so that an unused column of text never matters.  One class, `Columns`, serves every kind: a kind brings
a way to fetch columns as float64 or float32 (NaN where a value is missing) and, for messages, a way to say where a row
stands.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from dataclasses import dataclass, field
from math import isfinite, isnan
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from descend.errors import DataError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]
    Stored: TypeAlias = NDArray[np.floating[Any]]  # float64 or float32

BLOCK = 65_536  # rows that are checked at a time: a mask of the whole table may not fit beside it

Missing: TypeAlias = Literal["error", "drop"]


class Source(Protocol):
    """Where rows come from."""

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, in the order of the data."""
        ...

    @property
    def rows(self) -> int:
        """How many rows the data have, as read (nothing dropped)."""
        ...

    @property
    def description(self) -> str:
        """What is read, for reports: ``norris.csv (36 rows, 2 columns)``."""
        ...

    def table(self, names: Sequence[str]) -> Table:
        """Fetch the columns `names`, checked.  Raises `DataError`, with the column and the row where there is one."""
        ...


@dataclass(frozen=True, eq=False)
class Table:
    """Checked columns: read-only, C-contiguous, one-dimensional arrays of the same length, all finite.

    They are float64, or float32 where the data are: half the memory to read, for code that computes in float64.
    `rows` is that length, `dropped` the number of rows left out for a missing value when the data were read;
    `row_numbers` holds the 1-based row in the original data of each row (None: all rows, in the order of the data).
    """

    names: tuple[str, ...]
    columns: tuple[Stored, ...]
    rows: int
    dropped: int = 0
    row_numbers: NDArray[np.int64] | None = None

    def column(self, name: str) -> Floats:
        """The column `name`, `rows` numbers of float64.  Raises `DataError` when the table has none of that name."""
        return doubles(self.stored(name))

    def stored(self, name: str) -> Stored:
        """The column `name` as it is held, float64 or float32: NumPy would compute with the latter in float32."""
        if name not in self.names:
            raise unknown_column(name, self.names)
        return self.columns[self.names.index(name)]

    def take(self, indices: Sequence[int] | NDArray[Any]) -> Table:
        """The table of the rows at the 0-based `indices` (or where a mask is True), in that order, as copies."""
        import numpy as np

        chosen = np.asarray(indices)
        if chosen.size == 0:
            chosen = chosen.astype(np.intp)
        numbers = np.arange(1, self.rows + 1) if self.row_numbers is None else self.row_numbers
        kept = numbers[chosen]
        columns = tuple(frozen(column[chosen]) for column in self.columns)
        return Table(self.names, columns, len(kept), self.dropped, kept)


def nowhere(_: int) -> str:
    """The place of a row in data that are not a file: nothing that its number does not say already."""
    return ""


@dataclass(frozen=True)
class Place:
    """A column of the user's data, for messages; `locate` says where a row stands in a file ("" without a file)."""

    column: str
    locate: Callable[[int], str] = nowhere

    def text(self, value: str, row: int) -> DataError:
        """The error for `value`, a text in `row`, in a column that has to hold numbers."""
        hint = number_hint(value)
        where = self.locate(row)
        reason = f"holds text ('{printable(value, 40)}' in row {row}{f', {where}' if where else ''}), not numbers"
        return DataError(f"{reason}; {hint}" if hint else reason, self.column, row)

    def wrong(self, reason: str, row: int | None = None) -> DataError:
        """The error for a column, or one of its rows, that cannot become numbers."""
        where = "" if row is None else self.locate(row)
        return DataError(f"{reason} ({where})" if where else reason, self.column, row)


@dataclass(frozen=True)
class Columns:
    """The one `Source`: columns that `fetch` gives as float arrays with NaN for what is missing, in memory or not."""

    names: tuple[str, ...]
    rows: int
    title: str
    fetch: Callable[[Sequence[str]], Sequence[Stored]] = field(repr=False)
    missing: Missing = "error"
    locate: Callable[[int], str] = field(default=nowhere, repr=False)
    note: str = ""

    def __post_init__(self) -> None:
        if not self.names:
            raise DataError(f"{self.title}: no columns to read")
        twice = tuple(name for name, count in Counter(self.names).items() if count > 1)
        if twice:
            raise DataError(f"{self.title}: more than one column is named {listed(twice)}; give each its own name")
        if self.rows == 0:
            raise DataError(f"{self.title}: no rows of data")

    @property
    def description(self) -> str:
        """The title with the number of rows and columns, and what was recognised."""
        return f"{self.title} ({counted(self.rows, 'row')}, {counted(len(self.names), 'column')}{self.note})"

    def table(self, names: Sequence[str]) -> Table:
        """Fetch the columns `names` (each once) and check them."""
        import numpy as np

        wanted = tuple(dict.fromkeys(names))
        for name in wanted:
            if name not in self.names:
                raise unknown_column(name, self.names)
        columns = self.fetch(wanted) if wanted else ()
        rows = len(columns[0]) if columns else self.rows
        for name, column in zip(wanted, columns, strict=True):
            if len(column) != rows:
                reason = f"has {counted(len(column), 'value')}, but {quoted(wanted[0])} has {rows:,}"
                raise DataError(f"{reason}: all columns must have the same length", name)
        if rows == 0:
            raise DataError("has no rows", wanted[0])
        if all(np.isfinite(c[low : low + BLOCK]).all() for c in columns for low in range(0, rows, BLOCK)):
            return Table(wanted, tuple(map(frozen, columns)), rows)
        bad = np.zeros(rows, dtype=np.bool_)
        for column in columns:
            bad |= ~np.isfinite(column)
        dropped = int(np.count_nonzero(bad))
        if self.missing == "error":
            raise self._missing_value(wanted, columns, int(bad.argmax()), dropped, rows)
        if dropped == rows:
            reason = f"every one of the {counted(rows, 'row')} has a missing or infinite value in {listed(wanted)}"
            raise DataError(f"{reason}: nothing is left when these rows are dropped")
        kept = np.flatnonzero(~bad)
        return Table(wanted, tuple(frozen(column[kept]) for column in columns), len(kept), dropped, kept + 1)

    def _missing_value(
        self, names: Sequence[str], columns: Sequence[Stored], index: int, count: int, rows: int
    ) -> DataError:
        name, value = next(
            (name, float(column[index]))
            for name, column in zip(names, columns, strict=True)
            if not isfinite(column[index])
        )
        where = self.locate(index + 1)
        reason = (
            f"{'a missing' if isnan(value) else 'an infinite'} value{f' ({where})' if where else ''}; "
            f"{count:,} of {counted(rows, 'row')} {'has' if count == 1 else 'have'} a missing (empty, null, NaN) or "
            "infinite value in the columns used. Repair them, or leave these rows out: "
            'missing="drop" in Python, --missing drop on the command line'
        )
        return DataError(reason, name, index + 1)


def doubles(column: Stored) -> Floats:
    """The same numbers in float64: `column` itself where they are, a read-only copy otherwise."""
    import numpy as np

    return column if column.dtype == np.float64 else frozen(column.astype(np.float64))  # type: ignore[return-value]


def frozen(column: Stored) -> Stored:
    """A read-only view of `column`, so that nobody writes into the user's own array by way of a table."""
    import numpy as np

    view = np.ascontiguousarray(column).view()
    view.flags.writeable = False
    return view


def counted(count: int, noun: str) -> str:
    """``1 row``, ``5,000 rows``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def quoted(name: str) -> str:
    """A name as it may be shown in a message."""
    return f"'{printable(name, 60)}'"


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Names as they may be shown in a message: the first `limit`, and how many more there are."""
    shown = ", ".join(quoted(name) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit:,} more"


def unknown_column(name: str, names: Sequence[str]) -> DataError:
    """The error for a column that the data do not have: names those there are, and the likely one."""
    folded = {present.casefold(): present for present in names}
    close = difflib.get_close_matches(name.casefold(), folded, n=1)
    advice = f"; did you mean {quoted(folded[close[0]])}?" if close else ""
    return DataError(f"the data have no such column{advice} Columns present: {listed(names)}", name)


_SIGN = r"[+\-\u2212]?"
_HINTS = (
    (rf"{_SIGN}(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", "it looks like a number kept as text: convert the column to numbers"),
    # Digits in groups of three with one comma could be either; more groups, or a decimal mark behind them, could not.
    (rf"{_SIGN}\d{{1,3}},\d{{3}}", "decimal commas and thousands marks are not read here: write 1234.5"),
    (
        rf"{_SIGN}\d{{1,3}}([,.'\u2019 \u00a0\u202f_]\d{{3}})+([.,]\d+)?",
        "it looks like a number with thousands marks: write 1234567.8, not 1,234,567.8",
    ),
    (rf"{_SIGN}\d*,\d+([eE][+-]?\d+)?", "it looks like a number with a decimal comma: write 1.5, not 1,5"),
    (rf"{_SIGN}(\d+\.?\d*|\.\d+)[dD][+-]?\d+", "it looks like a Fortran number: write 1.5e3, not 1.5d3"),
    (
        rf"{_SIGN}(\d+[.,]?\d*|[.,]\d+)\s*[^\s\d.,;:/+-][^\d]{{0,20}}|[$\u20ac\u00a3\u00a5]\s*{_SIGN}[\d.,]+",
        "it looks like a number with its unit: write the number alone, and the unit into the column's name",
    ),
    (r"(?i)yes|no|true|false|t|f|y|n", "write 1 for yes and 0 for no"),
    (r"-+|n/?d|missing|none|nil|void|#\S+", "if it stands for a missing value, leave the cell empty"),
)


def number_hint(value: str) -> str:
    """What to do about a text that looks almost like a number; "" for any other text."""
    text = value.strip()[:80]
    return next((hint for pattern, hint in _HINTS if re.fullmatch(pattern, text)), "")
