"""Σ over rows in machine code: every output of a row's program summed over float64 columns in one fused pass.

Rows are summed in fixed blocks and the blocks are added in their order, so the bits do not depend on the number of
threads.  Inside a block the additions may be reassociated (that is what lets them vectorise); nothing else may.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

from descend.kernel.compile import MachineCode
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.lower import LIBRARY, Body, double, module
from descend.kernel.program import Program
from descend.kernel.threads import run_parts

BLOCK = 4096  # rows that are summed together
SLICE_OPERATIONS = 20_000_000  # of one call, so that interrupts are served: some 20 ms
LIBRARY_OPERATIONS = 20  # that a call of the C library takes as long as


def rows_function(program: Program, parameters: int) -> str:
    """Return the module of ``void rows(double* p, double** columns, i64 first, i64 last, i64 rows, double* out)``.

    The first `parameters` inputs of `program` are parameters, the rest columns.  Block b of [first, last) covers the
    rows [BLOCK·b, BLOCK·(b + 1)) and fills ``out[k + b·outputs]``.
    """
    b = Body()
    first = len(program.inputs)
    varying = set(range(parameters, first))
    for slot, instruction in enumerate(program.instructions, first):
        if any(a in varying for a in instruction.args):
            varying.add(slot)
    b.label("entry")
    names = [b.load("%p", k) for k in range(parameters)] + [""] * (program.slots - parameters)
    b.program(program, names, [s for s in range(first, program.slots) if s not in varying])
    columns = [b.load("%columns", k, "ptr") for k in range(first - parameters)]
    b.write("br label %block")

    b.label("block")
    number, following = b.fresh(), b.fresh()
    b.write(f"{number} = phi i64 [%first, %entry], [{following}, %done]")
    low = b.emit(f"mul i64 {number}, {BLOCK}")
    high = b.emit(f"add i64 {low}, {BLOCK}")
    b.declared.add("declare i64 @llvm.smin.i64(i64, i64) #1")
    high = b.emit(f"call i64 @llvm.smin.i64(i64 {high}, i64 %rows) #1")
    b.write("br label %row")

    b.label("row")
    index, after = b.fresh(), b.fresh()
    sums = [b.fresh() for _ in program.outputs]
    b.write(f"{index} = phi i64 [{low}, %block], [{after}, %row]")
    phis = len(b.lines)
    for k, column in enumerate(columns):
        names[parameters + k] = b.load(column, index)
    b.program(program, names, [s for s in range(first, program.slots) if s in varying])
    totals = [b.emit(f"fadd reassoc nsz double {s}, {names[o]}") for s, o in zip(sums, program.outputs, strict=True)]
    b.write(f"{after} = add nuw nsw i64 {index}, 1")
    b.write(f"br i1 {b.emit(f'icmp slt i64 {after}, {high}')}, label %row, label %done")
    zero = double(0.0)
    b.lines[phis:phis] = [
        f"  {s} = phi double [{zero}, %block], [{t}, %row]" for s, t in zip(sums, totals, strict=True)
    ]

    b.label("done")
    place = b.emit(f"mul i64 {number}, {len(program.outputs)}")
    for k, total in enumerate(totals):
        b.store(total, "%out", b.emit(f"add i64 {place}, {k}"))
    b.write(f"{following} = add i64 {number}, 1")
    b.write(f"br i1 {b.emit(f'icmp slt i64 {following}, %last')}, label %block, label %end")
    b.label("end")
    b.write("ret void")
    head = "void @rows(ptr noalias %p, ptr noalias %columns, i64 %first, i64 %last, i64 %rows, ptr noalias %out)"
    return module([(head, b)])


class RowsKernel:
    """Sums of a row's program over columns, compiled.  The columns may change between calls, the program not."""

    def __init__(self, program: Program, parameters: int) -> None:
        self.program = program
        self.parameters = parameters
        self._code = MachineCode(rows_function(program, parameters), 3, len(program.instructions))
        pointer, integer = ctypes.c_void_p, ctypes.c_int64
        prototype = ctypes.CFUNCTYPE(None, pointer, pointer, integer, integer, integer, pointer)
        self._call = prototype(self._code.address("rows"))
        weights = [LIBRARY_OPERATIONS if i.op in LIBRARY else 1 for i in program.instructions]
        self._operations = max(1, sum(weights))  # of one row
        self._slice = max(1, SLICE_OPERATIONS // (self._operations * BLOCK))
        self._prepared: tuple[tuple[Any, ...], Any] | None = None  # the columns of the last call, their addresses

    def __call__(self, parameters: Sequence[float], columns: Sequence[Any]) -> list[float]:
        """Return the sum of each output; `columns` are C-contiguous, aligned float64 arrays of one length > 0.

        A program without columns still needs one, for its length.  Raises `ValueError` for anything else: machine
        code would read past an end.
        """
        import numpy as np

        if len(parameters) != self.parameters:
            raise ValueError(f"{len(parameters)} parameters for a program of {self.parameters}")
        prepared = self._prepared
        if prepared is None or not _identical(prepared[0], columns):
            held = tuple(columns)
            prepared = self._prepared = (held, _addresses(held, len(self.program.inputs) - self.parameters))
        held, pointers = prepared
        rows = len(held[0])
        blocks = -(-rows // BLOCK)
        partial = np.empty((blocks, len(self.program.outputs)))
        point = (ctypes.c_double * self.parameters)(*parameters)
        p, c, out = ctypes.addressof(point), ctypes.addressof(pointers), partial.ctypes.data
        owned = (point, held, pointers, partial)

        def part(first: int, last: int, _owned: object = owned) -> None:
            self._call(p, c, first, last, rows, out)

        run_parts(part, blocks, self._slice, work=rows * self._operations)
        with np.errstate(all="ignore"):
            return [float(x) for x in np.add.reduce(partial, axis=0)]


def _identical(a: Sequence[Any], b: Sequence[Any]) -> bool:
    return len(a) == len(b) and all(x is y for x, y in zip(a, b, strict=True))


def _addresses(columns: Sequence[Any], needed: int) -> Any:
    """Return the addresses of the columns, checked, as a C array."""
    import numpy as np

    if len(columns) < max(1, needed):
        raise ValueError(f"{len(columns)} columns for a program of {needed}")
    for column in columns:
        if column.dtype != np.float64 or column.shape != columns[0].shape or column.ndim != 1:
            raise ValueError("columns must be float64 arrays of one dimension and one length")
        if not (column.flags.c_contiguous and column.flags.aligned and column.dtype.isnative):
            raise ValueError("columns must be contiguous, aligned and in the machine's byte order")
    return (ctypes.c_void_p * len(columns))(*(column.ctypes.data for column in columns))


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
