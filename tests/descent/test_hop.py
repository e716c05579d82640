"""Two methods in turn: what the second begins with, what is counted, what the result says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import pytest

import descend
from descend.descent.loop import descend as loop
from descend.descent.method.barzilai_borwein import BarzilaiBorwein
from descend.descent.method.base import Method, State, stepped
from descend.descent.method.hop import Hop
from descend.descent.status import Ending
from descend.descent.stopping import Looks
from descend.evaluation import Evaluation, Work
from descend.vector import Vector


class Parabola:
    """(x - 3)², with every point that was looked at."""

    names = ("x",)
    tier = "interpreted"
    box = None

    def __init__(self):
        self.work, self.seen = Work(), []

    def look(self, point, order=None):
        self.seen.append(point[0])
        return Evaluation((point[0] - 3) ** 2, Vector([2 * (point[0] - 3)]))


@dataclass(frozen=True)
class Timid(Method):
    """Takes `steps` steps of a tenth of the slope, then says that it gets no further."""

    name: ClassVar[str] = "timid"

    steps: int
    ending: Ending | None = Ending.NO_STEP

    def learn(self, state: State, point, evaluation) -> State:
        if state.number == self.steps:
            return replace(state, accepted=False, gave_up=self.ending)
        return stepped(state, point - 0.1 * evaluation.gradient, 0.1)


def test_the_second_goes_on_from_there_without_another_look_at_it():
    objective = Parabola()
    run = loop(objective, Hop(Timid(2), BarzilaiBorwein()), Vector([0.0]), Looks(50))
    assert objective.seen[:3] == pytest.approx([0, 0.6, 1.08])
    # Barzilai and Borwein's first step: 0.3 of the way from 0, here from 1.08.
    assert objective.seen[3] == pytest.approx(1.08 + 0.324, rel=1e-12)
    assert run.best.point[0] == pytest.approx(3, abs=1e-12)
    assert run.hops == (
        "timid got no further after 2 steps: went on with gradient descent with Barzilai and Borwein's lengths",
    )
    alone = loop(Parabola(), BarzilaiBorwein(), Vector([objective.seen[2]]), Looks(50))
    assert run.looks == 2 + alone.looks
    assert run.steps == 2 + alone.steps


@pytest.mark.parametrize("ending", [Ending.FLAT, Ending.CLOSE, Ending.SOLVED, Ending.NOT_FINITE])
def test_a_method_that_has_arrived_is_believed(ending):
    run = loop(Parabola(), Hop(Timid(2, ending), BarzilaiBorwein()), Vector([0.0]), Looks(50))
    assert (run.ending, run.looks, run.hops) == (ending, 3, ())


def test_a_method_that_no_longer_lowers_the_cost_is_replaced():
    @dataclass(frozen=True)
    class Stuck(Timid):
        def learn(self, state: State, point, evaluation) -> State:
            return replace(state, number=state.number + 1, accepted=True)

    objective = Parabola()
    run = loop(objective, Hop(Stuck(0), BarzilaiBorwein(), patience=5), Vector([0.0]), Looks(60))
    assert objective.seen[:6] == [0.0] * 6
    assert objective.seen[6] != 0.0
    assert run.best.point[0] == pytest.approx(3, abs=1e-12)


def test_hops_of_hops_are_all_told():
    run = loop(Parabola(), Hop(Timid(1), Hop(Timid(3), BarzilaiBorwein())), Vector([0.0]), Looks(80))
    assert len(run.hops) == 2
    assert run.best.point[0] == pytest.approx(3, abs=1e-12)


def test_the_result_says_that_it_hopped():
    result = descend.minimize("(x - 3)^2 + x^4", 1, method=Hop(Timid(2), BarzilaiBorwein()))
    assert result.success
    assert "got no further after 2 steps: went on with" in result.why_method
