"""Tape → straight-line program of primitive operations: the one lowering that interpreter and machine code share.

A slot is an input or the result of one instruction.  What is decided here (small powers as products, a + (-b) as a
difference, the stable forms of sigmoid and softplus) holds for every evaluator, so they take the same path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import NamedTuple

from descend.expression.tape import Tape
from descend.kernel import stable

LARGEST_PRODUCT_POWER = 8  # x^2 … x^8 by repeated multiplication; above, the library's pow

# Primitive operations: name → number of arguments.  Conditions are truth values, all the rest are doubles.
PRIMITIVES: dict[str, int] = {
    "constant": 0, "add": 2, "sub": 2, "mul": 2, "div": 2, "neg": 1, "sqrt": 1, "pow": 2, "abs": 1, "floor": 1,
    "ceil": 1, "min": 2, "max": 2, "exp": 1, "log": 1, "log2": 1, "log10": 1, "log1p": 1, "expm1": 1, "cbrt": 1,
    "sin": 1, "cos": 1, "tan": 1, "asin": 1, "acos": 1, "atan": 1, "atan2": 2, "sinh": 1, "cosh": 1, "tanh": 1,
    "asinh": 1, "acosh": 1, "atanh": 1, "erf": 1, "erfc": 1, "gammaln": 1, "polygamma": 2,
    "chebyshev": 3,
    "where": 3, "lt": 2, "le": 2, "eq": 2, "and": 2, "or": 2, "not": 1,
}  # fmt: skip


class Instruction(NamedTuple):
    """One primitive operation on slots; `value` is the exact constant of a ``constant``."""

    op: str
    args: tuple[int, ...]
    value: Fraction | None
    origin: int  # the tape entry it belongs to


@dataclass(frozen=True)
class Program:
    """`instructions[k]` fills slot ``len(inputs) + k``; `outputs` are slots."""

    inputs: tuple[str, ...]
    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]

    @property
    def slots(self) -> int:
        """Number of slots."""
        return len(self.inputs) + len(self.instructions)


def to_double(value: Fraction) -> float:
    """Return the double nearest to an exact constant; ±inf beyond the range."""
    try:
        return float(value)
    except OverflowError:
        return inf if value > 0 else -inf


PI = Fraction(3.141592653589793)


class Lowering:
    """Turns entries of a tape into primitive operations, one `emit` each."""

    def __init__(self, tape: Tape, inputs: Sequence[str]) -> None:
        self.tape = tape
        self.first = len(inputs)
        self.instructions: list[Instruction] = []
        self.slot: dict[int, int] = {}  # tape entry -> slot
        self.known: dict[tuple[object, ...], int] = {}
        self.origin = 0

    def emit(self, op: str, *args: int, value: Fraction | None = None) -> int:
        """Return the slot of an operation on slots; the same operation twice is one."""
        key = (op, args) if value is None else (value.numerator, value.denominator)
        slot = self.known.get(key)
        if slot is None:
            slot = self.known[key] = self.first + len(self.instructions)
            self.instructions.append(Instruction(op, args, value, self.origin))
        return slot

    def number(self, value: Fraction | int) -> int:
        """Return the slot of a constant."""
        return self.emit("constant", value=value if type(value) is Fraction else Fraction(value))

    def lower(self, index: int) -> int:
        """Return the slot of an entry whose arguments have theirs."""
        entry = self.tape[index]
        self.origin = index
        args = [self.slot[a] for a in entry.args]
        match entry.op:
            case "constant":
                assert isinstance(entry.value, Fraction)
                return self.number(entry.value)
            case "pi":
                return self.number(PI)
            case "add":
                return self.sum(entry.args)
            case "mul":
                product = args[0]
                for other in args[1:]:
                    product = self.emit("mul", product, other)
                return product
            case "pow":
                return self.power(entry.args, args)
            case "sign":
                return self.sign(args[0])
            case "sigmoid":
                return self.sigmoid(args[0])
            case "softplus":
                return self.emit("add", self.emit("max", args[0], self.number(0)), self.log1p_exp(args[0]))
            case "gammaln":  # the library's is that of |Γ|: outside of the domain is NaN here
                outside = self.emit("lt", args[0], self.number(0))
                return self.emit("where", outside, self.emit("sqrt", args[0]), self.emit("gammaln", args[0]))
            case "chebyshevt":
                return self.emit("chebyshev", self.number(0), *args)
            case "chebyshevt_diff":
                return self.emit("chebyshev", *args)
            case "exprel_diff":
                return stable.exprel_diff(self, self.tape.value(entry.args[0]), args[1])
            case op if op in stable.FORMS:
                return stable.FORMS[op](self, *args)
        return self.emit(entry.op, *args)

    def sum(self, terms: tuple[int, ...]) -> int:
        """Add from left to right; a negated term is subtracted, a leading one swapped with the first that is not."""
        signed = [(self.tape[t].args[0], True) if self.tape[t].op == "neg" else (t, False) for t in terms]
        if signed[0][1]:
            swap = next((k for k, (_, negative) in enumerate(signed[:2]) if not negative), None)
            if swap is not None:
                signed[0], signed[swap] = signed[swap], signed[0]
        first, negative = signed[0]
        total = self.emit("neg", self.slot[first]) if negative else self.slot[first]
        for term, minus in signed[1:]:
            total = self.emit("sub" if minus else "add", total, self.slot[term])
        return total

    def power(self, entries: tuple[int, ...], args: list[int]) -> int:
        """Raise to a power, by multiplications where it is small and whole."""
        exponent = self.tape.value(entries[1])
        base = args[0]
        if exponent is not None and exponent.denominator == 1 and 0 < abs(exponent) <= LARGEST_PRODUCT_POWER:
            result = self.product_power(base, abs(exponent.numerator))
            return result if exponent > 0 else self.emit("div", self.number(1), result)
        if exponent is not None and exponent.denominator in {2, 3} and -1 < exponent <= LARGEST_PRODUCT_POWER:
            return self.root_power(base, exponent)
        return self.emit("pow", base, args[1])

    def root_power(self, base: int, exponent: Fraction) -> int:
        """x^(k + 1/2) as x^k·√x, x^(k + 1/3) as x^k·∛x: as good as the library's pow, and several times faster."""
        if exponent.denominator == 2:
            root = self.emit("sqrt", base)
        else:  # of a negative number a cube root is real, and a power is none
            negative = self.emit("lt", base, self.number(0))
            root = self.emit("where", negative, self.nan(), self.emit("cbrt", base))
        if exponent < 0:
            return self.emit("div", self.number(1), self.product_power(root, -exponent.numerator))
        whole, rest = divmod(exponent.numerator, exponent.denominator)
        root = self.product_power(root, rest)
        return self.emit("mul", self.product_power(base, whole), root) if whole else root

    def nan(self) -> int:
        """Not a number."""
        return self.emit("sqrt", self.number(-1))

    def product_power(self, base: int, exponent: int) -> int:
        """Raise to a whole power > 0 by repeated squaring."""
        if exponent == 1:
            return base
        half = self.product_power(base, exponent // 2)
        square = self.emit("mul", half, half)
        return self.emit("mul", square, base) if exponent % 2 else square

    def sign(self, x: int) -> int:
        """-1, 0 or 1."""
        zero = self.number(0)
        negative = self.emit("where", self.emit("lt", x, zero), self.number(-1), x)  # x itself: 0 stays 0, NaN stays
        return self.emit("where", self.emit("lt", zero, x), self.number(1), negative)

    def shrunk(self, x: int) -> int:
        """exp(-|x|), which never overflows."""
        return self.emit("exp", self.emit("neg", self.emit("abs", x)))

    def log1p_exp(self, x: int) -> int:
        """log(1 + exp(-|x|))."""
        return self.emit("log1p", self.shrunk(x))

    def sigmoid(self, x: int) -> int:
        """1/(1 + exp(-x)), by exponentials that do not overflow."""
        small = self.shrunk(x)
        one = self.number(1)
        top = self.emit("where", self.emit("lt", x, self.number(0)), small, one)
        return self.emit("div", top, self.emit("add", one, small))


def lower(tape: Tape, outputs: Sequence[int], inputs: Sequence[str]) -> Program:
    """Return the program that computes `outputs` from the symbols called `inputs`, in this order."""
    work = Lowering(tape, inputs)
    position = {name: slot for slot, name in enumerate(inputs)}
    for index in tape.reachable(outputs):
        entry = tape[index]
        work.slot[index] = position[str(entry.value)] if entry.op == "symbol" else work.lower(index)
    return _pruned(Program(tuple(inputs), tuple(work.instructions), tuple(work.slot[o] for o in outputs)))


def _pruned(program: Program) -> Program:
    """Drop instructions that no output needs (an entry `neg` whose sums subtract its argument, say)."""
    first = len(program.inputs)
    needed = bytearray(program.slots)
    for slot in program.outputs:
        needed[slot] = True
    for slot in range(program.slots - 1, first - 1, -1):
        if needed[slot]:
            for arg in program.instructions[slot - first].args:
                needed[arg] = True
    new = list(range(program.slots))
    kept: list[Instruction] = []
    for slot, instruction in enumerate(program.instructions, first):
        if needed[slot]:
            new[slot] = first + len(kept)
            args = tuple([new[a] for a in instruction.args])
            kept.append(Instruction(instruction.op, args, instruction.value, instruction.origin))
    return Program(program.inputs, tuple(kept), tuple(new[o] for o in program.outputs))
