"""Machine code at a point: the interpreter's bits, right digits, many threads, huge formulas, and the way back."""

from __future__ import annotations

import gc
import math
import random
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path

import mpmath as mp
import pytest

from descend.expression.derivative import gradient
from descend.expression.functions import CONDITIONS, TABLE
from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.kernel import compile as compiling
from descend.kernel import lower as lowering
from descend.kernel.compile import COUNTERS, MachineCode, PointKernel, compilable
from descend.kernel.interpret import Interpreter
from descend.kernel.lower import NO_MACHINE_CODE
from descend.kernel.program import lower
from descend.kernel.straight import point_function
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector
from tests.kernel.tapes import EDGES, all_same, moderate_point, random_formula, random_point, same, with_gradient
from tests.oracles.evaluate import evaluate

FUNCTIONS = [name for name in TABLE if name not in CONDITIONS and name != "pi"]


def numbers(rng, count):
    return [*EDGES, *(rng.gauss(0, 3) for _ in range(count)), *(math.exp(rng.gauss(0, 15)) for _ in range(count))]


def both(program):
    return PointKernel(program), Interpreter(program)


def entry_of(tape, name, symbols):
    if name in {"exprel_diff", "polygamma"}:
        return tape.call(name, tape.constant(1), symbols[1])
    if name == "where":
        return tape.call(name, tape.call("lt", symbols[0], symbols[1]), *symbols[1:])
    return tape.call(name, *symbols)


class TestEveryFunction:
    """Value and gradient have the interpreter's bits; gammaln's value has not (Python brings its own lgamma)."""

    @pytest.mark.parametrize("name", [n for n in FUNCTIONS if n != "gammaln"])
    def test_same_bits(self, name):
        least, most = TABLE[name].arity
        count = least if most is not None else 3
        tape = Tape()
        symbols = [tape.symbol(n) for n in "abc"[: max(count, 1)]]
        root = entry_of(tape, name, symbols)
        kernel, interpreter = both(lower(tape, [root, *gradient(tape, root, symbols)], tuple("abc"[: len(symbols)])))
        rng = random.Random(1)
        values = numbers(rng, 200)
        points = [[x] for x in values] if count == 1 else [[rng.choice(values) for _ in symbols] for _ in range(6000)]
        wrong = [(p, interpreter(p), kernel(p)) for p in points if not all_same(interpreter(p), kernel(p))]
        assert not wrong

    def test_gammaln(self):
        tape, root = parse("gammaln(x)")
        kernel, interpreter = both(lower(tape, [root], ("x",)))
        for x in numbers(random.Random(2), 300):
            (a,), (b,) = interpreter([x]), kernel([x])
            assert same(a, b) or abs(a - b) <= 2e-15 * max(1.0, abs(a))

    @pytest.mark.parametrize("name", [n for n in FUNCTIONS if TABLE[n].arity[1] == 1])
    def test_digits(self, name):
        """Within 4 units in the last place of mpmath where the function is well-conditioned."""
        low, high = {
            "acosh": (1.5, 9),
            "log1mexp": (-5, -2.1),
            "asin": (0.1, 0.7),
            "acos": (0.1, 0.7),
            "atanh": (0.1, 0.7),
        }.get(name, (2.1, 5))
        tape = Tape()
        root = tape.raw(name, (tape.symbol("x"),))
        kernel = PointKernel(lower(tape, [root], ("x",)))
        rng = random.Random(3)
        with mp.workdps(50):
            for _ in range(200):
                x = rng.uniform(low, high)
                (right,) = evaluate(tape, [root], {"x": x})
                condition = abs(mp.diff(lambda t: evaluate(tape, [root], {"x": t})[0], x) * x / right) if right else 0
                limit = (4 + float(condition) * 4) * math.ulp(float(right))
                assert abs(kernel([x])[0] - right) <= limit


def noise(tape, roots, point):
    """How much rounding moves each root: evaluated with fewer digits, the error scaled to double precision."""
    with mp.workdps(50):
        right = evaluate(tape, roots, point)
    worst = [mp.mpf(0)] * len(roots)
    for bits in (38, 41, 44, 47, 50):
        with mp.workprec(bits):
            rough = evaluate(tape, roots, point)
        worst = [max(w, abs(a - b) * mp.mpf(2) ** (bits - 53)) for w, a, b in zip(worst, rough, right, strict=True)]
    return right, worst


