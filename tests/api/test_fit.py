"""Learning from data: the answers, what they are worth, and predictions for rows that were not seen."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import scipy.stats
import sympy

import descend
from descend import Status

SETS = json.loads((Path(__file__).parents[1] / "data_files" / "least_squares.json").read_text())["sets"]
X = np.linspace(0.5, 6, 30)
NOISE = np.sin(37 * X) / 10
LINE = {"x": X, "y": 1.5 + 2 * X + NOISE}


def digits(got, expected):
    return min((16.0 if g == e else -np.log10(abs(g - e) / abs(e))) for g, e in zip(got, expected, strict=True))


@pytest.mark.parametrize("case", SETS, ids=lambda case: case["name"])
class TestReferences:
    def test_parameters_errors_rss_and_r_squared(self, case):
        fitted = descend.fit(case["model"], case["columns"])
        assert fitted.status is Status.EXACT
        assert set(fitted.parameters) == set(case["parameters"])
        assert digits([fitted.parameters[n] for n in case["parameters"]], case["parameters"].values()) >= 10
        errors = [fitted.standard_errors[n] for n in case["parameters"]]
        if case["rss"] > 1e-6:
            assert digits(errors, case["standard_errors"]) >= 6
            assert fitted.rss == pytest.approx(case["rss"], rel=1e-9)
        else:  # Wampler1 lies on its polynomial: all that is left is rounding
            assert max(errors) < 1e-6
            assert fitted.rss < 1e-6
        assert fitted.r_squared == pytest.approx(case["r_squared"], rel=1e-9)
        assert fitted.rows == len(case["columns"]["x" if "x" in case["columns"] else next(iter(case["columns"]))])

    def test_the_same_through_sympy(self, case):
        left, _, right = case["model"].partition("=")
        names = {n: sympy.Symbol(n) for n in [*case["columns"], *case["parameters"]]}
        model = sympy.Eq(names[left.strip()], sympy.Add(*(_term(t, names) for t in right.split("+"))))
        assert descend.fit(model, case["columns"]).parameters == pytest.approx(case["parameters"], rel=1e-9)


def _term(text, names):
    """A term such as b3*x**3 of a model in the reference file."""
    product = sympy.Integer(1)
    for factor in text.replace("**", "^").split("*"):
        name, _, power = factor.strip().partition("^")
        product *= names[name] ** (int(power) if power else 1)
    return product


class TestAgainstNumpy:
    def test_holdout_and_evaluate(self):
        fitted = descend.fit("y = a + b*x", LINE, holdout=0.3, seed=4)
        assert (fitted.rows, fitted.held_back.rows) == (21, 9)
        held = fitted.held_back
        x, y = np.array(held.column("x")), np.array(held.column("y"))
        rest = ~np.isin(LINE["x"], x)
        slope, intercept = np.polyfit(LINE["x"][rest], LINE["y"][rest], 1)
        assert fitted.parameters == {"a": pytest.approx(intercept, rel=1e-10), "b": pytest.approx(slope, rel=1e-10)}
        residuals = y - (intercept + slope * x)
        assert fitted.evaluate() == {
            "rows": 9,
            "cost": pytest.approx(residuals @ residuals, rel=1e-8),
            "rss": pytest.approx(residuals @ residuals, rel=1e-8),
            "mse": pytest.approx(np.mean(residuals**2), rel=1e-8),
            "rmse": pytest.approx(np.sqrt(np.mean(residuals**2)), rel=1e-8),
            "mae": pytest.approx(np.mean(np.abs(residuals)), rel=1e-8),
            "r_squared": pytest.approx(1 - residuals @ residuals / np.sum((y - y.mean()) ** 2), rel=1e-8),
        }
        assert "9 held-back rows" in str(fitted)

    def test_the_split_is_the_seeds(self):
        first, again, other = (descend.fit("y = a + b*x", LINE, holdout=0.3, seed=s) for s in (1, 1, 2))
        assert first.parameters == again.parameters != other.parameters
        assert first.seed == 1
        assert any("seed 1" in note for note in first.notes)

    def test_evaluate_on_new_data(self):
        fitted = descend.fit("y = a + b*x", LINE, loss="mse")
        new = {"x": [0.0, 10.0], "y": [1.0, 25.0]}
        a, b = fitted.parameters.values()
        residuals = np.array([1 - a, 25 - a - 10 * b])
        found = fitted.evaluate(new)
        assert found["cost"] == found["mse"] == pytest.approx(residuals @ residuals / 2)
        assert fitted.residuals(new) == pytest.approx(residuals)
        with pytest.raises(descend.DataError, match="no rows were held back"):
            fitted.evaluate()

    def test_intervals_are_students(self):
        fitted = descend.fit("y = a + b*x", LINE)
        for level in (0.5, 0.95, 0.999):
            t = scipy.stats.t.ppf(0.5 + level / 2, 28)
            for name, (low, high) in fitted.intervals(level).items():
                middle, error = fitted.parameters[name], fitted.standard_errors[name]
                assert (low, high) == (pytest.approx(middle - t * error), pytest.approx(middle + t * error))

    def test_the_covariance_of_a_curve(self):
        y = 3 * np.exp(-0.4 * X) + 1 + NOISE
        fitted = descend.fit("y = a*exp(-b*x) + c", {"x": X, "y": y}, start=[3, 0.4, 1])
        a, b, _ = fitted.parameters.values()
        jacobian = np.column_stack([np.exp(-b * X), -a * X * np.exp(-b * X), np.ones(30)])
        expected = fitted.rss / 27 * np.linalg.inv(jacobian.T @ jacobian)
        assert fitted.covariance == pytest.approx(expected, rel=1e-8)
        assert list(fitted.standard_errors.values()) == pytest.approx(np.sqrt(np.diag(expected)), rel=1e-8)

    def test_predict(self):
        fitted = descend.fit("y = a + b*x", LINE)
        a, b = fitted.parameters.values()
        for kind in ("response", "link"):
            got = fitted.predict({"x": [0, 1.5]}, kind=kind)
            assert got.dtype == np.float64
            assert got.tolist() == pytest.approx([a, a + 1.5 * b], rel=1e-15)


class TestOtherModels:
    def test_log_of_the_column(self):
        y = np.exp(0.3 + 0.5 * X + NOISE)
        fitted = descend.fit("log(y) = a + b*x", {"x": X, "y": y})
        slope, intercept = np.polyfit(X, np.log(y), 1)
        assert fitted.parameters == {"a": pytest.approx(intercept, rel=1e-10), "b": pytest.approx(slope, rel=1e-10)}
        assert fitted.predict({"x": [2.0]})[0] == pytest.approx(intercept + 2 * slope, rel=1e-10)  # the left side
        with pytest.raises(descend.UnavailableError, match="invert"):
            fitted.predict({"x": [2.0]}, invert=True)
        assert descend.fit("y = a + b*x", LINE).predict({"x": [1.0]}, invert=True) is not None

    def test_mse_has_the_same_minimum_as_rss(self):
        rss, mse = (descend.fit("y = a + b*x", LINE, loss=loss) for loss in ("rss", "mse"))
        assert mse.parameters == pytest.approx(rss.parameters, rel=1e-13)
        assert mse.cost == pytest.approx(rss.cost / 30, rel=1e-12)
        assert mse.rss == pytest.approx(rss.rss, rel=1e-12)
        assert (rss.cost, rss.loss.name, mse.loss.name) == (pytest.approx(rss.rss, rel=1e-12), "rss", "mse")

    def test_the_mean_alone(self):
        fitted = descend.fit("y = a", {"y": [1.0, 2.0, 6.0]})
        assert fitted.parameters == {"a": 3.0}
        assert fitted.standard_errors["a"] == pytest.approx(np.std([1, 2, 6], ddof=1) / 3**0.5)

    def test_fixed_tied_and_constants(self):
        fitted = descend.fit("y = a + b*x", LINE, fixed={"a": 1.5})
        assert list(fitted.parameters) == ["b"]
        assert fitted["b"] == pytest.approx(((LINE["y"] - 1.5) @ X) / (X @ X), rel=1e-12)
        tied = descend.fit("y = a + b*x", LINE, tied={"a": "b"})
        assert tied["b"] == pytest.approx((LINE["y"] @ (1 + X)) / ((1 + X) @ (1 + X)), rel=1e-12)
        assert descend.fit("y = c*a + b*x", LINE, constants={"c": 2})["a"] == pytest.approx(
            descend.fit("y = a + b*x", LINE)["a"] / 2, rel=1e-12
        )

    def test_undetermined_parameters_are_said(self):
        fitted = descend.fit("y = a*x + b*x", LINE)
        assert fitted.success
        assert any("do not determine" in note for note in fitted.notes)
        assert all(np.isnan(v) for v in fitted.standard_errors.values())
        assert "not determined" in str(fitted)

    def test_as_many_parameters_as_rows(self):
        fitted = descend.fit("y = a + b*x", {"x": [0.0, 1.0], "y": [1.0, 3.0]})
        assert fitted.parameters == {"a": 1.0, "b": 2.0}
        assert np.isnan(fitted.covariance).all()

    def test_r_squared_without_a_constant_is_uncentred_and_says_so(self):
        fitted = descend.fit("y = b*x", LINE)
        assert fitted.r_squared == pytest.approx(1 - fitted.rss / (LINE["y"] @ LINE["y"]), rel=1e-12)
        assert any("uncentred" in note for note in fitted.notes)


class TestTheArticlesWalk:
    """`learning_rate=` walks the article's loop on the RSS written out in SymPy, point by point."""

    ROWS = ((Fraction(1, 2), 2), (1, 3), (2, Fraction(7, 2)), (3, 6), (Fraction(17, 4), 7))

    @pytest.mark.parametrize(
        ("loss", "model", "right"),
        [
            ("rss", "y = b0 + b1*x", lambda p, x: p[0] + p[1] * x),
            ("mse", "y = b0 + b1*x", lambda p, x: p[0] + p[1] * x),
            ("rss", "y = b0*exp(b1*x/10)", lambda p, x: p[0] * sympy.exp(p[1] * x / 10)),
        ],
    )
    @pytest.mark.parametrize("form", [dict, "arrow", "pandas"])
    def test_point_by_point(self, loss, model, right, form):
        symbols = sympy.symbols("b0 b1")
        terms = [(sympy.Rational(y) - right(symbols, sympy.Rational(x))) ** 2 for x, y in self.ROWS]
        cost = sympy.Add(*terms) / (len(terms) if loss == "mse" else 1)
        value = sympy.lambdify(symbols, cost)
        slopes = [sympy.lambdify(symbols, sympy.diff(cost, s)) for s in symbols]
        points, rate = [(0.5, 0.25)], 0.005
        for _ in range(120):
            at = points[-1]
            points.append(tuple(v - rate * float(slope(*at)) for v, slope in zip(at, slopes, strict=True)))
        data = {"x": [float(x) for x, _ in self.ROWS], "y": [float(y) for _, y in self.ROWS]}
        if form == "arrow":
            data = pytest.importorskip("pyarrow").table(data)
        elif form == "pandas":
            data = pytest.importorskip("pandas").DataFrame(data)
        result = descend.fit(model, data, loss=loss, learning_rate=rate, start=points[0], max_looks=121, trace=True)
        assert result.steps == 120
        for k, name in enumerate(("b0", "b1")):
            assert result.trace[name] == pytest.approx([p[k] for p in points], rel=1e-12)
        assert result.trace["cost"] == pytest.approx([float(value(*p)) for p in points], rel=1e-12)


