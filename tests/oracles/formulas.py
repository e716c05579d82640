"""Random formulas, each spelled twice at once: as a text and as a SymPy expression."""

from __future__ import annotations

import random
from typing import NamedTuple

import sympy

NAMES = ("x", "y", "z")
SYMBOLS = {name: sympy.Symbol(name, real=True) for name in NAMES}


class Both(NamedTuple):
    text: str
    expression: sympy.Expr


def _third_root(x):
    return sympy.sign(x) * sympy.Abs(x) ** sympy.Rational(1, 3)


# name in a text → the function in SymPy; a number behind the name is a first argument that stays constant.
UNARY = {
    "exp": sympy.exp,
    "log": sympy.log,
    "log2": lambda x: sympy.log(x) / sympy.log(2),
    "log10": lambda x: sympy.log(x) / sympy.log(10),
    "log1p": lambda x: sympy.log(1 + x),
    "expm1": lambda x: sympy.exp(x) - 1,
    "sqrt": sympy.sqrt,
    "cbrt": _third_root,
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "asinh": sympy.asinh,
    "acosh": sympy.acosh,
    "atanh": sympy.atanh,
    "erf": sympy.erf,
    "erfc": sympy.erfc,
    "gammaln": sympy.loggamma,
    "abs": sympy.Abs,
    "sign": sympy.sign,
    "floor": sympy.floor,
    "ceil": sympy.ceiling,
}
BINARY = {
    "logaddexp": lambda a, b: sympy.log(sympy.exp(a) + sympy.exp(b)),
    "hypot": lambda a, b: sympy.sqrt(a**2 + b**2),
    "atan2": sympy.atan2,
    "min": sympy.Min,
    "max": sympy.Max,
}
# Forms that keep their digits: not drawn for random formulas.
STABLE = {
    "hypotm1": lambda x: sympy.sqrt(1 + x**2) - 1,
    "sqrt1pm1": lambda x: sympy.sqrt(1 + x) - 1,
    "versin": lambda x: 1 - sympy.cos(x),
    "coshm1": lambda x: sympy.cosh(x) - 1,
    "logcosh": lambda x: sympy.log(sympy.cosh(x)),
    "sech": sympy.sech,
    "log1mexp": lambda x: sympy.log(1 - sympy.exp(x)),
    "onemsq": lambda x: 1 - x**2,
    "bose": lambda x: 1 / (sympy.exp(x) - 1),
    "exprel": lambda x: (sympy.exp(x) - 1) / x,
}
STABLE_OF_TWO = {
    "softmax": lambda a, b: sympy.exp(a) / (sympy.exp(a) + sympy.exp(b)),
    "logsumexp": BINARY["logaddexp"],
    "sharevar": lambda a, b: sympy.exp(a + b) / (sympy.exp(a) + sympy.exp(b)) ** 2,
    "dircos": lambda a, b: a / sympy.sqrt(a**2 + b**2),
}
# What an argument is put into, so that it lies in the domain and nothing explodes.
INTO = (
    dict.fromkeys(("log", "log2", "log10", "sqrt", "gammaln"), "1.5 + ({u})**2")
    | dict.fromkeys(("exp", "expm1", "sinh", "cosh"), "atan({u})")
    | dict.fromkeys(("asin", "acos", "atanh", "tan"), "0.75*sin({u})")
    | {"acosh": "2 + ({u})**2", "log1p": "({u})**2/4"}
)
SMOOTH = [name for name in UNARY if name not in {"sign", "floor", "ceil"}]


def _safe(name, u):
    """Put an argument into the domain of a function."""
    text = INTO.get(name, "{u}").replace("{u}", u.text)
    x = u.expression
    wrapped = {
        "1.5 + ({u})**2": lambda: sympy.Rational(3, 2) + x**2,
        "2 + ({u})**2": lambda: 2 + x**2,
        "({u})**2/4": lambda: x**2 / 4,
        "atan({u})": lambda: sympy.atan(x),
        "0.75*sin({u})": lambda: sympy.Rational(3, 4) * sympy.sin(x),
    }.get(INTO.get(name))
    return Both(text, wrapped() if wrapped else x)


def leaf(rng):
    match rng.randrange(6):
        case 0:
            whole = rng.randint(1, 9)
            return Both(str(whole), sympy.Integer(whole))
        case 1:
            tenths = rng.randint(1, 99)
            return Both(f"{tenths / 10}", sympy.Rational(tenths, 10))
    name = rng.choice(NAMES)
    return Both(name, SYMBOLS[name])


def formula(rng: random.Random, depth: int) -> Both:
    """Draw a formula with `depth` operations above one another."""
    if depth == 0:
        return leaf(rng)
    kind = rng.choice(["+", "-", "*", "/", "**", "minus", "unary", "unary", "unary", "binary", "where"])
    u = formula(rng, depth - 1)
    v = formula(rng, rng.randrange(depth))
    match kind:
        case "+":
            return Both(f"{u.text} + ({v.text})", u.expression + v.expression)
        case "-":
            return Both(f"{u.text} - ({v.text})", u.expression - v.expression)
        case "*":
            return Both(f"({u.text})*({v.text})", u.expression * v.expression)
        case "/":
            return Both(f"({u.text})/(2 + ({v.text})**2)", u.expression / (2 + v.expression**2))
        case "minus":
            return Both(f"-({u.text})", -u.expression)
        case "**":
            return _power(rng, u, v)
        case "unary":
            name = rng.choice(SMOOTH)
            inner = _safe(name, u)
            return Both(f"{name}({inner.text})", UNARY[name](inner.expression))
        case "binary":
            name = rng.choice(list(BINARY))
            text = f"{name}({u.text}, {v.text})" if name != "atan2" else f"atan2({u.text}, 1 + ({v.text})**2)"
            second = v.expression if name != "atan2" else 1 + v.expression**2
            return Both(text, BINARY[name](u.expression, second))
    where = f"where({u.text} < {v.text}, {v.text}, {u.text} + 1)"
    return Both(where, sympy.Piecewise((v.expression, u.expression < v.expression), (u.expression + 1, True)))


def _power(rng, u, v):
    match rng.randrange(4):
        case 0:
            return Both(f"(1 + ({u.text})**2)**0.75", (1 + u.expression**2) ** sympy.Rational(3, 4))
        case 1:
            return Both(f"(1 + ({u.text})**2)**sin({v.text})", (1 + u.expression**2) ** sympy.sin(v.expression))
        case 2:
            return Both(f"(1 + ({u.text})**2)**(-2)", (1 + u.expression**2) ** -2)
    power = rng.randint(2, 3)
    return Both(f"({u.text})**{power}", u.expression**power)


def point(rng: random.Random) -> dict[str, float]:
    return {name: round(rng.uniform(-2, 2), 3) + 0.0123 for name in NAMES}
