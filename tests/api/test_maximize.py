"""Maximising: the same as minimising the opposite, said in the user's sign everywhere."""

from __future__ import annotations

import pytest

import descend
from descend import Status

COSTS = [("4*x - x^2", 0.5), ("x^2 - x^4", 0.5), ("x*exp(-x)", 0.5), ("-(x-1)^4 - (y+2)^2", [3, 1])]


@pytest.mark.parametrize(("cost", "start"), COSTS)
@pytest.mark.parametrize("settings", [{}, {"learning_rate": 0.05, "max_looks": 400}])
def test_it_walks_the_path_of_the_opposite(cost, start, settings):
    up = descend.maximize(cost, start, trace=True, **settings)
    down = descend.minimize(f"-({cost})", start, trace=True, **settings)
    assert up.variables == down.variables
    assert up.cost == -down.cost
    assert list(up.gradient.values()) == [-g for g in down.gradient.values()]
    assert up.trace["cost"] == [-c for c in down.trace["cost"]]
    assert (up.steps, up.looks, up.success) == (down.steps, down.looks, down.success)
    assert (up.best.cost, up.last.cost) == (-down.best.cost, -down.last.cost)
    assert up.to_dict()["cost"] == up.cost


class TestWords:
    def test_a_maximum_is_the_success(self):
        result = descend.maximize("x^2 - x^4", 0.5)
        assert result.status is Status.MAXIMUM
        assert result.success
        assert result.exit_code == 0
        text = str(result)
        assert text.startswith("Maximum occurs at x-value: 0.707106781")
        assert "Slope at the maximum is:" in text
        assert "minimum" not in text.lower()
        assert result.raise_if_failed() is result

    def test_a_minimum_is_none(self):
        result = descend.maximize("x^4 - x^2 + x^6", 0.5**0.5, learning_rate=1e-9, max_looks=1)
        flat = descend.maximize("x^4 + x^2", 0, escape=False)
        assert not result.success
        assert (flat.status, flat.success, flat.exit_code) == (Status.MINIMUM, False, 1)
        text = str(flat)
        assert text.startswith("No maximum was found; the highest cost seen is at x-value: 0.0")
        assert "This is a minimum, the lowest point around" in text
        with pytest.raises(descend.UnsuccessfulError):
            flat.raise_if_failed()

    def test_exact(self):
        result = descend.maximize("4x - x^2")
        assert (result.status, result["x"], result.cost) == (Status.EXACT, 2.0, 4.0)
        assert "maximum" in result.message
        assert "concave" in result.advice
        assert "this is the maximum" in result.advice

    def test_without_end(self):
        result = descend.maximize("x^2", 1)
        assert result.status is Status.UNBOUNDED
        assert "rises without end" in result.message
        assert "as large as one likes" in result.advice

    def test_a_saddle(self):
        result = descend.maximize("y^2 - x^2 - y^4", [0, 0], escape=False)
        assert result.status is Status.SADDLE
        assert "still rises" in result.message

    def test_diverging(self):
        result = descend.maximize("-(x^2)", 1, learning_rate=1.2, max_looks=60)
        assert result.status is Status.DIVERGING
        assert "falls from step to step" in result.message
        assert "below 1 " in result.advice

    def test_no_word_of_minima_anywhere(self):
        for cost, start, settings in [
            ("x", 1, {}),
            ("x^2", 0, {}),
            ("-(x^2)", 3, {"learning_rate": 1.0, "max_looks": 40}),
            ("-(x^2)", 3, {"learning_rate": 1e-4, "max_looks": 40}),
            ("log(x)", 1, {"max_looks": 30}),
            ("exp(-(x-40)^2)", 0, {}),
        ]:
            result = descend.maximize(cost, start, **settings)
            assert not result.success
            words = f"{result.message} {result.advice}".replace("This is a minimum, the lowest point around", "")
            assert "minimum" not in words.replace(Status.MINIMUM.value, "")

    def test_criteria(self):
        words = [c.what for c in descend.maximize("x^2 - x^4", 0.5).criteria]
        assert any("distance to the maximum" in w for w in words)
        assert any("upward curvature" in w for w in words)


def test_steps_uphill():
    walk = descend.steps("4 - x^2", start=1, learning_rate=0.1, maximise=True)
    first = next(walk)
    assert (first.error, first.slope, first.learn) == (3.0, {"x": -2.0}, {"x": pytest.approx(0.8)})
    assert "x = 1 + 0.1 · (-2) = 0.8" in str(first)
