"""Products and sums of derivatives under conditions: what `where` hides must stay hidden in the derivative.

The branch of `where` that is not taken may be outside its domain, so that 0 times its derivative would be NaN.  A
mask is ``where(c, a, 0)`` or ``where(c, 0, b)``; masks are moved outside of products and collected in sums.
"""

from __future__ import annotations

from descend.expression.tape import Tape


def masked(tape: Tape, index: int) -> tuple[int, bool, int] | None:
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


def holds(tape: Tape, condition: int, kept: bool) -> int:
    """Return the condition under which a mask lets something through."""
    return condition if kept else tape.call("not", condition)


def mask(tape: Tape, condition: int, kept: bool, index: int) -> int:
    """Return where(condition, index, 0), or where(condition, 0, index) if not `kept`.

    A mask of a mask is one mask: a chain of n maxima would else have derivatives of n masks inside one another.
    """
    inner = masked(tape, index)
    if inner is not None:
        condition = tape.call("and", holds(tape, condition, kept), holds(tape, inner[0], inner[1]))
        kept, index = True, inner[2]
    nothing = tape.constant(0)
    return tape.call("where", condition, *((index, nothing) if kept else (nothing, index)))


def times(tape: Tape, a: int, b: int) -> int:
    """Return a·b with every mask moved outside.

    The branch of `where` that is not taken may be outside its domain: where(x > 0, sqrt(x), 0)' must be 0 at 0, not
    0·inf.  So a masked factor masks the whole product.
    """
    one = tape.constant(1)
    if one in (a, b):
        return b if a == one else a
    if tape[a].op != "where" and tape[b].op != "where":
        return tape.mul((a, b))
    masks: list[tuple[int, bool]] = []
    while (found := masked(tape, a)) or (found := masked(tape, b)):
        other = b if masked(tape, a) else a
        masks.append(found[:2])
        a, b = found[2], other
    result = tape.mul((a, b))
    for condition, kept in reversed(masks):
        result = mask(tape, condition, kept, result)
    return result


def total(tape: Tape, parts: list[int]) -> int:
    """Return the sum of adjoint contributions; those under one condition are added inside one `where`.

    A sum of masks alone is masked again where none of them lets anything through: its factor may be infinite there.
    """
    if len(parts) == 1:
        return parts[0]
    if all(tape[part].op != "where" for part in parts):
        return tape.add(parts)
    plain: list[int] = []
    branches: dict[int, tuple[list[int], list[int]]] = {}  # condition → contributions where it holds, where it does not
    for part in parts:
        split = masked(tape, part)
        if split is None:
            plain.append(part)
        else:
            condition, kept, inner = split
            branches.setdefault(condition, ([], []))[not kept].append(inner)
    masks: list[int] = []
    reached: list[int] = []  # where each mask lets something through
    for condition, (then, otherwise) in sorted(branches.items()):
        if then and otherwise:
            plain.append(tape.call("where", condition, total(tape, then), total(tape, otherwise)))
        else:
            masks.append(mask(tape, condition, bool(then), total(tape, then or otherwise)))
            reached.append(holds(tape, condition, bool(then)))
    everything = tape.add([*plain, *masks])
    if plain or len(masks) < 2:
        return everything
    return mask(tape, tape.call("or", *reached), True, everything)
