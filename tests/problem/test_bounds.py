"""Bounds as people write them: pairs by name or in order, one end or two, arrays; and what is wrong with the rest."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
import sympy

from descend.errors import MethodError
from descend.problem.bounds import make_box, tighter
from descend.problem.layout import Extent, Layout

NUMBERS = Layout((("x", None), ("y", None)))
ARRAY = Layout((("s", None), ("x", Extent(1, 3))))


def ends(box):
    return list(zip(box.lower, box.upper, strict=True))


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"x": (0, None)}, [(0.0, inf), (-inf, inf)]),
        ({"y": [None, 5]}, [(-inf, inf), (-inf, 5.0)]),
        ({sympy.Symbol("y"): (sympy.Rational(1, 2), sympy.oo)}, [(-inf, inf), (0.5, inf)]),
        ([(0, 1), None], [(0.0, 1.0), (-inf, inf)]),
        (np.array([[0, 1], [2, 3]]), [(0.0, 1.0), (2.0, 3.0)]),
        ({"x": (2, 2)}, [(2.0, 2.0), (-inf, inf)]),
        ({"x": (-inf, 3)}, [(-inf, 3.0), (-inf, inf)]),
    ],
)
def test_of_numbers(given, meant):
    assert ends(make_box(NUMBERS, given)) == meant


@pytest.mark.parametrize("given", [None, {}, {"x": None}, {"x": (None, None)}, {"x": (-inf, inf)}])
def test_none(given):
    assert make_box(NUMBERS, given) is None


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ({"x": (0, 1)}, [(-inf, inf), (0.0, 1.0), (0.0, 1.0), (0.0, 1.0)]),
        ({"x": ([0, 1, None], 5)}, [(-inf, inf), (0.0, 5.0), (1.0, 5.0), (-inf, 5.0)]),
        ({"s": (0, None), "x": (None, np.array([1.0, 2.0, 3.0]))}, [(0, inf), (-inf, 1), (-inf, 2), (-inf, 3)]),
    ],
)
def test_of_an_array(given, meant):
    assert ends(make_box(ARRAY, given)) == meant


@pytest.mark.parametrize(
    ("layout", "given", "words"),
    [
        (NUMBERS, {"z": (0, 1)}, "'z'"),
        (NUMBERS, {"x": (1, 0)}, "the bounds of x leave nothing: the lower, 1, is above the upper, 0"),
        (NUMBERS, {"x": (float("nan"), 1)}, "the lower bound of x must be a number, not nan"),
        (NUMBERS, {"x": (inf, None)}, "the bounds of x leave nothing"),
        (NUMBERS, {"x": 5}, "the bounds of x are a pair"),
        (NUMBERS, {"x": "0:5"}, "the bounds of x are a pair"),
        (NUMBERS, {"x": (0, 1, 2)}, "not 3 things"),
        (NUMBERS, {"x": ("0", 1)}, "the lower bound of x must be a number, not '0'"),
        (NUMBERS, (0, 5), "one pair a variable, and the variables are x, y"),
        (NUMBERS, 5, "bounds={'x': (0, 5)}"),
        (NUMBERS, "x", "bounds={'x': (0, 5)}"),
        (NUMBERS, {"x": ([0, 1], 2)}, "the lower bound of x must be one real number"),
        (ARRAY, {"x": ([0, 1], 2)}, "has 2 numbers, and 3 are needed"),
        (ARRAY, {"x": ([0, 1, 9], 2)}, "the bounds of x[3] leave nothing: the lower, 9, is above the upper, 2"),
        (ARRAY, {"x": ([0, float("nan"), 1], 2)}, "entry 1 is"),
    ],
)
def test_what_is_wrong_says_what_and_where(layout, given, words):
    with pytest.raises(MethodError) as caught:
        make_box(layout, given)
    assert words in str(caught.value)


def test_both_of_two_boxes():
    one, other = make_box(NUMBERS, {"x": (0, 5)}), make_box(NUMBERS, {"x": (1, None), "y": (None, 2)})
    assert ends(tighter(one, other)) == [(1.0, 5.0), (-inf, 2.0)]
    assert tighter(one, None) == tighter(None, one) == one
    with pytest.raises(MethodError, match="leave nothing"):
        tighter(make_box(NUMBERS, {"x": (None, -1)}), make_box(NUMBERS, {"x": (0, None)}))
