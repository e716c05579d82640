"""Is what `explain` claims contradicted by numbers?  Nothing here is shared with the analysis.

The formula is read by `tests/oracles` (Python's own parser, mpmath) and evaluated at random points; derivatives are
differences in 60 digits.
"""

from __future__ import annotations

import operator
import random
import re
from itertools import pairwise

import mpmath as mp

from tests.oracles.case_formula import CaseFormula
from tests.oracles.read import read

FAR = 1e9
# At the bound itself an infinity may be passed on: exp(log(0)) is 0 in floating point.
RELATIONS = {">": operator.ge, "<": operator.le, "≥": operator.ge, "≤": operator.le}


def spelled(text):
    """Return a formula in Python's spelling."""
    text = re.sub(r"(?<![\w.])(\d+(?:\.\d+)?)(?=[a-zA-Z(])", r"\1*", text)
    return text.replace("^", "**")


class Cost:
    """A formula as a function of a mapping name → number; None where it has no finite real value."""

    def __init__(self, text, constants=None):
        if "sum(" in text:
            whole = {name: int(value) for name, value in (constants or {}).items()}
            case = CaseFormula(spelled(text), whole)
            self.function = lambda point: mp.mpf(getattr(case(point), "value", case(point)))
        else:
            self.function = read(spelled(text))

    def __call__(self, point):
        try:
            value = self.function({"x": 0, "y": 0, "z": 0} | point)  # y^0 is 1, and y gone
        except (ValueError, ZeroDivisionError, OverflowError, TypeError):
            return None
        if isinstance(value, bool) or not isinstance(value, (mp.mpf, int, float)):
            return None
        return value if mp.isfinite(value) else None


def points(names, rng, count):
    """Draw points of all sizes and signs."""
    found = []
    for k in range(count):
        size = (0.2, 1.0, 1.0, 4.0, 30.0)[k % 5]
        sign = rng.choice((0, 0, 1)) if k % 2 else 0
        drawn = {n: mp.mpf(rng.uniform(-size, size)) for n in names}
        if k % 7 == 3:  # whole numbers: a negative base has a power there
            drawn = {n: mp.mpf(rng.randint(-5, 5)) for n in names}
        found.append({n: abs(x) if sign else x for n, x in drawn.items()})
    return found


def contradictions(text, e, names, constants=None, count=80, seed=1):
    """Return the claims of the explanation `e` that numbers contradict, as sentences."""
    with mp.workdps(40):
        return list(_contradictions(Cost(text, constants), e, names, random.Random(seed), count))


def _contradictions(cost, e, names, rng, count):
    drawn = points(names, rng, count)
    valued = [(p, v) for p in drawn if (v := cost(p)) is not None]
    values = [v for _, v in valued]
    if e.domain_empty and valued and "min" not in e.formula and "max" not in e.formula:  # theirs let NaN pass
        yield "it has values, and was said to have none"
    if e.domain == () and not e.domain_empty and len(valued) < len(drawn):
        lost = next(p for p in drawn if cost(p) is None)
        if max(map(abs, lost.values())) < 6:
            yield f"it was said to be defined everywhere, and has no value at {lost}"
    yield from _outside(e, valued)
    yield from _bent(cost, e, valued, rng)
    yield from _low(cost, e, names, values)
    if e.range is not None:
        low, high = e.range
        for value in values:
            if value < low - 1e-12 * (1 + abs(low)) or value > high + 1e-12 * (1 + abs(high)):
                yield f"the value {value} is outside the range {e.range}"
    yield from _alone(cost, e, names, valued, rng)


def _outside(e, valued):
    """Yield the conditions of the domain that a point with a value violates."""
    if "min" in e.formula or "max" in e.formula:  # theirs let NaN pass
        return
    for sentence in e.domain or ():
        found = re.match(r"(\w+) ([><≥≤]) (-?[\d.]+), because", sentence)
        if found is None:
            continue
        name, relation, bound = found[1], RELATIONS[found[2]], mp.mpf(found[3])
        yield from (f"{sentence}; but it has the value {v} at {p}" for p, v in valued if not relation(p[name], bound))


