"""Whole numbers made of the indices of loops: bounds, and places in arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from descend.errors import FormulaError
from descend.expression import binders
from descend.expression.tape import Tape

Whole = tuple[object, ...]  # ("constant", k), ("index", level), ("add" | "mul" | "min" | "max", a, b)
Span = tuple[Any, Any]  # (least, most): ints, or arrays of them


class Place(NamedTuple):
    """An index in brackets: Σ coefficient·index + constant."""

    coefficients: tuple[tuple[int, int], ...]  # (level, coefficient)
    constant: int


def whole(tape: Tape, index: int) -> Whole:
    """Return a bound as an expression in whole numbers."""
    form = binders.affine(tape, index)
    if form is not None:
        return _affine(form)
    entry = tape[index]
    if entry.op in {"floor", "ceil"}:
        return whole(tape, entry.args[0])
    if entry.op not in {"add", "neg", "mul", "min", "max"}:
        raise FormulaError("a bound of a sum is not a whole number made of indices and constants")
    parts = [whole(tape, a) for a in entry.args]
    if entry.op == "neg":
        return ("mul", ("constant", -1), parts[0])
    result = parts[0]
    for part in parts[1:]:
        result = (entry.op, result, part)
    return result


def _affine(form: binders.Affine) -> Whole:
    result: Whole | None = None
    for level, coefficient in sorted(form[0].items()):
        term: Whole = ("index", level)
        if coefficient != 1:
            term = ("mul", ("constant", coefficient), term)
        result = term if result is None else ("add", result, term)
    if result is None:
        return ("constant", form[1])
    return ("add", result, ("constant", form[1])) if form[1] else result


def place(tape: Tape, index: int) -> Place:
    """Return an index in brackets."""
    form = binders.affine(tape, index)
    if form is None:
        raise FormulaError("an index in brackets must be linear in the indices: x[i], x[2i + 1], x[n - 1 - i]")
    return Place(tuple(sorted(form[0].items())), form[1])


def interval(expression: Whole, spans: Mapping[int, Span]) -> Span:
    """Return bounds of an expression, given those of the indices in it."""
    import numpy as np

    match expression:
        case ("constant", int(value)):
            return value, value
        case ("index", int(level)):
            return spans[level]
        case (str(op), tuple(a), tuple(b)):
            (low, high), (least, most) = interval(a, spans), interval(b, spans)
            match op:
                case "add":
                    return low + least, high + most
                case "min":
                    return np.minimum(low, least), np.minimum(high, most)
                case "max":
                    return np.maximum(low, least), np.maximum(high, most)
            corners = (low * least, low * most, high * least, high * most)
            return np.minimum.reduce(corners), np.maximum.reduce(corners)
    raise AssertionError(expression)


def place_interval(where: Place, spans: Mapping[int, Span]) -> Span:
    """Return the first and the last entry that a place can be, given bounds of the indices."""
    low: Any = where.constant
    high: Any = where.constant
    for level, coefficient in where.coefficients:
        ends = [coefficient * end for end in spans[level]]
        low, high = (low + ends[0], high + ends[1]) if coefficient > 0 else (low + ends[1], high + ends[0])
    return low, high
