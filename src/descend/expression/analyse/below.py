"""Is a formula bounded below?  If so by what, is that reached and where; if not, which way does it fall without end?

Polynomials: exactly along rational rays; in one variable from all stationary points.  Others: from their range,
and from their limits at the ends of rays and at the edges of the domain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import product
from math import isfinite

from descend.errors import FormulaError
from descend.expression.analyse.deadline import Deadline, OutOfTimeError
from descend.expression.analyse.domain import Domain, defined
from descend.expression.analyse.interval import Range
from descend.expression.analyse.polynomial import Polynomial, coefficients, expand, total_degree
from descend.expression.analyse.quadratic import EXACT_VARIABLES, Quadratic, quadratic_form
from descend.expression.analyse.ranges import ranges
from descend.expression.analyse.roots import derivative as slope_of
from descend.expression.analyse.roots import real_roots, value
from descend.expression.analyse.tails import Tail, edges, ray_ends
from descend.expression.analyse.terms import Group
from descend.expression.analyse.witness import points
from descend.expression.tape import Tape

MOST_RAYS = 40


@dataclass(frozen=True)
class Below:
    """What is known about the lowest values of a formula.

    `bounded` (None: unknown).  If True: no value is less than `bound` (None where no number is known); `attained` says
    whether `bound` is the lowest value, at the points `at`; False: it is the infimum, approached as in `towards`.
    If False: the formula falls without end along `direction` from `base`, or as in `towards`.
    """

    bounded: bool | None = None
    bound: float | None = None
    attained: bool | None = None
    at: tuple[Mapping[str, float], ...] = ()
    minimum: bool = False  # it has a lowest value, of which only the bound may be known
    direction: Mapping[str, float] = field(default_factory=dict)
    base: Mapping[str, float] = field(default_factory=dict)
    towards: str = ""


UNKNOWN = Below()


def below(tape: Tape, root: int, parts: Sequence[Group], where: Domain, deadline: Deadline) -> Below:
    """Return what is known about the lowest values of `root`, whose independent parts are `parts`.

    Raises `OutOfTimeError`.
    """
    if where.empty:
        return UNKNOWN
    found = [_part(tape, part, where, deadline.share(0.7) if len(parts) > 1 else deadline) for part in parts]
    falling = next((f for f in found if f.bounded is False), None)
    if falling is not None and len(parts) == 1:
        return falling
    if falling is not None and (inside := _somewhere(tape, root, where, deadline)) is not None:
        return replace(falling, base=inside | dict(falling.base))
    if found and all(f.bounded for f in found):
        return found[0] if len(found) == 1 else _together(found)
    whole = where.bounds.get(root)
    if falling is None and whole is not None and isfinite(whole.low):
        return Below(True, whole.low)
    return UNKNOWN


def _somewhere(tape: Tape, root: int, where: Domain, deadline: Deadline) -> dict[str, float] | None:
    """Return a point of the domain, None where none is found."""
    symbols = tape.symbols((root,))
    for point in points(list(symbols.values()), where, 24):
        here = {s: Range(x, x) for s, x in zip(symbols.values(), point, strict=True)}
        r = ranges(tape, (root,), here, deadline)[root]
        if r is not None and isfinite(r.low) and isfinite(r.high) and defined(tape, root, here, deadline):
            return dict(zip(symbols, point, strict=True))
    return None


def _together(found: Sequence[Below]) -> Below:
    """Join independent parts: the infimum of the sum is the sum of the infima."""
    bound = None if any(f.bound is None for f in found) else sum(f.bound for f in found if f.bound is not None)
    attained: bool | None = None
    if all(f.attained is not None for f in found):
        attained = all(f.attained for f in found)
    at: tuple[Mapping[str, float], ...] = ()
    if attained:
        at = tuple({k: v for p in chosen for k, v in p.items()} for chosen in list(product(*(f.at for f in found)))[:8])
    towards = ", ".join(f.towards for f in found if f.towards) if attained is False else ""
    return Below(True, bound, attained, at, all(f.minimum for f in found), towards=towards)


def _part(tape: Tape, part: Group, where: Domain, deadline: Deadline) -> Below:
    names = part.names
    if not names:
        r = ranges(tape, (part.root,), {}, deadline)[part.root]
        return Below(True, r.low, True, ({},), True) if r is not None and isfinite(r.low) else UNKNOWN
    found = UNKNOWN
    polynomial = expand(tape, part.root, names, deadline, 3_000) if len(names) <= 200 else None
    free = not any(tape.symbol(n) in where.boxes for n in names)
    if polynomial is not None and free:
        found = _polynomial(polynomial, names, deadline)
        if found.bounded is not None and found.bound is not None:
            return found
    if found.bounded is False:
        return found
    r = ranges(tape, (part.root,), where.boxes, deadline)[part.root]
    if r is not None and isfinite(r.low):
        known = Below(True, r.low + 0.0)
        try:
            known = _reached(tape, part, names, where, r, deadline)
            if known.attained is None and not found.minimum and not tape.arrays((part.root,)):
                found = _limits(tape, part, names, where, deadline)
        except OutOfTimeError:  # the bound is known at least
            pass
        return replace(known, minimum=known.minimum or found.minimum)
    if found.bounded or tape.arrays((part.root,)):
        return found
    return _limits(tape, part, names, where, deadline)


# -------------------------------------------------------------------------------------------------------- polynomials


def _polynomial(polynomial: Polynomial, names: Sequence[str], deadline: Deadline) -> Below:
    if total_degree(polynomial) <= 2:
        form = quadratic_form(polynomial, len(names))
        if form is not None and len(names) <= EXACT_VARIABLES:
            return quadratic_below(form, polynomial.get((), Fraction(0)), names)
    if len(names) == 1:
        return _univariate(coefficients(polynomial), names[0], deadline)
    way = _falling_ray(polynomial, len(names), deadline)
    if way is not None:
        direction = {names[k]: float(v) for k, v in enumerate(way) if v}
        return Below(False, direction=direction, base=dict.fromkeys(names, 0.0))
    return Below(True, minimum=True) if coercive(polynomial, len(names)) else UNKNOWN


def quadratic_below(form: Quadratic, constant: Fraction, names: Sequence[str]) -> Below:
    """Solve a quadratic exactly."""
    zero = dict.fromkeys(names, 0.0)
    if not form.semidefinite():
        found = form.direction(-1)
        way = {names[k]: float(v) for k, v in found[0].items()} if found else {}
        return Below(False, direction=way, base=zero)
    solved = form.stationary()
    if solved is None:
        return Below(False, direction=_level_fall(form, names), base=zero)
    solution, basis = solved
    least = constant + sum((b * x for b, x in zip(form.vector, solution, strict=True)), Fraction(0)) / 2
    try:
        at = {n: float(x) for n, x in zip(names, solution, strict=True)}
        return Below(True, float(least), True, () if basis else (at,), True)
    except OverflowError:
        return Below(True, minimum=True)


def _level_fall(form: Quadratic, names: Sequence[str]) -> dict[str, float]:
    """Return a direction without curvature along which a semidefinite quadratic falls."""
    level = Quadratic(form.matrix, tuple(Fraction(0) for _ in names)).stationary()
    for vector in level[1] if level else ():
        slope = sum((b * v for b, v in zip(form.vector, vector, strict=True)), Fraction(0))
        if slope:
            return {n: float(-v if slope > 0 else v) for n, v in zip(names, vector, strict=True) if v}
    return {}


def _univariate(row: list[Fraction], name: str, deadline: Deadline) -> Below:
    if len(row) % 2 == 0 or row[-1] < 0:
        way = -1.0 if row[-1] > 0 else 1.0
        return Below(False, direction={name: way}, base={name: 0.0})
    best = [(value(row, root.middle), root.middle) for root in real_roots(slope_of(row), deadline)]
    least = min(v for v, _ in best)
    spare = Fraction(1, 10**15) * (1 + abs(least))
    at = tuple({name: float(x)} for v, x in best if v - least <= spare)
    return Below(True, float(least), True, at, True)


def _directions(size: int) -> list[list[int]]:
    """Return plain directions: along each axis, and diagonals of two, three and all."""
    found: list[list[int]] = []
    for k in range(size):
        found += [[s if i == k else 0 for i in range(size)] for s in (1, -1)]
    if size <= 4:
        found += [list(d) for d in product((0, 1, -1), repeat=size) if sum(map(abs, d)) > 1]
    else:
        found += [[1] * size, [-1] * size, [(-1) ** k for k in range(size)], [(-1) ** (k + 1) for k in range(size)]]
        for k in range(min(size - 1, 10)):
            found += [[s if i == k else t if i == k + 1 else 0 for i in range(size)] for s in (1, -1) for t in (1, -1)]
    if size <= 3:
        found += [list(d) for d in product((1, 2, -1, -2, 3, -3), repeat=size) if len(set(map(abs, d))) > 1]
    return found


def _falling_ray(polynomial: Polynomial, size: int, deadline: Deadline) -> list[int] | None:
    """Return d such that p(t·d) → -∞: the highest power of t with a coefficient decides, exactly."""
    for direction in _directions(size):
        deadline.check()
        along: dict[int, Fraction] = {}
        for monomial, coefficient in polynomial.items():
            amount = coefficient
            for variable, exponent in monomial:
                amount *= direction[variable] ** exponent
                if not amount:
                    break
            power = sum(e for _, e in monomial)
            along[power] = along.get(power, Fraction(0)) + amount
        top = max((power for power, amount in along.items() if amount), default=0)
        if top and along[top] < 0:
            return direction
    return None


def coercive(polynomial: Polynomial, size: int) -> bool:
    """Return whether p certainly grows in all directions: pure even powers outweigh the mixed monomials.

    With pure powers cᵢ·xᵢ^dᵢ (even, cᵢ > 0), a monomial x^α has weight w = Σ αᵢ/dᵢ.  For w < 1 the pure powers win far
    out; for w = 1 the inequality of weighted means gives |x^α| ≤ Σ (αᵢ/dᵢ)·|xᵢ|^dᵢ; for w > 1 it must not be negative.
    """
    pure: dict[int, tuple[int, Fraction]] = {}
    for monomial, coefficient in polynomial.items():
        if len(monomial) == 1:
            variable, exponent = monomial[0]
            if exponent > pure.get(variable, (0, Fraction(0)))[0]:
                pure[variable] = (exponent, coefficient)
    if len(pure) < size or any(d % 2 or c <= 0 for d, c in pure.values()):
        return False
    left = {variable: c for variable, (_, c) in pure.items()}
    for monomial, coefficient in polynomial.items():
        if coefficient > 0 and all(e % 2 == 0 for _, e in monomial):
            continue
        weight = sum((Fraction(e, pure[v][0]) for v, e in monomial), Fraction(0))
        if weight > 1:
            return False
        if weight == 1:
            for v, e in monomial:
                left[v] -= abs(coefficient) * Fraction(e, pure[v][0])
    return all(c > 0 for c in left.values())


# ------------------------------------------------------------------------------------------------------------- others


def _reached(tape: Tape, part: Group, names: Sequence[str], where: Domain, r: Range, deadline: Deadline) -> Below:
    """Say whether the lower end of the range is a value, or is approached."""
    symbols = [tape.symbol(n) for n in names]
    if not r.open_low:
        for point in points(symbols, where, 12):
            here = {s: Range(x, x) for s, x in zip(symbols, point, strict=True)}
            at = ranges(tape, (part.root,), here, deadline)[part.root]
            if at is not None and at.low == at.high == r.low and defined(tape, part.root, here, deadline):
                return Below(True, r.low, True, (dict(zip(names, point, strict=True)),), True)
        return Below(True, r.low + 0.0)
    if tape.arrays((part.root,)):
        return Below(True, r.low + 0.0)
    for tail in _tails(tape, part, names, where, deadline):
        if tail.limit.low == tail.limit.high == r.low or (
            tail.limit.low <= r.low and 0 <= tail.limit.high - r.low <= 4e-16 * abs(r.low)
        ):
            return Below(True, r.low, False, towards=tail.words, direction=tail.direction, base=tail.base)
    return Below(True, r.low + 0.0)


def _tails(tape: Tape, part: Group, names: Sequence[str], where: Domain, deadline: Deadline) -> list[Tail]:
    """Return how the formula behaves at the ends of rays and at the edges of the domain."""
    order = tape.reachable((part.root,))
    if len(order) > 600 or len(names) > 12:
        return []
    found: list[Tail] = []
    try:
        found += edges(tape, part.root, names, where, deadline)
    except (FormulaError, ArithmeticError):
        found = []
    directions = _directions(len(names))
    rays = [(d, 0.0) for d in directions[:MOST_RAYS]]
    rays += [(d, s) for d in directions[: 2 * len(names)] for s in (1.0, -1.0)] if len(names) > 1 else []
    for direction, others in rays:
        deadline.check()
        try:
            tail = ray_ends(tape, part.root, names, direction, where, deadline, others)
        except (FormulaError, ArithmeticError):  # the formula cannot be put together on this ray
            continue
        if tail is not None:
            found.append(tail)
    return found


def _limits(tape: Tape, part: Group, names: Sequence[str], where: Domain, deadline: Deadline) -> Below:
    found = _tails(tape, part, names, where, deadline)
    for tail in found:
        if tail.falls:
            return Below(False, direction=tail.direction, base=tail.base, towards=tail.words)
    if len(names) == 1 and not _jumps(tape, part.root) and _one_interval(tape, part, where):
        ends = [t for t in found if t.outer]
        if len(ends) == 2 and all(t.held for t in ends):
            return Below(True, minimum=all(t.rises or t.closed for t in ends))
    return UNKNOWN


def _jumps(tape: Tape, root: int) -> bool:
    return any(tape[i].op in {"floor", "ceil", "sign", "where"} for i in tape.reachable((root,)))


def _one_interval(tape: Tape, part: Group, where: Domain) -> bool:
    """Whether the domain of this part is an interval with exact ends, on which it is continuous."""
    own = set(tape.reachable((part.root,)))
    names = set(part.names)
    for condition in where.conditions:
        mine = condition.entry in own or bool(names & set(tape.symbols((condition.entry,))))
        if mine and (condition.variable is None or condition.approximate or not condition.narrows):
            return False
    return True
