"""Bounds as people write them → the box of the vector."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from typing import Any

from descend.box import Box
from descend.errors import MethodError, StartError, printable, unknown_name
from descend.problem.layout import Extent, Layout
from descend.problem.parameters import number, real_array
from descend.vector import ArrayVector, Vector

EXAMPLE = "bounds={'x': (0, 5)}, with None for an end that is not there"


def make_box(layout: Layout, bounds: Any) -> Box | None:
    """Return the box in the order of the vector; None where nothing is bounded.

    `bounds` is a mapping from names to pairs (lower, upper), or a sequence of pairs in the order of the variables.
    An end is a number, or None (or an infinity) where there is none; of an array variable it may be an array, one
    number an entry.  Equal ends hold the variable there.  Raises `MethodError`.
    """
    pairs = _by_name(layout, bounds)
    lower: list[Any] = []
    upper: list[Any] = []
    for name, extent in layout.parts:
        low, high = _pair(name, extent, pairs[name]) if name in pairs else (-inf, inf)
        lower.append(low)
        upper.append(high)
    if all(extent is None for _, extent in layout.parts):
        return _box(Vector(lower), Vector(upper))
    return _box(*(ArrayVector(_joined(layout, ends)) for ends in (lower, upper)))


def _box(lower: Vector, upper: Vector) -> Box | None:
    return None if all(x == -inf for x in lower) and all(x == inf for x in upper) else Box(lower, upper)


def _by_name(layout: Layout, bounds: Any) -> dict[str, Any]:
    if bounds is None:
        return {}
    names = [name for name, _ in layout.parts]
    if isinstance(bounds, Mapping):
        given = {str(getattr(key, "name", key)): pair for key, pair in bounds.items()}
        for name in given:
            if name not in names:
                raise MethodError(unknown_name(name, names, "bounds= names a variable that is not free:"))
        return given
    if isinstance(bounds, (str, bytes)) or not isinstance(bounds, Iterable):
        raise MethodError(f"bounds is a mapping from names to pairs: {EXAMPLE}")
    pairs = list(bounds)
    if len(pairs) != len(names) or not all(isinstance(p, Iterable) or p is None for p in pairs):
        raise MethodError(
            f"bounds without names are one pair a variable, and the variables are {', '.join(map(printable, names))}; "
            f"better with names: {EXAMPLE}"
        )
    return dict(zip(names, pairs, strict=True))


def _pair(name: str, extent: Extent | None, pair: Any) -> tuple[Any, Any]:
    shown = printable(name)
    if pair is None:
        return -inf, inf
    if isinstance(pair, (str, bytes, Mapping)) or not isinstance(pair, Iterable):
        raise MethodError(f"the bounds of {shown} are a pair (lower, upper), not {printable(repr(pair), 40)}")
    ends = list(pair)
    if len(ends) != 2:
        raise MethodError(f"the bounds of {shown} are a pair (lower, upper), not {len(ends)} things")
    low = _end(ends[0], -inf, f"the lower bound of {shown}", extent)
    high = _end(ends[1], inf, f"the upper bound of {shown}", extent)
    _check_order(shown, extent, low, high)
    return low, high


def _end(value: Any, missing: float, what: str, extent: Extent | None) -> Any:
    """Return one end: a float, or of an array variable perhaps an array."""
    if value is None:
        return missing
    if extent is not None and isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return _ends(value, missing, what, extent)
    try:
        return number(value, what, infinite=True)
    except StartError as error:
        raise MethodError(str(error)) from None


def _ends(values: Iterable[Any], missing: float, what: str, extent: Extent) -> Any:
    import numpy as np

    try:
        array = np.array(real_array([missing if v is None else v for v in values]))
    except (TypeError, ValueError, OverflowError):
        raise MethodError(f"{what} must be numbers, or None where there is none") from None
    if array.shape != (extent.length,):
        raise MethodError(f"{what} has {array.size} numbers, and {extent.length} are needed, one an entry")
    if np.isnan(array).any():
        raise MethodError(f"{what} must not be NaN, and entry {int(np.flatnonzero(np.isnan(array))[0])} is")
    return array


def _check_order(shown: str, extent: Extent | None, low: Any, high: Any) -> None:
    if extent is not None:
        import numpy as np

        lows, highs = np.broadcast_to(low, extent.length), np.broadcast_to(high, extent.length)
        wrong = np.flatnonzero((lows > highs) | (lows == inf) | (highs == -inf))
        if not wrong.size:
            return
        k = int(wrong[0])
        shown, low, high = f"{shown}[{extent.first + k}]", float(lows[k]), float(highs[k])
    if low > high:
        raise MethodError(f"the bounds of {shown} leave nothing: the lower, {low:g}, is above the upper, {high:g}")
    if low == inf or high == -inf:
        raise MethodError(f"the bounds of {shown} leave nothing: no number is between {low:g} and {high:g}")


def _joined(layout: Layout, ends: list[Any]) -> Any:
    import numpy as np

    vector = np.empty(len(layout.labels))
    for (_, _, place), end in zip(layout.slices(), ends, strict=True):
        vector[place] = end
    return vector


def tighter(first: Box | None, second: Box | None) -> Box | None:
    """Return the box of what both allow.  Raises `MethodError` where that is nothing."""
    if first is None or second is None:
        return first or second
    lower = first.lower.like([max(a, b) for a, b in zip(first.lower, second.lower, strict=True)])
    upper = first.upper.like([min(a, b) for a, b in zip(first.upper, second.upper, strict=True)])
    for low, high in zip(lower, upper, strict=True):
        if low > high:
            raise MethodError(
                f"the bounds leave nothing beside what the symbols are declared to be: {low:g} is above {high:g}"
            )
    return Box(lower, upper)
