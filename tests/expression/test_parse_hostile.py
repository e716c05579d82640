"""Hostile texts: limits that say how they are raised, a corpus of nasty inputs, texts at random."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from descend.errors import FormulaError, LimitError
from descend.expression.limits import Limits
from descend.expression.parse import parse
from descend.expression.tape import Formula
from tests.fuzz.corpus import CORPUS, text_of
from tests.fuzz.run import fuzz
from tests.fuzz.trial import judge, read, trial

ROOT = Path(__file__).resolve().parents[2]


class TestLimits:
    @pytest.mark.parametrize(
        ("text", "limits", "name"),
        [
            ("x + 1 ", Limits(characters=5), "characters"),
            ("((x))", Limits(nesting=2), "nesting"),
            ("x^x^x^x", Limits(nesting=3), "nesting"),
            ("sin(sin(sin(x)))", Limits(nesting=3), "nesting"),
            ("x + sin(x)", Limits(nodes=2), "nodes"),
            ("x + y + z", Limits(names=2), "names"),
            ("1234", Limits(digits=3), "digits"),
            ("x^11", Limits(power=10), "power"),
            ("x + y", Limits(entries=2), "entries"),
        ],
    )
    def test_each_is_enforced_and_says_how_to_raise_it(self, text, limits, name):
        with pytest.raises(LimitError, match=rf"Limits\({name}="):
            parse(text, limits=limits)
        assert isinstance(parse(text), Formula)

    def test_power_of_ten(self):
        assert parse("1e308*x").names == ("x",)
        for text in ("1e309", "1e-309", "1e999999999999"):
            assert isinstance(read(text)[1], LimitError)

    def test_deep_formulas_are_read_from_deep_programs(self):
        def call(depth):
            return parse("sin(" * 60 + "x" + ")" * 60) if depth == 0 else call(depth - 1)

        assert call(150).names == ("x",)

    def test_depth_is_never_a_recursion_error(self):
        text = "(" * 5000 + "x" + ")" * 5000
        with pytest.raises(LimitError, match="nested"):
            parse(text, limits=Limits(nesting=10_000))


class TestHostile:
    def test_the_corpus_is_large(self):
        assert len(CORPUS) >= 400
        assert len({row["what"] for row in CORPUS}) == len(CORPUS)

    @pytest.mark.parametrize("row", CORPUS, ids=[row["what"] for row in CORPUS])
    def test_corpus(self, row):
        text = text_of(row)
        _, error, _ = read(text)
        assert {None: "formula", LimitError: "limit", FormulaError: "error"}[error and type(error)] == row["outcome"]
        if error is not None:
            judge(text, error)
        trial(text)

    def test_texts_at_random(self):
        tally = fuzz(3_000, first=1, corpus=False)
        assert tally.crashes == []
        assert tally.inputs == 3_000

    def test_no_code_is_run(self):
        """An audit hook that refuses the interpreter's own dangerous doors stays quiet while the corpus is read."""
        script = """
import sys
from tests.fuzz.corpus import CORPUS, text_of
from tests.fuzz.trial import trial
texts = [text_of(row) for row in CORPUS]
for text in texts[:3]:
    trial(text)  # whatever is imported late is imported now

def watch(event, args):
    if event in {"exec", "compile", "import", "open", "os.system", "subprocess.Popen", "socket.connect"}:
        raise SystemExit(f"{event} {args}")

for text in ("sqt(x)", "`\u65e5` + $"):  # these too
    trial(text)
sys.addaudithook(watch)
for text in texts:
    trial(text)
sys.stdout.write("quiet")
"""
        ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (ran.stdout, ran.stderr) == ("quiet", "")
