"""A running bound on the rounding error of a program's outputs (Wilkinson; Higham, *Accuracy and Stability*, ch. 3).

The point is taken as exact; every operation adds the error of its result to what its arguments carry.  For a library
function the carried error is what it does to the function at both ends of the argument's interval.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from descend.kernel.interpret import FLOATS, Interpreter
from descend.kernel.program import Program, to_double

UNIT = 2.0**-53
LIBRARY_ULPS = 2.0  # glibc's functions are within 2 units in the last place
TINY = 2.0**-1074


def with_bounds(
    program: Program, inputs: Sequence[Any], spellings: dict[str, Callable[..., Any]] = FLOATS
) -> tuple[list[Any], list[Any]]:
    """Return (values, bounds) of the outputs, for floats or, with the spellings of arrays, for arrays."""
    values = Interpreter(program, spellings).slots(inputs)
    first = len(program.inputs)
    errors: list[Any] = [0.0] * program.slots
    call = spellings
    for slot, instruction in enumerate(program.instructions, first):
        value = values[slot]
        args = instruction.args
        match instruction.op:
            case "constant":
                exact = instruction.value is not None and instruction.value == _fraction(value)
                errors[slot] = 0.0 if exact else UNIT * abs(value)
            case "lt" | "le" | "eq" | "and" | "or" | "not":
                errors[slot] = 0.0
            case "neg" | "abs":
                errors[slot] = errors[args[0]]
            case "add" | "sub":
                errors[slot] = errors[args[0]] + errors[args[1]] + UNIT * abs(value)
            case "mul":
                a, b = args
                carried = abs(values[a]) * errors[b] + abs(values[b]) * errors[a] + errors[a] * errors[b]
                errors[slot] = carried + UNIT * abs(value) + TINY
            case "where":
                errors[slot] = call["where"](values[args[0]], errors[args[1]], errors[args[2]])
            case "min" | "max":
                errors[slot] = call["max"](errors[args[0]], errors[args[1]])
            case op:
                errors[slot] = _library(call, op, [values[a] for a in args], [errors[a] for a in args], value)
    return [values[slot] for slot in program.outputs], [errors[slot] for slot in program.outputs]


def _fraction(value: float) -> Any:
    from fractions import Fraction

    return Fraction(value) if abs(value) < float("inf") else None


def _library(call: dict[str, Callable[..., Any]], op: str, args: list[Any], errors: list[Any], value: Any) -> Any:
    function = call[op]
    ulps = 1.0 if op in {"div", "sqrt", "floor", "ceil"} else 2 * LIBRARY_ULPS
    bound = ulps * UNIT * abs(value) + TINY
    for k, error in enumerate(errors):
        if isinstance(error, float) and error == 0.0:
            continue
        worst = 0.0
        for end in (args[k] - error, args[k] + error):
            moved = abs(function(*args[:k], end, *args[k + 1 :]) - value)
            worst = call["max"](worst, call["where"](moved == moved, moved, 0.0))  # noqa: PLR0124 - an end outside the domain
        bound = bound + worst
    return bound


__all__ = ["UNIT", "to_double", "with_bounds"]
