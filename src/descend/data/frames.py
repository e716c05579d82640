"""Data frames and Arrow data as columns of numbers: pandas, polars, Arrow, and whatever Narwhals understands.

No frame library is imported here: a frame brings its own, Narwhals and the Arrow interface do the talking.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable

from descend.data import arrays
from descend.data.source import Columns, Missing, Place, nowhere
from descend.errors import DataError, printable

if TYPE_CHECKING:
    import narwhals as nw
    import numpy as np
    from numpy.typing import NDArray

    from descend.data.source import Stored

# pyarrow has no published types: its objects are Any, and these names say what they are.
ArrowArray: TypeAlias = Any
RecordBatch: TypeAlias = Any
TextParser: TypeAlias = Callable[[ArrowArray, int, Place], ArrowArray]


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that hands over its data as a stream of Arrow arrays."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object: ...


@runtime_checkable
class ArrowCapsule(Protocol):
    """Anything that hands over its data as one Arrow array."""

    def __arrow_c_array__(self, requested_schema: object = None) -> object: ...


class Gathered:
    """One column, gathered piece by piece into `rows` numbers; a single piece is taken as it is, without a copy."""

    def __init__(self, place: Place, rows: int) -> None:
        self._place = place
        self._rows = rows
        self._filled = 0
        self._values: Stored | None = None

    def add(self, piece: ArrowArray, parse_text: TextParser | None = None) -> None:
        """Append an Arrow array.  Raises `DataError` when it does not hold numbers.

        `parse_text`, where given, turns text into numbers before it is judged (files of text need that).
        """
        import numpy as np

        numbers = _from_arrow(piece, self._filled, self._place, parse_text)
        end = self._filled + len(numbers)
        if end > self._rows:
            raise self._place.wrong(f"has more than the {self._rows:,} rows that were announced")
        if len(numbers) == self._rows:
            self._values = numbers
        else:
            if self._values is None:
                self._values = np.empty(self._rows, numbers.dtype)
            elif numbers.dtype.itemsize > self._values.itemsize:  # files may differ in the type of a column
                self._values = self._values.astype(np.float64)
            self._values[self._filled : end] = numbers
        self._filled = end

    def finish(self) -> Stored:
        """The whole column.  Raises `DataError` when pieces are missing."""
        import numpy as np

        if self._filled != self._rows:
            raise self._place.wrong(f"has {self._filled:,} rows, but {self._rows:,} were announced")
        return np.empty(0) if self._values is None else self._values


def gather(
    names: Sequence[str],
    rows: int,
    batches: Iterable[tuple[RecordBatch, TextParser | None]],
    locate: Callable[[int], str] = nowhere,
) -> list[Stored]:
    """The columns `names` of Arrow record batches that have `rows` rows together, each with its parser of text."""
    columns = [Gathered(Place(name, locate), rows) for name in names]
    for batch, parse_text in batches:
        for name, column in zip(names, columns, strict=True):
            column.add(batch.column(name), parse_text)
    return [column.finish() for column in columns]


def frame_source(frame: nw.DataFrame[Any], missing: Missing) -> Columns:
    """A data frame that Narwhals understands; a column's name that is not text is written as text."""
    native = frame.to_native()
    keys = {str(key): key for key in frame.columns}
    # Two keys that read the same (1 and "1") are left for `Columns` to refuse.
    names = tuple(keys) if len(keys) == len(frame.columns) else tuple(map(str, frame.columns))
    return Columns(
        names=names,
        rows=len(frame),
        title=title_of(native),
        fetch=lambda wanted: [from_series(frame.get_column(keys[name]), Place(name)) for name in wanted],
        missing=missing,
    )


