"""What stands in the branches of `where`: is it defined wherever its branch is taken?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from descend.expression.analyse.conditions import Condition, asked, box_of, holds, solve, unconditional
from descend.expression.analyse.deadline import Deadline
from descend.expression.analyse.interval import Range, intersect
from descend.expression.analyse.ranges import ranges
from descend.expression.tape import Tape

DEEPEST = 8  # branches within branches that are looked into
Excluded = frozenset[tuple[int, Fraction]]  # (entry, number): the entry is not this number


def doubtful(
    tape: Tape,
    root: int,
    boxes: Mapping[int, Range],
    deadline: Deadline,
    arrays: Mapping[str, Range] | None = None,
) -> Iterator[tuple[int, int]]:
    """Return each `where` that is not certain to have a value where its condition has picked a branch, and why.

    Raises `OutOfTimeError`.
    """
    for index in unconditional(tape, root):
        if tape[index].op == "where":
            because = _doubt(tape, index, dict(boxes), frozenset(), deadline, arrays, 0)
            if because is not None:
                yield index, because


def _doubt(
    tape: Tape,
    index: int,
    boxes: dict[int, Range],
    excluded: Excluded,
    deadline: Deadline,
    arrays: Mapping[str, Range] | None,
    depth: int,
) -> int | None:
    """Return an entry in a branch of the `where` at `index` that is not certain to be defined."""
    condition, *branches = tape[index].args
    for branch, truth in zip(branches, (True, False), strict=True):
        deadline.check()
        taken = _picked(tape, condition, boxes, excluded, deadline, truth=truth)
        if taken is None:
            continue
        inside, outside = taken
        wanted = list(asked(tape, branch))
        bounds = ranges(tape, (branch, condition, *(c.entry for c in wanted)), inside, deadline, arrays)
        verdict = bounds[condition]
        if verdict is not None and verdict.point and verdict.low == (not truth):
            continue  # the condition is certainly the other way
        for one in wanted:
            solved = [one] if holds(one, bounds) else (solve(tape, one, deadline) or [one])
            if not all(holds(c, bounds) or _is_excluded(c, outside) for c in solved):
                return one.because
        for inner in unconditional(tape, branch):
            if tape[inner].op == "where":
                if depth >= DEEPEST:
                    return inner
                because = _doubt(tape, inner, inside, outside, deadline, arrays, depth + 1)
                if because is not None:
                    return because
    return None


def _is_excluded(condition: Condition, excluded: Excluded) -> bool:
    return condition.relation == "!=" and (condition.entry, condition.bound) in excluded


def _picked(
    tape: Tape, condition: int, boxes: dict[int, Range], excluded: Excluded, deadline: Deadline, *, truth: bool
) -> tuple[dict[int, Range], Excluded] | None:
    """Return what more is known where `condition` is true (or is not); None where that cannot be.

    A comparison without a value is false: only where it is one of polynomials does "not less" mean "at least".
    """
    entry = tape[condition]
    match entry.op:
        case "not":
            return _picked(tape, entry.args[0], boxes, excluded, deadline, truth=not truth)
        case "and" | "or" if truth == (entry.op == "and"):
            first = _picked(tape, entry.args[0], boxes, excluded, deadline, truth=truth)
            return first and _picked(tape, entry.args[1], *first, deadline, truth=truth)
        case "eq" if not truth:
            return boxes, excluded | _unequal(tape, entry.args, deadline)
        case "lt" | "le" | "eq":
            return _compared(tape, condition, boxes, excluded, deadline, truth=truth)
    return boxes, excluded


def _unequal(tape: Tape, pair: tuple[int, ...], deadline: Deadline) -> Excluded:
    found: set[tuple[int, Fraction]] = set()
    for a, b in (pair, pair[::-1]):
        number = tape.value(b)
        if number is not None:
            found.add((a, number))
        gap = tape.sub(a, b)
        found.add((gap, Fraction(0)))
        solved = solve(tape, Condition(gap, "!=", Fraction(0), gap), deadline) or []
        found.update((c.entry, c.bound) for c in solved)
    return frozenset(found)


def _compared(
    tape: Tape, condition: int, boxes: dict[int, Range], excluded: Excluded, deadline: Deadline, *, truth: bool
) -> tuple[dict[int, Range], Excluded] | None:
    a, b = tape[condition].args
    relations = {"lt": ("<",), "le": ("<=",), "eq": ("<=", ">=")}[tape[condition].op]
    if not truth:
        relations = (">=",) if relations == ("<",) else (">",)
    gap = tape.sub(a, b)
    found = dict(boxes)
    for relation in relations:
        facts = solve(tape, Condition(gap, relation, Fraction(0), condition), deadline) or []
        if truth:
            facts = [*facts, Condition(gap, relation, Fraction(0), condition)]
            for one, other, way in ((a, b, relation), (b, a, relation.translate(str.maketrans("<>", "><")))):
                number = tape.value(other)
                if number is not None:
                    facts.append(Condition(one, way, number, condition))
            facts.append(Condition(tape.sub(b, a), relation.translate(str.maketrans("<>", "><")), Fraction(0), gap))
        for fact in facts:
            box = box_of(fact)
            both = intersect(found[fact.entry], box) if fact.entry in found else box
            if both is None:
                return None
            found[fact.entry] = both
    return found, excluded
