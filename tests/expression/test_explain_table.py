"""`explain` on the table of formulas with known answers, and no claim of it contradicted by numbers."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.expression.derivative import hessian
from descend.expression.parse import parse
from tests.expression.claims import contradictions
from tests.expression.explain_table import TABLE
from tests.oracles.evaluate import evaluate

ROWS = pytest.mark.parametrize("row", TABLE, ids=[row.text for row in TABLE])
FOUND = {}


def explained(row):
    if row.text not in FOUND:
        FOUND[row.text] = descend.explain(row.text, constants=row.constants or None, max_seconds=20)
    return FOUND[row.text]


def numbers_of(row, e):
    """Return the names of the numbers that vary (of x[i]: those that the formula touches, here 0 or 1 to n)."""
    if "[i]" not in row.text:
        return list(e.variables)
    first = 1 if "i, 1, n" in row.text else 0
    return [f"x[{k}]" for k in range(first, first + e.size)]


def asked(e, fact):
    q, low = e.quadratic, e.below
    return {
        "low": low.bound,
        "attained": low.attained,
        "minimum": low.minimum,
        "minimisers": len(low.at),
        "shape": q and q.shape,
        "curvatures": q and (q.smallest, q.largest),
        "condition": q and q.condition,
        "best": e.rates and e.rates.best,
        "safe": e.rates and e.rates.safe_below,
    }.get(fact, getattr(e, fact, None))


@ROWS
def test_known_answers(row):
    e = explained(row)
    assert (e.convex, e.concave) == row.bend
    assert e.bounded_below is row.below
    assert e.unfinished == ()
    for fact, wanted in row.facts.items():
        found = asked(e, fact)
        numbers = wanted if isinstance(wanted, tuple) else (wanted,)
        if numbers and all(isinstance(x, float) for x in numbers):
            assert found == pytest.approx(wanted, rel=1e-9, abs=1e-300), fact
        else:
            assert found == wanted, fact


@ROWS
def test_no_claim_is_contradicted(row):
    e = explained(row)
    if e.size > 20:
        return  # the same formulas are there with a smaller n
    count = 20 if "sum(" in row.text else 80
    assert not contradictions(row.text, e, numbers_of(row, e), row.constants, count)


def test_the_table_is_large_and_has_unknowns():
    assert len(TABLE) >= 60
    assert len({row.text for row in TABLE}) == len(TABLE)
    assert sum(None in row.bend or row.below is None for row in TABLE) >= 8


@pytest.mark.parametrize(
    "row", [r for r in TABLE if r.facts.get("shape") in {"bowl", "valley"} and "sum(" not in r.text]
)
def test_curvatures_are_the_eigenvalues_of_the_second_derivatives(row):
    e = explained(row)
    tape, root = parse(row.text)
    names = [n for n in e.variables if n not in (e.dead or ())]
    entries = hessian(tape, root, [tape.symbol(n) for n in names])
    flat = evaluate(tape, [h for line in entries for h in line], dict.fromkeys(e.variables, 0.37))
    values = np.linalg.eigvalsh(np.array(flat, dtype=float).reshape(len(names), -1))
    assert e.quadratic.largest == pytest.approx(values[-1], rel=1e-12)
    if e.quadratic.shape == "bowl" and values[0] > 1e-6 * values[-1]:
        assert e.quadratic.smallest == pytest.approx(values[0], rel=1e-9)


@pytest.mark.parametrize("text", ["x^2 + 10y^2", "x^2 + x*y + y^2", "(x-1)^2 + (y-2)^2/4 + (x+y+z)^2"])
def test_what_is_said_of_gradient_descent_happens(text):
    e = descend.explain(text)
    start = {name: 0.3 + 0.7 * k for k, name in enumerate(e.variables)}
    goal = e.below.at[0]

    def distance(rate, steps):
        last = descend.gradient_descent(text, start, rate, max_iterations=steps)
        return max(abs(last[n] - goal[n]) for n in goal)

    began = max(abs(start[n] - goal[n]) for n in goal)
    assert distance(0.98 * e.rates.safe_below, 2000) < 1e-6 * began
    assert not distance(1.02 * e.rates.safe_below, 2000) < 10 * began
    digits = 6
    assert distance(e.rates.best, int(digits * e.rates.steps_per_digit) + 5) < 10 ** (1 - digits) * began
