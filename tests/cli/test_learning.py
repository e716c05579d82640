"""fit and predict, from a file to predictions and back."""

from __future__ import annotations

import csv
import io
import json

import pytest
from pyarrow import parquet

import descend

MODEL = "y = b0 + b1*x"
# NIST StRD, Norris: certified values.
CERTIFIED = {"b0": -0.262323073774029, "b1": 1.00211681802045}
ERRORS = {"b0": 0.232818234301152, "b1": 0.429796848199937e-03}


def read_csv(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


class TestFit:
    def test_norris_as_text(self, shell, norris):
        result = shell("fit", MODEL, norris)
        assert (result.exit_code, result.stderr) == (0, "")
        assert "b0         -0.262323073774" in result.stdout
        assert "EXACT" in result.stdout

    def test_norris_as_json(self, shell, norris):
        result = shell("fit", MODEL, norris, "--json")
        assert (result.exit_code, result.stderr) == (0, "")
        found = json.loads(result.stdout)
        assert found["parameters"] == pytest.approx(CERTIFIED, rel=1e-10)
        assert found["standard_errors"] == pytest.approx(ERRORS, rel=1e-10)
        assert found["rss"] == pytest.approx(26.6173985294224, rel=1e-12)
        assert found["r_squared"] == pytest.approx(0.999993745883712, rel=1e-14)
        assert (found["rows"], found["loss"], found["status"], found["success"]) == (36, "rss", "EXACT", True)
        assert {"message", "advice", "method", "cost", "gradient", "steps", "looks", "seconds"} <= found.keys()
        assert found["certificate"] is None
        assert "variables" not in found

    def test_quiet(self, shell, norris):
        lines = shell("fit", MODEL, norris, "--quiet").stdout.splitlines()
        assert {name: float(value) for name, value in (line.split(" = ") for line in lines)} == pytest.approx(CERTIFIED)

    def test_standard_input(self, shell, norris):
        result = shell("fit", MODEL, "-", "--json", input=norris.read_text())
        assert json.loads(result.stdout)["parameters"] == pytest.approx(CERTIFIED, rel=1e-10)

    def test_walks_the_path_of_the_library(self, shell, norris):
        words = ["--learning-rate", "1e-8", "--start", "b0=0", "--start", "b1=1", "--max-looks", "20", "--json"]
        result = shell("fit", MODEL, norris, *words)
        expected = descend.fit(MODEL, str(norris), learning_rate=1e-8, start={"b0": 0, "b1": 1}, max_looks=20)
        assert result.exit_code == 1
        assert json.loads(result.stdout)["parameters"] == expected.parameters

    def test_loss_fix_let_and_tie(self, shell, norris):
        found = json.loads(shell("fit", MODEL, norris, "--fix", "b0=0", "--loss", "mse", "--json").stdout)
        assert found["parameters"].keys() == {"b1"}
        assert found["loss"] == "mse"
        assert found["cost"] == pytest.approx(found["rss"] / 36, rel=1e-12)
        assert json.loads(shell("fit", MODEL, norris, "--let", "b0=0", "--json").stdout)["rss"] == found["rss"]
        tied = json.loads(shell("fit", MODEL, norris, "--tie", "b0=b1-1", "--json").stdout)
        assert tied["parameters"].keys() == {"b1"}

    def test_holdout_repeats_with_its_seed(self, shell, norris):
        def held_back(seed):
            words = ["--holdout", "0.25", "--seed", seed, "--json"]
            return json.loads(shell("fit", MODEL, norris, *words).stdout)

        assert held_back(1)["held_back"]["rows"] == 9
        assert held_back(1)["parameters"] == held_back(1)["parameters"] != held_back(2)["parameters"]

    def test_missing_values_are_refused_or_dropped(self, shell, home):
        (home / "d.csv").write_text("x,y\n0,1\n1,\n2,5\n3,7\n")
        refused = shell("fit", MODEL, "d.csv")
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "column 'y', row 2" in refused.stderr
        assert refused.stderr.count("--missing drop") == 1
        dropped = shell("fit", MODEL, "d.csv", "--missing", "drop", "--quiet")
        assert dropped.exit_code == 0
        assert {name: float(v) for name, v in (line.split(" = ") for line in dropped.stdout.splitlines())} == (
            pytest.approx({"b0": 1, "b1": 2}, rel=1e-14)
        )

    def test_trace(self, shell, norris, home):
        words = ["--learning-rate", "1e-8", "--max-looks", "3", "--trace", "t.csv"]
        shell("fit", MODEL, norris, *words)
        assert [row["look"] for row in read_csv((home / "t.csv").read_text())] == ["1", "2", "3"]

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["--holdout", "2"], "between 0 and 1"),
            (["--seed", "-1"], "seed must be at least 0"),
            (["--loss", "zzz"], "there is no loss 'zzz'"),
            (["--loss", "huber(1.35)"], "not in this version"),
            (["--method", "zzz"], "there is no method 'zzz'"),
            (["--start", "b0=1"], "the start is missing for b1"),
            (["--save", "nowhere/m.json"], "the folder of nowhere/m.json does not exist"),
        ],
    )
    def test_bad_settings(self, shell, norris, home, words, said):
        result = shell("fit", MODEL, norris, *words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr


class TestPredict:
    @pytest.fixture
    def model(self, shell, norris, home):
        assert shell("fit", MODEL, norris, "--save", "model.json").exit_code == 0
        return "model.json"

    def test_there_and_back(self, shell, norris, model):
        fitted = descend.fit(MODEL, str(norris))
        result = shell("predict", model, norris)
        assert (result.exit_code, result.stderr) == (0, "")
        rows = read_csv(result.stdout)
        assert [float(row["y"]).hex() for row in rows] == [float(v).hex() for v in fitted.predict(str(norris))]
        assert result.stdout.startswith("y\n")

    def test_only_the_columns_of_the_right_side_are_needed(self, shell, home, model):
        (home / "new.csv").write_text("x\n0\n100\n")
        (low, high) = (float(row["y"]) for row in read_csv(shell("predict", model, "new.csv").stdout))
        assert (low, high) == pytest.approx((CERTIFIED["b0"], CERTIFIED["b0"] + 100 * CERTIFIED["b1"]), rel=1e-10)

    def test_files_hold_the_same_numbers(self, shell, norris, home, model):
        printed = shell("predict", model, norris).stdout
        assert shell("predict", model, norris, "--out", "p.csv").stdout == ""
        assert (home / "p.csv").read_text() == printed
        shell("predict", model, norris, "--out", "p.parquet")
        assert parquet.read_table(home / "p.parquet")["y"].to_pylist() == [float(r["y"]) for r in read_csv(printed)]

    def test_json(self, shell, norris, model):
        found = json.loads(shell("predict", model, norris, "--json").stdout)
        assert found.keys() == {"model", "column", "rows", "predictions"}
        assert (found["column"], found["rows"]) == ("y", 36)
        assert found["predictions"] == [float(r["y"]) for r in read_csv(shell("predict", model, norris).stdout)]

    def test_a_formula_on_the_left_names_the_column(self, shell, norris, home):
        shell("fit", "log(y + 1) = a + b*x", norris, "--save", "log.json")
        assert shell("predict", "log.json", norris).stdout.startswith("log(y + 1)\n")

    def test_a_missing_value_is_not_dropped(self, shell, home, model):
        (home / "new.csv").write_text("x,z\n1,1\n,2\n")
        result = shell("predict", model, "new.csv")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "column 'x', row 2" in result.stderr
        assert "--missing" not in result.stderr

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"format": "descend-model"}', "x,y\n1,2\n"])
    def test_what_is_not_a_model(self, shell, home, norris, content):
        (home / "other.json").write_text(content)
        result = shell("predict", "other.json", norris)
        assert (result.exit_code, result.stdout) == (2, "")
        assert "other.json" in result.stderr
        assert result.stderr.count("\n") == 1

    def test_no_model_at_all(self, shell, home, norris):
        assert "none.json cannot be read" in shell("predict", "none.json", norris).stderr
        assert shell("predict", ".", norris).exit_code == 2
