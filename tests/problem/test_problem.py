"""Making a problem: the order of the variables; constants, fixed and tied names put in; circles refused."""

from __future__ import annotations

from fractions import Fraction

import mpmath as mp
import pytest
import sympy

import descend
from descend.errors import FormulaError, StartError
from descend.expression.parse import parse
from descend.problem.problem import make_problem, replace_names
from tests.oracles.evaluate import evaluate


def value(formula, **point):
    (result,) = evaluate(formula.tape, [formula.root], point)
    return float(result)


class TestVariables:
    def test_natural_order(self):
        assert make_problem(parse("x10 + x2 + x1 + a + x2b")).variables == ("a", "x1", "x2", "x2b", "x10")

    def test_an_order_of_ones_own(self):
        assert make_problem(parse("x + y"), variables=["y", "x"]).variables == ("y", "x")
        result = descend.minimize(
            "(x-1)^2 + (y-2)^2", [5, 7], variables=["y", "x"], method="barzilai-borwein", trace=True
        )
        assert (result.trace["y"][0], result.trace["x"][0]) == (5.0, 7.0)
        x, y = sympy.symbols("x y")
        assert list(descend.minimize(x**2 + y**2, [1, 2], variables=[y, x]).variables) == ["y", "x"]

    @pytest.mark.parametrize(
        ("variables", "words"),
        [
            (["x", "z"], "does not contain the variable 'z'"),
            (["x"], "also contains y"),
            (["x", "x", "y"], "named twice"),
            (["x", "Y"], "variable 'Y'"),
        ],
    )
    def test_wrong_names(self, variables, words):
        with pytest.raises(FormulaError) as caught:
            make_problem(parse("x + y"), variables=variables)
        assert words in str(caught.value)

    def test_a_cost_without_variables(self):
        with pytest.raises(FormulaError, match="constant"):
            make_problem(parse("2 + 3*pi"))

    def test_maximising_flips_the_sign_once(self):
        problem = make_problem(parse("x^2 + 1"), maximise=True)
        root, user = evaluate(problem.tape, [problem.root, problem.user_root], {"x": 3})
        assert (root, user) == (-10, 10)
        (slope,) = evaluate(problem.tape, problem.gradient, {"x": 3})
        assert slope == -6

    def test_the_gradient_is_differentiated_once(self):
        problem = make_problem(parse("x^2*y"))
        assert problem.gradient is problem.gradient
        assert [float(v) for v in evaluate(problem.tape, problem.gradient, {"x": 3, "y": 5})] == [30.0, 9.0]


class TestSubstitution:
    def test_numbers_stay_exact(self):
        formula = replace_names(parse("a*x + b"), {"a": Fraction(1, 3), "b": 0.1})
        with mp.workdps(40):
            (got,) = evaluate(formula.tape, [formula.root], {"x": 3})
            assert got == 1 + mp.mpf(0.1)

    def test_tied_names_become_formulas(self):
        formula = replace_names(parse("x^2 + y^2 + z"), {}, {"y": parse("2*x"), "z": parse("sin(x)")})
        assert formula.names == ("x",)
        assert value(formula, x=3) == pytest.approx(9 + 36 + float(mp.sin(3)), rel=1e-15)

    def test_tied_to_tied_and_to_fixed_in_any_order(self):
        for names in (("y", "z"), ("z", "y")):
            ties = {"y": parse("z + 1"), "z": parse("2*x + c")}
            formula = replace_names(parse("x + y + z + c"), {"c": 10}, {n: ties[n] for n in names})
            assert formula.names == ("x",)
            assert value(formula, x=1) == 1 + 13 + 12 + 10

    @pytest.mark.parametrize(
        "ties",
        [
            {"y": "y + 1"},
            {"y": "z", "z": "y"},
            {"y": "x + z", "z": "2*y"},
            {"x": "y", "y": "z", "z": "x"},
            {"y": "y"},
        ],
    )
    def test_circles_are_refused(self, ties):
        with pytest.raises(FormulaError, match="circle"):
            replace_names(parse("x + y + z + z*y"), {}, {n: parse(t) for n, t in ties.items()})
        with pytest.raises(FormulaError, match="circle"):
            descend.minimize("x^2 + y^2 + z^2 + z*y", 1, tied=ties)

    def test_unknown_names_are_refused_with_a_hint(self):
        with pytest.raises(FormulaError, match=r"'lenght'.*did you mean length"):
            replace_names(parse("length^2"), {"lenght": 1})
        with pytest.raises(FormulaError, match="'q'"):
            replace_names(parse("x^2"), {}, {"q": parse("x")})

    def test_through_the_public_door(self):
        whole = descend.minimize(
            "(x-1)^2 + (y-2)^2 + (z-3)^2 + c*x", fixed={"z": 5}, constants={"c": 2}, tied={"y": "2*x"}
        )
        # (x-1)² + (2x-2)² + 2x + 4: 10x - 10 + 2 = 0
        assert whole.variables == {"x": pytest.approx(0.8, rel=1e-15)}
        assert whole.cost == pytest.approx(0.2**2 + 0.4**2 + 4 + 1.6, rel=1e-15)

    def test_fixed_with_sympy_symbols(self):
        x, y = sympy.symbols("x y")
        assert descend.minimize((x - 1) ** 2 + (y - 2) ** 2 * x**2, fixed={x: 3}).variables == {"y": 2.0}

    @pytest.mark.parametrize("fixed", [{"x": "a"}, {"x": None}, {"x": float("nan")}, {"x": [1]}, [1], 3, "x=1"])
    def test_fixed_that_are_no_numbers(self, fixed):
        with pytest.raises(StartError):
            descend.minimize("x^2 + y^2", fixed=fixed)

    def test_everything_fixed_leaves_nothing_to_do(self):
        with pytest.raises(FormulaError, match="constant"):
            descend.minimize("x^2", fixed={"x": 1})

    def test_e_is_eulers_number_unless_it_is_given(self):
        assert descend.minimize("(x - e)^2")["x"] == pytest.approx(2.718281828459045, rel=1e-15)
        assert any("Euler" in note for note in descend.minimize("(x - e)^2").notes)
        assert descend.minimize("(x - e)^2", constants={"e": 5})["x"] == 5.0
        assert descend.minimize("(x - 1)^2 + (e - 5)^2", {"x": 0, "e": 0}).variables == {"e": 5.0, "x": 1.0}
