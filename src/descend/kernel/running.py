"""Running sums and products: what costs O(n²) as it stands is computed in O(n).

``Σ_{j=a}^{f(i)} b(j)`` with b free of i is a *scan*: an array of partial sums, filled once before the loop over i, and
a *pick* from it in the loop.  The same holds from the other end, for products and for tangents of products.  Scans
and picks are entries that only a kernel's tape has.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from descend.errors import FormulaError
from descend.expression import binders
from descend.expression.reverse import Loop
from descend.expression.tape import Tape

Loops = tuple[Loop, ...]


def whole(tape: Tape, index: int) -> bool:
    """Whether an entry made of constants and indices is a whole number wherever they are."""
    for entry in (tape[k] for k in tape.reachable((index,))):
        value = entry.value
        if isinstance(value, Fraction) and value.denominator != 1:
            return binders.affine(tape, index) is not None
        if entry.op not in {"constant", "index", "add", "neg", "mul", "min", "max", "floor", "ceil"}:
            return binders.affine(tape, index) is not None
    return True


def spans(tape: Tape, loops: Iterable[Loop]) -> dict[int, tuple[int, int]]:
    """Return level → (least, most) value of each index; an empty loop has least > most."""
    found: dict[int, tuple[int, int]] = {}
    for loop in loops:
        found[loop.level] = (interval(tape, loop.low, found)[0], interval(tape, loop.high, found)[1])
    return found


def interval(tape: Tape, index: int, ranges: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return bounds of a whole-number entry, given those of the indices in it (interval arithmetic).

    Raises `FormulaError` for an entry that is not made of constants and indices.
    """
    known: dict[int, tuple[Fraction, Fraction]] = {}
    for k in tape.reachable((index,)):
        entry = tape[k]
        args = [known[a] for a in entry.args]
        match entry.op:
            case "constant":
                assert isinstance(entry.value, Fraction)
                known[k] = (entry.value, entry.value)
            case "index":
                if not isinstance(entry.value, int) or entry.value not in ranges:
                    raise FormulaError("this is not made of constants and the indices around it")
                known[k] = (Fraction(ranges[entry.value][0]), Fraction(ranges[entry.value][1]))
            case "add":
                known[k] = (sum((a[0] for a in args), Fraction(0)), sum((a[1] for a in args), Fraction(0)))
            case "neg":
                known[k] = (-args[0][1], -args[0][0])
            case "min" | "max":
                choose = min if entry.op == "min" else max
                known[k] = (choose(a[0] for a in args), choose(a[1] for a in args))
            case "mul" | "div":
                known[k] = args[0]
                for low, high in args[1:]:
                    if entry.op == "div":
                        if low <= 0 <= high:
                            raise FormulaError("a bound or an index in brackets is divided by zero")
                        low, high = 1 / low, 1 / high  # noqa: PLW2901 - a quotient is a product with 1/b
                    corners = [a * b for a in known[k] for b in (low, high)]
                    known[k] = (min(corners), max(corners))
            case "floor" | "ceil":
                known[k] = args[0]
            case _:
                raise FormulaError("a bound or an index in brackets is not a whole number made of indices")
    low, high = known[index]
    return low.__ceil__(), high.__floor__()


def most_rounds(tape: Tape, loops: Loops) -> int:
    """Return how often the innermost of `loops` goes round at most, for all values of the indices around it.

    min(a, b) - max(c, d) is at most any a - c, and there what the bounds have in common cancels: windows are narrow.
    """
    loop, ranges = loops[-1], spans(tape, loops)
    wide = interval(tape, loop.high, ranges)[1] - interval(tape, loop.low, ranges)[0]
    for above in _forms(tape, loop.high, "min"):
        for below in _forms(tape, loop.low, "max"):
            wide = min(wide, _most(tape, _minus(above, below), loops, ranges))
    return max(0, wide + 1)


def _most(tape: Tape, form: binders.Affine, loops: Loops, ranges: dict[int, tuple[int, int]]) -> int:
    """Bound Σ coefficient·index + constant from above: each index, the innermost first, by a bound of its loop."""
    levels = [level for level, coefficient in form[0].items() if coefficient]
    if not levels:
        return form[1]
    level = max(levels)
    coefficient = form[0][level]
    rest = ({other: c for other, c in form[0].items() if other != level}, form[1])
    bound, op = (loops[level].high, "min") if coefficient > 0 else (loops[level].low, "max")
    end = max(coefficient * value for value in ranges[level])
    found = [_most(tape, (rest[0], rest[1] + end), loops, ranges)]
    found += [_most(tape, _minus(rest, other, -coefficient), loops, ranges) for other in _forms(tape, bound, op)]
    return min(found)


def _minus(a: binders.Affine, b: binders.Affine, factor: int = 1) -> binders.Affine:
    """Return a - factor·b."""
    levels = a[0].keys() | b[0].keys()
    return {k: a[0].get(k, 0) - factor * b[0].get(k, 0) for k in levels}, a[1] - factor * b[1]


def _forms(tape: Tape, bound: int, op: str) -> list[binders.Affine]:
    """Return the linear forms that a bound is the `op` (min or max) of; none where it is not of that form."""
    form = binders.affine(tape, bound)
    if form is not None:
        return [form]
    entry = tape[bound]
    if entry.op == op:
        return [form for arg in entry.args for form in _forms(tape, arg, op)]
    if entry.op != "add":
        return []
    sums: list[binders.Affine] = [({}, 0)]  # a + min(b, c) is min(a + b, a + c)
    for arg in entry.args:
        sums = [_minus(one, other, -1) for one in sums for other in _forms(tape, arg, op)]
    return sums


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
