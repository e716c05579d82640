"""How long it takes to read a text: our parser beside Python's own and SymPy's (which evaluates what it is given)."""

from __future__ import annotations

import ast
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

from benchmarks.indexed import FORMULAS, INTEGRAL
from benchmarks.measure import in_turns, milliseconds, ratio, show
from descend.errors import DescendError
from descend.expression.parse import parse

WORST = 0.5  # s, asked of us, for any text

READABLE = {
    "one term": "100*(y - x**2)**2 + (1 - x)**2",
    "a sum over an index": FORMULAS[0].text,
    "sums inside sums": INTEGRAL,
    "200 terms, 6,000 characters": " + ".join(f"sin(x{k} - x{k + 1})**2*exp(x{k})" for k in range(200)),
}
HOSTILE = {
    "9**9**9**9": "9**9**9**9",
    "3,000 brackets": "(" * 3000 + "x" + ")" * 3000,
    "factorial(10**9)": "factorial(10**9)",
    "10 MB": "x+" * 5_000_000 + "x",
    "20,000 characters of sums": ("x*y+" * 5000)[:19_999] + "x",
    "a thousand powers": "x" + "**2" * 1000,
    "20,000 digits": "1" * 20_000,
    "an attack": "__import__('os').system('true')",
    "eight sums inside one another": "".join(f"sum(a{k}*" for k in range(8))
    + "x"
    + "".join(f", i{k}, 1, 9)" for k in range(8)),
}


def run(*, quick: bool) -> None:
    """Print one table of what can be read and one of what is refused."""
    rounds = 2 if quick else 9
    rows = []
    for name, text in READABLE.items():
        contestants: dict[str, Callable[[], Any]] = {"descend": lambda text=text: parse(text)}
        if "sum(" not in text:
            contestants |= {"ast": lambda text=text: ast.parse(text, mode="eval"), "SymPy": _sympy(text)}
        times = in_turns(contestants, rounds)
        other = [milliseconds(median(times[who])) if who in times else "" for who in ("ast", "SymPy")]
        faster = f"{ratio(times['SymPy'], times['descend']):.1f}" if "SymPy" in times else ""
        rows.append((name, milliseconds(median(times["descend"])), *other, faster))
    show(
        f"parse: text to tape, ms ({rounds} rounds)",
        ("", "descend", "ast.parse", "sympy.parse_expr", "× faster than SymPy"),
        rows,
        ("ast.parse makes a tree of syntax only, in C", "parse_expr evaluates the text as Python: for trusted texts"),
    )
    print()
    rows = []
    for name, text in HOSTILE.items():
        times = in_turns({"descend": lambda text=text: _outcome(text)}, rounds)
        tracemalloc.start()
        outcome = _outcome(text)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        worst = milliseconds(max(times["descend"]))
        rows.append((name, worst, milliseconds(WORST), f"{peak / 2**20:.1f}", outcome))
    show(
        f"parse: hostile texts ({rounds} rounds)",
        ("", "worst, ms", "asked ≤", "memory, MB", "outcome"),
        rows,
        ("memory: the most that Python had allocated meanwhile",),
    )


def _sympy(text: str) -> Callable[[], Any]:
    from sympy.core.cache import clear_cache
    from sympy.parsing.sympy_parser import parse_expr

    def read() -> Any:
        clear_cache()
        return parse_expr(text)

    return read


def _outcome(text: str) -> str:
    try:
        parse(text)
    except DescendError as error:
        return type(error).__name__
    return "read"
