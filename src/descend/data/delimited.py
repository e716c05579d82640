"""Text in columns (CSV and its relatives) as an Arrow table: laid out as `layout` says, parsed by Arrow.

Cells that are empty or hold one of `NULLS` are missing values.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

from descend.data.layout import Layout, plain_text, recognise, records
from descend.data.source import Place, counted, nowhere
from descend.errors import DataError, printable

if TYPE_CHECKING:
    from collections.abc import Callable

# Arrow's own list, and what other tools write: pandas, SAS and Stata (.), the UCI archive (?).
NULLS = (
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "N/A", "NA", "NULL"),
    *("NaN", "n/a", "nan", "null", "<NA>", "NAN", "Nan", "Null", "None", "na", "?", "."),
)
_BLOCK = 8 << 20  # bytes parsed at a time: no row may be longer
_CELL = r"^[+-]?(\d+{0}?\d*|{0}\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity|nan)$"


@dataclass(frozen=True)
class Delimited:
    """A text that was read: the Arrow table, and how to speak of it."""

    table: Any
    note: str
    locate: Callable[[int], str]
    parse_text: Callable[[Any, int, Place], Any]


def read_delimited(content: bytes, title: str) -> Delimited:
    """Read text in columns.  Raises `DataError` that names the `title` and, where there is one, the line."""
    import pyarrow as pa
    from pyarrow import csv

    layout = recognise(plain_text(content, title), title)
    data, start = layout.data, layout.header.end
    has_quotes = data.find(b'"', start) >= 0
    if layout.end <= start:
        table = pa.table([pa.array([], pa.float64()) for _ in layout.names], names=list(layout.names))
        return Delimited(table, "", nowhere, _parser(layout.decimal))
    try:
        table = csv.read_csv(
            pa.BufferReader(pa.py_buffer(data).slice(start, layout.end - start)),
            read_options=csv.ReadOptions(column_names=list(layout.names), block_size=_BLOCK),
            parse_options=csv.ParseOptions(delimiter=layout.delimiter.decode(), newlines_in_values=has_quotes),
            convert_options=csv.ConvertOptions(decimal_point=layout.decimal, null_values=list(NULLS)),
        )
    except (pa.ArrowException, OSError) as error:
        raise _fault(layout, title) or _other_fault(title, error) from None
    # Arrow takes a quotation mark that is never closed for one closed at the end: the rows behind it would be lost.
    last = table.column(len(layout.names) - 1)[-1].as_py() if has_quotes else None
    if isinstance(last, str | bytes) and len(last.splitlines()) > 1 and (fault := _fault(layout, title)):
        raise fault
    note = ", decimal comma" if layout.decimal == "," else ""
    return Delimited(table, note, _line_finder(layout, has_quotes=has_quotes), _parser(layout.decimal))


def _parser(decimal: str) -> Callable[[Any, int, Place], Any]:
    """How a column that Arrow took for text becomes numbers after all: blanks around numbers and marks of missing."""

    def parse(piece: Any, before: int, place: Place) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc
        from pyarrow import types

        if not types.is_string(piece.type):  # Arrow leaves a column as bytes when they are not UTF-8
            cells = [None if cell is None else cell.decode("utf-8", "replace") for cell in piece.to_pylist()]
            piece = pa.array(cells, pa.string())
        trimmed = pc.utf8_trim_whitespace(piece)
        missing = pc.or_kleene(pc.is_null(trimmed), pc.is_in(trimmed, value_set=pa.array(NULLS)))
        number = pc.match_substring_regex(trimmed, _CELL.replace("{0}", re.escape(decimal)))
        first = pc.index(pc.or_kleene(missing, number), value=False).as_py()
        if first >= 0:
            raise place.text(piece[first].as_py(), before + first + 1)
        cleaned = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
        return pc.replace_substring(cleaned, decimal, ".").cast(pa.float64())

    return parse


def _line_finder(layout: Layout, *, has_quotes: bool) -> Callable[[int], str]:
    """How to find the line of a data row.  The text is kept for it only where rows and lines may run apart."""
    data, header, delimiter, end = layout.data, layout.header, layout.delimiter, layout.end
    first = data.count(b"\n", 0, header.end) + 1
    blank_lines = any(data.find(gap, header.end - 1, end) >= 0 for gap in (b"\n\n", b"\n\r\n"))
    if not has_quotes and not blank_lines:
        return lambda row: f"line {first + row - 1}"

    def find(row: int) -> str:
        rows = records(data, delimiter, header.end, first, end)
        record = next(islice(rows, row - 1, None), None)
        return f"line {record.line}" if record else ""

    return find


def _fault(layout: Layout, title: str) -> DataError | None:
    """The first row that is too short or too long, or has an open quotation mark; None when there is none."""
    closed = re.compile(rb'"[^"]*(?:""[^"]*)*"')
    width = len(layout.names)
    for number, record in enumerate(records(layout.data, layout.delimiter, end=layout.end)):
        if any(cell.startswith(b'"') and not closed.match(cell) for cell in record.cells):
            return DataError(f"{title}: a quotation mark on line {record.line} is never closed", row=number)
        if len(record.cells) != width:
            cells = counted(len(record.cells), "cell")
            return DataError(f"{title}: line {record.line} has {cells}, but the line of names has {width}", row=number)
    return None


def _other_fault(title: str, error: Exception) -> DataError:
    if "straddl" in str(error):
        return DataError(f"{title}: a row is longer than {_BLOCK >> 20} MiB: this is not a table of columns")
    return DataError(f"{title}: the text could not be read: {printable(str(error))}")
