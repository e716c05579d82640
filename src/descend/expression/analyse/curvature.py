"""Is a formula convex?  By composition, by exact tests of polynomials, by bounds on its second derivatives.

"Not convex" is only said with a witness: a point, and a direction along which the curvature there is proved negative in
interval arithmetic.  Everything else is "unknown".
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import inf, isinf

from descend.expression.analyse.composition import shapes
from descend.expression.analyse.conditions import whole
from descend.expression.analyse.deadline import Deadline
from descend.expression.analyse.domain import Domain
from descend.expression.analyse.interval import REALS, Range
from descend.expression.analyse.polynomial import coefficients, expand, total_degree
from descend.expression.analyse.quadratic import EXACT_VARIABLES, Quadratic, quadratic_form, spectrum
from descend.expression.analyse.ranges import Ranges, ranges
from descend.expression.analyse.roots import derivative as slope_of
from descend.expression.analyse.roots import real_roots, value
from descend.expression.analyse.terms import Group
from descend.expression.analyse.witness import Bend, Witness, search
from descend.expression.derivative import gradient
from descend.expression.functions import TABLE
from descend.expression.tape import Tape

MOST_VARIABLES = 12  # of a Hessian that is bounded or searched
MOST_ENTRIES = 3_000
ROUGH = frozenset({name for name, row in TABLE.items() if row.kink} | {"cbrt"})


def bend(
    tape: Tape, root: int, parts: Sequence[Group], where: Domain, constants: frozenset[str], deadline: Deadline
) -> Bend:
    """Return the curvature of `root`, whose independent parts are `parts`.  Raises `OutOfTimeError`."""
    if where.empty:
        return Bend()
    whole = shapes(tape, root, where.bounds, constants, deadline)[root]
    if where.convex and whole.convex and whole.concave:
        return Bend(True, True, "it is a straight line in every direction", least=0.0, most=0.0)
    found = [_part(tape, part, where, constants, deadline) for part in parts]
    convex = _all([b.convex for b in found])
    concave = _all([b.concave for b in found])
    why = next((b.why for b in found if b.why), "")
    if whole.convex:
        convex = True
    if whole.concave:
        concave = True
    if whole.convex or whole.concave:
        why = "by the rules of composition"
    if not where.convex:
        convex, concave = (False if convex is False else None), (False if concave is False else None)
    down = next((b.not_convex.unit for b in found if b.not_convex), None)
    up = next((b.not_concave.unit for b in found if b.not_concave), None)
    least, most = min((b.least for b in found), default=-inf), max((b.most for b in found), default=inf)
    return Bend(convex, concave, why, down, up, least, most)


def _all(answers: Sequence[bool | None]) -> bool | None:
    if any(a is False for a in answers):
        return False
    return True if all(answers) else None


def _part(tape: Tape, part: Group, where: Domain, constants: frozenset[str], deadline: Deadline) -> Bend:
    names = [n for n in part.names if n not in constants]
    polynomial = expand(tape, part.root, names, deadline, 3_000) if len(names) <= 200 else None
    if polynomial is not None and total_degree(polynomial) <= 2:
        form = quadratic_form(polynomial, len(names))
        if form is not None:
            return quadratic_bend(form, names)
    if polynomial is not None and len(names) == 1:
        return _univariate(coefficients(polynomial), names[0], where.boxes.get(tape.symbol(names[0]), REALS), deadline)
    shape = shapes(tape, part.root, _bounds(tape, part.root, where, deadline), constants, deadline)[part.root]
    start = Bend(shape.convex or None, shape.concave or None, "by the rules of composition" if shape.convex else "")
    if not 0 < len(names) <= MOST_VARIABLES or tape.arrays((part.root,)):
        return start
    return _by_derivatives(tape, part.root, names, where, start, deadline)


def _bounds(tape: Tape, root: int, where: Domain, deadline: Deadline) -> Ranges:
    return ranges(tape, (root,), where.boxes, deadline)


# --------------------------------------------------------------------------------------------------------- quadratics


def quadratic_bend(form: Quadratic, names: Sequence[str]) -> Bend:
    """Return the curvature of a quadratic: exact, or from eigenvalues that are clear of rounding."""
    size = len(names)
    ends = spectrum(form.matrix)
    least, most = (ends.smallest, ends.largest) if ends else (-inf, inf)
    if size <= EXACT_VARIABLES:
        convex: bool | None = form.semidefinite()
        minus = Quadratic(tuple(tuple(-v for v in row) for row in form.matrix), tuple(-v for v in form.vector))
        concave: bool | None = minus.semidefinite()
    else:
        noise = 1e-14 * size * max(abs(least), abs(most))
        convex = True if least > noise else False if least < -noise else None
        concave = True if most < -noise else False if most > noise else None
    down = _witness(form, names, -1) if convex is False else None
    up = _witness(form, names, 1) if concave is False else None
    if convex:
        least = max(least, 0.0)
    why = "its matrix of second derivatives is constant and has no negative eigenvalue" if convex else ""
    return Bend(convex, concave, why, down, up, least, most)


def _witness(form: Quadratic, names: Sequence[str], sign: int) -> Witness | None:
    found = form.direction(sign)
    if found is None:
        return None
    direction = {names[k]: float(v) for k, v in found[0].items()}
    return Witness(dict.fromkeys(names, 0.0), direction, float(found[1]), everywhere=True)


# ------------------------------------------------------------------------------------------ polynomials in one variable


def _univariate(row: list[Fraction], name: str, box: Range, deadline: Deadline) -> Bend:
    """Judge a polynomial by the sign of its second derivative between the roots of that (exact)."""
    second = slope_of(slope_of(row))
    edges: list[tuple[Fraction, Fraction]] = [(r.low, r.high) for r in real_roots(second, deadline)]
    low = None if isinf(box.low) else Fraction(box.low)
    high = None if isinf(box.high) else Fraction(box.high)
    down = up = None
    for k in range(len(edges) + 1):
        deadline.check()
        left = edges[k - 1][1] if k else None
        right = edges[k][0] if k < len(edges) else None
        left = low if left is None or (low is not None and low > left) else left
        right = high if right is None or (high is not None and high < right) else right
        if left is not None and right is not None and left >= right:
            continue
        at = _between(left, right)
        amount = value(second, at)
        witness = Witness({name: float(at)}, {name: 1.0}, float(amount))
        if amount < 0 and (down is None or abs(at) < abs(down.point[name])):
            down = witness
        elif amount > 0 and (up is None or abs(at) < abs(up.point[name])):
            up = witness
    why = "its second derivative is never negative" if down is None else ""
    bounds = _constant_bounds(second)
    return Bend(down is None, up is None, why, down, up, *bounds)


def _constant_bounds(second: Sequence[Fraction]) -> tuple[float, float]:
    return (float(second[0]),) * 2 if len(second) == 1 else (-inf, inf)


def _between(left: Fraction | None, right: Fraction | None) -> Fraction:
    """Return a number that is easy to read, in an open interval."""
    if left is None and right is None:
        return Fraction(0)
    if left is None:
        assert right is not None
        return Fraction(0) if right > 0 else Fraction((right - 1).__floor__())
    if right is None:
        return Fraction(0) if left < 0 else Fraction((left + 1).__ceil__())
    if left < 0 < right:
        return Fraction(0)
    middle = (left + right) / 2
    for denominator in (1, 2, 10, 100, 1000):
        guess = Fraction(round(middle * denominator), denominator)
        if left < guess < right:
            return guess
    return Fraction(float(middle)) if left < Fraction(float(middle)) < right else middle


# ------------------------------------------------------------------------------------------------ second derivatives


def _by_derivatives(
    tape: Tape, root: int, names: Sequence[str], where: Domain, start: Bend, deadline: Deadline
) -> Bend:
    order = tape.reachable((root,))
    if len(order) > MOST_ENTRIES:
        return start
    hessian = second_derivatives(tape, root, [tape.symbol(n) for n in names], deadline)
    if hessian is None:
        return start
    entries = [h for row in hessian for h in row]
    found = start
    if _regular(tape, order, where.bounds):
        found = _bounded(tape, entries, hessian, names, where, start, deadline)
    if found.known and (found.convex or found.concave):
        return found
    return search(tape, root, hessian, names, where, found, deadline)


def second_derivatives(tape: Tape, root: int, symbols: Sequence[int], deadline: Deadline) -> list[list[int]] | None:
    """Return the lower triangle of the Hessian; None where it is too large.  Raises `OutOfTimeError`."""
    slopes = gradient(tape, root, symbols)
    rows = []
    for k, slope in enumerate(slopes):
        deadline.check()
        rows.append(gradient(tape, slope, symbols[: k + 1]))
        if len(tape) > 40 * MOST_ENTRIES:
            return None
    return rows


def _regular(tape: Tape, order: Sequence[int], bounds: Ranges) -> bool:
    """Whether the formula has two derivatives everywhere inside the domain."""
    for index in order:
        entry = tape[index]
        if entry.op in ROUGH:
            return False
        power = tape.value(entry.args[1]) if entry.op == "pow" else None
        if entry.op == "pow" and power is None:  # 0^y jumps at y = 0
            base = bounds.get(entry.args[0]) or REALS
            if not base.positive and not whole(tape, entry.args[1]):
                return False
        if entry.op == "sqrt" or (power is not None and power.denominator != 1):
            r = bounds.get(entry.args[0])  # of a symbol, 0 is the edge of the domain
            if (r is None or not r.positive) and tape[entry.args[0]].op != "symbol":
                return False
        if entry.op == "hypot" and not (bounds.get(index) or REALS).positive:
            return False
    return True


def _gershgorin(hessian: Sequence[Sequence[int]], bounds: Ranges) -> tuple[float, float]:
    """Return bounds on the eigenvalues of a symmetric matrix of intervals (Gershgorin 1931)."""
    size = len(hessian)
    least, most = inf, -inf
    for i in range(size):
        centre = bounds[hessian[i][i]]
        if centre is None:
            return -inf, inf
        spread = 0.0
        for j in range(size):
            other = bounds[hessian[max(i, j)][min(i, j)]]
            if other is None:
                return -inf, inf
            if i != j:
                spread += max(abs(other.low), abs(other.high)) * (1 + 1e-15 * size)
        least, most = min(least, centre.low - spread), max(most, centre.high + spread)
    return (least, most) if least == least and most == most else (-inf, inf)  # noqa: PLR0124 - not NaN


def _bounded(
    tape: Tape,
    entries: Sequence[int],
    hessian: Sequence[Sequence[int]],
    names: Sequence[str],
    where: Domain,
    start: Bend,
    deadline: Deadline,
) -> Bend:
    """Bound all second derivatives over the domain, in one variable piece by piece."""
    pieces: list[dict[int, Range]] = [{}]
    if len(names) == 1:
        symbol = tape.symbol(names[0])
        box = where.boxes.get(symbol, REALS)
        pieces = [{symbol: r} for r in _pieces(box)]
    least, most = inf, -inf
    for piece in pieces:
        deadline.check()
        boxes = {**where.boxes, **piece}
        low, high = _gershgorin(hessian, ranges(tape, entries, boxes, deadline))
        least, most = min(least, low), max(most, high)
        if least < 0 < most and isinf(least) and isinf(most):
            break
    convex, concave = start.convex, start.concave
    why = start.why
    if least >= 0 and not convex:
        convex, why = True, "its second derivatives are bounded from below by 0"
    if most <= 0:
        concave = True
    return Bend(convex, concave, why, least=least, most=most)


def _pieces(box: Range) -> list[Range]:
    cuts = [c for c in (-100.0, *(k / 4 for k in range(-32, 33)), 100.0) if box.low < c < box.high]
    ends = [box.low, *cuts, box.high]
    return [
        Range(a, b, k == 0 and box.open_low, k == len(cuts) and box.open_high)
        for k, (a, b) in enumerate(pairwise(ends))
    ]
