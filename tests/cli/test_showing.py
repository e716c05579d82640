"""steps, derive and the listings."""

from __future__ import annotations

import json

import pytest

import descend


class TestSteps:
    def test_the_three_with_their_numbers(self, shell):
        result = shell("steps", "x^2", "--start", "3", "--learning-rate", "0.1", "--count", "2")
        assert (result.exit_code, result.stderr) == (0, "")
        assert result.stdout == (
            "step 1\n"
            "  predict  x = 3\n"
            "  error    cost = 9, slope in x = 6\n"
            "  learn    x = 3 - 0.1 · 6 = 2.4\n"
            "step 2\n"
            "  predict  x = 2.4\n"
            "  error    cost = 5.76, slope in x = 4.8\n"
            "  learn    x = 2.4 - 0.1 · 4.8 = 1.92\n"
        )

    def test_ten_unless_told(self, shell):
        shown = shell("steps", "x^2", "--start", "3", "--learning-rate", "0.1").stdout
        assert shown.count("step ") == 10

    def test_uphill(self, shell):
        shown = shell("steps", "-x^2", "--start", "-1", "--learning-rate", "1/4", "--count", "1", "--maximize").stdout
        assert shown.endswith("  learn    x = -1 + 0.25 · 2 = -0.5\n")

    def test_json(self, shell):
        result = shell("steps", "x^2 + n*y", "--start", "x=1", "--start", "y=2", "--let", "n=3", "--learning-rate",
                       "0.25", "--count", "2", "--json")  # fmt: skip
        assert json.loads(result.stdout) == {
            "steps": [
                {
                    "step": 1,
                    "predict": {"x": 1.0, "y": 2.0},
                    "error": 7.0,
                    "slope": {"x": 2.0, "y": 3.0},
                    "learning_rate": 0.25,
                    "learn": {"x": 0.5, "y": 1.25},
                },
                {
                    "step": 2,
                    "predict": {"x": 0.5, "y": 1.25},
                    "error": 4.0,
                    "slope": {"x": 1.0, "y": 3.0},
                    "learning_rate": 0.25,
                    "learn": {"x": 0.25, "y": 0.5},
                },
            ]
        }

    def test_learning_from_data(self, shell, norris):
        words = ["--data", norris, "--learning-rate", "1e-8", "--count", "3", "--json"]
        found = json.loads(shell("steps", "y = b0 + b1*x", *words).stdout)["steps"]
        walk = descend.steps("y = b0 + b1*x", data=str(norris), learning_rate=1e-8)
        assert [step["learn"] for step in found] == [next(walk).learn for _ in range(3)]
        assert found[0]["predict"] == {"b0": 0.0, "b1": 0.0}

    def test_ends_where_there_is_no_next_step(self, shell):
        result = shell("steps", "x^2", "--start", "3", "--learning-rate", "1e300")
        assert result.exit_code == 1
        assert result.stdout.count("step ") == 2
        assert result.stderr == "descend: step 2 leads to a point that is not finite, so there is no next step\n"
        assert json.loads(shell("steps", "x^2", "--start", "3", "--learning-rate", "1e300", "--json").stdout)

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["x^2", "--learning-rate", "0.1"], "steps needs a start, such as --start 3"),
            (["x^2", "--start", "3"], "Missing option '--learning-rate'"),
            (["x^2", "--start", "3", "--learning-rate", "0.1", "--count", "0"], "--count must be at least 1"),
            (["y = b0 + b1*x", "--learning-rate", "0.1", "--start", "1"], "a cost has no '='"),
        ],
    )
    def test_bad_usage(self, shell, words, said):
        result = shell("steps", *words)
        assert (result.exit_code, result.stdout) == (2, "")
        assert said in result.stderr


