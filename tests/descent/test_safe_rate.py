"""The largest rate that would not have diverged: exact on quadratics, and elsewhere a little more does diverge."""

from __future__ import annotations

import random

import numpy as np
import pytest

from descend.descent.loop import descend as loop
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.safe_rate import largest_rate
from descend.descent.stopping import Looks, NotFinite
from descend.expression.parse import parse
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector


def objective(text):
    return FormulaObjective(make_problem(parse(text)), 1, compiled=False)


def end(text, start, rate, looks=2000):
    return loop(objective(text), GradientDescent(rate), Vector(start), NotFinite() | Looks(looks)).last.evaluation


@pytest.mark.parametrize("factor", [1.0001, 1.01, 3.0, 1e6, 1e30])
@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_the_articles_parabola(factor, unit):
    """f'' = 2: every rate below 1 converges, from anywhere."""
    found = largest_rate(objective(f"{unit!r}*(x^2 - 4x + 1)"), Vector([10.0]), factor / unit)
    assert found == pytest.approx(1.0 / unit, rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_quadratics_of_several_variables(seed):
    rng = np.random.default_rng(seed)
    size = 2 + seed % 3
    root = rng.normal(size=(size, size))
    matrix = np.round((root @ root.T + np.eye(size)) * 64) / 64
    names = "abcd"[:size]
    text = " + ".join(f"({matrix[i, j]})*{names[i]}*{names[j]}/2" for i in range(size) for j in range(size))
    right = 2.0 / np.linalg.eigvalsh(matrix)[-1]
    start = Vector([float(v) for v in rng.normal(size=size) * 3])
    assert largest_rate(objective(text), start, 1.7 * right) == pytest.approx(right, rel=1e-6)


CURVED = {
    "quartic": ("x^4", [2.0], 1.0),
    "quartic and line": ("x^4 + x", [2.0], 0.5),
    "valley": ("(1-x)^2 + 100*(y-x^2)^2", [-1.2, 1.0], 0.1),
    "cosh": ("cosh(x - 3) + y^4 + y^2", [-2.0, 2.0], 1.0),
    "two wells": ("x^4 - x^2", [2.0], 1.0),
}


@pytest.mark.parametrize("name", CURVED)
def test_other_costs(name):
    """With a bit less it ends lower than it began; with a third more it does not, or cannot rest where it came to."""
    text, start, rate = CURVED[name]
    found = largest_rate(objective(text), Vector(start), rate)
    top = objective(text).look(Vector(start)).cost
    assert 0 < found < rate
    below = end(text, start, 0.99 * found)
    assert below.finite
    assert below.cost < top
    above = end(text, start, 1.34 * found)
    settled = above.finite and above.gradient_norm < 1e-9
    assert not settled


def test_a_quartic_has_a_known_limit():
    """x ← x(1 - 4rx²) shrinks from x_0 exactly where 4rx_0² < 2."""
    rng = random.Random(0)
    for _ in range(10):
        start = rng.uniform(0.1, 30)
        right = 0.5 / start**2
        assert largest_rate(objective("x^4"), Vector([start]), right * rng.uniform(1.1, 1e4)) == pytest.approx(
            right, rel=1 / 32
        )


@pytest.mark.parametrize("text", ["x", "-x^2", "0*x"])
def test_costs_that_no_rate_is_wrong_for(text):
    """Downhill for ever: half of any rate descends, and no curvature bounds it.  Where nothing descends: None."""
    found = largest_rate(objective(text), Vector([1.0]), 8.0)
    assert found is None if text == "0*x" else 4.0 <= found <= 8.0
