"""The doors `derivative`, `compile` and `steps`."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.optimize
import sympy

import descend

ROSENBROCK = "100*(y - x^2)^2 + (1 - x)^2"
DATA = {"x": [0.0, 1.0, 2.0, 3.0], "y": [2.0, 1.2, 0.8, 0.5]}


class TestDerivative:
    def test_text_latex_and_sympy(self):
        slopes = descend.derivative("x^2*sin(y)")
        assert str(slopes) == "{'x': 2*x*sin(y), 'y': x^2*cos(y)}"
        x, y = sympy.symbols("x y")
        assert slopes["x"].sympy() == 2 * x * sympy.sin(y)
        assert "sin" in slopes["x"].latex()
        assert slopes["x"]._repr_latex_().startswith("$")

    def test_the_users_own_symbols_come_back(self):
        x, t = sympy.Symbol("x", real=True), sympy.Symbol("t", positive=True)
        slopes = descend.derivative(x**3 * sympy.log(t))
        assert slopes["x"].sympy() == 3 * x**2 * sympy.log(t)
        assert slopes["t"].sympy().free_symbols == {x, t}

    def test_it_reads_back_to_the_same_function(self):
        for text in ("exp(-x^2)*atan(x/3)", "log(1 + x^2)^(1/3)", "softplus(x)*sigmoid(-x)", "abs(x - 1)^3"):
            slope = str(descend.derivative(text)["x"])
            fun, again = descend.compile(text), descend.compile(slope)
            for at in (-2.0, 0.3, 4.0):
                assert again(at) == pytest.approx(fun.gradient(at)[0], rel=1e-14)

    def test_in_some_variables_only(self):
        assert list(descend.derivative("x*y*z", variables=["z", "x"])) == ["z", "x"]
        assert str(descend.derivative("x*y", variables="y")["y"]) == "x"
        assert str(descend.derivative("x*y", variables=sympy.Symbol("x"))["x"]) == "y"
        with pytest.raises(descend.FormulaError, match="'q'"):
            descend.derivative("x*y", variables=["q"])

    def test_at_kinks(self):
        assert descend.compile("abs(x)").gradient(0.0)[0] == 0.0
        assert descend.compile("max(2*x, 3*x)").gradient(0.0)[0] == 2.0


class TestCompile:
    def test_value_gradient_hessian_and_product(self):
        fun = descend.compile(ROSENBROCK)
        at = np.array([-1.2, 1.0])
        assert fun.names == ("x", "y")
        assert fun(at) == pytest.approx(24.2, rel=1e-14)
        assert fun.gradient(at) == pytest.approx([-215.6, -88.0], rel=1e-14)
        value, slope = fun.value_and_gradient(at)
        assert (value, list(slope)) == (fun(at), list(fun.gradient(at)))
        hessian = fun.hessian(at)
        assert hessian == pytest.approx(np.array([[1330.0, 480.0], [480.0, 200.0]]), rel=1e-14)
        assert fun.hessian_product(at, [1, -2]) == pytest.approx(hessian @ [1, -2], rel=1e-13)

    def test_it_is_machine_code_and_counts_its_looks(self):
        fun = descend.compile(ROSENBROCK)
        assert fun.evaluator == "compiled"
        fun([1, 1]), fun.gradient([1, 1]), fun.value_and_gradient([1, 1])
        assert fun.looks == 3
        assert "x, y" in repr(fun)

    @pytest.mark.parametrize(
        "point", [[1, 2], (1, 2), np.array([1, 2]), np.array([1, 2], dtype=np.float32), range(1, 3)]
    )
    def test_points_of_every_kind(self, point):
        assert descend.compile("x + 10*y")(point) == 21.0

    @pytest.mark.parametrize(
        "point",
        [3, 3.0, [3], np.array([3.0]), np.float64(3), np.float32(3), np.int64(3), sympy.Integer(3), np.array(3.0)],
    )
    def test_one_variable(self, point):
        fun = descend.compile("x^2")
        assert (fun(point), fun.gradient(point).tolist()) == (9.0, [6.0])

    @pytest.mark.parametrize(
        "point", [[1], [1, 2, 3], 3, None, "ab", "12", [None, 1], ["a", "b"], {"x": 1}, [[1, 2]], 1j]
    )
    def test_points_that_do_not_fit(self, point):
        with pytest.raises(descend.StartError):
            descend.compile(ROSENBROCK)(point)

    def test_results_are_new_arrays(self):
        fun = descend.compile(ROSENBROCK)
        first = fun.gradient([0, 0])
        first[0] = 99.0
        assert fun.gradient([0, 0]).tolist() == [-2.0, 0.0]

    def test_outside_the_domain_it_is_nan_not_an_error(self):
        assert np.isnan(descend.compile("log(x)")(-1.0))

    def test_scipy_minimises_it(self):
        fun = descend.compile(ROSENBROCK)
        result = scipy.optimize.minimize(fun.value_and_gradient, [-1.2, 1], jac=True, method="BFGS")
        assert result.x == pytest.approx([1, 1], rel=1e-5)
        assert fun.looks == result.nfev
        exact = scipy.optimize.minimize(
            fun, [-1.2, 1], jac=fun.gradient, hess=fun.hessian, method="trust-exact", options={"gtol": 1e-10}
        )
        assert exact.x == pytest.approx([1, 1], rel=1e-8)
        product = scipy.optimize.minimize(
            fun, [-1.2, 1], jac=fun.gradient, hessp=fun.hessian_product, method="trust-ncg", options={"gtol": 1e-10}
        )
        assert product.x == pytest.approx([1, 1], rel=1e-8)

    def test_a_model_and_data(self):
        x, y = (np.array(DATA[n]) for n in "xy")
        fun = descend.compile("y = a*exp(-b*x) + c", DATA, loss="rss")
        assert fun.names == ("a", "b", "c")
        residuals = y - (2 * np.exp(-0.5 * x) + 0.1)
        assert fun([2, 0.5, 0.1]) == pytest.approx(residuals @ residuals, rel=1e-14)
        jacobian = np.column_stack([np.exp(-0.5 * x), -2 * x * np.exp(-0.5 * x), np.ones(4)])
        assert fun.gradient([2, 0.5, 0.1]) == pytest.approx(-2 * residuals @ jacobian, rel=1e-13)
        assert descend.compile("y = a*exp(-b*x) + c", DATA, loss="mse")([2, 0.5, 0.1]) == pytest.approx(
            residuals @ residuals / 4, rel=1e-14
        )
        fitted = scipy.optimize.minimize(fun.value_and_gradient, [2, 0.5, 0.1], jac=True, method="BFGS")
        assert fitted.fun == pytest.approx(descend.fit("y = a*exp(-b*x) + c", DATA, start=[2, 0.5, 0.1]).rss, rel=1e-6)

    def test_constants_and_the_order_of_the_variables(self):
        fun = descend.compile("a*x + y", constants={"a": 3}, variables=["y", "x"])
        assert fun.names == ("y", "x")
        assert fun([1, 10]) == 31.0


class TestSteps:
    def test_forward_and_back_with_numbers(self):
        walk = descend.steps("x^2", start=3, learning_rate=0.1)
        first = [next(walk) for _ in range(4)]
        assert [s.number for s in first] == [1, 2, 3, 4]
        assert [s.predict["x"] for s in first] == pytest.approx([3, 2.4, 1.92, 1.536])
        assert all(a.learn == b.predict for a, b in pairwise(first))
        assert all(s.error == s.predict["x"] ** 2 for s in first)
        assert [walk.back().number for _ in range(3)] == [3, 2, 1]
        with pytest.raises(descend.MethodError, match="before the first"):
            walk.back()
        assert next(walk) == first[1]
        assert str(walk.back()) == str(first[0])

    def test_it_says_the_three_with_their_numbers(self):
        lines = str(next(descend.steps("x^2 + 3*y", start={"x": -1, "y": 2}, learning_rate=0.5))).splitlines()
        assert lines == [
            "step 1",
            "  predict  x = -1, y = 2",
            "  error    cost = 7, slope in x = -2, slope in y = 3",
            "  learn    x = -1 - 0.5 · (-2) = 0",
            "  learn    y = 2 - 0.5 · 3 = 0.5",
        ]

    def test_it_walks_as_minimize_does(self):
        path = descend.minimize("x^4 - x", 2, learning_rate=0.02, max_looks=30, trace=True).trace["x"]
        walk = descend.steps("x^4 - x", start=2, learning_rate=0.02)
        assert [next(walk).predict["x"] for _ in range(30)] == path

    def test_a_rate_that_shrinks(self):
        walk = descend.steps("x^2", start=1, learning_rate="0.1/(1+k)")
        assert [next(walk).learning_rate for _ in range(3)] == pytest.approx([0.1, 0.05, 0.1 / 3])

    def test_with_data_the_error_is_the_loss(self):
        walk = descend.steps("y = b0 + b1*x", data=DATA, learning_rate=0.01)
        first = next(walk)
        x, y = (np.array(DATA[n]) for n in "xy")
        assert first.predict == {"b0": 0.0, "b1": 0.0}
        assert first.error == pytest.approx(y @ y)
        assert first.slope == {"b0": pytest.approx(-2 * y.sum()), "b1": pytest.approx(-2 * x @ y)}
        assert first.learn == {"b0": pytest.approx(0.02 * y.sum()), "b1": pytest.approx(0.02 * x @ y)}
        assert "rss = " in str(first)
        assert "mse = " in str(next(descend.steps("y = b0 + b1*x", data=DATA, loss="mse", learning_rate=0.01)))
        started = descend.steps("y = b0 + b1*x", start={"b1": 2}, data=DATA, learning_rate=0.01)
        assert next(started).predict == {"b0": 0.0, "b1": 2.0}

    def test_it_is_endless_and_lazy(self):
        walk = descend.steps("x^2", start=1, learning_rate=0.1)
        assert iter(walk) is walk
        for _ in range(1000):
            last = next(walk)
        assert last.number == 1000

    @pytest.mark.parametrize(
        ("settings", "error"),
        [
            ({"start": 3, "learning_rate": None}, descend.MethodError),
            ({"start": 3, "learning_rate": -1}, descend.MethodError),
            ({"learning_rate": 0.1}, descend.StartError),
            ({"start": "3", "learning_rate": 0.1}, descend.StartError),
            ({"start": 3, "learning_rate": 0.1, "variables": ["q"]}, descend.FormulaError),
        ],
    )
    def test_what_is_missing_or_wrong(self, settings, error):
        with pytest.raises(error):
            next(descend.steps("x^2", **settings))
        with pytest.raises(descend.MethodError, match="maximise"):
            descend.steps("y = a*x", data=DATA, learning_rate=0.1, maximise=True)
