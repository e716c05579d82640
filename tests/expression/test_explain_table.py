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
    if "x[" not in row.text:
        return list(e.variables)
    if "[i" not in row.text:
        return ["x[0]"]
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


@ROWS
def test_the_answers_hold_in_the_time_that_is_given_by_default(row):
    e = descend.explain(row.text, constants=row.constants or None)
    for known, wanted in zip((e.convex, e.concave, e.bounded_below), (*row.bend, row.below), strict=True):
        assert known is wanted or (known is None and e.unfinished)
    if e.domain is not None and "domain" in row.facts:
        assert e.domain == row.facts["domain"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x^2 + 1e10*y^2", "any learning rate below 1e-10 is safe, the best is 9.999999999e-11:"),
        ("x^2 + 1e17*y^2", "any learning rate below 1e-17 is safe, the best is just below that:"),
        ("3x^2 + y^2", "any learning rate below 0.333333 is safe, the best is 0.25:"),
        ("x*log(x) - log(3 - x)", "Never below -1.4665."),
        ("exp(-x) + 1/3", "Never as low as about 0.333333,"),
        ("exp(x)*exp(-x)", "  Constant."),
        ("x/x", "  Constant wherever it is defined."),
        ("x^2 + 4x*y + y^2", "along (x = 0.707107, y = -0.707107) is -2."),
        ("b*exp(a/2)", "Only b*exp(a/2) matters"),
        ("b*exp(-3a)", "Only b*exp(-3*a) matters"),
        ("b*exp(2a/3)", "Only b*exp(2/3*a) matters"),
        ("abs(x) + abs(y)", "  Not smooth: abs(x) has a kink at x = 0.\n  Not smooth: abs(y) has a kink at y = 0."),
        ("abs(x^2 - 2)", "has a kink at about x = 1.41421."),
        ("sqrt(x*y)", "  Perhaps not smooth: sqrt(x*y) may have a kink where x*y = 0."),
        ("x^floor(y)", "Defined where x ≠ 0 (elsewhere for some exponents only), because of x^floor(y)."),
    ],
)
def test_it_is_said_in_these_words(text, said):
    assert said in str(descend.explain(text, max_seconds=20))


def test_what_is_too_large_is_said():
    text = "sum((x[i] - i)^2, i, 0, n-1)"
    few, many = (descend.explain(text, constants={"n": n}, max_seconds=20) for n in (200, 201))
    assert few.rates is not None
    assert not few.notes
    assert many.rates is None
    assert "201 variables are too many (at most 200)" in str(many)


def test_a_single_equals_sign_in_brackets_is_no_model():
    with pytest.raises(descend.FormulaError, match="for a condition write where"):
        descend.explain("where(x=0, a, b)")
    assert descend.explain("y = where(x == 0, a, b)", columns=["x"]).model == "y"


def test_the_curvature_of_a_witness_is_one_of_a_unit_direction():
    e = descend.explain("x*y")
    assert e.bend.not_convex.curvature == pytest.approx(e.quadratic.smallest)
    assert sum(d * d for d in e.bend.not_convex.direction.values()) == pytest.approx(1)


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
