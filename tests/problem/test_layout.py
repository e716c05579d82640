"""Numbers and arrays side by side in one vector."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend.errors import DataError, StartError
from descend.problem.layout import Extent, Labels, Layout
from descend.vector import ArrayVector, Vector

MIXED = Layout((("a", None), ("x", Extent(1, 3)), ("b", None)))


class TestLabels:
    def test_names_in_order(self):
        assert list(MIXED.labels) == ["a", "x[1]", "x[2]", "x[3]", "b"]
        assert MIXED.labels[3] == "x[3]"
        assert MIXED.labels[-1] == "b"
        assert MIXED.labels[1:3] == ("x[1]", "x[2]")
        assert MIXED.labels == ("a", "x[1]", "x[2]", "x[3]", "b")
        assert "x[2]" in MIXED.labels
        with pytest.raises(IndexError):
            MIXED.labels[5]

    def test_a_million_names_cost_nothing(self):
        labels = Labels([("x", Extent(0, 10**6))])
        assert len(labels) == 10**6
        assert labels[999_999] == "x[999999]"
        assert len(repr(labels)) < 100


class TestStart:
    def test_each_its_own(self):
        assert list(MIXED.start({"a": 1, "x": [2, 3, 4], "b": 5})) == [1, 2, 3, 4, 5]

    def test_one_number_for_all_entries(self):
        assert list(MIXED.start({"a": 1, "x": 7, "b": 5})) == [1, 7, 7, 7, 5]

    def test_a_sequence_in_order(self):
        assert list(MIXED.start(np.arange(5.0))) == [0, 1, 2, 3, 4]

    def test_one_array_alone(self):
        alone = Layout((("x", Extent(0, 3)),))
        assert list(alone.start(2)) == [2, 2, 2]
        assert list(alone.start([1, 2, 3])) == [1, 2, 3]

    @pytest.mark.parametrize(
        ("start", "why"),
        [
            ({"a": 1, "x": [2, 3], "b": 5}, "x has 2 numbers, and 3"),
            ({"a": 1, "x": [[2, 3, 4]], "b": 5}, "2 dimensions"),
            ({"a": 1, "x": ["q", 2, 3], "b": 5}, "real numbers"),
            ({"a": 1, "x": [1, 2, np.nan], "b": 5}, "entry 2 is not"),
            ({"a": [1], "x": 1, "b": 5}, "start of a"),
            ({"a": 1, "x": "1", "b": 5}, "start of x"),
            ({"a": 1, "x": 1}, "missing for b"),
            ({"a": 1, "x": 1, "b": 1, "y": 2}, "no variable 'y'"),
            ([1, 2], "2 numbers, and 5"),
            (3.0, "cannot start 3 variables"),
        ],
    )
    def test_what_is_wrong_is_said(self, start, why):
        with pytest.raises(StartError, match=why):
            MIXED.start(start)

    def test_the_users_array_stays_his(self):
        mine = np.arange(3.0)
        vector = Layout((("x", Extent(0, 3)),)).start(mine)
        mine[0] = 99
        assert vector[0] == 0


def test_values_by_name():
    values = MIXED.values(ArrayVector(np.arange(5.0)))
    assert values["a"] == 0.0
    assert values["b"] == 4.0
    assert values["x"].tolist() == [1, 2, 3]


class TestArrayVector:
    """The arithmetic of plain vectors, on arrays, and mixed."""

    @pytest.mark.parametrize("kinds", [(ArrayVector, ArrayVector), (ArrayVector, Vector), (Vector, ArrayVector)])
    def test_it_computes_as_plain_vectors_do(self, kinds):
        a, b = [1.0, -2.0, 3.5], [0.25, 4.0, -1.0]
        one, two = kinds[0](a), kinds[1](b)
        plain_one, plain_two = Vector(a), Vector(b)
        assert list(one + two) == list(plain_one + plain_two)
        assert list(one - two) == list(plain_one - plain_two)
        assert list(-one) == list(-plain_one)
        assert list(2.0 * one) == list(2.0 * plain_one)
        assert one.dot(two) == pytest.approx(plain_one.dot(plain_two), rel=1e-15)
        assert one.norm() == pytest.approx(plain_one.norm(), rel=1e-15)

    @pytest.mark.parametrize("entries", [[1e300, 1e300], [1e-300, 2e-300], [0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0]])
    def test_norms_at_the_edges(self, entries):
        assert ArrayVector(entries).norm() == pytest.approx(Vector(entries).norm(), rel=1e-15, nan_ok=True)
        assert ArrayVector(entries).finite == Vector(entries).finite


@pytest.mark.parametrize(
    "values",
    [
        np.zeros(3) + 1j,
        [1.0, 2.0, 1j],
        np.array(["2020-01-01"] * 3, dtype="M8[D]"),
        np.ma.masked_array([1.0, 2.0, 3.0], mask=[0, 1, 0]),
        np.array(["a", "b", "c"]),
        ["1", None, 2],
    ],
    ids=["complex", "one complex", "dates", "masked", "text", "mixed"],
)
def test_what_holds_no_real_numbers_is_refused_at_every_door(values):
    cost = "sum(c[i]*x[i]^2, i, 0, 2)"
    with pytest.raises(StartError):
        descend.minimize(cost, start={"x": values}, data={"c": [1.0, 2.0, 3.0]})
    with pytest.raises(DataError):
        descend.minimize(cost, start={"x": 1.0}, data={"c": values})
    with pytest.raises(StartError):
        descend.compile(cost, data={"c": [1.0, 2.0, 3.0]})(values)


def test_numbers_of_any_real_type_are_read():
    cost = descend.compile("sum(c[i]*x[i]^2, i, 0, 2)", data={"c": np.array([1, 2, 3], dtype=np.int8)})
    for x in ([1, 2, 3], np.array([1, 2, 3], dtype=np.float32), np.array([1, 2, 3], dtype=object), (1, 2.0, 3)):
        assert cost(x) == 36.0
