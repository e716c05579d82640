"""A guess of a program's results, sooner than the results themselves: fused and reassociated, right but for rounding.

A loop that goes on from the guess, and compares it with the exact result meanwhile, is exact and waits less: the
processor takes the comparison for granted.  Where steps are short, the guess is right to the last bit nearly always.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from descend.kernel.lower import Body
from descend.kernel.program import Program, to_double

# Cycles from operands to result, as on most processors; a fused multiply-add takes one more than each of its parts.
ADD, FUSED, DIVIDE = 3, 4, 13
LATENCY = {"add": ADD, "sub": ADD, "mul": ADD, "div": DIVIDE, "neg": 1, "constant": 0}
MOST_INSTRUCTIONS = 60  # of a program that is limited by waiting; longer ones keep the processor busy anyway


class _Value(NamedTuple):
    """A name, or the product of two that is not written yet; `ready` cycles after the inputs."""

    ready: int
    name: str
    other: str | None = None
    earlier: int = 0  # when the first factor, `name`, is ready: the second is never ready before


def worth_guessing(program: Program) -> bool:
    """Whether a program is short and made of additions and multiplications alone, or nearly."""
    slow = [instruction for instruction in program.instructions if instruction.op not in LATENCY]
    return len(program.instructions) <= MOST_INSTRUCTIONS and not slow


def guess(b: Body, program: Program, inputs: Sequence[str], outputs: Sequence[int]) -> list[str]:
    """Write a guess of the `outputs` (slots) and return their names."""
    return _Guess(b, program, inputs).names(outputs)


class _Guess:
    """Products wait until it is known whether an addition takes them; constants are multiplied beforehand.

    Sums are not taken apart.  x - c·(u·v + w) as (x - c·w) - c·u·v is sooner, but rounded twice at the size of x, so
    wrong too often; as x - (c·u·v + c·w) it is right, but shares less with the exact result: measured, slower.
    """

    def __init__(self, b: Body, program: Program, inputs: Sequence[str]) -> None:
        self.b = b
        self.values = [_Value(0, name) for name in inputs]
        self.constants: dict[str, float] = {}
        for instruction in program.instructions:
            args = [self.values[a] for a in instruction.args]
            self.values.append(self.value(instruction.op, args, instruction.value))

    def names(self, slots: Sequence[int]) -> list[str]:
        """Return the names of values."""
        return [self.written(self.values[slot]).name for slot in slots]

    def number(self, value: float) -> _Value:
        """Return a constant."""
        name = self.b.number(value)
        self.constants[name] = value
        return _Value(-100, name)  # ready before anything else

    def value(self, op: str, args: list[_Value], exact: object) -> _Value:
        """Return the guess of one operation."""
        match op:
            case "constant":
                return self.number(to_double(exact))  # type: ignore[arg-type]
            case "mul":
                return self.product(*args)
            case "add":
                return self.sum(*args, negative=False)
            case "sub":
                return self.sum(*args, negative=True)
        whole = [self.written(a) for a in args]
        name = self.b.instruction(op, [a.name for a in whole])
        return _Value(max(a.ready for a in whole) + LATENCY[op], name)

    def product(self, a: _Value, b: _Value) -> _Value:
        """Return a·b; of (u·v)·w the two that are ready first are multiplied first."""
        factors = [_Value(a.ready, a.name)] if a.other is None else self.factors(a)
        factors += [_Value(b.ready, b.name)] if b.other is None else self.factors(b)
        while len(factors) > 2:
            factors.sort(key=lambda factor: factor.ready)
            factors[:2] = [self.written(self.pair(*factors[:2]))]
        return self.pair(*factors)

    def factors(self, product: _Value) -> list[_Value]:
        """Return the factors of a product that is not written."""
        assert product.other is not None
        return [_Value(product.earlier, product.name), _Value(product.ready - ADD, product.other)]

    def pair(self, a: _Value, b: _Value) -> _Value:
        """Return the product of two names, not written yet."""
        first, second = sorted((a, b), key=lambda factor: factor.ready)
        if first.name in self.constants and second.name in self.constants:
            return self.number(self.constants[first.name] * self.constants[second.name])
        return _Value(second.ready + ADD, first.name, second.name, first.ready)

    def written(self, value: _Value) -> _Value:
        """Return the value with a name of its own."""
        if value.other is None:
            return value
        return _Value(value.ready, self.b.emit(f"fmul double {value.name}, {value.other}"))

    def sum(self, a: _Value, b: _Value, *, negative: bool) -> _Value:
        """Return a + b or a - b; of two products the one that is ready last is fused."""
        if b.other is not None and (a.other is None or b.ready >= a.ready):
            term = self.written(a)
            factor = self.opposite(b.name) if negative else b.name
            return self.fused(factor, b, term.name, term.ready)
        if a.other is not None:
            term = self.written(b)
            return self.fused(a.name, a, self.opposite(term.name) if negative else term.name, term.ready)
        name = self.b.emit(f"{'fsub' if negative else 'fadd'} double {a.name}, {b.name}")
        return _Value(max(a.ready, b.ready) + ADD, name)

    def fused(self, factor: str, product: _Value, term: str, ready: int) -> _Value:
        """Return factor·(second factor of the product) + term."""
        name = self.b.intrinsic("fmuladd", factor, str(product.other), term)  # fused where the processor does it fast
        return _Value(max(product.ready - ADD, ready) + FUSED, name)

    def opposite(self, name: str) -> str:
        """Return -name."""
        if name in self.constants:
            return self.number(-self.constants[name]).name
        return self.b.emit(f"fneg double {name}")
