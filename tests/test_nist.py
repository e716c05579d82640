"""NIST StRD linear regression and other certified least squares, through `fit` with nothing but defaults."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

import descend
from descend import Status

SETS = json.loads((Path(__file__).parent / "data_files" / "least_squares.json").read_text())["sets"]


def digits(got, reference):
    """Return how many decimal digits agree."""
    if got == reference:
        return 16.0
    error = abs(got - reference) / abs(reference) if reference else abs(got)
    return -math.log10(error)


@pytest.mark.parametrize("case", SETS, ids=[case["name"] for case in SETS])
class TestCertified:
    def test_parameters_errors_and_quality(self, case):
        result = descend.fit(case["model"], case["columns"])
        assert result.status is Status.EXACT
        assert result.rows == len(next(iter(case["columns"].values())))
        for name, reference in case["parameters"].items():
            assert digits(result.parameters[name], reference) >= 10, name
        for name, reference in zip(case["parameters"], case["standard_errors"], strict=True):
            assert result.standard_errors[name] == pytest.approx(reference, rel=1e-8, abs=1e-8)
        if case.get("rss"):
            assert result.rss == pytest.approx(case["rss"], rel=1e-9)
        if case.get("r_squared") is not None:
            assert result.r_squared == pytest.approx(case["r_squared"], rel=1e-10)

    def test_the_order_of_rows_and_columns_does_not_matter(self, case):
        turned = {name: column[::-1] for name, column in reversed(case["columns"].items())}
        before, after = descend.fit(case["model"], case["columns"]), descend.fit(case["model"], turned)
        for name, value in before.parameters.items():
            assert after.parameters[name] == pytest.approx(value, rel=1e-9, abs=1e-12)
        assert after.rss == pytest.approx(before.rss, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("factor", [1e-6, 1e9])
def test_units_are_the_users(factor):
    longley = next(case for case in SETS if case["name"] == "NIST Longley")
    scaled = {
        name: [factor * v for v in column] if name == "x2" else column for name, column in longley["columns"].items()
    }
    before, after = descend.fit(longley["model"], longley["columns"]), descend.fit(longley["model"], scaled)
    for name, value in before.parameters.items():
        assert after.parameters[name] == pytest.approx(value / factor if name == "b2" else value, rel=1e-9)
        error = before.standard_errors[name]
        assert after.standard_errors[name] == pytest.approx(error / factor if name == "b2" else error, rel=1e-9)


def test_norris_as_shipped_by_path_and_by_the_command_that_make_demo_runs():
    norris = next(case for case in SETS if case["name"] == "NIST Norris")
    path = Path(descend.__file__).parent / "examples" / "norris.csv"
    result = descend.fit("y = b0 + b1*x", path)
    for name, reference in norris["parameters"].items():
        assert digits(result.parameters[name], reference) >= 9
