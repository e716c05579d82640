"""Σ over rows in machine code: every output of a row's program, summed over columns in one pass.

The code is written for vectors of rows, as wide as the machine has them.  Rows are summed in fixed blocks, which are
added in their order, so the bits depend neither on the number of threads nor on how the rows came.  A program too
large for one loop (many columns, many outputs) is cut into pieces: each is a loop of its own over the same block, which
stays in the cache meanwhile, and values that later pieces need are kept for the block.

The sum over the rows of a block is taken lane by lane, so in another order; nothing else is rearranged.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from descend.kernel.compile import MachineCode
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.lower import HELPERS, LIBRARY, Body, module
from descend.kernel.pieces import CONDITIONS, Limits, Piece, Pieces, cut
from descend.kernel.program import Program
from descend.kernel.target import target
from descend.kernel.threads import run_parts
from descend.kernel.vector_math import LanesBody

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BLOCK = 4096  # rows that are summed together, at most
CACHE = 512 * 1024  # bytes of a block's columns and kept values, when several loops go over them
WHOLE = Limits(operations=600, inputs=20, outputs=40)  # up to which one loop does it
PART = Limits(operations=200, inputs=12, outputs=16)  # of one loop, where there are several
SLICE_SECONDS = 0.01  # of one call, so that interrupts are served
LIBRARY_OPERATIONS = 10  # that a call of a library function takes as long as
OPERATION_SECONDS = 0.15e-9  # of one operation on one row, roughly
BYTE_SECONDS = 0.1e-9  # of reading one byte of a table
PARTIALS = 2_000_000  # sums of blocks that are held at a time


class Plan(NamedTuple):
    """How a program is evaluated: what is the same for all rows, and the loops over the rest."""

    program: Program
    parameters: int
    uniform: tuple[int, ...]  # slots that are computed once, in their order
    frame: dict[int, int]  # parameter or uniform slot → its place in the frame
    pieces: Pieces
    block: int  # rows


def plan(program: Program, parameters: int) -> Plan:
    """Decide what is computed once, and cut the rest into loops."""
    first = len(program.inputs)
    columns = range(parameters, first)
    varying = set(columns)
    constants = set()
    for slot, instruction in enumerate(program.instructions, first):
        if instruction.op == "constant":
            constants.add(slot)
        elif instruction.op in CONDITIONS or any(a in varying for a in instruction.args):
            varying.add(slot)
    once = [s for s in range(first, program.slots) if s not in varying and s not in constants]
    everywhere = {*range(first), *constants, *once}
    pieces = cut(program, everywhere, columns, WHOLE)
    block = BLOCK
    if len(pieces.pieces) > 1:
        pieces = cut(program, everywhere, columns, PART)
        bytes_a_row = 8 * (len(columns) + pieces.memory)
        while block > 128 and block * bytes_a_row > CACHE:
            block //= 2
    frame = {slot: place for place, slot in enumerate([*range(parameters), *once])}
    return Plan(program, parameters, tuple(once), frame, pieces, block)


# ------------------------------------------------------------------------------------------------------------ writing


class _Loop:
    """One piece as a function: ``void piece(double* frame, void** table, i64 start, i64 count, double* kept, out)``.

    It goes over the rows [start, start + count) by vectors.  The last vector may reach beyond the end (the caller sees
    to it that there is memory); what it finds there is computed but not added.
    """

    def __init__(self, work: Plan, piece: Piece, number: int, single: Sequence[bool], lanes: int) -> None:
        self.work, self.piece, self.number, self.single = work, piece, number, single
        self.lanes = lanes
        small = len(piece.slots) <= 40 and len(piece.outputs) <= 6
        self.unroll = 4 if small and len(piece.slots) <= 12 else 2 if small else 1  # sums that do not wait for another
        self.body = LanesBody(lanes)

    def write(self) -> tuple[str, Body]:
        b, piece, program = self.body, self.piece, self.work.program
        inputs = len(program.inputs)
        used = {a for s in piece.slots for a in program.instructions[s - inputs].args}
        used |= {program.outputs[k] for k in piece.outputs}
        b.label("entry")
        end = b.spread(b.emit("sitofp i64 %count to double"))
        names = [""] * program.slots
        for slot in sorted(used):
            if slot in self.work.frame:
                names[slot] = b.spread(b.load("%frame", self.work.frame[slot]))
            elif slot >= inputs and program.instructions[slot - inputs].op == "constant":
                b.program(program, names, [slot])
        columns = {
            s: self._column(s - self.work.parameters) for s in sorted(used) if self.work.parameters <= s < inputs
        }
        kept = {s: self._kept(s) for s in (*piece.reads, *piece.writes)}
        b.write("br label %rows")

        b.label("rows")
        index, after = b.fresh(), b.fresh()
        row, row_after = b.fresh(), b.fresh()  # the numbers of the rows of the first vector, as doubles
        sums = [[b.fresh() for _ in piece.outputs] for _ in range(self.unroll)]
        step = self.lanes * self.unroll
        numbers = ", ".join(f"double {float(k)}" for k in range(self.lanes))
        b.write(f"{index} = phi i64 [0, %entry], [{after}, %rows]")
        b.write(f"{row} = phi {b.kind} [<{numbers}>, %entry], [{row_after}, %rows]")
        phis = len(b.lines)
        totals = []
        for turn in range(self.unroll):
            offset, here = index, row
            if turn:
                offset = b.emit(f"add nuw nsw i64 {index}, {turn * self.lanes}")
                here = b.emit(f"fadd {b.kind} {row}, {b.number(turn * self.lanes)}")
            inside = b.emit(f"fcmp olt {b.kind} {here}, {end}")
            self._values(names, columns, kept, offset)
            totals.append([
                self._added(total, names[program.outputs[k]], inside)
                for total, k in zip(sums[turn], piece.outputs, strict=True)
            ])  # fmt: skip
        b.write(f"{row_after} = fadd {b.kind} {row}, {b.number(step)}")
        b.write(f"{after} = add nuw nsw i64 {index}, {step}")
        b.write(f"br i1 {b.emit(f'icmp slt i64 {after}, %count')}, label %rows, label %done")
        b.lines[phis:phis] = [
            f"  {s} = phi {b.kind} [zeroinitializer, %entry], [{t}, %rows]"
            for turn in range(self.unroll)
            for s, t in zip(sums[turn], totals[turn], strict=True)
        ]

        b.label("done")
        for k, *parts in zip(piece.outputs, *totals, strict=True):
            total = parts[0]
            for part in parts[1:]:
                total = b.emit(f"fadd {b.kind} {total}, {part}")
            b.store(self._across(total), "%out", k)
        b.write("ret void")
        arguments = (
            "ptr noalias %frame, ptr noalias %table, i64 %start, i64 %count, ptr noalias %kept, ptr noalias %out"
        )
        return f'internal void @piece{self.number}({arguments}) "min-legal-vector-width"="512"', b

    def _values(self, names: list[str], columns: dict[int, str], kept: dict[int, str], offset: str) -> None:
        """Compute all slots of the piece for the vector of rows at `offset`."""
        b, piece = self.body, self.piece
        for slot, pointer in columns.items():
            names[slot] = self._load(pointer, offset, single=self.single[slot - self.work.parameters])
        for slot in piece.reads:
            names[slot] = self._load(kept[slot], offset)
        b.program(self.work.program, names, piece.slots)
        for slot in piece.writes:
            place = b.emit(f"getelementptr inbounds double, ptr {kept[slot]}, i64 {offset}")
            b.write(f"store {b.kind} {names[slot]}, ptr {place}, align 8")

    def _column(self, number: int) -> str:
        b = self.body
        kind = "float" if self.single[number] else "double"
        return b.emit(f"getelementptr inbounds {kind}, ptr {b.load('%table', number, 'ptr')}, i64 %start")

    def _kept(self, slot: int) -> str:
        place = self.work.pieces.place[slot] * self.work.block
        return self.body.emit(f"getelementptr inbounds double, ptr %kept, i64 {place}")

    def _load(self, pointer: str, offset: str, *, single: bool = False) -> str:
        b = self.body
        scalar, size = ("float", 4) if single else ("double", 8)
        place = b.emit(f"getelementptr inbounds {scalar}, ptr {pointer}, i64 {offset}")
        value = b.emit(f"load <{b.lanes} x {scalar}>, ptr {place}, align {size}")
        return b.emit(f"fpext <{b.lanes} x float> {value} to {b.kind}") if single else value

    def _added(self, total: str, value: str, inside: str) -> str:
        """Add the lanes that are rows of the block (in the spelling that the instruction set does better)."""
        b = self.body
        if self.lanes == 8:
            grown = b.emit(f"fadd {b.kind} {total}, {value}")
            return b.emit(f"select {b.truth} {inside}, {b.kind} {grown}, {b.kind} {total}")
        chosen = b.emit(f"select {b.truth} {inside}, {b.kind} {value}, {b.kind} zeroinitializer")
        return b.emit(f"fadd {b.kind} {total}, {chosen}")

    def _across(self, total: str) -> str:
        """Add the lanes of a vector, halves first."""
        b, lanes = self.body, self.lanes
        while lanes > 1:
            lanes //= 2
            order = ", ".join(f"i32 {k + lanes if k < lanes else k}" for k in range(self.lanes))
            moved = b.emit(f"shufflevector {b.kind} {total}, {b.kind} poison, <{self.lanes} x i32> <{order}>")
            total = b.emit(f"fadd {b.kind} {total}, {moved}")
        return b.emit(f"extractelement {b.kind} {total}, i64 0")


def rows_function(work: Plan, single: Sequence[bool], lanes: int) -> str:
    """Return the module of ``void rows(task* tasks, i64 first, i64 last, double* memory, double* out)``.

    A task is four words: the addresses of a table (of column addresses) and of the parameters, the first row and the
    number of rows, at most a block.  Task t fills ``out[k + t·outputs]``.  `memory` holds the frame, then the kept
    values of a block.
    """
    loops = [_Loop(work, piece, number, single, lanes).write() for number, piece in enumerate(work.pieces.pieces)]
    b = Body()
    program = work.program
    b.label("entry")
    kept = b.emit(f"getelementptr inbounds double, ptr %memory, i64 {len(work.frame)}")
    b.write("br label %task")
    b.label("task")
    number, following = b.fresh(), b.fresh()
    b.write(f"{number} = phi i64 [%first, %entry], [{following}, %task]")
    task = b.emit(f"getelementptr inbounds i64, ptr %tasks, i64 {b.emit(f'mul i64 {number}, 4')}")
    table, parameters = b.load(task, 0, "ptr"), b.load(task, 1, "ptr")
    start, count = b.load(task, 2, "i64"), b.load(task, 3, "i64")
    names = [b.load(parameters, k) for k in range(work.parameters)] + [""] * (program.slots - work.parameters)
    first = len(program.inputs)
    constants = [s for s, i in enumerate(program.instructions, first) if i.op == "constant"]
    b.program(program, names, [*constants, *work.uniform])
    for slot, place in work.frame.items():
        b.store(names[slot], "%memory", place)
    out = b.emit(f"getelementptr inbounds double, ptr %out, i64 {b.emit(f'mul i64 {number}, {len(program.outputs)}')}")
    for piece in range(len(loops)):
        b.write(
            f"call void @piece{piece}(ptr %memory, ptr {table}, i64 {start}, i64 {count}, ptr {kept}, ptr {out}) #0"
        )
    b.write(f"{following} = add nsw i64 {number}, 1")
    b.write(f"br i1 {b.emit(f'icmp slt i64 {following}, %last')}, label %task, label %end")
    b.label("end")
    b.write("ret void")
    head = "void @rows(ptr noalias %tasks, i64 %first, i64 %last, ptr noalias %memory, ptr noalias %out)"
    return module([*loops, (head, b)])


# ------------------------------------------------------------------------------------------------------------ calling


class _Prepared(NamedTuple):
    """The columns of the last call: their addresses, and the tasks that cover their rows."""

    columns: tuple[Any, ...]
    offsets: Any  # of the groups, None without any
    tasks: NDArray[np.int64]  # (number of tasks, 4)
    groups: NDArray[np.int64] | None  # the first task of each group
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
        self._call = ctypes.CFUNCTYPE(None, pointer, integer, integer, pointer, pointer)(self._code.address("rows"))
        self._reach = 4 * lanes  # rows that a loop takes at a time, at most
        self._memory = len(self._plan.frame) + self._plan.pieces.memory * self._plan.block
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
        import numpy as np

        if len(parameters) != self.parameters:
            raise ValueError(f"{len(parameters)} parameters for a program of {self.parameters}")
        prepared = self._ready(columns, None)
        point = np.array(parameters, dtype=np.float64)
        return [float(x) for x in self._sums(prepared, np.zeros(len(prepared.tasks), dtype=np.int64), point)]

    def by_group(self, parameters: Any, columns: Sequence[Any], offsets: Any) -> NDArray[np.float64]:
        """Return the sums of each group of rows, (groups, outputs): group g has the rows offsets[g] … offsets[g+1] - 1.

        `parameters` is one point for all groups, or an array (groups, parameters) with a point for each.
        """
        import numpy as np

        offsets = np.asarray(offsets, dtype=np.int64)
        rows = len(columns[0]) if columns else 0
        if (
            offsets.ndim != 1
            or len(offsets) < 2
            or offsets[0] != 0
            or offsets[-1] != rows
            or (np.diff(offsets) < 0).any()
        ):
            raise ValueError("offsets of groups must rise from 0 to the number of rows")
        groups = len(offsets) - 1
        points = np.ascontiguousarray(parameters, dtype=np.float64)
        if points.shape not in {(self.parameters,), (groups, self.parameters)}:
            raise ValueError(f"parameters must have the shape ({self.parameters},) or ({groups}, {self.parameters})")
        prepared = self._ready(columns, offsets)
        assert prepared.groups is not None
        sizes = np.diff(np.append(prepared.groups, len(prepared.tasks)))
        owner = np.repeat(np.arange(groups), sizes) if points.ndim == 2 else np.zeros(len(prepared.tasks), np.int64)
        return self._sums(prepared, owner, points)

    def _sums(self, prepared: _Prepared, owner: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Run all tasks, `owner` saying which point each uses, and add their sums up in order."""
        import numpy as np

        outputs = len(self.program.outputs)
        tasks = prepared.tasks.copy()
        tasks[:, 1] = points.ctypes.data + 8 * self.parameters * owner
        starts = prepared.groups
        groups = 1 if starts is None else len(starts)
        found = np.zeros((groups, outputs))
        at_once = max(1, PARTIALS // max(1, outputs))
        for low in range(0, len(tasks), at_once):
            high = min(len(tasks), low + at_once)
            partial = np.empty((high - low, outputs))
            self._run(tasks[low:high], partial, (prepared, points))
            with np.errstate(all="ignore"):
                if starts is None:
                    partial[0] += found[0]
                    found[0] = np.add.reduce(partial, axis=0)
                else:
                    np.add.at(found, np.searchsorted(starts, np.arange(low, high), side="right") - 1, partial)
        return found if starts is not None else found[0]

    def _run(self, tasks: NDArray[np.int64], partial: NDArray[np.float64], owned: object) -> None:
        import numpy as np

        address, out = tasks.ctypes.data, partial.ctypes.data

        def part(first: int, last: int, _owned: object = (tasks, partial, owned)) -> None:
            memory = np.empty(self._memory)
            self._call(address, first, last, memory.ctypes.data, out)

        seconds = float(tasks[:, 3].sum()) * self._row_seconds
        run_parts(part, len(tasks), self._slice, work=int(seconds / OPERATION_SECONDS))

    def _ready(self, columns: Sequence[Any], offsets: Any) -> _Prepared:
        known = self._prepared
        if known is None or not _identical(known.columns, columns) or not _same_offsets(known.offsets, offsets):
            self._check(columns)
            known = self._prepared = _prepare(tuple(columns), offsets, self._plan.block, self._reach)
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


def _prepare(columns: tuple[Any, ...], offsets: Any, block: int, reach: int) -> _Prepared:
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
    tasks[:, 0], tasks[:, 2], tasks[:, 3] = table.ctypes.data, starts, sizes
    over = starts + -(-sizes // reach) * reach > rows
    ends: tuple[tuple[Any, Any], ...] = ()
    owned: tuple[Any, ...] = (table,)
    if over.any():
        low = int(starts[over].min())
        ends = tuple((np.zeros(rows - low + reach, dtype=c.dtype), c[low:]) for c in columns)
        copied = np.array([copy.ctypes.data for copy, _ in ends], dtype=np.int64)
        tasks[over, 0] = copied.ctypes.data
        tasks[over, 2] -= low
        owned = (table, copied)
    return _Prepared(columns, offsets, tasks, None if offsets is None else first_task, ends, owned)


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
