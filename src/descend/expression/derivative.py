"""Exact derivatives of a tape, on the tape: reverse mode, and Hessian products (tangent first, then reverse).

Every adjoint is an entry of its own, so value and gradient together cost a small multiple of the value for any
number of variables.  The walks are loops over indices: a chain of a million operations needs no recursion.
"""

from __future__ import annotations

from collections.abc import Sequence

from descend.expression.functions import TABLE
from descend.expression.tape import Tape


def gradient(tape: Tape, root: int, symbols: Sequence[int]) -> list[int]:
    """Return the entries of ∂root/∂symbol for each of `symbols` (entries of symbols).

    Reverse mode (Linnainmaa 1970; Griewank & Walther, *Evaluating Derivatives*, 2008, ch. 3).  At a kink the
    derivative is the one from the table: sign(0) = 0 for abs, the first argument where min or max tie.
    """
    wanted = set(symbols)
    order = tape.reachable((root,))
    active = set()
    for index in order:
        if index in wanted or any(a in active for a in tape[index].args):
            active.add(index)
    contributions: dict[int, list[int]] = {root: [tape.constant(1)]}
    adjoints: dict[int, int] = {}
    for index in reversed(order):
        parts = contributions.pop(index, None)
        if parts is None or index not in active:
            continue
        adjoint = adjoints[index] = _total(tape, parts)
        entry = tape[index]
        if not entry.args:
            continue
        for arg, partial in zip(entry.args, TABLE[entry.op].partials(tape, entry.args, index), strict=True):
            if partial is not None and arg in active:
                contributions.setdefault(arg, []).append(_times(tape, adjoint, partial))
    nothing = tape.constant(0)
    return [adjoints.get(symbol, nothing) for symbol in symbols]


def tangent(tape: Tape, root: int, directions: dict[int, int]) -> int:
    """Return the entry of the derivative of `root` along `directions` (symbol entry → entry of its direction)."""
    nothing = tape.constant(0)
    tangents: dict[int, int] = dict(directions)
    for index in tape.reachable((root,)):
        entry = tape[index]
        if index in tangents or not any(a in tangents for a in entry.args):
            continue
        partials = TABLE[entry.op].partials(tape, entry.args, index)
        parts = [
            _times(tape, tangents[arg], partial)
            for arg, partial in zip(entry.args, partials, strict=True)
            if partial is not None and arg in tangents
        ]
        if parts:
            tangents[index] = _total(tape, parts)
    return tangents.get(root, nothing)


def hessian_product(tape: Tape, root: int, symbols: Sequence[int], directions: Sequence[int]) -> list[int]:
    """Return the entries of H·v, where H is the Hessian of `root` in `symbols` and v are the `directions`."""
    along = tangent(tape, root, dict(zip(symbols, directions, strict=True)))
    return gradient(tape, along, symbols)


def hessian(tape: Tape, root: int, symbols: Sequence[int]) -> list[list[int]]:
    """Return the entries of the dense Hessian (symmetric: both triangles share their entries)."""
    rows = gradient(tape, root, symbols)
    full = [gradient(tape, row, symbols[: i + 1]) for i, row in enumerate(rows)]
    size = range(len(symbols))
    return [[full[max(i, j)][min(i, j)] for j in size] for i in size]


def _masked(tape: Tape, index: int) -> tuple[int, bool, int] | None:
    """Split where(c, a, 0) into (c, True, a) and where(c, 0, b) into (c, False, b)."""
    entry = tape[index]
    if entry.op != "where":
        return None
    condition, then, otherwise = entry.args
    if tape.value(otherwise) == 0:
        return condition, True, then
    if tape.value(then) == 0:
        return condition, False, otherwise
    return None


def _holds(tape: Tape, condition: int, kept: bool) -> int:
    """Return the condition under which a mask lets something through."""
    return condition if kept else tape.call("not", condition)


def _mask(tape: Tape, condition: int, kept: bool, index: int) -> int:
    """Return where(condition, index, 0), or where(condition, 0, index) if not `kept`.

    A mask of a mask is one mask: a chain of n maxima would else have derivatives of n masks inside one another.
    """
    inner = _masked(tape, index)
    if inner is not None:
        condition = tape.call("and", _holds(tape, condition, kept), _holds(tape, inner[0], inner[1]))
        kept, index = True, inner[2]
    nothing = tape.constant(0)
    return tape.call("where", condition, *((index, nothing) if kept else (nothing, index)))


def _times(tape: Tape, a: int, b: int) -> int:
    """Return a·b with every mask moved outside.

    The branch of `where` that is not taken may be outside its domain: where(x > 0, sqrt(x), 0)' must be 0 at 0, not
    0·inf.  So a masked factor masks the whole product.
    """
    masks: list[tuple[int, bool]] = []
    while (masked := _masked(tape, a)) or (masked := _masked(tape, b)):
        other = b if _masked(tape, a) else a
        masks.append(masked[:2])
        a, b = masked[2], other
    result = tape.mul((a, b))
    for condition, kept in reversed(masks):
        result = _mask(tape, condition, kept, result)
    return result


def _total(tape: Tape, parts: list[int]) -> int:
    """Return the sum of adjoint contributions; those under one condition are added inside one `where`.

    A sum of masks alone is masked again where none of them lets anything through: its factor may be infinite there.
    """
    if len(parts) == 1:
        return parts[0]
    plain: list[int] = []
    branches: dict[int, tuple[list[int], list[int]]] = {}  # condition → contributions where it holds, where it does not
    for part in parts:
        split = _masked(tape, part)
        if split is None:
            plain.append(part)
        else:
            condition, kept, inner = split
            branches.setdefault(condition, ([], []))[not kept].append(inner)
    masks: list[int] = []
    reached: list[int] = []  # where each mask lets something through
    for condition, (then, otherwise) in sorted(branches.items()):
        if then and otherwise:
            plain.append(tape.call("where", condition, _total(tape, then), _total(tape, otherwise)))
        else:
            masks.append(_mask(tape, condition, bool(then), _total(tape, then or otherwise)))
            reached.append(_holds(tape, condition, bool(then)))
    total = tape.add([*plain, *masks])
    if plain or len(masks) < 2:
        return total
    return _mask(tape, tape.call("or", *reached), True, total)
