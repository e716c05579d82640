"""The judge of `make bench-methods` says right of minima and wrong of everything else; its numbers have an oracle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.methods.contest import Entry
from benchmarks.methods.disguise import DISGUISES
from benchmarks.methods.exact import ExactFormula
from benchmarks.methods.judge import Judge
from benchmarks.methods.peers import Answer
from benchmarks.methods.problems import Problem, problems
from benchmarks.methods.profile import ratios
from tests.oracles.cases import cases

ROSENBROCK = Problem("r", "g", "100*(y - x**2)**2 + (1 - x)**2", ("x", "y"), (-1.2, 1.0), ("0",))
TWO = Problem("t", "g", "x**4 - x**2 + x/10", ("x",), (0.5,), ("-0.3219193468815588", "-0.1"))


@pytest.mark.parametrize("case", cases("mgh", "testfunctions", "cutest"), ids=str)
def test_values_and_derivatives_are_those_of_the_other_reader(case):
    """Value and gradient against `tests/oracles` (mpmath), the Hessian against its Hessian product."""
    n = min(case.size, 12)
    if case.data and case.indexed:
        n = case.size
    (x,) = case.points(n, 1)
    names = case.names(n)
    v = np.random.default_rng(1).uniform(-1, 1, n).tolist()
    theirs = case.formula(n)(dict(zip(names, x, strict=True)), dict(zip(names, v, strict=True)))
    formula = ExactFormula(case.objective, None if case.indexed else names, constants=case.constants(n), data=case.data)
    ours = formula.jet(x)
    assert float(ours.value) == pytest.approx(float(theirs.value), rel=1e-13)
    slope = [float(ours.slope.get(k, 0)) for k in range(n)]
    assert slope == pytest.approx([float(theirs.slope.get(name, 0)) for name in names], rel=1e-13, abs=1e-300)
    product = np.zeros(n)
    for (i, j), b in ours.bend.items():
        product[i] += float(b) * v[j]
        if i != j:
            product[j] += float(b) * v[i]
    size = max(abs(float(b)) for b in theirs.bend.values())
    assert product == pytest.approx([float(theirs.bend.get(name, 0)) for name in names], rel=1e-11, abs=1e-13 * size)


@pytest.mark.parametrize(
    ("problem", "point", "right", "why"),
    [
        (ROSENBROCK, (1, 1), True, "listed"),
        (ROSENBROCK, (1 + 1e-8, 1 + 2e-8), True, "listed"),
        (ROSENBROCK, (1.001, 1.002001), False, "slope"),
        (ROSENBROCK, (-1.2, 1), False, "slope"),
        (ROSENBROCK, (float("nan"), 1), False, "not finite"),
        (ROSENBROCK, (1e200, 1), False, "slope"),
        (ROSENBROCK, (1,), False, "no point"),
        (TWO, (0.680639276423669,), True, "another minimum"),
        (TWO, (0.05025382676255302,), False, "negative eigenvalue"),  # a maximum
        (TWO, (-0.6,), False, "slope"),  # lower than the listed local minimum, but no minimum
        (TWO, (-0.7,), False, "slope"),
    ],
)
def test_what_the_judge_says(problem, point, right, why):
    ruling = Judge(problem).ruling(point)
    assert (ruling.right, why in ruling.why) == (right, True), ruling


def test_a_saddle_and_a_degenerate_minimum():
    saddle = Problem("s", "g", "x**2 - y**2", ("x", "y"), (1.0, 1.0), ())
    assert not Judge(saddle).ruling((0, 0)).right
    valley = replace(saddle, text="(x + y)**2")
    assert Judge(valley).ruling((3, -3)).right
    assert not Judge(replace(saddle, text="(x + y)**2 - 1e-6*(x - y)**2")).ruling((0, 0)).right


@pytest.mark.parametrize("n", [100, 1000])
def test_many_variables(n):
    (problem,) = [p for p in problems(n, n) if p.name == "EG2"]
    judge = Judge(problem)
    assert not judge.ruling(problem.start).right
    # At x[0] = -1/2 its own sine is level, whatever the others are at; those at -1 make a minimum, at +1 a maximum.
    others = [np.sqrt(1.5 + 1.5 * np.pi)] * (n - 2)
    assert judge.ruling([-0.5, *others, np.sqrt(1.5 * np.pi)]).why == "another minimum"
    others = [np.sqrt(1.5 + 0.5 * np.pi)] * (n - 2)
    assert "negative eigenvalue" in judge.ruling([-0.5, *others, np.sqrt(0.5 * np.pi)]).why


def test_no_standard_start_is_a_minimum():
    assert [p.label for p in problems(12) if Judge(p).ruling(p.start).right] == []


@pytest.mark.parametrize("name", list(DISGUISES))
def test_a_disguise_is_the_same_problem(name):
    for problem in problems(12):
        other = DISGUISES[name](problem)
        here, there = problem.exact.value(problem.start), other.exact.value(other.start)
        assert float(there) == pytest.approx(other.scale * float(here), rel=1e-6, abs=1e-9 * other.scale)
        assert (other.text, other.start) != (problem.text, problem.start)


def test_the_profile_counts_only_what_was_right_and_said_so():
    right, wrong = Judge(ROSENBROCK).ruling((1, 1)), Judge(ROSENBROCK).ruling((0, 0))
    entries = [
        Entry("p", 2, "a", Answer((1, 1), True, "", looks=10), right),
        Entry("p", 2, "b", Answer((1, 1), True, "", looks=20), right),
        Entry("p", 2, "c", Answer((0, 0), True, "", looks=1), wrong),
        Entry("p", 2, "d", Answer((1, 1), False, "", looks=1), right),
    ]
    found = ratios(entries, lambda e: e.answer.looks)
    assert found == {"a": [1.0], "b": [2.0], "c": [np.inf], "d": [np.inf]}
    assert [e.false for e in entries] == [False, False, True, False]
