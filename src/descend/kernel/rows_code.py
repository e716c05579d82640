"""How sums over rows are written: vector code for one loop or several over a block of rows.

A program too large for one loop (many columns, many outputs) is cut into pieces.  Each is a loop of its own over the
same block, which stays in the cache meanwhile, and values that later pieces need are kept for the block.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from descend.kernel.lower import LIBRARY, Body, module
from descend.kernel.pieces import CONDITIONS, Limits, Piece, Pieces, cut
from descend.kernel.program import Program
from descend.kernel.vector_math import LanesBody

BLOCK = 4096  # rows that are summed together, at most
CACHE = 512 * 1024  # bytes of a block's columns and kept values, when several loops go over them
# Up to which one loop does it (measured: with 16 columns even, with 24 worse), and of one loop where there are several.
# Few columns at a time: those whose memory starts at the same place of a page get in one another's way in the cache.
WHOLE = Limits(operations=600, inputs=20, outputs=40)
PART = Limits(operations=200, inputs=8, outputs=8)
MATRIX = Limits(operations=200, inputs=20, outputs=20)  # where the outputs are many more than the columns
LONGEST_STEP = 4  # vectors of rows that a loop takes at a time


class Plan(NamedTuple):
    """How a program is evaluated: what is the same for all rows, and the loops over the rest."""

    program: Program
    parameters: int
    uniform: tuple[int, ...]  # slots that are computed once, in their order
    frame: dict[int, int]  # parameter or uniform slot → its place in the frame
    pieces: Pieces
    block: int  # rows
    last: dict[int, int]  # column's slot → the last piece that reads it, where there are several


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
    last: dict[int, int] = {}
    if len(pieces.pieces) > 1:
        pieces = cut(program, everywhere, columns, PART if len(program.outputs) < 3 * len(columns) else MATRIX)
        for number, piece in enumerate(pieces.pieces):
            last |= dict.fromkeys((s for s in _used(program, piece) if s in columns), number)
        bytes_a_row = 8 * (len(columns) + pieces.memory)
        while block > 128 and block * bytes_a_row > CACHE:
            block //= 2
    frame = {slot: place for place, slot in enumerate([*range(parameters), *once])}
    return Plan(program, parameters, tuple(once), frame, pieces, block, last)


def _used(program: Program, piece: Piece) -> set[int]:
    """Return the slots that a piece works with."""
    first = len(program.inputs)
    args = {a for s in piece.slots for a in program.instructions[s - first].args}
    return args | {program.outputs[k] for k in piece.outputs}


def _turns(program: Program, piece: Piece) -> tuple[int, int]:
    """Return how many vectors of rows a loop takes at a time, and for how many of them there are sums of their own.

    Measured: a library function waits long for its own results, so the processor works on other vectors meanwhile (15 %
    less time with four of them); sums of their own pay only where next to nothing else is done.
    """
    first = len(program.inputs)
    size = len(piece.slots)
    if any(program.instructions[s - first].op in LIBRARY for s in piece.slots):
        return (LONGEST_STEP if size <= 60 else 2), 1
    if size <= 12 and len(piece.outputs) <= 6:
        return LONGEST_STEP, LONGEST_STEP
    return (2, 2) if size <= 40 and len(piece.outputs) <= 6 else (1, 1)


class _Loop:
    """One piece as a function: ``void piece(double* frame, void** table, i64 start, i64 count, double* kept, out)``.

    It goes over the rows [start, start + count) by vectors.  The last vector may reach beyond the end (the caller sees
    to it that there is memory); what it finds there is computed but not added.
    """

    def __init__(self, work: Plan, piece: Piece, number: int, single: Sequence[bool], lanes: int) -> None:
        self.work, self.piece, self.number, self.single = work, piece, number, single
        self.lanes = lanes
        self.turns, self.sums = _turns(work.program, piece)
        self.body = LanesBody(lanes)

    def write(self) -> tuple[str, Body]:
        b, piece, program = self.body, self.piece, self.work.program
        inputs = len(program.inputs)
        used = _used(program, piece)
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
        sums = [[b.fresh() for _ in piece.outputs] for _ in range(self.sums)]
        step = self.lanes * self.turns
        numbers = ", ".join(f"double {float(k)}" for k in range(self.lanes))
        b.write(f"{index} = phi i64 [0, %entry], [{after}, %rows]")
        b.write(f"{row} = phi {b.kind} [<{numbers}>, %entry], [{row_after}, %rows]")
        phis = len(b.lines)
        offsets = [index, *(b.emit(f"add nuw nsw i64 {index}, {t * self.lanes}") for t in range(1, self.turns))]
        values = self._values(names, columns, kept, offsets)
        totals = sums
        for turn in range(self.turns):
            here = b.emit(f"fadd {b.kind} {row}, {b.number(turn * self.lanes)}") if turn else row
            inside = b.emit(f"fcmp olt {b.kind} {here}, {end}")
            which = turn % self.sums
            grown = [
                self._added(total, values[turn][program.outputs[k]], inside)
                for total, k in zip(totals[which], piece.outputs, strict=True)
            ]
            totals = [*totals[:which], grown, *totals[which + 1 :]]
        b.write(f"{row_after} = fadd {b.kind} {row}, {b.number(step)}")
        b.write(f"{after} = add nuw nsw i64 {index}, {step}")
        b.write(f"br i1 {b.emit(f'icmp slt i64 {after}, %count')}, label %rows, label %done")
        b.lines[phis:phis] = [
            f"  {s} = phi {b.kind} [zeroinitializer, %entry], [{t}, %rows]"
            for old, new in zip(sums, totals, strict=True)
            for s, t in zip(old, new, strict=True)
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
        # Not inlined: one function of all pieces takes LLVM a time that grows with their square.
        return f'internal void @piece{self.number}({arguments}) noinline "min-legal-vector-width"="512"', b

    def _values(
        self, names: list[str], columns: dict[int, str], kept: dict[int, str], offsets: list[str]
    ) -> list[list[str]]:
        """Compute all slots of the piece for the vectors of rows at `offsets`, operation by operation in turns."""
        b, piece = self.body, self.piece
        found = [names.copy() for _ in offsets]
        for values, offset in zip(found, offsets, strict=True):
            for slot, pointer in columns.items():
                single = self.single[slot - self.work.parameters]
                values[slot] = self._load(pointer, offset, single=single)
                if self.work.last.get(slot) == self.number:
                    self._fetch(pointer, offset, single=single)
            for slot in piece.reads:
                values[slot] = self._load(kept[slot], offset)
        for slot in piece.slots:
            for values in found:
                b.program(self.work.program, values, [slot])
        for values, offset in zip(found, offsets, strict=True):
            for slot in piece.writes:
                place = b.emit(f"getelementptr inbounds double, ptr {kept[slot]}, i64 {offset}")
                b.write(f"store {b.kind} {values[slot]}, ptr {place}, align 8")
        return found

    def _fetch(self, pointer: str, offset: str, *, single: bool) -> None:
        """Ask for the same rows of the next block: memory would be idle while the last loops compute."""
        b = self.body
        kind = "float" if single else "double"
        b.declared.add("declare void @llvm.prefetch.p0(ptr, i32, i32, i32)")
        place = b.emit(f"getelementptr {kind}, ptr {pointer}, i64 {offset}")
        ahead = b.emit(f"getelementptr {kind}, ptr {place}, i64 {self.work.block}")
        b.write(f"call void @llvm.prefetch.p0(ptr {ahead}, i32 0, i32 1, i32 1)")

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
    """Return the module of ``void rows(task* tasks, i64 first, i64 last, double* p, i64 stride, memory, out)``.

    A task is four words: the address of a table (of column addresses), the group (its parameters are at
    ``p[group·stride]``), the first row and the number of rows, at most a block.  Task t fills ``out[k + t·outputs]``.
    `memory` holds the frame, then the kept values of a block.
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
    table, group = b.load(task, 0, "ptr"), b.load(task, 1, "i64")
    parameters = b.emit(f"getelementptr inbounds double, ptr %p, i64 {b.emit(f'mul i64 {group}, %stride')}")
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
    arguments = "ptr noalias %tasks, i64 %first, i64 %last, ptr %p, i64 %stride, ptr noalias %memory, ptr noalias %out"
    head = f"void @rows({arguments})"
    return module([*loops, (head, b)])
