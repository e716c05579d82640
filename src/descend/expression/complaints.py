"""What the parser says about a text that it refuses: why, and what to write instead."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from descend.errors import nearest, printable
from descend.expression.functions import SPELLINGS, TABLE

if TYPE_CHECKING:
    from descend.expression.tokens import Token

BINDING = {"sum": "sum", "Sum": "sum", "prod": "prod", "Product": "prod"}  # spelling → operation on the tape
SYMPY_CALLS = frozenset({"Piecewise", "Heaviside", "digamma"})  # what is called by these names and has no row
CALLED = frozenset(SPELLINGS) | set(BINDING) | SYMPY_CALLS
WORDS = frozenset({"and", "or", "not"})

OPERATORS = frozenset({"+", "-", "*", "/", "^", "**", "<", ">", "<=", ">=", "==", "!=", "=", "(", "["})
PAIR = {"(": ")", "[": "]"}

# Functions that people look for, and how they are written here.
INSTEAD = {
    "factorial": "exp(gammaln(n + 1))",
    "gamma": "exp(gammaln(x))",
    "binomial": "exp(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))",
    "pow": "x^y",
    "Pow": "x^y",
    "power": "x^y",
    "square": "x^2",
    "fabs": "abs(x)",
    "sgn": "sign(x)",
    "mod": "x - y*floor(x/y)",
    "Mod": "x - y*floor(x/y)",
    "round": "floor(x + 0.5)",
    "clip": "min(max(x, low), high)",
    "relu": "max(x, 0)",
    "if": "where(x > 0, a, b)",
    "iif": "where(x > 0, a, b)",
    "ifelse": "where(x > 0, a, b)",
    "cases": "where(x > 0, a, b)",
    "sec": "1/cos(x)",
    "csc": "1/sin(x)",
    "cot": "1/tan(x)",
    "mean": "sum(x[i], i, 0, n-1)/n",
    "average": "sum(x[i], i, 0, n-1)/n",
    "norm": "sqrt(sum(x[i]^2, i, 0, n-1))",
    "dot": "sum(a[i]*x[i], i, 0, n-1)",
    "product": "prod(x[i], i, 0, n-1)",
    "Rational": "1/3",
    "len": "n, and give n a value",
    "maximum": "max(x, y)",
    "minimum": "min(x, y)",
    "absolute": "abs(x)",
}
FORMS = {"where": "where(x > 0, a, b)", "atan2": "atan2(y, x)", "arctan2": "arctan2(y, x)"}


def form(name: str) -> str:
    """Return an example of a sum or product as it is spelled with `name`."""
    return f"{name}(body, (i, 0, n-1))" if name[0].isupper() else f"{name}(body, i, 0, n-1)"


def called_form(name: str) -> str:
    """Return an example of a call of the function that is spelled `name`, with all its arguments."""
    if name in BINDING:
        return form(name)
    least, most = TABLE[SPELLINGS[name]].arity if name in SPELLINGS else (1, 1)
    return FORMS.get(name) or f"{name}({', '.join('xyz'[: 2 if most is None else least])})"


def spelled(name: str) -> str | None:
    """Return how the function is spelled that `name` means but for capital letters."""
    small = name.lower()
    if name in CALLED or small in CALLED:
        return name if name in CALLED else small
    return next((spelling for spelling in sorted(CALLED) if spelling.lower() == small), None)


def instead(name: str) -> str | None:
    """Return what is written instead of a function of this name, None where nothing is known to be."""
    return INSTEAD.get(name) or INSTEAD.get(name.lower())


def unknown_function(name: str, known: Collection[str]) -> str:
    """Say what to write instead of a function that is none."""
    says = f"{printable(name)} is not a function that descend knows"
    close = spelled(name)
    if close is None and (other := instead(name)) is not None:
        return f"{says}; write {other}"
    close = close or nearest(name, CALLED, cutoff=0.7)
    if close is None and (variable := nearest(name, known, cutoff=0.7)) is not None:
        return f"{says}; did you mean {variable}*(...)?"
    return f"{says}; did you mean {close}?" if close else f"{says}; for a product write {printable(name)}*(...)"


def unexpected(tokens: Sequence[Token], position: int) -> str:
    """Say why the token at `position` cannot stand there."""
    token = tokens[position]
    match token.kind:
        case ")" | "]":
            return closing(tokens, position)
        case ",":
            return "a comma only separates arguments of a function; decimals are written with a dot: 1.5"
        case "|":
            return "these bars do not pair; write abs(...)"
        case "[":
            return "square brackets only stand behind the name of an array: x[i]"
        case "<" | ">" | "<=" | ">=" | "==" | "!=" if position and tokens[position - 1].kind not in OPERATORS:
            return "a comparison only stands inside where(condition, a, b)"
        case kind if kind in OPERATORS:
            return f"'{token.text}' needs something before it"
        case "~":
            return "'~' has no meaning in a cost"
        case "number":
            return "an operator is missing before this number"
        case "end":
            return "the formula ends too early"
    return f"'{printable(token.text)}' is not expected here"


def closing(tokens: Sequence[Token], position: int) -> str:
    """Say what is wrong with a closing bracket."""
    still_open: list[str] = []
    for token in tokens[:position]:
        if token.kind in PAIR:
            still_open.append(token.kind)
        elif still_open and token.kind == PAIR[still_open[-1]]:
            still_open.pop()
    if not still_open:
        return "this bracket was never opened"
    if PAIR[still_open[-1]] != tokens[position].kind:
        return f"a '{still_open[-1]}' is still open here, and '{tokens[position].kind}' does not close it"
    if tokens[position - 1].kind in PAIR:
        return "nothing stands between these brackets"
    return "something is missing before this bracket"


def equals(tokens: Sequence[Token], position: int) -> str | None:
    """Say what is wrong with the '=' at `position` where it stands in a sum's range, as in sum(x, i=0, 3)."""
    closed = 0
    for place in range(position - 1, 0, -1):
        kind = tokens[place].kind
        if kind in {")", "]"}:
            closed += 1
        elif kind in PAIR and closed:
            closed -= 1
        elif kind == "(" and tokens[place - 1].text in BINDING:
            return f"a range is written with commas: {form(tokens[place - 1].text)}"
    return None


def hints_at(name: str, index: str) -> bool:
    """Say whether `name` is how people write an entry of an array where `index` runs: x_i, xi."""
    head = name.removesuffix(index)
    return name not in {head, "pi"} and (head.endswith("_") or (len(head) == 1 and head.isalpha()))


def unclear_product(tokens: Sequence[Token], position: int, *, after_quotient: bool) -> str | None:
    """Say why the token at `position` may not follow the one before it as a factor, None where it may."""
    token, before = tokens[position], tokens[position - 1]
    if token.kind == "number":
        close = before.kind in {"number", "name"}
        return "an operator is missing" + (f": did you mean {printable(before.text)}*{token.text}?" if close else "")
    if after_quotient:
        if tokens[position - 2].kind != "/" or tokens[position - 3].kind not in {"number", "name", "column"}:
            return "a product without '*' after a quotient can be read in two ways; write the brackets"
        top, a, b = (printable(tokens[position - k].text) for k in (3, 1, 0))
        b = "(…)" if token.kind == "(" else b
        return f"this can be read as ({top}/{a})*{b} or as {top}/({a}*{b}); write the brackets"
    if before.kind == "|" or (token.kind == "|" and before.kind == ")"):
        return "bars without an operator beside them can be read in two ways; write * or abs(...)"
    return None
