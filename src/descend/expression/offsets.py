"""Sums that cancel: 1 − cos(u), exp(u) − 1, sqrt(1 + u²) − 1, 1 − tanh(u)², sqrt(u + 1) − sqrt(u) and their kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from math import isqrt
from typing import NamedTuple

from descend.expression.exponentials import scaled
from descend.expression.tape import Tape


class Offset(NamedTuple):
    """An entry as ``value + rest()``, where the rest keeps its digits when the value is taken away."""

    value: Fraction
    rest: Callable[[], int]


ONE, TWO = Fraction(1), Fraction(2)


def offsets(tape: Tape, index: int) -> Iterator[Offset]:
    """Return the ways in which an entry is a constant plus something that keeps its digits."""
    entry = tape[index]
    args = entry.args
    call, neg = tape.call, tape.neg
    match entry.op:
        case "exp":
            yield Offset(ONE, lambda: call("expm1", args[0]))
        case "cos":
            yield Offset(ONE, lambda: neg(call("versin", args[0])))
            yield Offset(-ONE, lambda: _twice_square(tape, "cos", args[0]))
        case "cosh":
            yield Offset(ONE, lambda: call("coshm1", args[0]))
        case "sigmoid":
            yield Offset(ONE, lambda: neg(call("sigmoid", neg(args[0]))))
        case "softmax":
            others = [(args[k], *args[:k], *args[k + 1 :]) for k in range(1, len(args))]
            yield Offset(ONE, lambda: neg(tape.add([call("softmax", *other) for other in others])))
        case "tanh":
            twice = tape.constant(2)
            yield Offset(ONE, lambda: tape.mul((tape.constant(-2), call("sigmoid", neg(tape.mul((twice, args[0])))))))
            yield Offset(-ONE, lambda: tape.mul((twice, call("sigmoid", tape.mul((twice, args[0]))))))
        case "erf":
            yield Offset(ONE, lambda: neg(call("erfc", args[0])))
            yield Offset(-ONE, lambda: call("erfc", neg(args[0])))
        case "erfc":
            yield Offset(ONE, lambda: neg(call("erf", args[0])))
        case "pow" if tape.value(args[1]) == 2:
            yield from _square(tape, args[0])
        case "mul" if len(args) == 2 and args[0] == args[1]:
            yield from _square(tape, args[0])
        case "hypot":
            yield from _hypotenuse(tape, args)
        case "sqrt":
            yield from _root(tape, args[0])


def _twice_square(tape: Tape, op: str, argument: int) -> int:
    half = tape.call(op, tape.mul((tape.constant(Fraction(1, 2)), argument)))
    return tape.mul((tape.constant(2), tape.pow(half, tape.constant(2))))


def _square(tape: Tape, base: int) -> Iterator[Offset]:
    entry = tape[base]
    partner = {"tanh": ("sech", -1), "cos": ("sin", -1), "sin": ("cos", -1), "cosh": ("sinh", 1), "sech": ("tanh", -1)}
    if entry.op in partner:
        op, sign = partner[entry.op]

        def rest() -> int:
            square = tape.pow(tape.call(op, entry.args[0]), tape.constant(2))
            return square if sign > 0 else tape.neg(square)

        yield Offset(ONE, rest)


def _hypotenuse(tape: Tape, args: tuple[int, ...]) -> Iterator[Offset]:
    for constant, other in (args, args[::-1]):
        value = tape.value(constant)
        if value is not None and value > 0:
            yield Offset(value, partial(_scaled_call, tape, "hypotm1", other, value, value))


def _root(tape: Tape, radicand: int) -> Iterator[Offset]:
    entry = tape[radicand]
    if entry.op != "add":
        return
    for position, term in enumerate(entry.args):
        value = tape.value(term)
        root = None if value is None else exact_root(value)
        if value is not None and root is not None:
            others = tape.add([*entry.args[:position], *entry.args[position + 1 :]])
            yield Offset(root, partial(_scaled_call, tape, "sqrt1pm1", others, value, root))


def _scaled_call(tape: Tape, op: str, argument: int, divisor: Fraction, factor: Fraction) -> int:
    """Return factor·op(argument/divisor)."""
    inner = argument if divisor == 1 else tape.div(argument, tape.constant(divisor))
    return tape.mul((tape.constant(factor), tape.call(op, inner)))


def exact_root(value: Fraction) -> Fraction | None:
    """Return the square root of a positive rational if it is rational."""
    if value <= 0:
        return None
    top, bottom = isqrt(value.numerator), isqrt(value.denominator)
    if top * top == value.numerator and bottom * bottom == value.denominator:
        return Fraction(top, bottom)
    return None


def rewrite_sum(tape: Tape, index: int) -> int | None:
    """Return a sum that keeps its digits for one that cancels, or None."""
    terms = tape[index].args
    constants = [(k, value) for k, term in enumerate(terms) if (value := tape.value(term)) is not None]
    if constants:
        position, total = constants[0]
        return _without_constant(tape, terms, position, total)
    return _pair(tape, terms) if len(terms) == 2 else None


def _without_constant(tape: Tape, terms: tuple[int, ...], position: int, total: Fraction) -> int | None:
    """Take a constant away where it is what terms tend to: one term, or all that tend to something together."""
    together: dict[int, tuple[Fraction, Offset]] = {}
    for k, term in enumerate(terms):
        if k == position:
            continue
        factor, core = scaled(tape, term)
        for offset in offsets(tape, core):
            if total + factor * offset.value == 0:
                return _replaced(tape, terms, position, {k: (factor, offset)})
            together.setdefault(k, (factor, offset))
    if len(together) > 1 and total + sum(factor * offset.value for factor, offset in together.values()) == 0:
        return _replaced(tape, terms, position, together)
    return None


def _replaced(tape: Tape, terms: tuple[int, ...], position: int, found: dict[int, tuple[Fraction, Offset]]) -> int:
    new = dict(enumerate(terms))
    del new[position]
    for k, (factor, offset) in found.items():
        new[k] = tape.mul((tape.constant(factor), offset.rest()))
    return tape.add(new.values())


def _pair(tape: Tape, terms: tuple[int, ...]) -> int | None:
    """Rewrite exp(u) ± exp(−u), sqrt(p) − sqrt(q), 1/p − 1/q and log1p(u) − log1p(−u)."""
    (a, first), (b, second) = (scaled(tape, term) for term in terms)
    left, right = tape[first], tape[second]
    if left.op != right.op:
        return None
    match left.op:
        case "exp" if abs(a) == abs(b) and left.args[0] == tape.neg(right.args[0]):
            op = "cosh" if a == b else "sinh"
            return tape.mul((tape.constant(2 * a), tape.call(op, left.args[0])))
        case "sqrt" if a == -b and (step := difference(tape, left.args[0], right.args[0])):
            return tape.div(tape.constant(a * step), tape.add((first, second)))
        case "log1p" if a == -b and left.args[0] == tape.neg(right.args[0]):
            return tape.mul((tape.constant(2 * a), tape.call("atanh", left.args[0])))
        case "div" if (c := tape.value(left.args[0])) and (d := tape.value(right.args[0])) and a * c == -b * d:
            p, q = left.args[1], right.args[1]
            if step := difference(tape, q, p):  # c/p - c/q = c(q - p)/(pq)
                return tape.div(tape.div(tape.constant(a * c * step), p), q)
    return None


def difference(tape: Tape, p: int, q: int) -> Fraction | None:
    """Return p − q if the two differ by a constant."""
    sides = []
    for index in (p, q):
        entry = tape[index]
        terms = entry.args if entry.op == "add" else (index,)
        constant = sum((value for term in terms if (value := tape.value(term)) is not None), Fraction(0))
        sides.append((constant, sorted(term for term in terms if tape.value(term) is None)))
    return sides[0][0] - sides[1][0] if sides[0][1] == sides[1][1] else None
