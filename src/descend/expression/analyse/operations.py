"""How each operation of a tape acts on intervals (`interval.py`)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from functools import reduce
from math import inf, pi

from descend.expression.analyse.elementary import INCREASING, UNIT, WHOLE_PI, guarded, of_one
from descend.expression.analyse.interval import (
    ANY_LIMIT,
    NONNEGATIVE,
    POSITIVE,
    REALS,
    Range,
    add,
    down,
    hull,
    increasing,
    intersect,
    mul,
    neg,
    reciprocal,
    up,
    whole_power,
)
from descend.expression.functions import TABLE

TRUE, FALSE, EITHER = Range(1.0, 1.0), Range(0.0, 0.0), Range(0.0, 1.0)
IMAGE = {"exprel_diff": POSITIVE}


def apply(op: str, args: Sequence[Range], signs: Sequence[Range], *, limit: bool) -> Range | None:
    """Return the values of ``op(args)``, None where there are none.

    `signs` are ranges of the same arguments where `args` are limits (else `args` again): they tell 0+ from 0-.
    """
    anything = ANY_LIMIT if limit else REALS
    match op:
        case "add":
            total = args[0]
            for arg in args[1:]:
                total = add(total, arg, limit=limit)
            return total
        case "neg":
            return neg(args[0])
        case "mul":
            total = args[0]
            for arg in args[1:]:
                total = mul(total, arg, limit=limit)
            return total
        case "div":
            return quotient(args[0], args[1], signs[1], limit=limit)
        case "pow":
            return power(args[0], args[1], signs[0], limit=limit)
        case "pi":
            return Range(down(pi), up(pi))
        case "min":
            return neg(reduce(_max, map(neg, args)))
        case "max":
            return reduce(_max, args)
        case "hypot":
            total = add(whole_power(args[0], 2), whole_power(args[1], 2), limit=limit)
            return apply("sqrt", [total], [total], limit=limit)
        case "logaddexp" | "logsumexp":
            return _log_of_sum(args)
        case "atan2":
            return Range(-WHOLE_PI, WHOLE_PI)
        case "softmax":
            return _share(args, limit=limit)
        case "dircos":
            return _cosine(args[0], args[1])
        case "polygamma":
            return _polygamma(args[0])
        case "chebyshevt" if args[1].low >= -1 and args[1].high <= 1:
            return UNIT
        case "where":
            return {TRUE: args[1], FALSE: args[2]}.get(args[0]) or hull(args[1], args[2])
        case "lt" | "le" | "eq" | "and" | "or" | "not":
            return condition(op, args, limit=limit)
    if op in IMAGE:
        image = IMAGE[op]
        return Range(image.low, image.high) if limit else image
    if len(args) == 1:
        inside = of_one(op, args[0], limit=limit)
        return anything if inside is None else inside
    return anything


def _share(args: Sequence[Range], *, limit: bool) -> Range:
    """exp(a)/Σexp: 1/(1 + Σ exp(other - a))."""
    total = Range(1.0, 1.0)
    for other in args[1:]:
        ratio = of_one("exp", add(other, neg(args[0]), limit=limit), limit=limit)
        total = add(total, ratio or POSITIVE, limit=limit)
    return reciprocal(total)


def _log_of_sum(args: Sequence[Range]) -> Range:
    """Log Σ exp, which grows with every argument."""

    def at(ends: Sequence[float]) -> float:
        top = max(ends)
        return top if math.isinf(top) else top + math.log(sum(math.exp(end - top) for end in ends))

    low, high = at([a.low for a in args]), at([a.high for a in args])
    spare = 1e-15 * len(args)
    low = low if math.isinf(low) else low - spare * (1 + abs(low))
    high = high if math.isinf(high) else high + spare * (1 + abs(high))
    return Range(low, high, any(a.open_low for a in args), any(a.open_high for a in args))


def _cosine(a: Range, b: Range) -> Range:
    """a/hypot(a, b), which grows with a and moves towards 0 with |b|."""
    near = 0.0 if b.low <= 0 <= b.high else min(abs(b.low), abs(b.high))
    far = max(abs(b.low), abs(b.high))

    def at(x: float, y: float) -> float:
        size = math.hypot(x, y)
        return math.nan if math.isinf(size) or size == 0 else x / size

    low = at(a.low, far if a.low >= 0 else near)
    high = at(a.high, near if a.high >= 0 else far)
    return Range(max(-1.0, down(low, 4)) if low == low else -1.0, min(1.0, up(high, 4)) if high == high else 1.0)  # noqa: PLR0124 - NaN


def _max(a: Range, b: Range) -> Range:
    low, high = max(a.low, b.low), max(a.high, b.high)
    open_low = (a.open_low and a.low == low) or (b.open_low and b.low == low)
    open_high = all(r.open_high for r in (a, b) if r.high == high)
    return Range(low, high, open_low, open_high)


def _polygamma(order: Range) -> Range:
    if not order.point or order.low < 1:
        return REALS
    return POSITIVE if order.low % 2 == 1 else neg(POSITIVE)


def condition(op: str, args: Sequence[Range], *, limit: bool = False) -> Range:
    """Return whether a condition holds: `TRUE`, `FALSE` or `EITHER`."""
    a = args[0]
    if op == "not":
        return {TRUE: FALSE, FALSE: TRUE}.get(a, EITHER)
    b = args[1]
    match op:
        case "and":
            return FALSE if FALSE in {a, b} else TRUE if a == b == TRUE else EITHER
        case "or":
            return TRUE if TRUE in {a, b} else FALSE if a == b == FALSE else EITHER
    apart = a.high < b.low or (not limit and a.high == b.low and (a.open_high or b.open_low))
    beyond = a.low > b.high or (not limit and a.low == b.high and (a.open_low or b.open_high))
    if op == "eq":
        same = a.point and b.point and a.low == b.low and not limit
        return FALSE if apart or beyond else TRUE if same else EITHER
    if apart:
        return TRUE
    if beyond:
        return FALSE
    if op == "lt":
        return FALSE if a.low >= b.high and not limit else EITHER
    return TRUE if a.high <= b.low and not limit else EITHER


def quotient(a: Range, b: Range, sign: Range, *, limit: bool = False) -> Range | None:
    """Return a / b, for the b that are not 0."""
    if b.point and b.low == 0 and not limit:
        return None
    inverse = inverted(b, sign)
    if inverse is None:
        return ANY_LIMIT if limit else REALS
    if a.point and abs(a.low) == 1:
        return inverse if a.low == 1 else neg(inverse)
    if not limit and b.point and a.point and math.isfinite(a.low) and math.isfinite(b.low):
        value = a.low / b.low
        if math.isfinite(value) and Fraction(value) * Fraction(b.low) == Fraction(a.low):
            return Range(value, value)
    return mul(a, inverse, limit=limit)


def inverted(b: Range, sign: Range) -> Range | None:
    """Return 1/b on the side of 0 on which `sign` lies, None where that is both sides."""
    if sign.low >= 0 or (b.low > 0 and sign.high > 0):
        return reciprocal(Range(max(b.low, 0.0), max(b.high, 0.0), b.open_low, b.open_high))
    if sign.high <= 0 or b.high < 0:
        return neg(reciprocal(Range(max(-b.high, 0.0), max(-b.low, 0.0), b.open_high, b.open_low)))
    return None


def power(a: Range, b: Range, sign: Range, *, limit: bool = False) -> Range | None:
    """Return a ^ b."""
    if b.point and not math.isinf(b.low):
        if b.low == int(b.low):
            return _integer_power(a, int(b.low), sign, limit=limit)
        inside = intersect(a, NONNEGATIVE if b.low > 0 or limit else POSITIVE)
        if inside is None:
            return None
        exponent = abs(b.low)
        grown = increasing(guarded(lambda x: x**exponent, 0.0, inf), inside, NONNEGATIVE, {Fraction(1): Fraction(1)})
        if inside.open_low and inside.low == 0:
            grown = Range(0.0, grown.high, True, grown.open_high)
        return grown if b.low > 0 else reciprocal(grown)
    if limit and not (a.low > 0 and a.high < inf):
        return Range(0.0, inf) if a.low >= 0 and sign.low >= 0 else ANY_LIMIT
    if not a.positive:
        return NONNEGATIVE if a.low >= 0 else REALS
    logarithm = increasing(INCREASING["log"][0], a, REALS, TABLE["log"].exact)
    return of_one("exp", mul(b, logarithm, limit=limit), limit=limit)


def _integer_power(a: Range, n: int, sign: Range, *, limit: bool) -> Range | None:
    if n == 0:
        return Range(1.0, 1.0)
    if n > 0:
        return whole_power(a, n)
    if a.point and a.low == 0 and not limit:
        return None
    size = whole_power(a, -n)
    if n % 2:
        inverse = inverted(size, whole_power(sign, -n))
        return inverse if inverse is not None else ANY_LIMIT if limit else REALS
    return reciprocal(size)  # of something ≥ 0
