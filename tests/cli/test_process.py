"""The command line as a process: what it loads, how it is interrupted, and pipes that close."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

import descend

HEAVY = ("sympy", "llvmlite", "numpy", "scipy", "pyarrow", "narwhals", "rich", "flint", "matplotlib")
LOADED = f"""
import sys
from descend.cli import main
code = main()
print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)
sys.exit(code)
"""


class TestColdStart:
    @pytest.mark.parametrize(
        "words",
        [
            ["minimize", "x^2", "--start", "3", "--learning-rate", "0.1"],
            ["minimize", "x^2", "--start", "3", "--learning-rate", "0.1", "--json"],
            ["minimize", "(x-1)^4", "--start", "-3", "--method", "barzilai-borwein", "--quiet"],
            ["gradient-descent", "x^2", "--start", "3", "--learning-rate", "0.1"],
            ["steps", "x^2", "--start", "3", "--learning-rate", "0.1"],
            ["derive", "x^2*sin(y)", "--hessian", "--latex"],
            ["methods"],
            ["functions"],
            ["--help"],
            ["minimize", "x^2", "--trace", "t.csv"],
        ],
    )
    def test_a_small_cost_loads_no_library(self, process, home, words):
        result = process(*words, code=LOADED)
        assert (result.returncode, result.stderr) == (0, "[]\n")

    def test_newton_needs_no_more_than_numpy(self, process):
        assert process("minimize", "(x-1)^4 - x", "--start", "-3", code=LOADED).stderr == "['numpy']\n"

    def test_importing_loads_nothing(self, process):
        result = process(code="import sys, descend.cli; print('click' in sys.modules, 'descend.api' in sys.modules)")
        assert result.stdout == "False False\n"

    def test_data_need_neither_sympy_nor_a_compiler(self, process, norris):
        result = process("fit", "y = b0 + b1*x", norris, code=LOADED)
        assert result.returncode == 0
        assert "sympy" not in result.stderr
        assert "llvmlite" not in result.stderr


class TestDoors:
    def test_python_m(self, process):
        result = process("gradient-descent", "x^2", "--start", "3", "--learning-rate", "0.1", "--quiet")
        assert (result.returncode, result.stdout, result.stderr) == (0, "x = 6.111107929003464e-10\n", "")

    def test_the_installed_command(self):
        from importlib.metadata import entry_points

        (entry,) = entry_points(group="console_scripts", name="descend")
        assert entry.load() is descend.cli.main

    @pytest.mark.parametrize(("words", "code"), [(["minimize", "x^2"], 0), (["steps"], 2), (["--version"], 0)])
    def test_the_exit_code_reaches_the_shell(self, process, words, code):
        assert process(*words).returncode == code

    def test_a_poor_terminal_gets_plain_letters(self, process):
        poor = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
        result = process("gradient-descent", "x^2", "--start", "3", "--learning-rate", "0.1", environment=poor)
        assert result.returncode == 0
        assert "relative to the way come: " in result.stdout
        assert " <= " in result.stdout
        assert "  -> The cost is convex" in result.stdout
        assert result.stdout.isascii()
        assert "\\u03a3" in process("losses", "--json", environment=poor).stdout


class TestInterrupt:
    LOOP = ("gradient-descent", "x^2", "--start", "3", "--learning-rate", "1e-15", "--max-iterations", "1e12")

    @pytest.mark.parametrize("form", [[], ["--quiet"]])
    def test_the_best_so_far_is_printed_at_once(self, form):
        for patience in (
            1.5,
            4.0,
            12.0,
        ):  # until the loop is certain to run; its steps would take an hour
            child = subprocess.Popen(
                [sys.executable, "-m", "descend", *self.LOOP, *form],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
            time.sleep(patience)
            began = time.perf_counter()
            child.send_signal(signal.SIGINT)
            out, err = child.communicate(timeout=60)
            waited = time.perf_counter() - began
            assert child.returncode == 130, err
            assert "Traceback" not in err
            if out:
                break
        assert waited < 2.0
        if form:
            assert out.startswith("x = 2.99")
            assert "INTERRUPTED" in err
        else:
            assert out.startswith("Minimum occurs at x-value: 2.99")
            assert "\nINTERRUPTED: " in out
            assert "--start" in out
            assert err.strip() == ""


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and /dev/full are of Unix")
class TestPipes:
    def piped(self, *words, reader):
        """Run a command whose reader goes away after what `reader` reads; return (exit code, standard error)."""
        child = subprocess.Popen(
            [sys.executable, "-m", "descend", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
        )
        reader(child.stdout)
        child.stdout.close()
        err = child.stderr.read()
        child.stderr.close()
        return child.wait(timeout=60), err

    def test_head(self):
        words = ["steps", "x^2", "--start", "3", "--learning-rate", "0.1", "--count", "1e6"]
        assert self.piped(*words, reader=lambda pipe: pipe.readline()) == (0, "")

    @pytest.mark.parametrize(
        "words", [["functions"], ["minimize", "x^2"], ["minimize", "x^2", "--json"], ["derive", "x"]]
    )
    def test_nobody_reads(self, words):
        assert self.piped(*words, reader=lambda pipe: None) == (0, "")

    def test_help_that_nobody_reads(self):
        _, err = self.piped("--help", reader=lambda pipe: None)
        assert err == ""

    def test_a_full_disk(self):
        with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
            result = subprocess.run(
                [sys.executable, "-m", "descend", "minimize", "x^2"],
                stdout=full,
                stderr=subprocess.PIPE,
                encoding="utf-8",
                check=False,
            )
        assert result.returncode == 2
        assert result.stderr == "descend: standard output cannot be written: No space left on device\n"

    @pytest.mark.parametrize(("redirection", "code"), [(">&-", 0), ("2>&-", 0), (">&- 2>&-", 0)])
    def test_closed_streams(self, redirection, code):
        line = f"{sys.executable} -m descend minimize 'x^2' {redirection}"
        result = subprocess.run(line, shell=True, capture_output=True, encoding="utf-8", check=False)
        assert (result.returncode, result.stderr) == (code, "")
