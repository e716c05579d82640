"""Programs with the same results in fewer operations or in a better order, to the last bit."""

from __future__ import annotations

from fractions import Fraction
from math import isfinite

from descend.kernel.lower import HELPERS, LIBRARY
from descend.kernel.program import Instruction, Program, to_double


def shortened(program: Program, size: int) -> Program:
    """Return the program with c·(±2ᵏ·e), k ≥ 0, as (±2ᵏ·c)·e where ±2ᵏ·e is an entry of the gradient.

    Both are the double nearest to the same number, unless 2ᵏ·e overflows: then the gradient is not finite, and the
    loop ends without a step.  It is an operation less on the way from x to the next x.
    """
    first, gradient = len(program.inputs), set(program.outputs[1 : size + 1])
    place = list(range(first))
    result: list[Instruction] = []

    def scaled(slot: int) -> tuple[Fraction, int] | None:
        """Return (factor, slot) of a product with a constant."""
        if slot >= first and program.instructions[slot - first].op == "mul":
            a, b = program.instructions[slot - first].args
            for factor, other in ((a, b), (b, a)):
                value = program.instructions[factor - first].value if factor >= first else None
                if value is not None:
                    return value, other
        return None

    for slot, instruction in enumerate(program.instructions, first):
        new = instruction._replace(args=tuple(place[a] for a in instruction.args))
        outer = scaled(slot)
        inner = scaled(outer[1]) if outer is not None and outer[1] in gradient else None
        if outer is not None and inner is not None:
            factor = _merged(outer[0], inner[0])
            if factor is not None:
                result.append(Instruction("constant", (), factor, instruction.origin))
                new = Instruction("mul", (first + len(result) - 1, place[inner[1]]), None, instruction.origin)
        place.append(first + len(result))
        result.append(new)
    return Program(program.inputs, tuple(result), tuple(place[slot] for slot in program.outputs))


def _merged(scale: Fraction, power: Fraction) -> Fraction | None:
    """Return the double of `scale` times `power` where that is ±2ᵏ, k ≥ 0, and nothing overflows."""
    if power.denominator != 1 or abs(power.numerator).bit_count() != 1:
        return None
    factor = to_double(scale)
    product = Fraction(factor) * power if isfinite(factor) else None
    return product if product is not None and isfinite(to_double(product)) else None


def calls_first(program: Program) -> list[int]:
    """Return the slots in an order in which calls of functions, and what they need, come first.

    A call saves and restores whatever is at hand: then it is little.
    """
    first = len(program.inputs)
    early: set[int] = set()
    for slot in range(program.slots - 1, first - 1, -1):
        instruction = program.instructions[slot - first]
        if slot in early or instruction.op in LIBRARY or instruction.op in HELPERS:
            early |= {slot, *instruction.args}
    return sorted(range(first, program.slots), key=lambda slot: slot not in early)
