"""A program cut into pieces that pass values on through memory.

One function of many thousand operations compiles slowly and keeps few of its values in registers.  Operations are
taken in the order in which the outputs ask for them (so a long sum is added up as its terms come, and few values are
alive at a time), and the list is cut wherever a piece has become large enough.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from descend.kernel.program import Program

CONDITIONS = frozenset({"lt", "le", "eq", "and", "or", "not"})  # truth values: computed again where they are needed


class Limits(NamedTuple):
    """How large a piece may become."""

    operations: int
    inputs: int  # different inputs that count (columns, say)
    outputs: int


class Piece(NamedTuple):
    """Slots to compute in their order, those taken from memory and left there, and the outputs that are known then."""

    slots: tuple[int, ...]
    reads: tuple[int, ...]
    writes: tuple[int, ...]
    outputs: tuple[int, ...]  # their numbers


@dataclass(frozen=True)
class Pieces:
    """All pieces, and the place in memory (0 … `memory` - 1) of every slot that goes from one to another."""

    pieces: tuple[Piece, ...]
    place: dict[int, int]
    memory: int


class _Open:
    """A piece while it grows."""

    def __init__(self) -> None:
        self.slots: list[int] = []
        self.outputs: list[int] = []
        self.inputs: set[int] = set()


def cut(program: Program, everywhere: Collection[int], counted: Collection[int], limits: Limits) -> Pieces:
    """Cut `program` into pieces of at most `limits` (one operation with its inputs may exceed them).

    `everywhere` are slots that every piece can have (inputs, constants, what is computed beforehand); `counted` the
    inputs that `limits.inputs` counts.
    """
    counted = frozenset(counted)
    grown: list[_Open] = [_Open()]
    home: dict[int, int] = {}  # slot → the piece that computes it
    first = len(program.inputs)
    for slot, output in _demanded(program, frozenset(everywhere)):
        args = program.instructions[slot - first].args if output is None and slot >= first else (slot,)
        inputs = {a for a in args if a in counted}
        now = grown[-1]
        full = (
            len(now.slots) >= limits.operations
            or len(now.inputs | inputs) > limits.inputs
            or (output is not None and len(now.outputs) >= limits.outputs)
        )
        if full and (now.slots or now.outputs):
            now = _Open()
            grown.append(now)
        now.inputs |= inputs
        if output is None:
            now.slots.append(slot)
            home[slot] = len(grown) - 1
        else:
            now.outputs.append(output)
    return _connected(program, grown, home)


def _demanded(program: Program, everywhere: frozenset[int]) -> list[tuple[int, int | None]]:
    """Return (slot, None) for each operation and (slot, k) for each output k, in the order of demand."""
    first = len(program.inputs)
    events: list[tuple[int, int | None]] = []
    done = set(everywhere) | set(range(first))
    for number, output in enumerate(program.outputs):
        todo = [output]
        while todo:
            slot = todo[-1]
            if slot in done:
                todo.pop()
                continue
            missing = [a for a in program.instructions[slot - first].args if a not in done]
            if missing:
                todo += reversed(missing)
            else:
                todo.pop()
                done.add(slot)
                events.append((slot, None))
        events.append((output, number))
    return events


def _connected(program: Program, grown: list[_Open], home: dict[int, int]) -> Pieces:
    """Say what each piece reads and writes, and where; conditions are computed again instead."""
    first = len(program.inputs)
    reads: list[dict[int, None]] = [{} for _ in grown]
    again: list[dict[int, None]] = [{} for _ in grown]  # conditions of earlier pieces
    last: dict[int, int] = {}  # slot → the last piece that reads it

    def need(slot: int, number: int) -> None:
        todo = [slot]
        while todo:
            asked = todo.pop()
            if asked not in home or home[asked] == number or asked in again[number] or asked in reads[number]:
                continue
            if program.instructions[asked - first].op in CONDITIONS:
                again[number][asked] = None
                todo += program.instructions[asked - first].args
            else:
                reads[number][asked] = None
                last[asked] = number

    for number, piece in enumerate(grown):
        for slot in piece.slots:
            for arg in program.instructions[slot - first].args:
                need(arg, number)
        for output in piece.outputs:
            need(program.outputs[output], number)
    place: dict[int, int] = {}
    free: list[int] = []
    memory = 0
    pieces = []
    for number, piece in enumerate(grown):
        writes = tuple(slot for slot in piece.slots if slot in last)
        for slot in writes:
            if not free:
                free.append(memory)
                memory += 1
            place[slot] = free.pop()
        free += [place[slot] for slot in reads[number] if last[slot] == number]
        slots = (*sorted(again[number]), *piece.slots)
        pieces.append(Piece(slots, tuple(reads[number]), writes, tuple(piece.outputs)))
    return Pieces(tuple(pieces), place, memory)
