"""Words on the command line: what is an option, what is a formula, and what is said to those who mistype."""

from __future__ import annotations

import json

import pytest

import descend
from descend.cli.program import COMMANDS, HIDDEN


def values(result):
    assert result.stderr == ""
    return json.loads(result.stdout)["variables"]


class TestHelp:
    def test_alone_it_prints_help(self, shell):
        alone, asked = shell(), shell("--help")
        assert alone.exit_code == asked.exit_code == 0
        assert alone.stdout == asked.stdout
        assert alone.stderr == ""
        for command in COMMANDS:
            assert f"\n  {command} " in alone.stdout
        for command in HIDDEN:
            assert f"\n  {command} " not in alone.stdout
        assert "130  interrupted" in alone.stdout

    @pytest.mark.parametrize("command", ["minimize", "gradient-descent", "fit", "predict", "steps", "derive"])
    def test_each_command_shows_an_example(self, shell, command):
        result = shell(command, "-h")
        assert result.exit_code == 0
        assert "For example:\n    descend " in result.stdout
        assert f"descend {command} " in result.stdout.partition("For example:")[2]
        assert "--json" in result.stdout

    @pytest.mark.parametrize("command", ["methods", "losses", "functions"])
    def test_each_listing_has_help(self, shell, command):
        assert shell(command, "--help").stdout.startswith(f"Usage: descend {command}")

    def test_version(self, shell):
        assert shell("--version").stdout == f"descend {descend.__version__}\n"

    def test_no_option_of_a_later_version_is_shown(self, shell):
        for command in COMMANDS:
            shown = shell(command, "--help").stdout
            assert not [word for word in ("--certify", "--plot", "--checkpoint", "--by") if word in shown]


class TestMinus:
    @pytest.mark.parametrize("place", [0, 1, 3])
    def test_a_formula_may_begin_with_a_minus(self, shell, place):
        words = ["--start", "1", "--maximize", "--json"]
        words.insert(place if place < 2 else len(words), "-x^2 + 4x")
        if place == 1:
            words = ["--start", "-1", "-x^2 + 4x", "--maximize", "--json"]
        assert values(shell("minimize", *words)) == {"x": 2.0}

    def test_even_with_two(self, shell):
        assert values(shell("minimize", "--x^2 - 2x", "--json")) == {"x": 1.0}

    def test_behind_two_dashes_everything_is_a_formula(self, shell):
        assert values(shell("minimize", "--maximize", "--json", "--", "-x^2")) == {"x": 0.0}

    @pytest.mark.parametrize(
        ("written", "start"),
        [
            ("3", 3.0),
            ("-3", -3.0),
            ("−3", -3.0),
            ("+3", 3.0),
            ("1e3", 1000.0),
            ("-1e-3", -1e-3),
            ("1/3", 1 / 3),
            ("-1/3", -1 / 3),
            (".5", 0.5),
            ("2^10", 1024.0),
            ("0.1", 0.1),
            ("x=-3", -3.0),
            ("x = 1/3", 1 / 3),
            ("5e-324", 5e-324),
            ("1.7976931348623157e308", 1.7976931348623157e308),
        ],
    )
    def test_a_start_is_read_exactly(self, shell, written, start):
        result = shell("gradient-descent", "0.5*x", "--start", written, "--learning-rate", "1", "--max-iterations", "0")
        assert f"x-value: {start!r}\n" in result.stdout
        assert (
            f"x-value: {start!r}\n"
            in shell(
                "gradient-descent", "0.5*x", f"--start={written}", "--learning-rate", "1", "--max-iterations", "0"
            ).stdout
        )

    def test_names_are_read_as_in_formulas(self, shell):
        words = ["--start", "λ=1", "--start", "x₁=-2", "--learning-rate", "0.25", "--json"]
        assert values(shell("minimize", "λ^2 + x₁^2", *words)).keys() == {"lambda", "x1"}

    def test_a_lone_minus_is_standard_input(self, shell):
        result = shell("fit", "y = a*x", "-", "--quiet", input="x,y\n1,2\n2,4\n")
        assert result.stdout == "a = 2.0\n"


