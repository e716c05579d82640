"""The start as people write it: numbers of every kind, mappings, sequences; and what is wrong with the rest."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import sympy

from descend.errors import DescendError, StartError
from descend.evaluation import Evaluation
from descend.problem.parameters import number, start_vector
from descend.problem.start import natural_start
from descend.vector import Vector

THIRD = 1 / 3


class TestNumbers:
    @pytest.mark.parametrize(
        ("given", "meant"),
        [
            (3, 3.0),
            (-0.5, -0.5),
            (Fraction(1, 3), THIRD),
            (Decimal("0.1"), 0.1),
            (sympy.Integer(3), 3.0),
            (sympy.Rational(1, 3), THIRD),
            (sympy.Float("0.25"), 0.25),
            (sympy.pi, 3.141592653589793),
            (sympy.sqrt(2), 1.4142135623730951),
            (np.float64(0.1), 0.1),
            (np.float32(0.5), 0.5),
            (np.int64(-7), -7.0),
            (np.uint8(255), 255.0),
            (10**300, 1e300),
            (5e-324, 5e-324),
            (1.7976931348623157e308, 1.7976931348623157e308),
        ],
    )
    def test_of_every_kind(self, given, meant):
        assert number(given, "the start of x") == meant
        assert list(start_vector(given, ["x"])) == [meant]
        assert list(start_vector({"x": given}, ["x"])) == [meant]
        assert list(start_vector([given], ["x"])) == [meant]

    @pytest.mark.parametrize(
        ("given", "word"),
        [
            (float("nan"), "finite"),
            (float("inf"), "finite"),
            (sympy.oo, "finite"),
            (10**400, "too large"),
            (Fraction(10) ** 400, "too large"),
            (1j, "real number"),
            (np.complex128(1j), "number"),
            (sympy.I, "real number"),
            (sympy.zoo, "number"),
            (sympy.Symbol("a"), "real number"),
            (sympy.nan, "finite"),
            (True, "not True"),
            (False, "not False"),
            (None, "not None"),
            ("3", "not '3'"),
            (b"3", "not b'3'"),
            (object(), "object"),
            ([1], "list"),
        ],
    )
    def test_what_is_none_is_refused_by_name(self, given, word):
        with pytest.raises(StartError, match="the start of x") as caught:
            start_vector({"x": given}, ["x"])
        assert word in str(caught.value)

    def test_unprintable_text_is_shown_safely(self):
        with pytest.raises(StartError) as caught:
            number("\x1b[31m\x00" + "9" * 1000, "the start of x")
        assert "\x1b" not in str(caught.value)
        assert len(str(caught.value)) < 300


class TestPoints:
    def test_a_mapping_in_any_order(self):
        assert list(start_vector({"y": 2, "x": 1}, ["x", "y"])) == [1.0, 2.0]

    def test_a_mapping_with_sympy_symbols(self):
        x, y = sympy.symbols("x y")
        assert list(start_vector({y: 2, x: 1}, ["x", "y"])) == [1.0, 2.0]
        assert list(start_vector({y: 2, "x": 1}, ["x", "y"])) == [1.0, 2.0]

    @pytest.mark.parametrize("sequence", [[1, 2], (1, 2), np.array([1, 2]), range(1, 3), (k for k in (1, 2))])
    def test_a_sequence_in_the_order_of_the_variables(self, sequence):
        assert list(start_vector(sequence, ["x", "y"])) == [1.0, 2.0]

    def test_a_default_for_the_names_left_out(self):
        assert list(start_vector({"y": 2}, ["x", "y"], 0.0)) == [0.0, 2.0]
        assert list(start_vector({}, ["x", "y"], 0.5)) == [0.5, 0.5]

    def test_it_is_a_new_vector(self):
        values = [1.0, 2.0]
        point = start_vector(values, ["x", "y"])
        values[0] = 9.0
        assert point == Vector([1.0, 2.0])

    @pytest.mark.parametrize(
        ("start", "words"),
        [
            ({"x": 1}, "missing for y"),
            ({"x": 1, "z": 2}, "no variable 'z'"),
            ({"x": 1, "y": 2, "yy": 3}, "did you mean y"),
            ([1], "has 1 numbers but the variables are 2: x, y"),
            ([1, 2, 3], "has 3 numbers"),
            (3, "one number cannot start 2 variables"),
            ("ab", "one number cannot start 2"),
            (None, "one number cannot start 2"),
            ([[1], [2]], "list"),
            ({"x": [1], "y": 2}, "the start of x"),
            ({1: 2, "y": 3}, "'1'"),
            ([1, float("nan")], "the start of y must be finite"),
        ],
    )
    def test_what_does_not_fit_says_what_and_what_to_do(self, start, words):
        with pytest.raises(StartError) as caught:
            start_vector(start, ["x", "y"])
        assert words in str(caught.value)

    def test_many_names_are_not_all_listed(self):
        with pytest.raises(StartError) as caught:
            start_vector({"q": 1}, [f"x{k}" for k in range(1000)])
        assert len(str(caught.value)) < 200


class Stub:
    """An objective of two variables that is only defined where `defined` says, with slope `slope`."""

    names = ("x", "y")
    box = None

    def __init__(self, defined, slope):
        self.defined, self.slope, self.looked = defined, slope, []

    def look(self, point, order=None):
        self.looked.append(point[0])
        value = 1.0 if self.defined(*point) else float("nan")
        return Evaluation(value, Vector([value * self.slope(*point)] * 2))


class TestNaturalStart:
    def test_one_where_everything_is_well(self):
        assert natural_start(Stub(lambda x, y: True, lambda x, y: 1.0)) == Vector([1.0, 1.0])

    def test_the_first_with_a_value(self):
        assert natural_start(Stub(lambda x, y: x < 0, lambda x, y: 1.0)) == Vector([-1.0, -1.0])

    def test_the_first_with_a_slope(self):
        assert natural_start(Stub(lambda x, y: True, lambda x, y: 0.0 if x in {1.0, 0.5} else 1.0))[0] == 2.0

    def test_a_flat_point_rather_than_none(self):
        assert natural_start(Stub(lambda x, y: x == 0.1, lambda x, y: 0.0)) == Vector([0.1, 0.1])

    def test_nowhere_a_value(self):
        with pytest.raises(DescendError, match="give one with start="):
            natural_start(Stub(lambda x, y: False, lambda x, y: 1.0))
