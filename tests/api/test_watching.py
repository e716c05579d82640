"""A target cost, progress, and methods given as settings."""

from __future__ import annotations

import pytest

import descend
from descend import MethodError, Status
from descend.api import watching
from descend.descent.run import Progress
from descend.vector import Vector

ROSENBROCK = "(1-x)^2 + 100(y-x^2)^2"


class TestTarget:
    def test_it_ends_there(self):
        result = descend.minimize(ROSENBROCK, [-1.2, 1], target_cost=1)
        assert result.status is Status.COST_REACHED
        assert 1e-3 < result.cost <= 1
        assert result.report().startswith("The cost that was asked for was reached at x = ")
        assert result.looks < descend.minimize(ROSENBROCK, [-1.2, 1]).looks

    def test_uphill_it_is_in_the_users_sign(self):
        result = descend.maximize(f"2 - ({ROSENBROCK})", [-1.2, 1], target_cost=1)
        assert result.status is Status.COST_REACHED
        assert 1 <= result.cost < 1.999

    def test_one_that_is_out_of_reach(self):
        assert descend.minimize("(x-3)^4 + x", 0, target_cost=-100).status is Status.MINIMUM

    @pytest.mark.parametrize("target", [float("nan"), "1", True, [1]])
    def test_what_is_none(self, target):
        with pytest.raises(MethodError, match=r"^target_cost must be"):
            descend.minimize("x^4", 1, target_cost=target)


class TestProgress:
    @pytest.fixture
    def impatient(self, monkeypatch):
        monkeypatch.setattr(watching, "PAUSE", 0.0)

    @pytest.mark.usefixtures("impatient")
    def test_a_function_is_called_and_cannot_stop(self):
        seen = []
        result = descend.minimize("(x-3)^4 + x", 0, progress=lambda p: seen.append(p.looks) or True)
        assert seen == list(range(1, result.looks + 1))
        assert result.status is Status.MINIMUM

    @pytest.mark.usefixtures("impatient")
    def test_true_writes_to_standard_error(self, capsys):
        descend.minimize("(x-3)^4 + x", 0, progress=True, max_looks=5)
        out, err = capsys.readouterr()
        assert out == ""
        assert err.splitlines()[0].startswith("descend: 1 looks, ")
        assert len(err.splitlines()) == 5

    @pytest.mark.usefixtures("impatient")
    def test_the_callback_is_called_too_and_stops(self):
        seen = []
        result = descend.minimize("(x-3)^4 + x", 0, progress=seen.append, callback=lambda p: p.looks == 3)
        assert (result.status, len(seen)) == (Status.STOPPED_BY_CALLER, 3)

    def test_not_more_often_than_a_person_reads(self):
        seen = []
        watch = watching.watching(None, seen.append)
        for _ in range(1000):
            watch(Progress(Vector([1.0]), Vector([1.0])))
        assert len(seen) < 1000

    def test_nobody_watches(self):
        assert watching.watching(None, None) is None
        assert watching.watching(None, False) is None

    @pytest.mark.parametrize("progress", [1, "yes", 0])
    def test_what_is_none(self, progress):
        with pytest.raises(MethodError, match="progress is True, or a function"):
            descend.minimize("x^4", 1, progress=progress)


class TestMethods:
    def test_settings(self):
        result = descend.minimize("(x-3)^4 + x", 0, method=descend.BarzilaiBorwein(memory=3))
        assert (result.success, result.why_method) == (True, "given")

    def test_a_class_gets_a_kind_error(self):
        with pytest.raises(MethodError, match=r"write BarzilaiBorwein\(...\)"):
            descend.minimize("x^4", 1, method=descend.BarzilaiBorwein)

    def test_a_rate_beside_settings(self):
        with pytest.raises(MethodError, match="give the learning rate to the method itself"):
            descend.minimize("x^4", 1, method=descend.GradientDescent(0.1), learning_rate=0.1)

    def test_what_is_no_method(self):
        with pytest.raises(MethodError, match="method is a name such as"):
            descend.minimize("x^4", 1, method=3)
