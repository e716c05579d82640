"""The rows of the operators: sums, products, quotients and powers."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from descend.expression.functions.base import REAL, Curvature, Function, Monotone, row

if TYPE_CHECKING:
    from descend.expression.tape import Tape


def _add(tape: Tape, args: tuple[int, ...], _entry: int) -> tuple[int | None, ...]:
    return (tape.constant(1),) * len(args)


def _mul(tape: Tape, args: tuple[int, ...], _entry: int) -> tuple[int | None, ...]:
    """Products of all the others, from prefix and suffix products: no division, so zeros do no harm."""
    if len(args) == 1:
        return (tape.constant(1),)
    prefix = [args[0]]
    for index in args[1:-1]:
        prefix.append(tape.mul((prefix[-1], index)))
    suffix = args[-1]
    partials = [prefix[-1]]  # the last first
    for position in range(len(args) - 2, 0, -1):
        partials.append(tape.mul((prefix[position - 1], suffix)))
        suffix = tape.mul((args[position], suffix))
    return (suffix, *reversed(partials))


def _neg(tape: Tape, _args: tuple[int, ...], _entry: int) -> tuple[int | None, ...]:
    return (tape.constant(-1),)


def _div(tape: Tape, args: tuple[int, ...], entry: int) -> tuple[int | None, ...]:
    return (tape.div(tape.constant(1), args[1]), tape.neg(tape.div(entry, args[1])))


def _pow(tape: Tape, args: tuple[int, ...], entry: int) -> tuple[int | None, ...]:
    base, exponent = args
    if tape.value(exponent) == 0:
        return (None, None)
    lower = tape.pow(base, tape.sub(exponent, tape.constant(1)))
    by_base = tape.mul((exponent, lower))
    if tape.value(exponent) is not None:
        return (by_base, None)
    if tape.free[exponent] and _of_indices(tape, exponent):
        # An exponent that is an index takes on 0, and 0 times a power of zero would be NaN.
        level = tape.call("eq", exponent, tape.constant(0))
        return (tape.call("where", level, tape.constant(0), by_base), None)
    by_exponent = tape.mul((entry, tape.call("log", base)))
    if tape.value(base) == 0 or (tape.free[base] and _of_indices(tape, base)):
        # A base that is an index takes on 0, and 0 times the logarithm of zero would be NaN; 0^x stays 0 for x > 0.
        by_exponent = tape.call("where", tape.call("eq", base, tape.constant(0)), tape.constant(0), by_exponent)
    return (by_base, by_exponent)


def _of_indices(tape: Tape, index: int) -> bool:
    return not any(tape[k].op in {"symbol", "access"} for k in tape.reachable((index,)))


def _sqrt(tape: Tape, _args: tuple[int, ...], entry: int) -> tuple[int | None, ...]:
    return (tape.div(tape.constant(Fraction(1, 2)), entry),)


def _pi(_tape: Tape, _args: tuple[int, ...], _entry: int) -> tuple[int | None, ...]:
    return ()


UP, DOWN, NEITHER = Monotone.INCREASING, Monotone.DECREASING, Monotone.NEITHER

ROWS: tuple[Function, ...] = (
    row("add", "sum", _add, REAL, UP, Curvature.AFFINE, arity=(1, None), typed=False),
    row("mul", "product", _mul, REAL, NEITHER, Curvature.NEITHER, arity=(1, None), typed=False),
    row("neg", "minus", _neg, REAL, DOWN, Curvature.AFFINE, typed=False),
    row("div", "quotient a/b", _div, "b ≠ 0", NEITHER, Curvature.NEITHER, arity=(2, 2), typed=False),
    row(
        "pow",
        "power a^b",
        _pow,
        "a > 0, or b a whole number (a ≠ 0 where b < 0)",
        NEITHER,
        Curvature.NEITHER,
        arity=(2, 2),
        aliases=("Pow",),
        typed=False,
    ),
    row("sqrt", "square root", _sqrt, "x ≥ 0", UP, Curvature.CONCAVE),
    row("pi", "the number π", _pi, "no argument", NEITHER, Curvature.AFFINE, arity=(0, 0), typed=False),
)
