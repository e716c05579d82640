"""A tape evaluated with mpmath, at any precision, apart from the package's own interpreter."""

from __future__ import annotations

import mpmath as mp


def _real(function):
    """Make a function NaN where it is complex or has a pole."""

    def wrapped(*args):
        if any(mp.isnan(a) for a in args):
            return mp.nan
        try:
            value = function(*args)
        except (ValueError, ZeroDivisionError, OverflowError):
            return mp.nan
        return value if isinstance(value, mp.mpf) else mp.nan

    return wrapped


def _div(a, b):
    if b == 0:
        return mp.nan if a == 0 else mp.inf * mp.sign(a)
    return a / b


def _pow(a, b):
    if a == 0 and b <= 0:
        return mp.mpf(1) if b == 0 else mp.inf
    if a < 0 and b != mp.floor(b):
        return mp.nan
    return mp.power(a, b)


def _cbrt(x):
    return mp.sign(x) * mp.cbrt(abs(x))


def _chebyshev(order, degree, x):
    """By the three-term recurrence of Gegenbauer's polynomials: another way than the package's."""
    if order != mp.floor(order) or degree != mp.floor(degree) or order < 0 or degree < 0:
        return mp.nan
    if order == 0:
        return mp.chebyt(degree, x)
    below, value = mp.mpf(0), mp.mpf(1)
    for n in range(1, int(degree - order) + 1):
        below, value = value, (2 * x * (n + order - 1) * value - (n + 2 * order - 2) * below) / n
    return mp.mpf(2) ** (order - 1) * mp.factorial(order - 1) * degree * value if degree >= order else mp.mpf(0)


def _atanh(x):
    return mp.atanh(x) if abs(x) < 1 else mp.nan


OPERATIONS = {
    "add": lambda *terms: mp.fsum(terms),
    "mul": lambda *factors: mp.fprod(factors),
    "neg": lambda x: -x,
    "div": _div,
    "pow": _real(_pow),
    "sqrt": _real(mp.sqrt),
    "pi": lambda: +mp.pi,
    "exp": mp.exp,
    "log": _real(mp.log),
    "log2": _real(lambda x: mp.log(x) / mp.log(2)),
    "log10": _real(lambda x: mp.log(x) / mp.log(10)),
    "log1p": _real(lambda x: mp.log(1 + x)),
    "expm1": mp.expm1,
    "cbrt": _real(_cbrt),
    "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
    "softplus": lambda x: mp.log(1 + mp.exp(x)),
    "logaddexp": lambda a, b: mp.log(mp.exp(a) + mp.exp(b)),
    "hypot": mp.hypot,
    "logsumexp": lambda *args: mp.log(mp.fsum(map(mp.exp, args))),
    "softmax": lambda a, *others: 1 / (1 + mp.fsum(mp.exp(b - a) for b in others)),
    "sharevar": lambda a, b: 1 / ((1 + mp.exp(b - a)) * (1 + mp.exp(a - b))),
    "dircos": _real(lambda a, b: a / mp.sqrt(a * a + b * b)),
    "hypotm1": lambda x: mp.sqrt(1 + x * x) - 1,
    "sqrt1pm1": _real(lambda x: mp.sqrt(1 + x) - 1),
    "versin": lambda x: 1 - mp.cos(x),
    "coshm1": lambda x: mp.cosh(x) - 1,
    "logcosh": lambda x: mp.log(mp.cosh(x)),
    "sech": mp.sech,
    "log1mexp": _real(lambda x: mp.log(1 - mp.exp(x))),
    "onemsq": lambda x: 1 - x * x,
    "bose": lambda x: _div(mp.mpf(1), mp.exp(x) - 1),
    "exprel": lambda x: mp.expm1(x) / x if x else mp.mpf(1),
    "exprel_diff": _real(lambda order, x: mp.hyp1f1(order + 1, order + 2, x) / (order + 1)),
    "sin": mp.sin,
    "cos": mp.cos,
    "tan": mp.tan,
    "asin": _real(mp.asin),
    "acos": _real(mp.acos),
    "atan": mp.atan,
    "atan2": mp.atan2,
    "sinh": mp.sinh,
    "cosh": mp.cosh,
    "tanh": mp.tanh,
    "asinh": mp.asinh,
    "acosh": _real(mp.acosh),
    "atanh": _real(_atanh),
    "erf": mp.erf,
    "erfc": mp.erfc,
    "gammaln": _real(mp.loggamma),
    "polygamma": _real(lambda order, x: mp.psi(int(order), x)),
    "chebyshevt": _real(lambda degree, x: _chebyshev(mp.mpf(0), degree, x)),
    "chebyshevt_diff": _real(_chebyshev),
    "abs": abs,
    "sign": mp.sign,
    "min": min,
    "max": max,
    "floor": mp.floor,
    "ceil": mp.ceil,
    "where": lambda condition, a, b: a if condition else b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "eq": lambda a, b: a == b,
    "and": lambda a, b: a and b,
    "or": lambda a, b: a or b,
    "not": lambda a: not a,
}


def evaluate(tape, roots, point):
    """Return the values of `roots`, where `point` maps names to numbers."""
    values = {}
    for index in tape.reachable(roots):
        entry = tape[index]
        if entry.op == "constant":
            values[index] = mp.mpf(entry.value.numerator) / entry.value.denominator
        elif entry.op == "symbol":
            values[index] = mp.mpf(point[entry.value])
        else:
            values[index] = OPERATIONS[entry.op](*(values[a] for a in entry.args))
    return [values[root] for root in roots]
