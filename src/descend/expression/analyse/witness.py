"""Witnesses: points at which a formula is proved to be bent the wrong way, in interval arithmetic."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import combinations
from math import hypot, inf, isfinite, isinf, sqrt

from descend.expression.analyse.deadline import Deadline
from descend.expression.analyse.domain import Domain, defined
from descend.expression.analyse.eigen import eigen
from descend.expression.analyse.elementary import DOMAIN
from descend.expression.analyse.interval import REALS, Range, add, constant, mul, neg
from descend.expression.analyse.ranges import Ranges, ranges
from descend.expression.tape import Tape

POINTS = 48  # looked at for a witness
CHORDS = 12  # points whose pairs are the ends of chords


@dataclass(frozen=True)
class Witness:
    """At `point`, along `direction`, the second derivative is at most (for "not concave": at least) `curvature`.

    Not `tight`: the curvature itself is larger in size.
    With a `chord` (a second point), the proof is the value halfway between the two points instead.
    """

    point: Mapping[str, float]
    direction: Mapping[str, float]
    curvature: float
    everywhere: bool = False
    chord: Mapping[str, float] | None = None
    tight: bool = True

    @property
    def unit(self) -> Witness:
        """The same with a direction of length 1, so that the curvature can be compared with eigenvalues."""
        size = hypot(*self.direction.values())
        if self.chord is not None or size == 0 or not isfinite(size):
            return self
        amount = self.curvature / size / size
        if not isfinite(amount) or (amount == 0) != (self.curvature == 0):
            return self
        return replace(self, direction={n: d / size for n, d in self.direction.items()}, curvature=amount)


@dataclass(frozen=True)
class Bend:
    """Whether a formula is convex, whether it is concave (None: unknown), and why.

    Between `least` and `most` lie all its second derivatives, where bounds on them were found.
    """

    convex: bool | None = None
    concave: bool | None = None
    why: str = ""
    not_convex: Witness | None = None
    not_concave: Witness | None = None
    least: float = -inf
    most: float = inf

    @property
    def known(self) -> bool:
        """Whether both questions are answered."""
        return self.convex is not None and self.concave is not None


def search(
    tape: Tape,
    root: int,
    hessian: Sequence[Sequence[int]] | None,
    names: Sequence[str],
    where: Domain,
    found: Bend,
    deadline: Deadline,
) -> Bend:
    """Look for points with a direction of negative (positive) curvature, then for chords.  Raises `OutOfTimeError`."""
    symbols = [tape.symbol(n) for n in names]
    places = points(symbols, where, POINTS)
    if hessian is not None:
        found = _second(tape, root, hessian, names, places, found, deadline)
    return _chords(tape, root, names, places[:CHORDS], found, deadline)


def _second(
    tape: Tape,
    root: int,
    hessian: Sequence[Sequence[int]],
    names: Sequence[str],
    places: Sequence[Sequence[float]],
    found: Bend,
    deadline: Deadline,
) -> Bend:
    symbols = [tape.symbol(n) for n in names]
    entries = [h for row in hessian for h in row]
    down, up = found.not_convex, found.not_concave
    for point in places:
        deadline.check()
        if (found.convex or down) and (found.concave or up):
            break
        here = {s: Range(x, x) for s, x in zip(symbols, point, strict=True)}
        bounds = ranges(tape, [root, *entries], here, deadline)
        if bounds[root] is None or not smooth(tape, root, bounds) or not defined(tape, root, here, deadline):
            continue
        for direction in _directions(hessian, bounds):
            amount = along(hessian, bounds, direction)
            if amount is None:
                continue
            place = dict(zip(names, point, strict=True))
            way = {n: d for n, d in zip(names, direction, strict=True) if d}
            if amount.high < 0 and not found.convex and down is None:
                down = Witness(place, way, amount.high, tight=_tight(amount))
            if amount.low > 0 and not found.concave and up is None:
                up = Witness(place, way, amount.low, tight=_tight(amount))
    return replace(
        found,
        convex=False if down else found.convex,
        concave=False if up else found.concave,
        not_convex=down,
        not_concave=up,
    )


def _tight(r: Range) -> bool:
    return r.high - r.low <= 1e-6 * max(abs(r.low), abs(r.high))


def _chords(
    tape: Tape, root: int, names: Sequence[str], places: Sequence[Sequence[float]], found: Bend, deadline: Deadline
) -> Bend:
    """Compare the value halfway between two points with the mean of the values at them."""
    symbols = [tape.symbol(n) for n in names]

    def at(point: Sequence[float]) -> Range | None:
        deadline.check()
        here = {s: Range(x, x) for s, x in zip(symbols, point, strict=True)}
        r = ranges(tape, (root,), here, deadline)[root]
        if r is None or not (isfinite(r.low) and isfinite(r.high)):
            return None
        return r if defined(tape, root, here, deadline) else None

    values = [] if found.known else [(point, r) for point in places if (r := at(point)) is not None]
    for (a, at_a), (b, at_b) in combinations(values, 2):
        if found.known:
            break
        middle = [(x + y) / 2 for x, y in zip(a, b, strict=True)]
        if any(Fraction(m) * 2 != Fraction(x) + Fraction(y) for m, x, y in zip(middle, a, b, strict=True)):
            continue
        inside = at(middle)
        if inside is None:
            continue
        above = add(inside, neg(mul(Range(0.5, 0.5), add(at_a, at_b))))
        chord = Witness(dict(zip(names, a, strict=True)), {}, 0.0, chord=dict(zip(names, b, strict=True)))
        if above.low > 0 and found.convex is None:
            found = replace(found, convex=False, not_convex=chord)
        if above.high < 0 and found.concave is None:
            found = replace(found, concave=False, not_concave=chord)
    return found


def points(symbols: Sequence[int], where: Domain, count: int) -> list[list[float]]:
    """Return points within the boxes of the domain: plain ones first, then random ones (always the same)."""
    rng = random.Random(1)  # noqa: S311 - places to look at
    boxes = [where.boxes.get(s, REALS) for s in symbols]
    plain = [[placed(box, x) for box in boxes] for x in (0.0, 1.0, -1.0, 0.5, 2.0, -2.0)]
    drawn = []
    for k in range(count - len(plain)):
        scale, grid = ((0.3, 64), (1.0, 16), (3.0, 8), (10.0, 8))[k % 4]  # dyadic: halfway points are exact
        drawn.append([placed(box, round(rng.uniform(-scale, scale) * grid) / grid) for box in boxes])
    return [p for k, p in enumerate(plain) if p not in plain[:k]] + drawn


def placed(box: Range, x: float) -> float:
    """Return x, or a number like it that lies well inside the box."""
    if box.low < x < box.high:
        return x
    if isinf(box.high):
        return box.low + (abs(x - box.low) or 1.0)
    if isinf(box.low):
        return box.high - (abs(x - box.high) or 1.0)
    share = (abs(x) * 0.381966 + 0.5) % 1.0
    return box.low + (box.high - box.low) * (0.02 + 0.96 * share)


def smooth(tape: Tape, root: int, bounds: Ranges) -> bool:
    """Whether the formula has two derivatives at a point, where `bounds` are the values around it."""
    for index in tape.reachable((root,)):
        entry = tape[index]
        args = [bounds.get(a) for a in entry.args]
        match entry.op:
            case "abs" | "sign" | "cbrt" | "sqrt":
                fine = args[0] is not None and not (args[0].low <= 0 <= args[0].high)
            case "hypot":
                fine = bounds[index] is not None and (bounds[index] or REALS).low > 0
            case "pow":
                power = tape.value(entry.args[1])
                whole = power is not None and power.denominator == 1
                fine = whole or (args[0] is not None and args[0].low > 0)
            case "min" | "max":
                a, b = args[0], args[-1]
                fine = a is not None and b is not None and (a.high < b.low or b.high < a.low or len(args) == 1)
            case "where":
                fine = args[0] is not None and args[0].point and _apart(tape, entry.args[0], bounds)
            case "floor" | "ceil":
                r = args[0]
                fine = r is not None and isfinite(r.low) and int(r.low // 1) == int(r.high // 1) and r.low % 1 != 0
            case op:  # at an edge of the domain there are no two derivatives
                inside = DOMAIN.get(op)
                r = args[0] if inside is not None else None
                fine = inside is None or (r is not None and inside.low < r.low and r.high < inside.high)
        if not fine:
            return False
    return True


def _apart(tape: Tape, condition: int, bounds: Ranges) -> bool:
    """Whether no comparison within a condition is near its boundary."""
    for index in tape.reachable((condition,)):
        entry = tape[index]
        if entry.op in {"lt", "le", "eq"}:
            a, b = (bounds.get(x) for x in entry.args)
            if a is None or b is None or not (a.high < b.low or b.high < a.low):
                return False
    return True


def _directions(hessian: Sequence[Sequence[int]], bounds: Ranges) -> list[list[float]]:
    """Return the coordinate directions and the extreme eigenvectors at a point."""
    size = len(hessian)
    units = [[1.0 if i == k else 0.0 for i in range(size)] for k in range(size)]
    if size == 1:
        return units
    middle = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            r = bounds[hessian[i][j]]
            if r is None or not (isfinite(r.low) and isfinite(r.high)):
                return []
            middle[i][j] = middle[j][i] = r.low / 2 + r.high / 2
    if size == 2:
        (a, b), (_, d) = middle
        half = sqrt((a - d) ** 2 / 4 + b * b) if abs(a) + abs(b) + abs(d) < 1e150 else 0.0
        top = (a + d) / 2 + half
        vectors = [[b, top - a], [top - a, -b]] if abs(b) > 0 else []
    else:
        _, found = eigen(middle)
        vectors = [found[0], found[-1]]
    return units + [_simplified(v) for v in vectors]


def _simplified(vector: Sequence[float]) -> list[float]:
    largest = max((abs(v) for v in vector), default=0.0)
    return [round(v / largest, 3) for v in vector] if largest and isfinite(largest) else list(vector)


def along(hessian: Sequence[Sequence[int]], bounds: Ranges, direction: Sequence[float]) -> Range | None:
    """Return dᵀHd as an interval."""
    total = Range(0.0, 0.0)
    for i, row in enumerate(hessian):
        for j, entry in enumerate(row):
            factor = Fraction(direction[i]) * Fraction(direction[j]) * (1 if i == j else 2)
            r = bounds[entry]
            if r is None:
                return None
            if factor:
                total = add(total, mul(constant(factor), r))
    return total if isfinite(total.low) and isfinite(total.high) else None
