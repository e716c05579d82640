"""Where a formula is defined: as inequalities, each with the sub-expression that asks for it.

What holds everywhere anyway (1 + x² > 0) is left out; what can be solved for one variable is solved (log(2x - 3) asks
for x > 1.5); the tightest remains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from descend.expression.analyse.branches import doubtful
from descend.expression.analyse.composition import Shape, shapes
from descend.expression.analyse.conditions import Condition, asked, box_of, holds, solve
from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.interval import Range, intersect
from descend.expression.analyse.ranges import Ranges, ranges
from descend.expression.tape import Tape


@dataclass(frozen=True)
class Domain:
    """The conditions; `boxes` are ranges of entries that follow from them; `empty`: no point satisfies them."""

    conditions: tuple[Condition, ...]
    boxes: Mapping[int, Range]
    empty: bool
    bounds: Ranges
    convex: bool

    @property
    def everywhere(self) -> bool:
        """Whether the formula is defined for all real numbers."""
        return not self.conditions and not self.empty


def domain(
    tape: Tape,
    root: int,
    deadline: Deadline = ENDLESS,
    arrays: Mapping[str, Range] | None = None,
    known: Mapping[int, Range] | None = None,
) -> Domain:
    """Return the domain of `root`.  Raises `OutOfTimeError`."""
    given = dict(known or {})
    wanted = list(asked(tape, root))
    roots = (root, *(c.entry for c in wanted))
    raw = ranges(tape, roots, given, deadline, arrays)
    open_ones = [c for c in wanted if not holds(c, raw)]
    solved: list[Condition] = []
    for condition in open_ones:
        deadline.check()
        solved += solve(tape, condition, deadline) or [condition]
    solved = _tightest(solved)
    boxes = _boxes(tape, solved, given)
    if boxes is None:
        return Domain(tuple(solved), {}, True, raw, False)
    narrowed = ranges(tape, roots, boxes, deadline, arrays)
    kept = [c for c in solved if (c.variable is not None and c.narrows) or not holds(c, narrowed)]
    for condition in kept:  # what is asked of an entry as a whole is true of it wherever it is used
        if not condition.narrows or tape.free[condition.entry]:
            continue
        box = box_of(condition)
        both = intersect(boxes[condition.entry], box) if condition.entry in boxes else box
        if both is None:
            return Domain(tuple(kept), {}, True, raw, False)
        boxes[condition.entry] = both
    for place, because in doubtful(tape, root, boxes, deadline, arrays):
        kept.append(Condition(place, "value", Fraction(0), because))
    bounds = ranges(tape, roots, boxes, deadline, arrays)
    empty = bounds[root] is None
    known_shapes = shapes(tape, root, bounds, frozenset(arrays or ()), deadline)
    convex = not empty and all(_convex(c, known_shapes) for c in kept)
    return Domain(tuple(kept), boxes, empty, bounds, convex)


def _tightest(conditions: list[Condition]) -> list[Condition]:
    """Drop repetitions and what a tighter bound on the same entry implies."""
    best: dict[tuple[int, str, bool], Condition] = {}
    for condition in conditions:
        key = _key(condition)
        other = best.get(key)
        if other is None or _tighter(condition, other):
            best[key] = condition
    return [c for c in conditions if best[_key(c)] is c]


def _key(condition: Condition) -> tuple[int, str, bool]:
    side = condition.relation[0]
    return condition.entry, f"!{condition.bound}" if side == "!" else side, condition.partly


def _tighter(new: Condition, old: Condition) -> bool:
    if new.bound == old.bound:
        return len(new.relation) < len(old.relation)
    return new.bound > old.bound if new.relation[0] == ">" else new.bound < old.bound


def _boxes(tape: Tape, conditions: list[Condition], given: Mapping[int, Range]) -> dict[int, Range] | None:
    boxes = dict(given)
    for condition in conditions:
        if condition.variable is None or not condition.narrows:
            continue
        index = tape.symbol(condition.variable)
        box = box_of(condition)
        both = intersect(boxes[index], box) if index in boxes else box
        if both is None:
            return None
        boxes[index] = both
    return boxes


def _convex(condition: Condition, known: Mapping[int, Shape]) -> bool:
    """Whether the set on which the condition holds is certainly convex."""
    if not condition.narrows:
        return False
    if condition.variable is not None:
        return True
    shape = known.get(condition.entry)
    if shape is None:
        return False
    return shape.concave if condition.relation[0] == ">" else shape.convex


def defined(tape: Tape, root: int, boxes: Mapping[int, Range], deadline: Deadline = ENDLESS) -> bool:
    """Return whether `root` is certainly defined wherever the entries lie in `boxes`."""
    wanted = list(asked(tape, root))
    bounds = ranges(tape, (root, *(c.entry for c in wanted)), boxes, deadline)
    if bounds[root] is None or not all(holds(c, bounds) for c in wanted):
        return False
    return next(doubtful(tape, root, boxes, deadline), None) is None
