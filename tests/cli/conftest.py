"""The command line inside this process, and as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from descend import examples
from descend.cli.program import program

NORRIS = Path(examples.__file__).parent / "norris.csv"


@pytest.fixture
def shell():
    """Run a command line in this process: ``shell("derive", "x^2")`` has exit_code, stdout and stderr."""

    def run(*words, **settings):
        result = CliRunner().invoke(program, [str(word) for word in words], **settings)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def norris():
    return NORRIS


@pytest.fixture
def process():
    """Run a command line as a process of its own."""

    def run(*words, code=None, environment=None, **settings):
        start = ["-m", "descend"] if code is None else ["-c", code]
        return subprocess.run(
            [sys.executable, *start, *map(str, words)],
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=120,
            env={**os.environ, "PYTHONUTF8": "1", **(environment or {})},
            **settings,
        )

    return run


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
