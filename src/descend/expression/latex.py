r"""A tape → LaTeX.  Names are set as symbols (x2 as x_{2}, alpha as \alpha); no name can become a command."""

from __future__ import annotations

import re

from descend.errors import printable
from descend.expression.functions import CONDITIONS
from descend.expression.layout import (
    ATOM,
    POWER,
    PRODUCT,
    IndexNames,
    Notation,
    Number,
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
from descend.expression.tokens import GREEK

IDENTIFIER = re.compile(r"([A-Za-z]+)_?([0-9A-Za-z]*(?:_[0-9A-Za-z]+)*)_?")
NUMBERED = re.compile(r"([A-Za-z]+)([0-9]+(?:_[0-9A-Za-z]+)*)_?")
LETTERS = frozenset(GREEK.values()) - {"omicron"}
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
}  # fmt: skip

# Functions that are a word in front of round brackets; those drawn otherwise are in SHAPES.
WORDS = {
    "log": r"\ln", "log2": r"\log_{2}", "log10": r"\log_{10}", "log1p": r"\operatorname{log1p}",
    "expm1": r"\operatorname{expm1}", "sin": r"\sin", "cos": r"\cos", "tan": r"\tan", "asin": r"\arcsin",
    "acos": r"\arccos", "atan": r"\arctan", "atan2": r"\operatorname{atan2}", "sinh": r"\sinh", "cosh": r"\cosh",
    "tanh": r"\tanh", "asinh": r"\operatorname{arsinh}", "acosh": r"\operatorname{arcosh}",
    "atanh": r"\operatorname{artanh}", "erf": r"\operatorname{erf}", "erfc": r"\operatorname{erfc}",
    "gammaln": r"\ln\Gamma", "sign": r"\operatorname{sign}", "min": r"\min", "max": r"\max",
    "sigmoid": r"\operatorname{sigmoid}", "softplus": r"\operatorname{softplus}",
    "logaddexp": r"\operatorname{logaddexp}", "hypot": r"\operatorname{hypot}",
    "logsumexp": r"\operatorname{logsumexp}", "softmax": r"\operatorname{softmax}",
    "dircos": r"\operatorname{dircos}", "hypotm1": r"\operatorname{hypotm1}",
    "sqrt1pm1": r"\operatorname{sqrt1pm1}", "versin": r"\operatorname{versin}", "coshm1": r"\operatorname{coshm1}",
    "logcosh": r"\ln\cosh", "sech": r"\operatorname{sech}", "log1mexp": r"\operatorname{log1mexp}",
    "sharevar": r"\operatorname{sharevar}", "onemsq": r"\operatorname{onemsq}", "bose": r"\operatorname{bose}",
    "exprel": r"\operatorname{exprel}",
}  # fmt: skip
SHAPES = {
    "sqrt": (r"\sqrt{", "}"),
    "cbrt": (r"\sqrt[3]{", "}"),
    "abs": (r"\left|", r"\right|"),
    "floor": (r"\left\lfloor ", r"\right\rfloor"),
    "ceil": (r"\left\lceil ", r"\right\rceil"),
}
HALVES = (2, 4, 8, 16)  # a factor 0.25 is set as a quarter
OVER_AN_INDEX = {"sum": r"\sum", "prod": r"\prod", "held_max": r"\max"}
DRAWN = frozenset({"where", "polygamma", "chebyshevt", "chebyshevt_diff", "exprel_diff"})
OPERATORS = frozenset({"add", "mul", "neg", "div", "pow", "pi", "exp"}) | DRAWN | CONDITIONS
WRITTEN = OPERATORS | WORDS.keys() | SHAPES.keys()


def to_latex(tape: Tape, root: int, limit: int = 20_000, scope: Scope = (), names: IndexNames | None = None) -> str:
    r"""Write an entry as LaTeX (mathematics without dollar signs), cut with … beyond `limit` characters.

    `scope` and `names` are as for `to_text`.

    >>> from descend.expression.parse import parse
    >>> print(to_latex(*parse("x_1^2/(2 sqrt(y))")))
    \frac{x_{1}^{2}}{2 \sqrt{y}}
    """
    return write(tape, root, NOTATION, limit, scope, names)


def name_to_latex(name: str) -> str:
    """Write the name of a symbol."""
    base, below = _split(name)
    return f"{base}_{{{','.join(below)}}}" if below else base


def _split(name: str) -> tuple[str, list[str]]:
    """Split a name into what stands on the line and what stands below it."""
    match = NUMBERED.fullmatch(name) or IDENTIFIER.fullmatch(name)
    if match is None:
        return r"\text{" + "".join(SPECIAL.get(c, c) for c in printable(name, len(name))) + "}", []
    base, below = match.groups()
    return _word(base), [_word(part) for part in below.split("_")] if below else []


def _word(word: str) -> str:
    if word in LETTERS:
        return "\\" + word
    return word if len(word) == 1 or word.isdigit() else rf"\mathrm{{{word}}}"


def _number(spelled: Number) -> str:
    if not spelled.exponent:
        return spelled.mantissa
    power = f"10^{{{spelled.exponent}}}"
    return power if spelled.mantissa == "1" else rf"{spelled.mantissa} \cdot {power}"


