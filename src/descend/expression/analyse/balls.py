"""A formula at a point in ball arithmetic (python-flint's arb): as many digits as are asked for, and their error."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from descend.expression.tape import Tape

Ball = Any  # flint.arb, which has no types


def evaluate(tape: Tape, roots: Sequence[int], point: Mapping[str, Fraction], bits: int = 320) -> list[Ball] | None:
    """Return balls around the values of `roots`; None where an operation has no ball, or no value there."""
    import flint

    with flint.ctx.workprec(bits):
        values: dict[int, Ball] = {}
        for index in tape.reachable(roots):
            entry = tape[index]
            if isinstance(entry.value, Fraction):
                values[index] = _rational(flint, entry.value)
            elif entry.op == "symbol":
                values[index] = _rational(flint, point[str(entry.value)])
            else:
                function = OPERATIONS.get(entry.op)
                if function is None:
                    return None
                try:
                    result = function(*(values[a] for a in entry.args))
                except (ValueError, ZeroDivisionError, OverflowError):
                    return None
                if not result.is_finite():
                    return None
                values[index] = result
        return [values[r] for r in roots]


def _rational(flint: Any, value: Fraction) -> Ball:
    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def _sum(*terms: Ball) -> Ball:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total


def _product(*factors: Ball) -> Ball:
    total = factors[0]
    for factor in factors[1:]:
        total = total * factor
    return total


def _pi() -> Ball:
    import flint

    return flint.arb.pi()


def _exp(x: Ball) -> Ball:
    if abs(x) > 10**6:  # its digits would fill the memory
        raise OverflowError
    return x.exp()


def _power(a: Ball, b: Ball) -> Ball:
    if abs(b) > 10**6:
        raise OverflowError
    return a**b


def _logistic(x: Ball) -> Ball:
    return 1 / (1 + _exp(-x))


OPERATIONS: dict[str, Callable[..., Ball]] = {
    "add": _sum,
    "mul": _product,
    "neg": lambda x: -x,
    "div": lambda a, b: a / b,
    "pow": _power,
    "sqrt": lambda x: x.sqrt(),
    "pi": _pi,
    "exp": _exp,
    "expm1": lambda x: _exp(x) - 1,
    "log": lambda x: x.log(),
    "log2": lambda x: x.log() / (0 * x + 2).log(),
    "log10": lambda x: x.log() / (0 * x + 10).log(),
    "log1p": lambda x: x.log1p(),
    "sigmoid": _logistic,
    "softplus": lambda x: (1 + _exp(x)).log(),
    "logaddexp": lambda a, b: (_exp(a) + _exp(b)).log(),
    "hypot": lambda a, b: (a * a + b * b).sqrt(),
    "sin": lambda x: x.sin(),
    "cos": lambda x: x.cos(),
    "tan": lambda x: x.tan(),
    "asin": lambda x: x.asin(),
    "acos": lambda x: x.acos(),
    "atan": lambda x: x.atan(),
    "sinh": lambda x: (_exp(x) - _exp(-x)) / 2,
    "cosh": lambda x: (_exp(x) + _exp(-x)) / 2,
    "tanh": lambda x: x.tanh(),
    "asinh": lambda x: x.asinh(),
    "acosh": lambda x: x.acosh(),
    "atanh": lambda x: x.atanh(),
    "erf": lambda x: x.erf(),
    "erfc": lambda x: x.erfc(),
    "gammaln": lambda x: x.lgamma(),
}
