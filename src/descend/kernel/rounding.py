"""A running bound on the rounding error of a program's outputs (Wilkinson; Higham, *Accuracy and Stability*, ch. 3).

The point is taken as exact; every operation adds the error of its result to what its arguments carry.  For a library
function the carried error is what it does to the function at the ends of the arguments' intervals.  Jumps are taken as
decided: a comparison that rounding may have turned counts for both branches' errors, not for their difference.  The
bound is infinite where an interval reaches a pole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import inf, pi
from typing import Any

from descend.kernel.interpret import FLOATS, Interpreter
from descend.kernel.pieces import CONDITIONS
from descend.kernel.program import Instruction, Program, to_double

UNIT = 2.0**-53
TINY, LEAST_NORMAL = 2.0**-1074, 2.0**-1022
# Units in the last place that library functions are wrong by: glibc documents at most 2 but for those named here;
# gammaln and polygamma are measured.
LIBRARY_ULPS = 2.0
VECTOR_ULPS = 4.0  # the vector forms that NumPy and loops over an index or over rows use
ULPS = {"div": 0.5, "sqrt": 0.5, "floor": 0.0, "ceil": 0.0, "cbrt": 4.0, "erfc": 5.0, "gammaln": 8.0, "polygamma": 16.0}
# Where functions end: the exact argument is taken to lie inside, whatever rounding says.
DOMAIN: dict[str, tuple[float, float]] = {
    "sqrt": (0.0, inf), "log": (0.0, inf), "log2": (0.0, inf), "log10": (0.0, inf), "log1p": (-1.0, inf),
    "asin": (-1.0, 1.0), "acos": (-1.0, 1.0), "acosh": (1.0, inf), "atanh": (-1.0, 1.0),
}  # fmt: skip

Spellings = dict[str, Callable[..., Any]]


class Bounded:
    """A program ready to be walked with bounds, for floats or, with the spellings of arrays, for arrays.

    Calling it with the inputs returns (values, bounds) of the outputs.
    """

    def __init__(self, program: Program, spellings: Spellings = FLOATS) -> None:
        self.program, self.spellings = program, spellings
        self._interpreter = Interpreter(program, spellings)
        first = len(program.inputs)
        self._template: list[Any] = [0.0] * program.slots  # of a condition: whether rounding may have turned it
        self._code: list[tuple[int, Instruction]] = []
        for slot, instruction in enumerate(program.instructions, first):
            if instruction.op == "constant":
                assert instruction.value is not None
                value = to_double(instruction.value)
                self._template[slot] = error_in_program(spellings, instruction, [], [], value)
            else:
                self._code.append((slot, instruction))

    def __call__(self, inputs: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """Return (values, bounds) of the outputs."""
        values = self._interpreter.slots(inputs)
        errors = self._template.copy()
        call = self.spellings
        for slot, instruction in self._code:
            args = [values[a] for a in instruction.args]
            carried = [errors[a] for a in instruction.args]
            errors[slot] = error_in_program(call, instruction, args, carried, values[slot])
        outputs = self.program.outputs
        return [values[slot] for slot in outputs], [_known(call, errors[slot]) for slot in outputs]


def with_bounds(program: Program, inputs: Sequence[Any], spellings: Spellings = FLOATS) -> tuple[list[Any], list[Any]]:
    """Return (values, bounds) of the outputs of a program that is walked once."""
    return Bounded(program, spellings)(inputs)


def error_of(call: Spellings, instruction: Instruction, args: list[Any], carried: list[Any], value: Any) -> Any:
    """Bound the error of one operation's result; of a condition, say whether rounding may have turned it."""
    error = error_in_program(call, instruction, args, carried, value)
    return error if instruction.op in CONDITIONS else _known(call, error)


def _known(call: Spellings, error: Any) -> Any:
    """Turn a bound that is not a number (0·inf: nothing is known) into infinity."""
    return call["where"](call["eq"](error, error), error, inf)


def _exact(error: Any) -> bool:
    """Whether an error is known to be 0 before anything is computed."""
    return isinstance(error, float) and error == 0.0


def error_in_program(call: Spellings, instruction: Instruction, args: list[Any], carried: list[Any], value: Any) -> Any:
    """Do as `error_of` does, but leave NaN for an unknown bound: what is made of it stays NaN, until the end."""
    match instruction.op:
        case "add" | "sub":
            error = carried[0] + carried[1] + UNIT * abs(value)
        case "mul":
            a, b = args
            error = UNIT * abs(value) + 4.0 * TINY  # each of the products here may have underflowed
            if not _exact(carried[0]):
                error = error + abs(b) * carried[0]
            if not _exact(carried[1]):
                error = error + abs(a) * carried[1]
                if not _exact(carried[0]):
                    error = error + carried[0] * carried[1]
        case "constant":
            exact = instruction.value is not None and instruction.value == _fraction(value)
            error = 0.0 if exact else UNIT * abs(value) + TINY
        case "lt" | "le" | "eq":
            total = carried[0] + carried[1]
            if _exact(total):
                return False
            apart = call["lt"](total, abs(args[0] - args[1]))  # neither is certain of numbers that are none
            return call["and"](call["not"](apart), call["not"](call["le"](total, 0.0)))
        case "and" | "or":
            turned = [c for c in carried if c is not False]
            return call["or"](*turned) if len(turned) == 2 else turned[0] if turned else False
        case "not":
            return carried[0]
        case "neg" | "abs":
            error = carried[0]
        case "where":
            error = call["where"](args[0], carried[1], carried[2])
            if carried[0] is not False:
                error = call["where"](carried[0], call["max"](carried[1], carried[2]), error)
        case "min" | "max":
            error = call["max"](carried[0], carried[1])
        case op:
            error = _own(call, op, args, value) + _carried(call, op, args, carried, value)
    return error


