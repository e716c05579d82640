"""Where everything goes: results to standard output, words about trouble to standard error, tables to files."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from descend.errors import DataError, printable

if TYPE_CHECKING:
    from descend.answer.result import Result

LONGEST_LINE = 10_000


# What our letters become on a terminal that lacks them: ≤ and ≰ must not both turn into "?".
PLAIN = {
    "≤": "<=", "≰": "not <=", "→": "->", "·": "*", "×": "x", "−": "-", "…": "...", "²": "^2", "∇": "grad ", "Σ": "sum",
    "∑": "sum", "ŷ": "yhat", "←": "<-", "≥": ">=", "ȳ": "mean(y)", "µ": "u",
}  # fmt: skip


class StandardOutputError(Exception):
    """Standard output does not take what is written (a full disk, say)."""


def spell_out() -> None:
    """Let both streams write any text, whatever their encoding."""
    import codecs
    from unicodedata import normalize

    def spelled(letter: str) -> str:
        without_accent = normalize("NFKD", letter).encode("ascii", "ignore").decode("ascii")
        return PLAIN.get(letter) or without_accent or "?"

    def plain(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeEncodeError)
        letters = error.object[error.start : error.end]
        return "".join(map(spelled, letters)), error.end

    codecs.register_error("descend", plain)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="descend")


def put(text: str) -> bool:
    """Print `text` to standard output.  Returns False when nobody reads any more (``| head``)."""
    if sys.stdout is None:
        return False
    try:
        print(text, flush=True)
    except BrokenPipeError:
        let_go()
        return False
    except OSError as error:
        raise StandardOutputError(f"standard output cannot be written: {error.strerror or error}") from None
    return True


def settle() -> None:
    """Write what is still held back, while failures can still be said."""
    if sys.stdout is None:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        let_go()
    except OSError as error:
        raise StandardOutputError(f"standard output cannot be written: {error.strerror or error}") from None


def let_go() -> None:
    """Send the rest of standard output nowhere, so that Python does not complain about it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def complain(message: str, hint: str = "") -> None:
    """Say what is wrong on standard error; what a person typed is never echoed as control characters."""
    if sys.stderr is None:
        return
    lines = [printable(line, LONGEST_LINE) for line in message.rstrip("\n").split("\n")]
    lines[0] = f"descend: {lines[0]}"
    if hint:
        lines.append(hint)
    try:
        print(*lines, sep="\n", file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return  # nobody listens; the exit code says it still


def put_json(content: Mapping[str, Any]) -> bool:
    """Print one JSON object."""
    import json

    speaks = (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
    return put(json.dumps(content, ensure_ascii=not speaks, allow_nan=False))


def put_result(result: Result, *, as_json: bool, quiet: bool) -> int:
    """Print a result the way that was asked for, and return its exit code."""
    from descend.cli.words import result_in_shell

    result = result_in_shell(result)
    if as_json:
        put_json(result.to_dict())
    elif quiet:
        put("\n".join(f"{printable(name)} = {value!r}" for name, value in result.variables.items()))
        if not result.success:
            complain(f"{result.status.name}: {result.message} {result.advice}".rstrip())
    else:
        put(result.report())
    return result.exit_code


def check_target(path: str, endings: Sequence[str] = ()) -> str | None:
    """Return why no file can be written at `path`, or None.  `endings` are those allowed, if not any."""
    from pathlib import Path

    target = Path(path)
    shown = printable(path)
    if not path or "\0" in path:
        return "this is not the name of a file"
    if endings and target.suffix.lower() not in endings:
        return f"{shown} must end in {' or '.join(endings)}"
    try:
        if target.is_dir():
            return f"{shown} is a folder"
        if not target.parent.is_dir():
            return f"the folder of {shown} does not exist"
    except OSError as error:
        return f"{shown}: {error.strerror}"
    return None


def csv_text(columns: Mapping[str, Sequence[Any]]) -> str:
    """Return columns as CSV; every number reads back as the same number."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*map(_cells, columns.values()), strict=True))
    return text.getvalue()


def _cells(values: Sequence[Any]) -> list[Any]:
    return [("true" if value else "false") if isinstance(value, bool) else value for value in values]


def write_table(columns: Mapping[str, Sequence[Any]], path: str) -> None:
    """Write columns to a CSV or Parquet file, first under another name, so that what is there is whole or the old one.

    Raises `DataError`.
    """
    from pathlib import Path

    target = Path(path)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    aside = beside if target.is_file() or not target.exists() else target  # a device or a pipe is written to directly
    try:
        try:
            if target.suffix.lower() == ".parquet":
                import pyarrow as pa
                from pyarrow import parquet

                parquet.write_table(pa.table(dict(columns)), str(aside))
            else:
                aside.write_text(csv_text(columns), encoding="utf-8", newline="")
            if aside is beside:
                beside.replace(target)
        finally:
            if aside is beside:
                beside.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{printable(path)} cannot be written: {error.strerror or error}") from None
