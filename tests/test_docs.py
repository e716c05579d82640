"""Every command and every snippet of README and docs, run as printed, gives what is printed.

In a ``console`` block the lines behind ``$`` are commands and the others their standard output; ``...`` stands for any
further lines.  Durations differ from run to run, and the last digits of numbers at the level of rounding may differ
from one kind of processor to another, so both are masked.
"""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page, kind):
    return [body for name, body in BLOCK.findall(page.read_text(encoding="utf-8")) if name == kind]


def commands(page):
    found = []
    for body in blocks(page, "console"):
        for line in body.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return found


def masked(line):
    line = re.sub(r"\d+(\.\d+)? (µs|ms|s)\b", "TIME", line)
    # Numbers after "slope" and "curvature" criteria are rounding itself.
    line = re.sub(r"(its rounding error|relative to the way come): .*", r"\1: ROUNDING", line)
    return re.sub(r"(\d\.\d{9})\d+(e-?\d+)?", r"\1DIGITS\2", line)


CASES = [(page, command, output) for page in PAGES for command, output in commands(page)]


def test_there_is_something_to_run():
    assert len(CASES) > 5
    assert sum(len(blocks(page, "python")) for page in PAGES) > 2


@pytest.mark.parametrize(("page", "command", "output"), CASES, ids=[f"{p.stem}: {c}"[:70] for p, c, _ in CASES])
def test_command(page, command, output, tmp_path):
    words = shlex.split(command)
    assert words[0] == "descend"
    (tmp_path / "src").symlink_to(ROOT / "src")
    for before, _ in commands(page):  # a page is read from the top: its earlier commands leave their files
        if before == command:
            break
        run(shlex.split(before), tmp_path)
    ran = run(words, tmp_path)
    assert "Traceback" not in ran.stderr
    assert ran.returncode in {0, 1}, ran.stderr
    shown = ran.stdout.splitlines()
    if output and output[-1] == "...":
        shown, output = shown[: len(output) - 1], output[:-1]
    assert [masked(line) for line in shown] == [masked(line) for line in output]


def run(words, folder):
    return subprocess.run(
        [sys.executable, "-m", "descend", *words[1:]], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_snippets(page, monkeypatch):
    monkeypatch.chdir(ROOT)
    text = "".join(blocks(page, "python"))
    parsed = doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)
    report = []
    doctest.DocTestRunner(verbose=False).run(parsed, out=report.append)
    assert not report, "".join(report)
