"""Objectives: cost, gradient and Hessian against 50 digits, of a formula and of rows; the evaluators agree; trouble."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

import descend
from descend.data.open import open_source
from descend.evaluation import Order
from descend.expression.parse import parse, parse_model
from descend.problem.loss.squares import MSE, RSS
from descend.problem.model import make_model
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.problem.rows import RowsObjective
from descend.vector import Vector
from tests.oracles.judge import derivatives
from tests.oracles.read import read


def formula(text, *, compiled=False):
    return FormulaObjective(make_problem(parse(text)), 1, compiled=compiled)


def rows(text, data, loss=RSS, *, compiled=False, missing="error"):
    source = open_source(data, missing=missing)
    model, _ = make_model(parse_model(text, names=source.names), source.names)
    return RowsObjective(model.problem(loss), source.table(model.columns), 1, compiled=compiled)


COSTS = {
    "100*(y - x**2)**2 + (1 - x)**2": {"x": -1.2, "y": 1.0},
    "exp(x*y) + sin(x)/y + z**4": {"x": 0.3, "y": -1.7, "z": 2.0},
    "log(1 + x**2 + y**4) * atan(x - y)": {"x": 3.0, "y": 0.25},
    "sigmoid(x) + softplus(y)*x + hypot(x, y)": {"x": -2.0, "y": 1.5},
}


def relative(got, expected):
    scale = max(map(abs, np.ravel(expected)))
    return np.max(np.abs(np.ravel(got) - np.ravel(expected))) / scale


@pytest.mark.parametrize("text", COSTS)
@pytest.mark.parametrize("compiled", [False, True])
def test_a_formula_against_50_digits(text, compiled):
    point = COSTS[text]
    objective = formula(text, compiled=compiled)
    place = Vector([point[n] for n in objective.names])
    with mp.workdps(50):
        exact = float(read(text)(point))
        gradient, hessian = derivatives(read(text), objective.names, [mp.mpf(v) for v in place])
    for order in Order:
        seen = objective.look(place, order)
        assert seen.cost == pytest.approx(exact, rel=1e-13)
        assert relative(list(seen.gradient), [float(g) for g in gradient]) < 1e-13
    second = np.array([[float(v) for v in row] for row in hessian.tolist()])
    seen = objective.look(place, Order.BOUNDS)
    assert relative(seen.hessian, second) < 1e-12
    direction = Vector([0.5, -2.0, 3.0][: len(place)])
    assert relative(list(objective.product(place, direction)), second @ list(direction)) < 1e-12
    # The bounds cover the errors.
    assert abs(seen.cost - exact) <= seen.cost_error + 1e-300
    for got, bound, true in zip(seen.gradient, seen.gradient_error, gradient, strict=True):
        assert abs(got - true) <= bound + 1e-15 * abs(true)


MODELS = {
    "y = a + b*x": [0.3, -0.7],
    "y = a*exp(-b*x) + c": [2.0, 0.4, 0.1],
    "log(y) = a*sin(x) + b": [1.0, 2.0],
    "y = a/(1 + exp(b - c*x))": [3.0, 1.0, 0.8],
}
DATA = {"x": list(np.linspace(0.1, 4, 9)), "y": list(np.linspace(0.5, 3, 9) ** 2)}


def written_out(text, names):
    """The loss over DATA as a function of the parameters, in mpmath."""
    left, right = (read(side.strip().replace("^", "**")) for side in text.split("="))
    columns = [dict(zip(DATA, row, strict=True)) for row in zip(*DATA.values(), strict=True)]

    def cost(point):
        values = {n: mp.mpf(point[n]) for n in names}
        exact = [{k: mp.mpf(v) for k, v in row.items()} for row in columns]
        return mp.fsum((left(row) - right(row | values)) ** 2 for row in exact)

    return cost


@pytest.mark.parametrize("text", MODELS)
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("loss", [RSS, MSE])
def test_rows_against_50_digits(text, compiled, loss):
    objective = rows(text, DATA, loss, compiled=compiled)
    place = Vector(MODELS[text])
    share = 1 / 9 if loss is MSE else 1
    with mp.workdps(50):
        cost = written_out(text, objective.names)
        exact = float(cost(dict(zip(objective.names, place, strict=True))) * share)
        gradient, hessian = derivatives(cost, objective.names, [mp.mpf(v) for v in place])
    second = np.array([[float(v) for v in row] for row in hessian.tolist()]) * share
    first = [float(g) * share for g in gradient]
    for order in Order:
        seen = objective.look(place, order)
        assert seen.cost == pytest.approx(exact, rel=1e-13)
        assert relative(list(seen.gradient), first) < 1e-13
    seen = objective.look(place, Order.BOUNDS)
    assert relative(seen.hessian, second) < 1e-12
    assert abs(seen.cost - exact) <= seen.cost_error
    direction = Vector([1.0, -2.0, 0.5][: len(place)])
    assert relative(list(objective.product(place, direction)), second @ list(direction)) < 1e-12


def test_many_variables_have_a_dense_hessian_too():
    """Above thirty variables it is made of products; here it is tridiagonal and known."""
    size = 40
    objective = formula(" + ".join(f"(x{k + 1} - x{k}^2)^2" for k in range(size - 1)) + " + x0^2")
    rng = np.random.default_rng(0)
    x = rng.normal(size=size)
    expected = np.zeros((size, size))
    for k in range(size - 1):
        expected[k, k] += 12 * x[k] ** 2 - 4 * x[k + 1]
        expected[k + 1, k + 1] += 2
        expected[k, k + 1] = expected[k + 1, k] = -4 * x[k]
    expected[0, 0] += 2
    order = sorted(range(size), key=lambda k: objective.names.index(f"x{k}"))
    seen = objective.look(Vector([x[k] for k in order]), Order.BOUNDS)
    assert relative(seen.hessian, expected[np.ix_(order, order)]) < 1e-12
    assert seen.hessian_error is not None


def test_no_dense_hessian_of_hundreds_of_variables():
    text = " + ".join(f"x{k}^2" for k in range(501))
    objective = FormulaObjective(make_problem(parse(text, limits=descend.Limits(names=501))), 1)
    assert objective.look(Vector([1.0] * 501), Order.BOUNDS).hessian is None
    assert list(objective.product(Vector([1.0] * 501), Vector([1.0] * 501)))[:3] == [2.0, 2.0, 2.0]


class TestEvaluator:
    def test_interpreter_and_machine_code_agree_over_rows(self):
        rng = np.random.default_rng(0)
        data = {"x": rng.normal(size=10_007), "y": rng.normal(size=10_007)}
        place = Vector([0.3, -0.2, 1.0])
        seen = [rows("y = a + b*x + sin(c*x)", data, compiled=c).look(place) for c in (False, True)]
        assert seen[0].cost == pytest.approx(seen[1].cost, rel=1e-13)
        assert list(seen[0].gradient) == pytest.approx(list(seen[1].gradient), rel=1e-12)

    def test_a_run_repeats_to_the_last_bit(self):
        rng = np.random.default_rng(1)
        data = {"x": rng.normal(size=70_001), "y": rng.normal(size=70_001)}
        place = Vector([0.3, -0.2])
        for compiled in (False, True):
            objective = rows("y = a*exp(b*x)", data, compiled=compiled)
            assert len({(seen.cost, *seen.gradient) for seen in (objective.look(place) for _ in range(5))}) == 1


class TestTrouble:
    @pytest.mark.parametrize(
        ("text", "point", "expression", "value"),
        [
            ("x + log(y - 2)", [1, 1], "log(y - 2)", "nan"),
            ("exp(1000*x) + y", [1, 1], "exp(1000*x)", "inf"),
            ("1/(x - 1) + y", [1, 1], "1/(x - 1)", "inf"),
            ("sqrt(x) + 1", [-1], "sqrt(x)", "nan"),
        ],
    )
    def test_names_the_innermost_expression(self, text, point, expression, value):
        place = formula(text).trouble(Vector([float(v) for v in point]))
        assert (place.expression, str(place.value), place.row) == (expression, value, None)

    def test_none_where_all_is_well(self):
        assert formula("x^2").trouble(Vector([1.0])) is None
        assert rows("y = a*x", DATA).trouble(Vector([1.0])) is None

    def test_names_the_first_bad_row(self):
        data = {"x": [1.0, 2.0, -3.0, -4.0], "y": [1.0] * 4}
        place = rows("y = a*log(x)", data).trouble(Vector([1.0]))
        assert (place.expression, place.row) == ("log(x)", 3)

    def test_far_down_the_table(self):
        x = np.ones(10_000)
        x[8_765] = -1
        assert rows("y = a*sqrt(x)", {"x": x, "y": x}).trouble(Vector([1.0])).row == 8_766

    def test_rows_are_numbered_as_in_the_users_data(self):
        data = {"x": [1.0, None, 2.0, -3.0], "y": [1.0, 1.0, 1.0, 1.0]}
        assert rows("y = a*log(x)", data, missing="drop").trouble(Vector([1.0])).row == 4

    def test_through_the_public_door(self):
        result = descend.fit("y = a*log(x)", {"x": [1.0, 2.0, -3.0], "y": [1.0, 2.0, 3.0]}, start=1)
        assert result.status is descend.Status.NOT_FINITE
        assert "log(x)" in result.advice
        assert "row 3 of the data" in result.advice
