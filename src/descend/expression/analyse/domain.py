"""Where a formula is defined: as inequalities, each with the sub-expression that asks for it.

What holds everywhere anyway (1 + x² > 0) is left out; what can be solved for one variable is solved (log(2x - 3) asks
for x > 1.5); the tightest remains.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isinf

from descend.expression.analyse.composition import Shape, shapes
from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.interval import Range, ceil_double, floor_double, intersect
from descend.expression.analyse.polynomial import coefficients, expand
from descend.expression.analyse.ranges import Ranges, domain_of, ranges
from descend.expression.analyse.roots import Root, real_roots
from descend.expression.functions import CONDITIONS
from descend.expression.tape import Tape

HIGHEST = 12  # degree of a polynomial whose sign is solved for


@dataclass(frozen=True)
class Condition:
    """`entry` must be `relation` than `bound` (">", ">=", "<", "<=", "!="), because of the sub-expression `because`.

    Where it is solved, `variable` is its name and `bound` the number it is compared with (`approximate` if irrational).
    """

    entry: int
    relation: str
    bound: Fraction
    because: int
    variable: str | None = None
    approximate: bool = False
    also: str = ""  # words for an exception: "or a whole exponent"


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
    wanted = list(_asked(tape, root))
    roots = (root, *(c.entry for c in wanted))
    raw = ranges(tape, roots, given, deadline, arrays)
    asked = [c for c in wanted if not _holds(c, raw)]
    solved: list[Condition] = []
    for condition in asked:
        deadline.check()
        solved += _solve(tape, condition, deadline) or [condition]
    solved = _tightest(solved)
    boxes = _boxes(tape, solved, given)
    if boxes is None:
        return Domain(tuple(solved), {}, True, raw, False)
    narrowed = ranges(tape, roots, boxes, deadline, arrays)
    kept = [c for c in solved if c.variable is not None or not _holds(c, narrowed)]
    kept = [c for c in kept if c.relation != "!=" or c.variable is None or not _holds(c, narrowed)]
    for condition in kept:  # what is asked of an entry as a whole is true of it wherever it is used
        if condition.relation == "!=" or tape.free[condition.entry]:
            continue
        box = _box(condition)
        both = intersect(boxes[condition.entry], box) if condition.entry in boxes else box
        if both is None:
            return Domain(tuple(kept), {}, True, raw, False)
        boxes[condition.entry] = both
    bounds = ranges(tape, roots, boxes, deadline, arrays)
    empty = bounds[root] is None
    known_shapes = shapes(tape, root, bounds, frozenset(arrays or ()), deadline)
    convex = not empty and all(_convex(c, known_shapes) for c in kept)
    return Domain(tuple(kept), boxes, empty, bounds, convex)


def _asked(tape: Tape, root: int) -> Iterable[Condition]:
    """Return what the operations that are always computed ask for (what stands in `where` is not always)."""
    seen = {root}
    todo = [root]
    while todo:
        index = todo.pop()
        entry = tape[index]
        inner = () if entry.op == "where" else entry.args  # a comparison without a value is false
        todo += [a for a in inner if a not in seen]
        seen.update(inner)
    for index in sorted(seen):
        entry = tape[index]
        if entry.op in CONDITIONS:
            continue
        for position, arg in enumerate(entry.args):
            inside = domain_of(tape, entry, position)
            if inside is not None:
                if not isinf(inside.low):
                    relation = ">" if inside.open_low else ">="
                    yield Condition(arg, relation, Fraction(inside.low), index)
                if not isinf(inside.high):
                    yield Condition(arg, "<" if inside.open_high else "<=", Fraction(inside.high), index)
        if entry.op == "div":
            yield Condition(entry.args[1], "!=", Fraction(0), index)
        elif entry.op == "pow":
            power = tape.value(entry.args[1])
            if power is None:
                yield Condition(entry.args[0], ">", Fraction(0), index, also=" (or a whole exponent)")
            elif power.denominator == 1 and power < 0:
                yield Condition(entry.args[0], "!=", Fraction(0), index)
        elif entry.op == "tan":
            yield Condition(tape.call("cos", entry.args[0]), "!=", Fraction(0), index)
        elif entry.op == "bose":
            yield Condition(entry.args[0], "!=", Fraction(0), index)
        elif entry.op in {"atan2", "dircos"}:
            yield Condition(tape.call("hypot", *entry.args), "!=", Fraction(0), index)


def _holds(condition: Condition, bounds: Ranges) -> bool:
    r = bounds.get(condition.entry)
    if r is None:
        return False
    bound = float(condition.bound)
    match condition.relation:
        case ">":
            return r.low > bound or (r.low == bound and r.open_low)
        case ">=":
            return r.low >= bound
        case "<":
            return r.high < bound or (r.high == bound and r.open_high)
        case "<=":
            return r.high <= bound
    return bound not in r


def _solve(tape: Tape, condition: Condition, deadline: Deadline) -> list[Condition] | None:
    """Solve for the one variable, where the entry is a polynomial in it and the solution is one interval."""
    names = tape.symbols((condition.entry,))
    if len(names) != 1 or tape.arrays((condition.entry,)) or tape.free[condition.entry]:
        return None
    ((name, symbol),) = names.items()
    polynomial = expand(tape, condition.entry, [name], deadline, 200)
    if polynomial is None:
        return None
    row = coefficients(polynomial)
    row[0] -= condition.bound
    if len(row) < 2 or len(row) - 1 > HIGHEST:
        return None
    if condition.relation in {"<", "<="}:
        row = [-c for c in row]
    found = real_roots(row, deadline)

    def at(root: Root, relation: str) -> Condition:
        exact = root.low == root.high
        outwards = root.low if relation[0] == ">" else root.high
        bound = root.low if exact else outwards
        return Condition(symbol, relation, bound, condition.because, name, not exact, condition.also)

    if condition.relation == "!=":
        exact = all(r.low == r.high for r in found)
        return [at(r, "!=") for r in found] if exact and len(found) <= 4 else None
    equal = "=" if condition.relation in {">=", "<="} else ""
    signs = _signs(row, found)
    if any(r.multiplicity > 1 for r in found):
        return None
    if signs == [False, True]:
        return [at(found[0], ">" + equal)]
    if signs == [True, False]:
        return [at(found[0], "<" + equal)]
    if signs == [False, True, False]:
        return [at(found[0], ">" + equal), at(found[1], "<" + equal)]
    return None


def _signs(row: list[Fraction], found: list[Root]) -> list[bool]:
    """Return whether the polynomial is > 0 on each of the intervals between its roots."""
    positive = (row[-1] > 0) == (len(row) % 2 == 1)
    signs = [positive]
    for root in found:
        if root.multiplicity % 2:
            positive = not positive
        signs.append(positive)
    return signs


def _tightest(conditions: list[Condition]) -> list[Condition]:
    """Drop repetitions and what a tighter bound on the same entry implies."""
    best: dict[tuple[int, str], Condition] = {}
    for condition in conditions:
        side = condition.relation[0]
        key = (condition.entry, side if side != "!" else f"!{condition.bound}")
        other = best.get(key)
        if other is None or _tighter(condition, other):
            best[key] = condition
    return [c for c in conditions if best.get((c.entry, c.relation[0] if c.relation[0] != "!" else f"!{c.bound}")) is c]


def _tighter(new: Condition, old: Condition) -> bool:
    if new.bound == old.bound:
        return len(new.relation) < len(old.relation) or (bool(old.also) and not new.also)
    return new.bound > old.bound if new.relation[0] == ">" else new.bound < old.bound


def _box(condition: Condition) -> Range:
    if condition.relation[0] == ">":
        return Range(floor_double(condition.bound), inf, condition.relation == ">", True)
    return Range(-inf, ceil_double(condition.bound), True, condition.relation == "<")


def _boxes(tape: Tape, conditions: list[Condition], given: Mapping[int, Range]) -> dict[int, Range] | None:
    boxes = dict(given)
    for condition in conditions:
        if condition.variable is None or condition.relation == "!=":
            continue
        index = tape.symbol(condition.variable)
        box = _box(condition)
        both = intersect(boxes[index], box) if index in boxes else box
        if both is None:
            return None
        boxes[index] = both
    return boxes


def _convex(condition: Condition, known: Mapping[int, Shape]) -> bool:
    """Whether the set on which the condition holds is certainly convex."""
    if condition.variable is not None:
        return condition.relation != "!="
    shape = known.get(condition.entry)
    if shape is None or condition.relation == "!=":
        return False
    return shape.concave if condition.relation[0] == ">" else shape.convex


def defined(tape: Tape, root: int, boxes: Mapping[int, Range], deadline: Deadline = ENDLESS) -> bool:
    """Return whether `root` is certainly defined wherever the entries lie in `boxes`."""
    wanted = list(_asked(tape, root))
    bounds = ranges(tape, (root, *(c.entry for c in wanted)), boxes, deadline)
    return bounds[root] is not None and all(_holds(c, bounds) for c in wanted)
