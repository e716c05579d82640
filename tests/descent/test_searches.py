"""Line searches: published trial counts, the published conditions in 50 digits, and ends."""

from __future__ import annotations

from math import exp, inf, nan

import mpmath
import pytest

from descend.descent.method.hager_zhang import HagerZhang
from descend.descent.method.search import ENOUGH, Armijo, Verdict
from descend.descent.method.wolfe import StrongWolfe, WeakWolfe

mpmath.mp.dps = 50


def first(t):
    """Moré & Thuente (1994), eq. 5.1 with β = 2."""
    return -t / (t * t + 2), (t * t - 2) / (t * t + 2) ** 2


def second(t):
    """Eq. 5.2 with β = 0.004."""
    b = type(t)(4) / 1000
    return (t + b) ** 5 - 2 * (t + b) ** 4, 5 * (t + b) ** 4 - 8 * (t + b) ** 3


def exponential(t):
    e = mpmath.exp if isinstance(t, mpmath.mpf) else exp
    return e(t) - 3 * t, e(t) - 3


FUNCTIONS = [first, second, exponential]
SEARCHES = [
    Armijo(), StrongWolfe(), StrongWolfe(curvature=0.1), WeakWolfe(), HagerZhang(), HagerZhang(curvature=0.2)
]  # fmt: skip


def run(search, phi, length):
    cost, slope = phi(0.0)
    line, trials = search.begin(cost, slope, length), []
    while line.verdict is Verdict.SEARCHING:
        trials.append(line.length)
        line = search.learn(line, *phi(line.length))
    return line, trials


@pytest.mark.parametrize(
    ("phi", "decrease", "curvature", "begin", "count", "length"),
    # Moré & Thuente (1994), Tables I and II.
    [
        (first, 1e-3, 0.1, 1e-3, 6, 1.4), (first, 1e-3, 0.1, 1e-1, 3, 1.4), (first, 1e-3, 0.1, 1e1, 1, 10),
        (first, 1e-3, 0.1, 1e3, 4, 37), (second, 0.1, 0.1, 1e-3, 12, 1.6), (second, 0.1, 0.1, 1e-1, 8, 1.6),
        (second, 0.1, 0.1, 1e1, 8, 1.6), (second, 0.1, 0.1, 1e3, 11, 1.6),
    ],
)  # fmt: skip
def test_the_trials_of_more_and_thuentes_tables(phi, decrease, curvature, begin, count, length):
    line, trials = run(StrongWolfe(decrease, curvature), phi, begin)
    assert line.verdict is Verdict.FOUND
    assert len(trials) == count
    assert trials[-1] == pytest.approx(length, rel=0.04)


@pytest.mark.parametrize("search", SEARCHES, ids=str)
@pytest.mark.parametrize("phi", FUNCTIONS)
@pytest.mark.parametrize("begin", [1e-3, 0.1, 1.0, 7.0, 100.0])
def test_the_accepted_length_satisfies_the_published_conditions(search, phi, begin):
    line, trials = run(search, phi, begin)
    assert line.verdict is Verdict.FOUND
    t = mpmath.mpf(trials[-1])
    cost, slope = phi(mpmath.mpf(0))
    there, bend = phi(t)
    falls = there <= cost + search.decrease * t * slope
    if isinstance(search, HagerZhang):
        near = bend <= (2 * search.decrease - 1) * slope and there <= cost + search.noise * abs(cost)
        assert falls or near
        assert bend >= search.curvature * slope or len(trials) >= ENOUGH
        return
    assert falls
    if isinstance(search, StrongWolfe):
        assert abs(bend) <= search.curvature * abs(slope)
    if isinstance(search, WeakWolfe):
        assert bend >= search.curvature * slope or len(trials) >= ENOUGH


def test_armijos_trials_by_hand():
    # φ = (1 - t)² from t = 8: the parabola through φ(0), φ'(0), φ(8) has its minimum at 1, an eighth of the way.
    _, trials = run(Armijo(), lambda t: ((1 - t) ** 2, 2 * (t - 1)), 8.0)
    assert trials == pytest.approx([8, 1])


def test_weak_wolfe_doubles_and_bisects_as_lewis_and_overton_do():
    # |t - 5| from 1 with -1 as slope: 1, 2, 4, 8 are short of the kink or beyond it within Armijo's condition.
    _, trials = run(WeakWolfe(), lambda t: (abs(t - 5), -1.0 if t < 5 else 1.0), 1.0)
    assert trials == [1, 2, 4, 8]
    _, trials = run(WeakWolfe(decrease=0.5), lambda t: (abs(t - 5), -1.0 if t < 5 else 1.0), 1.0)
    assert trials == [1, 2, 4, 8, 6]


def test_hager_and_zhangs_first_secant_step_is_exact_on_a_parabola():
    _, trials = run(HagerZhang(curvature=0.1), lambda t: ((1 - t) ** 2, 2 * (t - 1)), 8.0)
    assert trials == pytest.approx([8, 1])


def test_the_reference_of_a_non_monotone_search_may_be_higher():
    search = Armijo()
    line = search.learn(search.begin(1.0, -1.0, 1.0, reference=3.0), 2.5, 1.0)
    assert line.verdict is Verdict.FOUND
    assert search.learn(search.begin(1.0, -1.0, 1.0), 2.5, 1.0).verdict is Verdict.SEARCHING


@pytest.mark.parametrize("search", SEARCHES, ids=str)
class TestEnds:
    def test_outside_of_the_domain_is_shortened(self, search):
        def phi(t):
            return (-t, -1.0 + 0.5 * t) if t < 1.5 else (nan, nan)

        line, trials = run(search, phi, 1000.0)
        assert line.verdict is Verdict.FOUND
        assert trials[-1] < 1.5

    def test_a_cost_that_only_rises_fails_after_some_trials(self, search):
        line, trials = run(search, lambda t: (0.0, -1.0) if t == 0 else (1.0 + t, 1.0), 1.0)
        assert line.verdict is Verdict.FAILED
        assert len(trials) <= 60

    def test_nothing_finite_fails(self, search):
        line, _ = run(search, lambda t: (0.0, -1.0) if t == 0 else (inf, -1.0), 1.0)
        assert line.verdict is Verdict.FAILED

    def test_at_rounding_level_the_slope_decides(self, search):
        # (t - 1)²·1e-17 beside 1: every cost is 1 to the last bit.
        line, trials = run(search, lambda t: (1.0 + 1e-17 * (t - 1) ** 2, 2e-17 * (t - 1)), 5.0)
        assert line.verdict is Verdict.FOUND
        assert abs(trials[-1] - 1) <= 1.0

    @pytest.mark.parametrize("scale", [2.0**-200, 2.0**200])
    def test_units_do_not_matter(self, search, scale):
        """Cost and length in other units: the same trials, to the last bit."""
        _, plain = run(search, first, 0.3)
        _, scaled = run(search, lambda t: (scale * first(t)[0], scale * first(t)[1]), 0.3)
        assert scaled == plain
        _, longer = run(search, lambda t: (first(t / scale)[0], first(t / scale)[1] / scale), 0.3 * scale)
        assert [t / scale for t in longer] == plain
