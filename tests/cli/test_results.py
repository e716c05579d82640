"""What minimize and gradient-descent print: text, JSON and files, and the exit code that follows the status."""

from __future__ import annotations

import csv
import json

import pytest
from pyarrow import parquet

import descend

# API.md: `--json` prints one object.
CONTRACT = {
    "status": str,
    "success": bool,
    "message": str,
    "advice": str,
    "method": str,
    "variables": dict,
    "cost": (int, float),
    "gradient": dict,
    "steps": int,
    "looks": int,
    "seconds": float,
    "certificate": type(None),
}
ARTICLE = ["gradient-descent", "x^2", "--start", "3", "--learning-rate", "0.1"]


def object_of(result):
    assert result.stderr == ""
    assert result.stdout.count("\n") == 1

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(result.stdout, parse_constant=refuse)


class TestText:
    def test_the_articles_two_lines_come_first(self, shell):
        result = shell(*ARTICLE)
        assert result.exit_code == 0
        assert result.stderr == ""
        assert result.stdout.splitlines()[:2] == [
            "Minimum occurs at x-value: 6.111107929003464e-10",
            "Slope at the minimum is:  1.2222215858006927e-09",
        ]

    def test_the_report_is_the_librarys(self, shell):
        lines = str(descend.gradient_descent("x^2", 3, 0.1)).splitlines()
        shown = shell(*ARTICLE).stdout.splitlines()
        timed = [k for k, line in enumerate(lines) if " looks (" in line]
        assert len(timed) == 1
        assert [line for k, line in enumerate(shown) if k not in timed] == [
            line for k, line in enumerate(lines) if k not in timed
        ]

    def test_advice_speaks_of_options(self, shell):
        assert "--precision 2.5e-5 would have done" in shell(*ARTICLE, "--precision", "1e-4").stdout
        assert "Give more with --max-iterations" in shell(*ARTICLE, "--max-iterations", "3").stdout

    def test_quiet_prints_the_numbers_alone(self, shell):
        assert shell(*ARTICLE, "--quiet").stdout == "x = 6.111107929003464e-10\n"
        assert shell("minimize", "x^2 + (y-1)^2", "--quiet").stdout == "x = 0.0\ny = 1.0\n"

    def test_quiet_does_not_hide_a_failure(self, shell):
        result = shell(*ARTICLE, "--max-iterations", "0", "--quiet")
        assert (result.exit_code, result.stdout) == (1, "x = 3.0\n")
        assert result.stderr.startswith("descend: LOOKS_SPENT: ")


class TestExitCodes:
    @pytest.mark.parametrize(
        ("status", "line"),
        [
            ("EXACT", "minimize x^2"),
            ("MINIMUM", "minimize x^2 --start 3 --learning-rate 0.1"),
            ("MINIMUM", "minimize x^4+x --start 3"),
            ("MAXIMUM", "minimize x-x^4 --start 3 --maximize"),
            ("MINIMUM", "minimize cos(x) --start 0"),
            ("COST_REACHED", "minimize (1-x)^2+100*(y-x^2)^2 --start x=-1.2 --start y=1 --target-cost 1"),
        ],
    )
    def test_success_is_0(self, shell, status, line):
        result = shell(*line.split(), "--json")
        found = object_of(result)
        assert (result.exit_code, found["status"], found["success"]) == (0, status, True)

    @pytest.mark.parametrize(
        ("status", "line"),
        [
            ("STEP_SMALL", "gradient-descent x^2 --start 3 --learning-rate 0.1 --precision 1e-4"),
            ("LOOKS_SPENT", "minimize x^2 --start 3 --learning-rate 1e-4 --max-looks 10"),
            ("TIME_SPENT", "minimize x^2 --start 3 --learning-rate 1e-9 --max-seconds 1e-9"),
            ("DIVERGING", "minimize x^2 --start 3 --learning-rate 1.01"),
            ("CYCLING", "minimize x^2 --start 3 --learning-rate 1"),
            ("UNBOUNDED", "minimize -x^2 --start 3"),
            ("SADDLE", "minimize x^3 --start 0 --no-escape"),
            ("MAXIMUM", "minimize cos(x) --start 0 --no-escape"),
            ("OUTSIDE_DOMAIN", "minimize log(x) --start -1"),
        ],
    )
    def test_a_result_without_success_is_1(self, shell, status, line):
        result = shell(*line.split(), "--json")
        found = object_of(result)
        assert (result.exit_code, found["status"], found["success"]) == (1, status, False)
        assert shell(*line.split()).exit_code == 1

    def test_bad_input_is_2(self, shell):
        assert shell("minimize", "x^2 +").exit_code == 2