def _bent(cost, e, valued, rng):
    for _ in range(2 * len(valued)):
        (a, at_a), (b, at_b) = rng.choice(valued), rng.choice(valued)
        middle = cost({n: (a[n] + b[n]) / 2 for n in a})
        spare = mp.mpf(10) ** -25 * (1 + abs(at_a) + abs(at_b))
        if middle is None:
            if e.convex or e.concave:
                yield "the domain of a convex (or concave) formula is not convex"
            continue
        if e.convex and middle > (at_a + at_b) / 2 + spare:
            yield f"not convex between {a} and {b}"
        if e.concave and middle < (at_a + at_b) / 2 - spare:
            yield f"not concave between {a} and {b}"
    for witness, sign in ((e.bend.not_convex, 1), (e.bend.not_concave, -1)):
        if witness is None:
            continue
        at = {n: mp.mpf(x) for n, x in witness.point.items()}
        rest = {n: mp.mpf(0) for n in valued[0][0] if n not in at} if valued else {}
        if rest:
            near = min(valued, key=lambda found: abs(found[1]))[0]  # beside 1e43 nothing could be seen
            rest = {n: near[n] for n in rest}
        at |= rest
        if witness.chord is not None:
            other = {n: mp.mpf(x) for n, x in witness.chord.items()} | rest
            amount = cost(at) + cost(other) - 2 * cost({n: (at[n] + other[n]) / 2 for n in at})
        else:
            step = mp.mpf(10) ** -9
            ahead = {n: at[n] + step * mp.mpf(witness.direction.get(n, 0)) for n in at}
            behind = {n: at[n] - step * mp.mpf(witness.direction.get(n, 0)) for n in at}
            amount = (cost(ahead) + cost(behind) - 2 * cost(at)) / step**2
            if witness.tight and abs(amount - witness.curvature) > 1e-6 * (abs(amount) + 1e-3):
                yield f"the curvature at {witness.point} is {amount}, not {witness.curvature}"
        if not sign * amount < 0:
            yield f"the witness {witness} shows {amount}"
    if e.convex is False and e.bend.not_convex is None:
        yield "not convex without a witness"


def _low(cost, e, names, values):
    low = e.below
    if low.bound is not None and low.bounded:
        spare = 1e-12 * (1 + abs(low.bound))
        if any(v < low.bound - spare for v in values):
            yield f"a value lies below the bound {low.bound}"
        if low.attained is False and any(v < low.bound for v in values):
            yield f"the infimum {low.bound} is undercut"
    for place in low.at:
        value = cost({n: mp.mpf(x) for n, x in place.items()})
        if value is None or abs(value - low.bound) > 1e-12 * (1 + abs(low.bound)):
            yield f"the value at {place} is {value}, not {low.bound}"
    if low.bounded is False and low.direction:
        base = dict.fromkeys(names, 0.0) | dict(low.base)
        if " from " in low.towards:
            steps = [mp.mpf(10) ** -k for k in (2, 4, 8, 16, 32)]
        else:
            steps = [mp.mpf(10) ** k for k in (2, 3, 4, 5, 6)]
        seen = [cost({n: mp.mpf(base[n]) + s * mp.mpf(low.direction.get(n, 0)) for n in base}) for s in steps]
        known = [v for v in seen if v is not None]
        if not known and " from " not in low.towards:
            return  # theirs has no values so far out: log(softplus(-100))
        if len(known) < 2 or known[-1] != min(known) or known[-1] >= known[0]:
            yield f"it does not fall along {low.direction} from {base}: {known}"
    if low.attained is False and low.direction and low.bounded:
        base = dict.fromkeys(names, 0.0) | dict(low.base)
        if " from " not in low.towards:
            far = (mp.mpf(10) ** k for k in (2, 12, 200))  # a logarithm is slow
            seen = [cost({n: mp.mpf(base[n]) + t * mp.mpf(low.direction.get(n, 0)) for n in base}) for t in far]
            away = [abs(v - low.bound) for v in seen if v is not None]
            if not away or away[-1] > max(1e-9 * (1 + abs(low.bound)), away[0] / 3):
                yield f"far out the value is {seen}, not near {low.bound}"


def _alone(cost, e, names, valued, rng):
    if len(valued) < 2 or "[" in "".join(names):
        return
    for _ in range(10):
        (a, at_a), (b, at_b) = rng.choice(valued), rng.choice(valued)
        spare = mp.mpf(10) ** -25 * (1 + abs(at_a) + abs(at_b))
        for group in e.groups or ():
            one, other = cost(a | {n: b[n] for n in group}), cost(b | {n: a[n] for n in group})
            if one is not None and other is not None:
                size = spare + mp.mpf(10) ** -25 * (abs(one) + abs(other))
                if abs(one + other - at_a - at_b) > size:
                    yield f"{group} is not separate"
        for name in e.dead or ():
            moved = cost(a | {name: b[name]})
            if moved is not None and abs(moved - at_a) > spare:
                yield f"{name} is not dead"
        chosen = [[n] for n in e.linear_in] + ([list(e.linear_together)] if e.linear_together else [])
        for some in chosen:
            end = cost(a | {n: b[n] for n in some})
            middle = cost(a | {n: (a[n] + b[n]) / 2 for n in some})
            if end is not None and middle is not None and abs(at_a + end - 2 * middle) > spare * (1 + abs(end)):
                yield f"it is not linear in {some}"
        if e.degree is not None and e.degree <= 12:
            line = [cost({n: a[n] + k * (b[n] - a[n]) for n in a}) for k in range(e.degree + 2)]
            if None not in line:
                size = max(map(abs, line))
                for _ in range(e.degree + 1):
                    line = [y - x for x, y in pairwise(line)]
                if abs(line[0]) > mp.mpf(10) ** -20 * (1 + size):
                    yield f"its degree is not {e.degree}"
