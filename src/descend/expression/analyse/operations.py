"""How each operation of a tape acts on intervals (`interval.py`), and on which arguments it is defined."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import reduce
from math import inf, pi

from descend.expression.analyse.interval import (
    ANY_LIMIT,
    NONNEGATIVE,
    POSITIVE,
    REALS,
    Range,
    add,
    decreasing,
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

UNIT = Range(-1.0, 1.0)
INSIDE = Range(-1.0, 1.0, True, True)
HALF_PI, WHOLE_PI = up(pi / 2), up(pi)
GAMMALN_AT, GAMMALN_LEAST = 1.4616321449683622, -0.1214862905358497
TRUE, FALSE, EITHER = Range(1.0, 1.0), Range(0.0, 0.0), Range(0.0, 1.0)

# The arguments on which a function of one argument is defined (all real numbers where it is not listed).
DOMAIN: dict[str, Range] = {
    "log": POSITIVE,
    "log2": POSITIVE,
    "log10": POSITIVE,
    "log1p": Range(-1.0, inf, True, True),
    "sqrt": NONNEGATIVE,
    "asin": UNIT,
    "acos": UNIT,
    "acosh": Range(1.0, inf, False, True),
    "atanh": INSIDE,
    "gammaln": POSITIVE,
    "sqrt1pm1": Range(-1.0, inf, False, True),
    "log1mexp": Range(-inf, 0.0, True, True),
}


def _guarded(function: Callable[[float], float], at_low: float, at_high: float) -> Callable[[float], float]:
    """Make a function total: its limits where Python's raises an error."""

    def total(x: float) -> float:
        if x == -inf:
            return at_low
        if x == inf:
            return at_high
        try:
            return function(x)
        except (ValueError, ZeroDivisionError):
            return at_low
        except OverflowError:
            return at_high if x > 0 else at_low

    return total


def _sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))


def _softplus(x: float) -> float:
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def _logcosh(x: float) -> float:
    return abs(x) + math.log1p(math.exp(-2 * abs(x))) - 0.6931471805599453 if x > 1e-2 else x * x / 2


def _cbrt(x: float) -> float:
    return math.copysign(abs(x) ** (1 / 3), x)


# The increasing functions: their doubles, and the values that they have.
INCREASING: dict[str, tuple[Callable[[float], float], Range]] = {
    "exp": (_guarded(math.exp, 0.0, inf), POSITIVE),
    "expm1": (_guarded(math.expm1, -1.0, inf), Range(-1.0, inf, True, True)),
    "log": (_guarded(math.log, -inf, inf), REALS),
    "log2": (_guarded(math.log2, -inf, inf), REALS),
    "log10": (_guarded(math.log10, -inf, inf), REALS),
    "log1p": (_guarded(math.log1p, -inf, inf), REALS),
    "sqrt": (_guarded(math.sqrt, 0.0, inf), NONNEGATIVE),
    "cbrt": (_guarded(_cbrt, -inf, inf), REALS),
    "sigmoid": (_guarded(_sigmoid, 0.0, 1.0), Range(0.0, 1.0, True, True)),
    "softplus": (_guarded(_softplus, 0.0, inf), POSITIVE),
    "asin": (_guarded(math.asin, -HALF_PI, HALF_PI), Range(-HALF_PI, HALF_PI)),
    "atan": (_guarded(math.atan, -HALF_PI, HALF_PI), Range(-HALF_PI, HALF_PI, True, True)),
    "sinh": (_guarded(math.sinh, -inf, inf), REALS),
    "tanh": (_guarded(math.tanh, -1.0, 1.0), INSIDE),
    "asinh": (_guarded(math.asinh, -inf, inf), REALS),
    "acosh": (_guarded(math.acosh, 0.0, inf), NONNEGATIVE),
    "erf": (_guarded(math.erf, -1.0, 1.0), INSIDE),
}
DECREASING: dict[str, tuple[Callable[[float], float], Range]] = {
    "acos": (_guarded(math.acos, WHOLE_PI, 0.0), Range(0.0, WHOLE_PI)),
    "erfc": (_guarded(math.erfc, 2.0, 0.0), Range(0.0, 2.0, True, True)),
}
# Even functions that grow away from 0, and the value there and at infinity.
EVEN: dict[str, tuple[Callable[[float], float], Range]] = {
    "cosh": (_guarded(math.cosh, 1.0, inf), Range(1.0, inf)),
    "coshm1": (_guarded(lambda x: 2 * math.sinh(x / 2) ** 2, 0.0, inf), Range(0.0, inf)),
    "logcosh": (_guarded(_logcosh, 0.0, inf), Range(0.0, inf)),
    "hypotm1": (_guarded(lambda x: x * (x / (math.hypot(1.0, x) + 1)), 0.0, inf), Range(0.0, inf)),
}
IMAGE = {
    "versin": Range(0.0, 2.0),
    "sech": Range(0.0, 1.0, True, False),
    "softmax": Range(0.0, 1.0, True, False),
    "dircos": UNIT,
    "log1mexp": Range(-inf, 0.0, True, True),
    "exprel": POSITIVE,
    "exprel_diff": POSITIVE,
}
# atanh has its poles at both ends
ATANH = _guarded(math.atanh, -inf, inf)


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
        case "logaddexp":
            a, b = args
            top = _max(a, b)
            return Range(top.low, up(top.high + 0.6931471805599454), True, top.open_high)
        case "atan2":
            return Range(-WHOLE_PI, WHOLE_PI)
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
        inside = _of_one(op, args[0], limit=limit)
        return anything if inside is None else inside
    return anything


