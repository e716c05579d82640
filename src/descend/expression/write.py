"""A tape → text that reads back as the same function, and LaTeX."""

from __future__ import annotations

import re

from descend.errors import printable
from descend.expression.complaints import CALLED, WORDS
from descend.expression.functions import SPELLINGS
from descend.expression.habits import KEYWORDS
from descend.expression.latex import to_latex
from descend.expression.layout import (
    ATOM,
    POWER,
    PRODUCT,
    IndexNames,
    Notation,
    Pieces,
    Product,
    Scope,
    Under,
    chain,
    joined,
    number,
    write,
)
from descend.expression.tape import Tape
from descend.expression.tokens import LONGEST_NAME

__all__ = ["WRITTEN", "to_latex", "to_text"]

PLAIN = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*_?")
TAKEN = CALLED | WORDS | KEYWORDS | {"e", "E", "pi", "True", "False"}
OPERATORS = frozenset({"add", "mul", "neg", "div", "pow", "pi", "lt", "le", "eq", "and", "or", "not"})
WRITTEN = OPERATORS | set(SPELLINGS.values())  # every operation of a tape has a spelling here


def to_text(tape: Tape, root: int, limit: int = 2000, scope: Scope = (), names: IndexNames | None = None) -> str:
    """Write an entry in the language of `parse`.

    A text of at most `limit` characters reads back as the same function (raise `Limits` for deep ones), its constants
    exact or, where they are doubles of more than 17 digits, the same doubles.  A tape shares sub-expressions and a text
    repeats them, so a short tape may have an endless text: it is cut and ends in "…".  `scope` and `names` are for
    parts of a formula that stand under an index: the levels of the indices around it, and the names of those.

    >>> from descend.expression.parse import parse
    >>> to_text(*parse("2x sin(y) - (x^2)/4"))
    '2*x*sin(y) - 0.25*x^2'
    """
    return write(tape, root, NOTATION, limit, scope, names)


def _name(name: str) -> str:
    if PLAIN.fullmatch(name) and name not in TAKEN and len(name) <= LONGEST_NAME:
        return name
    return f"`{printable(name, len(name)).replace('`', '?')}`"


def _powers(side: dict[int, int]) -> list[Pieces]:
    return [[(base, POWER)] if power == 1 else [(base, ATOM), f"^{power}"] for base, power in side.items()]


def _product(_tape: Tape, parts: Product) -> tuple[int, Pieces]:
    value = abs(parts.constant)
    above, below = _powers(parts.tops), _powers(parts.bottoms)
    if value != 1 or not above:
        spelled = number(value)
        digits = spelled.mantissa + (f"e{spelled.exponent}" if spelled.exponent else "")
        if digits != "1" or not above:
            above.insert(0, [digits])
        if spelled.bottom:
            below.insert(0, [spelled.bottom])
    alone = len(above) == 1 and not below and not parts.tops
    top, bottom = joined("*", above), joined("*", below)
    if len(below) > 1:
        bottom = ["(", *bottom, ")"]
    return ATOM if alone else PRODUCT, [*top, "/", *bottom] if below else top


def _other(tape: Tape, index: int) -> tuple[int, Pieces]:
    entry = tape[index]
    match entry.op:
        case "symbol":
            return ATOM, [_name(str(entry.value))]
        case "pi":
            return ATOM, ["pi"]
        case "pow":
            return POWER, [(entry.args[0], ATOM), "^", (entry.args[1], ATOM)]
        case "exp" if tape.value(entry.args[0]) == 1:
            return ATOM, ["e"]
        case "access":
            return ATOM, [_name(str(entry.value)), "[", (entry.args[0], 0), "]"]
        case "sum" | "prod" | "held_max":
            assert isinstance(entry.value, int)
            body, low, high = entry.args
            bound = Under(entry.value)
            return ATOM, [f"{entry.op}(", Under(bound.level, body), ", ", bound, ", ", (low, 0), ", ", (high, 0), ")"]
    return ATOM, [f"{entry.op}(", *joined(", ", [[(a, 0)] for a in chain(tape, index)]), ")"]


NOTATION = Notation(
    brackets=("(", ")"),
    relations={"lt": " < ", "gt": " > ", "le": " <= ", "ge": " >= ", "eq": " == ", "ne": " != "},
    words={"and": " and ", "or": " or ", "not": "not "},
    product=_product,
    other=_other,
    name=_name,
)
