"""A nest of loops in machine code.

An innermost loop runs in blocks: first everything is computed for a block (that vectorises, sums included), with the
contributions to a gradient put aside; then each contribution is added to its place, in a loop of its own.  So entries
that overlap (x[i] and x[i + 1]) stand in nobody's way.  Inside a block sums may be reassociated; nothing else may.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from descend.kernel.compile import MachineCode, compilable
from descend.kernel.lower import double, module
from descend.kernel.nest import (
    NEUTRAL,
    IndexNumber,
    LoopStatement,
    Nest,
    Operation,
    Pick,
    Place,
    Read,
    Reduction,
    Store,
    Whole,
)
from descend.kernel.program import Program, to_double
from descend.kernel.vector_math import VectorBody

BLOCK = 512  # rounds of an innermost loop that are computed before their contributions are added
ADD = {"sum": "fadd reassoc nsz double"}  # what may be reassociated: factors may not, they would overflow in part


def ordered(reduction: Reduction) -> bool:
    """Whether the rounds must be taken in one after the other."""
    return reduction.scan is not None or reduction.op not in ADD


class _Writer:
    def __init__(self, nest: Nest, first: Mapping[str, int]) -> None:
        self.nest, self.first = nest, first
        self.body = VectorBody()
        self.names = [""] * nest.slots
        self.index: dict[int, str] = {}  # level → the i64 that holds the index
        self.allocas: list[str] = []
        self.read = {name: f"%a{k}" for k, name in enumerate(nest.arrays)}
        self.written: dict[str, str] = {}
        self.aside = 0  # contributions that are put aside at the same time, at most
        self._labels = 0

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

    def place(self, array: str, place: Place) -> str:
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
                    self.names[slot] = self.body.load(self.read[array], self.place(array, place))
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
        value = b.load("%scratch", b.emit(f"add nsw i64 {inside}, {scan.offset}"))
        return b.emit(f"select i1 {there}, double {value}, double {double(pick.neutral)}")

    def loop(self, loop: LoopStatement) -> None:
        if loop.leaf:
            self.blocked(loop)
        else:
            self.plain(loop)

    def plain(self, loop: LoopStatement) -> None:
        """Write a loop that goes round one by one."""
        b = self.body
        low, high = self.whole(loop.low), self.whole(loop.high)
        totals = [self.variable(double(NEUTRAL[r.op])) for r in loop.reductions]
        products = [self.variable(double(1.0)) if r.op == "prod_tangent" else "" for r in loop.reductions]
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
        for reduction, total, product in zip(loop.reductions, totals, products, strict=True):
            self.reduce(reduction, total, product, [self.names[slot] for slot in reduction.bodies], index)
        for store in loop.stores:
            self.store(store, self.names[store.slot])
        self.begin(latch)
        b.write(f"{following} = add nsw i64 {index}, {step}")
        b.write(f"br label %{head}")
        b.label(end)
        for reduction, total in zip(loop.reductions, totals, strict=True):
            self.names[reduction.slot] = self.get(total)

    def reduce(self, reduction: Reduction, total: str, product: str, values: Sequence[str], index: str) -> None:
        """Take the values of one round into a sum, a product or the tangent of one."""
        b = self.body
        if reduction.op == "prod_tangent":
            factor, tangent = values
            before = self.get(product)
            grown = b.emit(f"fmul double {self.get(total)}, {factor}")
            self.put(b.emit(f"fadd double {grown}, {b.emit(f'fmul double {before}, {tangent}')}"), total)
            self.put(b.emit(f"fmul double {before}, {factor}"), product)
        elif reduction.op == "held_max":
            self.put(b.intrinsic("maximum", self.get(total), values[0]), total)
        else:
            op = "fadd" if reduction.op == "sum" else "fmul"
            self.put(b.emit(f"{op} double {self.get(total)}, {values[0]}"), total)
        if reduction.scan is not None:
            offset = b.emit(f"sub nsw i64 {index}, {self.whole(reduction.scan.base)}")
            self.body.store(self.get(total), "%scratch", b.emit(f"add nsw i64 {offset}, {reduction.scan.offset}"))

    def store(self, store: Store, value: str) -> None:
        """Add to an entry of a gradient."""
        gradient = self.written.setdefault(store.array, f"%g{len(self.written)}")
        offset = self.place(store.array, store.place)
        self.body.store(self.body.emit(f"fadd double {self.body.load(gradient, offset)}, {value}"), gradient, offset)

    def blocked(self, loop: LoopStatement) -> None:
        """Write an innermost loop: compute a block, then take in what has an order, then add its contributions."""
        b = self.body
        low, high = self.whole(loop.low), self.whole(loop.high)
        totals = [self.variable(double(NEUTRAL[r.op])) for r in loop.reductions]
        products = [self.variable(double(1.0)) if r.op == "prod_tangent" else "" for r in loop.reductions]
        # What goes through memory: the contributions, and the bodies of scans and of tangents of products.
        aside = [store.slot for store in loop.stores]
        for reduction in loop.reductions:
            if ordered(reduction):
                aside += reduction.bodies
        row = {slot: k * BLOCK for k, slot in enumerate(dict.fromkeys(aside))}
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
        free = [(r, t) for r, t in zip(loop.reductions, totals, strict=True) if not ordered(r)]
        parts = [self.variable(double(NEUTRAL[r.op])) for r, _ in free]

        def put_aside(slot: int, offset: str) -> None:
            b.store(self.names[slot], "%aside", b.emit(f"add nuw nsw i64 {offset}, {row[slot]}"))

        def from_aside(slot: int, offset: str) -> str:
            return b.load("%aside", b.emit(f"add nuw nsw i64 {offset}, {row[slot]}"))

        def compute(offset: str) -> None:
            self.statements(loop.body)
            for (reduction, _), part in zip(free, parts, strict=True):
                self.put(b.emit(f"{ADD[reduction.op]} {self.get(part)}, {self.names[reduction.bodies[0]]}"), part)
            for slot in row:
                put_aside(slot, offset)

        self.inner(loop, base, size, compute)
        for (_, total), part in zip(free, parts, strict=True):
            self.put(b.emit(f"fadd double {self.get(total)}, {self.get(part)}"), total)
        for reduction, total, product in zip(loop.reductions, totals, products, strict=True):
            if ordered(reduction):

                def take(offset: str, r: Reduction = reduction, total: str = total, product: str = product) -> None:
                    values = [from_aside(slot, offset) for slot in r.bodies]
                    self.reduce(r, total, product, values, self.index[loop.level])

                self.inner(loop, base, size, take)
        for store in loop.stores:

            def add(offset: str, store: Store = store) -> None:
                self.store(store, from_aside(store.slot, offset))

            self.inner(loop, base, size, add)
        self.begin(latch)
        b.write(f"{following} = {'sub' if loop.down else 'add'} nsw i64 {base}, {BLOCK}")
        b.write(f"br label %{head}")
        b.label(end)
        for reduction, total in zip(loop.reductions, totals, strict=True):
            self.names[reduction.slot] = self.get(total)

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

    # ------------------------------------------------------------------------------------------------- whole

    def module(self) -> str:
        b, nest = self.body, self.nest
        b.label("entry")
        for k in range(len(nest.inputs)):
            self.names[k] = b.load("%p", k)
        self.statements(nest.statements)
        for store in nest.stores:
            self.store(store, self.names[store.slot])
        for k, slot in enumerate(nest.outputs):
            b.store(self.names[slot], "%out", k)
        b.write("ret void")
        b.lines[1:1] = self.allocas
        pointers = ["%p", "%out", "%scratch", "%aside", *self.read.values(), *self.written.values()]
        head = f"void @nest({', '.join(f'ptr noalias {p}' for p in pointers)})"
        return module([(head, b)]) + b.trailer()


class IndexedKernel:
    """A nest compiled: outputs and gradients of arrays at one point.

    `first` is the lowest index of each array, read or written; every call has memory of its own, so one kernel may be
    called from several threads at once.
    """

    def __init__(self, nest: Nest, first: Mapping[str, int]) -> None:
        self.nest = nest
        writer = _Writer(nest, first)
        text = writer.module()
        self.written = tuple(writer.written)
        self._aside = writer.aside * BLOCK
        self._code = MachineCode(text, 3, nest.slots)
        count = 4 + len(nest.arrays) + len(self.written)
        self._call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * count)(self._code.address("nest"))

    def __call__(self, inputs: Sequence[float], arrays: Mapping[str, Any], gradients: Mapping[str, Any]) -> list[float]:
        """Return the outputs and add to `gradients`.

        All arrays are C-contiguous float64 of one dimension, from their first index to beyond the last that is used;
        machine code does not check it.
        """
        import numpy as np

        nest = self.nest
        point = np.array(inputs, dtype=np.float64)
        out = np.empty(len(nest.outputs))
        memory = np.empty(nest.scratch + self._aside + 1)
        start = memory.ctypes.data
        used = [*(arrays[name] for name in nest.arrays), *(gradients[name] for name in self.written)]
        self._call(
            point.ctypes.data, out.ctypes.data, start, start + 8 * nest.scratch, *(array.ctypes.data for array in used)
        )
        return [float(x) for x in out]


def obstacle(nest: Nest) -> str | None:
    """Return why a nest cannot be compiled here, or None when it can."""
    return compilable(Program((), tuple(operation.instruction for operation in nest.operations()), ()))
