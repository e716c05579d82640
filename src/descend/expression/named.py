"""Long formulas as text: what occurs several times is written once and gets a name."""

from __future__ import annotations

from descend.expression.functions import CONDITIONS
from descend.expression.layout import write
from descend.expression.tape import Tape
from descend.expression.write import NOTATION, to_text

LONG = 800  # characters that a reader takes in as they are
HEAVY = 5  # operations and operands that are worth a name
WORTHWHILE = 0.8  # of the full length: names cost something too


def to_named_text(tape: Tape, root: int, limit: int = 2000) -> str:
    """Write an entry as `to_text` does; a long one with its repeated parts named in lines of their own.

    A text with names does not read back; it begins with the formula, then ``where u1 = ...``.  Cut beyond `limit`
    characters.

    >>> from descend.expression.parse import parse
    >>> print(to_named_text(*parse("sin(x^2 + 3*y)*(x^2 + 3*y)")))
    sin(x^2 + 3*y)*(x^2 + 3*y)
    """
    plain = to_text(tape, root, limit)
    if len(plain) <= LONG:
        return plain
    repeated = _repeated(tape, root)
    if not repeated:
        return plain
    taken = {*tape.symbols((root,)), *tape.arrays((root,))}
    free = (f"u{k}" for k in range(1, len(repeated) + len(taken) + 1) if f"u{k}" not in taken)
    called = dict(zip(repeated, free, strict=False))
    lines = [write(tape, root, NOTATION, limit, called=called)]
    length = len(lines[0])
    for index, name in called.items():
        start = "  where " if len(lines) == 1 else "        "
        lines.append(f"{start}{name} = {write(tape, index, NOTATION, limit, called=called)}")
        length += len(lines[-1])
        if length > limit:
            break
    text = "\n".join(lines)
    if len(text) > limit:
        text = text[:limit] + "…"
    cut = plain.endswith("…")
    return text if cut or len(text) < WORTHWHILE * len(plain) else plain


def _repeated(tape: Tape, root: int) -> list[int]:
    """Return the entries that occur several times, large ones only, in topological order."""
    order = tape.reachable((root,))
    uses: dict[int, int] = {}
    for index in order:
        for arg in tape[index].args:
            uses[arg] = uses.get(arg, 0) + 1
    weight: dict[int, int] = {}  # with the names that have been given
    repeated = []
    for index in order:
        entry = tape[index]
        weight[index] = min(1 + sum(weight[a] for a in entry.args), HEAVY)
        # Under an index an entry is something else for each of its values.
        nameable = not tape.free[index] and entry.op not in CONDITIONS
        if nameable and uses.get(index, 0) > 1 and weight[index] >= HEAVY:
            repeated.append(index)
            weight[index] = 1
    return repeated
