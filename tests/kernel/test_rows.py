"""Sums over rows: machine code and NumPy against math.fsum, the same bits on any number of threads, NaN everywhere."""

from __future__ import annotations

import gc
import math
import signal
import threading
import warnings

import numpy as np
import pytest

from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.kernel import rows as rows_module
from descend.kernel import threads
from descend.kernel.lower import NO_MACHINE_CODE
from descend.kernel.program import lower
from descend.kernel.rows import BLOCK, RowsInterpreter, RowsKernel
from descend.problem.problem import Problem
from descend.problem.rows import RowsObjective
from descend.vector import Vector
from tests.kernel.row_models import MODELS, by_fsum, columns_of, program_of
from tests.kernel.tapes import all_same, inf, nan

SIZES = (1, 2, 3, 4095, 4096, 4097, 100_000)


@pytest.mark.parametrize("made_for", ["native", "generic"])
@pytest.mark.parametrize("name", MODELS)
def test_sums(name, made_for, monkeypatch):
    monkeypatch.setenv("DESCEND_TARGET", made_for)
    text, parameters = MODELS[name]
    program = program_of(text, len(parameters))
    kernel, interpreter = RowsKernel(program, len(parameters)), RowsInterpreter(program, len(parameters))
    for rows in SIZES:
        columns = columns_of(rows)
        right = by_fsum(program, parameters, columns)
        for found in (kernel(parameters, columns), interpreter(parameters, columns)):
            assert len(found) == len(right)
            for value, (total, size) in zip(found, right, strict=True):
                assert abs(value - total) <= 1e-14 * size + 1e-300, (rows, value, total)


