"""Sums over rows of wide tables, in pieces, by groups, and of columns in single precision."""

from __future__ import annotations

import numpy as np
import pytest

from descend.expression.derivative import gradient, hessian
from descend.expression.parse import parse
from descend.kernel import rows as rows_module
from descend.kernel import rows_code
from descend.kernel.pieces import Limits
from descend.kernel.program import lower
from descend.kernel.rows import RowsKernel
from tests.kernel.row_models import MODELS, by_fsum, columns_of, program_of
from tests.kernel.tapes import all_same


@pytest.mark.parametrize("made_for", ["native", "generic"])
@pytest.mark.parametrize("name", MODELS)
def test_sums_in_pieces(name, made_for, monkeypatch):
    """As small as pieces can be: everything goes through memory, conditions and all."""
    monkeypatch.setenv("DESCEND_TARGET", made_for)
    monkeypatch.setattr(rows_code, "WHOLE", Limits(1, 1, 1))
    monkeypatch.setattr(rows_code, "PART", Limits(2, 2, 1))
    text, parameters = MODELS[name]
    program = program_of(text, len(parameters))
    kernel = RowsKernel(program, len(parameters))
    assert len(kernel._plan.pieces.pieces) >= len(program.outputs)
    for rows in (3, 129, 10_000):
        columns = columns_of(rows)
        for value, (total, size) in zip(
            kernel(parameters, columns), by_fsum(program, parameters, columns), strict=True
        ):
            assert abs(value - total) <= 1e-14 * size + 1e-300, rows


class TestWideTables:
    """Many columns: loops over the same block, one after the other."""

    WIDTH = 60

    def problem(self, text):
        names = [f"b{k}" for k in range(self.WIDTH)]
        columns = [f"x{k}" for k in range(self.WIDTH)]
        z = " + ".join(f"{b}*{x}" for b, x in zip(names, columns, strict=True))
        tape, root = parse(text.replace("z", f"({z})"))
        symbols = [tape.symbol(n) for n in names]
        return tape, root, names, columns, symbols

    @pytest.mark.parametrize("rows", [1, 511, 512, 513, 20_001])
    def test_least_squares_by_numpy(self, rows):
        tape, root, names, columns, symbols = self.problem("(y - z)^2")
        kernel = RowsKernel(lower(tape, [root, *gradient(tape, root, symbols)], [*names, "y", *columns]), self.WIDTH)
        assert len(kernel._plan.pieces.pieces) > 5
        rng = np.random.default_rng(rows)
        x, y, b = rng.normal(size=(rows, self.WIDTH)), rng.normal(size=rows), rng.normal(size=self.WIDTH)
        cost, *slopes = kernel(b, [y, *np.ascontiguousarray(x.T)])
        residual = y - x @ b
        assert cost == pytest.approx(residual @ residual, rel=1e-12)
        assert slopes == pytest.approx(-2 * x.T @ residual, rel=1e-9, abs=1e-9 * rows)

    def test_the_whole_hessian(self):
        tape, root, names, columns, symbols = self.problem("softplus(z) - y*z")
        second = hessian(tape, root, symbols)
        entries = [second[i][j] for i in range(self.WIDTH) for j in range(i + 1)]
        kernel = RowsKernel(lower(tape, entries, [*names, "y", *columns]), self.WIDTH)
        rng = np.random.default_rng(0)
        x, b = rng.normal(size=(3000, self.WIDTH)), 0.1 * rng.normal(size=self.WIDTH)
        found = kernel(b, [rng.normal(size=3000), *np.ascontiguousarray(x.T)])
        s = 1 / (1 + np.exp(-x @ b))
        right = (x.T * (s * (1 - s))) @ x
        assert found == pytest.approx(right[np.tril_indices(self.WIDTH)], rel=1e-9, abs=1e-9)


