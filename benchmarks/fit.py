"""NIST's Norris and Longley: right digits of the worst parameter, and the time of a fit, beside NumPy and SciPy."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from math import log10
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from scipy.optimize import curve_fit
from scipy.stats import linregress

import descend
from benchmarks.measure import in_turns, milliseconds, ratio, show

DATA = Path(__file__).with_name("data")
CERTIFIED_DIGITS = 15  # that NIST prints
LEAST_DIGITS = 9  # asked for by issue 2


def digits(found: Any, certified: list[float]) -> float:
    """Return the number of right digits of the worst parameter: -log10 of its relative error, at most 15."""
    worst = max(abs(f - c) / abs(c) for f, c in zip(found, certified, strict=True))
    return min(CERTIFIED_DIGITS, -log10(worst)) if worst > 0 else CERTIFIED_DIGITS


def contestants(model: str, table: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    """Return name → a function that returns the parameters, constant first."""
    y = table["y"]
    predictors = [table[name] for name in table if name != "y"]
    X = np.column_stack([np.ones(len(y)), *predictors])

    def ours() -> Any:
        return descend.fit(model, table).parameters.values()

    def nonlinear() -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the covariance could not be estimated
            return curve_fit(lambda x, *b: b[0] + np.dot(b[1:], x), np.array(predictors), y, p0=np.ones(X.shape[1]))[0]

    found = {
        "descend.fit": ours,
        "numpy.linalg.lstsq": lambda: np.linalg.lstsq(X, y, rcond=None)[0],
        "scipy.optimize.curve_fit": nonlinear,
    }
    if len(predictors) == 1:

        def line() -> Any:
            fitted = linregress(predictors[0], y)
            return fitted.intercept, fitted.slope

        found["scipy.stats.linregress"] = line
    return found


def run(*, quick: bool) -> None:
    """Print digits and times."""
    rounds = 3 if quick else 15
    rows = []
    for path in (DATA / "norris.json", DATA / "longley.json"):
        case = json.loads(path.read_text(encoding="utf-8"))
        table = {name: np.array(values) for name, values in case["data"].items()}
        ways = contestants(f"y = {case['model']}", table)
        times = in_turns(ways, rounds)
        for name, way in ways.items():
            right = digits(way(), case["certified"])
            against = ratio(times[name], times["descend.fit"])
            rows.append(
                (f"{case['name']}: {name}", f"{right:.1f}", milliseconds(median(times[name])), f"{against:.3f}")
            )
    show(
        f"fit: NIST's linear regressions ({rounds} rounds, medians)",
        ("", f"right digits (asked of descend: ≥ {LEAST_DIGITS})", "ms", "time ÷ descend's"),
        rows,
        (
            "right digits: of the worst parameter, against the certified values, of which 15 digits are printed",
            "descend's time includes reading and differentiating the formula, checking data, standard errors, verdict",
            "curve_fit starts at ones; the others need no start",
        ),
    )