def _powers(side: dict[int, int]) -> list[Pieces]:
    return [[(base, POWER)] if power == 1 else [(base, ATOM), f"^{{{power}}}"] for base, power in side.items()]


def _product(tape: Tape, parts: Product) -> tuple[int, Pieces]:
    value = abs(parts.constant)
    above, below = _powers(parts.tops), _powers(parts.bottoms)
    spelled = number(value)
    if value.denominator in HALVES and (above or below):
        spelled = Number(str(value.numerator), 0, str(value.denominator))
    if value != 1 or not above:
        digits = _number(spelled)
        if digits != "1" or not above:
            above.insert(0, [digits])
        if spelled.bottom:
            below.insert(0, [spelled.bottom])
    if below:
        return PRODUCT, [r"\frac{", *_factors(tape, above, 0), "}{", *_factors(tape, below, 0), "}"]
    return PRODUCT if parts.tops or spelled.exponent else ATOM, _factors(tape, above, POWER)


def _factors(tape: Tape, items: list[Pieces], alone: int) -> Pieces:
    r"""Set factors side by side, digits apart by \cdot; a single one has the brackets that `alone` asks for."""
    if len(items) == 1 and len(items[0]) == 1 and isinstance(items[0][0], tuple):
        return [(items[0][0][0], _looser(tape, items[0], alone))]
    pieces: Pieces = []
    for item in items:
        if pieces:
            first = item[0]
            pieces.append(r" \cdot " if isinstance(first, tuple) and _digit_first(tape, first[0]) else " ")
        last = item[0] if item is items[-1] and len(item) == 1 else ""
        pieces += [(last[0], _looser(tape, item, POWER))] if isinstance(last, tuple) else item
    return pieces


def _looser(tape: Tape, item: Pieces, least: int) -> int:
    r"""Return the tightness that the last factor needs: nothing follows a \sum there, so it has no brackets."""
    last = item[0]
    return min(least, PRODUCT) if isinstance(last, tuple) and tape[last[0]].op in OVER_AN_INDEX else least


def _digit_first(tape: Tape, index: int) -> bool:
    entry = tape[index]
    while entry.op == "pow":
        entry = tape[entry.args[0]]
    return entry.op == "constant"


def _other(tape: Tape, index: int) -> tuple[int, Pieces]:
    entry = tape[index]
    args = entry.args
    match entry.op:
        case "symbol":
            return ATOM, [name_to_latex(str(entry.value))]
        case "pi":
            return ATOM, [r"\pi"]
        case "pow":
            return POWER, [(args[0], ATOM), "^{", (args[1], 0), "}"]
        case "exp":
            return (ATOM, ["e"]) if tape.value(args[0]) == 1 else (POWER, ["e^{", (args[0], 0), "}"])
        case "where":
            return ATOM, _cases(tape, index)
        case "access":
            base, below = _split(str(entry.value))
            return ATOM, [f"{base}_{{", *(f"{part}," for part in below), (args[0], 0), "}"]
        case "sum" | "prod" | "held_max":
            assert isinstance(entry.value, int)
            bounds: Pieces = [Under(entry.value), "=", (args[1], 0), "}^{", (args[2], 0), "} "]
            return PRODUCT, [OVER_AN_INDEX[entry.op] + "_{", *bounds, Under(entry.value, args[0], PRODUCT)]
        case "chebyshevt":
            return POWER, ["T_{", (args[0], 0), r"}\left(", (args[1], 0), r"\right)"]
        case "chebyshevt_diff":
            return POWER, ["T_{", (args[1], 0), "}^{(", (args[0], 0), r")}\left(", (args[2], 0), r"\right)"]
        case "exprel_diff":
            return POWER, [r"\operatorname{exprel}^{(", (args[0], 0), r")}\left(", (args[1], 0), r"\right)"]
        case "polygamma":
            return POWER, [r"\psi^{(", (args[0], 0), r")}\left(", (args[1], 0), r"\right)"]
        case op if op in SHAPES:
            opened, closed = SHAPES[op]
            return ATOM, [opened, (args[0], 0), closed]
    arguments = joined(", ", [[(a, 0)] for a in chain(tape, index)])
    return POWER, [WORDS[entry.op], r"\left(", *arguments, r"\right)"]


def _cases(tape: Tape, index: int) -> Pieces:
    """Write a chain of `where` as one brace."""
    pieces: Pieces = [r"\begin{cases} "]
    while tape[index].op == "where":
        condition, then, index = tape[index].args
        pieces += [(then, 0), r" & \text{if } ", (condition, 0), r" \\ "]
    return [*pieces, (index, 0), r" & \text{otherwise} \end{cases}"]


NOTATION = Notation(
    brackets=(r"\left(", r"\right)"),
    relations={"lt": " < ", "gt": " > ", "le": r" \le ", "ge": r" \ge ", "eq": " = ", "ne": r" \ne "},
    words={"and": r" \land ", "or": r" \lor ", "not": r"\lnot "},
    product=_product,
    other=_other,
    name=name_to_latex,
)
