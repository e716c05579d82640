"""How long it takes to differentiate: our reverse mode on a tape beside `sympy.diff`, all variables."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter
from typing import Any

import sympy
from sympy.core.cache import clear_cache

from benchmarks.measure import milliseconds, show
from descend.expression.derivative import gradient
from descend.expression.parse import parse
from descend.kernel.program import lower


def rosenbrock(n: int) -> tuple[str, Callable[[], Any]]:
    """Return the chain Σ 100(x[i+1]-x[i]²)² + (1-x[i])² as text and as SymPy."""
    text = " + ".join(f"100*(x{i + 1}-x{i}^2)^2 + (1-x{i})^2" for i in range(n - 1))

    def symbolic() -> Any:
        x = sympy.symbols(f"x:{n}", real=True)
        return sympy.Add(*(100 * (x[i + 1] - x[i] ** 2) ** 2 + (1 - x[i]) ** 2 for i in range(n - 1)))

    return text, symbolic


def sines(n: int) -> tuple[str, Callable[[], Any]]:
    """Return Π sin(x[i]) as text and as SymPy."""
    text = "*".join(f"sin(x{i})" for i in range(n))
    return text, lambda: sympy.Mul(*(sympy.sin(x) for x in sympy.symbols(f"x:{n}", real=True)))


def ours(text: str) -> tuple[float, float, float, int]:
    """Return seconds of reading, of differentiating and of lowering, and the number of operations of the program."""
    began = perf_counter()
    formula = parse(text)
    read = perf_counter()
    tape, root, names = formula.tape, formula.root, formula.names
    slopes = gradient(tape, root, [tape.symbol(name) for name in names])
    differentiated = perf_counter()
    program = lower(tape, [root, *slopes], names)
    return read - began, differentiated - read, perf_counter() - differentiated, len(program.instructions)


def theirs(symbolic: Callable[[], Any]) -> float:
    """Return the seconds of `sympy.diff` by every symbol (the expression is made beforehand, the cache is empty)."""
    clear_cache()
    expression = symbolic()
    symbols = sorted(expression.free_symbols, key=str)
    began = perf_counter()
    for symbol in symbols:
        sympy.diff(expression, symbol)
    return perf_counter() - began


def run(*, quick: bool) -> None:
    """Print the times of both."""
    cases = [
        ("Rosenbrock chain", rosenbrock, 10 if quick else 50, 1 if quick else 5),
        ("product of sines", sines, 40 if quick else 400, 1),  # SymPy takes many seconds: once
    ]
    rows = []
    for name, make, n, rounds in cases:
        text, symbolic = make(n)
        ours(text)
        pairs = [(ours(text), theirs(symbolic)) for _ in range(rounds)]
        parts = [median(ours_[k] for ours_, _ in pairs) for k in range(3)]
        ratios = [theirs_ / (ours_[1] + ours_[2]) for ours_, theirs_ in pairs]
        rows.append(
            (
                f"{name}, n = {n} ({rounds} rounds)" if rounds > 1 else f"{name}, n = {n} (once)",
                *(milliseconds(part) for part in parts),
                pairs[0][0][3],
                milliseconds(median(t for _, t in pairs)),
                f"{median(ratios):,.0f}",
            )
        )
    show(
        "derivative: the whole gradient, ms",
        ("", "reading", "derivative", "lowering", "operations", "sympy.diff", "× faster"),
        rows,
        (
            "reading: text to tape; lowering: tape to the straight-line program of value and gradient",
            "machine code is not counted, nor is lambdify",
            "× faster: sympy.diff / (derivative + lowering)",
        ),
    )
