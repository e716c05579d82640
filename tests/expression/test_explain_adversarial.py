"""Random formulas, tame and wild: whatever `explain` claims of them, numbers must not contradict it."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

import descend
from descend import FormulaError
from descend.expression.analyse.interval import Range
from descend.expression.analyse.ranges import ranges
from descend.expression.parse import parse
from tests.expression.claims import contradictions
from tests.oracles.evaluate import evaluate
from tests.oracles.formulas import formula, point

NAMES = ("x", "y", "z")
ONE = (
    "exp({})", "log({})", "sqrt({})", "abs({})", "sin({})", "cos({})", "tanh({})", "atan({})", "sigmoid({})",
    "softplus({})", "cosh({})", "asin({})", "cbrt({})", "1/({})", "({})**2", "({})**3", "({})**4", "({})**1.5",
    "({})**0.5", "({})**-2", "-({})", "2*({})", "({}) - 1", "floor({})", "acosh({})", "erfc({})", "log1p({})",
)  # fmt: skip
TWO = (
    "({}) + ({})", "({}) + ({})", "({}) - ({})", "({})*({})", "({})*({})", "({})/({})", "max({}, {})", "min({}, {})",
    "hypot({}, {})", "logaddexp({}, {})", "where({} < {}, 1, x)", "atan2({}, 1 + ({})**2)",
    "({})**({})", "where({0} < {1}, log({1}), {0})", "where({0} < {1} or {1} < 1, sqrt({1}), 1/({0}))",
)  # fmt: skip


def wild(rng, depth):
    """Draw a formula that may leave its domain."""
    if depth == 0:
        return rng.choice((*NAMES[: rng.randint(1, 3)], "x", "x", str(rng.randint(0, 3)), "0.5"))
    if rng.random() < 0.5:
        return rng.choice(ONE).format(wild(rng, depth - 1))
    return rng.choice(TWO).format(wild(rng, depth - 1), wild(rng, rng.randrange(depth)))


def polynomial(rng):
    names = NAMES[: rng.randint(1, 3)]
    parts = []
    for _ in range(rng.randint(1, 5)):
        factors = [
            str(rng.randint(-4, 4)),
            *(f"{n}**{rng.randint(0, 4)}" for n in rng.sample(names, rng.randint(1, len(names)))),
        ]
        parts.append("*".join(factors))
    return " + ".join(parts)


def summed(rng):
    """Draw a sum of terms with structure: squares, entropies, barriers."""
    kinds = (
        "({a} - {k})**2", "({a}*{b} - {k})**2", "{a}*log({a})", "-log({k} - {a})", "exp({a} - {b})",
        "{a}**4 - {k}*{a}**2",
        "abs({a} - {b})", "{k}*{a}", "{a}**2/{b}", "sqrt({k} + {a}**2)", "log(exp({a}) + exp({b}))", "-{a}*{b}",
        "{k}*sin({a})",
        "{a}**{b}", "({a} - {k})**{b}", "({a} + {b})**2", "max({a}, {k})",
        "1/{a}", "-sqrt({a})", "{a}*exp({b})", "{k}**{a}", "hypot({a}, {b})",
    )  # fmt: skip
    names = NAMES[: rng.randint(1, 3)]
    count = rng.randint(1, 4)
    return " + ".join(
        rng.choice(kinds).format(a=rng.choice(names), b=rng.choice(names), k=rng.randint(1, 4)) for _ in range(count)
    )


def drawn(seed):
    rng = random.Random(seed)
    match seed % 4:
        case 0:
            return wild(rng, rng.randint(1, 4))
        case 1:
            return polynomial(rng)
        case 2:
            return summed(rng)
    return formula(rng, rng.randint(1, 4)).text


def judged(seed):
    """Return (text, explanation, contradictions); None for a formula that is refused."""
    text = drawn(seed)
    try:
        e = descend.explain(text, max_seconds=5)
    except FormulaError:
        return None
    if not e.variables or (e.domain and ("min(" in text or "max(" in text)):  # Python's min and max let NaN pass
        return None
    return text, e, contradictions(text, e, list(e.variables), count=40, seed=seed)


@pytest.mark.parametrize("seed", range(160))
def test_no_claim_about_a_random_formula_is_contradicted(seed):
    found = judged(seed)
    if found is not None:
        text, _, wrong = found
        assert not wrong, text


def test_the_judge_sees_lies():
    text = "x**4 - 3*x**2 + y"
    e = descend.explain(text)
    assert not contradictions(text, e, ["x", "y"])
    for lie in (
        {"convex": True},
        {"concave": True},
        {"below": replace(e.below, bounded=True, bound=-1.0)},
        {"range": (-1.0, 1.0)},
        {"dead": ("y",)},
        {"linear_in": ("x",)},
        {"degree": 3},
        {"domain_empty": True},
    ):
        assert contradictions(text, replace(e, **lie), ["x", "y"]), lie
    assert contradictions("x*y", replace(descend.explain("x*y"), groups=(("x",), ("y",))), ["x", "y"])
    assert contradictions("log(x)", replace(descend.explain("log(x)"), domain=()), ["x"])


@pytest.mark.parametrize("seed", range(200))
def test_values_lie_in_their_ranges(seed):
    rng = random.Random(seed)
    tape, root = parse(formula(rng, rng.randint(1, 4)).text)
    boxes, inside = {}, {}
    for name, number in point(rng).items():
        width = rng.choice((0.0, 0.01, 1.0))
        boxes[tape.symbol(name)] = Range(number - width, number + width / 2)
        inside[name] = number
    order = tape.reachable((root,))
    bounds = ranges(tape, (root,), boxes)
    for index, value in zip(order, evaluate(tape, order, inside), strict=True):
        found = bounds[index]
        if isinstance(value, bool):
            assert found is not None
            assert found.low <= int(value) <= found.high
        elif value == value:  # noqa: PLR0124 - not NaN
            assert found is not None
            assert found.low <= value + 1e-13 * (1 + abs(value))
            assert found.high >= value - 1e-13 * (1 + abs(value))
