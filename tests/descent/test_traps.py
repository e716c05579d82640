"""No false success, through the public door: whoever is told "minimum" stands at one, judged in 50 digits."""

from __future__ import annotations

import random
from dataclasses import fields

import mpmath as mp
import pytest

import descend
from descend import Status
from descend.descent.method.registry import METHODS
from descend.evaluation import Needs
from tests.oracles.formulas import formula
from tests.oracles.judge import objection
from tests.oracles.read import read
from tests.oracles.traps import TRAPS, letters, starts, variant, variants

LOOKS = 1500
OTHERS = [
    (name, {"learning_rate": 0.05} if any(f.name == "learning_rate" for f in fields(method)) else {})
    for name, method in METHODS.items()
    if method.needs in {Needs.GRADIENT, Needs.HESSIAN}
]


def minimize(text, start, **settings):
    return descend.minimize(text, start, max_looks=LOOKS, **settings)


def maximize(text, start, **settings):
    return descend.maximize(f"-({text})", start, max_looks=LOOKS, **settings)


def gradient_descent(text, start, *, learning_rate):
    return descend.gradient_descent(text, start, learning_rate, max_iterations=LOOKS)


def false_success(case, door=minimize, **settings):
    """Return a description of a success that is none, or None."""
    result = door(case.text, case.start, **settings)
    why = case.objection(result.variables) if result.success else None
    return why and f"{case.text} from {case.start} {settings}: {result.status.name} at {result.variables}, but {why}"


def as_written(trap):
    return [variant(trap, start) for start in starts(trap)]


def test_the_table_is_long_enough():
    assert len({trap.text for trap in TRAPS}) >= 60


def test_a_variant_is_the_same_trap():
    """Its text at a point is the trap's at the point's place, in 50 digits."""
    rng = random.Random(3)
    for trap in TRAPS:
        for case in variants(trap, 3, seed=5):
            point = {n: s + rng.uniform(-1, 1) * c for (n, s), c in zip(case.start.items(), case.scales, strict=True)}
            with mp.workdps(50):
                there = read(case.text)({n: mp.mpf(x) for n, x in point.items()})
                values = zip(letters(trap.text), case.place(point), strict=True)
                here = read(trap.text)({n: mp.re(z) for n, z in values})
                if mp.isfinite(here) and not mp.im(here):
                    assert mp.almosteq(
                        there, mp.mpf(repr(case.factor)) * here, rel_eps=1e-25, abs_eps=case.factor * 1e-25
                    )


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.text)
class TestTraps:
    def test_as_written_and_moved(self, trap):
        assert [bad for case in variants(trap, 2) if (bad := false_success(case))] == []

    def test_with_rates_too_small_and_too_large(self, trap):
        settings = [{"learning_rate": rate} for rate in (1e-9, 0.01, 0.3, 100.0)]
        found = (false_success(case, **s) for case in as_written(trap) for s in settings)
        assert [bad for bad in found if bad] == []

    def test_through_the_other_doors(self, trap):
        found = []
        for case in as_written(trap):
            found.append(false_success(case, door=maximize))
            found.append(false_success(case, escape=False))
            found += [false_success(case, door=gradient_descent, learning_rate=rate) for rate in (0.01, 0.4)]
        assert [bad for bad in found if bad] == []

    def test_by_other_methods(self, trap):
        rng = random.Random(trap.text)
        found = []
        for case in variants(trap, 1, seed=1):
            for name, settings in rng.sample(OTHERS, 3):
                found.append(false_success(case, method=name, **settings))
        assert [bad for bad in found if bad] == []


def test_the_judge_knows_a_minimum_and_what_is_none():
    assert objection("(x-1)**2 + y**4", {"x": 1.0, "y": 0.0}, {"x": 3.0, "y": 1.0}) is None
    assert objection("(x-1)**2 + y**4", {"x": 1.001, "y": 0.0}, {"x": 3.0, "y": 1.0}) is not None
    assert objection("x**2 - y**2", {"x": 0.0, "y": 0.0}, {"x": 3.0, "y": 1.0}) is not None
    assert objection("x**3", {"x": 1e-9}, {"x": 1.0}) is not None
    assert objection("-cos(x)", {"x": 3.141592653589793}, {"x": 3.0}) is not None


@pytest.mark.parametrize("seed", range(4))
def test_random_costs(seed):
    """Random formulas, most of them with a bowl added, so that many have a minimum somewhere."""
    rng = random.Random(seed)
    bowls = ["x**2", "0.1*x**4 + y**2", "(x-1)**2 + (y+2)**2", "x**2*y**2", "x**2 + y**2 + z**2"]
    bad, judged = [], 0
    for _ in range(45):
        text = formula(rng, rng.choice([1, 2, 2, 3])).text
        if rng.random() < 0.7:
            text = f"{rng.choice(bowls)} + ({text})"
        names = descend.derivative(text)
        start = {name: rng.choice([0.0, 1.0, rng.uniform(-3, 3)]) for name in names}
        settings = rng.choice([{}, {}, {"learning_rate": 0.05}, {"precision": 1e-6}])
        try:
            result = descend.minimize(text, start, max_looks=LOOKS, **settings)
        except (descend.FormulaError, descend.StartError):  # a constant, or no value at the start
            continue
        if result.success and result.status is not Status.EXACT:
            judged += 1
            why = objection(text, result.variables, start)
            if why:
                bad.append((text, start, settings, result.variables, why))
    assert bad == []
    assert judged >= 8
