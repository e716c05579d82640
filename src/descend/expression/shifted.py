"""Logarithms of sums of exponentials over an index, and shares of them, without overflow.

log Σ c·exp(u) = m + log Σ c·exp(u - m) for any m; with m the largest of the u no exponential overflows and one is 1.
The same shift cancels in exp(a)/Σ exp(u).  m counts as a constant when it is differentiated, so the gradient is a
softmax (Blanchard, Higham & Higham, IMA J. Numer. Anal. 41, 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from descend.expression import binders
from descend.expression.tape import Tape

FURTHEST = 10**308  # a shift is finite: an infinite exponent stays one


def shift_exponentials(tape: Tape, root: int) -> int:
    """Return `root` with such logarithms and shares shifted; terms without an index are `stabilise`'s business."""
    new: dict[int, int] = {}
    for index in tape.reachable((root,)):
        entry = tape[index]
        args = tuple(new[a] for a in entry.args)
        found = index if args == entry.args else tape.rebuild(entry, args)
        made = tape[found]
        if made.op == "log":
            found = _logarithm(tape, made.args[0]) or found
        elif made.op == "log1p":
            found = _logarithm(tape, tape.add((tape.constant(1), made.args[0]))) or found
        elif made.op == "div":
            found = _share(tape, *made.args) or found
        new[index] = found
    return new[root]


def _logarithm(tape: Tape, total: int) -> int | None:
    shift = _shift(tape, total)
    if shift is None:
        return None
    return tape.add((shift, tape.call("log", _shifted(tape, total, shift))))


def _share(tape: Tape, top: int, bottom: int) -> int | None:
    if _exponential(tape, top) is None:
        return None
    shift = _shift(tape, bottom)
    return None if shift is None else tape.div(_shifted(tape, top, shift), _shifted(tape, bottom, shift))


def _shift(tape: Tape, total: int) -> int | None:
    """Return the largest exponent of a sum of exponentials, held and finite; None where it is no such sum."""
    if all(tape[k].op != "sum" for k in _terms(tape, total)):
        return None
    largest = _largest(tape, _terms(tape, total))
    if largest is None:
        return None
    once = tape.constant(0)  # held by a range of one round, whose index it does not depend on
    most = binders.bind(tape, "held_max", tape.free[largest].bit_length(), (largest, once, once))
    limit = tape.constant(FURTHEST)
    return tape.call("max", tape.call("min", most, limit), tape.neg(limit))


def _terms(tape: Tape, total: int) -> tuple[int, ...]:
    entry = tape[total]
    return entry.args if entry.op == "add" else (total,)


def _largest(tape: Tape, terms: Sequence[int]) -> int | None:
    """Return the largest exponent of some terms: 0 of a constant, u of c·exp(u), the largest u of a sum of such."""
    found: list[int] = []
    for term in terms:
        entry = tape[term]
        exponent: int | None
        if tape.value(term) is not None:
            exponent = tape.constant(0)
        elif entry.op == "sum":
            exponent = _largest(tape, _terms(tape, entry.args[0]))
            if exponent is not None:
                assert isinstance(entry.value, int)
                exponent = binders.bind(tape, "held_max", entry.value, (exponent, *entry.args[1:]))
        else:
            exponent = _exponential(tape, term)
        if exponent is None:
            return None
        found.append(exponent)
    return tape.call("max", *found) if len(found) > 1 else found[0]


def _exponential(tape: Tape, term: int) -> int | None:
    """Return u where a term is exp(u) or a product with one exp(u) in it, None of any other."""
    entry = tape[term]
    if entry.op == "exp":
        return entry.args[0]
    if entry.op == "mul":
        found = [tape[a].args[0] for a in entry.args if tape[a].op == "exp"]
        return found[0] if len(found) == 1 else None
    return None


def _shifted(tape: Tape, total: int, shift: int) -> int:
    """Return a sum of exponentials times exp(-shift)."""
    entry = tape[total]
    value = tape.value(total)
    if value is not None:
        return tape.mul((total, tape.call("exp", tape.neg(shift)))) if value else tape.constant(Fraction(0))
    match entry.op:
        case "add":
            return tape.add([_shifted(tape, arg, shift) for arg in entry.args])
        case "sum":
            assert isinstance(entry.value, int)
            return binders.bind(tape, "sum", entry.value, (_shifted(tape, entry.args[0], shift), *entry.args[1:]))
        case "mul":
            place = next(k for k, a in enumerate(entry.args) if tape[a].op == "exp")
            moved = tape.call("exp", tape.sub(tape[entry.args[place]].args[0], shift))
            return tape.mul([*entry.args[:place], moved, *entry.args[place + 1 :]])
    return tape.call("exp", tape.sub(entry.args[0], shift))
