"""How each function of one argument acts on intervals (`interval.py`), and on which arguments it is defined."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from math import inf, pi

from descend.expression.analyse.interval import (
    NONNEGATIVE,
    POSITIVE,
    REALS,
    Range,
    decreasing,
    down,
    increasing,
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


def guarded(function: Callable[[float], float], at_low: float, at_high: float) -> Callable[[float], float]:
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
    if x > 0.05:
        return x + math.log1p(math.exp(-2 * x)) - 0.6931471805599453
    return x * x * (1 / 2 - x * x * (1 / 12 - x * x / 45))


def _log1mexp(x: float) -> float:
    return math.log(-math.expm1(-x)) if x < 0.7 else math.log1p(-math.exp(-x))


def _cbrt(x: float) -> float:
    return math.copysign(abs(x) ** (1 / 3), x)


# The increasing functions: their doubles, and the values that they have.
INCREASING: dict[str, tuple[Callable[[float], float], Range]] = {
    "exp": (guarded(math.exp, 0.0, inf), POSITIVE),
    "expm1": (guarded(math.expm1, -1.0, inf), Range(-1.0, inf, True, True)),
    "log": (guarded(math.log, -inf, inf), REALS),
    "log2": (guarded(math.log2, -inf, inf), REALS),
    "log10": (guarded(math.log10, -inf, inf), REALS),
    "log1p": (guarded(math.log1p, -inf, inf), REALS),
    "sqrt": (guarded(math.sqrt, 0.0, inf), NONNEGATIVE),
    "sqrt1pm1": (guarded(lambda x: x / (math.sqrt(1 + x) + 1), -1.0, inf), Range(-1.0, inf, False, True)),
    "exprel": (guarded(lambda x: math.expm1(x) / x if x else 1.0, 0.0, inf), POSITIVE),
    "cbrt": (guarded(_cbrt, -inf, inf), REALS),
    "sigmoid": (guarded(_sigmoid, 0.0, 1.0), Range(0.0, 1.0, True, True)),
    "softplus": (guarded(_softplus, 0.0, inf), POSITIVE),
    "asin": (guarded(math.asin, -HALF_PI, HALF_PI), Range(-HALF_PI, HALF_PI)),
    "atan": (guarded(math.atan, -HALF_PI, HALF_PI), Range(-HALF_PI, HALF_PI, True, True)),
    "sinh": (guarded(math.sinh, -inf, inf), REALS),
    "tanh": (guarded(math.tanh, -1.0, 1.0), INSIDE),
    "asinh": (guarded(math.asinh, -inf, inf), REALS),
    "acosh": (guarded(math.acosh, 0.0, inf), NONNEGATIVE),
    "erf": (guarded(math.erf, -1.0, 1.0), INSIDE),
}
DECREASING: dict[str, tuple[Callable[[float], float], Range]] = {
    "acos": (guarded(math.acos, WHOLE_PI, 0.0), Range(0.0, WHOLE_PI)),
    "log1mexp": (guarded(lambda x: _log1mexp(-x), 0.0, -inf), Range(-inf, 0.0, True, True)),
    "erfc": (guarded(math.erfc, 2.0, 0.0), Range(0.0, 2.0, True, True)),
}
# Even functions that grow away from 0, and the value there and at infinity.
EVEN: dict[str, tuple[Callable[[float], float], Range]] = {
    "cosh": (guarded(math.cosh, 1.0, inf), Range(1.0, inf)),
    "coshm1": (guarded(lambda x: 2 * math.sinh(x / 2) ** 2, 0.0, inf), Range(0.0, inf)),
    "logcosh": (guarded(_logcosh, 0.0, inf), Range(0.0, inf)),
    "hypotm1": (guarded(lambda x: x * (x / (math.hypot(1.0, x) + 1)), 0.0, inf), Range(0.0, inf)),
}
# atanh has its poles at both ends
ATANH = guarded(math.atanh, -inf, inf)


def of_one(op: str, a: Range, *, limit: bool) -> Range | None:
    """Return the values of ``op(a)``, None for unknown."""
    exact = TABLE[op].exact if op in TABLE else {}
    if op == "sqrt":
        exact = _perfect(a.low) | _perfect(a.high)
    if op in INCREASING:
        function, image = INCREASING[op]
        return increasing(function, a, image, exact)
    if op in EVEN:
        size = of_one("abs", a, limit=limit)
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
        case "sech":
            size = of_one("cosh", a, limit=limit)
            return size and reciprocal(size)
        case "versin":
            half = of_one("sin", mul(a, Range(0.5, 0.5)), limit=limit)
            return half and mul(Range(2.0, 2.0), whole_power(half, 2))
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
    """Widen a range by the error of a function that is right to 9 digits (its least value is exact)."""
    low = r.low if r.low == image.low else max(image.low, r.low * (1 - 1e-9))
    return Range(low, r.high * (1 + 1e-9), r.open_low, r.open_high)


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