def test_each_row_is_read_once():
    # Powers of two add up exactly: a row left out, read twice or read past the end would show.
    program = program_of("x", 0)
    kernel = RowsKernel(program, 0)
    for rows in (1, 2, 31, 32, 33, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 17):
        column = np.ones(rows + 64)
        column[rows:] = nan
        for place in {0, rows // 2, rows - 1}:
            column[place] = 2.0**40
            assert kernel([], [column[:rows]] * 3) == [2.0**40 + rows - 1]
            column[place] = 1.0


@pytest.mark.parametrize("name", ["line", "decay", "power", "no columns", "no parameters"])
def test_any_number_of_threads_gives_the_same_bits(name, monkeypatch):
    text, parameters = MODELS[name]
    kernel = RowsKernel(program_of(text, len(parameters)), len(parameters))
    columns = columns_of(300_001)
    found = {}
    for count in ("1", "2", "3", "5"):
        monkeypatch.setenv("DESCEND_THREADS", count)
        for piece in (1, 7, 10**6):
            monkeypatch.setattr(kernel, "_slice", piece)
            found[count, piece] = kernel(parameters, columns)
    first = next(iter(found.values()))
    assert all(all_same(first, other) for other in found.values())


def test_the_threads_are_used(monkeypatch):
    monkeypatch.setenv("DESCEND_THREADS", "2")
    asked = []
    workers = threads._pool.workers
    monkeypatch.setattr(threads._pool, "workers", lambda count: asked.append(count) or workers(count))
    text, parameters = MODELS["decay"]
    RowsKernel(program_of(text, 3), 3)(parameters, columns_of(200_000))
    assert asked == [1]


class TestNotFinite:
    """No warning, no exception: what is not finite comes out."""

    @pytest.fixture(autouse=True)
    def no_warnings(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            yield

    @pytest.mark.parametrize("name", ["line", "decay", "logistic", "absolute", "hinge", "peak"])
    @pytest.mark.parametrize("place", [0, 5000, 9999])
    def test_nan_in_a_column(self, name, place):
        text, parameters = MODELS[name]
        program = program_of(text, len(parameters))
        columns = columns_of(10_000)
        columns[0][place] = nan
        assert math.isnan(RowsKernel(program, len(parameters))(parameters, columns)[0])
        assert math.isnan(RowsInterpreter(program, len(parameters))(parameters, columns)[0])

    def test_nan_in_a_parameter(self):
        program = program_of("(y - b0*x)^2", 1)
        assert all(map(math.isnan, RowsKernel(program, 1)([nan], columns_of(5000))))
        assert all(map(math.isnan, RowsInterpreter(program, 1)([nan], columns_of(5000))))

    @pytest.mark.parametrize("kind", [RowsKernel, RowsInterpreter])
    def test_infinities(self, kind):
        evaluate = kind(program_of("x", 0), 0)
        for rows in (10, 10_000):
            x, y, z = columns_of(rows)
            x[3] = inf
            assert evaluate([], [x, y, z]) == [inf]
            x[rows - 2] = -inf  # in another block, where there is one
            assert math.isnan(evaluate([], [x, y, z])[0])

    @pytest.mark.parametrize("kind", [RowsKernel, RowsInterpreter])
    def test_overflow(self, kind):
        evaluate = kind(program_of("exp(b0*x)", 1), 1)
        assert evaluate([1e4], columns_of(9000))[0] == inf
        assert math.isnan(evaluate([1e4], [np.full(9000, nan)] * 3)[0])
        assert kind(program_of("x", 0), 0)([], [np.full(9000, 1e308)] * 3) == [inf]

    @pytest.mark.parametrize("kind", [RowsKernel, RowsInterpreter])
    def test_a_row_that_is_left_out_may_hold_anything(self, kind):
        evaluate = kind(program_of("where(y > 0, b0*x, 0)", 1), 1)
        x, y = np.array([nan, inf, 1.0]), np.array([-1.0, nan, 1.0])
        assert evaluate([2.0], [x, y, y]) == [2.0, 1.0]


class TestArguments:
    def kernel(self):
        return RowsKernel(program_of("b0*x + y*z", 1), 1)

    def test_read_only_columns(self):
        columns = columns_of(5000)
        right = self.kernel()([2.0], columns)
        for column in columns:
            column.flags.writeable = False
        assert self.kernel()([2.0], columns) == right

    def test_columns_that_share_memory(self):
        x = columns_of(5000, 1)[0]
        assert self.kernel()([2.0], [x, x, x])[1] == pytest.approx(x.sum())
        table = np.asfortranarray(np.arange(15_000.0).reshape(5000, 3))
        assert self.kernel()([0.0], [table[:, k] for k in range(3)])[1] == table[:, 0].sum()

    def test_a_part_of_an_array(self):
        x = np.concatenate([np.full(3, nan), np.ones(5000), np.full(3, nan)])
        assert self.kernel()([2.0], [x[3:-3]] * 3) == [15_000.0, 5000.0]

    def test_columns_may_change_between_calls(self):
        kernel = self.kernel()
        columns = [np.ones(10), np.ones(10), np.ones(10)]
        assert kernel([2.0], columns) == [30.0, 10.0]
        columns[0][:] = 3.0
        assert kernel([2.0], columns) == [70.0, 30.0]
        columns[0] = np.full(10, 5.0)
        assert kernel([2.0], columns) == [110.0, 50.0]
        assert kernel([2.0], [np.ones(4)] * 3) == [12.0, 4.0]

    @pytest.mark.parametrize("size", [10, 100_000])
    def test_an_array_that_lost_its_memory(self, size):
        x = np.ones(5000)
        kernel = self.kernel()
        columns = [x[:], np.ones(5000), np.ones(5000)]
        assert kernel([2.0], columns) == [15_000.0, 5000.0]
        x.resize(size, refcheck=False)
        with pytest.raises(ValueError, match="resized"):
            kernel([2.0], columns)

    def test_no_rows(self):
        assert self.kernel()([2.0], [np.empty(0)] * 3) == [0.0, 0.0]
        assert RowsInterpreter(program_of("b0*x", 1), 1)([2.0], [np.empty(0)] * 3) == [0.0, 0.0]

    def test_no_outputs(self):
        tape = Tape()
        program = lower(tape, [], ["b0", "x"])
        assert RowsKernel(program, 1)([1.0], columns_of(5000, 1)) == []
        assert RowsInterpreter(program, 1)([1.0], columns_of(5000, 1)) == []

    def test_outputs_of_every_kind(self):
        tape, root = parse("b0^2*x")
        outputs = [root, tape.symbol("b0"), tape.symbol("x"), tape.constant(3), root]
        program = lower(tape, outputs, ["b0", "x"])
        x = np.arange(5000.0)
        total = float(x.sum())
        for kind in (RowsKernel, RowsInterpreter):
            found = kind(program, 1)([1.5], [x])
            assert found == [2.25 * total, 7500.0, total, 15_000.0, 2.25 * total]

    @pytest.mark.parametrize(
        ("parameters", "columns"),
        [
            ([1.0, 2.0], [np.ones(5)] * 3),
            ([], [np.ones(5)] * 3),
            ([1.0], []),
            ([1.0], [np.ones(5)] * 2),
            ([1.0], [np.ones(5), np.ones(4), np.ones(5)]),
            ([1.0], [np.ones(5), np.ones(6), np.ones(5)]),
            ([1.0], [np.ones(5, np.float32)] * 3),
            ([1.0], [np.ones(5, int)] * 3),
            ([1.0], [np.ones(10)[::2]] * 3),
            ([1.0], [np.ones((5, 1))] * 3),
            ([1.0], [np.ones(5).astype(">f8")] * 3),
            ([1.0], [np.frombuffer(b"\0" * 41, np.uint8)[1:].view(np.float64)] * 3),
        ],
    )
    def test_what_machine_code_must_not_read(self, parameters, columns):
        with pytest.raises(ValueError, match=r"parameters|columns"):
            self.kernel()(parameters, columns)


class TestMemoryAndInterrupts:
    def test_a_late_thread_owns_what_it_works_on(self, monkeypatch):
        """After Ctrl-C a thread may still run: the call's buffers and columns must live as long as its `part`."""
        kept = []
        monkeypatch.setattr(rows_module, "run_parts", lambda part, blocks, largest, work: kept.append((part, blocks)))
        kernel = RowsKernel(program_of("b0*x + y*z", 1), 1)
        kernel([2.0], [np.ones(50_000) for _ in range(3)])
        kernel([3.0], [np.zeros(10)] * 3)  # the kernel has moved on to other columns
        (part, blocks), *_ = kept
        del kernel
        gc.collect()
        rubbish = [np.full(50_000, nan) for _ in range(20)]
        part(0, blocks)
        _, partial, *_ = part.__defaults__[0]
        assert partial.sum(axis=0).tolist() == [150_000.0, 50_000.0]
        assert len(rubbish) == 20

    @pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs signals")
    @pytest.mark.parametrize("count", ["1", "2"])
    def test_an_interrupt_is_served_between_slices(self, count, monkeypatch):
        monkeypatch.setenv("DESCEND_THREADS", count)
        text, parameters = MODELS["power"]
        kernel = RowsKernel(program_of(text, 2), 2)
        columns = columns_of(400_000)
        right = kernel(parameters, columns)
        monkeypatch.setattr(kernel, "_slice", 1)

        def interrupt(number, frame):
            raise KeyboardInterrupt

        old = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.005)
        try:
            with pytest.raises(KeyboardInterrupt):
                [kernel(parameters, columns) for _ in range(10_000)]
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, old)
        assert kernel(parameters, columns) == right

    def test_slices_are_shorter_where_a_row_costs_more(self):
        cheap = RowsKernel(program_of("b0*x", 1), 1)
        dear = RowsKernel(program_of("exp(b0*x) + sin(y)*tan(z)", 1), 1)
        assert dear._slice * 2 < cheap._slice

    def test_one_kernel_in_many_threads(self, monkeypatch):
        monkeypatch.setenv("DESCEND_THREADS", "2")
        kernel = RowsKernel(program_of("b0*exp(-x^2) + y*z", 1), 1)
        tables = {t: columns_of(60_000 + t, seed=t) for t in range(4)}
        right = {t: kernel([float(t)], table) for t, table in tables.items()}
        wrong = []

        def work(t):
            wrong.extend(t for _ in range(25) if kernel([float(t)], tables[t]) != right[t])

        callers = [threading.Thread(target=work, args=(t,)) for t in tables]
        for thread in callers:
            thread.start()
        for thread in callers:
            thread.join()
        assert not wrong


