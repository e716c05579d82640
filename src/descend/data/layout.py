"""How a text in columns is laid out: its encoding, what stands between the columns, the decimal mark, the names.

Recognised by fixed rules from the first lines.  Between the columns stands a comma, a semicolon, a tab, a bar, or
blanks; the first line that is not blank names the columns (one without a name is called ``column3`` after its place).
Where commas do not separate the columns, a comma may be the decimal mark.  UTF-8, with or without its mark, or UTF-16
with it; lines end in any of the three ways; blank lines are skipped.
"""

from __future__ import annotations

import gzip
import re
import zlib
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from descend.errors import DataError, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAMPLE_RECORDS = 50
_HEAD = 4 << 20  # bytes looked at to recognise the format; no line of names is longer
_NUMBER = re.compile(rb"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?")
_POINT = re.compile(rb"[+-]?(\d+\.\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(rb"[+-]?(\d+,\d*|,\d+)([eE][+-]?\d+)?")
_THOUSANDS = re.compile(rb"[+-]?[1-9]\d{0,2},\d{3}")  # a decimal comma or a thousands mark: nobody can tell
_KINDS = {
    b"PAR1": "a Parquet file: give it the ending .parquet",
    b"ARROW1": "an Arrow file: give it the ending .arrow",
    b"PK\x03\x04": "an Excel or zip file: save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file: save the sheet as CSV",
    b"%PDF": "a PDF file",
}


class Record(NamedTuple):
    """One row of the text: the 1-based `line` on which it begins, the offset behind it, and its raw cells."""

    line: int
    end: int
    cells: list[bytes]


@dataclass(frozen=True)
class Layout:
    """What was recognised: where the rows begin and end in `data`, and how they are written."""

    data: bytes
    delimiter: bytes
    decimal: str
    names: tuple[str, ...]
    header: Record
    end: int


def records(data: bytes, delimiter: bytes, start: int = 0, line: int = 1, end: int | None = None) -> Iterator[Record]:
    """The records of `data` from the offset `start`, which is on the given line; blank lines are skipped.

    A cell that begins with a quotation mark reaches to the closing one, over delimiters and ends of lines; a mark
    inside a cell is an ordinary character.  These are the rules by which Arrow reads the same text.
    """
    end = len(data) if end is None else end
    mark = re.escape(delimiter)
    cell = re.compile(rb'("[^"]*(?:""[^"]*)*"[^%b\n]*|[^%b\n]*)(%b|\n|\Z)' % (mark, mark, mark))
    while start < end:
        stop = data.find(b"\n", start, end)
        stop = end if stop < 0 else stop
        if data.find(b'"', start, stop) < 0:
            row, after, lines = data[start:stop].removesuffix(b"\r").split(delimiter), stop + 1, 1
        else:
            row, after = [], start
            while match := cell.match(data, after, end):
                row.append(match[1])
                after = match.end()
                if match[2] != delimiter:
                    break
            row[-1] = row[-1].removesuffix(b"\r")
            lines = data.count(b"\n", start, after)
        if row != [b""]:
            yield Record(line, min(after, end), row)
        start, line = after, line + lines


def plain_text(content: bytes, title: str) -> bytes:
    """UTF-8 bytes without a mark and with ends of line that Arrow and `records` see alike."""
    if content.startswith(b"\x1f\x8b"):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{title}: the compressed file is damaged: {printable(str(error))}") from None
    for magic, kind in _KINDS.items():
        if content.startswith(magic):
            raise DataError(f"{title}: this is not text in columns but {kind}")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeError as error:
            raise DataError(f"{title}: the text is not the UTF-16 it claims to be: {printable(str(error))}") from None
    content = content.removeprefix(b"\xef\xbb\xbf")
    if b"\r" in content and content.count(b"\r") != content.count(b"\r\n"):
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if (position := content.find(b"\0")) >= 0:
        line = content.count(b"\n", 0, position) + 1
        raise DataError(f"{title}: this is not a text file (byte {position + 1}, on line {line}, is zero)")
    return content


def recognise(data: bytes, title: str) -> Layout:
    """Recognise delimiter, decimal mark and names from the first records."""
    end = _trimmed_end(data)
    if end == 0:
        raise DataError(f"{title}: the file is empty; its first line has to name the columns")
    head = data[: min(end, _HEAD)]
    if end > _HEAD:
        head = head[: head.rfind(b"\n") + 1]
    if not head.strip():
        raise DataError(f"{title}: the first line is longer than {_HEAD >> 20} MiB: this is not a table of columns")
    delimiter = _delimiter(head)
    if delimiter is None and _is_spaced(head):
        data = b"\n".join(b"\t".join(line.split()) for line in data[:end].splitlines())
        delimiter, end = b"\t", len(data)
        head = data[:_HEAD]
    delimiter = delimiter or b","
    header, *sample = islice(records(head, delimiter), _SAMPLE_RECORDS)
    if all(_NUMBER.fullmatch(cell.strip()) for cell in header.cells):
        line = printable(delimiter.join(header.cells).decode("utf-8", "replace"), 60)
        example = delimiter.decode().join(f"x{n}" for n in range(1, min(len(header.cells), 4) + 1)).replace("\t", " ")
        raise DataError(
            f"{title}: there seems to be no line of names: the first line is '{line}'; "
            f"put a line above it that names the columns, such as '{example}'"
        )
    cells = [cell.strip(b' "') for record in sample for cell in record.cells]
    return Layout(data, delimiter, _decimal_mark(cells, delimiter), _header_names(header, title), header, end)


def _trimmed_end(data: bytes) -> int:
    """The offset behind the last line that is not blank."""
    end = len(data)
    while end > 0:
        newline = data.rfind(b"\n", 0, end)
        if data[newline + 1 : end].strip(b" \r"):
            return end
        end = max(newline, 0)
    return 0


def _delimiter(head: bytes) -> bytes | None:
    """The character that splits most records into as many cells as the first, or None.

    On a tie the rarer character in text and numbers wins: in ``1,5;2,5`` both split evenly, and it is the semicolon.
    """
    best, most = None, 0.0
    for delimiter in (b"\t", b";", b"|", b","):
        widths = [len(record.cells) for record in islice(records(head, delimiter), _SAMPLE_RECORDS)]
        agreement = widths.count(widths[0]) / len(widths)
        if widths[0] > 1 and agreement > most:
            best, most = delimiter, agreement
    return best


def _is_spaced(head: bytes) -> bool:
    """Whether blanks split every one of the first lines into the same number of cells, two or more."""
    lines = [line.split() for line in head.splitlines()[: 2 * _SAMPLE_RECORDS] if line.strip()]
    return b'"' not in head and len(lines) > 1 and len(lines[0]) > 1 and len({len(line) for line in lines}) == 1


def _decimal_mark(cells: list[bytes], delimiter: bytes) -> str:
    """A comma when cells hold numbers with a comma and none with a point; "." when in doubt.

    ``1,234`` alone might be a thousand: it is read as 1.234 only in a file with semicolons, which are there because
    the comma is the decimal mark.  Elsewhere it stays a text, and is refused as such if its column is used.
    """
    commas = [cell for cell in cells if _COMMA.fullmatch(cell)]
    if delimiter == b"," or not commas or any(_POINT.fullmatch(cell) for cell in cells):
        return "."
    clear = delimiter == b";" or any(not _THOUSANDS.fullmatch(cell) for cell in commas)
    return "," if clear else "."


def _header_names(header: Record, title: str) -> tuple[str, ...]:
    """The names of the columns, blanks around them removed, those without a name called after their place."""
    names = []
    for cell in header.cells:
        bare = cell.strip()
        if len(bare) > 1 and bare.startswith(b'"') and bare.endswith(b'"'):
            bare = bare[1:-1].replace(b'""', b'"')
        try:
            names.append(bare.decode("utf-8").strip())
        except UnicodeDecodeError as error:
            shown = printable(bare.decode("utf-8", "replace"), 40)
            raise DataError(
                f"{title}: line {header.line} is not UTF-8 (byte {bare[error.start]:#04x} in the name '{shown}'); "
                "save the file as UTF-8"
            ) from None
    for index, name in enumerate(names):
        if not name:
            fresh = f"column{index + 1}"
            while fresh in names:
                fresh += "_"
            names[index] = fresh
    return tuple(names)
