"""Sums of exponentials: recognised on a tape, their logarithm and the share of one of them written without overflow."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from descend.expression.tape import Tape


class Exponential(NamedTuple):
    """``weight·exp(exponent)``, the weight being a constant."""

    weight: Fraction
    exponent: int


def scaled(tape: Tape, index: int) -> tuple[Fraction, int]:
    """Split an entry into a constant factor and the rest, where no new entry is needed for that."""
    factor = Fraction(1)
    while True:
        entry = tape[index]
        match entry.op:
            case "neg":
                factor, index = -factor, entry.args[0]
            case "mul" if len(entry.args) == 2 and (value := tape.value(entry.args[0])) is not None:
                factor, index = factor * value, entry.args[1]
            case "div" if value := tape.value(entry.args[1]):
                factor, index = factor / value, entry.args[0]
            case _:
                return factor, index


def exponential(tape: Tape, index: int) -> Exponential | None:
    """Return an entry as an exponential (a constant c is c·exp(0)), or None."""
    factor, core = scaled(tape, index)
    entry = tape[core]
    value = tape.value(core)
    if value is not None:
        return Exponential(factor * value, tape.constant(0))
    match entry.op:
        case "exp":
            return Exponential(factor, entry.args[0])
        case "mul":
            parts = [exponential(tape, a) for a in entry.args if tape[a].op in {"exp", "constant"}]
            found = [part for part in parts if part is not None]
            if len(found) < len(entry.args):
                return None
            for part in found:
                factor *= part.weight
            return Exponential(factor, tape.add([part.exponent for part in found]))
        case "div" if tape[entry.args[1]].op == "exp":
            above = exponential(tape, entry.args[0]) if tape[entry.args[0]].op in {"exp", "constant"} else None
            below = tape[entry.args[1]].args[0]
            if above is not None:
                return Exponential(factor * above.weight, tape.sub(above.exponent, below))
        case "pow" if tape[entry.args[0]].op == "exp" and tape.value(entry.args[1]) is not None:
            return Exponential(factor, tape.mul((entry.args[1], tape[entry.args[0]].args[0])))
    return None


def exponentials(tape: Tape, index: int) -> list[Exponential] | None:
    """Return the terms of a sum of two or more exponentials with positive weights, None of anything else."""
    entry = tape[index]
    if entry.op != "add":
        return None
    found: list[Exponential] = []
    for term in entry.args:
        part = exponential(tape, term)
        if part is None or part.weight <= 0:
            return None
        found.append(part)
    return found if any(tape.value(part.exponent) is None for part in found) else None


def _relative(tape: Tape, parts: Sequence[Exponential]) -> tuple[Fraction, list[int]]:
    """Return a weight w and exponents bₖ so that Σ wₖ·exp(aₖ) = w·Σ exp(bₖ), most of the aₖ being among the bₖ.

    An exponent to which a logarithm is added is rounded, and its exponential with it.
    """
    common = next(part.weight for part in parts if tape.value(part.exponent) is None)
    exponents = []
    for part in parts:
        ratio = part.weight / common
        logarithm = () if ratio == 1 else (tape.call("log", tape.constant(ratio)),)
        exponents.append(tape.add((part.exponent, *logarithm)))
    return common, exponents


def log_of_sum(tape: Tape, parts: Sequence[Exponential]) -> int:
    """Return log Σ wₖ·exp(aₖ), of which one exponent at least is not constant."""
    weight, exponents = _relative(tape, parts)
    zero = tape.constant(0)
    if len(exponents) > 2:
        result = tape.call("logsumexp", *exponents)
    elif exponents[0] == tape.neg(exponents[1]):  # exp(u) + exp(-u) = 2·cosh(u)
        weight, result = 2 * weight, tape.call("logcosh", tape.neg(exponents[1]))
    elif zero in exponents:
        result = tape.call("softplus", exponents[exponents[0] == zero])
    else:
        result = tape.call("logaddexp", *exponents)
    return result if weight == 1 else tape.add((tape.call("log", tape.constant(weight)), result))


def share(tape: Tape, part: Exponential, parts: Sequence[Exponential]) -> int | None:
    """Return the quotient of an exponential and the sum of `parts`, if it is a multiple of one of them."""
    mine = next((k for k, other in enumerate(parts) if other.exponent == part.exponent), None)
    if mine is None:
        return None
    _, exponents = _relative(tape, parts)
    own, others = exponents[mine], exponents[:mine] + exponents[mine + 1 :]
    zero = tape.constant(0)
    if len(others) == 1 and zero in exponents:
        result = tape.call("sigmoid", tape.sub(own, others[0]))
    else:
        result = tape.call("softmax", own, *others)
    return tape.mul((tape.constant(part.weight / parts[mine].weight), result))


def product_of_shares(tape: Tape, part: Exponential, parts: Sequence[Exponential]) -> int | None:
    """Return the quotient of an exponential and the square of the sum of `parts`, as two shares."""
    zero = tape.constant(0)
    for k, first in enumerate(parts):
        for second in parts[k:]:
            if tape.add((first.exponent, second.exponent)) == part.exponent or (
                first.exponent == zero and second.exponent == part.exponent
            ):
                a, b = (share(tape, Exponential(Fraction(1), p.exponent), parts) for p in (first, second))
                if a is not None and b is not None:
                    pair = (tape[a], tape[b])
                    if first is not second and all(e.op == "softmax" and len(e.args) == 2 for e in pair):
                        return tape.mul((tape.constant(part.weight), tape.call("sharevar", *pair[0].args)))
                    return tape.mul((tape.constant(part.weight), a, b))
    return None


__all__ = ["Exponential", "exponential", "exponentials", "log_of_sum", "product_of_shares", "scaled", "share"]