class TestDerive:
    def test_text(self, shell):
        assert shell("derive", "x^2*sin(y)").stdout == "slope in x = 2*x*sin(y)\nslope in y = x^2*cos(y)\n"

    def test_second(self, shell):
        assert shell("derive", "x^2*sin(y)", "--hessian").stdout.splitlines()[2:] == [
            "curvature in x, x = 2*sin(y)",
            "curvature in x, y = 2*x*cos(y)",
            "curvature in y, y = -x^2*sin(y)",
        ]

    def test_latex(self, shell):
        names = {"lambda": r"\lambda", "x": "x"}
        slopes = descend.derivative("x^2*sin(λ)")
        lines = shell("derive", "x^2*sin(λ)", "--hessian", "--latex").stdout.splitlines()
        assert lines[:2] == [rf"\frac{{\partial f}}{{\partial {names[n]}}} = {slopes[n].latex()}" for n in names]
        assert [line.partition(" = ")[0] for line in lines[2:]] == [
            r"\frac{\partial^2 f}{\partial \lambda^2}",
            r"\frac{\partial^2 f}{\partial \lambda\,\partial x}",
            r"\frac{\partial^2 f}{\partial x^2}",
        ]
        assert r"\sin" in lines[2]

    def test_constants(self, shell):
        assert shell("derive", "a*x^k + e*x", "--let", "k=3", "--let", "a=0.5", "--let", "e=2").stdout == (
            "slope in x = 2 + 1.5*x^2\n"
        )
        of_sum = shell("derive", "a*sum(x[i + k]^2, i, 0, n)", "--let", "k=1", "--let", "n=3", "--let", "a=2").stdout
        assert of_sum == "d/dx[i + 1] += 4*x[i + 1]  for i in 0..3\n"
        assert shell("derive", "a*x^2", "--let", "a=2", "--hessian").stdout.splitlines()[1] == "curvature in x, x = 4"
        assert "no variable 'b'" in shell("derive", "x^2", "--let", "b=2").stderr

    def test_json(self, shell):
        assert json.loads(shell("derive", "x^2*sin(y)", "--hessian", "--json").stdout) == {
            "gradient": {"x": "2*x*sin(y)", "y": "x^2*cos(y)"},
            "hessian": {
                "x": {"x": "2*sin(y)", "y": "2*x*cos(y)"},
                "y": {"x": "2*x*cos(y)", "y": "-x^2*sin(y)"},
            },
        }
        assert json.loads(shell("derive", "x^2", "--json").stdout) == {"gradient": {"x": "2*x"}, "hessian": None}

    def test_what_is_shown_reads_back(self, shell):
        once = json.loads(shell("derive", "exp(-x)/(1+x^2)", "--json").stdout)["gradient"]["x"]
        hessian = json.loads(shell("derive", "exp(-x)/(1+x^2)", "--hessian", "--json").stdout)["hessian"]["x"]["x"]
        again = json.loads(shell("derive", once, "--json").stdout)["gradient"]["x"]
        for point in (-1.5, 0.25, 2.0):
            a, b = descend.compile(again)([point]), descend.compile(hessian)([point])
            assert a == pytest.approx(b, rel=1e-13)

    def test_a_formula_without_names(self, shell):
        for words in (["derive", "5"], ["derive", "5", "--json"]):
            result = shell(*words)
            assert (result.exit_code, result.stdout) == (2, "")
            assert "no variable" in result.stderr

    def test_arrays(self, shell):
        assert shell("derive", "sum(y*x[i]^2, i, 0, n-1)").stdout == (
            "d/dx[i] += 2*y*x[i]  for i in 0..n - 1\nslope in y = sum(x[i]^2, i, 0, n - 1)\n"
        )

    def test_arrays_as_json(self, shell):
        found = json.loads(shell("derive", "sum(x[i]^2, i, 0, n-1)", "--json").stdout)
        assert found == {"gradient": {"x": "d/dx[i] += 2*x[i]  for i in 0..n - 1"}, "hessian": None}

    def test_second_derivatives_in_arrays(self, shell):
        result = shell("derive", "sum(x[i]^2, i, 0, n-1)", "--hessian")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "second derivatives" in result.stderr


class TestListings:
    @pytest.mark.parametrize("what", ["methods", "losses", "functions"])
    def test_text_and_json_are_the_registries(self, shell, what):
        listing = getattr(descend, what)()
        assert shell(what).stdout == f"{listing}\n"
        assert json.loads(shell(what, "--json").stdout) == {what: list(listing)}
        assert len(listing) > 1
