"""A model with data as a function of its parameters: each order by its own program, float32 columns, bad columns."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath as mp
import numpy as np
import pytest

import descend
from descend.data.open import open_source
from descend.errors import DataError, DescendError, MethodError, StartError, UnavailableError
from descend.evaluation import Order
from descend.expression.parse import parse_model
from descend.kernel.bounded import bounded
from descend.kernel.compile import COUNTERS
from descend.problem.loss.squares import MSE, RSS
from descend.problem.model import make_model
from descend.problem.rows import RowsObjective
from descend.vector import Vector

RNG = np.random.default_rng(8)


def objective(text, data, loss=RSS, *, compiled=True):
    source = open_source(data)
    model, _ = make_model(parse_model(text, names=source.names), source.names)
    return RowsObjective(model.problem(loss), source.table(model.columns), 1, compiled=compiled)


def decay(rows):
    x = RNG.uniform(0, 4, rows)
    return {"x": x, "y": 2 * np.exp(-0.7 * x) + 0.5 + 0.1 * RNG.normal(size=rows)}


DECAY, POINT = "y = a*exp(-b*x) + c", [1.7, 0.9, 0.3]


def by_hand(data, point):
    """Return (cost, gradient, Hessian, Gauss-Newton matrix) of the rss of DECAY, written out, in 40 digits."""
    with mp.workdps(40):
        a, b, c = map(mp.mpf, point)
        cost, first, second, normal = mp.mpf(0), mp.zeros(3, 1), mp.zeros(3), mp.zeros(3)
        for x, y in zip(map(mp.mpf, data["x"]), map(mp.mpf, data["y"]), strict=True):
            e = mp.exp(-b * x)
            r = y - a * e - c
            j = mp.matrix([-e, a * x * e, -1])  # of the residual
            bend = mp.matrix([[0, x * e, 0], [x * e, -a * x * x * e, 0], [0, 0, 0]])
            cost += r * r
            first += 2 * r * j
            normal += 2 * j * j.T
            second += 2 * j * j.T + 2 * r * bend
        as_float = lambda m: np.array(m.tolist(), dtype=np.float64)
        return float(cost), as_float(first).ravel(), as_float(second), as_float(normal)


class TestOrders:
    @pytest.mark.parametrize("loss", [RSS, MSE])
    @pytest.mark.parametrize("compiled", [False, True])
    def test_each_against_40_digits(self, loss, compiled):
        data = decay(150)
        cost, first, second, normal = by_hand(data, POINT)
        share = 1 / 150 if loss is MSE else 1.0
        seen, at = objective(DECAY, data, loss, compiled=compiled), Vector(POINT)
        assert seen.value(at) == pytest.approx(share * cost, rel=1e-13)
        assert seen.look(at).cost == pytest.approx(share * cost, rel=1e-13)
        assert list(seen.look(at).gradient) == pytest.approx(share * first, rel=1e-12)
        assert np.array(seen.hessian(at)) == pytest.approx(share * second, rel=1e-12)
        assert np.array(seen.gauss_newton(at)) == pytest.approx(share * normal, rel=1e-12)
        v = Vector([0.3, -2.0, 1.1])
        assert list(seen.product(at, v)) == pytest.approx(share * second @ list(v), rel=1e-11)
        assert list(seen.gauss_newton_product(at, v)) == pytest.approx(share * normal @ list(v), rel=1e-12)

    def test_only_what_is_asked_for_is_compiled(self, monkeypatch):
        from descend.kernel import rows

        made = []
        original = rows.RowsKernel.__init__

        def counted(self, program, *rest):
            made.append(len(program.outputs))
            original(self, program, *rest)

        monkeypatch.setattr(rows.RowsKernel, "__init__", counted)
        fun = descend.compile(DECAY, decay(50))
        assert made == []
        for _ in range(3):
            fun(POINT)
        assert made == [1]
        fun.value_and_gradient(POINT)
        fun.gradient(POINT)
        assert made == [1, 4]
        fun.hessian(POINT)
        fun.hessian_product(POINT, POINT)
        fun.gauss_newton(POINT)
        fun.gauss_newton_product(POINT, POINT)
        assert made == [1, 4, 6, 3, 6, 3]
        assert fun.looks == 6  # products and Gauss-Newton matrices are no looks

    def test_through_the_public_door(self):
        data = decay(80)
        cost, first, second, normal = by_hand(data, POINT)
        fun = descend.compile(DECAY, data)
        assert fun(POINT) == pytest.approx(cost, rel=1e-13)
        assert fun.gradient(POINT) == pytest.approx(first, rel=1e-12)
        assert fun.hessian(POINT) == pytest.approx(second, rel=1e-12)
        assert fun.gauss_newton(POINT) == pytest.approx(normal, rel=1e-12)
        assert fun.gauss_newton_product(POINT, [1, 0, 0]) == pytest.approx(normal[:, 0], rel=1e-12)
        assert fun.hessian_product(POINT, [0, 1, 0]) == pytest.approx(second[:, 1], rel=1e-12)

    def test_weighted_squares_are_a_sum_of_squares(self):
        fun = descend.compile("y = a + b*x", {"x": [1.0, 2, 4], "y": [1.0, 0, 2]}, loss="3*(y - yhat)^2/2")
        assert fun.gauss_newton([0, 0]).tolist() == [[9.0, 21.0], [21.0, 63.0]]

    @pytest.mark.parametrize("loss", ["abs(y - yhat)", "(y - yhat)^3", "yhat - y*log(yhat)"])
    def test_no_sum_of_squares_has_no_gauss_newton_matrix(self, loss):
        fun = descend.compile("y = a + b*x", {"x": [1.0, 2, 4], "y": [1.0, 0, 2]}, loss=loss)
        with pytest.raises(MethodError, match="sum of squares"):
            fun.gauss_newton([1, 1])
        with pytest.raises(MethodError, match="sum of squares"):
            fun.gauss_newton_product([1, 1], [1, 1])

    def test_a_sparse_hessian_is_refused(self):
        with pytest.raises(UnavailableError, match="use hessian"):
            descend.compile(DECAY, decay(5)).sparse_hessian(POINT)

    def test_no_dense_hessian_of_hundreds_of_parameters(self):
        text = "y = " + " + ".join(f"b{k}*x^{k % 3}" for k in range(501))
        fun = descend.compile(text, {"x": [1.0, 2.0], "y": [0.0, 1.0]}, limits=descend.Limits(names=600))
        with pytest.raises(StartError, match=r"501 variables is not made; use hessian_product"):
            fun.hessian(np.zeros(501))
        assert fun.hessian_product(np.zeros(501), np.eye(501)[0])[:3].tolist() == [4.0, 6.0, 10.0]

    def test_a_point_of_the_wrong_length(self):
        fun = descend.compile(DECAY, decay(5))
        for ask in (fun, fun.gradient, fun.hessian, fun.gauss_newton):
            with pytest.raises(StartError, match="2 numbers but the 3 variables"):
                ask([1, 2])


class TestBounds:
    @pytest.mark.parametrize("loss", [RSS, MSE])
    def test_errors_lie_within_them_in_either_tier(self, loss, monkeypatch):
        """Fitted, so that the slopes are nearly nothing but rounding."""
        data = decay(700)
        fitted = descend.fit(DECAY, data, start={"a": 2, "b": 0.7, "c": 0.5})
        at = [fitted.parameters[n] for n in "abc"]
        cost, first, second, _ = by_hand(data, at)
        share = 1 / 700 if loss is MSE else 1.0
        found, made = {}, []
        monkeypatch.setattr("descend.kernel.bounded.bounded", lambda program: made.append(1) or bounded(program))
        for compiled in (False, True):
            monkeypatch.setattr("descend.kernel.tiers.LEAST", 50)
            monkeypatch.setattr("descend.kernel.tiers.START_SECONDS", -1.0 if compiled else 1e9)
            seen = objective(DECAY, data, loss, compiled=None)
            found[compiled] = look = seen.look(Vector(at), Order.BOUNDS)
            assert made == [1] * compiled
            assert abs(look.cost - share * cost) <= look.cost_error < 1e-9
            for got, right, bound in zip(look.gradient, first, look.gradient_error, strict=True):
                assert abs(got - share * right) <= bound < 1e-9
            for row, rights, bounds in zip(look.hessian, second, look.hessian_error, strict=True):
                for got, right, bound in zip(row, rights, bounds, strict=True):
                    assert abs(got - share * right) <= bound + 1e-16 * abs(right) < 1e-8
        a, b = found[False].gradient_error, found[True].gradient_error
        assert all(0.2 < x / y < 5 for x, y in zip(a, b, strict=True))

    def test_asked_for_without_machine_code_none_is_made(self, monkeypatch):
        monkeypatch.setattr("descend.kernel.tiers.START_SECONDS", -1.0)
        monkeypatch.setattr("descend.kernel.bounded.bounded", None)
        seen = objective(DECAY, decay(40), compiled=False)
        assert seen.look(Vector(POINT), Order.BOUNDS).cost_error < 1e-12

    @pytest.mark.expects_fallback
    def test_where_no_machine_code_can_be_made_that_is_counted(self, monkeypatch):
        monkeypatch.setattr("descend.kernel.tiers.START_SECONDS", -1.0)
        data = decay(40)
        seen, interpreted = objective(DECAY, data, compiled=None), objective(DECAY, data, compiled=False)
        monkeypatch.setattr("descend.kernel.compile.compilable", lambda program: "it is too long")
        before = COUNTERS.fallbacks
        looks = [seen.look(Vector(POINT), Order.BOUNDS) for _ in range(2)]
        assert (COUNTERS.fallbacks, COUNTERS.reason) == (before + 1, "it is too long")
        assert looks == [interpreted.look(Vector(POINT), Order.BOUNDS)] * 2

    def test_a_bound_that_is_unknown_is_infinite(self, monkeypatch):
        monkeypatch.setattr("descend.kernel.tiers.START_SECONDS", -1.0)
        data = {"x": [1.0, 2.0], "y": [1.0, 1.0]}
        seen = objective("y = log(a*x)", data, compiled=None)
        look = seen.look(Vector([-1.0]), Order.BOUNDS)
        assert math.isnan(look.cost)
        assert look.cost_error == math.inf


class TestSinglePrecision:
    """Columns of float32 are read as they are and computed with in double precision."""

    def test_they_are_held_as_they_came(self):
        mine = np.arange(10, dtype=np.float32)
        table = open_source({"x": mine, "y": mine.astype(np.float64)}).table(["x", "y"])
        assert table.stored("x").dtype == np.float32
        assert np.shares_memory(table.stored("x"), mine)
        assert not table.stored("x").flags.writeable
        assert table.column("x").dtype == np.float64
        assert not table.column("x").flags.writeable
        assert table.column("y") is table.stored("y")
        assert table.take([3, 1]).stored("x").tolist() == [3.0, 1.0]
        assert table.take([3, 1]).stored("x").dtype == np.float32

    @pytest.mark.parametrize("compiled", [False, True])
    def test_the_same_numbers_as_their_doubles(self, compiled):
        data = {k: v.astype(np.float32) for k, v in decay(5000).items()}
        wide = {k: v.astype(np.float64) for k, v in data.items()}
        at, v = Vector(POINT), Vector([1.0, -1.0, 0.5])
        for one, other in [(data, wide), (data | {"y": wide["y"]}, wide)]:
            single, double = (objective(DECAY, d, compiled=compiled) for d in (one, other))
            assert single.value(at) == double.value(at)
            for order in Order:
                assert single.look(at, order) == double.look(at, order)
            assert np.array_equal(single.hessian(at), double.hessian(at))
            assert np.array_equal(single.gauss_newton(at), double.gauss_newton(at))
            assert single.product(at, v) == double.product(at, v)

    def test_sums_are_those_of_double_precision(self):
        """0.1 in float32 has errors of 1.5e-9; in float32 a sum of 100,000 of its squares is off by far more."""
        tenth = np.full(100_000, 0.1, np.float32)
        fun = descend.compile("y = a*x", {"x": tenth, "y": tenth})
        exact = 100_000 * Fraction(float(np.float32(0.1))) ** 2
        assert fun([0.0]) == pytest.approx(float(exact), rel=1e-13)
        assert fun([3.0]) == pytest.approx(float(4 * exact), rel=1e-13)

    def test_a_fit_is_that_of_the_doubles(self):
        x = RNG.normal(size=(300, 2)).astype(np.float32)
        y = (x @ [2.0, -1.0] + 0.25).astype(np.float32)
        single = {"x1": x[:, 0], "x2": x[:, 1], "y": y}
        double = {k: v.astype(np.float64) for k, v in single.items()}
        for text in ("y = b0 + b1*x1 + b2*x2", "y = b0*exp(b1*x1/9) + b2*x2"):
            a, b = (descend.fit(text, d) for d in (single, double))
            assert (a.parameters, a.rss, a.status) == (b.parameters, b.rss, b.status)
            assert a.standard_errors == b.standard_errors
            assert a.predict(single).dtype == np.float64

    @pytest.mark.parametrize("kind", ["parquet", "arrow", "pandas", "polars"])
    def test_from_files_and_frames(self, kind, tmp_path):
        import pandas as pd
        import polars as pl
        import pyarrow as pa
        from pyarrow import parquet

        columns = {"x": np.linspace(0, 1, 70, dtype=np.float32), "y": np.linspace(0, 1, 70)}
        match kind:
            case "parquet":
                data = str(tmp_path / "t.parquet")
                parquet.write_table(pa.table(columns), data, row_group_size=20)
            case "arrow":
                data = pa.concat_tables([pa.table(columns).slice(0, 30), pa.table(columns).slice(30)])
            case "pandas":
                data = pd.DataFrame(columns)
            case _:
                data = pl.DataFrame(columns)
        table = open_source(data).table(["x", "y"])
        assert [table.stored(n).dtype for n in "xy"] == [np.float32, np.float64]
        assert table.stored("x").tolist() == columns["x"].tolist()

    def test_files_that_differ_in_the_type_of_a_column(self, tmp_path):
        import pyarrow as pa
        from pyarrow import parquet

        tenth = float(np.float32(0.1))
        for order in ("fd", "df"):
            for number, kind in enumerate(order):
                values = pa.array([0.1] * 5, pa.float32() if kind == "f" else pa.float64())
                parquet.write_table(pa.table({"x": values}), tmp_path / f"{number}.parquet")
            column = open_source(str(tmp_path / "*.parquet")).table(["x"]).stored("x")
            assert column.dtype == np.float64
            assert column.tolist() == [tenth if kind == "f" else 0.1 for kind in order for _ in range(5)]

    def test_missing_values(self):
        import pyarrow as pa

        x = pa.chunked_array([pa.array([1.5, None], pa.float32()), pa.array([None, None], pa.float32())])
        table = open_source({"x": x}, missing="drop").table(["x"])
        assert (table.stored("x").dtype, table.stored("x").tolist(), table.dropped) == (np.float32, [1.5], 3)
        masked = np.ma.MaskedArray(np.array([1, 2, 3], np.float32), [False, True, False])
        assert open_source({"x": masked}, missing="drop").table(["x"]).column("x").tolist() == [1.0, 3.0]
        with pytest.raises(DataError, match=r"row 2.*a missing value"):
            open_source({"x": masked}).table(["x"])


def padded(values, kind):
    """The values unaligned, in the middle of other memory."""
    raw = np.array(values, kind).tobytes()
    return np.frombuffer(b"\1" + raw + b"\1" * 7, kind, count=len(values), offset=1)


VALUES = [0.0, 1.0, 1.0, 3.0, 2.0]
COLUMNS = {
    "non-contiguous": np.repeat(VALUES, 3)[::3],
    "backwards": np.array(VALUES[::-1])[::-1],
    "read-only": np.array(VALUES),
    "big-endian": np.array(VALUES, ">f8"),
    "little-endian": np.array(VALUES, "<f8"),
    "big-endian single": np.array(VALUES, ">f4"),
    "unaligned": padded(VALUES, "f8"),
    "unaligned single": padded(VALUES, "f4"),
    "float16": np.array(VALUES, np.float16),
    "float32": np.array(VALUES, np.float32),
    "float32 strided": np.repeat(np.array(VALUES, np.float32), 2)[::2],
    "longdouble": np.array(VALUES, np.longdouble),
    "int8": np.array(VALUES, np.int8),
    "uint64": np.array(VALUES, np.uint64),
    "big-endian int": np.array(VALUES, ">i2"),
    "objects": np.array(VALUES, object),
    "masked, nothing hidden": np.ma.MaskedArray(VALUES, [False] * 5),
    "matrix column": np.column_stack([VALUES, VALUES])[:, 0],
    "list": VALUES,
    "broadcast": np.broadcast_to(np.array(VALUES), (2, 5))[1],
}
COLUMNS["read-only"].flags.writeable = False
Y = [1.0, 2.0, 4.0, 3.0, 0.5]


class TestColumns:
    """Columns of every kind give the right answer or a message, through compile and through fit."""

    @pytest.mark.parametrize("kind", COLUMNS)
    def test_numbers_of_every_kind(self, kind):
        fun = descend.compile("y = a + b*x", {"x": COLUMNS[kind], "y": Y})
        residuals = [y - 0.5 - 0.25 * x for x, y in zip(VALUES, Y, strict=True)]
        assert fun([0.5, 0.25]) == math.fsum(r * r for r in residuals)
        slopes = [-2 * math.fsum(residuals), -2 * math.fsum(r * x for r, x in zip(residuals, VALUES, strict=True))]
        assert fun.gradient([0.5, 0.25]).tolist() == slopes
        fitted = descend.fit("y = a + b*x", {"x": COLUMNS[kind], "y": Y})
        assert fitted.parameters == descend.fit("y = a + b*x", {"x": VALUES, "y": Y}).parameters

    def test_truth_values(self):
        fun = descend.compile("y = a + b*x", {"x": np.array([True, False, True]), "y": [1.0, 2.0, 4.0]})
        assert fun([1.0, 2.0]) == 4 + 1 + 1

    @pytest.mark.parametrize("rows", [1, 2, 3, 7, 8, 9, 31, 33, 4095, 4096, 4097])
    @pytest.mark.parametrize("kind", ["f4", "f8"])
    def test_any_number_of_rows(self, rows, kind):
        x = (np.arange(rows) % 16 / 8).astype(kind)
        fun = descend.compile("y = a*x", {"x": x, "y": x})
        assert fun([3.0]) == 4 * math.fsum((x.astype(float) ** 2).tolist())

    @pytest.mark.parametrize(
        ("bad", "said"),
        [
            ({"x": [1.0, 2.0], "y": [1.0, 2.0, 3.0]}, "same length"),
            ({"x": np.zeros((3, 2)), "y": np.zeros(3)}, "one dimension"),
            ({"x": np.float64(1.0), "y": np.zeros(3)}, "not a column"),
            ({"x": np.array(1.0), "y": np.zeros(3)}, "not a column"),
            ({"x": np.zeros(3, complex), "y": np.zeros(3)}, "complex"),
            ({"x": np.array(["a", "b"]), "y": np.zeros(2)}, "text"),
            ({"x": np.array([1, 2], "M8[s]"), "y": np.zeros(2)}, "dates"),
            ({"x": np.zeros(2, "V8"), "y": np.zeros(2)}, "not numbers"),
            ({"x": [], "y": []}, "no rows"),
            ({"x": np.zeros(0, np.float32), "y": np.zeros(0, np.float32)}, "no rows"),
            ({"x": np.array([1, np.nan], np.float32), "y": np.zeros(2)}, "row 2: a missing value"),
            ({"x": np.array([np.inf, 1], np.float32), "y": np.zeros(2)}, "row 1: an infinite value"),
            ({"x": [1.0, np.nan], "y": np.zeros(2)}, "row 2: a missing value"),
            ({"x": np.array([1, 10**400], object), "y": np.zeros(2)}, "too large"),
            ({"x": np.ma.MaskedArray([1.0, 2.0], [True, False]), "y": np.zeros(2)}, "row 1: a missing value"),
        ],
    )
    @pytest.mark.parametrize("door", [descend.compile, descend.fit])
    def test_what_is_no_column(self, door, bad, said):
        with pytest.raises(DescendError, match=said):
            door("y = a + b*x", bad)

    @pytest.mark.parametrize("kind", [np.float32, np.float64])
    def test_denormal_numbers(self, kind):
        """They are numbers: not flushed to zero, in neither width."""
        tiny = np.finfo(kind).smallest_subnormal
        x = np.array([tiny, 3 * tiny, -tiny] * 5, kind)
        fun = descend.compile("y = a*x", {"x": x, "y": np.zeros(15)}, loss="yhat")
        big = 2.0**1000
        assert fun([big]) == 15 * float(tiny) * big

    def test_whole_numbers_that_doubles_do_not_hold_are_rounded(self):
        big = 2**53 + 1
        fun = descend.compile("y = a*x", {"x": np.array([big, 2**63 - 1]), "y": [0.0, 0.0]}, loss="yhat")
        assert fun([1.0]) == float(2**53) + 2.0**63

    @pytest.mark.parametrize("step", [1, 2])
    def test_what_the_owner_writes_into_his_array_is_read_or_was_copied(self, step):
        """A column that is shared may change, one that was copied does not: in both cases nothing is read beside it."""
        mine = np.ones(40)
        fun = descend.compile("y = a*x", {"x": mine[::step], "y": np.zeros(40 // step)})
        assert fun([1.0]) == 40 // step
        mine[:] = 2.0
        assert fun([1.0]) == (160.0 if step == 1 else 20.0)
