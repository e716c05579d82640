"""The loop: looks counted exactly, callbacks that stop or raise, interrupts that keep the best."""

from __future__ import annotations

import pytest

import descend
from descend import Status
from descend.descent.loop import descend as loop
from descend.descent.method.barzilai_borwein import BarzilaiBorwein
from descend.descent.method.exact import Exact
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.status import Ending
from descend.descent.stopping import Looks, NotFinite, Steps
from descend.evaluation import Evaluation, Work
from descend.vector import Vector


class Parabola:
    """x², which counts its looks, and may do something at one of them."""

    box = None
    work = Work()
    rough = frozenset()
    names = ("x",)

    def __init__(self, at=None, action=None):
        self.looks, self.at, self.action = 0, at, action

    def look(self, point, order=None):
        self.looks += 1
        if self.looks == self.at:
            self.action()
        return Evaluation(point[0] ** 2, Vector([2 * point[0]]))


def interrupt():
    raise KeyboardInterrupt


METHODS = [GradientDescent(0.1), BarzilaiBorwein(), Exact(Vector([0.0]))]


@pytest.mark.parametrize("method", METHODS, ids=lambda m: m.name)
@pytest.mark.parametrize("budget", [1, 2, 3, 10])
def test_looks_are_counted_exactly(method, budget):
    parabola = Parabola()
    run = loop(parabola, method, Vector([3.0]), Looks(budget))
    assert run.looks == parabola.looks <= budget


def test_a_method_never_looks_twice_where_it_stands():
    parabola = Parabola()
    run = loop(parabola, GradientDescent(0.1), Vector([3.0]), Steps(100))
    assert (run.steps, parabola.looks) == (100, 101)


@pytest.mark.parametrize("method", METHODS[:2], ids=lambda m: m.name)
def test_an_interrupt_inside_a_look_keeps_the_best(method):
    parabola = Parabola(at=3, action=interrupt)
    run = loop(parabola, method, Vector([3.0]), Looks(1000))
    assert run.ending is Ending.INTERRUPTED
    assert run.looks == 2
    assert run.best.evaluation.cost < 9.0
    assert run.best.evaluation.cost == run.best.point[0] ** 2


def test_an_interrupt_in_the_very_first_look_leaves_the_start():
    run = loop(Parabola(at=1, action=interrupt), GradientDescent(0.1), Vector([3.0]), Looks(1000))
    assert (run.ending, run.looks, run.best.point) == (Ending.INTERRUPTED, 0, Vector([3.0]))


class TestCallbacks:
    def test_it_sees_every_look(self):
        seen = []
        result = descend.minimize(
            "x^4", 1, learning_rate=0.1, max_looks=20, callback=lambda p: seen.append((p.looks, p.point[0]))
        )
        assert [k for k, _ in seen] == list(range(1, 21)) == list(range(1, result.looks + 1))
        assert seen[0][1] == 1.0
        assert seen[1][1] == pytest.approx(1 - 0.1 * 4)

    @pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.01}])
    def test_true_stops(self, settings):
        result = descend.minimize("x^4 + x", 1, callback=lambda p: p.looks == 7, **settings)
        assert result.status is Status.STOPPED_BY_CALLER
        assert result.looks == 7
        assert result.cost < 2

    def test_only_true_itself_stops(self):
        result = descend.minimize("x^4", 1, learning_rate=0.1, max_looks=20, callback=lambda p: p.looks)
        assert result.looks == 20

    def test_an_error_in_it_is_the_callers_own(self):
        def fails(progress):
            raise RuntimeError("mine")

        with pytest.raises(RuntimeError, match="mine"):
            descend.minimize("x^4", 1, callback=fails)

    @pytest.mark.parametrize("settings", [{"method": "barzilai-borwein"}, {"learning_rate": 0.01}])
    def test_an_error_in_it_loses_nothing(self, settings):
        def fails(progress):
            if progress.looks == 7:
                raise ValueError("mine")

        with pytest.raises(ValueError, match="mine") as caught:
            descend.minimize("x^4 + x", 1, callback=fails, trace=True, **settings)
        kept = caught.value.result
        assert (kept.status, kept.looks, len(kept.trace)) == (Status.STOPPED_BY_CALLER, 7, 7)
        assert kept.cost == min(kept.trace["cost"]) < 2
        assert any("result" in note for note in caught.value.__notes__)
        assert caught.traceback[-1].name == "fails"

    def test_an_interrupt_in_it_keeps_the_best(self):
        result = descend.minimize(
            "x^4 + x", 1, method="barzilai-borwein", callback=lambda p: interrupt() if p.looks == 9 else None
        )
        assert result.status is Status.INTERRUPTED
        assert result.looks == 9
        assert result.cost < 2

    def test_what_was_reached_comes_before_who_stopped(self):
        # Stopped at the minimum: a minimum.
        result = descend.minimize("x^2", 3, method="barzilai-borwein", callback=lambda p: abs(p.point[0]) < 1e-12)
        assert result.status is Status.MINIMUM

    def test_a_fit_has_one_too(self):
        data = {"x": [1, 2, 3], "y": [1, 2, 4]}
        result = descend.fit("y = a*exp(b*x)", data, callback=lambda p: p.looks == 3)
        assert (result.status, result.looks) == (Status.STOPPED_BY_CALLER, 3)


def test_the_last_point_is_the_descents_own_not_a_trial():
    # The budget ends on a trial: the last point is the last accepted one.
    result = descend.minimize("100*(y-x^2)^2 + (1-x)^2", [-1.2, 1], method="barzilai-borwein", max_looks=9, trace=True)
    accepted = [row for row in list(result.trace)[:-1] if row.accepted]
    assert result.last.cost in {row.cost for row in accepted}


def test_the_best_is_kept_when_the_run_climbs_away():
    result = descend.minimize("x^2", 1, learning_rate=1.01, max_looks=50)
    assert result.best.cost == result.cost == 1.0
    assert abs(result.last["x"]) > 1.5


def test_nothing_finite_leaves_the_start():
    run = loop(
        type("Nowhere", (Parabola,), {"look": lambda s, p, o=None: Evaluation(float("nan"), Vector([1.0]))})(),
        GradientDescent(0.1),
        Vector([3.0]),
        NotFinite(),
    )
    assert (run.ending, run.best.point) == (Ending.NOT_FINITE, Vector([3.0]))
