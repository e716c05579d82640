"""Random tapes, nasty points, and what "the same bits" means."""

from __future__ import annotations

import math
import random
import struct
from fractions import Fraction

from descend.errors import FormulaError, LimitError
from descend.expression.derivative import gradient
from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.kernel.program import lower

inf, nan = math.inf, math.nan

SMALLEST, LEAST_NORMAL, LARGEST = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308
EDGES = (
    0.0, -0.0, inf, -inf, nan, SMALLEST, -SMALLEST, 1e-310, -1e-310, LEAST_NORMAL, -LEAST_NORMAL, LARGEST, -LARGEST,
    1e200, -1e200, 1e-200, 1.0, -1.0, 1 - 2**-53, 1 + 2**-52, -1 + 2**-53, -1 - 2**-52, 0.5, -0.5, 2.0, -2.0, 3.0, -3.0,
    4.5, -4.5, 8.0, 100.0, -100.0, 1e-8, -1e-8, 709.78, 709.79, -745.1, -745.2, 710.5, -710.5, 171.6, 26.5, 27.5,
    math.pi, math.pi / 2, -math.pi / 2, 1e22, -1e22, 4503599627370497.5, -0.7,
)  # fmt: skip

UNARY = (
    "neg", "sqrt", "exp", "log", "log2", "log10", "log1p", "expm1", "cbrt", "sigmoid", "softplus", "sin", "cos", "tan",
    "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "erf", "erfc", "abs", "sign", "floor",
    "ceil",
)  # fmt: skip
BINARY = ("div", "pow", "min", "max", "hypot", "atan2", "logaddexp")
MANY = ("add", "mul")
CONSTANTS = (Fraction(1, 2), Fraction(2), Fraction(3), Fraction(-1), Fraction(1, 3), Fraction(1, 10), Fraction(10),
             Fraction(-5, 2), Fraction(1000003, 7), Fraction(8), Fraction(10**300), Fraction(1, 10**310))  # fmt: skip


def same(a: float, b: float) -> bool:
    """Whether two doubles have the same bits; a NaN is a NaN."""
    return (a != a and b != b) or struct.pack("d", a) == struct.pack("d", b)  # noqa: PLR0124


def all_same(a, b) -> bool:
    a, b = list(a), list(b)
    return len(a) == len(b) and all(map(same, a, b))


def ulps(value: float, exact) -> float:
    """Distance in units in the last place of `exact`."""
    return float(abs(value - exact) / math.ulp(float(exact)))


def random_condition(rng: random.Random, tape: Tape, pool: list[int]) -> int:
    kind = rng.choice(["lt", "le", "eq", "and", "or", "not"])
    if kind == "not":
        return tape.call("not", random_condition(rng, tape, pool))
    if kind in {"and", "or"}:
        return tape.call(kind, random_condition(rng, tape, pool), tape.call("lt", rng.choice(pool), rng.choice(pool)))
    return tape.call(kind, rng.choice(pool), rng.choice(pool))


def random_root(rng: random.Random, tape: Tape, symbols: list[int], size: int) -> int:
    """Grow a graph of `size` operations on `symbols` and constants; return the last of them."""
    pool = [*symbols, *(tape.constant(rng.choice(CONSTANTS)) for _ in range(2))]
    while size:
        kind = rng.random()
        recent = [*pool[-3:], rng.choice(pool)]  # deep rather than wide
        a, b = rng.choice(recent), rng.choice(pool)
        try:
            if kind < 0.4:
                new = tape.call(rng.choice(UNARY), a)
            elif kind < 0.65:
                new = tape.call(rng.choice(MANY), a, b, *(rng.choice(pool) for _ in range(rng.randrange(3))))
            elif kind < 0.75:
                new = tape.pow(a, tape.constant(rng.choice([-8, -3, -2, -1, 2, 3, 4, 5, 7, 8, 9, Fraction(3, 2)])))
            elif kind < 0.92:
                new = tape.call(rng.choice(BINARY), *rng.sample([a, b], 2))
            else:
                new = tape.call("where", random_condition(rng, tape, pool), a, b)
        except (FormulaError, LimitError):  # 1/0 and the like
            continue
        pool.append(new)
        size -= 1
    return pool[-1]


def random_outputs(rng: random.Random, tape: Tape, symbols: list[int], size: int) -> list[int]:
    """Return the entries of value and gradient of a random graph."""
    while True:
        root = random_root(rng, tape, symbols, size)
        try:
            return [root, *gradient(tape, root, symbols)]
        except (FormulaError, LimitError):  # a constant of the derivative is too long to be folded
            continue


def random_point(rng: random.Random, size: int) -> list[float]:
    """Mostly ordinary numbers, some of any size, some edges."""

    def coordinate() -> float:
        match rng.randrange(6):
            case 0:
                return rng.choice(EDGES)
            case 1:
                return rng.choice([-1, 1]) * math.exp(rng.gauss(0, 30))
        return rng.gauss(0, 2)

    return [coordinate() for _ in range(size)]


# What an argument is put into, so that it lies in the domain and nothing explodes.
INTO = (
    dict.fromkeys(("log", "log2", "log10", "sqrt", "gammaln"), "1.5 + ({})^2")
    | dict.fromkeys(("exp", "expm1", "sinh", "cosh"), "atan({})")
    | dict.fromkeys(("asin", "acos", "atanh", "tan"), "0.75*sin({})")
    | {"acosh": "2 + ({})^2", "log1p": "({})^2/4"}
)
SMOOTH = tuple(name for name in (*UNARY, "gammaln") if name not in {"neg", "sign", "floor", "ceil"})
TEMPLATES = (
    "{0} + ({1})", "{0} - ({1})", "({0})*({1})", "({0})/(2 + ({1})^2)", "-({0})", "(1 + ({0})^2)^0.75",
    "(1 + ({0})^2)^sin({1})", "(1 + ({0})^2)^(-2)", "({0})^3", "({0})^2", "logaddexp({0}, {1})", "hypot({0}, {1})",
    "atan2({0}, 1 + ({1})^2)", "min({0}, {1})", "max({0}, {1})", "where({0} < {1}, {1}, {0} + 1)",
)  # fmt: skip
NAMES = ("x", "y", "z")


def random_formula(rng: random.Random, depth: int) -> str:
    """Draw a text with `depth` operations above one another, defined everywhere and of moderate size."""
    if depth == 0:
        leaf = rng.randrange(6)
        return str(rng.randint(1, 9)) if leaf == 0 else f"{rng.randint(1, 99) / 10}" if leaf == 1 else rng.choice(NAMES)
    u, v = random_formula(rng, depth - 1), random_formula(rng, rng.randrange(depth))
    if rng.random() < 0.45:
        name = rng.choice(SMOOTH)
        return f"{name}({INTO.get(name, '{}').format(u)})"
    return rng.choice(TEMPLATES).format(u, v)


def moderate_point(rng: random.Random) -> dict[str, float]:
    return {name: round(rng.uniform(-2, 2), 3) + 0.0123 for name in NAMES}


def with_gradient(text: str):
    """Return the program of value and gradient of a formula."""
    tape, root = parse(text)
    symbols = tape.symbols((root,))
    return lower(tape, [root, *gradient(tape, root, list(symbols.values()))], tuple(symbols))
