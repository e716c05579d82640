"""A nest of loops in machine code: long loops run in chunks, on several threads where that pays.

The chunks of a loop, the order of those that meet and the order in which their totals are added are fixed by the nest
(`chunks.py`): the bits are the same for any number of threads.  No call of machine code is long, so Ctrl-C is heard,
unless one round of an outermost loop is long by itself.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from descend.kernel import chunks
from descend.kernel.chunks import SLICE, Chunked, phases
from descend.kernel.compile import MachineCode, compilable
from descend.kernel.frames import totals_of
from descend.kernel.nest import Nest
from descend.kernel.nest_code import nest_code
from descend.kernel.program import Program
from descend.kernel.threads import OPERATION_SECONDS, run_parts


class _Memory(NamedTuple):
    """What all calls of machine code during one evaluation share: addresses, and what keeps them valid."""

    frame: int
    scratch: int
    addresses: tuple[int, ...]
    arrays: tuple[Any, ...]


class IndexedKernel:
    """A nest compiled: outputs and gradients of arrays at one point.

    `first` is the lowest index of each array, read or written; every call has memory of its own, so one kernel may be
    called from several threads at once.  `grain` is the least time of a chunk, in seconds, estimated; None means
    `chunks.GRAIN`.
    """

    def __init__(self, nest: Nest, first: Mapping[str, int], grain: float | None = None) -> None:
        self.nest, self.first = nest, dict(first)
        self.phases = phases(nest, chunks.GRAIN if grain is None else grain)
        code = nest_code(nest, first, self.phases)
        self.written = code.written
        self._own = code.own + 1
        self._place, self._frame = code.place, len(code.place)
        self._outputs = [code.place[slot] for slot in nest.outputs]
        self._code = MachineCode(code.text, 3, nest.slots)
        arrays = len(nest.arrays) + len(self.written)
        pointer, integer = ctypes.c_void_p, ctypes.c_int64
        prototype = ctypes.CFUNCTYPE(None, pointer, integer, integer, *[pointer] * (4 + arrays))
        self._calls = [prototype(self._code.address(f"phase{k}")) for k in range(len(self.phases))]

    def __call__(self, inputs: Sequence[float], arrays: Mapping[str, Any], gradients: Mapping[str, Any]) -> list[float]:
        """Return the outputs and add to `gradients`.

        All arrays are C-contiguous float64 of one dimension, from their first index to beyond the last that is used;
        machine code does not check it.
        """
        import numpy as np

        nest = self.nest
        used = (*(arrays[name] for name in nest.arrays), *(gradients[name] for name in self.written))
        addresses = tuple(array.ctypes.data for array in used)
        frame = np.empty(self._frame + nest.scratch + self._own)
        frame[: len(inputs)] = inputs
        start = frame.ctypes.data
        scratch = start + 8 * self._frame
        own = scratch + 8 * nest.scratch
        memory = _Memory(start, scratch, addresses, used)
        for phase, call in zip(self.phases, self._calls, strict=True):
            if isinstance(phase, Chunked):
                self._chunked(phase, call, frame, memory)
            else:
                call(None, 0, 0, start, None, scratch, own, *addresses)
        return frame[self._outputs].tolist()  # type: ignore[no-any-return]

    def _chunked(self, phase: Chunked, call: Callable[..., None], frame: Any, memory: _Memory) -> None:
        """Run a loop and leave its totals in the frame."""
        import numpy as np

        carried = totals_of(phase.loop.reductions)
        totals = np.empty((phase.rows, len(carried)))
        totals[:] = [neutral for _, neutral in carried]
        table, rows = phase.table.ctypes.data, totals.ctypes.data
        copies = [
            [np.zeros(max(0, high - low + 1)) for low, high in zip(copied.low, copied.high, strict=True)]
            for copied in phase.copies
        ]
        idle: list[Any] = []  # memory for one call at a time

        def part(first: int, last: int, begin: int = 0, _owned: object = (frame, totals, phase)) -> None:
            try:
                own = idle.pop()
            except IndexError:
                own = np.empty(self._own)
            where = (memory.frame, rows, memory.scratch, own.ctypes.data)
            if copies:
                for line in range(begin + first, begin + last):
                    addresses = self._copied(phase, int(phase.table[line, 2]), copies, memory)
                    call(table, line, line + 1, *where, *addresses)
            else:
                call(table, begin + first, begin + last, *where, *memory.addresses)
            idle.append(own)

        largest = max(1, int(SLICE / phase.seconds))
        for turn in phase.turns:
            if phase.in_order:
                for first in range(turn.begin, turn.end, largest):
                    part(first, min(first + largest, turn.end))
            else:
                work = int(turn.seconds / OPERATION_SECONDS)
                run_parts(partial(part, begin=turn.begin), turn.end - turn.begin, largest, work)
        with np.errstate(all="ignore"):
            for copied, filled in zip(phase.copies, copies, strict=True):
                gradient = memory.arrays[len(self.nest.arrays) + self.written.index(copied.array)]
                for low, copy in zip(copied.low, filled, strict=True):
                    start = low - self.first[copied.array]
                    gradient[start : start + len(copy)] += copy
            column = 0
            for reduction in phase.loop.reductions:
                place = self._place.get(reduction.slot)
                if place is not None:
                    add = np.maximum if reduction.op == "held_max" else np.add
                    frame[place] = add.reduce(totals[:, column])
                column += len(totals_of((reduction,)))

    def _copied(self, phase: Chunked, row: int, copies: list[list[Any]], memory: _Memory) -> list[int]:
        """Return the addresses of the arrays for a row of chunks: those of copies point to where entry 0 would be."""
        addresses = list(memory.addresses)
        for copied, filled in zip(phase.copies, copies, strict=True):
            offset = copied.low[row] - self.first[copied.array]
            addresses[len(self.nest.arrays) + self.written.index(copied.array)] = filled[row].ctypes.data - 8 * offset
        return addresses


def obstacle(nest: Nest) -> str | None:
    """Return why a nest cannot be compiled here, or None when it can."""
    return compilable(Program((), tuple(operation.instruction for operation in nest.operations()), ()))
