"""Exponentials, logarithms and the forms of them that keep their digits."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from descend.expression.functions.base import REAL, Curvature, Function, Monotone, row
from descend.expression.functions.stable import directions, shares

if TYPE_CHECKING:
    from descend.expression.tape import Tape

Args = tuple[int, ...]
Partial = tuple[int | None, ...]


def _exp(_tape: Tape, _args: Args, entry: int) -> Partial:
    return (entry,)


def _log(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(1), args[0]),)


def _log2(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(1), tape.mul((args[0], tape.call("log", tape.constant(2))))),)


def _log10(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(1), tape.mul((args[0], tape.call("log", tape.constant(10))))),)


def _log1p(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(1), tape.add((tape.constant(1), args[0]))),)


def _expm1(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("exp", args[0]),)


def _cbrt(tape: Tape, _args: Args, entry: int) -> Partial:
    return (tape.div(tape.constant(Fraction(1, 3)), tape.pow(entry, tape.constant(2))),)


def _sigmoid(tape: Tape, args: Args, _entry: int) -> Partial:
    # sech(x/2)²/4 = s(x)·s(-x), and not s(x)·(1 - s(x)); the derivative of the product would cancel near 0.
    half = tape.call("sech", tape.mul((tape.constant(Fraction(1, 2)), args[0])))
    return (tape.mul((tape.constant(Fraction(1, 4)), tape.pow(half, tape.constant(2)))),)


def _softplus(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("sigmoid", args[0]),)


UP = Monotone.INCREASING
NEITHER = Monotone.NEITHER

ROWS: tuple[Function, ...] = (
    row("exp", "e to the power x", _exp, REAL, UP, Curvature.CONVEX, exact={0: 1}),
    row("log", "natural logarithm", _log, "x > 0", UP, Curvature.CONCAVE, aliases=("ln",), exact={1: 0}),
    row("log2", "logarithm to base 2", _log2, "x > 0", UP, Curvature.CONCAVE, exact={1: 0, 2: 1}),
    row("log10", "logarithm to base 10", _log10, "x > 0", UP, Curvature.CONCAVE, exact={1: 0, 10: 1}),
    row(
        "log1p",
        "log(1 + x) with all its digits",
        _log1p,
        "x > -1",
        UP,
        Curvature.CONCAVE,
        exact={0: 0},
        stands_for=("log(1 + x)",),
    ),
    row(
        "expm1",
        "exp(x) - 1 with all its digits",
        _expm1,
        REAL,
        UP,
        Curvature.CONVEX,
        exact={0: 0},
        stands_for=("exp(x) - 1",),
    ),
    row("cbrt", "cube root, also of negative numbers", _cbrt, REAL, UP, Curvature.NEITHER, exact={0: 0, 1: 1, -1: -1}),
    row(
        "sigmoid",
        "1/(1 + exp(-x))",
        _sigmoid,
        REAL,
        UP,
        Curvature.NEITHER,
        aliases=("expit",),
        stands_for=("1/(1 + exp(-x))", "exp(x)/(1 + exp(x))"),
    ),
    row("softplus", "log(1 + exp(x))", _softplus, REAL, UP, Curvature.CONVEX, stands_for=("log(1 + exp(x))",)),
    row(
        "logaddexp",
        "log(exp(a) + exp(b))",
        shares,
        REAL,
        UP,
        Curvature.CONVEX,
        arity=(2, 2),
        stands_for=("log(exp(x) + exp(y))",),
    ),
    row(
        "hypot",
        "sqrt(a² + b²)",
        directions,
        REAL,
        NEITHER,
        Curvature.CONVEX,
        arity=(2, 2),
        stands_for=("sqrt(x^2 + y^2)", "sqrt(1 + x^2)"),
    ),
)
