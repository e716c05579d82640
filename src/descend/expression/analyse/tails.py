"""How a formula behaves far out along a ray, and at an edge of its domain: does it fall, rise, or tend to a number?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isinf

from descend.expression.analyse.deadline import Deadline
from descend.expression.analyse.domain import Domain, defined
from descend.expression.analyse.interval import ANY_LIMIT, REALS, Range
from descend.expression.analyse.ranges import limits, ranges
from descend.expression.analyse.witness import points
from descend.expression.derivative import gradient
from descend.expression.tape import Tape

FAR = (2.0, 30.0, 1e3, 1e6)
NEAR = 2.0**-20
JUMPS = frozenset({"floor", "ceil", "sign", "where"})


@dataclass(frozen=True)
class Tail:
    """The behaviour towards one end: `limit` encloses all accumulation points.

    `falls`: the formula tends to -∞; `rises`: to +∞; `held`: it stays bounded below.  `outer`: an end of the domain of
    a formula in one variable (not a hole inside).
    """

    limit: Range
    words: str
    direction: Mapping[str, float]
    base: Mapping[str, float]
    slope: int = 0  # sign of a slope that stays away from 0 in this direction; 2: it never falls
    outer: bool = False
    closed: bool = False  # the end belongs to the domain

    @property
    def falls(self) -> bool:
        """Whether it tends to -∞."""
        return self.limit.high == -inf or self.slope == -1

    @property
    def rises(self) -> bool:
        """Whether it tends to +∞."""
        return self.limit.low == inf or self.slope == 1

    @property
    def held(self) -> bool:
        """Whether it is bounded below there."""
        return self.limit.low > -inf or self.slope > 0


def ray_ends(
    tape: Tape,
    root: int,
    names: Sequence[str],
    direction: Sequence[int],
    where: Domain,
    deadline: Deadline,
    others: float = 0.0,
) -> Tail | None:
    """Return the behaviour of f(base + t·direction) as t → ∞; None where f is not known to be defined out there.

    The base is 0 in the directions that move, and `others` (or inside the domain) in those that do not.
    """
    symbols = [tape.symbol(n) for n in names]
    base = [0.0 if d else others for d in direction]
    for k, symbol in enumerate(symbols):
        box = where.boxes.get(symbol, REALS)
        if (direction[k] > 0 and not isinf(box.high)) or (direction[k] < 0 and not isinf(box.low)):
            return None
        if not direction[k] and not box.low < others < box.high:
            base[k] = points([symbol], where, 2)[-1][0]
    moving = [k for k, d in enumerate(direction) if d]
    if len(moving) == 1 and len(names) == 1:
        t, along, sign = symbols[0], root, direction[0]
    else:
        t, sign = tape.symbol("\0t"), 1  # a name that nobody can type
        placed = {
            s: tape.add((tape.constant(Fraction(b)), tape.mul((tape.constant(d), t)))) if d else tape.constant(b)
            for s, b, d in zip(symbols, base, direction, strict=True)
        }
        along = tape.substitute((root,), placed)[0]
    words = ", ".join(f"{names[k]} → {'∞' if direction[k] > 0 else '-∞'}" for k in moving)
    way = {names[k]: float(direction[k]) for k in moving}
    start = dict(zip(names, base, strict=True))
    return _end(tape, along, t, sign, Tail(ANY_LIMIT, words, way, start, outer=len(names) == 1), deadline)


def _end(tape: Tape, root: int, t: int, sign: int, tail: Tail, deadline: Deadline) -> Tail | None:
    """Judge root(t) as t → sign·∞."""

    def beyond(far: float) -> Range:
        return Range(far, inf, False, True) if sign > 0 else Range(-inf, -far, True, False)

    far = next((f for f in FAR if defined(tape, root, {t: beyond(f)}, deadline)), None)
    if far is None:
        return None
    near = ranges(tape, (root,), {t: beyond(max(far, 1e3))}, deadline)
    limit = limits(tape, (root,), {t: Range(sign * inf, sign * inf)}, near, deadline)[root] or ANY_LIMIT
    slope = 0
    if limit == ANY_LIMIT and not any(tape[i].op in JUMPS for i in tape.reachable((root,))):
        steep = gradient(tape, root, [t])[0]
        for distance in FAR:
            if distance < far:
                continue
            r = ranges(tape, (steep,), {t: beyond(distance)}, deadline)[steep]
            if r is None:
                continue
            low, high = (r.low, r.high) if sign > 0 else (-r.high, -r.low)
            if high < 0 or low >= 0:
                slope = -1 if high < 0 else 1 if low > 0 else 2
                break
    return Tail(limit, tail.words, tail.direction, tail.base, slope, tail.outer)


def edges(tape: Tape, root: int, names: Sequence[str], where: Domain, deadline: Deadline) -> Iterator[Tail]:
    """Return the behaviour at each exact edge of the domain of one variable, the others held at a point inside."""
    symbols = [tape.symbol(n) for n in names]
    inside = points(symbols, where, 2)[-1]
    for condition in where.conditions:
        if condition.variable not in names or condition.approximate or condition.partly:
            continue
        deadline.check()
        k = names.index(condition.variable)
        edge = float(condition.bound)
        if Fraction(edge) != condition.bound:
            continue
        others = {s: tape.constant(x) for i, (s, x) in enumerate(zip(symbols, inside, strict=True)) if i != k}
        along = tape.substitute((root,), others)[0] if others else root
        sides = {">": (1,), "<": (-1,), "!": (1, -1)}[condition.relation[0]]
        for side in sides:
            box = where.boxes.get(symbols[k], REALS)
            if condition.relation == "!=" and not box.low < edge < box.high:
                continue
            room = Range(edge, edge + NEAR, True, False) if side > 0 else Range(edge - NEAR, edge, False, True)
            if not defined(tape, along, {symbols[k]: room}, deadline):
                continue
            near = ranges(tape, (along,), {symbols[k]: room}, deadline)
            limit = limits(tape, (along,), {symbols[k]: Range(edge, edge)}, near, deadline)[along] or ANY_LIMIT
            words = f"{condition.variable} → {edge:g} from {'above' if side > 0 else 'below'}"
            base = dict(zip(names, inside, strict=True)) | {names[k]: edge}
            outer = len(names) == 1 and condition.relation != "!="
            closed = "=" in condition.relation and outer
            yield Tail(limit, words, {names[k]: float(side)}, base, outer=outer, closed=closed)
