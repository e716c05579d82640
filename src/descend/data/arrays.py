"""NumPy arrays and Python lists as columns of numbers."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any, SupportsFloat

from descend.data.source import Columns, Missing, Place
from descend.errors import DataError, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from descend.data.source import Stored

DATES = "holds dates or times, not numbers; convert them first, to days since the first one for instance"
_COMPLEX = "holds complex numbers; give the real and the imaginary part as two columns"


def structured_source(array: NDArray[Any], missing: Missing) -> Columns:
    """A NumPy structured array (or record array): its fields are the columns.  Raises `DataError` unless it is 1-D."""
    names = array.dtype.names or ()
    if array.ndim != 1:
        raise DataError(f"a structured array must have one dimension, this one has the shape {array.shape}")
    return Columns(
        names=tuple(names),
        rows=len(array),
        title="NumPy structured array",
        fetch=lambda wanted: [from_array(array[name], Place(name)) for name in wanted],
        missing=missing,
    )


def from_array(array: NDArray[Any], place: Place) -> Stored:
    """`array` as contiguous, aligned, native float64, or float32 where it has these: itself or a converted copy.

    Masked entries become NaN.  Integers that float64 cannot hold exactly are rounded.  Raises `DataError` for any shape
    but one dimension and for text, dates, complex numbers and records.
    """
    import numpy as np

    if array.ndim != 1:
        raise place.wrong(_shape_reason(array))
    if len(array) == 0:
        return np.empty(0)
    if isinstance(array, np.ma.MaskedArray):
        hidden = np.ma.getmaskarray(array)
        plain = np.array(array.data)
        if plain.dtype.kind == "O":
            plain[hidden] = None  # what stands under the mask may be anything
        return np.where(hidden, np.nan, from_array(plain, place))
    match array.dtype.kind:
        case "f" | "i" | "u" | "b":
            single = array.dtype.kind == "f" and array.dtype.itemsize == 4
            with np.errstate(over="ignore"):  # a long double beyond float64 becomes infinite, which counts as missing
                return np.require(np.asarray(array), np.float32 if single else np.float64, ["C", "A"])
        case "O":
            return from_objects(array, place)
        case "c":
            raise place.wrong(_COMPLEX)
        case "M" | "m":
            raise place.wrong(DATES)
        case "U" | "T" | "S":
            raise place.text(_text(array[0]), 1)
        case _:
            raise place.wrong(f"holds {printable(str(array.dtype), 60)} values, not numbers")


def from_list(values: Sequence[Any], place: Place) -> Stored:
    """A list, tuple or range of numbers; None counts as missing.  Raises `DataError` naming the first other value."""
    import numpy as np

    try:
        array = np.asarray(values)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        return from_objects(values, place)
    if array.ndim != 1:
        raise place.wrong(_shape_reason(array))
    # NumPy turns [1, "a"] into two texts: unless all are numbers, each value is judged by itself.
    return from_array(array, place) if array.dtype.kind in "fiub" else from_objects(values, place)


def from_objects(values: Sequence[Any] | NDArray[Any], place: Place) -> Stored:
    """Python objects, one by one: numbers of any kind (also `Decimal`, `Fraction`), None and pandas' NA as missing."""
    import numpy as np

    result = np.empty(len(values))
    for index, value in enumerate(values):
        result[index] = _number(value, place, index + 1)
    return result


def _number(value: object, place: Place, row: int) -> float:
    """One Python object as a float, NaN when it stands for a missing value."""
    import numpy as np

    match value:
        case None:
            return float("nan")
        case str() | bytes():
            raise place.text(_text(value), row)
        case dt.date() | dt.time() | dt.timedelta() | np.datetime64() | np.timedelta64():
            if type(value).__name__ == "NaTType":  # pandas' missing date is a date by inheritance
                return float("nan")
            raise place.wrong(DATES, row)
        case complex() | np.complexfloating():
            raise place.wrong(_COMPLEX, row)
        case Decimal() if value.is_snan():
            return float("nan")
        case SupportsFloat():
            try:
                return float(value)
            except OverflowError:
                raise place.wrong("holds a number too large for double precision", row) from None
            except (TypeError, ValueError, RuntimeError):
                pass
    if type(value).__name__ == "NAType":  # pandas.NA, recognised without importing pandas
        return float("nan")
    raise place.wrong(f"holds {kind_of(value)}, not a number", row)


def kind_of(value: object) -> str:
    """``an int``, ``a list``: the type of a Python object with its article, for messages."""
    name = printable(type(value).__name__, 40)
    return f"{'an' if name[:1] in 'aeiouAEIOU' else 'a'} {name}"


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _shape_reason(array: NDArray[Any]) -> str:
    if array.ndim == 0:
        return f"is a single {printable(array.dtype.name, 40)}, not a column; give a list or an array of numbers"
    return (
        f"has the shape {array.shape}, but a column has one dimension; "
        "give each column a name of its own: {'x1': a[:, 0], 'x2': a[:, 1], ...}"
    )
