"""Which whole numbers indices, bounds and places take on: interval arithmetic over nests of loops."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from descend.errors import FormulaError
from descend.expression import binders
from descend.expression.reverse import Loop
from descend.expression.tape import Tape

Loops = tuple[Loop, ...]


def whole(tape: Tape, index: int) -> bool:
    """Whether an entry made of constants and indices is a whole number wherever they are."""
    for entry in (tape[k] for k in tape.reachable((index,))):
        value = entry.value
        if isinstance(value, Fraction) and value.denominator != 1:
            return binders.affine(tape, index) is not None
        if entry.op not in {"constant", "index", "add", "neg", "mul", "min", "max", "floor", "ceil"}:
            return binders.affine(tape, index) is not None
    return True


def spans(tape: Tape, loops: Iterable[Loop]) -> dict[int, tuple[int, int]]:
    """Return level → (least, most) value of each index; an empty loop has least > most."""
    found: dict[int, tuple[int, int]] = {}
    for loop in loops:
        found[loop.level] = (interval(tape, loop.low, found)[0], interval(tape, loop.high, found)[1])
    return found


def interval(tape: Tape, index: int, ranges: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Return bounds of a whole-number entry, given those of the indices in it (interval arithmetic).

    Raises `FormulaError` for an entry that is not made of constants and indices.
    """
    known: dict[int, tuple[Fraction, Fraction]] = {}
    for k in tape.reachable((index,)):
        entry = tape[k]
        args = [known[a] for a in entry.args]
        match entry.op:
            case "constant":
                assert isinstance(entry.value, Fraction)
                known[k] = (entry.value, entry.value)
            case "index":
                if not isinstance(entry.value, int) or entry.value not in ranges:
                    raise FormulaError("this is not made of constants and the indices around it")
                known[k] = (Fraction(ranges[entry.value][0]), Fraction(ranges[entry.value][1]))
            case "add":
                known[k] = (sum((a[0] for a in args), Fraction(0)), sum((a[1] for a in args), Fraction(0)))
            case "neg":
                known[k] = (-args[0][1], -args[0][0])
            case "min" | "max":
                choose = min if entry.op == "min" else max
                known[k] = (choose(a[0] for a in args), choose(a[1] for a in args))
            case "mul" | "div":
                known[k] = args[0]
                for low, high in args[1:]:
                    if entry.op == "div":
                        if low <= 0 <= high:
                            raise FormulaError("a bound or an index in brackets is divided by zero")
                        low, high = 1 / low, 1 / high  # noqa: PLW2901 - a quotient is a product with 1/b
                    corners = [a * b for a in known[k] for b in (low, high)]
                    known[k] = (min(corners), max(corners))
            case "floor" | "ceil":
                known[k] = args[0]
            case _:
                raise FormulaError("a bound or an index in brackets is not a whole number made of indices")
    low, high = known[index]
    return low.__ceil__(), high.__floor__()


def most_rounds(tape: Tape, loops: Loops) -> int:
    """Return how often the innermost of `loops` goes round at most, for all values of the indices around it.

    min(a, b) - max(c, d) is at most any a - c, and there what the bounds have in common cancels: windows are narrow.
    """
    loop, ranges = loops[-1], spans(tape, loops)
    wide = interval(tape, loop.high, ranges)[1] - interval(tape, loop.low, ranges)[0]
    for above in _forms(tape, loop.high, "min"):
        for below in _forms(tape, loop.low, "max"):
            wide = min(wide, _most(tape, _minus(above, below), loops, ranges))
    return max(0, wide + 1)


def _most(tape: Tape, form: binders.Affine, loops: Loops, ranges: dict[int, tuple[int, int]]) -> int:
    """Bound Σ coefficient·index + constant from above: each index, the innermost first, by a bound of its loop."""
    levels = [level for level, coefficient in form[0].items() if coefficient]
    if not levels:
        return form[1]
    level = max(levels)
    coefficient = form[0][level]
    rest = ({other: c for other, c in form[0].items() if other != level}, form[1])
    bound, op = (loops[level].high, "min") if coefficient > 0 else (loops[level].low, "max")
    end = max(coefficient * value for value in ranges[level])
    found = [_most(tape, (rest[0], rest[1] + end), loops, ranges)]
    found += [_most(tape, _minus(rest, other, -coefficient), loops, ranges) for other in _forms(tape, bound, op)]
    return min(found)


def _minus(a: binders.Affine, b: binders.Affine, factor: int = 1) -> binders.Affine:
    """Return a - factor·b."""
    levels = a[0].keys() | b[0].keys()
    return {k: a[0].get(k, 0) - factor * b[0].get(k, 0) for k in levels}, a[1] - factor * b[1]


def _forms(tape: Tape, bound: int, op: str) -> list[binders.Affine]:
    """Return the linear forms that a bound is the `op` (min or max) of; none where it is not of that form."""
    form = binders.affine(tape, bound)
    if form is not None:
        return [form]
    entry = tape[bound]
    if entry.op == op:
        return [form for arg in entry.args for form in _forms(tape, arg, op)]
    if entry.op != "add":
        return []
    sums: list[binders.Affine] = [({}, 0)]  # a + min(b, c) is min(a + b, a + c)
    for arg in entry.args:
        sums = [_minus(one, other, -1) for one in sums for other in _forms(tape, arg, op)]
    return sums
