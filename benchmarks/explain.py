"""How long `explain` thinks: over the table of formulas with known answers, and over formulas made to be hard."""

from __future__ import annotations

from statistics import median
from time import perf_counter

import descend
from benchmarks.measure import milliseconds, show

LIMITS = descend.Limits(nodes=100_000, characters=1_000_000, names=5_000)


def hard(quick: bool) -> dict[str, tuple[str, dict[str, float]]]:
    """Return formulas with many variables, many terms or high degrees."""
    n = 40 if quick else 200
    dense = " + ".join(f"{(7 * i + 3 * j) % 11 - 5}*x{i}*x{j}" for i in range(n // 2) for j in range(i + 1))
    return {
        f"Rosenbrock chain, {n} written-out variables": (
            " + ".join(f"100*(x{i + 1}-x{i}^2)^2 + (1-x{i})^2" for i in range(n - 1)),
            {},
        ),
        f"product of {2 * n} sines": ("*".join(f"sin(x{i})" for i in range(2 * n)), {}),
        f"dense quadratic of {n // 2} variables": (dense, {}),
        "(x + y + z + w)^60": ("(x + y + z + w)^60", {}),
        "x^1000 - x^999 + 1": ("x^1000 - x^999 + 1", {}),
        "random polynomial of degree 40": (" + ".join(f"{(k * k * 17) % 31 - 15}*x^{k}" for k in range(41)), {}),
        "nested exponentials": ("exp(" * 30 + "x" + ")" * 30, {}),
        "indexed chain, n = 200": ("sum(100*(x[i+1]-x[i]^2)^2 + (1-x[i])^2, i, 0, n-2)", {"n": 200}),
        "indexed chain, n = 10^6": ("sum(100*(x[i+1]-x[i]^2)^2 + (1-x[i])^2, i, 0, n-2)", {"n": 1_000_000}),
        "indexed second differences, n = 200": ("sum((x[i+2]-2x[i+1]+x[i])^2, i, 0, n-3)", {"n": 200}),
    }


def timed(text: str, constants: dict[str, float]) -> tuple[float, tuple[str, ...]]:
    """Return the seconds of one explanation, reading included, and what was not finished."""
    began = perf_counter()
    found = descend.explain(text, constants=constants or None, limits=LIMITS)
    return perf_counter() - began, found.unfinished


def run(*, quick: bool = False) -> None:
    """Measure and print."""
    from tests.expression.explain_table import TABLE

    timed("x^2 + y^2 + z^2 + x*y + exp(x*y)", {})  # libraries are loaded
    rounds = 1 if quick else 3
    rows = []
    times = {row.text: min(timed(row.text, row.constants)[0] for _ in range(rounds)) for row in TABLE}
    worst = max(times, key=lambda text: times[text])
    rows.append((f"table: median of {len(times)}", milliseconds(median(times.values())), ""))
    rows.append((f"table: worst, {worst}", milliseconds(times[worst]), ""))
    for name, (text, constants) in hard(quick).items():
        seconds, unfinished = timed(text, constants)
        rows.append((name, milliseconds(seconds), ", ".join(unfinished)))
    show(
        "explain, ms",
        ("", "time", "not finished"),
        rows,
        ("reading included; max_seconds is 0.4, what is not known by then is unknown",),
    )
