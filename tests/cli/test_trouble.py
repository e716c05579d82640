"""Nothing that a person types, and nothing that breaks inside, ends in a traceback or reaches the terminal raw."""

from __future__ import annotations

import pytest

import descend.api.minimize

ESCAPE = "\x1b[31m"


def said(result):
    assert result.exit_code == 2
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stderr.startswith("descend: ")
    return result.stderr


class TestFormulas:
    @pytest.mark.parametrize(
        ("formula", "reason", "column"),
        [
            ("x^2 +", "the formula ends too early", 5),
            ("sin x", "sin(x)", 0),
            ("1/2x", "", None),
            ("(x", "", None),
            ("foo(x)", "foo", 0),
            ("x = 2", "a cost has no '='", 2),
            ("__import__('os')", "", None),
            ("x.real", "", 1),
        ],
    )
    def test_a_caret_points_at_the_place(self, shell, formula, reason, column):
        lines = said(shell("minimize", formula)).splitlines()
        assert reason in lines[0]
        assert lines[1] == f"  {formula}"
        assert lines[2].strip() == "^"
        if column is not None:
            assert lines[2].index("^") == 2 + column

    def test_a_caret_in_an_options_value(self, shell):
        assert said(shell("minimize", "x^2", "--start", "1,5")).splitlines()[1:3] == ["  1,5", "   ^"]
        assert said(shell("minimize", "x^2+y", "--tie", "y=2*")).splitlines()[1:3] == ["  2*", "    ^"]
        assert "'='" in said(shell("fit", "y", "none.csv")) or "none.csv" in said(shell("fit", "y", "none.csv"))

    @pytest.mark.parametrize("formula", ["", " ", "3", "(" * 500, "x" * 30_000, "9" * 5000, "x^9999999", "x+" * 9000])
    def test_empty_constant_and_enormous(self, shell, formula):
        assert len(said(shell("minimize", formula))) < 1000

    @pytest.mark.parametrize(
        "words",
        [
            ["minimize", f"x^2{ESCAPE}"],
            ["minimize", "x^2", "--method", ESCAPE],
            ["minimize", "x^2", "--start", f"{ESCAPE}=1"],
            ["minimize", "x^2", "--start", ESCAPE],
            ["minimize", "x^2", f"--{ESCAPE}"],
            ["minimize", "x^2", ESCAPE],
            ["minimize", "x^2", "--trace", f"{ESCAPE}.txt"],
            [ESCAPE],
            [f"x^{ESCAPE}"],
            ["fit", "y = a*x", f"{ESCAPE}.csv"],
            ["fit", f"y = a*{ESCAPE}x", "none.csv"],
            ["predict", f"{ESCAPE}.json", "none.csv"],
            ["derive", f"x{ESCAPE}"],
            ["steps", f"x{ESCAPE}", "--start", "1", "--learning-rate", "1"],
        ],
    )
    def test_control_characters_are_not_echoed(self, shell, home, words):
        said(shell(*words))

    def test_a_line_break_cannot_forge_a_message(self, shell):
        assert said(shell("minimize", "x^2", "--method", "a\ndescend: all is well")).count("\n") == 1


class TestFiles:
    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "the file is empty"),
            (b"x,y\n", "no rows of data"),
            (b"x,y\n1,2\n2,abc\n", "column 'y', row 2: holds text ('abc'"),
            (b"x,y\n1,2\n2,\n3,4\n", "column 'y', row 2: a missing value"),
            (b"\x00\x01\x02", "not a text file"),
            (b"x,y\n1,2,3\n", "line 2"),
            (f"x,y\n1,2\n2,{ESCAPE}\n".encode(), "column 'y', row 2"),
            (f"{ESCAPE},z\n1,2\n".encode(), "not a column"),
        ],
    )
    def test_bad_content(self, shell, home, content, reason):
        (home / "d.csv").write_bytes(content)
        assert reason in said(shell("fit", "y = a + b*x", "d.csv"))

    def test_no_file_and_a_folder(self, shell, home):
        assert "none.csv: there is no such file" in said(shell("fit", "y = a + b*x", "none.csv"))
        (home / "folder").mkdir()
        assert "folder" in said(shell("fit", "y = a + b*x", "folder"))
        assert "is empty" in said(shell("fit", "y = a + b*x", ""))


class TestInside:
    """Whatever comes out of the library ends in one sentence and its exit code."""

    @pytest.fixture
    def broken(self, shell, monkeypatch):
        def run(error):
            def fail(*_, **__):
                raise error

            monkeypatch.setattr(descend.api.minimize, "minimize", fail)
            return shell("minimize", "x^2")

        return run

    @pytest.mark.parametrize("error", [ValueError(ESCAPE), RecursionError(), ZeroDivisionError(), AssertionError()])
    def test_a_bug_owns_up(self, broken, monkeypatch, error):
        monkeypatch.delenv("DESCEND_DEBUG", raising=False)
        result = broken(error)
        assert (result.exit_code, result.stdout) == (70, "")
        assert result.stderr.startswith(f"descend: this is a bug in descend {descend.__version__}, not in your input")
        assert type(error).__name__ in result.stderr
        assert "DESCEND_DEBUG=1" in result.stderr
        assert result.stderr.count("\n") == 1

    def test_the_traceback_is_there_for_those_who_ask(self, broken, monkeypatch):
        monkeypatch.setenv("DESCEND_DEBUG", "1")
        result = broken(ValueError(f"seven{ESCAPE}"))
        assert result.exit_code == 70
        assert "Traceback (most recent call last)" in result.stderr
        assert "ValueError: seven?" in result.stderr

    @pytest.mark.parametrize(
        ("error", "code", "sentence"),
        [
            (MemoryError(), 2, "descend: this needs more memory than there is\n"),
            (OSError(28, "No space left on device", "a\x1b.csv"), 2, "descend: a?.csv: No space left on device\n"),
            (OSError("odd"), 2, "descend: odd\n"),
            (descend.DataError("too short", "x", 3), 2, "descend: column 'x', row 3: too short\n"),
            (descend.UnavailableError("later"), 2, "descend: later\n"),
        ],
    )
    def test_one_sentence(self, broken, error, code, sentence):
        result = broken(error)
        assert (result.exit_code, result.stdout, result.stderr) == (code, "", sentence)

    def test_an_interrupt_before_there_is_a_result(self, broken):
        result = broken(KeyboardInterrupt())
        assert (result.exit_code, result.stdout) == (130, "")
        assert result.stderr.strip() == "descend: interrupted before there was a result"
