"""A loss that is typed: a formula in y and yhat, on the tape of any model, against mpmath and against rss."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import descend
from descend.errors import DescendError, FormulaError, MethodError, UnavailableError

DATA = {"x": [0.5, 1.0, 2.0, 4.0], "y": [1.0, 3.0, 2.0, 7.0], "yhat": [0.25, -1.0, 3.0, 0.5]}
POINT = [0.75, -0.5]


def exact(row, parameters, columns=("x", "y", "yhat")):
    """Return (Σ row, its gradient) over DATA in 50 digits; `row` takes the parameters and the columns."""
    with mp.workdps(50):
        rows = [[mp.mpf(v) for v in values] for values in zip(*(DATA[c] for c in columns), strict=True)]
        point = [mp.mpf(v) for v in parameters]
        total = lambda *p: mp.fsum(row(*p, *values) for values in rows)
        slopes = [
            mp.diff(total, tuple(point), tuple(int(k == j) for j in range(len(point)))) for k in range(len(point))
        ]
        return float(total(*point)), [float(s) for s in slopes]


def seen(model, loss, point=POINT, **settings):
    fun = descend.compile(model, DATA, loss=loss, **settings)
    cost, gradient = fun.value_and_gradient(point)
    return cost, gradient.tolist()


def close(got, expected):
    assert got[0] == pytest.approx(expected[0], rel=1e-13, abs=1e-13)
    assert got[1] == pytest.approx(expected[1], rel=1e-12, abs=1e-12)


def line(a, b, x):
    return a + b * x


class TestValues:
    def test_logistic_regression(self):
        expected = exact(lambda a, b, x, y, _: mp.log(1 + mp.exp(line(a, b, x))) - y * line(a, b, x), POINT)
        close(seen("y = a + b*x", "softplus(yhat) - y*yhat"), expected)

    def test_the_right_side_alone_is_added_up(self):
        assert seen("y = a + b*x", "yhat") == (4 * 0.75 - 0.5 * 7.5, [4.0, 7.5])

    def test_squared_residuals_are_rss_to_the_last_bit(self):
        assert seen("y = a*exp(b*x)", "(y - yhat)^2") == seen("y = a*exp(b*x)", "rss")

    def test_the_left_side_is_a_formula(self):
        close(
            seen("log(y) = a + b*x", "abs(y - yhat)^3"),
            exact(lambda a, b, x, y, _: abs(mp.log(y) - line(a, b, x)) ** 3, POINT),
        )

    def test_it_is_made_stable(self):
        cost, gradient = seen("y = a + b*x", "log(1 + exp(yhat)) - y*yhat", [1000.0, 0.0])
        assert cost == 4 * 1000.0 - 13 * 1000.0
        assert gradient == [4.0 - 13.0, 7.5 - sum(x * y for x, y in zip(DATA["x"], DATA["y"], strict=True))]

    def test_the_hessian(self):
        fun = descend.compile("y = a + b*x", DATA, loss="(y - yhat)^4/12")
        design = np.column_stack([np.ones(4), DATA["x"]])
        residuals = np.array(DATA["y"]) - design @ POINT
        assert fun.hessian(POINT) == pytest.approx(design.T @ (residuals[:, None] ** 2 * design), rel=1e-13)


class TestNames:
    """y and yhat of the loss are the sides of the model, whatever the model calls its own names."""

    def test_the_response_may_stand_on_the_right(self):
        expected = exact(lambda a, b, x, y, _: (mp.sqrt(y) - a * y - b * x) ** 2 + a * y + b * x, POINT)
        close(seen("sqrt(y) = a*y + b*x", "(y - yhat)^2 + yhat"), expected)

    def test_a_column_called_yhat(self):
        expected = exact(lambda a, b, x, y, h: mp.cosh(mp.sin(y * h) - (a + b * h * x)), POINT)
        close(seen("sin(y*yhat) = a + b*yhat*x", "cosh(y - yhat)"), expected)

    def test_the_sides_change_places(self):
        """Replaced one after the other, y -> yhat -> ... would end with one of the two only."""
        expected = exact(lambda a, b, x, y, h: (h - (a + b * y)) ** 2 * (a + b * y), POINT)
        close(seen("yhat = a + b*y", "(y - yhat)^2*yhat"), expected)

    def test_parameters_called_y_and_yhat(self):
        fun = descend.compile("x = y + yhat*z", {"x": [1.0, 2.0], "z": [3.0, 5.0]}, loss="(y - yhat)^2 + y")
        assert fun.names == ("y", "yhat")
        assert fun([0.5, 0.25]) == (1 - 1.25) ** 2 + (2 - 1.75) ** 2 + 3
        assert fun.gradient([0.5, 0.25]).tolist() == [2 * 0.25 - 2 * 0.25, 2 * 0.25 * 3 - 2 * 0.25 * 5]


class TestRefused:
    @pytest.mark.parametrize("loss", ["(y - x)^2 + yhat", "abs(residual)", "yhat*a", "YHAT - y", "yhat - y2"])
    def test_other_names(self, loss):
        with pytest.raises(FormulaError, match=r"formula in y .* and yhat"):
            descend.compile("y = a + b*x", DATA, loss=loss)

    @pytest.mark.parametrize("loss", ["y", "y^2 + 1", "2 + 2"])
    def test_a_loss_without_the_prediction(self, loss):
        with pytest.raises(FormulaError, match="does not contain yhat"):
            descend.compile("y = a + b*x", DATA, loss=loss)

    @pytest.mark.parametrize("loss", ["yhat +", "(y - yhat", "y = yhat", "y yhat )", "yhat**", "__import__('os')+yhat"])
    def test_what_cannot_be_read(self, loss):
        with pytest.raises(FormulaError):
            descend.compile("y = a + b*x", DATA, loss=loss)

    @pytest.mark.parametrize("loss", ["y[0] - yhat", "yhat*sum(i*y^i, i, 1, 40)"])
    def test_arrays_and_sums(self, loss):
        with pytest.raises(UnavailableError, match="write the terms out"):
            descend.compile("y = a + b*x", DATA, loss=loss)

    @pytest.mark.parametrize("loss", ["huberr", "huberr(1.35)", "log-cash", "", "exit()"])
    def test_a_misspelt_name_is_no_formula(self, loss):
        with pytest.raises(MethodError, match=r"there is no loss .*there are rss, mse"):
            descend.compile("y = a + b*x", DATA, loss=loss)

    @pytest.mark.parametrize(("loss", "meant"), [("rs", "rss"), ("msee", "mse"), ("Yhat", "yhat")])
    def test_did_you_mean(self, loss, meant):
        with pytest.raises(MethodError, match=f"did you mean {meant}"):
            descend.compile("y = a + b*x", DATA, loss=loss)

    @pytest.mark.parametrize("loss", [3, None, 1.5, ["rss"]])
    def test_no_text(self, loss):
        with pytest.raises(MethodError, match="a loss is text"):
            descend.compile("y = a + b*x", DATA, loss=loss)

    def test_limits(self):
        with pytest.raises(FormulaError, match="limit"):
            descend.compile("y = a + b*x", DATA, loss="yhat" + " + yhat" * 20, limits=descend.Limits(nodes=10))

    @pytest.mark.parametrize("door", [descend.fit, lambda m, d, **k: descend.steps(m, 0, data=d, learning_rate=1, **k)])
    @pytest.mark.parametrize("loss", ["(y - yhat)^4", "yhat", "abs(residual)"])
    def test_only_compile_takes_one(self, door, loss):
        with pytest.raises(UnavailableError, match=r"taken by compile only.*there are rss, mse"):
            door("y = a + b*x", DATA, loss=loss)

    @pytest.mark.parametrize(
        "loss", ["y\x00hat", "ŷ - y", "yhat" * 9000, "😀 - yhat", "y" * 33 + "-yhat", "2^(9^9)*yhat"]
    )
    def test_hostile_text(self, loss):
        with pytest.raises(DescendError):
            descend.compile("y = a + b*x", DATA, loss=loss)
