"""In which names a formula is linear: in one walk for each name alone, and then for as many as possible together."""

from __future__ import annotations

from collections.abc import Sequence

from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.polynomial import linear_in
from descend.expression.tape import Tape

MOST_TOGETHER = 50


def linear_alone(tape: Tape, root: int, names: Sequence[str], deadline: Deadline = ENDLESS) -> tuple[str, ...]:
    """Return the names in each of which alone `root` is linear (affine).  Raises `OutOfTimeError`.

    Each entry keeps two sets, as bits: the names it depends on, and those in which it is not linear.
    """
    bit = {name: 1 << k for k, name in enumerate(names)}
    depends: dict[int, int] = {}
    bent: dict[int, int] = {}
    for count, index in enumerate(tape.reachable((root,))):
        if count % 256 == 0:
            deadline.check()
        entry = tape[index]
        mine = bit.get(str(entry.value), 0) if entry.op in {"symbol", "access"} else 0
        curved = 0
        for position, arg in enumerate(entry.args):
            both = mine & depends[arg]
            mine |= depends[arg]
            curved |= bent[arg]
            if entry.op == "mul":
                curved |= both
            elif (entry.op == "div" and position) or (entry.op == "sum" and position):
                curved |= depends[arg]
        if entry.op not in {"symbol", "access", "add", "neg", "mul", "div", "sum"}:
            curved = mine
        if entry.op == "access":
            curved = depends[entry.args[0]]
        depends[index], bent[index] = mine, curved
    return tuple(name for name in names if not bent[root] & bit[name])


def linear_together(tape: Tape, root: int, alone: Sequence[str], deadline: Deadline = ENDLESS) -> tuple[str, ...]:
    """Return names in all of which together `root` is linear: as many as a walk from the front finds."""
    if linear_in(tape, root, alone):
        return tuple(alone)
    chosen: list[str] = []
    for name in alone[:MOST_TOGETHER]:
        deadline.check()
        if linear_in(tape, root, [*chosen, name]):
            chosen.append(name)
    return tuple(chosen)
