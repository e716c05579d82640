"""Special functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.expression.functions.base import REAL, Curvature, Function, Monotone, row

if TYPE_CHECKING:
    from descend.expression.tape import Tape

Args = tuple[int, ...]
Partial = tuple[int | None, ...]


def _bell(tape: Tape, index: int) -> int:
    """2/sqrt(π)·exp(-x²), the derivative of erf."""
    square = tape.pow(index, tape.constant(2))
    scale = tape.div(tape.constant(2), tape.call("sqrt", tape.call("pi")))
    return tape.mul((scale, tape.call("exp", tape.neg(square))))


def _erf(tape: Tape, args: Args, _entry: int) -> Partial:
    return (_bell(tape, args[0]),)


def _erfc(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.neg(_bell(tape, args[0])),)


def _gammaln(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("polygamma", tape.constant(0), args[0]),)


def _polygamma(tape: Tape, args: Args, _entry: int) -> Partial:
    return (None, tape.call("polygamma", tape.add((args[0], tape.constant(1))), args[1]))


def _chebyshevt(tape: Tape, args: Args, _entry: int) -> Partial:
    return (None, tape.call("chebyshevt_diff", tape.constant(1), args[0], args[1]))


def _chebyshevt_diff(tape: Tape, args: Args, _entry: int) -> Partial:
    order = tape.add((args[0], tape.constant(1)))
    return (None, None, tape.call("chebyshevt_diff", order, args[1], args[2]))


UP, DOWN, NEITHER = Monotone.INCREASING, Monotone.DECREASING, Monotone.NEITHER
BENT = Curvature.NEITHER

ROWS: tuple[Function, ...] = (
    row("erf", "error function", _erf, REAL, UP, BENT, exact={0: 0}),
    row("erfc", "1 - erf(x) with all its digits", _erfc, REAL, DOWN, BENT, exact={0: 1}),
    row(
        "gammaln",
        "log of the gamma function",
        _gammaln,
        "x > 0",
        NEITHER,
        Curvature.CONVEX,
        aliases=("loggamma", "lgamma"),
    ),
    row(
        "polygamma",
        "derivative of order k + 1 of gammaln, written polygamma(k, x)",
        _polygamma,
        "k = 0, 1, 2, ... and x > 0",
        NEITHER,
        BENT,
        arity=(2, 2),
    ),
    row(
        "chebyshevt",
        "Chebyshev polynomial of the first kind of degree k, written chebyshevt(k, x)",
        _chebyshevt,
        "k = 0, 1, 2, ... and x any real number",
        NEITHER,
        BENT,
        arity=(2, 2),
    ),
    row(
        "chebyshevt_diff",
        "derivative of order m of chebyshevt(k, x), written chebyshevt_diff(m, k, x)",
        _chebyshevt_diff,
        "m, k = 0, 1, 2, ... and x any real number",
        NEITHER,
        BENT,
        arity=(3, 3),
    ),
)
