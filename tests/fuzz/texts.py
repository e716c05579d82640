"""Texts at random: formulas of the grammar, the corpus mutated, words and characters in a row."""

from __future__ import annotations

import random
from collections.abc import Iterator

from hypothesis import strategies as st

from tests.fuzz.corpus import CORPUS, text_of

WORDS = [
    "x", "y", "2", "3.5", "1e3", "e", "pi", "(", ")", "(", ")", "+", "-", "*", "/", "^", "**", "|", ",", "²", "⁻", "α",
    "<", "<=", ">", "=", "==", " and ", " or ", "not ", "where(", "sin(", "max(", "abs", "min(", "sqrt(", "`a b`", "π",
    "_", ".", "[", "]", "~", "-1", "0", " ", "\n", "\x00", "\x1b", "sum(", "prod(", "Sum(", "Product(", ", i, 0, n)",
    ", (i, 0, n))", ", (j, 0, i)", "x[i]", "x[", "i", "j", "n", "Piecewise((", ", True))", "Heaviside(", "digamma(",
    "chebyshevt(", "floor(", "True", "9**9", "1/0", "log(", "10^", "'", "\u202e", "\ud800", "λ", "__", "0.1", "1e308",
    "9^999", "9^999*", "3^1000/", "((9^99)^9)^9*", "9^999+", "(3^1000)^2-", "x(i)", "x(", "x_i", "xi", "x[j]", "if ",
    "lambda x:", "np.", "Σ(", "//", "!", "?", "f(x)=",
]  # fmt: skip
LARGEST = 3_000  # characters of a seed that is mutated: the huge ones are tried as they are

NUMBERS = st.sampled_from(["0", "1", "2", "3", "7", "10", "0.5", ".1", "1e3", "2.5e-7", "1e308", "100000000000"])
NAMES = st.sampled_from(["x", "y", "z", "n", "m", "i", "j", "e", "pi", "alpha", "λ", "x1", "`a b`", "t"])
INDICES = st.sampled_from(["i", "j", "k", "e"])
ONE = st.sampled_from(
    ["sin", "exp", "log", "sqrt", "abs", "Abs", "tanh", "erf", "softplus", "digamma", "cbrt", "floor"]
)
TWO = st.sampled_from(["max", "min", "atan2", "hypot", "Heaviside", "logaddexp", "Max"])
OPERATOR = st.sampled_from(["+", "-", "*", "/", " + ", " ", "^", "**", ""])
COMPARISON = st.sampled_from(["<", "<=", ">", ">=", "==", "!=", "≠"])
PLACES = st.sampled_from(
    ["0", "3", "i", "i+1", "2i", "n-1", "n/2 + i", "n-1-i", "i+j", "2*i + 3*j - 1", "j", "k", "i*j"]
)
BOUNDS = st.sampled_from(
    ["0", "1", "n", "n-1", "n/2", "9", "i", "j", "max(0, i-5)", "min(n, i+5)", "-3", "10**6", "2n"]
)


def _join(*parts):
    return st.tuples(*parts).map("".join)


def _formulas(inner):
    bracket = _join(st.just("("), inner, st.just(")"))
    condition = _join(inner, COMPARISON, inner)
    span = _join(st.just("("), INDICES, st.just(", "), BOUNDS, st.just(", "), BOUNDS, st.just(")"))
    return st.one_of(
        _join(inner, OPERATOR, inner),
        _join(bracket, OPERATOR, bracket),
        _join(st.just("-"), inner),
        _join(st.just("|"), inner, st.just("|")),
        _join(bracket, st.sampled_from(["^2", "²", "^-1", "^(1/3)", "**0.5"])),
        _join(ONE, st.just("("), inner, st.just(")")),
        _join(TWO, st.just("("), inner, st.just(", "), inner, st.just(")")),
        _join(st.sampled_from(["x[", "y[", "c["]), PLACES, st.just("]")),
        _join(
            st.sampled_from(["sum(", "prod("]),
            inner,
            *(st.just(", "), INDICES, st.just(", "), BOUNDS, st.just(", "), BOUNDS, st.just(")")),
        ),
        _join(
            st.sampled_from(["Sum(", "Product("]),
            inner,
            st.lists(_join(st.just(", "), span), min_size=1, max_size=3).map("".join),
            st.just(")"),
        ),
        _join(st.just("where("), condition, st.just(", "), inner, st.just(", "), inner, st.just(")")),
        _join(st.just("Piecewise(("), inner, st.just(", "), condition, st.just("), ("), inner, st.just(", True))")),
        _join(st.just("chebyshevt("), PLACES, st.just(", "), inner, st.just(")")),
    )


FORMULAS = st.recursive(st.one_of(NUMBERS, NAMES, _join(st.just("x["), PLACES, st.just("]"))), _formulas, max_leaves=12)
TEXTS = st.one_of(
    FORMULAS,
    _join(FORMULAS, st.just(" = "), FORMULAS),
    st.lists(st.sampled_from(WORDS), max_size=30).map("".join),
    st.text(max_size=40),
)
SEEDS = [text for text in map(text_of, CORPUS) if len(text) <= LARGEST]


def walls(size: int) -> Iterator[str]:
    """Yield texts of `size` characters in which one word, or two, are repeated: what grows with the square is slow."""
    chance = random.Random(size)
    for word in dict.fromkeys(WORDS):
        others = chance.sample(WORDS, 3)
        for text in (word, f"x={word}", *(word + other for other in others)):
            yield (text * size)[:size]
        for head in ("sum(", "where(", "Sum(x, ", "x[", "Piecewise((x, "):
            yield (head + word * size)[:size]


def mutated(chance: random.Random, seeds: list[str]) -> str:
    """Return one of `seeds`, cut, repeated, joined to another or with words put in, a few times."""
    text = chance.choice(seeds)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        a, b = sorted((chance.randint(0, len(text)), chance.randint(0, len(text))))
        match chance.randrange(7):
            case 0:
                text = text[:a] + text[b:]
            case 1:
                text = text[:a] + chance.choice(WORDS) + text[a:]
            case 2:
                text = text[:a] + chance.choice(WORDS) + text[b:] if b - a < 6 else text[:a] + text[a + 1 :]
            case 3:
                text = text[:b] + text[a:b] * chance.choice((1, 2, 30)) + text[b:]
            case 4:
                text = text[:a] + chance.choice(seeds)[: 4 * len(text) + 10] + text[b:]
            case 5:
                text = chance.choice(WORDS) * chance.choice((1, 2, 9, 70)) + text
            case 6:
                text = text[:a] + chr(chance.choice((chance.randrange(128), chance.randrange(0x3000)))) + text[a:]
        text = text[: 2 * LARGEST]
    return text


def at_random(seed: int, extra: list[str] | None = None) -> Iterator[str]:
    """Yield texts for ever: mutations of the corpus and of `extra`, and words in a row."""
    chance = random.Random(seed)
    seeds = SEEDS + (extra or [])
    while True:
        if chance.random() < 0.15:
            yield "".join(chance.choices(WORDS, k=chance.randint(1, 40)))
        else:
            yield mutated(chance, seeds)