def stream_source(data: ArrowStream | ArrowCapsule, missing: Missing) -> Columns:
    """Anything with an Arrow stream of rows.  Raises `DataError` when what it streams has no columns."""
    import pyarrow as pa

    title = title_of(data)
    try:
        table = pa.table(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"{title}: no table with named columns: {said(error)}") from error
    return Columns(
        names=tuple(table.column_names),
        rows=table.num_rows,
        title=title,
        fetch=lambda wanted: gather(
            wanted, table.num_rows, ((batch, None) for batch in table.select(list(wanted)).to_batches())
        ),
        missing=missing,
    )


def from_series(series: nw.Series[Any], place: Place) -> Stored:
    """A column of a frame.  Raises `DataError` for text, dates and whatever else is not a number."""
    import narwhals as nw
    import numpy as np

    if isinstance(getattr(series.to_native(), "dtype", None), np.dtype) or series.dtype == nw.Object:
        return arrays.from_array(series.to_numpy(), place)
    # Each library fails in its own way on a type that Arrow or NumPy does not have (a sparse column, 128 bits).
    try:
        # Narwhals would join the chunks of an Arrow column by copying them.
        values = series.to_native() if series.implementation.is_pyarrow() else series.to_arrow()
    except Exception:  # noqa: BLE001
        try:
            numbers = (series.cast(nw.Float64()) if series.dtype.is_numeric() else series).to_numpy()
        except Exception as error:
            raise place.wrong(
                f"holds {printable(str(series.dtype), 60)} values that cannot be read as numbers"
            ) from error
        return arrays.from_array(numbers, place)
    return from_arrow(values, place)


def from_arrow(values: ArrowArray, place: Place) -> Stored:
    """An Arrow array, whole or in chunks."""
    import pyarrow as pa

    column = Gathered(place, len(values))
    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
        column.add(chunk)
    return column.finish()


def _from_arrow(piece: ArrowArray, before: int, place: Place, parse_text: TextParser | None) -> Stored:
    """One Arrow array as float64 or float32, NaN for null; `before` rows of the column stand before it."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import types

    if parse_text is not None and is_text(piece.type):
        piece = parse_text(piece, before, place)
    if types.is_dictionary(piece.type):
        piece = piece.dictionary_decode()
    kind = piece.type
    if piece.null_count == len(piece):
        return np.full(len(piece), np.nan, np.float32 if types.is_float32(kind) else np.float64)
    if types.is_floating(kind):
        return arrays.from_array(piece.to_numpy(zero_copy_only=False), place)
    if types.is_integer(kind) or types.is_boolean(kind):
        whole = piece.cast(pa.uint8()) if types.is_boolean(kind) else piece
        values: NDArray[np.float64] = pc.fill_null(whole, 0).to_numpy(zero_copy_only=False).astype(np.float64)
        if piece.null_count:
            values[pc.is_null(piece).to_numpy(zero_copy_only=False)] = np.nan
        return values
    if types.is_decimal(kind):
        # Arrow's own conversion of decimals is off in the last digit now and then; by way of text it is exact.
        exact = piece.cast(pa.string()).cast(pa.float64())
        return arrays.from_array(exact.to_numpy(zero_copy_only=False), place)
    index = int(pc.index(pc.is_valid(piece), value=True).as_py())
    if is_text(kind):
        value = piece[index].as_py()
        raise place.text(value.decode("utf-8", "replace") if isinstance(value, bytes) else value, before + index + 1)
    if types.is_temporal(kind):
        raise place.wrong(arrays.DATES, before + index + 1)
    raise place.wrong(f"holds {printable(str(kind), 60)} values, not numbers")


def is_text(kind: Any) -> bool:
    """Whether an Arrow type is a type of text or bytes."""
    from pyarrow import types

    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_string_view(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_binary_view(kind)
    )


def said(error: BaseException) -> str:
    """What another library says, on one line, fit for a message."""
    return printable(" ".join(str(error).split()))


def title_of(native: object) -> str:
    """``pandas DataFrame``, ``pyarrow Table``: what the user would call the object."""
    kind = type(native)
    return printable(f"{kind.__module__.partition('.')[0]} {kind.__name__}".removeprefix("builtins "), 60)