class TestJson:
    def test_every_field_of_the_contract(self, shell):
        found = object_of(shell("minimize", "x^2 + (y-1)^2", "--json"))
        for field, kind in CONTRACT.items():
            assert isinstance(found[field], kind), field
        assert found["variables"] == {"x": 0.0, "y": 1.0}
        assert found["gradient"].keys() == {"x", "y"}
        assert found["status"] in descend.Status.__members__
        assert found["message"] == descend.Status[found["status"]].value

    def test_it_is_the_librarys_object(self, shell):
        found = object_of(shell(*ARTICLE, "--json"))
        expected = descend.gradient_descent("x^2", 3, 0.1).to_dict()
        assert found | {"seconds": 0} == json.loads(json.dumps(expected)) | {"seconds": 0}

    def test_numbers_come_back_as_they_were(self, shell):
        result = descend.minimize("(x-1/3)^2 + exp(x)/7", 1.0)
        found = object_of(shell("minimize", "(x-1/3)^2 + exp(x)/7", "--start", "1", "--json"))
        assert found["variables"]["x"].hex() == result["x"].hex()
        assert found["cost"].hex() == result.cost.hex()

    def test_what_is_not_finite_is_null(self, shell):
        found = object_of(shell("gradient-descent", "1/x", "--start", "0", "--learning-rate", "1", "--json"))
        assert found["success"] is False
        assert found["cost"] is None
        assert found["gradient"] == {"x": None}

    def test_bad_input_leaves_standard_output_empty(self, shell):
        for line in (["minimize", "x^2 +"], ["minimize", "x^2", "--start", "q"], ["fit", "y = a*x", "none.csv"]):
            result = shell(*line, "--json")
            assert (result.exit_code, result.stdout) == (2, "")
            assert result.stderr.startswith("descend: ")


class TestTrace:
    def test_csv(self, shell, home):
        result = shell(
            "minimize", "x^2", "--start", "3", "--learning-rate", "0.1", "--max-looks", "4", "--trace", "t.csv"
        )
        assert result.exit_code == 1
        with (home / "t.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        point = 3.0
        for k, row in enumerate(rows):
            assert float(row["x"]) == point
            assert (row["step"], row["look"], row["accepted"]) == (str(k), str(k + 1), "true")
            assert float(row["cost"]) == point * point
            point -= 0.1 * (2 * point)
        assert len(rows) == 4
        assert rows[0]["step_size"] == "nan"

    def test_parquet(self, shell, home):
        shell("minimize", "x^4", "--start", "1", "--max-looks", "5", "--trace", "t.parquet", "--quiet")
        table = parquet.read_table(home / "t.parquet")
        expected = descend.minimize("x^4", 1, max_looks=5, trace=True).trace
        assert table.column_names == list(expected.columns)
        assert table["x"].to_pylist() == expected["x"]
        assert [entry.name for entry in home.iterdir()] == ["t.parquet"]  # nothing is left beside it

    def test_a_folder_is_refused_before_any_work(self, shell, home):
        (home / "folder.csv").mkdir()
        result = shell("minimize", "x^2", "--trace", "folder.csv")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "folder.csv is a folder" in result.stderr

    def test_what_cannot_be_written_is_said_behind_the_result(self, shell, home):
        (home / "full.csv").symlink_to("/dev/full")
        result = shell("minimize", "x^2", "--trace", "full.csv", "--quiet")
        assert (result.exit_code, result.stdout) == (2, "x = 0.0\n")
        assert result.stderr == "descend: full.csv cannot be written: No space left on device\n"
