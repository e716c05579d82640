"""A program together with the running bound on its rounding errors, as one program: for machine code.

The rules of `rounding.py` are run once on symbols instead of numbers, and what they compute is written down.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from functools import partial
from math import inf
from typing import Any

from descend.kernel.interpret import FLOATS
from descend.kernel.program import PRIMITIVES, Instruction, Program, to_double
from descend.kernel.rounding import UNIT, error_in_program

LARGEST = 1.7976931348623157e308
ADDITIONS = "`additions"  # no variable has a backtick in its name


class _Slot:
    """A number of the program that is written: arithmetic with it writes another instruction."""

    __slots__ = ("index", "writer")

    def __init__(self, writer: _Writer, index: int) -> None:
        self.writer, self.index = writer, index

    def __add__(self, other: Any) -> Any:
        return self if _is_zero(other) else self.writer.emit("add", self, other)

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self if _is_zero(other) else self.writer.emit("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self.writer.emit("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self.writer.emit("mul", self, other)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        return self.writer.emit("div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return self.writer.emit("div", other, self)

    def __abs__(self) -> Any:
        return self.writer.emit("abs", self)


def _is_zero(value: Any) -> bool:
    return isinstance(value, float) and value == 0.0


class _Writer:
    """Writes instructions; an operation on numbers that are known is done at once, the same one twice is one."""

    def __init__(self, inputs: tuple[str, ...]) -> None:
        self.inputs = inputs
        self.instructions: list[Instruction] = []
        self.known: dict[tuple[object, ...], _Slot] = {}
        self.origin = 0
        self.spellings: dict[str, Callable[..., Any]] = {
            name: partial(self.emit, name) for name in PRIMITIVES if name != "constant"
        }

    def emit(self, op: str, *args: Any) -> Any:
        """Return the result of an operation on slots and known numbers."""
        if not any(isinstance(a, _Slot) for a in args):
            return FLOATS[op](*args)
        match op, args:
            case "where", (bool() as truth, then, otherwise):
                return then if truth else otherwise
            case ("and", (bool() as truth, other)) | ("and", (other, bool() as truth)):
                return other if truth else False
            case ("or", (bool() as truth, other)) | ("or", (other, bool() as truth)):
                return True if truth else other
        return self.write(op, tuple(self.slot(a) for a in args))

    def slot(self, value: Any) -> int:
        """Return where a value stands; a number that is not written yet becomes a constant."""
        if isinstance(value, _Slot):
            return value.index
        if value in {inf, -inf}:  # no constant: the largest number and more of it
            return self.slot(self.write("mul", (self.slot(LARGEST), self.slot(2.0 if value > 0 else -2.0))))
        return self.write("constant", (), Fraction(value)).index

    def write(self, op: str, args: tuple[int, ...], value: Fraction | None = None) -> _Slot:
        """Write an instruction on slots."""
        key = (op, args, value)
        if key not in self.known:
            self.known[key] = _Slot(self, len(self.inputs) + len(self.instructions))
            self.instructions.append(Instruction(op, args, value, self.origin))
        return self.known[key]


def bounded(program: Program) -> Program:
    """Return the program of the outputs, followed by a bound for each of them.

    It has one input more, the first: how many additions, at most, a sum of an output over rows takes one after the
    other.  The bounds, added up, cover these too: each is (error of the output) + additions·2⁻⁵³·|output|.
    """
    writer = _Writer((ADDITIONS, *program.inputs))
    values: list[Any] = [_Slot(writer, k + 1) for k in range(len(program.inputs))]
    errors: list[Any] = [0.0] * len(values)
    for instruction in program.instructions:
        writer.origin = instruction.origin
        args, carried = [values[a] for a in instruction.args], [errors[a] for a in instruction.args]
        if instruction.op == "constant":
            assert instruction.value is not None
            value: Any = to_double(instruction.value)
        else:
            value = writer.write(instruction.op, tuple(map(writer.slot, args)))
        errors.append(error_in_program(writer.spellings, instruction, args, carried, value))
        values.append(value)
    share = _Slot(writer, 0) * UNIT
    totals = []
    for slot in program.outputs:
        value, error = values[slot], errors[slot]
        totals.append(share * abs(value) + error)
    outputs = (*(writer.slot(values[slot]) for slot in program.outputs), *map(writer.slot, totals))
    return Program(writer.inputs, tuple(writer.instructions), outputs)
