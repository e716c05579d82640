"""How a tape is laid out for a reader's eye: what text and LaTeX have in common.

Products are flattened for display, with their constant first and equal factors gathered into powers; a quotient of
quotients becomes one; signs move to the front.  All of that keeps the function, also its domain: nothing cancels.
Writing is a loop with a stack of pieces: no depth overflows it, and it stops when the limit is reached.

Indices have no names on a tape.  They are called i, j, k, l, m, i1, i2, ... from the outside inwards, without the
names that the formula itself uses.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain as in_turn
from itertools import count, islice
from types import MappingProxyType
from typing import NamedTuple

from descend.expression import binders
from descend.expression.complaints import hints_at
from descend.expression.exact import MAX_BITS
from descend.expression.functions import CONDITIONS
from descend.expression.limits import STANDARD
from descend.expression.tape import Tape

SUM, PRODUCT, POWER, ATOM = 1, 2, 3, 4  # how tightly a piece of a formula holds together
RANKS = {"constant": 0, "pi": 0, "symbol": 1, "index": 1, "access": 1, "add": 3, **dict.fromkeys(binders.BINDERS, 4)}
MOST_FACTORS = 200  # a shared sub-product may stand for 2^n factors: beyond these it is written in brackets

OR, AND, NOT, RELATION = 1, 2, 3, 4  # the same for conditions

Scope = tuple[int, ...]  # the levels of the indices that are bound around a place, outermost first


class Under(NamedTuple):
    """An entry (with the least tightness that its place asks for) or a name under one more index, that of `level`."""

    level: int
    entry: int | None = None  # None: the name of that index
    least: int = 0


Piece = str | tuple[int, int] | Under  # finished text, or (entry, the least tightness that its place asks for)
Pieces = list[Piece]
SIGNED = frozenset({"constant", "neg", "mul", "div"})


class Product(NamedTuple):
    """constant · Π base^power / Π base^power; the sign is in `constant`."""

    constant: Fraction
    tops: dict[int, int]
    bottoms: dict[int, int]


class Number(NamedTuple):
    """A constant ≥ 0: `mantissa`·10^`exponent`, or the quotient `mantissa`/`bottom`."""

    mantissa: str
    exponent: int = 0
    bottom: str = ""


@dataclass(frozen=True)
class Notation:
    """How one language is spelled.  `product` writes a product without its sign, `other` what is not listed here."""

    brackets: tuple[str, str]
    relations: dict[str, str]  # lt, le, eq, their opposites gt, ge, ne
    words: dict[str, str]  # and, or, not
    product: Callable[[Tape, Product], tuple[int, Pieces]]
    other: Callable[[Tape, int], tuple[int, Pieces]]
    name: Callable[[str], str]


class IndexNames:
    """The names of the indices in a text: number 0 is the outermost."""

    def __init__(self, taken: Callable[[], Collection[str]]) -> None:
        self._taken = taken  # asked when the first name is needed: most formulas have no index
        self._names: list[str] = []

    def __getitem__(self, number: int) -> str:
        if number >= len(self._names):
            self._names = index_names(self._taken(), 2 * number + 8)
        return self._names[number]

    @classmethod
    def of(cls, tape: Tape, roots: Collection[int]) -> IndexNames:
        """Return names apart from those of the symbols and arrays in `roots`."""
        return cls(lambda: {*tape.symbols(roots), *tape.arrays(roots)})


def index_names(taken: Collection[str], number: int) -> list[str]:
    """Return `number` names for indices that are not `taken`: i, j, k, l, m, i1, i2, ... (beside x_i none is i)."""
    candidates = in_turn("ijklm", (f"i{n}" for n in count(1)))
    free = (name for name in candidates if not any(name == other or hints_at(other, name) for other in taken))
    return list(islice(free, number))


NONE: Mapping[int, str] = MappingProxyType({})


def write(
    tape: Tape,
    root: int,
    notation: Notation,
    limit: int,
    scope: Scope = (),
    names: IndexNames | None = None,
    called: Mapping[int, str] = NONE,
) -> str:
    """Write `root` from left to right until done or `limit` characters are written; what is cut ends in "…".

    `scope` are the levels of the indices bound around it, `called` entries that have a name of their own.
    """
    names = names or IndexNames.of(tape, (root,))
    opened, closed = notation.brackets
    parts: list[str] = []
    length = 0
    todo: list[tuple[Piece, Scope]] = [((root, 0), scope)]
    while todo:
        piece, scope = todo.pop()
        if isinstance(piece, Under):
            scope = (*scope, piece.level)
            piece = (piece.entry, piece.least) if piece.entry is not None else _index(piece.level, scope, names)
        if not isinstance(piece, str):
            index, least = piece
            entry = tape[index]
            if index in called and index != root:
                todo.append((called[index], scope))
            elif entry.op == "index":
                assert isinstance(entry.value, int)
                todo.append((notation.name(_index(entry.value, scope, names)), scope))
            else:
                tightness, pieces = _pieces(tape, index, notation, called)
                bracketed = [opened, *pieces, closed] if tightness < least else pieces
                todo.extend((piece, scope) for piece in reversed(bracketed))
            continue
        parts.append(piece)
        length += len(piece)
        if length > limit:
            return "".join(parts)[:limit] + "…"
    return "".join(parts)


def _index(level: int, scope: Scope, names: IndexNames) -> str:
    """Return the name of the innermost index of `level`; one that nothing binds is named after all that are."""
    for number in range(len(scope) - 1, -1, -1):
        if scope[number] == level:
            return names[number]
    return names[len(scope) + level]


def _pieces(tape: Tape, index: int, notation: Notation, called: Mapping[int, str]) -> tuple[int, Pieces]:
    entry = tape[index]
    if entry.op == "prod_tangent":  # no notation has a word for it: it is written as the sum that it stands for
        return _pieces(tape, binders.expanded_tangent(tape, index), notation, called)
    if entry.op == "add":
        return SUM, _sum(tape, entry.args, notation, called)
    if entry.op in SIGNED:
        parts = product(tape, index, called)
        tightness, pieces = notation.product(tape, parts)
        return (SUM, ["-", *pieces]) if parts.constant < 0 else (tightness, pieces)
    if entry.op in CONDITIONS:
        return _condition(tape, index, notation)
    return notation.other(tape, index)


def _sum(tape: Tape, terms: tuple[int, ...], notation: Notation, called: Mapping[int, str]) -> Pieces:
    pieces: Pieces = []
    for term in terms:
        negative = False
        inner: Pieces = [(term, PRODUCT)]
        if tape[term].op in SIGNED and term not in called:
            parts = product(tape, term, called)
            negative, inner = parts.constant < 0, notation.product(tape, parts)[1]
        if pieces:
            pieces.append(" - " if negative else " + ")
        elif negative:
            pieces.append("-")
        pieces += inner
    return pieces


def _condition(tape: Tape, index: int, notation: Notation) -> tuple[int, Pieces]:
    op, args, _ = tape[index]
    if op == "not" and tape[args[0]].op == "eq":
        op, args = "ne", tape[args[0]].args
    match op:
        case "not":
            return NOT, [notation.words[op], (args[0], RELATION + 1)]
        case "and":
            return AND, [(args[0], AND), notation.words[op], (args[1], RELATION)]
        case "or":
            return OR, [(args[0], OR), notation.words[op], (args[1], AND)]
    a, b = args
    if tape.value(a) is not None and tape.value(b) is None:  # x > 0 rather than 0 < x
        a, b, op = b, a, {"lt": "gt", "le": "ge"}.get(op, op)
    return RELATION, [(a, SUM), notation.relations[op], (b, SUM)]


def joined(separator: str, items: Iterable[Pieces]) -> Pieces:
    """Put `separator` between lists of pieces."""
    pieces: Pieces = []
    for item in items:
        if pieces:
            pieces.append(separator)
        pieces += item
    return pieces


def chain(tape: Tape, index: int) -> list[int]:
    """Return the arguments of a function; a chain of two-place min or max counts as one call."""
    op = tape[index].op
    if op not in {"min", "max"}:
        return list(tape[index].args)
    others: list[int] = []
    while tape[index].op == op:
        index, last = tape[index].args
        others.append(last)
    return [index, *reversed(others)]


def product(tape: Tape, index: int, called: Mapping[int, str] = NONE) -> Product:
    """Take the products, quotients and signs at the top of an entry apart (what is `called` by a name stays whole)."""
    constant = Fraction(1)
    tops: dict[int, int] = {}
    bottoms: dict[int, int] = {}
    todo = [(index, True)]
    while todo:
        here, above = todo.pop()
        entry = tape[here]
        value = tape.value(here)
        if value is not None and (above or value):
            changed = constant * value if above else constant / value
            if changed.numerator.bit_length() + changed.denominator.bit_length() <= MAX_BITS:
                constant = changed
                continue
        whole = here in called and here != index
        room = len(tops) + len(bottoms) + len(todo) + len(entry.args) < MOST_FACTORS or here == index
        if whole:
            _gather(tape, tops if above else bottoms, here)
        elif entry.op == "neg":
            constant = -constant
            todo.append((entry.args[0], above))
        elif entry.op == "mul" and room:
            todo.extend((factor, above) for factor in reversed(entry.args))
        elif entry.op == "div" and above and room:
            todo += [(entry.args[1], False), (entry.args[0], True)]
        else:
            _gather(tape, tops if above else bottoms, here)
    return Product(constant, _in_order(tape, tops, called), _in_order(tape, bottoms, called))


def _in_order(tape: Tape, side: dict[int, int], called: Mapping[int, str]) -> dict[int, int]:
    """Put constants and symbols first, then sums in brackets, then sums over an index; otherwise as they came."""

    def rank(item: tuple[int, int]) -> int:
        op, args, _ = tape[item[0]]
        euler = op == "exp" and tape.value(args[0]) == 1
        return 0 if euler else RANKS["symbol"] if item[0] in called else RANKS.get(op, 2)

    return dict(sorted(side.items(), key=rank))


def _gather(tape: Tape, side: dict[int, int], index: int) -> None:
    """Count a factor among those of its side: x·x² is x³ (both are defined everywhere)."""
    base, power = index, 1
    entry = tape[index]
    if entry.op == "pow":
        value = tape.value(entry.args[1])
        if value is not None and value.denominator == 1 and value > 1:
            base, power = entry.args[0], value.numerator
    if side.get(base, 0) + power <= STANDARD.power:
        side[base] = side.get(base, 0) + power
    else:
        side[index] = side.get(index, 0) + 1


def number(value: Fraction) -> Number:
    """Spell a constant ≥ 0: exactly, except that a double of more than 17 digits is shown as Python shows it.

    Decimals that end are decimals up to 17 digits; other numbers are quotients when they are short.
    """
    top, bottom = value.numerator, value.denominator
    decimal = _decimal(top, bottom)
    if decimal is not None and (
        len(decimal.mantissa.replace(".", "")) <= 17 or (bottom == 1 and len(decimal.mantissa) <= STANDARD.digits)
    ):
        return decimal
    quotient = Number(str(top), 0, str(bottom) if bottom != 1 else "")
    if len(quotient.mantissa) + len(quotient.bottom) > 12:
        try:
            shown = float(value)
        except OverflowError:
            return quotient
        if Fraction(shown) == value:
            mantissa, _, exponent = repr(shown).partition("e")
            return Number(mantissa, int(exponent or 0))
    return quotient


def _decimal(top: int, bottom: int) -> Number | None:
    """Spell top/bottom as a decimal, None where it does not end."""
    twos = (bottom & -bottom).bit_length() - 1
    rest, fives = bottom >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return None
    places = max(twos, fives)
    digits = str(top * 10**places // bottom)
    shift = len(digits) - 1 - places  # the power of ten of the first digit
    short = digits.rstrip("0") or "0"
    if bottom == 1 and (shift < 16 or len(short) > 17):
        return Number(digits)
    if bottom != 1 and -5 < shift < 17:
        digits = digits.rjust(places + 1, "0")
        fraction = digits[len(digits) - places :].rstrip("0")
        return Number(f"{digits[: len(digits) - places]}.{fraction}")
    return Number(short[0] + ("." + short[1:] if short[1:] else ""), shift)
