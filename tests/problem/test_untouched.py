"""Entries at the end of an array that the formula never touches."""

from __future__ import annotations

import numpy as np
import pytest

import descend

LACKING = "sum((x[i] - 1)^4 + (x[i] - 1)^2, i, 0, n - 2)"  # x[n - 1] is not there


@pytest.mark.parametrize("n", [5, 40, 700])
def test_a_start_of_n_numbers_for_a_cost_that_leaves_out_the_last(n):
    start = np.linspace(2.0, 3.0, n)
    result = descend.minimize(LACKING, start, constants={"n": n})
    assert result.status is descend.Status.MINIMUM
    x = result.variables["x"]
    np.testing.assert_allclose(x[:-1], 1.0, rtol=0, atol=1e-8)
    assert x[-1] == 3.0
    assert len(result.gradient["x"]) == n
    assert f"x[{n - 1}] does not occur in the cost, and stays at the start" in result.notes


def test_by_name_and_several_entries():
    text = "sum((x[i] - a)^2 + x[i]^4, i, 1, n - 3) + (a - 1)^2"
    result = descend.minimize(text, {"a": 1.0, "x": np.full(9, 2.0)}, constants={"n": 9})
    assert result.success
    np.testing.assert_allclose(result.variables["x"][-3:], 2.0)
    assert "x[7] to x[9] do not occur in the cost, and stay at the start" in result.notes


@pytest.mark.parametrize("count", [3, 6, 7])
def test_any_other_length_is_a_mistake(count):
    with pytest.raises(descend.StartError, match=f"has {count} numbers, and 4"):
        descend.minimize(LACKING, np.full(count, 2.0), constants={"n": 5})
    with pytest.raises(descend.StartError, match="has 5 numbers, and 4"):  # nothing says that five are meant
        descend.minimize(LACKING.replace("n - 2", "3"), np.full(5, 2.0))


def test_a_number_for_all_entries_makes_no_more_of_them():
    assert len(descend.minimize(LACKING, 2.0, constants={"n": 5}).variables["x"]) == 4
