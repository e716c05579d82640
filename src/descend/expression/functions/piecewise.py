"""Functions with kinks and jumps, and the conditions of `where`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from descend.expression.functions.base import REAL, Curvature, Function, Monotone, row, zero

if TYPE_CHECKING:
    from descend.expression.tape import Tape

Args = tuple[int, ...]
Partial = tuple[int | None, ...]


def _abs(tape: Tape, args: Args, _entry: int) -> Partial:
    return (tape.call("sign", args[0]),)


def _pick(tape: Tape, condition: int) -> Partial:
    one, nothing = tape.constant(1), tape.constant(0)
    return (tape.call("where", condition, one, nothing), tape.call("where", condition, nothing, one))


def _min(tape: Tape, args: Args, _entry: int) -> Partial:
    return _pick(tape, tape.call("le", args[0], args[1]))


def _max(tape: Tape, args: Args, _entry: int) -> Partial:
    return _pick(tape, tape.call("le", args[1], args[0]))


def _where(tape: Tape, args: Args, _entry: int) -> Partial:
    then, otherwise = _pick(tape, args[0])
    return (None, then, otherwise)


UP, NEITHER = Monotone.INCREASING, Monotone.NEITHER
BENT = Curvature.NEITHER
TWO = (2, 2)
TRUTH = "any real numbers; the result is a condition"

ROWS: tuple[Function, ...] = (
    row("abs", "absolute value", _abs, REAL, NEITHER, Curvature.CONVEX, aliases=("Abs",), kink=True),
    row("sign", "-1, 0 or 1", zero, REAL, UP, BENT, kink=True),
    row("min", "smallest", _min, REAL, UP, Curvature.CONCAVE, arity=(1, None), aliases=("Min",), kink=True),
    row("max", "largest", _max, REAL, UP, Curvature.CONVEX, arity=(1, None), aliases=("Max",), kink=True),
    row("floor", "largest whole number ≤ x", zero, REAL, UP, BENT, kink=True),
    row("ceil", "smallest whole number ≥ x", zero, REAL, UP, BENT, aliases=("ceiling",), kink=True),
    row(
        "where",
        "where(condition, a, b): a if the condition holds, else b",
        _where,
        "a condition and two real numbers",
        NEITHER,
        BENT,
        arity=(3, 3),
        kink=True,
    ),
    row("lt", "a < b", zero, TRUTH, NEITHER, BENT, arity=TWO, typed=False),
    row("le", "a ≤ b", zero, TRUTH, NEITHER, BENT, arity=TWO, typed=False),
    row("eq", "a = b", zero, TRUTH, NEITHER, BENT, arity=TWO, typed=False),
    row("and", "both conditions", zero, "conditions", NEITHER, BENT, arity=TWO, typed=False),
    row("or", "either condition", zero, "conditions", NEITHER, BENT, arity=TWO, typed=False),
    row("not", "the opposite condition", zero, "a condition", NEITHER, BENT, typed=False),
)

CONDITIONS = frozenset({"lt", "le", "eq", "and", "or", "not"})
