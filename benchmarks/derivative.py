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
from descend.expression.limits import Limits
from descend.expression.parse import parse
from descend.kernel.program import lower

Case = tuple[str, Callable[[int], tuple[str, Callable[[], Any]]], int, int, int, float]
LARGE = Limits(characters=200_000, nodes=100_000, names=2_000)


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
    formula = parse(text, limits=LARGE)
    read = perf_counter()
    tape, root, names = formula.tape, formula.root, formula.names
    slopes = gradient(tape, root, [tape.symbol(name) for name in names])
    differentiated = perf_counter()
    program = lower(tape, [root, *slopes], names)
    return read - began, differentiated - read, perf_counter() - differentiated, len(program.instructions)


def theirs(symbolic: Callable[[], Any], most: int) -> float:
    """Return the seconds of `sympy.diff` by every symbol, at most `most` of which are done, scaled up to all.

    The expression is made beforehand; SymPy's cache is empty at first.
    """
    clear_cache()
    expression = symbolic()
    symbols = sorted(expression.free_symbols, key=str)
    done = symbols[:: -(-len(symbols) // most)]
    began = perf_counter()
    for symbol in done:
        sympy.diff(expression, symbol)
    return (perf_counter() - began) * len(symbols) / len(done)


def run(*, quick: bool) -> None:
    """Print the times of both."""
    # Title, formula, n, rounds, how many derivatives SymPy makes (all of the largest: minutes), seconds asked of us.
    cases: list[Case] = [("Rosenbrock chain", rosenbrock, 10, 1, 10, 0.1), ("product of sines", sines, 40, 1, 10, 0.1)]
    if not quick:
        cases = [
            ("Rosenbrock chain", rosenbrock, 50, 5, 50, 0.1),
            ("Rosenbrock chain", rosenbrock, 1000, 3, 4, 2.0),
            ("product of sines", sines, 100, 1, 100, 0.1),
            ("product of sines", sines, 400, 1, 4, 0.1),
        ]
    rows = []
    for name, make, n, rounds, most, asked in cases:
        text, symbolic = make(n)
        ours(text)
        pairs = [(ours(text), theirs(symbolic, most)) for _ in range(rounds)]
        parts = [median(mine[k] for mine, _ in pairs) for k in range(3)]
        rows.append(
            (
                f"{name}, n = {n}",
                *(milliseconds(part) for part in parts),
                f"{milliseconds(median(mine[1] + mine[2] for mine, _ in pairs))} (≤ {milliseconds(asked)})",
                pairs[0][0][3],
                milliseconds(median(other for _, other in pairs)) + ("" if most >= n else f" ({most} of {n}, scaled)"),
                f"{median(other / (mine[1] + mine[2]) for mine, other in pairs):,.0f}",
            )
        )
    show(
        "derivative: the whole gradient, ms",
        ("", "reading", "derivative", "lowering", "both (asked)", "operations", "sympy.diff", "× faster"),
        rows,
        (
            f"rounds: {', '.join(str(case[3]) for case in cases)}; medians",
            "reading: text to tape; lowering: tape to the straight-line program of value and gradient",
            "machine code is not counted, nor is lambdify",
            "× faster: sympy.diff / (derivative + lowering)",
            "scaled: SymPy made that many of the n derivatives, which are alike",
        ),
    )
