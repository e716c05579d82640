"""No false success, through the public door: whoever is told "minimum" stands at one, judged in 50 digits."""

from __future__ import annotations

import random

import mpmath as mp
import pytest

import descend
from descend import Status
from tests.oracles.formulas import formula
from tests.oracles.judge import objection
from tests.oracles.traps import TRAPS, letters, moved

LOOKS = 1500
NEAR = 1e-7  # of a variable's scale; the promise is 1e-8, as an estimate


def starts_of(trap):
    return [start if isinstance(start, tuple) else (start,) for start in trap.starts]


def minimize(text, start, **settings):
    return descend.minimize(text, start, max_looks=LOOKS, **settings)


def maximize(text, start, **settings):
    return descend.maximize(f"-({text})", start, max_looks=LOOKS, **settings)


def gradient_descent(text, start, *, learning_rate):
    return descend.gradient_descent(text, start, learning_rate, max_iterations=LOOKS)


def false_success(trap, start, shifts=None, scales=None, factor=1.0, door=minimize, **settings):
    """Return a description of a success that is none, or None."""
    names = letters(trap.text)
    shifts, scales = shifts or dict.fromkeys(names, 0.0), scales or dict.fromkeys(names, 1.0)
    text = moved(trap.text, shifts, scales, factor)
    first = {n.lower(): float(shifts[n] + scales[n] * s) for n, s in zip(names, start, strict=True)}
    result = door(text, first, **settings)
    if not result.success:
        return None
    if trap.away is None:
        return f"{text} from {first} {settings}: {result.status.name} at {result.variables}, but there is no minimum"
    with mp.workdps(50):
        place = [(mp.mpf(result[n.lower()]) - mp.mpf(shifts[n])) / mp.mpf(scales[n]) for n in names]
        reach = max(max(abs(result[n]), abs(result[n] - first[n])) / scales[n.upper()] for n in first)
        away = trap.away(place)
        if away > NEAR * reach:
            return f"{text} from {first} {settings}: {result.status.name} {mp.nstr(away, 3)} away from a minimum"
    return None


def test_the_table_is_long_enough():
    assert len({trap.text for trap in TRAPS}) >= 60


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.text)
class TestTraps:
    def test_as_written(self, trap):
        assert [bad for start in starts_of(trap) if (bad := false_success(trap, start))] == []

    def test_with_rates_too_small_and_too_large(self, trap):
        settings = [{"learning_rate": rate} for rate in (1e-9, 0.01, 0.3, 100.0)]
        found = (false_success(trap, start, **s) for start in starts_of(trap) for s in settings)
        assert [bad for bad in found if bad] == []

    def test_through_the_other_doors(self, trap):
        found = []
        for start in starts_of(trap):
            found.append(false_success(trap, start, door=maximize))
            found += [false_success(trap, start, door=gradient_descent, learning_rate=rate) for rate in (0.01, 0.4)]
        assert [bad for bad in found if bad] == []

    def test_with_tiny_and_huge_costs_and_variables(self, trap):
        rng = random.Random(trap.text)
        found = []
        for start in starts_of(trap):
            scale = 10.0 ** rng.choice([-30, -12, -6, 6, 12, 30])
            scales = dict.fromkeys(letters(trap.text), scale)
            found.append(false_success(trap, start, scales=scales, factor=10.0 ** rng.choice([-30, -12, 12, 30])))
        assert [bad for bad in found if bad] == []

    def test_shifted_and_scaled_unevenly(self, trap):
        if not trap.moves:
            return
        rng = random.Random(trap.text)
        found = []
        for start in starts_of(trap):
            for _ in range(2):
                names = letters(trap.text)
                shifts = {n: rng.uniform(-1, 1) * 10.0 ** rng.choice([-9, -3, 0, 3, 6]) for n in names}
                scales = {n: 10.0 ** rng.choice([-6, -3, 0, 3, 6]) for n in names}
                found.append(false_success(trap, start, shifts, scales, 10.0 ** rng.choice([-12, 0, 12])))
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
