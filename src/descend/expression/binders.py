"""Sums and products over an index, as entries of a tape: which index they bind, and how they are put in order.

``sum`` and ``prod`` have the arguments (body, low, high), bounds inclusive, an empty range being 0 or 1; the body is
an entry in which the bound index occurs.  ``prod_tangent`` (body, its tangent, low, high) is the derivative of a
product along a direction, Σₖ tangentₖ·Πⱼ≠ₖ bodyⱼ, computed as one recurrence without a division.

``held_max`` is the largest body, or minus infinity, and counts as a constant when it is differentiated: a
sum of exponentials is shifted by it (`shifted.py`) and does not change with the shift.

Indices have levels.  A binder's own level is one above the highest level that is free in it otherwise, so that the
same sum is one entry wherever it stands and whatever its index is called.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from descend.errors import FormulaError

if TYPE_CHECKING:
    from descend.expression.tape import Tape

BINDERS = frozenset({"sum", "prod", "prod_tangent", "held_max"})
UP, DOWN = "_up", "_down"  # sum_up: all partial sums from the low end; sum_down: from the high end (see the kernel)
SCANS = frozenset(op + end for op in BINDERS for end in (UP, DOWN))
LOOPS = BINDERS | SCANS
OPEN = 64  # a reader gives the index of the k-th sum that is still open the level OPEN + k


def free_indices(free: Sequence[int], op: str, args: tuple[int, ...], value: object) -> int:
    """Return the set of indices (as bits) that are free in an entry."""
    if op == "index":
        assert isinstance(value, int)
        return 1 << value
    inner = outer = 0
    bodies = len(args) - 2 if op in LOOPS else 0  # what stands under the bound index; the two bounds do not
    for position, arg in enumerate(args):
        if position < bodies:
            inner |= free[arg]
        else:
            outer |= free[arg]
    if op in LOOPS:
        assert isinstance(value, int)
        inner &= ~(1 << value)
    return inner | outer


def bind(tape: Tape, op: str, level: int, args: tuple[int, ...]) -> int:
    """Return the binder `op` over the index of `level` in its body: ``bind(tape, "sum", level, (body, low, high))``.

    Raises `FormulaError` for bounds that are constant and not whole numbers.
    """
    *bodies, low, high = args
    for bound in (low, high):
        value = tape.value(bound)
        if value is not None and value.denominator != 1:
            raise FormulaError(f"the bounds of a {op} are whole numbers, and {value} is none")
    first, last = tape.value(low), tape.value(high)
    if first is not None and last is not None:
        if last < first and op != "held_max":
            return tape.constant(1 if op == "prod" else 0)
        if not any(tape.free[body] >> level & 1 for body in bodies):
            count = tape.constant(last - first + 1)
            match op:
                case "sum":
                    return tape.mul((count, bodies[0]))
                case "prod":
                    return tape.pow(bodies[0], count)
    own = 1 << level
    others = tape.free[low] | tape.free[high]
    for body in bodies:
        others |= tape.free[body] & ~own
    wanted = others.bit_length()
    if wanted != level:
        bodies = [rename(tape, body, level, wanted) for body in bodies]
    return tape.binder(op, wanted, (*bodies, low, high))


def rename(tape: Tape, root: int, old: int, new: int) -> int:
    """Return `root` with the free index of level `old` called `new` (which must not be free in it)."""
    bit = 1 << old
    renamed = {tape.index(old): tape.index(new)}
    todo = [root]
    while todo:  # depth first, without recursion but for binders inside one another
        index = todo[-1]
        if index in renamed or not tape.free[index] & bit:
            todo.pop()
            continue
        entry = tape[index]
        if entry.op in BINDERS:
            todo.pop()
            renamed[index] = _rename_binder(tape, index, old, new)
            continue
        missing = [a for a in entry.args if tape.free[a] & bit and a not in renamed]
        if missing:
            todo += missing
            continue
        todo.pop()
        renamed[index] = tape.rebuild(entry, tuple(renamed.get(a, a) for a in entry.args))
    return renamed.get(root, root)


def _rename_binder(tape: Tape, index: int, old: int, new: int) -> int:
    entry = tape[index]
    level = entry.value
    assert isinstance(level, int)
    *bodies, low, high = entry.args
    if level == new:  # step aside, or the index would be caught
        aside = max(new, old, *(tape.free[body].bit_length() for body in bodies)) + 1
        bodies = [rename(tape, body, level, aside) for body in bodies]
        level = aside
    args = [rename(tape, arg, old, new) for arg in (*bodies, low, high)]
    return bind(tape, entry.op, level, tuple(args))


def other_factors(tape: Tape, level: int, body: int, low: int, high: int) -> tuple[int, int]:
    """Return the products of the factors before and after the one at the index of `level`: no division, so zeros
    do no harm.
    """
    index, one = tape.index(level), tape.constant(1)
    again = rename(tape, body, level, level + 1)
    left = bind(tape, "prod", level + 1, (again, low, tape.sub(index, one)))
    right = bind(tape, "prod", level + 1, (again, tape.add((index, one)), high))
    return left, right


def factored(tape: Tape, index: int) -> int | None:
    """Return Σ a·b(j), with a free of j, as a·Σ b(j); None where there is no such factor."""
    entry = tape[index]
    level = entry.value
    assert isinstance(level, int)
    body, low, high = entry.args
    if tape[body].op != "mul":
        return None
    outer = [a for a in tape[body].args if not tape.free[a] >> level & 1 and tape.free[a]]
    if not outer:
        return None
    inner = tape.mul([a for a in tape[body].args if a not in outer])
    return tape.mul((*outer, bind(tape, "sum", level, (inner, low, high))))


def expanded_tangent(tape: Tape, index: int) -> int:
    """Return a ``prod_tangent`` as the sum of products that it stands for."""
    entry = tape[index]
    level = entry.value
    assert isinstance(level, int)
    body, tangent, low, high = entry.args
    left, right = other_factors(tape, level, body, low, high)
    return bind(tape, "sum", level, (tape.mul((tangent, left, right)), low, high))


def larger(tape: Tape, bound: int, moving: int, start: int) -> int:
    """Return max(bound, moving), where moving is an index (or minus one, plus a constant) that is `start` at least."""
    least, fixed = affine(tape, start), tape.value(bound)
    if least is not None and not least[0] and fixed is not None and fixed <= least[1]:
        return moving
    return tape.call("max", bound, moving)


def smaller(tape: Tape, bound: int, moving: int, end: int) -> int:
    """Return min(bound, moving), where moving is an index (or minus one, plus a constant) that is `end` at most."""
    most, fixed = affine(tape, end), tape.value(bound)
    if most is not None and not most[0] and fixed is not None and fixed >= most[1]:
        return moving
    return tape.call("min", bound, moving)


Affine = tuple[dict[int, int], int]


def affine(tape: Tape, index: int) -> Affine | None:
    """Return an entry as ({level: coefficient}, constant), all whole numbers; None where it is not of that form."""
    found = _affine(tape, index)
    if found is None or any(c.denominator != 1 for c in (*found[0].values(), found[1])):
        return None
    return {level: int(c) for level, c in found[0].items() if c}, int(found[1])


def _affine(tape: Tape, index: int) -> tuple[dict[int, Fraction], Fraction] | None:
    entry = tape[index]
    if isinstance(entry.value, Fraction):
        return {}, entry.value
    if entry.op == "index":
        assert isinstance(entry.value, int)
        return {entry.value: Fraction(1)}, Fraction(0)
    parts = [_affine(tape, a) for a in entry.args] if entry.op in {"add", "neg", "mul", "div"} else [None]
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    match entry.op:
        case "add":
            total: dict[int, Fraction] = {}
            for coefficients, _ in known:
                for level, c in coefficients.items():
                    total[level] = total.get(level, Fraction(0)) + c
            return total, sum((constant for _, constant in known), Fraction(0))
        case "neg":
            return {level: -c for level, c in known[0][0].items()}, -known[0][1]
        case "div" if not known[1][0] and known[1][1]:
            return {level: c / known[1][1] for level, c in known[0][0].items()}, known[0][1] / known[1][1]
        case "mul":
            varying = [part for part in known if part[0]]
            factor = Fraction(1)
            for coefficients, constant in known:
                factor *= constant if not coefficients else 1
            if not varying:
                return {}, factor
            if len(varying) == 1:
                coefficients, constant = varying[0]
                return {level: c * factor for level, c in coefficients.items()}, constant * factor
    return None
