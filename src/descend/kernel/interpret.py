"""Programs interpreted: with Python floats (the small tier), NumPy arrays (the reference on data) or exact fractions.

No Python source is generated.  Every operation has IEEE meaning: a value outside a domain is NaN, never an exception.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from fractions import Fraction
from functools import cache
from math import copysign, inf, isnan, nan
from typing import Any

from descend.kernel.chebyshev import chebyshev, chebyshev_arrays
from descend.kernel.polygamma import polygamma, polygamma_arrays
from descend.kernel.program import PRIMITIVES, Program, to_double

Function = Callable[..., Any]


def _ieee(function: Callable[[float], float], overflow: Callable[[float], float]) -> Callable[[float], float]:
    """Wrap a function of `math` that raises: out of its domain is NaN, too large is what `overflow` says."""

    def wrapped(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return overflow(x)
        except ValueError:
            return nan

    return wrapped


def _logarithm(function: Callable[[float], float], pole: float) -> Callable[[float], float]:
    def wrapped(x: float) -> float:
        if x == pole:
            return -inf
        try:
            return function(x)
        except ValueError:
            return nan

    return wrapped


def _div(a: float, b: float) -> float:
    try:
        return a / b
    except ZeroDivisionError:
        return nan if a == 0 or isnan(a) else copysign(inf, a) * copysign(1.0, b)


def _pow(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return -inf if a < 0 and _odd(b) else inf
    except ValueError:
        if a == 0:  # zero to a negative power
            return copysign(inf, a) if _odd(b) else inf
        return nan


def _odd(x: float) -> bool:
    """Whether x is an odd whole number: only such a power keeps the sign."""
    # fmod is exact; % is not: -0.9999999999999999 % 2 is 1.0.
    return abs(math.fmod(x, 2.0)) == 1.0


def _min(a: float, b: float) -> float:
    if a < b:
        return a
    if b < a:
        return b
    return (a if copysign(1.0, a) < 0 else b) if a == b else nan  # -0 lies below 0, as IEEE 754-2019 has it


def _max(a: float, b: float) -> float:
    if a > b:
        return a
    if b > a:
        return b
    return (b if copysign(1.0, a) < 0 else a) if a == b else nan


def _where(condition: bool, a: float, b: float) -> float:
    return a if condition else b


def _both(a: bool, b: bool) -> bool:
    return a and b


def _either(a: bool, b: bool) -> bool:
    return a or b


def _floor(x: float) -> float:
    return copysign(math.floor(x), x) if math.isfinite(x) else x  # the sign of -0.0 stays


def _ceil(x: float) -> float:
    return copysign(math.ceil(x), x) if math.isfinite(x) else x


def _atanh(x: float) -> float:
    if abs(x) == 1:
        return copysign(inf, x)
    try:
        return math.atanh(x)
    except ValueError:
        return nan


def _gammaln(x: float) -> float:
    try:
        return math.lgamma(x)
    except (OverflowError, ValueError):  # too large, or a pole: 0, -1, -2, ...
        return inf


def _signed_infinity(x: float) -> float:
    return copysign(inf, x)


def _infinity(_x: float) -> float:
    return inf


FLOATS: dict[str, Function] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": _div,
    "neg": operator.neg,
    "sqrt": _ieee(math.sqrt, _infinity),
    "pow": _pow,
    "abs": abs,
    "floor": _floor,
    "ceil": _ceil,
    "min": _min,
    "max": _max,
    "exp": _ieee(math.exp, _infinity),
    "log": _logarithm(math.log, 0.0),
    "log2": _logarithm(math.log2, 0.0),
    "log10": _logarithm(math.log10, 0.0),
    "log1p": _logarithm(math.log1p, -1.0),
    "expm1": _ieee(math.expm1, _infinity),
    "cbrt": math.cbrt,
    "sin": _ieee(math.sin, _infinity),
    "cos": _ieee(math.cos, _infinity),
    "tan": _ieee(math.tan, _infinity),
    "asin": _ieee(math.asin, _infinity),
    "acos": _ieee(math.acos, _infinity),
    "atan": math.atan,
    "atan2": math.atan2,
    "sinh": _ieee(math.sinh, _signed_infinity),
    "cosh": _ieee(math.cosh, _infinity),
    "tanh": math.tanh,
    "asinh": math.asinh,
    "acosh": _ieee(math.acosh, _infinity),
    "atanh": _atanh,
    "erf": math.erf,
    "erfc": math.erfc,
    "gammaln": _gammaln,
    "polygamma": polygamma,
    "chebyshev": chebyshev,
    "where": _where,
    "lt": operator.lt,
    "le": operator.le,
    "eq": operator.eq,
    "and": _both,
    "or": _either,
    "not": operator.not_,
}

EXACT: dict[str, Function] = {
    name: FLOATS[name] for name in ("add", "sub", "mul", "neg", "abs", "where", "lt", "le", "eq", "and", "or", "not")
} | {"div": operator.truediv, "min": min, "max": max}


@cache
def arrays() -> dict[str, Function]:
    """Return the spellings for NumPy arrays (float64, any shape, broadcast)."""
    import numpy as np

    def special_function(name: str) -> Function:
        def call(x: Any) -> Any:
            from scipy import special

            return getattr(special, name)(x)

        return call

    return {
        "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.true_divide, "neg": np.negative,
        "sqrt": np.sqrt, "pow": np.power, "abs": np.abs, "floor": np.floor, "ceil": np.ceil, "min": np.minimum,
        "max": np.maximum, "exp": np.exp, "log": np.log, "log2": np.log2, "log10": np.log10, "log1p": np.log1p,
        "expm1": np.expm1, "cbrt": np.cbrt, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin,
        "acos": np.arccos, "atan": np.arctan, "atan2": np.arctan2, "sinh": np.sinh, "cosh": np.cosh,
        "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
        "erf": special_function("erf"), "erfc": special_function("erfc"),
        "gammaln": special_function("gammaln"), "polygamma": polygamma_arrays,
        "chebyshev": chebyshev_arrays, "where": np.where, "lt": np.less,
        "le": np.less_equal, "eq": np.equal, "and": np.logical_and, "or": np.logical_or, "not": np.logical_not,
    }  # fmt: skip


class Interpreter:
    """A program ready to be walked.

    Calling it with the inputs returns the list of outputs.  `spellings` decides what the numbers are: `FLOATS`,
    `EXACT` or `arrays()`.
    """

    def __init__(self, program: Program, spellings: dict[str, Function] = FLOATS) -> None:
        self.program = program
        self.exact = spellings is EXACT
        first = len(program.inputs)
        self._template: list[Any] = [0.0] * program.slots
        self._code: list[tuple[Function, int, int, int, int]] = []
        for slot, instruction in enumerate(program.instructions, first):
            if instruction.op == "constant":
                assert instruction.value is not None
                self._template[slot] = instruction.value if self.exact else to_double(instruction.value)
            else:
                a, b, c = (*instruction.args, -1, -1)[:3]
                self._code.append((spellings[instruction.op], slot, a, b, c))

    def slots(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the value of every slot."""
        values = self._template.copy()
        values[: len(inputs)] = inputs
        for function, slot, a, b, c in self._code:
            if b < 0:
                values[slot] = function(values[a])
            elif c < 0:
                values[slot] = function(values[a], values[b])
            else:
                values[slot] = function(values[a], values[b], values[c])
        return values

    def __call__(self, inputs: Sequence[Any]) -> list[Any]:
        """Return the outputs."""
        values = self.slots(inputs)
        return [values[slot] for slot in self.program.outputs]


def evaluate_arrays(interpreter: Interpreter, inputs: Sequence[Any]) -> list[Any]:
    """Call an interpreter made with `arrays()`, silently where values are not finite."""
    import numpy as np

    with np.errstate(all="ignore"):
        return interpreter(inputs)


def exact(program: Program) -> Interpreter | None:
    """Return an interpreter over `Fraction`, or None where an operation has no exact value."""
    known = EXACT.keys() | {"constant"}
    if any(instruction.op not in known for instruction in program.instructions):
        return None
    return Interpreter(program, EXACT)


def exact_point(point: Sequence[float]) -> list[Fraction]:
    """Return the binary numbers that the doubles hold."""
    return [Fraction(x) for x in point]


assert FLOATS.keys() == PRIMITIVES.keys() - {"constant"}
