"""Text → tokens.  Every character is accounted for; nothing is skipped silently."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple

from descend.errors import FormulaError, LimitError
from descend.expression.habits import RANGE, strange
from descend.expression.limits import Limits, beyond


class Token(NamedTuple):
    """A word of a formula.

    `kind` is ``number``, ``name``, ``column`` (a name in backticks), ``power`` (a superscript), ``end`` or itself.
    """

    kind: str
    text: str
    position: int
    spaced: bool  # white space before it
    value: Fraction | None = None


GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ο": "omicron", "π": "pi", "ρ": "rho",
    "σ": "sigma", "ς": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "ϕ": "phi", "χ": "chi", "ψ": "psi",
    "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega", "µ": "mu",
}  # fmt: skip
SUPERSCRIPTS = {s: str(d) for d, s in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")} | {"⁻": "-"}
SUBSCRIPTS = {s: str(d) for d, s in enumerate("₀₁₂₃₄₅₆₇₈₉")}
ALIKE = {"−": "-", "·": "*", "×": "*", "÷": "/", "≤": "<=", "≥": ">=", "≠": "!="}
LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
DIGITS = frozenset("0123456789")
WORD_STARTS = LETTERS | set(GREEK)
OPERATORS = ("**", "<=", ">=", "==", "!=", "+", "-", "*", "/", "^", "(", ")", ",", "|", "<", ">", "=", "[", "]", "~")
LONGEST_NAME = 32
MOST_DIGITS = 2466  # more would not fit into a constant of a tape (`exact.MAX_BITS`)


def tokenise(text: str, limits: Limits) -> list[Token]:
    """Split `text` into tokens, the last of kind ``end``.  Raises `FormulaError` at a character without meaning."""
    if len(text) > limits.characters:
        raise beyond("characters", f"the formula has {len(text):,} characters; the limit is {limits.characters:,}")
    tokens: list[Token] = []
    position = 0
    spaced = False
    while position < len(text):
        character = text[position]
        if character in " \t\n\r":
            position, spaced = position + 1, True
            continue
        token, end = _next(text, position, limits)
        tokens.append(token._replace(spaced=True) if spaced else token)
        position, spaced = end, False
    tokens.append(Token("end", "the end", len(text), spaced))
    return tokens


def _next(text: str, position: int, limits: Limits) -> tuple[Token, int]:
    character = text[position]
    following = text[position + 1 : position + 2]
    if character in DIGITS or (character == "." and following in DIGITS and following):
        return _number(text, position, limits)
    if character in LETTERS or character in GREEK:
        return _name(text, position)
    if character == "`":
        end = text.find("`", position + 1)
        if end < 0:
            raise FormulaError("this backtick is not closed; a column is written `like this`", text, position)
        if end == position + 1:
            raise FormulaError("there is no name between these backticks", text, position)
        return Token("column", text[position + 1 : end], position, False), end + 1
    if character in SUPERSCRIPTS:
        return _superscript(text, position, limits)
    if character in ALIKE:
        return Token(ALIKE[character], character, position, False), position + 1
    if text.startswith("//", position):
        raise _strange(text, position)
    for operator in OPERATORS:
        if text.startswith(operator, position):
            return Token(operator, operator, position, False), position + len(operator)
    raise _strange(text, position)


def _strange(text: str, position: int) -> FormulaError:
    found = strange(text, position)
    return FormulaError(found.reason, text, found.position)


def _span(text: str, position: int) -> int:
    while position < len(text) and text[position] in DIGITS:
        position += 1
    return position


def _number(text: str, position: int, limits: Limits) -> tuple[Token, int]:
    """Read a decimal literal exactly.  An `e` without digits behind it is a name, not an exponent."""
    whole_end = end = _span(text, position)
    if text[end : end + 1] == ".":
        end = _span(text, end + 1)
        if text[end - 1 : end + 1] == "..":
            raise FormulaError(f"two dots have no meaning in a formula; {RANGE}", text, end - 1)
    digits = text[position:whole_end] + text[whole_end + 1 : end]
    places = max(0, end - whole_end - 1)
    exponent = 0
    if text[end : end + 1] in {"e", "E"}:
        sign_end = end + 1 + (text[end + 1 : end + 2] in {"+", "-"})
        exponent_end = _span(text, sign_end)
        if exponent_end > sign_end:
            written = text[sign_end:exponent_end].lstrip("0") or "0"
            if len(written) > 9 or int(written) > limits.exponent:
                raise beyond("exponent", f"this literal's power of ten is beyond ±{limits.exponent:,}", text, position)
            exponent = -int(written) if text[end + 1] == "-" else int(written)
            end = exponent_end
    if len(digits.strip("0")) > limits.digits or len(digits) > 10 * limits.digits:
        raise beyond("digits", f"this literal has more than {limits.digits:,} digits", text, position)
    # Python refuses to read very long integers, and a power of ten is made before anybody could refuse it.
    significant = digits.strip("0")
    power = exponent - places + len(digits) - len(digits.rstrip("0")) if significant else 0
    if len(significant) + abs(power) > MOST_DIGITS:
        raise LimitError(f"this literal has more than {MOST_DIGITS:,} digits when it is written out", text, position)
    value = Fraction(int(significant or "0"))
    if power:
        value *= Fraction(10) ** power
    return Token("number", text[position:end], position, False, value), end


def _name(text: str, position: int) -> tuple[Token, int]:
    end = position
    parts = []
    while end < len(text):
        character = text[end]
        if character in LETTERS or character in DIGITS or character == "_":
            parts.append(character)
        elif character in GREEK and (end == position or not parts[-1].isalpha()):
            parts.append(GREEK[character])
        elif character in SUBSCRIPTS:
            parts.append(SUBSCRIPTS[character])
        else:
            break
        if len(GREEK.get(character, "")) > 1 and text[end + 1 : end + 2] in WORD_STARTS:
            end += 1
            break  # πx is π·x, not one name: a Greek letter is a word of its own
        end += 1
    name = "".join(parts)
    if len(name) > LONGEST_NAME:
        raise FormulaError(
            f"this name is longer than {LONGEST_NAME} characters; a longer one is written in `backticks`",
            text,
            position,
        )
    if "__" in name:
        raise FormulaError("a name may not contain two underscores in a row", text, position)
    return Token("name", name, position, False), end


def _superscript(text: str, position: int, limits: Limits) -> tuple[Token, int]:
    end = position
    while end < len(text) and text[end] in SUPERSCRIPTS:
        end += 1
    written = "".join(SUPERSCRIPTS[c] for c in text[position:end])
    digits = written.removeprefix("-")
    if not digits or "-" in digits:
        raise FormulaError("this superscript is not a whole number", text, position)
    if len(digits) > 9 or int(digits) > limits.power:
        raise beyond("power", f"a constant power is limited to exponents of {limits.power:,}", text, position)
    return Token("power", text[position:end], position, False, Fraction(int(written))), end