class TestRandomFormulas:
    @pytest.mark.parametrize("seed", range(300))
    def test_bits_and_digits(self, seed):
        rng = random.Random(seed)
        text = random_formula(rng, 2 + seed % 4)
        tape, root = parse(text)
        symbols = tape.symbols((root,))
        outputs = [root, *gradient(tape, root, list(symbols.values()))]
        program = lower(tape, outputs, tuple(symbols))
        interpreter = Interpreter(program)
        kernel = None if compilable(program) else PointKernel(program)
        exactly = kernel is not None and "gammaln" not in text
        for _ in range(4):
            point = moderate_point(rng)
            values = interpreter([point[name] for name in symbols])
            if kernel is not None:
                found = kernel([point[name] for name in symbols])
                assert all_same(values, found) if exactly else values == pytest.approx(found, rel=1e-11, abs=1e-13)
            right, sensitivity = noise(tape, outputs, point)
            slack = 4e-15 if "gammaln" in text else 0.0  # only absolutely good near its zeros
            for value, exact, moved in zip(values, right, sensitivity, strict=True):
                if mp.isfinite(exact):
                    assert abs(value - exact) <= 32 * moved + 16 * math.ulp(float(exact)) + slack, (text, point)
        if exactly:
            for _ in range(40):
                point = random_point(rng, len(symbols))
                assert all_same(interpreter(point), kernel(point)), (text, point)


