"""Indexed formulas whose entries can be minimised one by one: Σᵢ body(x[i]), where no two entries meet."""

from __future__ import annotations

from collections.abc import Sequence

from descend.expression.analyse.terms import terms
from descend.expression.binders import affine
from descend.expression.tape import Tape


def separate_entries(tape: Tape, root: int, arrays: Sequence[str]) -> tuple[str, ...]:
    """Return the arrays of which each entry x[i] stands alone (for arrays together: beside the y[i] of the same i).

    Empty where that is not seen.  Every term is a sum over an index whose body reads its arrays at one and the same
    place, which runs through different entries.
    """
    if not arrays:
        return ()
    for _, index in terms(tape, root):
        while tape[index].op == "sum" and tape[tape[index].args[0]].op == "sum":
            return ()
        entry = tape[index]
        body = entry.args[0] if entry.op == "sum" else index
        reached = [tape[i] for i in tape.reachable((body,))]
        if any(e.op in {"sum", "prod", "prod_tangent"} for e in reached):
            return ()
        if any(e.op == "symbol" for e in reached):
            return ()  # a variable that all entries share
        places = {e.args[0] for e in reached if e.op == "access" and e.value in arrays}
        if len(places) > 1:
            return ()
        for place in places:
            form = affine(tape, place)
            if entry.op == "sum" and (form is None or not form[0]):
                return ()
    return tuple(arrays)