class TestSettings:
    def test_starts_of_several_variables(self, shell):
        result = shell("minimize", "100*(y - x^2)^2 + (1 - x)^2", "--start", "x=-1.2", "--start", "y=1", "--json")
        assert values(result) == pytest.approx({"x": 1.0, "y": 1.0}, rel=1e-6)

    def test_fix_let_and_tie(self, shell):
        words = ["--fix", "z=1", "--let", "n=3", "--tie", "y=2*x", "--json"]
        # (x-3)² + (2x)² + 1: 2(x-3) + 8x = 0
        assert values(shell("minimize", "(x - n)^2 + y^2 + z^2", *words)) == pytest.approx({"x": 0.6}, rel=1e-15)

    def test_a_rate_may_be_a_formula_of_k(self, shell):
        words = ["--start", "1", "--learning-rate", "1/(4*(1+k))", "--max-iterations", "2", "--json"]
        # 1 → 1 - 2/4 = 1/2 → 1/2 - 1/8 = 3/8
        assert values(shell("gradient-descent", "x^2", *words)) == {"x": 0.375}

    def test_budgets_may_be_written_short(self, shell):
        words = ["--start", "1", "--learning-rate", "1e-3", "--max-looks", "1e2", "--json"]
        assert json.loads(shell("minimize", "x^2", *words).stdout)["looks"] == 100

    @pytest.mark.parametrize("command", ["maximize", "maximise"])
    def test_people_also_type(self, shell, command):
        assert shell(command, "4x - x^2").stdout.startswith("Maximum occurs at x-value: 2.0\n")
        assert shell("minimise", "4x - x^2", "--maximise").stdout.startswith("Maximum occurs at x-value: 2.0\n")


class TestMistakes:
    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("minimize", "Missing argument 'COST'"),
            ("gradient-descent x^2 --start 3", "Missing option '--learning-rate'"),
            ("gradient-descent x^2 --learning-rate 3", "Missing option '--start'"),
            ("fit y=a*x", "Missing argument 'FILE'"),
            ("minimize x^2 --strat 3", "'--start'"),
            ("minimize x^2 --learning_rate 3", "'--learning-rate'"),
            ("minimize x^2 -start 3", "Did you mean '--start'?"),
            ("minimize x^2 --start", "Option '--start' needs a value after it"),
            ("minimize x^2 --start --json", "Option '--start' needs a value after it"),
            ("minimize x^2 - 4*x --json", 'needs quotes in a shell: "x^2 - 4*x"'),
            ("minimize x^2 --json=1", "does not take a value"),
            ("methods all", "Unexpected argument: all"),
            ("minimze x^2", "Did you mean 'minimize'?"),
            ("frobnicate", "There are minimize, gradient-descent"),
            ("x^2", 'descend minimize "x^2"'),
            ("-x^2", 'descend minimize "-x^2"'),
            ("minimize x^2 --start two", "'two' is not a number"),
            ("minimize x^2 --start nan", "'nan' is not a number"),
            ("minimize x^2 --start 1e400", "1e400 is not a finite number"),
            ("minimize x^2 --start x=", "empty"),
            ("minimize x^2 --start =3", "is not a name"),
            ("minimize x^2 --start 1 --start 2", "several starts each need their name"),
            ("minimize x^2 --start x=1 --start x=2", "x is given twice"),
            ("minimize x^2+y^2 --start 1", "give --start x=... --start y=..."),
            ("minimize x^2 --max-looks 2.5", "2.5 is not a whole number"),
            ("minimize x^2 --max-looks 0", "--max-looks must be at least 1"),
            ("minimize x^2 --learning-rate -1", "--learning-rate must be greater than 0"),
            ("minimize x^2 --learning-rate q", "'q' is not a number"),
            ("minimize x^2 --let n", "is not of the form NAME=VALUE"),
            ("minimize x^2+n --let n=1 --let n=2", "n is given twice"),
            ("minimize x^2+y --tie y", "is not of the form NAME=VALUE"),
            ("minimize x^2 --trace points.txt", "points.txt must end in .csv or .parquet"),
            ("minimize x^2 --trace nowhere/points.csv", "the folder of nowhere/points.csv does not exist"),
            ("fit y=a*x d.csv --missing ignore", "'error', 'drop'"),
        ],
    )
    def test_each_is_named(self, shell, home, line, said):
        result = shell(*line.split())
        assert result.exit_code == 2
        assert result.stdout == ""
        assert result.stderr.startswith("descend: ")
        assert said in result.stderr

    def test_where_help_is(self, shell):
        assert shell("fit").stderr.endswith("\nHelp: descend fit --help\n")
        assert shell("fti").stderr.endswith("\nHelp: descend --help\n")

    @pytest.mark.parametrize("command", ["doctor", "lab"])
    def test_commands_of_later_versions_say_so(self, shell, command):
        for words in ([command], [command, "x^2", "--port", "8000", "-h"]):
            result = shell(*words)
            assert (result.exit_code, result.stdout) == (2, "")
            assert result.stderr.startswith(f"descend: the command {command} comes in a later version of descend")
            assert result.stderr.count("\n") == 1

    @pytest.mark.parametrize("option", ["--certify", "--plot", "--checkpoint", "--by"])
    def test_options_of_later_versions_say_so(self, shell, option):
        result = shell("minimize", "x^2", option, "x=0:5")
        assert (result.exit_code, result.stdout) == (2, "")
        assert f"{option} comes in a later version of descend; until then, " in result.stderr
