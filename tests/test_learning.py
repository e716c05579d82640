"""Learning from data through the public door: data of every kind, held-back rows, prediction, saved models."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest

import descend
from descend import DataError, FormulaError, MethodError, Status, UnavailableError

RNG = np.random.default_rng(7)
X = RNG.uniform(-3, 5, 60)
TABLE = {"x": X, "y": 1.5 - 0.75 * X + RNG.normal(scale=0.1, size=60)}
LINE = "y = b0 + b1*x"


def numpy_line(x, y):
    slope, intercept = np.polyfit(x, y, 1)
    return {"b0": intercept, "b1": slope}


def test_every_kind_of_data_gives_the_same_bits(tmp_path):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    import pyarrow as pa
    import pyarrow.parquet

    frame = pandas.DataFrame(TABLE)
    frame.to_csv(tmp_path / "t.csv", index=False)
    pyarrow.parquet.write_table(pa.table(TABLE), tmp_path / "t.parquet")
    structured = np.rec.fromarrays([TABLE["x"], TABLE["y"]], names="x,y")
    kinds = [
        TABLE,
        frame,
        polars.DataFrame(TABLE),
        pa.table(TABLE),
        structured,
        tmp_path / "t.csv",
        str(tmp_path / "t.parquet"),
    ]
    fits = [descend.fit(LINE, data).parameters for data in kinds]
    assert all(parameters == fits[0] for parameters in fits)
    assert fits[0] == pytest.approx(numpy_line(TABLE["x"], TABLE["y"]), rel=1e-12)


class TestHoldout:
    def test_the_rows_held_back_are_not_learned_from(self):
        result = descend.fit(LINE, TABLE, holdout=0.25, seed=3)
        held = result.held_back
        assert (result.rows, held.rows) == (45, 15)
        kept = np.setdiff1d(np.arange(1, 61), held.row_numbers) - 1
        assert result.parameters == pytest.approx(numpy_line(TABLE["x"][kept], TABLE["y"][kept]), rel=1e-10)

    def test_evaluate_is_the_error_on_them(self):
        result = descend.fit(LINE, TABLE, holdout=0.25, seed=3)
        rows = result.held_back.row_numbers - 1
        b0, b1 = result.parameters.values()
        residuals = TABLE["y"][rows] - (b0 + b1 * TABLE["x"][rows])
        found = result.evaluate()
        assert found["rows"] == 15
        assert found["rss"] == found["cost"] == pytest.approx(float(residuals @ residuals), rel=1e-12)
        assert found["rmse"] == pytest.approx(float(np.sqrt(np.mean(residuals**2))), rel=1e-12)
        assert found["mae"] == pytest.approx(float(np.abs(residuals).mean()), rel=1e-12)
        total = np.sum((TABLE["y"][rows] - TABLE["y"][rows].mean()) ** 2)
        assert found["r_squared"] == pytest.approx(1 - float(residuals @ residuals) / total, rel=1e-12)
        assert result.evaluate({k: v[rows] for k, v in TABLE.items()}) == pytest.approx(found)

    def test_a_seed_repeats_and_another_differs(self):
        one, same, other = (descend.fit(LINE, TABLE, holdout=0.25, seed=s).parameters for s in (3, 3, 4))
        assert one == same != other

    @pytest.mark.parametrize("share", [0, 1, -0.5, 2, "a lot", True])
    def test_a_share_that_is_none(self, share):
        with pytest.raises(MethodError, match="holdout"):
            descend.fit(LINE, TABLE, holdout=share)

    def test_without_rows_held_back(self):
        with pytest.raises(DataError, match="held back"):
            descend.fit(LINE, TABLE).evaluate()


class TestModels:
    def test_a_formula_on_the_left(self):
        x = np.linspace(0, 2, 9)
        result = descend.fit("log(y) = a + b*x", {"x": x, "y": np.exp(0.5 + 0.25 * x)})
        assert result.parameters == pytest.approx({"a": 0.5, "b": 0.25}, abs=1e-14)
        assert result.predict({"x": [4.0]}).tolist() == pytest.approx([1.5])

    def test_columns_of_any_name(self):
        data = {"Sepal Length (cm)": [1.0, 2, 3], "2019": [2.0, 4, 6]}
        assert descend.fit("`2019` = k*`Sepal Length (cm)`", data).parameters == pytest.approx({"k": 2.0})

    def test_e_is_a_column_when_the_data_have_one(self):
        assert descend.fit("y = a*e", {"e": [1.0, 2.0], "y": [3.0, 6.0]}).parameters == {"a": 3.0}

    def test_a_curve(self):
        x = np.linspace(0, 4, 40)
        data = {"x": x, "y": 2 * np.exp(-1.5 * x) + 0.5}
        result = descend.fit("y = a*exp(-b*x) + c", data, start={"a": 1, "b": 1, "c": 0})
        assert result.status is Status.MINIMUM
        assert result.parameters == pytest.approx({"a": 2, "b": 1.5, "c": 0.5}, rel=1e-6)

    def test_mse_is_the_mean(self):
        rss, mse = (descend.fit(LINE, TABLE, loss=loss) for loss in ("rss", "mse"))
        assert rss.parameters == mse.parameters
        assert mse.cost == pytest.approx(rss.cost / 60)

    def test_the_rate_multiplies_the_cost_as_named(self):
        one = descend.fit(LINE, TABLE, loss="rss", learning_rate=0.001, start=[0, 0], max_looks=5, trace=True)
        same = descend.fit(LINE, TABLE, loss="mse", learning_rate=0.060, start=[0, 0], max_looks=5, trace=True)
        assert one.trace["b1"] == pytest.approx(same.trace["b1"], rel=1e-12)

    def test_standard_errors_are_the_textbooks(self):
        result = descend.fit(LINE, TABLE)
        x, y = TABLE["x"], TABLE["y"]
        design = np.column_stack([np.ones_like(x), x])
        residuals = y - design @ np.array(list(result.parameters.values()))
        covariance = np.linalg.inv(design.T @ design) * (residuals @ residuals) / 58
        assert result.covariance == pytest.approx(covariance, rel=1e-10)
        low, high = result.intervals(0.95)["b1"]
        assert (high - low) / 2 == pytest.approx(2.001717484145236 * result.standard_errors["b1"], rel=1e-9)

    @pytest.mark.parametrize(
        ("model", "error", "words"),
        [
            ("y ~ x", FormulaError, "y = b0"),
            ("y = x", FormulaError, "no parameters"),
            ("a + b*x", FormulaError, "one '='"),
            ("z = a + b*x", DataError, "not a column"),
            ("y = a + b*(x", FormulaError, "not closed"),
        ],
    )
    def test_models_that_are_none(self, model, error, words):
        with pytest.raises(error, match=words.replace("(", r"\(")):
            descend.fit(model, TABLE)

    def test_a_misspelt_column_is_noticed(self):
        data = {"income": [1.0, 2, 3], "y": [1.0, 2, 3]}
        assert any("income" in note for note in descend.fit("y = a + b*incme", data, max_looks=50).notes)
        with pytest.raises(FormulaError, match="income"):
            descend.fit("y = a + b*incme", data, parameters=["a", "b"])

    @pytest.mark.parametrize(
        "argument",
        [{"weights": [1]}, {"sigma": [1]}, {"robust": True}],
    )
    def test_what_is_missing_says_so(self, argument):
        with pytest.raises(UnavailableError, match=next(iter(argument))):
            descend.fit(LINE, TABLE, **argument)


class TestMissing:
    DATA = {"x": [1.0, 2, float("nan"), 4], "y": [1.0, 2, 3, 4]}  # noqa: RUF012

    def test_is_an_error_that_says_where(self):
        with pytest.raises(DataError) as caught:
            descend.fit(LINE, self.DATA)
        assert (caught.value.column, caught.value.row) == ("x", 3)

    def test_or_dropped_and_counted(self):
        result = descend.fit(LINE, self.DATA, missing="drop")
        assert result.rows == 3
        assert any("1 of 4 rows" in note for note in result.notes)

    def test_a_model_without_a_value_names_the_row(self):
        result = descend.fit("y = a*log(x)^b", {"x": [2.0, 3, -1], "y": [1.0, 2, 3]}, start=[1, 1])
        assert result.status is Status.NOT_FINITE
        assert "log(x)" in result.advice
        assert "row 3" in result.advice


class TestSaved:
    def test_a_model_comes_back_bit_for_bit(self, tmp_path):
        fitted = descend.fit("y = b0 + b1*x + b2*sin(x)", TABLE)
        fitted.save(tmp_path / "m.json")
        back = descend.load(tmp_path / "m.json")
        assert back.parameters == fitted.parameters
        assert back.standard_errors == fitted.standard_errors
        assert np.array_equal(back.predict(TABLE), fitted.predict(TABLE))
        assert back.evaluate(TABLE) == fitted.evaluate(TABLE)
        assert (back.status, back.rows, back.rss) == (fitted.status, fitted.rows, fitted.rss)
        assert [p.name for p in tmp_path.iterdir()] == ["m.json"]

    def test_pickle(self):
        fitted = descend.fit(LINE, TABLE, holdout=0.2)
        back = pickle.loads(pickle.dumps(fitted))
        assert back.parameters == fitted.parameters
        assert str(back) == str(fitted)

    @pytest.mark.parametrize(
        "damage",
        [
            lambda text: text[: len(text) // 2],
            lambda text: "",
            lambda text: "[" * 100_000,
            lambda text: text.replace("descend-model", "another"),
            lambda text: text.replace('"version": 1', '"version": 99'),
            lambda text: text.replace('"loss": "rss"', '"loss": 5'),
            lambda text: text.replace("b0 + b1*x", "__import__('os').system('id')"),
            lambda text: text.replace("b0 + b1*x", "9**9**9**9*b0"),
            lambda text: json.dumps({**json.loads(text), "parameters": {"b0": "1", "b1": 2}}),
            lambda text: json.dumps({**json.loads(text), "parameters": [1, 2]}),
            lambda text: json.dumps({**json.loads(text), "covariance": [[1.0]]}),
            lambda text: json.dumps({**json.loads(text), "status": "WONDERFUL"}),
            lambda text: json.dumps({k: v for k, v in json.loads(text).items() if k != "rows"}),
            lambda text: "\x00\xff" * 10,
        ],
    )
    def test_damaged_files_are_refused(self, tmp_path, damage):
        path = tmp_path / "m.json"
        descend.fit(LINE, TABLE).save(path)
        path.write_text(damage(path.read_text()))
        with pytest.raises(DataError):
            descend.load(path)

    def test_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(DataError, match="cannot be read"):
            descend.load(tmp_path / "none.json")
        with pytest.raises(DataError, match="cannot be written"):
            descend.fit(LINE, TABLE).save(tmp_path / "no" / "folder.json")
