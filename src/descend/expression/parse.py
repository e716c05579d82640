"""Text → tape, through a tokeniser and a parser of our own, so no other reader ever sees the user's string."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from descend.errors import FormulaError, LimitError
from descend.expression.complaints import equals
from descend.expression.habits import definition
from descend.expression.limits import STANDARD, Limits
from descend.expression.reader import Reader
from descend.expression.tape import Formula, Tape
from descend.expression.tokens import Token, tokenise


class Model(NamedTuple):
    """A model `left = right` on one tape."""

    tape: Tape
    left: int
    right: int


def parse(text: str, *, names: Collection[str] = (), limits: Limits = STANDARD) -> Formula:
    """Read a formula.  `names` are known to be symbols, so `e` and `E` among them are not Euler's number.

    Raises `FormulaError` (what, and a caret at the place) and `LimitError`.
    """
    tokens = tokenise(text, limits)
    for position, token in enumerate(tokens):
        if token.kind == "=":
            if (defined := definition(tokens)) is not None:
                raise FormulaError(defined.reason, text, defined.position)
            reason = "a cost has no '='; for a model and data use fit, for a condition write where(a == b, ...)"
            raise FormulaError(equals(tokens, position) or reason, text, token.position)
    tape = Tape(limits.entries)
    return Formula(tape, _read(Reader(text, tape, names, limits), tokens))


def parse_model(text: str, *, names: Collection[str] = (), limits: Limits = STANDARD) -> Model:
    """Read a model `left = right`; see `parse`."""
    tokens = tokenise(text, limits)
    places = [i for i, token in enumerate(tokens) if token.kind == "="]
    wave = next((token for token in tokens if token.kind == "~"), None)
    if wave is not None:
        raise FormulaError("a model is written with its parameters: y = b0 + b1*x", text, wave.position)
    for place in places[:2]:  # of a model one is right; a wall of them is not looked through
        if (reason := equals(tokens, place)) is not None:
            raise FormulaError(reason, text, tokens[place].position)
    if (defined := definition(tokens)) is not None:
        raise FormulaError(defined.reason, text, defined.position)
    if len(places) != 1:
        where = tokens[places[1]].position if places else len(text)
        raise FormulaError("a model has one '=': y = b0 + b1*x", text, where)
    middle = places[0]
    tape = Tape(limits.entries)
    reader = Reader(text, tape, names, limits)
    left = _read(reader, [*tokens[:middle], Token("end", "the '='", tokens[middle].position, False)])
    return Model(tape, left, _read(reader, tokens[middle + 1 :]))


def _read(reader: Reader, tokens: list[Token]) -> int:
    try:
        return reader.read(tokens)
    except RecursionError:  # a raised limit, or a caller who is himself deep in calls
        raise LimitError(
            "the formula is nested more deeply than Python can follow", reader.text, reader.token.position
        ) from None
