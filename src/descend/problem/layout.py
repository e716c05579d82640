"""Where each variable stands in the vector that is minimised: numbers and whole arrays, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, overload

from descend.errors import StartError, printable
from descend.problem.parameters import number, real_array, start_vector
from descend.vector import ArrayVector, Vector


class Extent(NamedTuple):
    """An array variable: its entries are ``name[first]`` ... ``name[first + length - 1]``."""

    first: int
    length: int


class Labels(Sequence[str]):
    """The name of each entry of the vector, made when it is asked for: x[0], x[1], ..."""

    def __init__(self, parts: Sequence[tuple[str, Extent | None]]) -> None:
        self.parts = tuple(parts)
        self._size = sum(1 if extent is None else extent.length for _, extent in parts)

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[str, ...]: ...
    def __getitem__(self, index: int | slice) -> str | tuple[str, ...]:
        if isinstance(index, slice):
            return tuple(self[k] for k in range(*index.indices(self._size)))
        place = index + self._size if index < 0 else index
        for name, extent in self.parts:
            size = 1 if extent is None else extent.length
            if 0 <= place < size:
                return name if extent is None else f"{name}[{extent.first + place}]"
            place -= size
        raise IndexError(index)

    def __iter__(self) -> Iterator[str]:
        for name, extent in self.parts:
            if extent is None:
                yield name
            else:
                yield from (f"{name}[{k}]" for k in range(extent.first, extent.first + extent.length))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Labels):
            return self.parts == other.parts
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(str.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        shown = [*self[:6], "..."] if len(self) > 8 else list(self)
        return f"({', '.join(shown)})"


@dataclass(frozen=True)
class Layout:
    """The variables in their order, each a number (None) or an array with its extent."""

    parts: tuple[tuple[str, Extent | None], ...]

    @property
    def labels(self) -> Labels:
        """The name of each entry of the vector."""
        return Labels(self.parts)

    def slices(self) -> Iterator[tuple[str, Extent | None, slice]]:
        """Return the place of each variable in the vector."""
        place = 0
        for name, extent in self.parts:
            size = 1 if extent is None else extent.length
            yield name, extent, slice(place, place + size)
            place += size

    def values(self, vector: Vector) -> dict[str, Any]:
        """Return name → number or new array."""
        if all(extent is None for _, extent in self.parts):
            return dict(zip((name for name, _ in self.parts), vector, strict=True))
        entries = vector.array()
        return {
            name: float(entries[place][0]) if extent is None else entries[place].copy()
            for name, extent, place in self.slices()
        }

    def start(self, start: Any) -> Vector:
        """Return the starting point: a number, a mapping, or a sequence (see `start_vector`).

        A number given for an array is given to each of its entries.  Raises `StartError`.
        """
        if all(extent is None for _, extent in self.parts):
            return start_vector(start, [name for name, _ in self.parts])
        import numpy as np

        labels = self.labels
        if not isinstance(start, Mapping):
            if isinstance(start, Iterable) and not isinstance(start, (str, bytes)) and getattr(start, "ndim", 1) != 0:
                return ArrayVector(_entries(start, len(labels), "the start"))
            if len(self.parts) == 1:
                return ArrayVector(np.full(len(labels), number(start, f"the start of {printable(self.parts[0][0])}")))
            start_vector(start, [name for name, _ in self.parts])  # says what is wrong
        given = {str(getattr(name, "name", name)): value for name, value in start.items()}
        vector = np.empty(len(labels))
        start_vector(dict.fromkeys(given, 0.0), [name for name, _ in self.parts])  # refuses unknown and missing names
        for name, extent, place in self.slices():
            value, what = given[name], f"the start of {printable(name)}"
            if extent is None:
                vector[place] = number(value, what)
            elif isinstance(value, Iterable) and not isinstance(value, (str, bytes)) and getattr(value, "ndim", 1) != 0:
                vector[place] = _entries(
                    value, extent.length, what, f" ({printable(name)} has {extent.length} entries)"
                )
            else:
                vector[place] = number(value, what)
        return ArrayVector(vector)


def _entries(values: Iterable[Any], count: int, what: str, hint: str = "") -> Any:
    """Return `values` as an array of `count` finite numbers."""
    import numpy as np

    try:
        array = np.array(real_array(values if hasattr(values, "dtype") else list(values)))
    except (TypeError, ValueError, OverflowError):
        raise StartError(f"{what} must be real numbers") from None
    if array.ndim != 1 or len(array) != count:
        shape = f"{len(array)} numbers" if array.ndim == 1 else f"{array.ndim} dimensions"
        raise StartError(f"{what} has {shape}, and {count} numbers are needed{hint}")
    if not np.isfinite(array).all():
        raise StartError(f"{what} must be finite, and entry {int(np.flatnonzero(~np.isfinite(array))[0])} is not")
    return array
