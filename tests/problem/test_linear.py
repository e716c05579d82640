"""Linear least squares: against the normal equations solved in exact fractions, on designs that ruin floating point."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from descend.data.open import open_source
from descend.expression.parse import parse_model
from descend.problem.linear import solve_linear
from descend.problem.model import make_model


def least_squares(text, data):
    """Return what the package solves: name → value, and the names it calls undetermined."""
    source = open_source(data)
    model, _ = make_model(parse_model(text, names=source.names), source.names)
    table = source.table(model.columns)
    solved = solve_linear(model.tape, model.left, model.right, model.parameters, model.columns, table)
    return None if solved is None else (dict(zip(model.parameters, solved.solution, strict=True)), solved.undetermined)


def exact(columns, y):
    """Solve XᵀXβ = Xᵀy in fractions, the doubles taken as exact."""
    x = [[Fraction(v) for v in map(float, column)] for column in columns]
    right = [Fraction(v) for v in map(float, y)]
    rows = [[sum(a * b for a, b in zip(p, q, strict=True)) for q in x] for p in x]
    rows = [[*row, sum(a * b for a, b in zip(p, right, strict=True))] for row, p in zip(rows, x, strict=True)]
    size = len(rows)
    for k in range(size):
        pivot = next(r for r in range(k, size) if rows[r][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [v / rows[k][k] for v in rows[k]]
        for r in range(size):
            if r != k and rows[r][k]:
                rows[r] = [a - rows[r][k] * b for a, b in zip(rows[r], rows[k], strict=True)]
    return [float(row[-1]) for row in rows]


def digits(got, expected):
    """The smallest number of right digits."""
    worst = max(abs(g - e) / abs(e) if e else abs(g) for g, e in zip(got, expected, strict=True))
    return 16.0 if worst == 0 else -np.log10(worst)


RNG = np.random.default_rng(7)


def polynomial(low, high, degree, rows=40):
    x = np.linspace(low, high, rows)
    y = np.cos(x) + RNG.normal(size=rows)
    text = "y = b0 + " + " + ".join(f"b{k}*x^{k}" for k in range(1, degree + 1))
    return text, {"x": x, "y": y}, [x**0, *[_power(x, k) for k in range(1, degree + 1)]]


def _power(x, k):
    """x^k as the package computes it: squares of squares."""
    if k == 1:
        return x
    half = _power(x, k // 2)
    return half * half * x if k % 2 else half * half


class TestPolynomials:
    @pytest.mark.parametrize(
        ("low", "high", "degree", "least"),
        [(0, 1, 3, 13), (-1, 1, 5, 13), (1000, 1010, 2, 12), (1000, 1010, 3, 8), (0, 20, 5, 12), (1e6, 1.1e6, 2, 11)],
    )
    def test_away_from_zero(self, low, high, degree, least):
        text, data, columns = polynomial(low, high, degree)
        solution, undetermined = least_squares(text, data)
        assert undetermined == ()
        assert digits(solution.values(), exact(columns, data["y"])) >= least


class TestDesigns:
    @pytest.mark.parametrize("seed", range(5))
    def test_random(self, seed):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(4, 60)) * np.array([[1e-8], [1.0], [1e8], [3.0]])
        y = rng.normal(size=60)
        solution, _ = least_squares(
            "y = a + b*x0 + c*x1 + d*x2 + f*x3", {f"x{k}": column for k, column in enumerate(x)} | {"y": y}
        )
        expected = exact([np.ones(60), *x], y)
        assert digits([solution[n] for n in "abcdf"], expected) >= 13

    @pytest.mark.parametrize(("offset", "least"), [(1e6, 13), (1e9, 12), (1e12, 9)])
    def test_a_huge_offset_in_x(self, offset, least):
        x = offset + np.arange(30.0)
        y = 3 * np.arange(30.0) + RNG.normal(size=30)
        solution, _ = least_squares("y = a + b*x", {"x": x, "y": y})
        assert digits([solution["a"], solution["b"]], exact([np.ones(30), x], y)) >= least

    @pytest.mark.parametrize("offset", [1e6, 1e12])
    def test_a_huge_offset_in_y(self, offset):
        x = np.arange(30.0)
        y = offset + np.round(1024 * RNG.normal(size=30)) / 1024
        solution, _ = least_squares("y = a + b*x", {"x": x, "y": y})
        assert digits([solution["a"], solution["b"]], exact([np.ones(30), x], y)) >= 10

    def test_nearly_collinear_columns(self):
        x = np.arange(20.0)
        z = x + np.where(np.arange(20) % 2, 2.0**-30, -(2.0**-30))
        y = RNG.normal(size=20)
        solution, undetermined = least_squares("y = a + b*x + c*z", {"x": x, "z": z, "y": y})
        assert undetermined == ()
        assert digits([solution[n] for n in "abc"], exact([np.ones(20), x, z], y)) >= 6

    def test_without_a_constant(self):
        x = np.array([60.0, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70])
        y = np.arange(130.0, 141.0)
        solution, _ = least_squares("y = b*x", {"x": x, "y": y})
        assert solution["b"] == float(Fraction(int(x @ y)) / Fraction(int(x @ x)))

    def test_a_constant_column_and_an_offset(self):
        x = np.arange(10.0)
        data = {"x": x, "y": 2 * x + 7 + np.sin(x)}
        plain, _ = least_squares("y = a + b*x", data)
        scaled, _ = least_squares("y = 4*a + b*x", data)
        shifted, _ = least_squares("y = a + b*x + 100*x^2", data | {"y": data["y"] + 100 * x**2})
        assert scaled["a"] == pytest.approx(plain["a"] / 4, rel=1e-14)
        assert shifted["b"] == pytest.approx(plain["b"], rel=1e-12)

    def test_columns_of_functions(self):
        x = np.linspace(0.5, 3, 25)
        y = 2 * np.sin(x) - 3 * np.log(x) + 0.01 * RNG.normal(size=25)
        solution, _ = least_squares("y = a*sin(x) + b*log(x)", {"x": x, "y": y})
        reference = np.linalg.lstsq(np.column_stack([np.sin(x), np.log(x)]), y, rcond=None)[0]
        assert [solution["a"], solution["b"]] == pytest.approx(reference, rel=1e-12)

    def test_many_rows_in_blocks(self):
        rng = np.random.default_rng(3)
        x = rng.normal(size=200_001) + 50
        y = 1 + 2 * x + rng.normal(size=200_001)
        solution, _ = least_squares("y = a + b*x", {"x": x, "y": y})
        slope = np.cov(x, y, bias=True)[0, 1] / x.var()
        assert solution["b"] == pytest.approx(slope, rel=1e-10)
        assert solution["a"] == pytest.approx(y.mean() - slope * x.mean(), rel=1e-10)


class TestUndetermined:
    def test_collinear_columns_get_the_smallest_solution(self):
        x = np.arange(10.0)
        solution, undetermined = least_squares("y = a*x + b*z", {"x": x, "z": x, "y": 4 * x})
        assert set(undetermined) == {"a", "b"}
        assert [solution["a"], solution["b"]] == pytest.approx([2, 2], rel=1e-12)

    def test_only_the_guilty_are_named(self):
        x = np.arange(10.0)
        w = np.array([1.0, -1] * 5)
        solution, undetermined = least_squares("y = a*x + b*z + c*w", {"x": x, "z": 2 * x, "w": w, "y": x + 3 * w})
        assert set(undetermined) == {"a", "b"}
        assert solution["c"] == pytest.approx(3, rel=1e-12)
        assert solution["a"] + 2 * solution["b"] == pytest.approx(1, rel=1e-12)

    def test_more_parameters_than_rows(self):
        data = {"x": [1.0, 2.0], "z": [3.0, 5.0], "y": [1.0, 1.0]}
        solution, undetermined = least_squares("y = a + b*x + c*z", data)
        assert undetermined
        for row in range(2):
            fitted = solution["a"] + solution["b"] * data["x"][row] + solution["c"] * data["z"][row]
            assert fitted == pytest.approx(data["y"][row], abs=1e-12)

    def test_one_row(self):
        solution, undetermined = least_squares("y = a + b*x", {"x": [2.0], "y": [6.0]})
        assert undetermined
        assert solution["a"] + 2 * solution["b"] == pytest.approx(6, rel=1e-14)

    def test_a_column_of_zeros(self):
        solution, undetermined = least_squares("y = a + b*x", {"x": [0.0] * 5, "y": [1.0, 2, 3, 4, 5]})
        assert undetermined == ("b",)
        assert (solution["a"], solution["b"]) == (3.0, 0.0)

    def test_a_constant_column_beside_the_constant(self):
        solution, undetermined = least_squares("y = a + b*x", {"x": [7.0] * 4, "y": [1.0, 2, 3, 4]})
        assert "b" in undetermined
        assert solution["a"] + 7 * solution["b"] == pytest.approx(2.5, rel=1e-13)


class TestLeftToOthers:
    @pytest.mark.parametrize("text", ["y = a*exp(b*x)", "y = a*b*x", "y = x^a", "y = a/(1 + b*x)", "y = abs(a)*x"])
    def test_models_that_are_not_linear(self, text):
        assert least_squares(text, {"x": [1.0, 2], "y": [1.0, 2]}) is None

    def test_a_design_that_is_not_finite(self):
        assert least_squares("y = a*log(x)", {"x": [0.0, 1, 2], "y": [1.0, 2, 3]}) is None
