"""Recorder and Trace: every look, thinned where there are many; columns; copies."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

import descend
from descend.descent.trace import Recorder
from descend.evaluation import Evaluation
from descend.vector import Vector


def record(count, limit):
    recorder = Recorder(["x"], limit)
    for look in range(1, count + 1):
        recorder.record(
            look - 1, look, Vector([float(look)]), Evaluation(0.0, Vector([1.0])), 0.1, 0.2, accepted=look % 3 > 0
        )
        assert len(recorder.trace()) <= limit + 1
    return recorder.trace()


class TestRecorder:
    def test_a_short_run_is_kept_whole(self):
        trace = record(10, 10)
        assert (trace.stride, trace["look"]) == (1, list(range(1, 11)))

    def test_a_long_run_is_thinned_evenly_and_keeps_first_and_last(self):
        for count in (11, 12, 25, 100, 1000, 1023):
            trace = record(count, 10)
            looks = trace["look"]
            assert looks[0] == 1
            assert looks[-1] == count
            assert all((look - 1) % trace.stride == 0 for look in looks[:-1])
            assert {b - a for a, b in pairwise(looks[:-1])} <= {trace.stride}
            assert 5 <= len(looks) <= 11

    def test_nothing_recorded(self):
        assert len(Recorder(["x"]).trace()) == 0
        assert Recorder(["x"]).trace()["cost"] == []

    def test_through_the_public_door(self):
        result = descend.minimize("x^2", 1, learning_rate=1e-7, max_looks=50_000, trace=True)
        looks = result.trace["look"]
        assert (looks[0], looks[-1]) == (1, 50_000)
        assert len(looks) <= 20_001


@pytest.fixture
def trace():
    return descend.minimize("x^2 + 2*y^2", {"x": 3, "y": 1}, learning_rate=0.1, max_looks=6, trace=True).trace


class TestColumns:
    def test_names_and_numbers(self, trace):
        assert list(trace.columns) == [
            "step", "look", "x", "y", "cost", "gradient_norm", "step_size", "learning_rate", "accepted",
        ]  # fmt: skip
        assert trace["look"] == [1, 2, 3, 4, 5, 6]
        assert trace["x"] == pytest.approx([3 * 0.8**k for k in range(6)])
        assert trace["y"] == pytest.approx([0.6**k for k in range(6)])
        x, y = np.array(trace["x"]), np.array(trace["y"])
        assert trace["cost"] == pytest.approx(x**2 + 2 * y**2)
        assert trace["gradient_norm"] == pytest.approx(np.hypot(2 * x, 4 * y))
        assert trace["accepted"] == [True] * 6
        # Each row says how long the step was that led there: none to the start, then rate · slope of the row before.
        assert math.isnan(trace["step_size"][0])
        assert set(trace["learning_rate"][1:]) == {0.1}
        assert trace["step_size"][1:] == pytest.approx([0.1 * g for g in trace["gradient_norm"][:-1]])
        assert trace["step"] == [0, 1, 2, 3, 4, 5]

    def test_the_users_sign(self):
        trace = descend.maximize("4 - x^2", 1, learning_rate=0.1, max_looks=3, trace=True).trace
        assert trace["cost"] == pytest.approx([3, 4 - 0.64, 4 - 0.64**2])

    def test_a_variable_called_like_a_column_gets_an_underscore(self):
        trace = descend.minimize("cost^2 + step^2", [1, 2], learning_rate=0.1, max_looks=3, trace=True).trace
        assert trace["cost_"][0] == 1.0
        assert trace["step_"][0] == 2.0
        assert trace["cost"][0] == 5.0
        assert trace["step"] == [0, 1, 2]

    def test_no_trace_unless_asked_for(self):
        assert descend.minimize("x^4", 1).trace is None


class TestConversions:
    def test_arrow(self, trace):
        table = trace.to_arrow()
        assert table.column_names == list(trace.columns)
        assert table.column("x").to_pylist() == trace["x"]

    def test_pandas_is_a_copy(self, trace):
        frame = trace.to_pandas()
        before = trace["x"]
        frame.loc[0, "x"] = 99.0
        assert trace["x"] == before == trace.to_pandas()["x"].tolist()

    def test_polars(self, trace):
        frame = trace.to_polars()
        assert frame.columns == list(trace.columns)
        assert frame["cost"].to_list() == trace["cost"]
        assert frame["accepted"].to_list() == trace["accepted"]

    def test_columns_are_new_lists(self, trace):
        columns = trace.columns
        columns["x"].clear()
        trace["y"].append(math.nan)
        assert len(trace["x"]) == len(trace["y"]) == len(trace) == 6

    def test_it_iterates_over_rows(self, trace):
        assert [row.look for row in trace] == trace["look"]
        assert [row.point[0] for row in trace] == trace["x"]
