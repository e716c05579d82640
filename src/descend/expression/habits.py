"""What people write from habit, of programs and of paper, and how it is written here.

A text is refused at the first thing that has no meaning; here is looked at what was meant by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from descend.errors import printable
from descend.expression.complaints import CALLED, INSTEAD, called_form, spelled

if TYPE_CHECKING:
    from descend.expression.tokens import Token

RANGE = "a range is written with commas: sum(body, i, 0, n-1)"
CHOICE = "a choice is written where(x > 0, a, b)"
FORMULA_ONLY = "write the formula only, x^2 for instance"
QUOTES = "quotation marks have no meaning in a formula; a column is written in backticks"
REFUSED = {
    "//": "there is no // operator; write floor(x/2)",
    "!": "there is no factorial sign; write exp(gammaln(x + 1))",
    "?": CHOICE,
    "%": "there is no % operator; write a quotient",
    ";": "a formula is one expression; ';' has no meaning here",
    "#": "there are no comments in a formula",
    "{": "use round brackets ( ), or square ones for an entry of an array: x[i]",
    "}": "use round brackets ( ), or square ones for an entry of an array: x[i]",
    "\\": "this looks like LaTeX; write the formula as plain text, x^2/2 for instance",
    ":": f"':' has no meaning in a formula; {RANGE}",
    "&": "write 'and' between conditions",
    ".": "a dot only stands inside a number; attributes do not exist here",
    "√": "write sqrt(...)",
    "∞": "infinity is not a number that a formula can hold",
    "∑": "write sum(body, i, 0, n-1)",
    "∏": "write prod(body, i, 0, n-1)",
    "∫": "integrals are not part of the language",
    "∂": "derivatives are what descend makes of a formula; none is written in it",
    "'": QUOTES,
    '"': QUOTES,
    "@": "there are no vectors here; a product of arrays is sum(a[i]*b[i], i, 0, n-1)",
    **dict.fromkeys("–—‐‑﹣－", "write -"),  # a dash may stand for two of them
    **{sign: f"write {text}" for sign, text in {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3"}.items()},
    **{sign: f"write x[{name}]" for sign, name in {"ᵢ": "i", "ⱼ": "j", "ₖ": "k", "ₙ": "n"}.items()},
}
OTHERS = "a formula is written with letters, digits and + - * / ^ ( ) , | < > ="
PREFIXED = "write 'not' before a condition"
MODULES = frozenset(
    {"np", "numpy", "math", "cmath", "torch", "tf", "jnp", "jax", "sp", "sympy", "scipy", "mp", "mpmath"}
)
STATEMENTS = ("def", "if", "for", "while", "class", "with")

# Words of programs that nobody calls a variable; a column or a start of such a name may be.
KEYWORDS = frozenset({
    "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for",
    "from", "global", "if", "import", "in", "is", "nonlocal", "pass", "raise", "return", "try", "while", "with",
    "yield",
})  # fmt: skip
COMMANDS = frozenset({"minimize", "minimise", "maximize", "maximise", "print", "solve"})
SIGNS = {"Σ": "sum", "Π": "prod"}


class Meant(NamedTuple):
    """Why a text is refused, and where."""

    reason: str
    position: int


def strange(text: str, position: int) -> Meant:
    """Say what to write instead of the character at `position`, which begins no word of the language."""
    character = "//" if text.startswith("//", position) else text[position]
    before = text[:position].rstrip()
    match character:
        case ".":
            if (found := _attribute(text, position)) is not None:
                return found
        case ":":
            if (found := _statement(text, position)) is not None:
                return found
        case "!" if not before or before[-1] in "(,[=<>+-*/^|" or _last_word(before) in {"and", "or", "not"}:
            return Meant(f"unexpected character '!': {PREFIXED}", position)
    shown = f"'{character}'" if character.isprintable() else f"U+{ord(character):04X}, which cannot be seen"
    return Meant(f"unexpected character {shown}: {REFUSED.get(character, OTHERS)}", position)


def _last_word(text: str) -> str:
    """Return the word in which a text ends."""
    start = len(text)
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    return text[start:]


def _attribute(text: str, position: int) -> Meant | None:
    """Understand ``np.sin``."""
    module = _last_word(text[:position]).lstrip("0123456789")
    if module.lower() not in MODULES:
        return None
    end = position + 1
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    name = text[position + 1 : end]
    known = spelled(name)
    instead = (
        name if name in {"pi", "e"} else called_form(known) if known else INSTEAD.get(name, "sin(x), for instance")
    )
    return Meant(f"names have no module before them; write {instead}", position - len(module))


def _statement(text: str, position: int) -> Meant | None:
    """Understand ``lambda x:`` and ``def f(x):``."""
    first = text.lstrip()
    start = len(text) - len(first)
    if first.startswith(STATEMENTS) and _first_word(first) in STATEMENTS:
        return Meant(f"this is the beginning of a program; {FORMULA_ONLY}", start)
    start = text.rfind("lambda", 0, position)
    if start < 0 or _last_word(text[:start]):
        return None
    arguments = text[start + len("lambda") : position]
    if all(c.isalnum() or c in "_, *" for c in arguments) and arguments[:1] in {"", " "}:
        return Meant(f"a formula needs no 'lambda' before it; {FORMULA_ONLY}", start)
    return None


def _first_word(text: str) -> str:
    end = 0
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[:end]


def stray_word(text: str, tokens: Sequence[Token], position: int, commas: int) -> str | None:
    """Say why a name that nobody has introduced is no variable; `commas` are those of the bracket behind it."""
    token, following = tokens[position], tokens[position + 1].kind
    if token.text in {"if", "else", "elif"}:
        return f"'{token.text}' has no meaning in a formula; {CHOICE}"
    if token.text in KEYWORDS:
        return f"'{token.text}' is a word of programs; {FORMULA_ONLY} (a variable of this name is put in backticks)"
    if token.text in COMMANDS and following in {"name", "number", "column", "(", "|"}:
        return f"'{token.text}' is no part of a formula; {FORMULA_ONLY}"
    sign = SIGNS.get(text[token.position])
    if sign is not None and following == "(" and commas:
        return f"{text[token.position]} is a Greek letter here; write {sign}(body, i, 0, n-1)"
    return None


def definition(tokens: Sequence[Token]) -> Meant | None:
    """Understand ``f(x) = ...``: the name of a function that is to be defined."""
    if len(tokens) < 4 or tokens[0].kind != "name" or tokens[0].text in CALLED or tokens[1].kind != "(":
        return None
    inside = 2
    while tokens[inside].kind == "name" and tokens[inside + 1].kind == ",":
        inside += 2
    if [token.kind for token in tokens[inside : inside + 3]] != ["name", ")", "="]:
        return None
    name = printable(tokens[0].text)
    return Meant(
        f"functions are not defined in a formula: write the right side only, or a model {name} = ...",
        tokens[0].position,
    )
