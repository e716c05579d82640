"""Forms that keep their digits where the formula they stand for loses them; their derivatives are such forms again.

Each row names the formula it stands for (`stands_for`): `stabilise` recognises it, a test checks that it does.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from descend.expression.functions.base import REAL, Curvature, Function, Monotone, row

if TYPE_CHECKING:
    from descend.expression.tape import Tape

Args = tuple[int, ...]
Partial = tuple[int | None, ...]
MANY = 16  # terms of a sum of exponentials: n weights of n terms are n² arguments


def _share(tape: Tape, args: Args, position: int) -> int:
    return tape.call("softmax", args[position], *args[:position], *args[position + 1 :])


def shares(tape: Tape, args: Args, entry: int) -> Partial:
    """Partials of log(exp(a) + exp(b) + ...): softmax weights, not exp(a)/Σ, which is inf/inf for large a.

    A weight as an entry of its own has as many arguments as there are terms.  Of very many, exp(a - log Σ) is taken,
    whose relative error is the absolute one of the logarithm.
    """
    if len(args) > MANY:
        return tuple(tape.call("exp", tape.sub(arg, entry)) for arg in args)
    return tuple(_share(tape, args, k) for k in range(len(args)))


def _softmax(tape: Tape, args: Args, entry: int) -> Partial:
    # w(1 - w) is w times the other weights: 1 - w has no digits left where w is nearly 1.
    if len(args) == 2:
        variance = tape.call("sharevar", *args)
        return (variance, tape.neg(variance))
    others = [_share(tape, args, k) for k in range(1, len(args))]
    return (tape.mul((entry, tape.add(others))), *(tape.neg(tape.mul((entry, other))) for other in others))


def _sharevar(tape: Tape, args: Args, entry: int) -> Partial:
    # v(w(b) - w(a)), the difference being a tanh: it would cancel where a is nearly b.
    half = tape.mul((tape.constant(Fraction(1, 2)), tape.sub(args[1], args[0])))
    slope = tape.mul((entry, tape.call("tanh", half)))
    return (slope, tape.neg(slope))


def directions(tape: Tape, args: Args, _entry: int) -> Partial:
    """Partials of sqrt(a² + b²): a/sqrt(a² + b²) as an entry of its own, which knows its own derivative."""
    a, b = args
    return (tape.call("dircos", a, b), tape.call("dircos", b, a))


def _dircos(tape: Tape, args: Args, entry: int) -> Partial:
    # b²/h³ and -ab/h³, as products of quotients of moderate size.
    a, b = args
    across = tape.call("dircos", b, a)
    slope = tape.div(across, tape.call("hypot", a, b))
    return (tape.mul((across, slope)), tape.neg(tape.mul((entry, slope))))


def _hypotm1(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("dircos", args[0], tape.constant(1)),)


def _sqrt1pm1(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.div(tape.constant(Fraction(1, 2)), tape.call("sqrt", tape.add((tape.constant(1), args[0])))),)


def _versin(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("sin", args[0]),)


def _coshm1(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("sinh", args[0]),)


def _logcosh(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("tanh", args[0]),)


def _sech(tape: Tape, args: Args, entry: int) -> Partial:
    return (tape.neg(tape.mul((entry, tape.call("tanh", args[0])))),)


def _log1mexp(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.neg(tape.call("bose", tape.neg(args[0]))),)


def _bose(tape: Tape, args: Args, entry: int) -> Partial:
    return (tape.mul((entry, tape.call("bose", tape.neg(args[0])))),)  # -b(1 + b): 1 + b(x) = -b(-x)


def _onemsq(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.mul((tape.constant(-2), args[0])),)


def _exprel(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("exprel_diff", tape.constant(1), args[0]),)


def _exprel_diff(tape: Tape, args: Args, _entry: int) -> Partial:
    return (None, tape.call("exprel_diff", tape.add((args[0], tape.constant(1))), args[1]))


UP, DOWN, NEITHER = Monotone.INCREASING, Monotone.DECREASING, Monotone.NEITHER
CONVEX, CONCAVE, BENT = Curvature.CONVEX, Curvature.CONCAVE, Curvature.NEITHER

ROWS: tuple[Function, ...] = (
    row(
        "logsumexp",
        "log(exp(a) + exp(b) + ...)",
        shares,
        REAL,
        UP,
        CONVEX,
        arity=(1, None),
        stands_for=("log(exp(x) + exp(y) + exp(z))",),
    ),
    row(
        "softmax",
        "the first's share exp(a)/(exp(a) + exp(b) + ...)",
        _softmax,
        REAL,
        UP,
        BENT,
        arity=(1, None),
        stands_for=("exp(x)/(exp(x) + exp(y) + exp(z))",),
    ),
    row(
        "sharevar",
        "exp(a + b)/(exp(a) + exp(b))², product of the two shares",
        _sharevar,
        REAL,
        NEITHER,
        BENT,
        arity=(2, 2),
        stands_for=("exp(x)*exp(y)/(exp(x) + exp(y))^2",),
    ),
    row(
        "dircos",
        "direction cosine a/sqrt(a² + b²)",
        _dircos,
        "(a, b) ≠ (0, 0)",
        UP,
        BENT,
        arity=(2, 2),
        stands_for=("x/sqrt(x^2 + y^2)",),
    ),
    row(
        "hypotm1",
        "sqrt(1 + x²) - 1 with all its digits",
        _hypotm1,
        REAL,
        NEITHER,
        CONVEX,
        exact={0: 0},
        stands_for=("sqrt(1 + x^2) - 1",),
    ),
    row(
        "sqrt1pm1",
        "sqrt(1 + x) - 1 with all its digits",
        _sqrt1pm1,
        "x ≥ -1",
        UP,
        CONCAVE,
        exact={0: 0, -1: -1},
        stands_for=("sqrt(1 + x) - 1",),
    ),
    row(
        "versin",
        "versed sine 1 - cos(x) with all its digits",
        _versin,
        REAL,
        NEITHER,
        BENT,
        exact={0: 0},
        stands_for=("1 - cos(x)",),
    ),
    row(
        "coshm1",
        "cosh(x) - 1 with all its digits",
        _coshm1,
        REAL,
        NEITHER,
        CONVEX,
        exact={0: 0},
        stands_for=("cosh(x) - 1",),
    ),
    row("logcosh", "log(cosh(x))", _logcosh, REAL, NEITHER, CONVEX, exact={0: 0}, stands_for=("log(cosh(x))",)),
    row("sech", "hyperbolic secant 1/cosh(x)", _sech, REAL, NEITHER, BENT, exact={0: 1}, stands_for=("1/cosh(x)",)),
    row("log1mexp", "log(1 - exp(x))", _log1mexp, "x < 0", DOWN, CONCAVE, stands_for=("log(1 - exp(x))",)),
    row(
        "onemsq",
        "1 - x² with all its digits, as (1 - x)(1 + x)",
        _onemsq,
        REAL,
        NEITHER,
        CONCAVE,
        exact={0: 1, 1: 0, -1: 0},
    ),
    row("bose", "1/(exp(x) - 1)", _bose, "x ≠ 0", NEITHER, BENT, stands_for=("1/(exp(x) - 1)",)),
    row(
        "exprel",
        "(exp(x) - 1)/x, 1 at 0",
        _exprel,
        REAL,
        UP,
        CONVEX,
        exact={0: 1},
        stands_for=("(exp(x) - 1)/x",),
    ),
    row(
        "exprel_diff",
        "derivative of order m of exprel(x), written exprel_diff(m, x)",
        _exprel_diff,
        "m = 0, 1, 2, ... and x any real number",
        NEITHER,
        BENT,
        arity=(2, 2),
    ),
)