def _of_one(op: str, a: Range, *, limit: bool) -> Range | None:
    exact = TABLE[op].exact if op in TABLE else {}
    if op == "sqrt":
        exact = _perfect(a.low) | _perfect(a.high)
    if op in INCREASING:
        function, image = INCREASING[op]
        return increasing(function, a, image, exact)
    if op in EVEN:
        size = _of_one("abs", a, limit=limit)
        assert size is not None
        function, image = EVEN[op]
        return _spread(increasing(function, size, image), image)
    if op in DECREASING:
        function, image = DECREASING[op]
        return decreasing(function, a, image)
    match op:
        case "atanh":
            low = -inf if a.low <= -1 else down(ATANH(a.low), 2)
            high = inf if a.high >= 1 else up(ATANH(a.high), 2)
            return Range(low, high, a.open_low, a.open_high)
        case "abs":
            if a.low >= 0:
                return a
            if a.high <= 0:
                return neg(a)
            far = max((-a.low, a.open_low), (a.high, a.open_high), key=lambda end: (end[0], not end[1]))
            return Range(0.0, far[0], False, far[1])
        case "sign":
            if limit and a.low <= 0 <= a.high:
                return UNIT
            return Range(
                _sign(a.low, open_end=a.open_low, below=False), _sign(a.high, open_end=a.open_high, below=True)
            )
        case "floor" | "ceil":
            return _rounded(op, a, limit=limit)
        case "sin":
            return _wave(a, math.sin, -0.5)
        case "cos":
            return _wave(a, math.cos, 0.0)
        case "tan" if a.low > -1.57 and a.high < 1.57:
            return increasing(math.tan, a, REALS, {Fraction(0): Fraction(0)})
        case "gammaln":
            return _gammaln(a)
    return None


def _perfect(x: float) -> dict[Fraction, Fraction]:
    """Return the square root of a perfect square."""
    if not 0 <= x < inf:
        return {}
    root = Fraction(math.sqrt(x))
    return {Fraction(x): root} if root * root == Fraction(x) else {}


def _spread(r: Range, image: Range) -> Range:
    """Widen a range by the rounding of a function that is right to some 12 digits (its least value is exact)."""
    low = r.low if r.low == image.low else max(image.low, r.low * (1 - 1e-4 if r.low < 1e-4 else 1 - 1e-12))
    return Range(low, r.high * (1 + 1e-12), r.open_low, r.open_high)


def _sign(x: float, *, open_end: bool, below: bool) -> float:
    if x == 0 and open_end:
        return -1.0 if below else 1.0
    return 0.0 if x == 0 else math.copysign(1.0, x)


def _rounded(op: str, a: Range, *, limit: bool) -> Range:
    function = math.floor if op == "floor" else math.ceil
    spare = 1.0 if limit else 0.0
    low = a.low if math.isinf(a.low) else float(function(a.low)) - spare
    high = a.high if math.isinf(a.high) else float(function(a.high)) + spare
    return Range(low, high)


def _max(a: Range, b: Range) -> Range:
    low, high = max(a.low, b.low), max(a.high, b.high)
    open_low = (a.open_low and a.low == low) or (b.open_low and b.low == low)
    open_high = all(r.open_high for r in (a, b) if r.high == high)
    return Range(low, high, open_low, open_high)


def _wave(a: Range, function: Callable[[float], float], shift: float) -> Range:
    """Sine or cosine: the crests of cos(x + shift·π) lie at the even multiples of π less the shift."""
    if not a.high - a.low < 6.28 or max(abs(a.low), abs(a.high)) > 1e6:
        return UNIT
    ends = (function(a.low), function(a.high))
    low, high = max(-1.0, down(min(ends), 4)), min(1.0, up(max(ends), 4))
    if a.low == a.high == 0:
        return Range(ends[0], ends[0])
    first, last = a.low / pi + shift, a.high / pi + shift  # in half turns
    margin = 1e-9
    crest = math.ceil((first - margin) / 2) * 2 <= last + margin
    trough = math.ceil((first - 1 - margin) / 2) * 2 + 1 <= last + margin
    return Range(-1.0 if trough else low, 1.0 if crest else high)


def _gammaln(a: Range) -> Range:
    def bounds(x: float) -> tuple[float, float]:
        if x <= 0 or x == inf:
            return inf, inf
        try:
            value = math.lgamma(x)
        except OverflowError:
            return 1e308, inf
        spare = 1e-13 * abs(value) + 1e-14
        return value - spare, value + spare

    low, high = bounds(a.low), bounds(a.high)
    least = GAMMALN_LEAST if a.low <= GAMMALN_AT <= a.high else min(low[0], high[0])
    return Range(least, max(low[1], high[1]))


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
        grown = increasing(_guarded(lambda x: x**exponent, 0.0, inf), inside, NONNEGATIVE, {Fraction(1): Fraction(1)})
        if inside.open_low and inside.low == 0:
            grown = Range(0.0, grown.high, True, grown.open_high)
        return grown if b.low > 0 else reciprocal(grown)
    if limit and not (a.low > 0 and a.high < inf):
        return Range(0.0, inf)
    if not a.positive:
        return NONNEGATIVE if a.low >= 0 else REALS
    logarithm = increasing(INCREASING["log"][0], a, REALS, TABLE["log"].exact)
    return _of_one("exp", mul(b, logarithm, limit=limit), limit=limit)


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
