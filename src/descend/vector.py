"""Points and gradients: vectors of floats, short ones without NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import isfinite, sqrt
from typing import Any


class Vector:
    """A point or a gradient: an immutable list of floats with the arithmetic that methods use.

    Plain Python floats, so that small descents need no NumPy (its import costs more than they do).  Every operation
    is elementwise; numbers broadcast.
    """

    __slots__ = ("entries",)

    def __init__(self, entries: Sequence[float]) -> None:
        self.entries = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[float]:
        return iter(self.entries)

    def __getitem__(self, index: int) -> float:
        return self.entries[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Vector) and self.entries == other.entries

    def __hash__(self) -> int:
        return hash(self.entries)

    def __repr__(self) -> str:
        return f"Vector({list(self.entries)})"

    def __add__(self, other: Vector) -> Vector:
        return Vector([a + b for a, b in zip(self.entries, other.entries, strict=True)])

    def __sub__(self, other: Vector) -> Vector:
        return Vector([a - b for a, b in zip(self.entries, other.entries, strict=True)])

    def __neg__(self) -> Vector:
        return Vector([-a for a in self.entries])

    def __mul__(self, factor: float) -> Vector:
        return Vector([factor * a for a in self.entries])

    __rmul__ = __mul__

    def smaller(self, other: Vector) -> Vector:
        """Return the smaller of each pair of entries."""
        return Vector([min(a, b) for a, b in zip(self.entries, other.entries, strict=True)])

    def larger(self, other: Vector) -> Vector:
        """Return the larger of each pair of entries."""
        return Vector([max(a, b) for a, b in zip(self.entries, other.entries, strict=True)])

    def like(self, entries: Sequence[float]) -> Vector:
        """Return a vector of this kind with other entries (any sequence of floats, NumPy arrays too)."""
        return Vector([float(entry) for entry in entries])

    def dot(self, other: Vector) -> float:
        """Inner product, added from the first entry to the last."""
        total = 0.0
        for a, b in zip(self.entries, other.entries, strict=True):
            total += a * b
        return total

    def norm(self) -> float:
        """Euclidean length, free of overflow and underflow."""
        largest = max(map(abs, self.entries), default=0.0)
        if largest == 0.0 or not isfinite(largest):
            return largest if all(a == a for a in self.entries) else float("nan")  # noqa: PLR0124
        if 1e-150 < largest < 1e150:
            return sqrt(self.dot(self))
        return largest * sqrt(sum((a / largest) ** 2 for a in self.entries))

    @property
    def finite(self) -> bool:
        """Whether every entry is finite."""
        return all(map(isfinite, self.entries))

    def array(self) -> Any:
        """Return a new NumPy array of float64."""
        import numpy as np

        return np.array(self.entries, dtype=np.float64)


class ArrayVector(Vector):
    """A vector of many entries, held as a NumPy array that nobody may change; mixes with plain vectors."""

    __slots__ = ()

    def __init__(self, entries: Any) -> None:
        import numpy as np

        self.entries = np.ascontiguousarray(entries, dtype=np.float64)  # type: ignore[assignment]

    def __iter__(self) -> Iterator[float]:
        return iter(self.entries.tolist())  # type: ignore[attr-defined]

    def __getitem__(self, index: int) -> float:
        return float(self.entries[index])

    def __eq__(self, other: object) -> bool:
        import numpy as np

        return isinstance(other, Vector) and np.array_equal(self.entries, other.entries)

    def __hash__(self) -> int:
        return hash(self.entries.tobytes())  # type: ignore[attr-defined]

    def __repr__(self) -> str:
        return f"ArrayVector({list(self)})"

    def _with(self, operation: str, other: Vector, *, turned: bool = False) -> ArrayVector:
        import numpy as np

        a, b = (other.entries, self.entries) if turned else (self.entries, other.entries)
        with np.errstate(all="ignore"):
            return ArrayVector(getattr(np, operation)(a, b))

    def __add__(self, other: Vector) -> ArrayVector:
        return self._with("add", other)

    def __radd__(self, other: Vector) -> ArrayVector:
        return self._with("add", other, turned=True)

    def __sub__(self, other: Vector) -> ArrayVector:
        return self._with("subtract", other)

    def __rsub__(self, other: Vector) -> ArrayVector:
        return self._with("subtract", other, turned=True)

    def __neg__(self) -> ArrayVector:
        return self * -1.0

    def __mul__(self, factor: float) -> ArrayVector:
        import numpy as np

        with np.errstate(all="ignore"):
            return ArrayVector(factor * self.entries)  # type: ignore[operator]

    __rmul__ = __mul__

    def smaller(self, other: Vector) -> ArrayVector:
        """Return the smaller of each pair of entries."""
        return self._with("minimum", other)

    def larger(self, other: Vector) -> ArrayVector:
        """Return the larger of each pair of entries."""
        return self._with("maximum", other)

    def like(self, entries: Sequence[float]) -> Vector:
        """Return a vector of this kind with other entries."""
        return ArrayVector(entries)

    @property
    def finite(self) -> bool:
        """Whether every entry is finite."""
        import numpy as np

        return bool(np.isfinite(self.entries).all())

    def dot(self, other: Vector) -> float:
        """Inner product (in the order that NumPy likes)."""
        import numpy as np

        with np.errstate(all="ignore"):
            return float(np.dot(self.entries, other.entries))

    def norm(self) -> float:
        """Euclidean length, free of overflow and underflow."""
        import numpy as np

        largest = float(np.max(np.abs(self.entries), initial=0.0))
        if largest == 0.0 or not isfinite(largest):
            return largest
        scaled = self.entries / largest  # type: ignore[operator]
        return largest * sqrt(float(np.dot(scaled, scaled)))
