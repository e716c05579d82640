"""Reading a model: which names are columns, which parameters; misspellings; backticks; both sides."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import pytest
import sympy

import descend
from descend.data.open import open_source
from descend.errors import DataError, DescendError, FormulaError
from descend.expression.parse import parse_model
from descend.problem.loss.squares import MSE, RSS
from descend.problem.model import make_model
from descend.problem.rows import RowsObjective
from descend.vector import Vector

DATA = {"x": [1.0, 2.0, 3.0], "z": [0.5, 1.5, 4.0], "y": [2.0, 3.0, 5.0]}


def made(text, columns=tuple(DATA), parameters=None):
    return make_model(parse_model(text, names=[*columns, *(parameters or ())]), columns, parameters)


class TestNames:
    def test_columns_of_the_data_are_columns_and_the_rest_parameters(self):
        model, warnings = made("y = b0 + b1*x + b10*z + b2")
        assert model.parameters == ("b0", "b1", "b2", "b10")
        assert set(model.columns) == {"x", "y", "z"}
        assert set(model.inputs) == {"x", "z"}
        assert warnings == ()

    def test_a_column_may_be_on_both_sides(self):
        model, _ = made("y = a*y + x")
        assert (model.parameters, set(model.inputs)) == (("a",), {"x", "y"})

    def test_parameters_one_names_make_any_other_name_an_error(self):
        assert made("y = a + b*x", parameters=["b", "a"])[0].parameters == ("b", "a")
        with pytest.raises(FormulaError, match="'c' is neither among parameters= nor a column"):
            made("y = a + b*x + c", parameters=["a", "b"])
        with pytest.raises(FormulaError, match="does not contain the parameter 'q'"):
            made("y = a + b*x", parameters=["a", "b", "q"])

    def test_a_parameter_may_be_named_like_a_column(self):
        model, _ = made("y = x + z", parameters=["z"])
        assert (model.parameters, model.inputs) == (("z",), ("x",))

    def test_e_as_a_column(self):
        data = {"e": [1.0, 2.0, 3.0], "y": [2.0, 4.0, 6.0]}
        assert descend.fit("y = a*e", data).parameters == {"a": 2.0}


class TestMisspellings:
    COLUMNS = ("height", "weight", "y")

    @pytest.mark.parametrize("name", ["heght", "heightt", "heighd", "Height"])
    def test_a_parameter_one_edit_from_an_unused_column_is_a_warning(self, name):
        _, (warning,) = made(f"y = a + b*{name}", self.COLUMNS)
        assert name in warning
        assert "'height'" in warning
        fitted = descend.fit(f"y = a + b*{name}", {"height": [1, 2], "weight": [1, 3], "y": [1, 2]}, max_looks=50)
        assert any("misspelling" in note for note in fitted.notes)
        assert "misspelling" in str(fitted)

    def test_with_parameters_it_is_an_error(self):
        with pytest.raises(FormulaError, match="height"):
            made("y = a + b*heigth", self.COLUMNS, parameters=["a", "b"])

    def test_no_warning_where_the_column_is_used(self):
        assert made("y = a + heights*height", self.COLUMNS)[1] == ()

    def test_on_the_left_it_is_an_error_with_a_hint(self):
        with pytest.raises(DataError, match="did you mean 'weight'"):
            made("wieght = a + b*height", self.COLUMNS)
        with pytest.raises(DataError, match="there are height, weight, y"):
            made("qqqq = a + b*height", self.COLUMNS)


class TestNonsense:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("y = x", "no parameters"),
            ("1 = a + x", "left side"),
            ("y = 3", "no parameters"),
            ("y ~ x", "y = b0 + b1*x"),
            ("a + b*x", "="),
            ("y = ", "="),
            ("= a*x", ""),
            ("y = a = x", ""),
            ("y == a*x", ""),
            ("", ""),
        ],
    )
    def test_says_what_is_wrong(self, text, words):
        with pytest.raises(DescendError) as caught:
            descend.fit(text, DATA)
        assert words in str(caught.value)

    def test_a_sympy_expression_is_no_model(self):
        a, x = sympy.symbols("a x")
        with pytest.raises(FormulaError, match="Eq"):
            descend.fit(a * x, DATA)


class TestBackticks:
    DATA: ClassVar = {
        "Sepal Length (cm)": [5.0, 6.0, 7.0],
        "y=2": [1.0, 2.0, 3.0],
        "größe": [1.0, 2.0, 4.0],
        "a b": [0.0, 1.0, 0.0],
    }

    def test_any_name_can_be_a_column(self):
        fitted = descend.fit("`y=2` = b0 + b1*`Sepal Length (cm)`", self.DATA)
        assert fitted.parameters == {"b0": pytest.approx(-4), "b1": pytest.approx(1)}
        assert fitted.predict({"Sepal Length (cm)": [10]}).tolist() == [pytest.approx(6)]
        assert "`Sepal Length (cm)`" in str(fitted)

    def test_what_a_model_prints_reads_back(self):
        columns = tuple(self.DATA)
        model, _ = made("`y=2` = b0 + b1*`Sepal Length (cm)`*`a b` + c*`größe`", columns)
        again, _ = make_model(parse_model(str(model), names=columns), columns)
        assert (again.columns, again.parameters, str(again)) == (model.columns, model.parameters, str(model))


class TestValues:
    def test_both_sides_and_the_jacobian(self):
        model, _ = made("log(y) = a + exp(b*x)*z")
        table = open_source(DATA).table(model.columns)
        x, y, z = (np.array(DATA[name]) for name in "xyz")
        assert model.observed(table) == pytest.approx(np.log(y), rel=1e-15)
        assert model.predicted([0.5, -0.25], table) == pytest.approx(0.5 + np.exp(-0.25 * x) * z, rel=1e-15)
        assert model.jacobian([0.5, -0.25], table) == pytest.approx(
            np.column_stack([np.ones(3), x * z * np.exp(-0.25 * x)]), rel=1e-15
        )

    def test_prediction_needs_only_the_right_sides_columns(self):
        model, _ = made("y = a + b*x")
        table = open_source({"x": [1.0, 2.0]}).table(model.inputs)
        assert model.predicted([1.0, 2.0], table).tolist() == [3.0, 5.0]

    @pytest.mark.parametrize(
        ("text", "has"),
        [
            ("y = a + b*x", True),
            ("y = b*x", False),
            ("y = 2*a + b*x", True),
            ("y = a*x + b*z", False),
            ("y = exp(a*x) + c", True),
        ],
    )
    def test_whether_there_is_a_constant(self, text, has):
        assert made(text)[0].has_constant() is has

    @pytest.mark.parametrize("loss", [RSS, MSE])
    def test_the_loss_is_a_sum_or_a_mean(self, loss):
        model, _ = made("y = a*x")
        objective = RowsObjective(model.problem(loss), open_source(DATA).table(model.columns), 1, compiled=False)
        residuals = np.array(DATA["y"]) - 0.5 * np.array(DATA["x"])
        total = residuals @ residuals / (3 if loss is MSE else 1)
        slope = -2 * (residuals @ np.array(DATA["x"])) / (3 if loss is MSE else 1)
        (entry,) = objective.problem.variables
        assert entry == "a"
        looked = objective.look(Vector([0.5]))
        assert looked.cost == pytest.approx(total, rel=1e-15)
        assert looked.gradient[0] == pytest.approx(slope, rel=1e-15)
