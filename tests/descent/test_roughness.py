"""Corners and jumps that no derivative sees: a fall beside the point is found, a true minimum stays one."""

from __future__ import annotations

import numpy as np
import pytest

import descend
from descend import Status

FALLS = {  # text → (the start, a point near 0 at which the cost is lower than at 0, by hand)
    "x^2 + x^4 - abs(x)*abs(y)": ([0, 0], [1e-3, 3e-3]),
    "x^2 + y^2 - 3*abs(x*y)": ([1, 0], [1e-3, 1e-3]),
    "x^2 + y^2 - 3*abs(x)*abs(y) + x^4 + y^4": ([0, 0], [1e-3, 1e-3]),
}


@pytest.mark.parametrize("text", FALLS)
@pytest.mark.parametrize("method", ["auto", "bfgs", "newton"])
def test_corners_that_fall_between_the_axes(text, method):
    start, lower = FALLS[text]
    cost = descend.compile(text)
    assert cost(lower) < cost([0, 0])
    result = descend.minimize(text, start, method=method, max_looks=300)
    assert not (result.success and abs(result["x"]) + abs(result["y"]) < 1e-6)


@pytest.mark.parametrize("method", ["auto", "l-bfgs"])
def test_every_entry_of_an_array_is_asked(method):
    """Each entry at 0 stands on a roof: a hundredth to either side is lower by 0.0049."""
    result = descend.minimize(
        "sum(x[i]^2 - 0.5*abs(x[i]), i, 0, n-1)", {"x": np.zeros(50)}, constants={"n": 50}, method=method
    )
    assert not result.success or np.allclose(np.abs(result["x"]), 0.25)


@pytest.mark.parametrize(("text", "start"), [("x^2 + floor(x)", 0.3), ("x^2 - 0.5*sign(x)", -1)])
def test_a_limit_beside_a_jump_is_no_minimum(text, start):
    assert not descend.minimize(text, start, method="bfgs").success


@pytest.mark.parametrize(
    ("text", "start", "status"),
    [
        ("abs(x - 0.3) + abs(y)", [1, 1], Status.AT_KINK),
        ("abs(x)^3 + y^2", [1, 1], Status.MINIMUM),
        ("where(x < 0, x^2, x^3 + x^2)", 1, Status.MINIMUM),
        ("max(x, -2x) + y^4 + y^2", [1, 1], Status.AT_KINK),
        ("(x - 2)^2 + 5*floor(x/10)", 1, Status.MINIMUM),
        ("min(x^2, (x - 3)^2 + 1)", 1, Status.MINIMUM),
    ],
)
def test_true_minima_of_rough_costs(text, start, status):
    assert descend.minimize(text, start).status is status


@pytest.mark.parametrize("text", ["x*y", "-x*y", "x^2 - x*y", "(x*y - 1)^2"])
def test_a_corner_of_the_box_without_a_slope(text):
    result = descend.minimize(text, [0, 0], bounds={"x": (0, 1), "y": (0, 1)})
    least = {"x*y": 0.0, "-x*y": -1.0, "x^2 - x*y": -0.25, "(x*y - 1)^2": 0.0}[text]
    assert result.cost == pytest.approx(least, abs=1e-12)


def test_a_bent_valley_of_minima_is_no_saddle():
    """(xy - 1/2)² - 1/4: no cost is lower than -1/4."""
    for start in ([1, 2], [0, 0]):
        result = descend.minimize("x^2*y^2 - x*y", start)
        assert result.status is Status.MINIMUM
        assert result.cost == pytest.approx(-0.25, rel=1e-15)