class TestMissing:
    DATA: ClassVar = {"x": [1.0, 2.0, None, 4.0], "y": [2.0, 4.0, 6.0, 8.5], "other": [None, 1.0, 2.0, 3.0]}

    def test_an_error_names_column_and_row(self):
        with pytest.raises(descend.DataError) as caught:
            descend.fit("y = a + b*x", self.DATA)
        assert (caught.value.column, caught.value.row) == ("x", 3)
        assert "drop" in str(caught.value)

    def test_dropped_rows_are_said(self):
        fitted = descend.fit("y = a + b*x", self.DATA, missing="drop")
        assert fitted.rows == 3
        assert any("1 of 4 rows were dropped" in note for note in fitted.notes)
        slope, intercept = np.polyfit([1, 2, 4], [2, 4, 8.5], 1)
        assert fitted.parameters == {"a": pytest.approx(intercept, abs=1e-13), "b": pytest.approx(slope)}

    def test_nothing_is_left(self):
        with pytest.raises(descend.DataError, match="nothing is left"):
            descend.fit("y = a*x", {"x": [None, None], "y": [1.0, 2.0]}, missing="drop")

    def test_columns_that_are_not_used_do_not_matter(self):
        assert descend.fit("y = a*other", {"other": [1.0], "y": [2.0], "x": [None]}).parameters == {"a": 2.0}
