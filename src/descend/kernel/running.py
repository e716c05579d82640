"""Running sums and products: what costs O(n²) as it stands is computed in O(n).

``Σ_{j=a}^{f(i)} b(j)`` with b free of i is a *scan*: an array of partial sums, filled once before the loop over i, and
a *pick* from it in the loop.  The same holds from the other end, for products and for tangents of products.  Scans
and picks are entries that only a kernel's tape has.
"""

from __future__ import annotations

from descend.expression import binders
from descend.expression.index_ranges import Loops
from descend.expression.reverse import Loop
from descend.expression.tape import Tape


class Running:
    """Replaces running sums and products by picks from scans, under the loops in which they stand."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self._known: dict[tuple[int, Loops], int] = {}

    def rewrite(self, root: int, loops: Loops) -> int:
        """Return `root`, an entry under `loops`, with what runs replaced."""
        tape = self.tape
        new: dict[int, int] = {}
        for index in self._here(root):
            entry = tape[index]
            context = loops[: tape.free[index].bit_length()]
            key = (index, context)
            if key in self._known:
                new[index] = self._known[key]
                continue
            if entry.op in binders.BINDERS:
                new[index] = self._binder(index, context)
            else:
                args = tuple(new[a] for a in entry.args)
                new[index] = index if args == entry.args else tape.rebuild(entry, args)
            self._known[key] = new[index]
        return new[root]

    def _here(self, root: int) -> list[int]:
        """Return what `root` depends on, without the bodies of sums and products, in topological order."""
        tape = self.tape
        seen, todo = {root}, [root]
        while todo:
            entry = tape[todo.pop()]
            args = () if entry.op in binders.BINDERS else entry.args
            for arg in args:
                if arg not in seen:
                    seen.add(arg)
                    todo.append(arg)
        return sorted(seen)

    def _binder(self, index: int, context: Loops) -> int:
        tape = self.tape
        entry = tape[index]
        level = entry.value
        assert isinstance(level, int)
        *bodies, low, high = entry.args
        scan = self._scan(entry.op, level, bodies, low, high, context)
        if scan is not None:
            return scan
        if entry.op == "sum":
            apart = binders.factored(tape, index)
            if apart is not None:
                return self.rewrite(apart, context)
        inside = (*context, Loop(level, low, high))
        return tape.binder(entry.op, level, (*(self.rewrite(body, inside) for body in bodies), low, high))

    def _scan(self, op: str, level: int, bodies: list[int], low: int, high: int, context: Loops) -> int | None:
        tape = self.tape
        if not context:
            return None
        outer = context[-1]
        moving = [bool(tape.free[bound] >> outer.level & 1) for bound in (low, high)]
        if moving[0] == moving[1] or any(tape.free[body] >> outer.level & 1 for body in bodies):
            return None
        position = low if moving[0] else high
        ends = _ends(tape, position, outer)
        if ends is None:
            return None
        low, high = (ends[0], high) if moving[0] else (low, ends[1])
        others = tape.free[low] | tape.free[high]
        for body in bodies:
            others |= tape.free[body] & ~(1 << level)
        own = others.bit_length()
        around = (*context[:own], Loop(own, low, high))
        renamed = [self.rewrite(binders.rename(tape, body, level, own), around) for body in bodies]
        scan = tape.binder(op + (binders.DOWN if moving[0] else binders.UP), own, (*renamed, low, high))
        return tape.raw("pick", (scan, position))


def _ends(tape: Tape, position: int, loop: Loop) -> tuple[int, int] | None:
    """Return (least, most) of a bound over a loop, as entries outside of it; None where it does not move one way."""
    slope = _direction(tape, position, loop.level)
    if slope == 0:
        return None
    index = tape.index(loop.level)
    first, last = (tape.substitute([position], {index: end})[0] for end in (loop.low, loop.high))
    return (first, last) if slope > 0 else (last, first)


def _direction(tape: Tape, position: int, level: int) -> int:
    """Return 1 where an entry never falls as the index grows, -1 where it never rises, 0 where it may do both."""
    todo, signs = [position], set()
    while todo:
        entry = tape[todo[-1]]
        form = binders.affine(tape, todo.pop())
        if form is not None:
            signs.add((form[0].get(level, 0) > 0) - (form[0].get(level, 0) < 0))
        elif entry.op in {"min", "max"}:
            todo += entry.args
        else:
            return 0
    signs.discard(0)
    return signs.pop() if len(signs) == 1 else 0
