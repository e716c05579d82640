"""Files as columns: CSV and its relatives, Parquet, Arrow (Feather); one, or many of a glob; or standard input.

A text is parsed when it is opened, an Arrow file is read; of Parquet only the columns asked for are, batch by batch
into the finished arrays, so that little more than these is ever in memory.
"""

from __future__ import annotations

import difflib
import glob
import sys
from bisect import bisect_left
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING

from descend.data.delimited import read_delimited
from descend.data.frames import RecordBatch, TextParser, gather, said
from descend.data.source import Columns, Missing, listed, nowhere
from descend.errors import DataError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from descend.data.source import Stored

STANDARD_INPUT = "-"


@dataclass(frozen=True)
class _Part:
    """One file: `batches` gives the columns asked for as Arrow record batches, `rows` rows together."""

    title: str
    names: tuple[str, ...]
    rows: int
    batches: Callable[[Sequence[str]], Iterator[RecordBatch]]
    locate: Callable[[int], str] = nowhere
    parse_text: TextParser | None = None
    note: str = ""


def path_source(path: str, missing: Missing) -> Columns:
    """The file at `path`, the files that match it (sorted by name, rows one after the other), or standard input ("-").

    Raises `DataError` that names the file when there is none, or when it cannot be read.
    """
    if path == STANDARD_INPUT:
        return _source("standard input", [_text_part(_standard_input(), "standard input", "standard input")], missing)
    if not path.strip():
        raise DataError("the path of the data is empty; give the name of a file")
    if path.startswith(("http://", "https://", "s3://", "gs://")):
        raise DataError(f"{printable(path)}: only files of this machine are read; download it first")
    with _reading(Path(path)):
        file = Path(path).expanduser()
        if any(mark in path for mark in "*?[") and not file.exists():
            found = [Path(name) for name in glob.glob(str(file), recursive=True)]  # noqa: PTH207  the pattern may be absolute
            files = sorted(name for name in found if not name.is_dir())
            if not files:
                raise DataError(f"{printable(path)}: no file matches")
            return _source(printable(path), [_part(name) for name in files], missing)
        return _source(printable(file.name), [_part(file)], missing)


def _source(title: str, parts: list[_Part], missing: Missing) -> Columns:
    """The rows of the parts, one after the other."""
    first = parts[0]
    for part in parts[1:]:
        if set(part.names) != set(first.names):
            lacking = [name for name in first.names if name not in set(part.names)]
            extra = [name for name in part.names if name not in set(first.names)]
            differences = [f"it lacks {listed(lacking)}"] * bool(lacking) + [f"it adds {listed(extra)}"] * bool(extra)
            raise DataError(
                f"{part.title}: its columns are not those of {first.title}: {' and '.join(differences)}; "
                "files that are read together need the same columns"
            )
    ends = list(accumulate(part.rows for part in parts))
    several = len(parts) > 1

    def fetch(names: Sequence[str]) -> list[Stored]:
        pieces = ((batch, part.parse_text) for part in parts for batch in part.batches(names))
        return gather(names, ends[-1], pieces, locate)

    def locate(row: int) -> str:
        index = bisect_left(ends, row)
        part = parts[index]
        if not several:
            return part.locate(row)
        own_row = row - (ends[index] - part.rows)
        return f"{part.locate(own_row) or f'row {own_row}'} of {part.title}"

    note = f", {len(parts):,} files" if several else ""
    return Columns(first.names, ends[-1], title, fetch, missing, locate, note + first.note)


def _part(path: Path) -> _Part:
    """One file, of the kind that its ending tells."""
    ending = path.name.lower()
    title = printable(path.name)
    with _reading(path):
        if path.is_dir():
            name = printable(str(path))
            raise DataError(f"{name}: this is a folder; for the files in it, write '{name}/*.parquet'")
        match Path(ending.removesuffix(".gz")).suffix, ending.endswith(".gz"):
            case ((".parquet" | ".pq"), False):
                return _parquet_part(path, title)
            case ((".feather" | ".arrow" | ".ipc"), False):
                return _arrow_part(path, title)
            case ((".csv" | ".tsv" | ".tab" | ".txt" | ""), _):  # without an ending: a pipe of the shell, <(...)
                return _text_part(path.read_bytes(), title, printable(str(path)))
            case _:
                raise DataError(
                    f"{printable(str(path))}: files that end in '{printable(path.suffix, 20)}' are not read; "
                    "readable are .csv, .tsv, .txt (also with .gz), .parquet, .feather and .arrow"
                )


def _text_part(content: bytes, title: str, path: str) -> _Part:
    text = read_delimited(content, path)
    return _Part(
        title=title,
        names=tuple(text.table.column_names),
        rows=text.table.num_rows,
        batches=lambda names: iter(text.table.select(list(names)).to_batches()),
        locate=text.locate,
        parse_text=text.parse_text,
        note=text.note,
    )


def _parquet_part(path: Path, title: str) -> _Part:
    from pyarrow import parquet

    with parquet.ParquetFile(path, pre_buffer=False) as file:
        names, rows = tuple(file.schema_arrow.names), file.metadata.num_rows

    def batches(wanted: Sequence[str]) -> Iterator[RecordBatch]:
        # Opened anew, so that no file is held open between calls; without buffering ahead a third of the memory does.
        with _reading(path), parquet.ParquetFile(path, pre_buffer=False) as file:
            for name in set(wanted) - set(file.schema_arrow.names):
                raise DataError(f"{title} no longer has this column: the file was changed meanwhile", name)
            yield from file.iter_batches(columns=list(wanted))

    return _Part(title, names, rows, batches)


def _arrow_part(path: Path, title: str) -> _Part:
    import pyarrow as pa
    from pyarrow import ipc

    with pa.OSFile(str(path)) as file:
        if file.read(4) == b"FEA1":
            raise DataError(f"{printable(str(path))}: Feather version 1 is not read; write the file as version 2")
        file.seek(0)
        try:
            table = ipc.open_file(file).read_all()
        except pa.ArrowInvalid:  # not the form with an index at its end: then the stream
            file.seek(0)
            table = ipc.open_stream(file).read_all()
    names = tuple(table.column_names)
    return _Part(title, names, table.num_rows, lambda wanted: iter(table.select(list(wanted)).to_batches()))


def _standard_input() -> bytes:
    stream = getattr(sys.stdin, "buffer", None)  # a notebook replaces standard input by something without bytes
    if stream is None:
        raise DataError("standard input: there is none to read here; give the path of a file")
    content: bytes = stream.read()
    return content


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a `DataError` that names the file."""
    import pyarrow as pa

    name = printable(str(path))
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{name}: there is no such file{_likely(path)}") from None
    except PermissionError:
        raise DataError(f"{name}: this file may not be read (permission denied)") from None
    except MemoryError as error:
        raise DataError(f"{name}: the file needs more memory than there is: {said(error)}") from error
    except (OSError, pa.ArrowException, ValueError, TypeError, KeyError, RuntimeError) as error:
        kind = f" as a {printable(path.suffix, 20)} file" if path.suffix else ""
        raise DataError(f"{name}: this could not be read{kind}: {said(error)}") from error


def _likely(path: Path) -> str:
    """A file beside the missing one whose name is close."""
    try:
        present = [entry.name for entry in path.parent.iterdir()]
    except (OSError, ValueError):
        return ""
    close = difflib.get_close_matches(path.name, present, n=1)
    return f"; did you mean {printable(close[0])!r}?" if close else ""
