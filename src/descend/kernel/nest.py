"""Tape with sums over indices → a nest of loops around primitive operations: what interpreter and machine code read.

An entry is computed in the outermost loop in which its indices are bound.  Loops over the same range that do not need
one another's results become one loop, so that value and gradient of a sum take one pass over the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import inf
from typing import NamedTuple

from descend.expression import binders
from descend.expression.index_ranges import Loops, interval, most_rounds, spans
from descend.expression.reverse import Loop, Scatter
from descend.expression.tape import Tape
from descend.kernel.program import Instruction, Lowering
from descend.kernel.running import Running
from descend.kernel.whole import Place, Whole, place, whole

NEUTRAL = {"sum": 0.0, "prod": 1.0, "prod_tangent": 0.0, "held_max": -inf}  # what an empty range comes to


class Operation(NamedTuple):
    """One primitive operation; `slot` takes its result."""

    slot: int
    instruction: Instruction


class Read(NamedTuple):
    """``slot = array[place]``."""

    slot: int
    array: str
    place: Place
    origin: int


class IndexNumber(NamedTuple):
    """``slot`` = the index of `level`, as a double."""

    slot: int
    level: int


class Pick(NamedTuple):
    """``slot`` = what `scan` has come to at `position`; `neutral` where the range up to there is empty."""

    slot: int
    scan: ScanArray
    position: Whole
    neutral: float


@dataclass(frozen=True)
class ScanArray:
    """The results of a scan: entry k is for position ``base + k``; `offset` is its place in the scratch memory.

    A scan that is `inner` stands in a loop and is made anew in each of its rounds: it has a scratch memory apart, of
    which whoever runs some of the rounds has one of his own.
    """

    inner: bool
    offset: int
    size: int
    base: Whole
    end: Whole
    down: bool


class Reduction(NamedTuple):
    """What a loop adds up or multiplies: `op` over the slots `bodies`, into `slot` or, for a scan, into an array."""

    op: str
    bodies: tuple[int, ...]
    slot: int
    scan: ScanArray | None


class Store(NamedTuple):
    """``gradient of array[place] += slot``; `output` numbers the arrays that are written to."""

    array: str
    place: Place
    slot: int


@dataclass
class LoopStatement:
    """For the index of `level` from `low` to `high` (downwards if `down`): `body`, then reductions and stores."""

    level: int
    low: Whole
    high: Whole
    down: bool
    rounds: int  # at most
    furthest: int  # the largest absolute value of the index
    body: list[Statement] = field(default_factory=list)
    reductions: list[Reduction] = field(default_factory=list)
    stores: list[Store] = field(default_factory=list)

    @property
    def leaf(self) -> bool:
        """Whether there is no loop inside."""
        return not any(isinstance(statement, LoopStatement) for statement in self.body)


Statement = Operation | Read | IndexNumber | Pick | LoopStatement


@dataclass(frozen=True)
class Nest:
    """The whole kernel: `inputs` fill the first slots; `outputs` are slots; `stores` happen at the very end."""

    inputs: tuple[str, ...]
    arrays: tuple[str, ...]  # that are read
    statements: tuple[Statement, ...]
    outputs: tuple[int, ...]
    stores: tuple[Store, ...]
    slots: int
    scratch: int  # doubles for the scans that stand in no loop
    inner_scratch: int  # doubles for the scans that do

    def operations(self) -> Iterable[Operation]:
        """All primitive operations, at any depth."""
        todo = list(self.statements)
        while todo:
            statement = todo.pop()
            if isinstance(statement, Operation):
                yield statement
            elif isinstance(statement, LoopStatement):
                todo += statement.body


class _Block:
    """The statements under `loops`, while they are written."""

    def __init__(self, parent: _Block | None, loops: Loops) -> None:
        self.parent, self.loops = parent, loops
        self.statements: list[Statement] = []
        self.slot: dict[int, int] = {}  # of the entries at home here
        self.known: dict[tuple[object, ...], int] = {}

    def chain(self) -> list[_Block]:
        blocks: list[_Block] = []
        block: _Block | None = self
        while block is not None:
            blocks.append(block)
            block = block.parent
        return blocks


class _Slots(Mapping[int, int]):
    """Entry → slot, looked up in the block where the entry is at home."""

    def __init__(self, lowering: _NestLowering) -> None:
        self.lowering = lowering

    def __getitem__(self, index: int) -> int:
        for block in self.lowering.block.chain():
            if index in block.slot:
                return block.slot[index]
        raise KeyError(index)

    def __iter__(self):  # type: ignore[no-untyped-def]  # noqa: ANN204 - nobody walks it
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


class _NestLowering(Lowering):
    """Writes primitive operations into the innermost open block (constants into the outermost)."""

    def __init__(self, tape: Tape, inputs: Sequence[str]) -> None:
        super().__init__(tape, inputs)
        self.slot = _Slots(self)  # type: ignore[assignment]
        self.outermost = self.block = _Block(None, ())
        self.slots = len(inputs)
        self.position = {name: k for k, name in enumerate(inputs)}
        self.arrays: dict[str, None] = {}
        self.scans: dict[int, ScanArray] = {}
        self.scratch = [0, 0]  # of scans that are outermost, and of others

    def fresh(self) -> int:
        self.slots += 1
        return self.slots - 1

    def emit(self, op: str, *args: int, value: Fraction | None = None) -> int:
        key = (op, args, value)
        block = self.outermost if op == "constant" else self.block
        for around in block.chain():
            if key in around.known:
                return around.known[key]
        slot = block.known[key] = self.fresh()
        operation = Operation(slot, Instruction(op, args, value, self.origin))
        if op == "constant":
            block.statements.insert(0, operation)
        else:
            block.statements.append(operation)
        return slot

    # ------------------------------------------------------------------------------------------------- blocks

    def captured(self, roots: Iterable[int], depth: int) -> set[int]:
        """Return the entries that `roots` need and that are at home under `depth` loops."""
        tape = self.tape
        seen = {r for r in roots if tape.free[r].bit_length() >= depth}
        todo = list(seen)
        mine = set()
        while todo:
            index = todo.pop()
            entry = tape[index]
            if tape.free[index].bit_length() == depth:
                mine.add(index)
            args = (
                entry.args[:-2] if entry.op in binders.LOOPS else entry.args[:1] if entry.op == "pick" else entry.args
            )
            for arg in args if entry.op != "access" else ():
                if arg not in seen and tape.free[arg].bit_length() >= depth:
                    seen.add(arg)
                    todo.append(arg)
        return mine

    def fill(self, block: _Block, wanted: Sequence[int], scatters: Sequence[Scatter]) -> None:
        """Write what `wanted` (entries) and `scatters` need into `block`."""
        tape = self.tape
        depth = len(block.loops)
        deeper = [s for s in scatters if len(s.loops) > depth]
        mine = self.captured([*wanted, *(s.value for s in scatters)], depth)
        stage: dict[int, int] = {}
        for index in sorted(mine):
            entry = tape[index]
            if entry.op in binders.LOOPS:
                below = self.captured(entry.args[:-2], depth) & mine
                stage[index] = 1 + max((stage[k] for k in below), default=0)
            else:
                args = entry.args[:1] if entry.op == "pick" else () if entry.op == "access" else entry.args
                stage[index] = max((stage[a] for a in args if a in stage), default=0)
        groups: dict[tuple[int, Loop, bool], tuple[list[int], list[Scatter]]] = {}
        for index in sorted(mine):
            entry = tape[index]
            if entry.op in binders.LOOPS:
                loop = Loop(depth, entry.args[-2], entry.args[-1])
                key = (stage[index], loop, entry.op.endswith(binders.DOWN))
                groups.setdefault(key, ([], []))[0].append(index)
        for scatter in deeper:
            below = self.captured([scatter.value], depth) & mine
            key = (1 + max((stage[k] for k in below), default=0), scatter.loops[depth], False)
            groups.setdefault(key, ([], []))[1].append(scatter)
        last = max([*stage.values(), *(key[0] for key in groups)], default=0)
        for now in range(last + 1):
            for key, (members, inside) in groups.items():
                if key[0] == now:
                    self.loop(block, key[1], members, inside, down=key[2])
            for index in sorted(mine):
                if stage[index] == now and tape[index].op not in binders.LOOPS:
                    self.block = block
                    block.slot[index] = self.one(index)

    def one(self, index: int) -> int:
        """Write one entry that is no loop."""
        entry = self.tape[index]
        self.origin = index
        match entry.op:
            case "symbol":
                return self.position[str(entry.value)]
            case "index":
                slot = self.fresh()
                assert isinstance(entry.value, int)
                self.block.statements.append(IndexNumber(slot, entry.value))
                return slot
            case "access":
                slot = self.fresh()
                self.arrays[str(entry.value)] = None
                self.block.statements.append(Read(slot, str(entry.value), place(self.tape, entry.args[0]), index))
                return slot
            case "pick":
                slot = self.fresh()
                neutral = NEUTRAL[self.tape[entry.args[0]].op.removesuffix(binders.UP).removesuffix(binders.DOWN)]
                scan = self.scans[entry.args[0]]
                self.block.statements.append(Pick(slot, scan, whole(self.tape, entry.args[1]), neutral))
                return slot
        return self.lower(index)

    def loop(
        self, block: _Block, loop: Loop, members: Sequence[int], scatters: Sequence[Scatter], *, down: bool
    ) -> None:
        """Write one loop: `members` are the sums and scans it computes."""
        tape = self.tape
        inside = _Block(block, (*block.loops, loop))
        ranges = spans(tape, inside.loops)
        least, most = ranges[loop.level]
        rounds = most_rounds(tape, inside.loops)
        furthest = max(abs(least), abs(most)) if rounds else 0
        statement = LoopStatement(loop.level, whole(tape, loop.low), whole(tape, loop.high), down, rounds, furthest)
        wanted = [body for index in members for body in tape[index].args[:-2]]
        self.fill(inside, wanted, scatters)
        self.block = inside
        statement.body = inside.statements
        for index in members:
            entry = tape[index]
            bodies = tuple(self.slot[body] for body in entry.args[:-2])
            slot = self.fresh()
            scan = self.scan(index, inside.loops) if entry.op in binders.SCANS else None
            block.slot[index] = slot
            op = entry.op.removesuffix(binders.UP).removesuffix(binders.DOWN)
            statement.reductions.append(Reduction(op, bodies, slot, scan))
        for scatter in scatters:
            if len(scatter.loops) == len(inside.loops):
                statement.stores.append(Store(scatter.array, place(tape, scatter.place), self.slot[scatter.value]))
        self.block = block
        block.statements.append(statement)

    def scan(self, index: int, loops: Loops) -> ScanArray:
        """Give a scan its memory (enough for every round of the loops around it)."""
        entry = self.tape[index]
        low, high = entry.args[-2:]
        ranges = spans(self.tape, loops[:-1])
        size = max(0, interval(self.tape, high, ranges)[1] - interval(self.tape, low, ranges)[0] + 1)
        inner = len(loops) > 1
        bounds = whole(self.tape, low), whole(self.tape, high)
        found = ScanArray(inner, self.scratch[inner], size, *bounds, entry.op.endswith(binders.DOWN))
        self.scans[index] = found
        self.scratch[inner] += size
        return found


def make_nest(tape: Tape, outputs: Sequence[int], scatters: Sequence[Scatter], inputs: Sequence[str]) -> Nest:
    """Return the kernel that computes `outputs` from the symbols called `inputs` and carries out `scatters`."""
    running = Running(tape)
    roots = [running.rewrite(root, ()) for root in outputs]
    changed = [s._replace(value=running.rewrite(s.value, s.loops)) for s in scatters]
    work = _NestLowering(tape, inputs)
    work.fill(work.outermost, roots, changed)
    work.block = work.outermost
    stores = tuple(Store(s.array, place(tape, s.place), work.slot[s.value]) for s in changed if not s.loops)
    return Nest(
        tuple(inputs),
        tuple(work.arrays),
        tuple(work.outermost.statements),
        tuple(work.slot[root] for root in roots),
        stores,
        work.slots,
        *work.scratch,
    )
