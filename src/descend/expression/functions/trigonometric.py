"""Circular and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.expression.functions.base import REAL, Curvature, Function, Monotone, row

if TYPE_CHECKING:
    from descend.expression.tape import Tape

Args = tuple[int, ...]
Partial = tuple[int | None, ...]


def _sin(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("cos", args[0]),)


def _cos(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.neg(tape.call("sin", args[0])),)


def _tan(tape: Tape, _args: Args, entry: int) -> Partial:
    return (tape.add((tape.constant(1), tape.pow(entry, tape.constant(2)))),)


def _unit_root(tape: Tape, index: int) -> int:
    """sqrt(1 - x²), which keeps its digits near ±1, and its derivative near 0."""
    return tape.call("sqrt", tape.call("onemsq", index))


def _asin(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(1), _unit_root(tape, args[0])),)


def _acos(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.neg(tape.div(tape.constant(1), _unit_root(tape, args[0]))),)


def _one_plus_square(tape: Tape, index: int) -> int:
    return tape.add((tape.constant(1), tape.pow(index, tape.constant(2))))


def _atan(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(1), _one_plus_square(tape, args[0])),)


def _atan2(tape: Tape, args: Args, _entry: int) -> Partial:
    two = tape.constant(2)
    y, x = args
    square = tape.add((tape.pow(x, two), tape.pow(y, two)))
    return (tape.div(x, square), tape.neg(tape.div(y, square)))


def _sinh(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("cosh", args[0]),)


def _cosh(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("sinh", args[0]),)


def _tanh(tape: Tape, args: Args, _entry: int) -> Partial:
    # sech²: 1 - tanh² has no digits left for large x, and the derivative of cosh^(-2) overflows.
    return (tape.pow(tape.call("sech", args[0]), tape.constant(2)),)


def _asinh(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(1), tape.call("hypot", tape.constant(1), args[0])),)


def _acosh(tape: Tape, args: Args, _entry: int) -> Partial:
    one = tape.constant(1)
    below, above = tape.sub(args[0], one), tape.add((args[0], one))
    return (tape.div(one, tape.mul((tape.call("sqrt", below), tape.call("sqrt", above)))),)


def _atanh(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(1), tape.call("onemsq", args[0])),)


UP, DOWN, NEITHER = Monotone.INCREASING, Monotone.DECREASING, Monotone.NEITHER
BENT = Curvature.NEITHER

ROWS: tuple[Function, ...] = (
    row("sin", "sine (radians)", _sin, REAL, NEITHER, BENT, exact={0: 0}),
    row("cos", "cosine (radians)", _cos, REAL, NEITHER, BENT, exact={0: 1}),
    row("tan", "tangent (radians)", _tan, "x not an odd multiple of π/2", NEITHER, BENT, exact={0: 0}),
    row("asin", "inverse sine", _asin, "-1 ≤ x ≤ 1", UP, BENT, aliases=("arcsin",), exact={0: 0}),
    row("acos", "inverse cosine", _acos, "-1 ≤ x ≤ 1", DOWN, BENT, aliases=("arccos",), exact={1: 0}),
    row("atan", "inverse tangent", _atan, REAL, UP, BENT, aliases=("arctan",), exact={0: 0}),
    row(
        "atan2",
        "angle of the point (x, y), written atan2(y, x)",
        _atan2,
        "(x, y) ≠ (0, 0)",
        NEITHER,
        BENT,
        arity=(2, 2),
    ),
    row(
        "sinh",
        "hyperbolic sine",
        _sinh,
        REAL,
        UP,
        BENT,
        exact={0: 0},
        stands_for=("(exp(x) - exp(-x))/2",),
    ),
    row("cosh", "hyperbolic cosine", _cosh, REAL, NEITHER, Curvature.CONVEX, exact={0: 1}),
    row(
        "tanh",
        "hyperbolic tangent",
        _tanh,
        REAL,
        UP,
        BENT,
        exact={0: 0},
        stands_for=("(exp(x) - exp(-x))/(exp(x) + exp(-x))", "(exp(2x) - 1)/(exp(2x) + 1)"),
    ),
    row(
        "asinh",
        "inverse hyperbolic sine",
        _asinh,
        REAL,
        UP,
        BENT,
        aliases=("arcsinh",),
        exact={0: 0},
        stands_for=("log(x + sqrt(1 + x^2))",),
    ),
    row(
        "acosh", "inverse hyperbolic cosine", _acosh, "x ≥ 1", UP, Curvature.CONCAVE, aliases=("arccosh",), exact={1: 0}
    ),
    row(
        "atanh",
        "inverse hyperbolic tangent",
        _atanh,
        "-1 < x < 1",
        UP,
        BENT,
        aliases=("arctanh",),
        exact={0: 0},
        stands_for=("log((1 + x)/(1 - x))/2",),
    ),
)
