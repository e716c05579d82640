"""Names ↔ vector: the start as people write it, and numbers as they come (int, Fraction, SymPy, NumPy)."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, isnan
from typing import Any

from descend.errors import StartError, printable, unknown_name
from descend.vector import Vector


def number(value: Any, what: str, *, infinite: bool = False) -> float:
    """Return `value` as a float, finite unless infinities are allowed; raise `StartError` saying what it should be."""
    if isinstance(value, numbers.Complex) and not isinstance(value, numbers.Real):
        raise StartError(f"{what} must be one real number, not a complex one")
    if isinstance(value, (str, bytes, bool)) or value is None:
        raise StartError(f"{what} must be a number, not {printable(repr(value))}")
    try:
        result = float(value)
    except (TypeError, ValueError):
        raise StartError(f"{what} must be one real number, not {printable(str(type(value).__name__))}") from None
    except OverflowError:
        raise StartError(f"{what} is too large for a double") from None
    if isnan(result) or not (infinite or isfinite(result)):
        raise StartError(f"{what} must be {'a number' if infinite else 'finite'}, not {result}")
    return result


def real_array(values: Any) -> Any:
    """Return `values` as an array of float64 (perhaps the user's own).

    Raises `TypeError` or `ValueError` for what are no real numbers: text, complex numbers, dates, masked entries.
    """
    import numpy as np

    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise ValueError("masked entries have no value")
    array = np.asarray(values)
    if array.dtype.kind == "O":
        array = np.array([float(v) for v in array.tolist()])
    elif array.dtype.kind not in "biuf":
        raise TypeError(f"an array of {array.dtype} does not hold real numbers")
    return np.asarray(array, dtype=np.float64)


def start_vector(start: Any, names: Sequence[str], default: float | None = None) -> Vector:
    """Return the starting point in the order of `names`.

    `start` is a number (one variable), a mapping name → number, or a sequence in the order of the variables.  With
    `default`, a mapping need not name them all.  Raises `StartError`.
    """
    if isinstance(start, Mapping):
        given = {str(getattr(name, "name", name)): value for name, value in start.items()}
        for name in given:
            if name not in names:
                raise StartError(unknown_name(name, tuple(names), "there is no variable"))
        missing = [name for name in names if name not in given]
        if missing and default is None:
            raise StartError(f"the start is missing for {', '.join(map(printable, missing))}")
        return Vector([number(given.get(name, default), f"the start of {printable(name)}") for name in names])
    if isinstance(start, Iterable) and not isinstance(start, (str, bytes)) and getattr(start, "ndim", None) != 0:
        values = list(start)
        if len(values) != len(names):
            raise StartError(
                f"the start has {len(values)} numbers but the variables are {len(names)}: "
                f"{', '.join(map(printable, names))}"
            )
        return Vector([number(v, f"the start of {printable(n)}") for n, v in zip(names, values, strict=True)])
    if len(names) != 1:
        raise StartError(
            f"one number cannot start {len(names)} variables; give a mapping, "
            f"start={{{', '.join(f'{printable(n)!r}: ...' for n in names[:3])}}}"
        )
    return Vector([number(start, f"the start of {printable(names[0])}")])