def _fraction(value: float) -> Any:
    from fractions import Fraction

    return Fraction(value) if abs(value) < inf else None


def _own(call: Spellings, op: str, args: list[Any], value: Any) -> Any:
    """Bound the error of a function at an exact argument."""
    ulps = ULPS.get(op, LIBRARY_ULPS if call is FLOATS else VECTOR_ULPS)
    size = abs(value)
    if op == "chebyshev":
        # Each doubling of the degree multiplies the error by four at most: k² in all, of the largest value on the
        # interval from -|x| to |x| or from -1 to 1, which is that at its right end.
        order, degree, x = args
        return 2.0 * UNIT * (order + 1.0) * (degree * degree + 1.0) * call[op](order, degree, call["max"](abs(x), 1.0))
    if op in {"gammaln", "polygamma"}:
        size = size + 1.0  # near its zeros 1 and 2 (1.46 for digamma) only absolutely good
    if op == "erfc":
        ulps = ulps + args[0] * args[0]  # SciPy's, for arrays, squares the argument inside an exponential
    own = 2.0 * ulps * (UNIT * size + TINY)
    return own + LEAST_NORMAL if op == "erfc" and call is not FLOATS else own  # SciPy's may be 0 where it is not normal


def _carried(call: Spellings, op: str, args: list[Any], errors: list[Any], value: Any) -> Any:
    """Bound what the errors of its arguments do to a function that is monotone or convex between the ends."""
    if all(map(_exact, errors)):
        return 0.0
    if op == "chebyshev":  # by the largest slope, that at the right end
        order, degree, x = args
        steepest = call[op](order + 1.0, degree, call["max"](abs(x), 1.0) + errors[2])
        return call["where"](call["eq"](errors[0] + errors[1], 0.0), steepest * errors[2], inf)
    if op == "div":
        a, b = args
        certain = call["lt"](errors[1], abs(b))
        room = call["max"](abs(b) - errors[1], TINY)
        # Divided before they are multiplied: |value|·error would underflow long before the bound does.
        bound = errors[0] / room + abs(value) * (errors[1] / room) + UNIT * (abs(a) / room) + 4.0 * TINY
        return call["where"](certain, bound, inf)
    low, high = DOMAIN.get(op, (-inf, inf))
    if op == "pow":
        low = call["where"](call["eq"](call["floor"](args[1]), args[1]), -inf, 0.0)
    ends: list[tuple[Any, ...]] = []
    for arg, error in zip(args, errors, strict=True):
        if _exact(error):
            ends.append((arg,))
        else:
            wider = error + UNIT * (abs(arg) + error)  # the ends are rounded, and may not be drawn in by that
            ends.append((call["max"](arg - wider, low), call["min"](arg + wider, high)))
        low = -inf  # of a second argument
    found = [call[op](*corner) for corner in product(*ends)]
    worst = 0.0
    for end in found:
        moved = abs(end - value) + _own(call, op, args, end)  # the ends are rounded as well
        worst = call["max"](worst, moved)
    return _past_poles(call, op, args, errors, found, worst)


def _past_poles(call: Spellings, op: str, args: list[Any], errors: list[Any], found: list[Any], worst: Any) -> Any:
    """Correct the bound from the ends where the function does more between them."""
    error = errors[-1]
    match op:
        case "sin" | "cos":
            return call["where"](call["lt"](1.5, error), 2.0, worst)
        case "tan":  # increasing between its poles, so that lower on the right means a pole
            beyond = call["or"](call["lt"](1.5, error), call["lt"](found[-1], found[0]))
            return call["where"](beyond, inf, worst)
        case "gammaln" | "polygamma":
            return call["where"](call["le"](args[-1] - error, 0.0), inf, worst)
        case "pow":
            around_zero = call["not"](call["lt"](errors[0], abs(args[0])))
            unsure = call["and"](around_zero, call["lt"](args[1] - errors[1], 0.0))
            return call["where"](call["and"](unsure, call["lt"](0.0, errors[0])), inf, worst)
        case "atan2":  # the cut along the negative axis, and the origin
            cut = call["and"](call["le"](abs(args[0]), errors[0]), call["le"](args[1] - errors[1], 0.0))
            return call["where"](call["and"](cut, call["lt"](0.0, errors[0] + errors[1])), 2.0 * pi, worst)
    return worst


__all__ = ["UNIT", "Bounded", "error_in_program", "error_of", "with_bounds"]
