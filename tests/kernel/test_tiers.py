"""Interpreter or machine code: the decision is a pure function of formula, rows and budget, and is seen in the log."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from descend.expression.limits import Limits
from descend.expression.parse import parse, parse_model
from descend.kernel import tiers
from descend.kernel.log import log
from descend.kernel.nest import make_nest
from descend.kernel.program import lower
from descend.kernel.tiers import PATIENCE, Work, decide, formula_work, nest_work, rows_work
from descend.problem.loss.squares import RSS
from descend.problem.model import make_model
from descend.problem.problem import make_problem, replace_names

SPHERE = "x^2"
VALLEY = "100*(y - x^2)^2 + (1 - x)^2"
CHAIN = " + ".join(f"(x{k} - sin(x{k + 1}))^2" for k in range(20))


def formula(text, *, fixed_step=False):
    problem = make_problem(parse(text, limits=Limits(names=5000)))
    program = lower(problem.tape, [problem.root, *problem.gradient], problem.variables)
    return formula_work(program, fixed_step=fixed_step)


def model(text, columns, rows):
    made, _ = make_model(parse_model(text, names=columns), columns)
    p = made.problem(RSS)
    return rows_work(lower(p.tape, [p.root, *p.gradient], [*p.variables, *p.columns]), rows)


def indexed(text, n):
    p = make_problem(replace_names(parse(text), {"n": n}), data={})
    return nest_work(make_nest(p.tape, [p.root, *p.gradient], p.full_gradient.scatters, ()))


LINE = "y = b0 + b1*x"
WIDE = "y = " + " + ".join(f"b{k}*x{k}" for k in range(10))


class TestDecision:
    @pytest.mark.parametrize(
        ("work", "looks", "compiled"),
        [
            (formula(SPHERE, fixed_step=True), 100, False),  # the article's loop
            (formula(SPHERE, fixed_step=True), 10_000, False),
            (formula(SPHERE, fixed_step=True), 100_000, False),  # the budget of minimize
            (formula(SPHERE, fixed_step=True), 200_000, True),
            (formula(SPHERE), 100_000, False),  # the same, of a method whose loop stays in Python
            (formula(VALLEY), 100_000, False),
            (formula(CHAIN), 300_000, True),
            (formula(CHAIN), 1_000, False),
            (formula(SPHERE), 10_000_000, False),
            (formula(SPHERE, fixed_step=True), 10_000_000, True),
            (model(LINE, ("x", "y"), 36), 3, False),
            (model(LINE, ("x", "y"), 36), 10_000, False),
            (model(LINE, ("x", "y"), 36), 300_000, True),
            (model(LINE, ("x", "y"), 1_000_000), 1_000, True),
            (model(WIDE, [f"x{k}" for k in range(10)] + ["y"], 1_000_000), 3, True),
            (model(WIDE, [f"x{k}" for k in range(10)] + ["y"], 1_000), 3, False),
            (indexed("sum((1 - x[i])^2 + 100*(x[i+1] - x[i]^2)^2, i, 0, n-2)", 10), 100, False),
            (indexed("sum((1 - x[i])^2 + 100*(x[i+1] - x[i]^2)^2, i, 0, n-2)", 100_000), 100, True),
            (indexed("sum(sum(x[j], j, 0, i)^2, i, 0, n-1)", 100_000), 2, True),
        ],
    )
    def test_from_formula_rows_and_budget(self, work, looks, compiled):
        assert decide(work, looks).compiled is compiled

    def test_it_is_the_same_whatever_is_loaded_and_however_often_asked(self):
        program = (
            "from tests.kernel.test_tiers import CHAIN, formula; from descend.kernel.tiers import decide; "
            "print([decide(formula(CHAIN), looks) for looks in (1, 1000, 10**5)])"
        )
        said = {
            subprocess.run([sys.executable, "-c", before + program], capture_output=True, text=True, check=True).stdout
            for before in ("", "import llvmlite.binding, numpy, logging; ")
        }
        assert said == {f"{[decide(formula(CHAIN), looks) for looks in (1, 1000, 10**5)]}\n"}

    def test_a_longer_budget_never_goes_back_to_the_interpreter(self):
        for work in (formula(SPHERE), formula(CHAIN), model(LINE, ("x", "y"), 20_000)):
            found = [decide(work, 10**k).compiled for k in range(12)]
            assert found == sorted(found)

    def test_what_is_estimated_is_the_whole_budget(self):
        work = Work("some work", 0.02, 0.001, 0.5)
        assert decide(work, 100)[2:] == (2.0, 0.6)

    def test_each_of_the_reasons(self):
        slow = Work("", 1.0, 0.5, 10.0)
        assert decide(slow, 1).reason == "machine code would not be more than 2.5 s sooner"
        assert decide(slow, 23).reason == "sooner even for 23 looks"
        assert decide(Work("", 1e-3, 1e-6, 0.08), 3000).reason == "more than 2.5 s sooner"
        assert decide(Work("", 1e-1, 1e-6, 0.08), 2).reason == "sooner even for 2 looks"
        assert decide(slow, 1, True) == (True, "it was asked for", 1.0, 10.5)
        assert decide(Work("", 1e-1, 1e-6, 0.08), 2000, False).compiled is False

    def test_patience_is_counted_on_what_would_be_saved(self):
        """Where machine code is hardly faster, no budget is long enough."""
        assert not decide(Work("", 1.0, 0.999999, 0.1), 100_000).compiled
        assert decide(Work("", 1.0, 0.9, 0.1), 100_000).compiled

    def test_the_estimates_grow_with_the_work(self):
        assert formula(CHAIN).interpreted > formula(VALLEY).interpreted > formula(SPHERE).interpreted
        few, many = (model(LINE, ("x", "y"), rows) for rows in (10, 10**6))
        assert many.interpreted > 100 * few.interpreted
        assert many.machine > few.machine
        assert many.compilation == few.compilation

    def test_an_ordered_sum_takes_longer(self):
        plain, scanned = (indexed(text, 1000) for text in ("sum(x[i]^2, i, 0, n-1)", "prod(1 + x[i]^2, i, 0, n-1)"))
        assert scanned.interpreted > plain.interpreted + 1000 * tiers.NEST_ORDERED_SECONDS


def ran(code, **environment):
    import os

    clean = {k: v for k, v in os.environ.items() if k != "DESCEND_LOG"}
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=clean | environment
    )


MINIMIZE = "import sys; sys.argv = ['descend', 'minimize', 'x^2', '--start', '3', '--quiet']; "
CLI = MINIMIZE + "from descend.cli import main; sys.exit(main())"


class TestLog:
    def test_the_command_line_shows_the_decision(self):
        done = ran(CLI, DESCEND_LOG="debug")
        assert done.returncode == 0
        seen = decide(formula(SPHERE), 100_000)
        numbers = f"{seen.interpreted:.3g} s interpreted, {seen.machine:.3g} s in machine code"
        why = f"interpreted: machine code would not be more than {PATIENCE:g} s sooner"
        assert done.stderr == f"descend: 3 operations, budget of 100,000 looks: {numbers}; {why}\n"

    @pytest.mark.parametrize("level", ["info", "warning", "", " "])
    def test_a_decision_is_a_detail(self, level):
        assert ran(CLI, DESCEND_LOG=level).stderr == ""

    def test_nothing_is_said_or_imported_unless_asked(self):
        done = ran("import descend, sys; descend.minimize('x^4 + x', 3); print('logging' in sys.modules)")
        assert (done.stdout, done.stderr) == ("False\n", "")

    def test_an_unknown_level(self):
        done = ran(CLI, DESCEND_LOG="chatty\n")
        assert done.returncode == 2
        assert done.stderr == "descend: DESCEND_LOG is 'chatty'; it may be debug, info or warning\n"
        assert "Traceback" not in done.stderr

    def test_a_level_in_capitals(self):
        assert ran(CLI, DESCEND_LOG="DEBUG").stderr.startswith("descend: 3 operations")

    def test_from_python_each_line_comes_once(self):
        code = "import descend; [descend.compile('x^2') for _ in range(3)]"
        lines = ran(code, DESCEND_LOG="debug").stderr.splitlines()
        assert len(lines) == 3
        assert all(line.endswith("compiled: it was asked for") for line in lines)

    def test_a_program_with_handlers_of_its_own_gets_no_other(self):
        code = "import logging, descend; logging.basicConfig(format='mine: %(message)s'); descend.compile('x^2')"
        lines = ran(code, DESCEND_LOG="debug").stderr.splitlines()
        assert [line[:6] for line in lines] == ["mine: "]

    def test_without_the_variable_the_logger_is_the_programs_own(self, caplog, monkeypatch):
        monkeypatch.delenv("DESCEND_LOG", raising=False)
        with caplog.at_level(logging.DEBUG, "descend"):
            log("debug", "%s and %s", 1, 2)
        assert [r.getMessage() for r in caplog.records] == ["1 and 2"]

    def test_no_machine_code_is_told_at_info(self):
        code = (
            "from descend.kernel.lower import NO_MACHINE_CODE as none; none['gammaln'] = 'none here'; "
            "import descend; print(descend.compile('gammaln(x)').evaluator)"
        )
        done = ran(code, DESCEND_LOG="info")
        assert done.stdout == "interpreted: none here\n"
        assert done.stderr == "descend: no machine code: none here; the formula is interpreted\n"
