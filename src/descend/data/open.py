"""Anything that holds data becomes a `Source` here: the one door of the room."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from descend.data import arrays, files, frames
from descend.data.source import Columns, Missing, Place, Source, listed
from descend.errors import DataError, printable

if TYPE_CHECKING:
    from descend.data.source import Stored

_KINDS = (
    "a mapping of names to arrays, a pandas, polars or Arrow table, a NumPy structured array, "
    "or the path of a .csv, .parquet or .arrow file"
)


def open_source(data: object, *, missing: Missing = "error") -> Source:
    """Make a `Source` of `data`, whatever its kind.

    Args:
        data: A mapping from names to one-dimensional arrays or lists; a pandas, polars or Arrow table, or anything with
            ``__arrow_c_stream__``; a NumPy structured array; the path of a file (.csv, .tsv, .txt, also compressed with
            .gz; .parquet; .feather or .arrow), as text or `pathlib.Path`; a pattern such as ``"folder/*.parquet"``,
            whose files are read one after the other, sorted by name; or ``"-"``, CSV on standard input.
        missing: What to do with a row that has a missing value (null, NaN or infinite) in a column that is used:
            ``"error"`` raises `DataError`, ``"drop"`` leaves the row out.

    Raises:
        DataError: The data cannot be read: the message says where, and what to do.

    Example:
        >>> source = open_source({"x": [1, 2, None], "y": [2.5, 3.5, 4.5], "who": ["a", "b", "c"]}, missing="drop")
        >>> source.description
        'mapping of arrays (3 rows, 3 columns)'
        >>> table = source.table(["x", "y"])
        >>> table.column("y").tolist(), table.dropped, table.row_numbers.tolist()
        ([2.5, 3.5], 1, [1, 2])
    """
    if missing not in ("error", "drop"):
        raise DataError(f'missing has to be "error" or "drop", not {printable(repr(missing), 60)}')
    match data:
        case str() | os.PathLike():
            return files.path_source(os.fsdecode(data), missing)
        case Mapping():
            return _mapping_source(data, missing)
        case list() | tuple():
            raise DataError("a list has no names for its columns; write {'x': [...], 'y': [...]}")
    return _array_source(data, missing) or _frame_source(data, missing)


def _array_source(data: object, missing: Missing) -> Columns | None:
    """A NumPy array, which must have names; None for anything else."""
    import numpy as np

    if not isinstance(data, np.ndarray):
        return None
    if data.dtype.names:
        return arrays.structured_source(data, missing)
    example = "{'x': a[:, 0], 'y': a[:, 1], ...}" if data.ndim > 1 else "{'x': a}"
    raise DataError(f"an array of the shape {data.shape} has no names; give the columns names: {example}")


def _frame_source(data: object, missing: Missing) -> Columns:
    """A data frame of any library.  Raises `DataError` when `data` is nothing that can be read."""
    import narwhals as nw
    from narwhals.exceptions import NarwhalsError

    kind = frames.title_of(data)
    try:
        frame: Any = nw.from_native(data, pass_through=True, allow_series=True)
    except (NarwhalsError, TypeError, ValueError) as error:  # two columns of one name, for instance
        raise DataError(f"{kind}: {frames.said(error)}") from error
    match frame:
        case nw.DataFrame():
            return frames.frame_source(frame, missing)
        case nw.LazyFrame() if frame.implementation.is_dask():
            raise DataError(f"{kind}: a Dask DataFrame is not read yet; give its .compute() while it fits into memory")
        case nw.LazyFrame():
            return frames.frame_source(frame.collect(), missing)
        case nw.Series():
            raise DataError(f"{kind}: one column has no name of its own here; write {{'x': column}}")
        case frames.ArrowStream() | frames.ArrowCapsule():
            return frames.stream_source(frame, missing)
    raise DataError(f"{kind}: data of this kind cannot be read; give {_KINDS}")


def _mapping_source(data: Mapping[Any, object], missing: Missing) -> Columns:
    """A mapping of names to columns; names that are not text (a SymPy symbol, say) are written as text."""
    columns = {str(key): value for key, value in data.items()}
    names = tuple(map(str, data))
    lengths = [length for value in data.values() if (length := _length(value)) is not None]
    if names and not lengths:
        raise DataError(f"{listed(names)}: single values, not columns; give each name a list or an array of numbers")
    return Columns(
        names=names,
        # Columns of different length are refused when they are used together.
        rows=max(lengths, default=0),
        title="mapping of arrays",
        fetch=lambda wanted: [_column(columns[name], Place(name)) for name in wanted],
        missing=missing,
    )


def _length(value: object) -> int | None:
    """How many values a column has; None for what is no column."""
    if isinstance(value, str | bytes | Mapping | AbstractSet):
        return None
    try:
        return len(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def _column(value: object, place: Place) -> Stored:
    """One value of a mapping as a column of float64."""
    import numpy as np

    match value:
        case np.ndarray():
            return arrays.from_array(value, place)
        case list() | tuple() | range():
            return arrays.from_list(value, place)
    return _foreign_column(value, place)


def _foreign_column(value: object, place: Place) -> Stored:
    """A column that belongs to another library: a pandas or polars Series, an Arrow array, a tensor, ..."""
    import narwhals as nw
    import numpy as np

    series: Any = nw.from_native(value, pass_through=True, series_only=True)
    match series:
        case nw.Series():
            return frames.from_series(series, place)
        case frames.ArrowStream():
            import pyarrow as pa

            return frames.from_arrow(pa.chunked_array(series), place)
        case frames.ArrowCapsule():
            import pyarrow as pa

            return frames.from_arrow(pa.array(series), place)
    if _length(value) is None:
        raise place.wrong(f"is {arrays.kind_of(value)}, not a column; give a list or an array of numbers")
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise place.wrong(f"could not be read as an array: {frames.said(error)}") from error
    return arrays.from_array(array, place)
