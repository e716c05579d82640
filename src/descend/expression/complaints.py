"""What the parser says about a text that it refuses: why, and what to write instead."""

from __future__ import annotations

from collections.abc import Sequence

from descend.errors import printable
from descend.expression.tokens import Token


def unexpected(tokens: Sequence[Token], position: int) -> str:
    """Say why the token at `position` cannot stand there."""
    token = tokens[position]
    match token.kind:
        case ")":
            return closing(tokens, position)
        case ",":
            return "a comma only separates arguments of a function; decimals are written with a dot: 1.5"
        case "|":
            return "these bars do not pair; write abs(...)"
        case "[":
            return "indexed variables such as x[i] are not in this version; write x0, x1, ..."
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


OPERATORS = frozenset({"+", "-", "*", "/", "^", "**", "<", ">", "<=", ">=", "==", "!=", "=", "("})


def closing(tokens: Sequence[Token], position: int) -> str:
    """Say what is wrong with a closing bracket."""
    kinds = [token.kind for token in tokens[:position]]
    if kinds.count("(") <= kinds.count(")"):
        return "this bracket was never opened"
    return "nothing stands between these brackets" if kinds[-1] == "(" else "something is missing before this bracket"


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
