"""Sums, products and entries of arrays as text: ``sum(x[i]^2, i, 0, n-1)``, ``Sum(f, (i, 0, n), (j, 0, i))``, ``x[0]``.

The body stands before the name of its index, so that name is looked for first, among the commas of the bracket; then
the body is read with the name in scope.  An inner index hides an outer one, and any index hides a column.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, NamedTuple

from descend.errors import FormulaError, printable
from descend.expression import binders
from descend.expression.complaints import BINDING, CALLED, PAIR, WORDS, closing, form, hints_at
from descend.expression.habits import KEYWORDS
from descend.expression.limits import beyond
from descend.expression.tokens import GREEK, Token
from descend.expression.whole import BOUND, PLACE, Restriction, objection

if TYPE_CHECKING:
    from descend.expression.reader import Reader


class Bracket(NamedTuple):
    """Where the commas of a bracket stand (not those of brackets inside it), and where it is closed."""

    commas: tuple[int, ...]
    close: int


class Brackets(NamedTuple):
    """The brackets of a text by the position of their opening token, and the first that does not pair (or None)."""

    pairs: dict[int, Bracket]
    unpaired: int | None


def pair(tokens: Sequence[Token]) -> Brackets:
    """Pair the brackets of a text, as far as they pair."""
    pairs: dict[int, Bracket] = {}
    still_open: list[tuple[int, list[int]]] = []
    for position, token in enumerate(tokens):
        if token.kind in PAIR:
            still_open.append((position, []))
        elif token.kind in {")", "]"}:
            if not still_open or PAIR[tokens[still_open[-1][0]].kind] != token.kind:
                if all(PAIR[tokens[start].kind] != token.kind for start, _ in still_open):
                    return Brackets(pairs, position)  # it closes nothing; elsewhere what is open there is guilty
                break
            start, commas = still_open.pop()
            pairs[start] = Bracket(tuple(commas), position)
        elif token.kind == "," and still_open:
            still_open[-1][1].append(position)
    return Brackets(pairs, still_open[-1][0] if still_open else None)


# ------------------------------------------------------------------------------------------------------ sums, products


class Range(NamedTuple):
    """An index and its bounds, as positions of tokens: the name, and from where to where each bound goes."""

    name: Token
    low: tuple[int, int]
    high: tuple[int, int]


def bound_sum(reader: Reader, token: Token) -> int:
    """Read a sum or product; `token` is its name, and the opening bracket comes next."""
    reader.allow(token)
    opened = reader.position
    bracket = reader.brackets.pairs.get(opened)
    if bracket is None:
        guilty = opened if reader.brackets.unpaired is None else reader.brackets.unpaired
        opens = reader.tokens[guilty].kind in PAIR
        reason = "this bracket is not closed" if opens else closing(reader.tokens, guilty)
        raise reader.fail(reason, reader.tokens[guilty])
    ranges = _ranges(reader, token, bracket)
    if opened + 1 == bracket.commas[0]:
        what = "add up" if BINDING[token.text] == "sum" else "multiply"
        raise reader.fail(f"there is nothing to {what} here: {form(token.text)}", reader.tokens[opened + 1])
    reader.open += len(ranges)
    if reader.open > reader.limits.loops:
        raise beyond(
            "loops",
            f"more than {reader.limits.loops:,} sums and products stand inside one another",
            reader.text,
            token.position,
        )
    result = _bind(reader, token, opened, bracket, ranges)
    reader.open -= len(ranges)
    reader.position = bracket.close + 1
    return result


def _bind(reader: Reader, token: Token, opened: int, bracket: Bracket, ranges: list[Range]) -> int:
    tape, outer = reader.tape, reader.scope
    lowest = binders.OPEN + reader.open - len(ranges)
    # The range that is listed last is the outermost loop, as SymPy has it.
    levels = {r.name.text: lowest + depth for depth, r in enumerate(reversed(ranges))}
    bars, reader.bars = reader.bars, 0
    reader.scope = outer | {name: tape.index(level) for name, level in levels.items()}
    reader.position = opened + 1
    start = reader.token
    for one in ranges:
        _check_use(reader, one.name.text, opened + 1, bracket.commas[0])
    result = reader.number(reader.expression(0), start)
    reader.end_at(bracket.commas[0])
    hidden: dict[str, int | None] = {}  # the own index and those further inside
    for one in ranges:
        name = one.name.text
        hidden[name] = None
        reader.scope = {**outer, **{other: tape.index(level) for other, level in levels.items()}, **hidden}
        low, high = _bound(reader, *one.low), _bound(reader, *one.high)
        result = reader.build(token, binders.bind, tape, BINDING[token.text], levels[name], (result, low, high))
    reader.scope, reader.bars = outer, bars
    return result


def _ranges(reader: Reader, token: Token, bracket: Bracket) -> list[Range]:
    """Find the indices and their bounds, innermost first."""
    tokens, commas, close = reader.tokens, bracket.commas, bracket.close
    example = form(token.text)
    if commas and tokens[commas[0] + 1].kind == "(":  # SymPy's spelling
        ranges = []
        for start, end in zip(commas, (*commas[1:], close), strict=True):
            inner = reader.brackets.pairs.get(start + 1)
            if inner is None or inner.close + 1 != end or len(inner.commas) != 2:
                raise reader.fail(f"a range is written (i, 0, n-1): {example}", tokens[start + 1])
            ranges.append(_range(reader, example, (start + 1, *inner.commas, inner.close)))
    elif len(commas) == 3:
        ranges = [_range(reader, example, (*commas, close))]
    else:
        raise _misplaced(reader, token, bracket)
    names = [one.name.text for one in ranges]
    for position, one in enumerate(ranges):
        if one.name.text in names[:position]:
            raise reader.fail(f"{one.name.text} is the index of two ranges", one.name)
    return ranges


def _misplaced(reader: Reader, token: Token, bracket: Bracket) -> FormulaError:
    """Return the error for arguments that are not those of a sum, at the one that is guilty."""
    tokens, commas = reader.tokens, bracket.commas
    example = form(token.text)
    reason = f"{token.text} takes a body, an index and the index's bounds: {example}"
    if len(commas) > 3:
        return reader.fail(reason, tokens[commas[3] + 1])
    if commas and tokens[commas[0] + 1].kind == "[":
        return reader.fail(f"a range stands in round brackets or in none: {example}", tokens[commas[0] + 1])
    if len(commas) == 2:
        named = tokens[commas[0] + 1].kind == "name" and commas[0] + 2 == commas[1]
        for position in (*range(commas[0] + 2, bracket.close), *([] if named else [commas[0] - 1])):
            here, before = tokens[position], tokens[position - 1]
            if (
                here.spaced
                and {here.kind, before.kind} <= {"number", "name", "power", "]", ")"}
                and here.kind in {"number", "name"}
            ):
                return reader.fail(f"a comma is missing before {printable(here.text)}: {example}", here)
    loop = next((one for one in tokens[reader.position : bracket.close] if one.text == "for"), token)
    return reader.fail(reason, loop)


def _check_use(reader: Reader, name: str, start: int, end: int) -> None:
    """Refuse a body that never mentions its index but in the way of paper: x_i, xi."""
    tokens = reader.tokens
    if any(token.kind == "name" and token.text == name for token in tokens[start:end]):
        return
    for token, following in zip(tokens[start:end], tokens[start + 1 : end + 1], strict=True):
        plain = token.kind == "name" and token.text not in CALLED and following.kind != "["
        if plain and hints_at(token.text, name) and reader.text[token.position : token.position + 1] not in GREEK:
            raise reader.fail(_meant(token.text, name), token)


def _meant(written: str, name: str) -> str:
    array = written.removesuffix(name).rstrip("_")
    return f"{printable(written)} is one name, whatever {name} is; did you mean {array}[{name}]?"


def _range(reader: Reader, example: str, places: Sequence[int]) -> Range:
    start, first, second, end = places
    token = reader.tokens[start + 1]
    if token.kind != "name" or start + 2 != first:
        raise reader.fail(f"an index is a plain name, i for instance: {example}", token)
    if token.text in CALLED | WORDS | KEYWORDS | {"True", "False"}:
        raise reader.fail(f"{token.text} has a meaning of its own and cannot be an index; call it i", token)
    return Range(token, (first + 1, second), (second + 1, end))


def _bound(reader: Reader, start: int, end: int) -> int:
    reader.position = start
    first = reader.token
    if start == end:
        raise reader.fail("a bound is missing here")
    reader.inside = BOUND
    result = reader.number(reader.expression(0), first)
    reader.end_at(end)
    reader.inside = None
    check_whole(reader, first, result, BOUND)
    return result


# ------------------------------------------------------------------------------------------------- indices and entries

INDEX_LETTERS = frozenset("ijklIJK")  # of these, people call indices; n, m, p, d are sizes
INFINITE = frozenset({"oo", "inf", "Inf", "infty", "infinity", "Infinity"})


def lookalike(reader: Reader, token: Token) -> str | None:
    """Say why the name `token` cannot be meant as a number here, None where it can."""
    name = token.text
    known = token.kind != "name" or name in reader.known
    if reader.inside is BOUND:
        return None if known or name not in INFINITE else "a sum ends at a number; infinite sums are not supported"
    if reader.inside is PLACE:
        if known or name not in INDEX_LETTERS:
            return None
        if not reader.scope:
            return f"{name} has no value: an index belongs to a sum, sum(x[{name}]^2, {name}, 0, n-1)"
        return f"{name} is not an index here; did you mean {_like(name, reader.scope)}?"
    if not reader.scope:
        return None
    head, _, tail = name.rpartition("_")
    if head and tail in reader.scope and not known:
        return _meant(name, tail)
    if reader.token.kind == "(" and not reader.token.spaced:
        return _called_entry(reader, name)
    return None


def _like(name: str, scope: Collection[str]) -> str:
    """Return the index that is meant by `name`: one that differs in its case, else any of them."""
    same = [index for index in scope if index.lower() == name.lower()]
    return " or ".join(map(printable, same or sorted(scope)[:3]))


def _called_entry(reader: Reader, name: str) -> str | None:
    """Say that ``x(i)`` is no entry, where the bracket that comes next holds arithmetic with an index."""
    opened = reader.position
    bracket = reader.brackets.pairs.get(opened)
    inside = reader.tokens[opened + 1 : bracket.close] if bracket else []
    arithmetic = all(token.kind in ARITHMETIC and token.text not in CALLED for token in inside)
    if not arithmetic or not any(token.text in reader.scope for token in inside):
        return None
    start, end = inside[0].position, reader.tokens[opened + 1 + len(inside)].position
    place = printable(reader.text[start:end].strip(), 40)
    name = printable(name)
    if bracket and bracket.commas:
        return f"an entry is written in square brackets, and an array has one index: {name}[3i + j] in a table of 3"
    return f"did you mean {name}[{place}]? A product with a bracket is written {name}*({place})"


ARITHMETIC = frozenset({"number", "name", "+", "-", "*", "/", "(", ")", ","})


def index(reader: Reader, token: Token) -> int:
    """Return the index called as `token` says, which is in scope."""
    found = reader.scope[token.text]
    if found is None:
        raise reader.fail(f"bounds cannot depend on {token.text}, which runs between them or further inside", token)
    if reader.token.kind == "[":
        raise reader.fail(f"{token.text} is an index here, not an array; give one of them another name", token)
    return found


def array_entry(reader: Reader, token: Token) -> int:
    """Read ``[place]`` behind the name of an array."""
    reader.allow(token)
    reader.use(token, array=True)
    opened = reader.take()
    first = reader.token
    if first.kind == "]":
        raise reader.fail("the place is missing between these brackets: x[0]")
    bars, reader.bars = reader.bars, 0
    reader.inside = PLACE
    place = reader.number(reader.expression(0), first)
    reader.inside, reader.bars = None, bars
    if reader.token.kind == ",":
        raise reader.fail("an array has one index; of a table with rows of 3, write a[3i + j]")
    reader.close(opened)
    if reader.token.kind == "[":
        raise reader.fail("an array has one index; of a table with rows of 3, write a[3i + j]")
    check_whole(reader, first, place, PLACE)
    value = reader.tape.value(place)
    if value is not None and value < 0:
        name = printable(token.text)
        raise reader.fail(f"places are counted from 0; the last of n entries is {name}[n - 1]", first)
    return reader.build(token, reader.tape.access, token.text, place)


def check_whole(reader: Reader, first: Token, found: int, restriction: Restriction) -> None:
    """Refuse what is surely no whole number, or no place or bound; constants such as n have no value yet."""
    reason = objection(reader.tape, found, restriction)
    if reason is not None:
        raise reader.fail(reason, first)
