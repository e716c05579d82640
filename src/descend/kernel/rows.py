"""Σ over rows in machine code: every output of a row's program, summed over columns in one pass.

The code (`rows_code.py`) is written for vectors of rows, as wide as the machine has them.  Rows are summed in fixed
blocks, which are added in their order, so the bits depend neither on the number of threads nor on how the rows came.
The sum over the rows of a block is taken lane by lane, so in another order; nothing else is rearranged.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from descend.kernel.compile import MachineCode
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.lower import HELPERS, LIBRARY
from descend.kernel.program import Program
from descend.kernel.rows_code import BLOCK, LONGEST_STEP, plan, rows_function
from descend.kernel.target import target
from descend.kernel.threads import OPERATION_SECONDS, run_parts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SLICE_SECONDS = 0.01  # of one call, so that interrupts are served
LIBRARY_OPERATIONS = 10  # that a call of a library function takes as long as
BYTE_SECONDS = 0.1e-9  # of reading one byte of a table
PARTIALS = 2_000_000  # sums of blocks that are held at a time
FEW = 2  # blocks that are not worth a thread, nor a call of NumPy


class _Prepared(NamedTuple):
    """The columns of the last call: their addresses, and the tasks that cover their rows."""

    columns: tuple[Any, ...]
    owners: tuple[tuple[Any, int], ...]  # whose memory it is, and its size: `ndarray.resize` can take it away
    offsets: Any  # of the groups, None without any
    tasks: NDArray[np.int64]  # (number of tasks, 4)
    address: int  # of the tasks
    seconds: float  # that a pass takes one thread, estimated
    ends: tuple[tuple[Any, Any], ...]  # (a copy with room behind it, what it is a copy of) of the last rows of a column
    owned: tuple[Any, ...]  # what the addresses point to


class RowsKernel:
    """Sums of a row's program over columns, compiled.  The columns may change between calls, the program not.

    `single` says which columns are float32 (the others are float64); all sums are float64.  Every call has memory of
    its own, so one kernel may be called from several threads at once.
    """

    def __init__(self, program: Program, parameters: int, single: Iterable[int] = ()) -> None:
        import numpy as np

        self.program = program
        self.parameters = parameters
        self._needed = len(program.inputs) - parameters
        chosen = set(single)
        self._kinds = [np.float32 if k in chosen else np.float64 for k in range(self._needed)]
        self._plan = plan(program, parameters)
        lanes = target().lanes
        text = rows_function(self._plan, [k in chosen for k in range(self._needed)], lanes)
        self._code = MachineCode(text, 2, len(program.instructions))
        pointer, integer = ctypes.c_void_p, ctypes.c_int64
        kinds = (pointer, integer, integer, pointer, integer, pointer, pointer)
        self._call = ctypes.CFUNCTYPE(None, *kinds)(self._code.address("rows"))
        self._reach = LONGEST_STEP * lanes
        self._memory = len(self._plan.frame) + self._plan.pieces.memory * self._plan.block
        self._small = ctypes.c_double * (parameters + self._memory + FEW * len(program.outputs))
        operations = sum(LIBRARY_OPERATIONS if i.op in LIBRARY or i.op in HELPERS else 1 for i in program.instructions)
        traffic = 8 * self._needed * BYTE_SECONDS
        self._row_seconds = max(traffic, (operations + len(program.outputs)) * OPERATION_SECONDS)
        self._slice = max(1, int(SLICE_SECONDS / (self._row_seconds * self._plan.block)))
        self._prepared: _Prepared | None = None

    def __call__(self, parameters: Sequence[float], columns: Sequence[Any]) -> list[float]:
        """Return the sum of each output; `columns` are C-contiguous, aligned arrays of one length > 0.

        A program without columns still needs one, for its length.  Raises `ValueError` for anything else: machine
        code would read past an end.
        """
        if len(parameters) != self.parameters:
            raise ValueError(f"{len(parameters)} parameters for a program of {self.parameters}")
        prepared = self._ready(columns, None)
        if not len(prepared.tasks) or not self.program.outputs:
            return [0.0] * len(self.program.outputs)
        if len(prepared.tasks) <= FEW and prepared.seconds <= SLICE_SECONDS:
            return self._at_once(prepared, parameters)
        import numpy as np

        (found,) = self._sums(prepared, np.array(parameters, dtype=np.float64), 0, 1)
        return [float(x) for x in found]

    def additions(self, rows: int) -> int:
        """Return how many additions, at most, a term of a sum over `rows` goes through: for bounds on rounding."""
        block = self._plan.block
        return min(rows, block) * LONGEST_STEP // self._reach + 2 * LONGEST_STEP + -(-rows // block)

    def by_group(self, parameters: Any, columns: Sequence[Any], offsets: Any) -> NDArray[np.float64]:
        """Return the sums of each group of rows, (groups, outputs): group g has the rows offsets[g] … offsets[g+1] - 1.

        `parameters` is one point for all groups, or an array (groups, parameters) with a point for each.
        """
        import numpy as np

        offsets = np.array(offsets, dtype=np.int64)
        rows = len(columns[0]) if columns else 0
        rising = offsets.ndim == 1 and len(offsets) > 1 and bool((np.diff(offsets) >= 0).all())
        if not rising or offsets[0] != 0 or offsets[-1] != rows:
            raise ValueError("offsets of groups must rise from 0 to the number of rows")
        groups = len(offsets) - 1
        points = np.ascontiguousarray(parameters, dtype=np.float64)
        if points.shape not in {(self.parameters,), (groups, self.parameters)}:
            raise ValueError(f"parameters must have the shape ({self.parameters},) or ({groups}, {self.parameters})")
        return self._sums(self._ready(columns, offsets), points, self.parameters if points.ndim == 2 else 0, groups)

    def _at_once(self, prepared: _Prepared, parameters: Sequence[float]) -> list[float]:
        """Do the same as `_sums` for a few tasks, without NumPy, whose calls would take longer than the sums."""
        buffer = self._small()
        first = self.parameters + self._memory
        buffer[: self.parameters] = list(parameters)
        start = ctypes.addressof(buffer)
        count = len(prepared.tasks)
        self._call(prepared.address, 0, count, start, 0, start + 8 * self.parameters, start + 8 * first)
        outputs = len(self.program.outputs)
        totals = [0.0] * outputs
        for low in range(first, first + count * outputs, outputs):
            totals = [total + part for total, part in zip(totals, buffer[low : low + outputs], strict=True)]
        return totals

    def _sums(self, prepared: _Prepared, points: NDArray[np.float64], stride: int, groups: int) -> NDArray[np.float64]:
        """Run all tasks and add their sums up in order, for each group."""
        import numpy as np

        outputs = len(self.program.outputs)
        found = np.zeros((groups, outputs))
        at_once = max(1, PARTIALS // max(1, outputs))
        for low in range(0, len(prepared.tasks), at_once):
            tasks = prepared.tasks[low : low + at_once]
            partial = np.empty((len(tasks), outputs))
            self._run(prepared, tasks, points, stride, partial)
            with np.errstate(all="ignore"):
                if groups == 1:
                    partial[0] += found[0]
                    found[0] = np.add.reduce(partial, axis=0)
                else:
                    np.add.at(found, tasks[:, 1], partial)
        return found

    def _run(
        self,
        prepared: _Prepared,
        tasks: NDArray[np.int64],
        points: NDArray[np.float64],
        stride: int,
        partial: NDArray[np.float64],
    ) -> None:
        import numpy as np

        address, p, out = tasks.ctypes.data, points.ctypes.data, partial.ctypes.data

        def part(first: int, last: int, _owned: object = (tasks, partial, points, prepared)) -> None:
            memory = np.empty(self._memory)
            self._call(address, first, last, p, stride, memory.ctypes.data, out)

        seconds = prepared.seconds * len(tasks) / len(prepared.tasks)
        run_parts(part, len(tasks), self._slice, work=int(seconds / OPERATION_SECONDS))

    def _ready(self, columns: Sequence[Any], offsets: Any) -> _Prepared:
        known = self._prepared
        if known is None or not _identical(known.columns, columns) or not _same_offsets(known.offsets, offsets):
            self._check(columns)
            seconds = self._row_seconds * len(columns[0])
            known = self._prepared = _prepare(tuple(columns), offsets, self._plan.block, self._reach, seconds)
        if any(owner.nbytes != size for owner, size in known.owners):
            raise ValueError("columns must not be resized: machine code would read memory that is theirs no more")
        for copy, original in known.ends:  # whose owner may have written into it
            copy[: len(original)] = original
        return known

    def _check(self, columns: Sequence[Any]) -> None:
        if len(columns) < max(1, self._needed):
            raise ValueError(f"{len(columns)} columns for a program of {self._needed}")
        for column, kind in zip(columns, self._kinds, strict=False):
            if column.dtype != kind:
                raise ValueError(f"columns must be {kind.__name__} here, not {column.dtype}")
        for column in columns:
            if column.ndim != 1 or len(column) != len(columns[0]):
                raise ValueError("columns must be arrays of one dimension and one length")
            if not (column.flags.c_contiguous and column.flags.aligned and column.dtype.isnative):
                raise ValueError("columns must be contiguous, aligned and in the machine's byte order")


def _identical(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def _same_offsets(a: Any, b: Any) -> bool:
    import numpy as np

    return (a is None) == (b is None) and (a is None or np.array_equal(a, b))


def _prepare(columns: tuple[Any, ...], offsets: Any, block: int, reach: int, seconds: float) -> _Prepared:
    """Cover the rows by tasks.  Those whose last vector would read past the end get a copy with room behind it."""
    import numpy as np

    rows = len(columns[0])
    bounds = np.array([0, rows], dtype=np.int64) if offsets is None else offsets
    counts = -(-np.diff(bounds) // block)  # tasks of each group
    first_task = np.concatenate([[0], np.cumsum(counts)[:-1]])
    total = int(counts.sum())
    within = np.arange(total) - np.repeat(first_task, counts)
    starts = np.repeat(bounds[:-1], counts) + within * block
    sizes = np.minimum(block, np.repeat(bounds[1:], counts) - starts)
    tasks = np.zeros((total, 4), dtype=np.int64)
    table = np.array([c.ctypes.data for c in columns], dtype=np.int64)
    tasks[:, 0], tasks[:, 1] = table.ctypes.data, np.repeat(np.arange(len(counts)), counts)
    tasks[:, 2], tasks[:, 3] = starts, sizes
    over = starts + -(-sizes // reach) * reach > rows
    ends: tuple[tuple[Any, Any], ...] = ()
    owners = tuple((c.base, c.base.nbytes) if isinstance(c.base, np.ndarray) else (c, c.nbytes) for c in columns)
    owned: tuple[Any, ...] = (table,)
    if over.any():
        low = int(starts[over].min())
        ends = tuple((np.zeros(rows - low + reach, dtype=c.dtype), c[low:]) for c in columns)
        copied = np.array([copy.ctypes.data for copy, _ in ends], dtype=np.int64)
        tasks[over, 0] = copied.ctypes.data
        tasks[over, 2] -= low
        owned = (table, copied)
    return _Prepared(columns, owners, offsets, tasks, tasks.ctypes.data, seconds, ends, owned)


class RowsInterpreter:
    """The same sums by NumPy: the reference, and the small tier for few rows and few looks."""

    def __init__(self, program: Program, parameters: int) -> None:
        self.program = program
        self.parameters = parameters
        self._interpreter = Interpreter(program, arrays())

    def blocks(self, parameters: Sequence[float], columns: Sequence[Any]) -> list[list[Any]]:
        """Return the outputs of each block of rows as arrays (or numbers, where they are the same for all rows)."""
        rows = len(columns[0])
        return [
            evaluate_arrays(self._interpreter, [*parameters, *(c[low : low + BLOCK] for c in columns)])
            for low in range(0, rows, BLOCK)
        ]

    def __call__(self, parameters: Sequence[float], columns: Sequence[Any]) -> list[float]:
        """Return the sum of each output."""
        import numpy as np

        rows = len(columns[0])
        totals = [0.0] * len(self.program.outputs)
        with np.errstate(all="ignore"):
            for number, block in enumerate(self.blocks(parameters, columns)):
                size = min(BLOCK, rows - number * BLOCK)
                for k, values in enumerate(block):
                    totals[k] += float(np.sum(np.broadcast_to(values, size)))
        return totals
