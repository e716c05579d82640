"""The Recorder keeps what a descent went through; the Trace is what the user reads of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from descend.evaluation import Evaluation
from descend.vector import Vector


class Row(NamedTuple):
    """One recorded look."""

    step: int
    look: int
    point: Vector
    cost: float
    gradient: Vector
    step_size: float
    learning_rate: float
    accepted: bool


@dataclass(frozen=True)
class Trace:
    """The recorded looks of one descent, as named columns.

    Columns: ``step``, ``look``, one per variable, ``cost`` (in the user's sign), ``gradient_norm``, ``step_size``
    (length of the step that led here; NaN at the start), ``learning_rate`` and ``accepted``.  A long run is thinned
    to every `stride`-th look (the last is always there).
    """

    names: tuple[str, ...]
    rows: tuple[Row, ...]
    stride: int = 1
    sign: float = 1.0

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @property
    def columns(self) -> dict[str, list[Any]]:
        """The columns as new lists."""
        result: dict[str, list[Any]] = {
            "step": [r.step for r in self.rows],
            "look": [r.look for r in self.rows],
        }
        for k, name in enumerate(self.names):
            result[_free(name, result)] = [r.point[k] for r in self.rows]
        result["cost"] = [self.sign * r.cost for r in self.rows]
        result["gradient_norm"] = [r.gradient.norm() for r in self.rows]
        result["step_size"] = [r.step_size for r in self.rows]
        result["learning_rate"] = [r.learning_rate for r in self.rows]
        result["accepted"] = [r.accepted for r in self.rows]
        return result

    def __getitem__(self, column: str) -> list[Any]:
        return self.columns[column]

    def to_arrow(self) -> Any:
        """Return a new `pyarrow.Table`."""
        import pyarrow as pa

        return pa.table(self.columns)

    def to_pandas(self) -> Any:
        """Return a new pandas DataFrame (needs pandas)."""
        import pandas as pd

        return pd.DataFrame(self.columns)

    def to_polars(self) -> Any:
        """Return a new polars DataFrame (needs polars)."""
        import polars as pl

        return pl.DataFrame(self.columns)


RESERVED = frozenset({"step", "look", "cost", "gradient_norm", "step_size", "learning_rate", "accepted"})


def _free(name: str, taken: dict[str, list[Any]]) -> str:
    """A variable called like one of the other columns gets an underscore behind it."""
    while name in taken or name in RESERVED:
        name += "_"
    return name


class Recorder:
    """Collects rows; when there are more than `limit`, every second one is dropped and the stride doubles."""

    def __init__(self, names: Sequence[str], limit: int = 20_000) -> None:
        self.names = tuple(names)
        self.limit = limit
        self.stride = 1
        self.looks = 0  # the number of the last look that was taken in, 0 before the first
        self._rows: list[Row | Callable[[], Row]] = []
        self._last: Row | Callable[[], Row] | None = None

    def record(
        self, step: int, look: int, point: Vector, evaluation: Evaluation, size: float, rate: float, *, accepted: bool
    ) -> None:
        """Take in one look (numbered from 1)."""
        self.keep(look, Row(step, look, point, evaluation.cost, evaluation.gradient, size, rate, accepted))

    def keep(self, look: int, row: Row | Callable[[], Row]) -> None:
        """Take in one look as a row, or as a function that makes the row if it is still there at the end."""
        self.looks, self._last = look, row
        if (look - 1) % self.stride == 0:
            self._rows.append(row)
            if len(self._rows) > self.limit:
                del self._rows[1::2]
                self.stride *= 2

    def trace(self) -> Trace:
        """Return what was recorded."""
        rows = [row if isinstance(row, Row) else row() for row in self._rows]
        if self._last is not None and (not rows or rows[-1].look != self.looks):
            rows.append(self._last if isinstance(self._last, Row) else self._last())
        return Trace(self.names, tuple(rows), self.stride)
