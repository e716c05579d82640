"""What is wrong with an indexed formula is said; and it is never a number."""

from __future__ import annotations

import pytest

import descend

N = {"n": 5}
NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "given", "error", "said"),
    [
        # holes
        ("sum(x[2*i]^2, i, 0, n-1)", {"constants": N}, descend.FormulaError, "x[1]"),
        ("sum(x[2*i+1]^2, i, 0, n-1)", {"constants": N}, descend.FormulaError, "x[2]"),
        ("x[0]^2 + x[2]^2", {}, descend.FormulaError, "x[1]"),
        ("sum(x[i]^2, i, 0, n-1) + x[n+1]", {"constants": N}, descend.FormulaError, "x[5]"),
        # beyond the data
        ("sum(c[i]*x[i], i, 0, n-1)", {"constants": N, "data": {"c": [1.0, 2, 3]}}, descend.DataError, "c[4]"),
        ("sum(c[i]*x[i+1], i, -1, n-1)", {"constants": N, "data": {"c": [1.0] * 5}}, descend.DataError, "c[-1]"),
        ("sum(c[n-i]*x[i], i, 0, n-1)", {"constants": N, "data": {"c": [1.0] * 5}}, descend.DataError, "c[5]"),
        ("sum(x[i-2]^2, i, 0, n-1)", {"constants": N}, descend.FormulaError, "x[-2]"),
        # data that are none
        ("sum(c[i]*x[i], i, 0, 1)", {"data": {"c": [1.0, NAN]}}, descend.DataError, "c"),
        ("sum(c[i]*x[i], i, 0, 1)", {"data": {"c": [[1.0], [2.0]]}}, descend.DataError, "dimension"),
        ("sum(c[i]*x[i], i, 0, 1)", {"data": {"c": ["one", "two"]}}, descend.DataError, "numbers"),
        # bounds
        ("sum(x[i]^2, i, 0, n-1)", {}, descend.FormulaError, "constants={'n'"),
        ("sum(x[i]^2, i, 0, n-1)", {"constants": {"n": 2.5}}, descend.FormulaError, "whole"),
        ("sum(x[i]^2, i, 0, n/2 - 1) + x[2]", {"constants": N}, descend.FormulaError, "whole"),
        ("sum(x[i]^2, i, 0, 3/2)", {}, descend.FormulaError, "whole"),
        ("prod(x[i], i, 0, a)", {}, descend.FormulaError, "a"),
        ("sum(x[i], i, 0, x[0])", {"constants": N}, descend.FormulaError, "bound"),
        ("sum(sum(x[i], i, 0, i), i, 0, 3)", {}, descend.FormulaError, "i"),
        ("sum(x[i]^2, i, 0, n-1)", {"constants": {"n": 10**15}}, descend.DescendError, "limit"),
        ("sum(x[0]^i, i, 0, n-1)", {"constants": {"n": 10**18}}, descend.DescendError, ""),
        # places
        ("sum(x[i^2], i, 0, n-1)", {"constants": N}, descend.FormulaError, "linear"),
        ("sum(x[i*j], i, 0, n-1)", {"constants": N}, descend.FormulaError, "j"),
        ("sum(sum(x[i*j], j, 0, 1), i, 0, n-1)", {"constants": N}, descend.FormulaError, "linear"),
        ("sum(x[i/2], i, 0, n-1)", {"constants": N}, descend.FormulaError, "whole"),
        ("sum(x[i + n/2], i, 0, n-1)", {"constants": N}, descend.FormulaError, "2.5"),
        ("sum(x[j], i, 0, n-1)", {"constants": N}, descend.FormulaError, "j"),
        ("sum(x[x[i]], i, 0, n-1)", {"constants": N}, descend.FormulaError, "bracket"),
        ("x[1.5]", {}, descend.FormulaError, "whole"),
        # one name, one kind
        ("sum(x[i]^2, i, 0, n-1) + x", {"constants": N}, descend.FormulaError, "array"),
        ("n[0] + sum(x[i], i, 0, n-1)", {"constants": N}, descend.FormulaError, "n"),
        # nothing to descend
        ("sum(x[i]^2, i, 0, n-1)", {"constants": {"n": 0}}, descend.FormulaError, "no variable"),
        ("prod(x[i], i, 3, 2)", {}, descend.FormulaError, "no variable"),
    ],
)
def test_what_is_wrong_is_said(text, given, error, said):
    with pytest.raises(error) as caught:
        descend.compile(text, **given)
    assert said in str(caught.value)


def test_the_entries_are_those_touched():
    assert descend.compile("sum(x[i]^2, i, 1, n)", constants=N).names == ("x[1]", "x[2]", "x[3]", "x[4]", "x[5]")
    assert descend.compile("sum(x[i-1]^2, i, 1, n-1)", constants=N).names == ("x[0]", "x[1]", "x[2]", "x[3]")
    assert descend.compile("sum(a*x[i]^2, i, 0, 1) + b").names == ("a", "b", "x[0]", "x[1]")


def test_names_are_in_natural_order():
    names = descend.compile("sum(x[i]^2, i, 0, 11) + sum(y[i]^2, i, 1, 2) + a10 + a2").names
    assert names == ("a2", "a10", *(f"x[{k}]" for k in range(12)), "y[1]", "y[2]")


def test_a_range_that_is_empty_by_far():
    fun = descend.compile("sum(x[i]^2, i, 0, 2) + sum(x[j]^3, j, n, 0) + prod(x[j], j, n, 0)", constants={"n": 10**9})
    assert fun([1, 2, 3]) == 15.0
