"""The reverse sweep, through sums and products over an index.

A context is a nest of loops.  An entry is worked off in the outermost context in which its indices are bound; what a
loop contributes to an entry outside of it is a sum over that loop, an entry like any other.  A running sum
``Σ_{j ≤ i + c} b(j)`` is turned round, so that its adjoint is a running sum from the other end: O(n), as the value.
"""

from __future__ import annotations

from collections.abc import Collection
from heapq import heappop, heappush
from typing import NamedTuple

from descend.expression import binders
from descend.expression.masks import times, total
from descend.expression.tape import Tape


class Loop(NamedTuple):
    """The index of `level` runs from the entry `low` to the entry `high`, both inclusive."""

    level: int
    low: int
    high: int


class Scatter(NamedTuple):
    """``g[place] += value`` for all indices of `loops` (outermost first), g being the gradient in `array`."""

    array: str
    place: int
    value: int
    loops: tuple[Loop, ...] = ()


class _Context:
    """The adjoints that are not worked off yet, under a nest of loops."""

    def __init__(self, parent: _Context | None, loop: Loop | None) -> None:
        self.parent = parent
        self.loops: tuple[Loop, ...] = () if parent is None or loop is None else (*parent.loops, loop)
        self.parts: dict[int, list[int]] = {}
        self.order: list[int] = []  # a heap of minus the entries in `parts`

    def take(self, index: int, part: int) -> None:
        found = self.parts.get(index)
        if found is None:
            self.parts[index] = [part]
            heappush(self.order, -index)
        else:
            found.append(part)


class _Sweep:
    def __init__(self, tape: Tape, roots: Collection[int], symbols: Collection[int], arrays: Collection[str]) -> None:
        self.tape, self.symbols, self.arrays = tape, symbols, arrays
        self.active = self._active(roots)
        self.adjoints: dict[int, int] = {}
        self.scatters: dict[tuple[str, int, tuple[Loop, ...]], list[int]] = {}

    def _active(self, roots: Collection[int]) -> set[int]:
        """Return the entries that depend on what is wanted (bounds and places never do)."""
        active: set[int] = set()
        for index in self.tape.reachable(roots):
            entry = self.tape[index]
            if entry.op == "access":
                found = entry.value in self.arrays
            elif entry.op == "held_max":
                found = False
            else:
                args = entry.args[:-2] if entry.op in binders.BINDERS else entry.args
                found = index in self.symbols or any(a in active for a in args)
            if found:
                active.add(index)
        return active

    def push(self, context: _Context, index: int, part: int) -> None:
        """Add `part` to the adjoint of an entry, summed over the loops in which the entry stays the same."""
        home = self.tape.free[index].bit_length()
        while len(context.loops) > home:
            loop = context.loops[-1]
            part = binders.bind(self.tape, "sum", loop.level, (part, loop.low, loop.high))
            assert context.parent is not None
            context = context.parent
        context.take(index, part)

    def work(self, context: _Context) -> None:
        """Work off a context; the entries of contexts around it get their contributions."""
        tape = self.tape
        while context.order:
            index = -heappop(context.order)
            adjoint = total(tape, context.parts.pop(index))
            entry = tape[index]
            if index in self.symbols:
                self.adjoints[index] = adjoint
            elif entry.op == "access":
                key = (str(entry.value), entry.args[0], context.loops)
                self.scatters.setdefault(key, []).append(adjoint)
            elif entry.op in binders.BINDERS:
                self.binder(context, index, adjoint)
            else:
                partials = tape.partials(index)
                for arg, partial in zip(entry.args, partials, strict=True):
                    if partial is not None and arg in self.active:
                        self.push(context, arg, times(tape, adjoint, partial))

    def binder(self, context: _Context, index: int, adjoint: int) -> None:
        tape = self.tape
        entry = tape[index]
        level = entry.value
        assert isinstance(level, int)
        *bodies, low, high = entry.args
        body = bodies[0]
        match entry.op:
            case "sum":
                if self.turned(context, level, entry.args, adjoint):
                    return
                apart = binders.factored(tape, index) if tape.free[low] | tape.free[high] else None
                if apart is not None:
                    context.take(self.activated(apart), adjoint)
                    return
                seed = adjoint
            case "prod":
                left, right = binders.other_factors(tape, level, body, low, high)
                seed = times(tape, adjoint, tape.mul((left, right)))
            case _:
                context.take(self.activated(binders.expanded_tangent(tape, index)), adjoint)
                return
        inside = _Context(context, Loop(level, low, high))
        self.push(inside, body, seed)
        self.work(inside)

    def activated(self, index: int) -> int:
        """Take in an entry that has been made meanwhile."""
        self.active |= self._active((index,))
        return index

    def turned(self, context: _Context, level: int, args: tuple[int, ...], adjoint: int) -> bool:
        """Work off a running sum from its other end: for each j the sum over all i that have j in their range."""
        tape = self.tape
        body, low, high = args
        outer = level - 1
        if outer < 0 or tape.free[body] >> outer & 1 or not tape.free[body] >> level & 1:
            return False
        moving = [bool(tape.free[bound] >> outer & 1) for bound in (low, high)]
        if moving[0] == moving[1]:
            return False
        form = _slope_and_shift(tape, low if moving[0] else high, outer)
        if form is None:
            return False
        slope, shift = form
        loop = context.loops[-1]
        first, last = loop.low, loop.high
        ends = [_moved(tape, slope, shift, i) for i in (first, last)]  # the bound where i begins, and where it ends
        back = _moved(tape, slope, tape.mul((tape.constant(-slope), shift)), tape.index(outer))  # the i with bound j
        if moving[0]:  # j from s·i + c on
            span = Loop(outer, ends[0] if slope > 0 else ends[1], high)
        else:  # j up to s·i + c
            span = Loop(outer, low, ends[1] if slope > 0 else ends[0])
        furthest = [_moved(tape, slope, tape.mul((tape.constant(-slope), shift)), j) for j in (span.low, span.high)]
        if moving[0] == (slope > 0):
            last = binders.smaller(tape, last, back, furthest[slope > 0])
        else:
            first = binders.larger(tape, first, back, furthest[slope < 0])
        weight = binders.rename(tape, adjoint, outer, level)
        seed = binders.bind(tape, "sum", level, (weight, first, last))
        assert context.parent is not None
        inside = _Context(context.parent, span)
        self.push(inside, self.activated(binders.rename(tape, body, level, outer)), seed)
        self.work(inside)
        return True