class TestObjective:
    class Table:
        row_numbers = None

        def __init__(self, columns):
            self.columns = columns
            self.rows = len(next(iter(columns.values())))

        def stored(self, name):
            return self.columns[name]

    @pytest.mark.parametrize("mean", [False, True])
    def test_both_tiers(self, mean):
        tape, root = parse("(y - b0 - b1*x)^2")
        problem = Problem(tape, root, ("b0", "b1"), ("x", "y"), mean=mean)
        x, y, _ = columns_of(20_000)
        point = Vector([0.3, 1.2])
        looks = {
            compiled: RowsObjective(problem, self.Table({"x": x, "y": y}), 10, compiled=compiled).look(point)
            for compiled in (False, True)
        }
        right = float(np.sum((y - 0.3 - 1.2 * x) ** 2)) / (20_000 if mean else 1)
        for look in looks.values():
            assert look.cost == pytest.approx(right, rel=1e-13)
        assert list(looks[True].gradient) == pytest.approx(list(looks[False].gradient), rel=1e-12)

    @pytest.mark.expects_fallback
    def test_fallback(self, monkeypatch):
        monkeypatch.setitem(NO_MACHINE_CODE, "polygamma", "there is no polygamma function here")
        tape, root = parse("gammaln(b0 + x^2)")
        problem = Problem(tape, root, ("b0",), ("x",))
        objective = RowsObjective(problem, self.Table({"x": np.ones(5)}), 10, compiled=True)
        assert objective.tier == "interpreted: there is no polygamma function here"
        assert objective.look(Vector([1.0])).gradient[0] == pytest.approx(5 * 0.42278433509846713)
