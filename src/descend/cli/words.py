"""Advice is written for Python (``max_looks=``); here it is said the way the shell spells it (``--max-looks``)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from descend.answer.result import Result

OPTIONS = {
    "bounds": "--bounds",
    "columns": "--column",
    "constants": "--let",
    "data": "--data",
    "fixed": "--fix",
    "holdout": "--holdout",
    "learning_rate": "--learning-rate",
    "loss": "--loss",
    "max_iterations": "--max-iterations",
    "max_looks": "--max-looks",
    "max_seconds": "--max-seconds",
    "maximise": "--maximize",
    "method": "--method",
    "missing": "--missing",
    "penalty": "--penalty",
    "precision": "--precision",
    "seed": "--seed",
    "start": "--start",
    "starts": "--starts",
    "target_cost": "--target-cost",
    "tied": "--tie",
    "trace": "--trace",
}
KEYWORD = rf"\b({'|'.join(OPTIONS)})=(?:['\"]?([\w+-]+(?:\.\w+)?(?:[+-]\d+)?)['\"]?)?"
MAPPING = r"(?:a mapping, )?\b(start|constants|fixed)=\{([^}]*)\}"
QUOTES = " '\""
REFUSED = r"\b(learning_rate|max_iterations|max_looks|max_seconds|starts|target_cost)(?= must be )"
PHRASES = {
    'missing="drop" in Python, --missing drop on the command line': "--missing drop",
    "The last point is in result.last; start there to go on.": "Give the last point to --start to go on.",
    "; evaluate() judges the fit on them": "",
    "leave escape=False away": "leave --no-escape away",
    " more, in result.minima": " more (--json lists them all)",
    "in gradient_descent, ": "in gradient-descent, ",
}


def in_shell(text: str) -> str:
    """Return a message of the library with the options' names in the place of the keywords'.

    >>> in_shell("Give more with max_looks=.")
    'Give more with --max-looks.'
    >>> in_shell("give a mapping, start={'x': ..., 'y': ...}")
    'give --start x=... --start y=...'
    >>> in_shell("give it a value, constants={'n': 10}")
    'give it a value, --let n=10'
    """
    for phrase, other in PHRASES.items():
        text = text.replace(phrase, other)
    if "=" not in text and " must be " not in text:
        return text  # most have nothing to change: then no expression is compiled, which a short run would notice
    text = re.sub(REFUSED, lambda found: OPTIONS[found[1]], re.sub(MAPPING, _pairs, text))
    return re.sub(KEYWORD, lambda found: f"{OPTIONS[found[1]]} {found[2]}" if found[2] else OPTIONS[found[1]], text)


def _pairs(found: re.Match[str]) -> str:
    pairs = [part.partition(":") for part in found[2].split(",")]
    option = OPTIONS[found[1]]
    return " ".join(f"{option} {name.strip(QUOTES)}={value.strip()}" for name, _, value in pairs)


def result_in_shell(result: Result) -> Result:
    """Return a result whose advice and notes speak of options."""
    advice, notes = in_shell(result.advice), tuple(map(in_shell, result.notes))
    if (advice, notes) == (result.advice, result.notes):
        return result
    return replace(result, advice=advice, notes=notes)