def _slope_and_shift(tape: Tape, bound: int, level: int) -> tuple[int, int] | None:
    """Return (s, c) where `bound` is s·(index of `level`) + c with s = ±1, None where it is not of that form."""
    form = binders.affine(tape, bound)
    if form is None or form[0].get(level) not in {1, -1}:
        return None
    terms = [tape.mul((tape.constant(c), tape.index(other))) for other, c in form[0].items() if other != level]
    return form[0][level], tape.add([*terms, tape.constant(form[1])])


def _moved(tape: Tape, slope: int, shift: int, index: int) -> int:
    return tape.add((index if slope > 0 else tape.neg(index), shift))


Adjoints = tuple[dict[int, int], tuple[Scatter, ...]]


class Seed(NamedTuple):
    """An adjoint to start from: that of `entry`, under `loops`."""

    loops: tuple[Loop, ...]
    entry: int
    adjoint: int


def sweep(tape: Tape, root: int, symbols: Collection[int], arrays: Collection[str]) -> Adjoints:
    """Return (symbol → its adjoint, the contributions to entries of `arrays`) for the derivative of `root`."""
    return sweep_from(tape, [Seed((), root, tape.constant(1))], symbols, arrays)


def sweep_from(tape: Tape, seeds: Collection[Seed], symbols: Collection[int], arrays: Collection[str]) -> Adjoints:
    """Return Σ over the seeds, and over their loops, of adjoint · derivative of the entry."""
    work = _Sweep(tape, [seed.entry for seed in seeds], symbols, arrays)
    outermost = _Context(None, None)
    for loops, entry, adjoint in seeds:
        if entry not in work.active:
            continue
        chain = [outermost]
        for loop in loops:
            chain.append(_Context(chain[-1], loop))
        work.push(chain[-1], entry, adjoint)
        for context in reversed(chain[1:]):
            work.work(context)
    work.work(outermost)
    scatters = (Scatter(*key[:2], total(tape, parts), key[2]) for key, parts in work.scatters.items())
    return work.adjoints, tuple(scatters)
