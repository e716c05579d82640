"""Calls as text: the functions of the table, and SymPy's spellings that are no rows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from descend.expression.complaints import called_form
from descend.expression.functions import CONDITIONS, SPELLINGS, TABLE
from descend.expression.indexed_text import check_whole
from descend.expression.tokens import Token
from descend.expression.whole import DEGREE

if TYPE_CHECKING:
    from descend.expression.reader import Reader
    from descend.expression.tape import Tape

WHOLE_FIRST = {"chebyshevt": 1, "chebyshevt_diff": 2}  # how many of their arguments are degrees and orders


class Argument(NamedTuple):
    """An argument of a call and where it begins."""

    first: Token
    entry: int


def call(reader: Reader, token: Token) -> int:
    """Read the brackets behind `token`, the name of a function of the table."""
    name = token.text
    if reader.token.kind in {"^", "**", "power"}:
        raise reader.fail(f"{name}^2(x) can be read in two ways; write {name}(x)^2 or {name}({name}(x))")
    if reader.token.kind == "[":
        raise reader.fail(f"{name} is a function and needs round brackets: {called_form(name)}")
    if reader.token.kind != "(":
        raise reader.fail(f"{name} is a function and needs brackets: {called_form(name)}", token)
    row = TABLE[SPELLINGS[name]]
    reader.allow(token, row.name)
    args = _arguments(reader, condition=row.name == "where")
    _count(reader, token, *row.arity, found=len(args))
    for argument in args[: WHOLE_FIRST.get(row.name, 0)]:
        check_whole(reader, argument.first, argument.entry, DEGREE)
        value = reader.tape.value(argument.entry)
        if value is not None and value < 0:
            raise reader.fail("a degree is 0, 1, 2, ...", argument.first)
    if row.arity[1] is None and len(args) == 1:
        return args[0].entry
    return reader.build(token, reader.tape.call, row.name, *(argument.entry for argument in args))


def _arguments(reader: Reader, *, condition: bool = False) -> list[Argument]:
    """Read arguments in brackets, all of them numbers but, where asked for, the first."""
    opened = reader.take()
    bars, reader.bars = reader.bars, 0
    args: list[Argument] = []
    while reader.token.kind != ")":
        start = reader.token
        inner = reader.condition()
        if not condition or args:
            reader.number(inner, start)
        elif reader.tape[inner].op not in CONDITIONS:
            raise reader.fail("the first argument of where is a condition, x > 0 for instance", start)
        args.append(Argument(start, inner))
        if reader.token.kind != ",":
            break
        comma = reader.take()
        if reader.token.kind == ")":
            raise reader.fail("an argument is missing after this comma", comma)
    reader.bars = bars
    reader.close(opened)
    return args


def _count(reader: Reader, token: Token, least: int, most: int | None, *, found: int) -> None:
    if found < least or (most is not None and found > most):
        wanted = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} or {most}"
        plural = "s" * (wanted not in {"1", "at least 1"})
        raise reader.fail(f"{token.text} takes {wanted} argument{plural}, not {found}", token)


# ---------------------------------------------------------------------------------------------------- SymPy's spellings


def truth(tape: Tape) -> int:
    """Return the condition that always holds."""
    return tape.call("eq", tape.constant(0), tape.constant(0))


def digamma(reader: Reader, token: Token) -> int:
    """Read ``digamma(x)``, which is polygamma(0, x)."""
    reader.allow(token)
    args = _arguments(reader)
    _count(reader, token, 1, 1, found=len(args))
    return reader.build(token, reader.tape.call, "polygamma", reader.tape.constant(0), args[0].entry)


def heaviside(reader: Reader, token: Token) -> int:
    """Read ``Heaviside(x)``, the step from 0 to 1, or ``Heaviside(x, middle)``; the middle is 1/2, as in SymPy."""
    reader.allow(token)
    args = _arguments(reader)
    _count(reader, token, 1, 2, found=len(args))
    tape, x = reader.tape, args[0].entry
    zero, one = tape.constant(0), tape.constant(1)
    middle = args[1].entry if len(args) == 2 else tape.div(one, tape.constant(2))
    rest = reader.build(token, tape.call, "where", tape.call("eq", x, zero), middle, one)
    return reader.build(token, tape.call, "where", tape.call("lt", x, zero), zero, rest)


def piecewise(reader: Reader, token: Token) -> int:
    """Read ``Piecewise((a, condition), ..., (b, True))``: the value of the first condition that holds."""
    reader.allow(token)
    tape, always = reader.tape, truth(reader.tape)
    never = tape.call("not", always)
    opened = reader.take()
    pairs: list[tuple[int, int]] = []
    bars, reader.bars = reader.bars, 0
    while True:
        start = reader.token
        if start.kind != "(":
            raise reader.fail("Piecewise takes pairs: Piecewise((a, x > 0), (b, True))")
        pairs.append(_pair(reader))
        if reader.token.kind != ",":
            break
        reader.take()
    reader.close(opened)
    reader.bars = bars
    if pairs[-1][1] != always:
        raise reader.fail("a Piecewise must have a value everywhere: end it with (value, True)", start)
    result = pairs[-1][0]
    for value, condition in reversed(pairs[:-1]):
        if condition == always:
            result = value
        elif condition != never:
            result = reader.build(token, tape.call, "where", condition, value, result)
    return result


def _pair(reader: Reader) -> tuple[int, int]:
    opened = reader.take()
    first = reader.token
    value = reader.number(reader.expression(0), first)
    if reader.token.kind == ")":
        raise reader.fail("a condition is missing here: (value, x > 0), the last one (value, True)")
    if reader.token.kind != ",":
        raise reader.unexpected()
    reader.take()
    first = reader.token
    before, reader.truths = reader.truths, True
    condition = reader.condition()
    reader.truths = before
    if reader.tape[condition].op not in CONDITIONS:
        raise reader.fail("the second of a pair is a condition, x > 0 for instance", first)
    reader.close(opened)
    return value, condition


SYMPY = {"Piecewise": piecewise, "Heaviside": heaviside, "digamma": digamma}