class TestGroups:
    """Sums per group of rows in one pass: the same bits as each group alone."""

    @pytest.mark.parametrize("name", ["line", "decay", "logistic", "no columns"])
    def test_each_group_as_if_alone(self, name):
        text, parameters = MODELS[name]
        kernel = RowsKernel(program_of(text, len(parameters)), len(parameters))
        sizes = [1, 0, 7, 4096, 33, 10_000, 5, 0, 31, 4097, 1]
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        columns = columns_of(int(offsets[-1]))
        found = kernel.by_group(parameters, columns, offsets)
        assert found.shape == (len(sizes), len(kernel.program.outputs))
        for row, low, high in zip(found, offsets, offsets[1:], strict=False):
            assert all_same(row.tolist(), kernel(parameters, [c[low:high] for c in columns]))

    def test_a_point_for_each_group(self, monkeypatch):
        kernel = RowsKernel(program_of("(y - b0*exp(-b1*x))^2", 2), 2)
        rng = np.random.default_rng(1)
        sizes = rng.integers(0, 60, size=5000)
        offsets = np.concatenate([[0], np.cumsum(sizes)])
        columns = columns_of(int(offsets[-1]))
        points = rng.normal(size=(5000, 2))
        found = kernel.by_group(points, columns, offsets)
        for g in (0, 1, 17, 2500, 4999):
            rows = slice(offsets[g], offsets[g + 1])
            assert all_same(found[g].tolist(), kernel(points[g], [c[rows] for c in columns]))
        monkeypatch.setattr(rows_module, "PARTIALS", 100)  # sums of blocks held at a time
        assert np.array_equal(found, kernel.by_group(points, columns, offsets))

    def test_one_group_is_the_whole(self, monkeypatch):
        kernel = RowsKernel(program_of("(y - b0*x)^2", 1), 1)
        columns = columns_of(50_000)
        whole = kernel([0.5], columns)
        assert kernel.by_group([0.5], columns, [0, 50_000]).tolist() == [whole]
        monkeypatch.setattr(rows_module, "PARTIALS", 7)
        assert kernel([0.5], columns) == whole

    def test_groups_may_change_in_place(self):
        kernel = RowsKernel(program_of("b0*x", 1), 1)
        columns, offsets = [np.arange(10.0)] * 3, np.array([0, 5, 10])
        assert kernel.by_group([1.0], columns, offsets)[:, 0].tolist() == [10.0, 35.0]
        offsets[1] = 2
        assert kernel.by_group([1.0], columns, offsets)[:, 0].tolist() == [1.0, 44.0]

    @pytest.mark.parametrize("offsets", [[0], [0, 9], [1, 10], [0, 6, 5, 10], [[0, 10]], []])
    def test_offsets_that_are_none(self, offsets):
        kernel = RowsKernel(program_of("(y - b0*x)^2", 1), 1)
        with pytest.raises(ValueError, match="offsets"):
            kernel.by_group([0.5], columns_of(10), offsets)

    def test_points_of_another_shape(self):
        kernel = RowsKernel(program_of("(y - b0*x)^2", 1), 1)
        with pytest.raises(ValueError, match="shape"):
            kernel.by_group([[0.5], [1.0], [2.0]], columns_of(10), [0, 4, 10])


class TestSinglePrecision:
    @pytest.mark.parametrize("rows", [1, 31, 32, 5000])
    @pytest.mark.parametrize("single", [(0,), (1, 2), (0, 1, 2)])
    def test_columns_of_float32_are_summed_in_float64(self, rows, single):
        program = program_of("(y - b0*exp(-b1*x) - z)^2", 2)
        mixed = [c.astype(np.float32) if k in single else c for k, c in enumerate(columns_of(rows))]
        found = RowsKernel(program, 2, single)([0.3, 0.7], mixed)
        assert found == RowsKernel(program, 2)([0.3, 0.7], [c.astype(np.float64) for c in mixed])

    def test_which_columns_they_are_is_settled(self):
        kernel = RowsKernel(program_of("b0*x + y*z", 1), 1, [1])
        with pytest.raises(ValueError, match="float32 here, not float64"):
            kernel([1.0], columns_of(10))
