"""A nest of loops → LLVM IR: one function a phase.

An innermost loop runs in blocks: first everything is computed for a block (that vectorises, sums included), with the
contributions to a gradient put aside; then each contribution is added to its place, in a loop of its own.  So entries
that overlap (x[i] and x[i + 1]) stand in nobody's way.  Inside a block sums may be reassociated; nothing else may.

Numbers that one phase computes and another one needs are in a frame: the inputs of the nest first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, NamedTuple

from descend.kernel.chunks import BLOCK, Chunked, Phase
from descend.kernel.frames import defined, frame_places, loops, totals_of, used
from descend.kernel.lower import COMPARISONS, TRUTH, double, module
from descend.kernel.nest import (
    NEUTRAL,
    IndexNumber,
    LoopStatement,
    Nest,
    Operation,
    Pick,
    Read,
    Reduction,
    ScanArray,
    Store,
)
from descend.kernel.program import to_double
from descend.kernel.vector_math import VectorBody
from descend.kernel.whole import Place, Whole

ADD = {"sum": "fadd reassoc nsz double"}  # what may be reassociated: factors may not, they would overflow in part
CONDITIONS = {*COMPARISONS, *TRUTH, "not"}  # operations whose results are no numbers


class NestCode(NamedTuple):
    """The module of a nest: its text, and what a caller has to know.

    Each phase is a function ``phase<k>(table, first, last, frame, totals, scratch, own, *arrays, *gradients)``: chunks
    `first` to `last` - 1 of `table`.  A serial phase needs no table and no totals.  `place` says where in the frame a
    slot is, `written` which gradients there are, and `own` how many doubles of memory a call needs for itself.
    """

    text: str
    place: dict[int, int]
    written: tuple[str, ...]
    own: int


def nest_code(nest: Nest, first: Mapping[str, int], phases: Sequence[Phase]) -> NestCode:
    """Write the module of a nest; `first` is the lowest index of each array."""
    writer = _Writer(nest, first, frame_places(nest, phases))
    functions = [writer.function(k, phase, last=k == len(phases) - 1) for k, phase in enumerate(phases)]
    text = module(functions) + writer.body.trailer()
    return NestCode(text, writer.place, tuple(writer.written), nest.inner_scratch + writer.aside * BLOCK)


class _Writer:
    def __init__(self, nest: Nest, first: Mapping[str, int], place: dict[int, int]) -> None:
        self.nest, self.first, self.place = nest, first, place
        self.read = {name: f"%a{k}" for k, name in enumerate(nest.arrays)}
        stores = [*nest.stores, *(store for loop in loops(nest.statements) for store in loop.stores)]
        self.written = {name: f"%g{k}" for k, name in enumerate(dict.fromkeys(s.array for s in stores))}
        self.aside = 0  # contributions that are put aside at the same time, at most
        self.body = VectorBody()
        self.names: list[str] = []
        self.index: dict[int, str] = {}  # level → the i64 that holds the index
        self.allocas: list[str] = []
        self._labels = 0
        self.constants: dict[int, str] = {}
        self.conditions: set[int] = set()
        for statement in nest.statements:
            if isinstance(statement, Operation):
                instruction = statement.instruction
                if instruction.value is not None:
                    self.constants[statement.slot] = double(to_double(instruction.value))
                elif instruction.op in CONDITIONS:
                    self.conditions.add(statement.slot)

    # ------------------------------------------------------------------------------------------------- pieces

    def label(self, what: str) -> str:
        self._labels += 1
        return f"{what}{self._labels}"

    def begin(self, label: str) -> None:
        self.body.write(f"br label %{label}")
        self.body.label(label)

    def variable(self, value: str) -> str:
        """Return a place on the stack that holds `value` (LLVM makes registers of them)."""
        name = f"%s{len(self.allocas)}"
        self.allocas.append(f"  {name} = alloca double, align 8")
        self.body.write(f"store double {value}, ptr {name}, align 8")
        return name

    def get(self, variable: str) -> str:
        return self.body.emit(f"load double, ptr {variable}, align 8")

    def put(self, value: str, variable: str) -> None:
        self.body.write(f"store double {value}, ptr {variable}, align 8")

    def whole(self, expression: Whole) -> str:
        match expression:
            case ("constant", int(value)):
                return str(value)
            case ("index", int(level)):
                return self.index[level]
            case (str(op), tuple(a), tuple(b)):
                left, right = self.whole(a), self.whole(b)
                if op in {"add", "mul"}:
                    return self.body.emit(f"{op} nsw i64 {left}, {right}")
                self.body.declared.add(f"declare i64 @llvm.s{op}.i64(i64, i64) #1")
                return self.body.emit(f"call i64 @llvm.s{op}.i64(i64 {left}, i64 {right}) #1")
        raise AssertionError(expression)

    def offset(self, array: str, place: Place) -> str:
        """Return the offset of an entry in its array's memory, an i64."""
        total = str(place.constant - self.first[array])
        for level, coefficient in place.coefficients:
            term = self.index[level]
            if coefficient != 1:
                term = self.body.emit(f"mul nsw i64 {term}, {coefficient}")
            total = term if total == "0" else self.body.emit(f"add nsw i64 {term}, {total}")
        return total

    # --------------------------------------------------------------------------------------------- statements

    def statements(self, statements: Sequence[Any]) -> None:
        for statement in statements:
            match statement:
                case Operation(slot, instruction):
                    constant = None if instruction.value is None else to_double(instruction.value)
                    args = [self.names[a] for a in instruction.args]
                    self.names[slot] = self.body.instruction(instruction.op, args, constant)
                case Read(slot, array, place):
                    self.names[slot] = self.body.load(self.read[array], self.offset(array, place))
                case IndexNumber(slot, level):
                    small = self.body.emit(f"trunc i64 {self.index[level]} to i32")
                    self.names[slot] = self.body.emit(f"sitofp i32 {small} to double")
                case Pick():
                    self.names[statement.slot] = self.pick(statement)
                case LoopStatement():
                    self.loop(statement)

    def pick(self, pick: Pick) -> str:
        scan, b = pick.scan, self.body
        position, base = self.whole(pick.position), self.whole(scan.base)
        there = (
            b.emit(f"icmp sle i64 {position}, {self.whole(scan.end)}")
            if scan.down
            else b.emit(f"icmp sge i64 {position}, {base}")
        )
        offset = b.emit(f"sub nsw i64 {position}, {base}")
        inside = b.emit(f"select i1 {there}, i64 {offset}, i64 0")
        value = b.load(_memory(scan), b.emit(f"add nsw i64 {inside}, {scan.offset}"))
        return b.emit(f"select i1 {there}, double {value}, double {double(pick.neutral)}")

    def loop(self, loop: LoopStatement) -> None:
        """Write a loop that runs from its beginning to its end."""
        low, high = self.whole(loop.low), self.whole(loop.high)
        totals: list[list[str]] = [[] for _ in loop.reductions]
        for k, neutral in totals_of(loop.reductions):
            totals[k].append(self.variable(double(neutral)))
        self.rounds(loop, low, high, totals)
        for reduction, total in zip(loop.reductions, totals, strict=True):
            self.names[reduction.slot] = self.get(total[0])

    def rounds(self, loop: LoopStatement, low: str, high: str, totals: Sequence[Sequence[str]]) -> None:
        """Write the rounds `low` to `high` of a loop; `totals` are variables for each of its reductions."""
        if loop.leaf:
            self.blocked(loop, low, high, totals)
        else:
            self.plain(loop, low, high, totals)

    def plain(self, loop: LoopStatement, low: str, high: str, totals: Sequence[Sequence[str]]) -> None:
        """Write a loop that goes round one by one."""
        b = self.body
        before, head, inside, latch, end = (self.label(x) for x in ("before", "head", "inside", "latch", "end"))
        self.begin(before)
        b.write(f"br label %{head}")
        b.label(head)
        index, following = b.fresh(), b.fresh()
        first, step, last, test = (high, -1, low, "sge") if loop.down else (low, 1, high, "sle")
        b.write(f"{index} = phi i64 [{first}, %{before}], [{following}, %{latch}]")
        b.write(f"br i1 {b.emit(f'icmp {test} i64 {index}, {last}')}, label %{inside}, label %{end}")
        b.label(inside)
        self.index[loop.level] = index
        self.statements(loop.body)
        for reduction, total in zip(loop.reductions, totals, strict=True):
            self.reduce(reduction, total, [self.names[slot] for slot in reduction.bodies], index)
        for store in loop.stores:
            self.store(store, self.names[store.slot])
        self.begin(latch)
        b.write(f"{following} = add nsw i64 {index}, {step}")
        b.write(f"br label %{head}")
        b.label(end)

    def reduce(self, reduction: Reduction, totals: Sequence[str], values: Sequence[str], index: str) -> None:
        """Take the values of one round into a sum, a product or the tangent of one."""
        b = self.body
        total, *product = totals
        if reduction.op == "prod_tangent":
            factor, tangent = values
            before = self.get(product[0])
            grown = b.emit(f"fmul double {self.get(total)}, {factor}")
            self.put(b.emit(f"fadd double {grown}, {b.emit(f'fmul double {before}, {tangent}')}"), total)
            self.put(b.emit(f"fmul double {before}, {factor}"), product[0])
        elif reduction.op == "held_max":
            self.put(b.intrinsic("maximum", self.get(total), values[0]), total)
        else:
            op = "fadd" if reduction.op == "sum" else "fmul"
            self.put(b.emit(f"{op} double {self.get(total)}, {values[0]}"), total)
        if reduction.scan is not None:
            offset = b.emit(f"sub nsw i64 {index}, {self.whole(reduction.scan.base)}")
            self.body.store(
                self.get(total), _memory(reduction.scan), b.emit(f"add nsw i64 {offset}, {reduction.scan.offset}")
            )

    def store(self, store: Store, value: str) -> None:
        """Add to an entry of a gradient."""
        gradient = self.written[store.array]
        offset = self.offset(store.array, store.place)
        self.body.store(self.body.emit(f"fadd double {self.body.load(gradient, offset)}, {value}"), gradient, offset)

    def blocked(self, loop: LoopStatement, low: str, high: str, totals: Sequence[Sequence[str]]) -> None:
        """Write an innermost loop: compute a block, then take in what has an order, then add its contributions."""
        b = self.body
        # What goes through memory: the contributions, and the bodies of scans and of tangents of products.
        aside = [store.slot for store in loop.stores]
        for reduction in loop.reductions:
            if _in_order(reduction):
                aside += reduction.bodies
        row = {slot: self.nest.inner_scratch + k * BLOCK for k, slot in enumerate(dict.fromkeys(aside))}
        self.aside = max(self.aside, len(row))
        before, head, inside, end = (self.label(x) for x in ("before", "block", "inside", "end"))
        self.begin(before)
        b.write(f"br label %{head}")
        b.label(head)
        base, following = b.fresh(), b.fresh()
        latch = self.label("latch")
        first, last, test = (high, low, "sge") if loop.down else (low, high, "sle")
        b.write(f"{base} = phi i64 [{first}, %{before}], [{following}, %{latch}]")
        b.write(f"br i1 {b.emit(f'icmp {test} i64 {base}, {last}')}, label %{inside}, label %{end}")
        b.label(inside)
        left = b.emit(f"sub nsw i64 {base}, {low}") if loop.down else b.emit(f"sub nsw i64 {high}, {base}")
        rest = b.emit(f"add nsw i64 {left}, 1")
        b.declared.add("declare i64 @llvm.smin.i64(i64, i64) #1")
        size = b.emit(f"call i64 @llvm.smin.i64(i64 {rest}, i64 {BLOCK}) #1")
        free = [(r, t[0]) for r, t in zip(loop.reductions, totals, strict=True) if not _in_order(r)]
        parts = [self.variable(double(NEUTRAL[r.op])) for r, _ in free]

        def put_aside(slot: int, offset: str) -> None:
            b.store(self.names[slot], "%own", b.emit(f"add nuw nsw i64 {offset}, {row[slot]}"))

        def from_aside(slot: int, offset: str) -> str:
            return b.load("%own", b.emit(f"add nuw nsw i64 {offset}, {row[slot]}"))

        def compute(offset: str) -> None:
            self.statements(loop.body)
            for (reduction, _), part in zip(free, parts, strict=True):
                self.put(b.emit(f"{ADD[reduction.op]} {self.get(part)}, {self.names[reduction.bodies[0]]}"), part)
            for slot in row:
                put_aside(slot, offset)

        self.inner(loop, base, size, compute)
        for (_, total), part in zip(free, parts, strict=True):
            self.put(b.emit(f"fadd double {self.get(total)}, {self.get(part)}"), total)
        for reduction, variables in zip(loop.reductions, totals, strict=True):
            if _in_order(reduction):

                def take(offset: str, r: Reduction = reduction, variables: Sequence[str] = variables) -> None:
                    self.reduce(r, variables, [from_aside(slot, offset) for slot in r.bodies], self.index[loop.level])

                self.inner(loop, base, size, take)
        for store in loop.stores:

            def add(offset: str, store: Store = store) -> None:
                self.store(store, from_aside(store.slot, offset))

            self.inner(loop, base, size, add)
        self.begin(latch)
        b.write(f"{following} = {'sub' if loop.down else 'add'} nsw i64 {base}, {BLOCK}")
        b.write(f"br label %{head}")
        b.label(end)

    def inner(self, loop: LoopStatement, base: str, size: str, write: Callable[[str], None]) -> None:
        """Write the loop over the `size` rounds of one block: ``write(offset)`` with the index at base ± offset."""
        b = self.body
        before, head, end = self.label("before"), self.label("row"), self.label("done")
        self.begin(before)
        b.write(f"br label %{head}")
        b.label(head)
        offset, following = b.fresh(), b.fresh()
        b.write(f"{offset} = phi i64 [0, %{before}], [{following}, %{head}]")
        self.index[loop.level] = b.emit(f"{'sub' if loop.down else 'add'} nsw i64 {base}, {offset}")
        write(offset)
        b.write(f"{following} = add nuw nsw i64 {offset}, 1")
        b.write(f"br i1 {b.emit(f'icmp slt i64 {following}, {size}')}, label %{head}, label %{end}")
        b.label(end)

    # --------------------------------------------------------------------------------------------- functions

    def function(self, number: int, phase: Phase, *, last: bool) -> tuple[str, VectorBody]:
        """Write the function of one phase; return its head and its lines."""
        b = self.body
        b.lines, self.allocas = [], []
        b.label("entry")
        statements = (phase.loop,) if isinstance(phase, Chunked) else phase.statements
        self.names = [""] * self.nest.slots
        for slot, constant in self.constants.items():
            self.names[slot] = constant
        ends = self.nest.stores if last else ()
        needed = {*used(statements), *(store.slot for store in ends)}.difference(defined(statements), self.constants)
        for slot in sorted(needed & self.place.keys()):
            self.names[slot] = b.load("%frame", self.place[slot])
            if slot in self.conditions:
                self.names[slot] = b.emit(f"fcmp une double {self.names[slot]}, {double(0.0)}")
        if isinstance(phase, Chunked):
            self.chunks(phase.loop)
        else:
            self.statements(statements)
            for store in ends:
                self.store(store, self.names[store.slot])
            for slot in defined(statements):
                if slot in self.place:
                    value = self.names[slot]
                    if slot in self.conditions:
                        value = b.emit(f"uitofp i1 {value} to double")
                    b.store(value, "%frame", self.place[slot])
        b.write("ret void")
        b.lines[1:1] = self.allocas
        pointers = ["%frame", "%totals", "%scratch", "%own", *self.read.values(), *self.written.values()]
        parameters = ", ".join(f"ptr noalias {p}" for p in pointers)
        return f"void @phase{number}(ptr noalias %table, i64 %first, i64 %last, {parameters})", copy(b)

    def chunks(self, loop: LoopStatement) -> None:
        """Write the loop over the chunks: each adds to the totals in its row."""
        b = self.body
        carried = totals_of(loop.reductions)
        latch, end = self.label("latch"), self.label("end")
        b.write("br label %chunk")
        b.label("chunk")
        number, following = b.fresh(), b.fresh()
        b.write(f"{number} = phi i64 [%first, %entry], [{following}, %{latch}]")
        line = b.emit(f"mul nuw nsw i64 {number}, 3")
        low, high, row = (
            b.load("%table", line if k == 0 else b.emit(f"add nuw nsw i64 {line}, {k}"), "i64") for k in range(3)
        )
        start = b.emit(f"mul nuw nsw i64 {row}, {len(carried)}")
        totals: list[list[str]] = [[] for _ in loop.reductions]
        cells = []
        for column, (k, _) in enumerate(carried):
            cell = b.emit(f"add nuw nsw i64 {start}, {column}")
            totals[k].append(self.variable(b.load("%totals", cell)))
            cells.append((totals[k][-1], cell))
        self.rounds(loop, low, high, totals)
        for variable, cell in cells:
            b.store(self.get(variable), "%totals", cell)
        self.begin(latch)
        b.write(f"{following} = add nuw nsw i64 {number}, 1")
        b.write(f"br i1 {b.emit(f'icmp slt i64 {following}, %last')}, label %chunk, label %{end}")
        b.label(end)


def _in_order(reduction: Reduction) -> bool:
    """Whether the rounds of a block are taken in one after the other."""
    return reduction.scan is not None or reduction.op not in ADD


def _memory(scan: ScanArray) -> str:
    return "%own" if scan.inner else "%scratch"