class TestKernel:
    def test_wrong_number_of_inputs(self):
        kernel = PointKernel(with_gradient("x*y"))
        for wrong in ([1.0], [1.0, 2.0, 3.0], []):
            with pytest.raises(ValueError, match="size"):
                kernel(wrong)

    def test_no_inputs_and_no_outputs(self):
        tape = Tape()
        assert PointKernel(lower(tape, [tape.constant(3)], ()))([]) == [3.0]
        assert PointKernel(lower(tape, [], ()))([]) == []
        assert PointKernel(lower(tape, [], ("x",)))([1.0]) == []

    def test_an_output_twice_and_an_input_as_output(self):
        tape, root = parse("exp(x)")
        kernel = PointKernel(lower(tape, [root, tape.symbol("x"), root], ("x",)))
        assert kernel([0.0]) == [1.0, 0.0, 1.0]

    def test_results_stay(self):
        kernel = PointKernel(with_gradient("x^2"))
        first = kernel([3.0])
        kernel([5.0])
        assert first == [9.0, 6.0]

    def test_one_kernel_in_many_threads(self):
        program = with_gradient("+".join(f"sin({k}*x)*exp(-y^2/{k})" for k in range(1, 80)))
        kernel, interpreter = both(program)
        right = {t: interpreter([t / 7, t / 9]) for t in range(6)}
        wrong = []

        def work(t):
            wrong.extend(1 for _ in range(1500) if kernel([t / 7, t / 9]) != right[t])

        threads = [threading.Thread(target=work, args=(t,)) for t in right]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_compiling_in_many_threads(self):
        wrong = []

        def work(t):
            for k in range(8):
                program = with_gradient(f"x^{t + 2}*sin({k + 1}*x)")
                if PointKernel(program)([0.7]) != Interpreter(program)([0.7]):
                    wrong.append((t, k))

        threads = [threading.Thread(target=work, args=(t,)) for t in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_code_outlives_the_name_of_its_kernel(self):
        call = PointKernel(with_gradient("exp(x)")).__call__
        gc.collect()
        for k in range(5):
            PointKernel(with_gradient(f"sin({k}*x)"))
        assert call([0.0]) == [1.0, 1.0]

    @pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's account of memory")
    def test_kernels_that_are_gone_leave_nothing(self):
        texts = [point_function(with_gradient(f"sin({k}.5*x)*exp(-x^2) + y^3/({k}.25 + x^2)"))[0] for k in range(150)]

        def pages():
            gc.collect()
            return int(Path("/proc/self/statm").read_text().split()[1])

        for text in texts[:50]:
            MachineCode(text, 1, 30)
        before = pages()
        for text in texts[50:]:
            MachineCode(text, 1, 30)
        assert (pages() - before) * 4096 / 100 < 20_000  # bytes a kernel; 45,000 where llvmlite's passes stay


def chain(variables):
    """The Rosenbrock chain in `variables` variables."""
    tape = Tape()
    x = [tape.symbol(f"x{k}") for k in range(variables)]
    two, hundred, one = tape.constant(2), tape.constant(100), tape.constant(1)
    terms = []
    for a, b in pairwise(x):
        terms.append(tape.mul([hundred, tape.pow(tape.sub(b, tape.pow(a, two)), two)]))
        terms.append(tape.pow(tape.sub(one, a), two))
    root = tape.add(terms)
    return lower(tape, [root, *gradient(tape, root, x)], tuple(f"x{k}" for k in range(variables)))


def deep(operations):
    """A formula as deep as it is long."""
    tape = Tape()
    x, y = tape.symbol("x"), tape.symbol("y")
    root = x
    for k in range(operations // 2):
        root = tape.call("sin", tape.add([root, y if k % 3 else tape.mul([tape.constant(k + 2), y])]))
    return lower(tape, [root, *gradient(tape, root, [x, y])], ("x", "y"))


class TestHuge:
    @pytest.mark.parametrize(
        ("program", "inputs"), [(lambda: chain(1000), 1000), (lambda: deep(4000), 2)], ids=["1,000 variables", "deep"]
    )
    def test_agrees(self, program, inputs):
        program = program()
        assert len(program.instructions) > 4000
        kernel, interpreter = both(program)
        rng = random.Random(4)
        for _ in range(3):
            point = [rng.gauss(0, 1) for _ in range(inputs)]
            assert all_same(kernel(point), interpreter(point))

    @pytest.mark.parametrize("variables", [90, 240, 260])
    def test_both_sides_of_the_threshold(self, variables):
        program = chain(variables)
        point = [0.3 + 0.01 * k for k in range(variables)]
        assert all_same(PointKernel(program)(point), Interpreter(program)(point))

    def test_a_formula_that_would_take_minutes(self, monkeypatch):
        program = deep(1000)
        count = len(program.instructions)
        monkeypatch.setattr(lowering, "MOST_INSTRUCTIONS", count)
        assert compilable(program) is None
        monkeypatch.setattr(lowering, "MOST_INSTRUCTIONS", count - 1)
        assert compilable(program) == f"{count:,} operations are more than the {count - 1:,} that are compiled"


class TestFallback:
    def problem(self, text):
        return make_problem(parse(text))

    @pytest.mark.expects_fallback
    @pytest.mark.parametrize("text", ["polygamma(1, x)", "gammaln(x)", "x + polygamma(0, x^2)"])
    def test_is_counted_and_named(self, text, monkeypatch):
        monkeypatch.setitem(NO_MACHINE_CODE, "polygamma", "there is no polygamma function here")
        before = COUNTERS.fallbacks
        objective = FormulaObjective(self.problem(text), 10**9, fixed_step=True)
        assert isinstance(objective.evaluator, Interpreter)
        assert COUNTERS.fallbacks == before + 1
        assert COUNTERS.reason == NO_MACHINE_CODE["polygamma"]
        assert objective.tier == f"interpreted: {NO_MACHINE_CODE['polygamma']}"
        assert objective.machine is None

    def test_none_where_the_interpreter_was_chosen(self):
        before = COUNTERS.fallbacks
        assert FormulaObjective(self.problem("gammaln(x)"), 10).tier == "interpreted"
        assert COUNTERS.fallbacks == before

    def test_compiled_counts(self):
        before = COUNTERS.compiled
        PointKernel(with_gradient("x^2"))
        assert COUNTERS.compiled == before + 1

    @pytest.mark.expects_fallback
    def test_a_library_without_a_function(self, monkeypatch):
        monkeypatch.setattr(compiling, "LIBRARY", {**compiling.LIBRARY, "cbrt": "no_such_function_here"})
        objective = FormulaObjective(self.problem("cbrt(x)^2"), 10, compiled=True)
        assert objective.tier == "interpreted: the C library here has no no_such_function_here function"

    @pytest.mark.expects_fallback
    def test_without_llvmlite(self, monkeypatch):
        def broken():
            raise OSError("libLLVM is not there")

        monkeypatch.setattr(compiling, "target", broken)
        compiling.unavailable.cache_clear()
        try:
            objective = FormulaObjective(self.problem("x^2"), 10, compiled=True)
        finally:
            compiling.unavailable.cache_clear()
        assert objective.tier == "interpreted: llvmlite does not work here (libLLVM is not there)"
        assert objective.look(Vector([2.0])).cost == 4.0

    def test_the_suite_notices(self, tmp_path):
        """What tests/conftest.py is for: of these two, the test that says so passes, the other has an error."""
        (tmp_path / "conftest.py").write_text(Path(__file__).parents[1].joinpath("conftest.py").read_text())
        (tmp_path / "test_two.py").write_text(
            "import pytest\n"
            "from descend.kernel.compile import fall_back\n"
            "def test_unawares(): fall_back('no reason')\n"
            "@pytest.mark.expects_fallback\n"
            "def test_expected(): fall_back('no reason')\n"
        )
        (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = expects_fallback\n")
        run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
        output = subprocess.run(run, capture_output=True, text=True, cwd=tmp_path, check=False).stdout
        assert "2 passed, 1 error" in output
        assert "fell back to the interpreter: no reason" in output
