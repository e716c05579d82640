"""The article, to the letter: its loop, written again here with SymPy, is the oracle."""

from __future__ import annotations

from decimal import Decimal, getcontext
from fractions import Fraction

import pytest
import sympy

import descend
from descend import Status

x = sympy.Symbol("x")


def article_loop(cost, guess, rate, precision=None, iterations=100):
    """Return (points, slope at the last point) of the article's loop: exact derivative by SymPy, floats by lambdify."""
    (symbol,) = cost.free_symbols
    slope = sympy.lambdify(symbol, sympy.diff(cost, symbol))
    points = [guess]
    for _ in range(iterations):
        previous = points[-1]
        points.append(previous - rate * slope(previous))
        if precision is not None and abs(points[-1] - previous) < precision:
            break
    return points, slope(points[-1])


def test_the_loop_of_100_steps():
    points, slope = article_loop(x**2, 3, 0.1)
    result = descend.gradient_descent(x**2, 3, 0.1)
    assert float(result) == points[-1] == 6.111107929003464e-10
    assert result["x"] == pytest.approx(3 * 0.8**100, rel=1e-13)
    assert result.slope == slope == 2 * float(result)
    assert (result.steps, result.looks, len(points)) == (100, 101, 101)
    assert result.status is Status.MINIMUM
    assert result.success
    assert result.exit_code == 0


def test_the_last_point_is_right_to_the_rounding_of_the_loop():
    getcontext().prec = 50
    rate = Decimal(Fraction(0.1).numerator) / Fraction(0.1).denominator  # the double nearest to 0.1, in full
    exact = Decimal(3) * (1 - 2 * rate) ** 100
    assert float(descend.gradient_descent("x^2", 3, 0.1)) == pytest.approx(float(exact), rel=1e-14)


def test_the_two_lines_come_first():
    lines = str(descend.gradient_descent(x**2, 3, 0.1)).splitlines()
    assert lines[0] == "Minimum occurs at x-value: 6.111107929003464e-10"
    assert lines[1] == "Slope at the minimum is:  1.2222215858006927e-09"
    assert repr(descend.gradient_descent(x**2, 3, 0.1)).splitlines()[:2] == lines[:2]


def test_precision_is_the_articles_rule_and_the_report_says_what_it_was_worth():
    points, _ = article_loop(x**2, 3, 0.1, precision=0.0001)
    result = descend.gradient_descent(x**2, 3, 0.1, precision=0.0001)
    assert result.steps == len(points) - 1 == 40
    assert float(result) == points[-1] == 0.00039876839873547495
    assert result.status is Status.STEP_SMALL
    assert not result.success
    assert "4.0e-4" in result.advice  # how far the minimum is
    assert "2.5e-5" in result.advice  # the precision that would have done
    enough = descend.gradient_descent(x**2, 3, 0.1, precision=2.5e-5)
    assert enough.steps > result.steps
    assert abs(float(enough)) < 1e-4


@pytest.mark.parametrize("guess", [3, sympy.Integer(3), 3.0, Fraction(3), sympy.Rational(3), sympy.Float(3)])
def test_first_guesses_of_every_kind(guess):
    assert float(descend.gradient_descent(x**2, guess, 0.1)) == 6.111107929003464e-10


@pytest.mark.parametrize("name", ["t", "theta", "x_1", "λ", "anything"])
def test_any_symbol(name):
    symbol = sympy.Symbol(name)
    result = descend.gradient_descent((symbol - 2) ** 2, 3, 0.1)
    assert result[symbol] == result[name] == float(result) == article_loop((symbol - 2) ** 2, 3, 0.1)[0][-1]


def test_several_variables():
    y = sympy.Symbol("y")
    result = descend.gradient_descent(x**2 + (y - 1) ** 2, {x: 3, "y": sympy.Rational(1, 2)}, 0.1)
    assert result["x"] == pytest.approx(article_loop(x**2, 3, 0.1)[0][-1], rel=1e-14)
    assert result["y"] == pytest.approx(article_loop((y - 1) ** 2, 0.5, 0.1)[0][-1], rel=1e-14)
    assert descend.gradient_descent(x**2 + (y - 1) ** 2, [3, 0.5], 0.1).variables == result.variables


@pytest.mark.parametrize(
    "cost", [x**4 - 3 * x**2 + x, sympy.exp(x) + x**2, sympy.cos(x) * x, sympy.log(1 + x**2), (x - 1) ** 6 / 100]
)
def test_the_path_of_other_costs(cost):
    points, _ = article_loop(cost, 0.5, 0.01)
    path = descend.minimize(cost, 0.5, learning_rate=0.01, max_looks=101, trace=True).trace["x"]
    assert path == pytest.approx(points[: len(path)], rel=1e-12)
    assert float(descend.gradient_descent(cost, 0.5, 0.01)) == pytest.approx(points[-1], rel=1e-12)


SAMPLE = {"x": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "y": [2.1, 3.9, 6.2, 7.8, 10.1, 11.9]}


def rss_written_out():
    b0, b1 = sympy.symbols("b0 b1")
    rows = zip(SAMPLE["x"], SAMPLE["y"], strict=True)
    return (b0, b1), sum((yi - (b0 + b1 * xi)) ** 2 for xi, yi in rows)


def test_fit_walks_the_path_of_the_article_on_the_rss_written_in_sympy():
    (b0, b1), rss = rss_written_out()
    slopes = [sympy.lambdify((b0, b1), sympy.diff(rss, b)) for b in (b0, b1)]
    points = [(0.0, 0.0)]
    for _ in range(200):
        at = points[-1]
        points.append(tuple(value - 0.005 * slope(*at) for value, slope in zip(at, slopes, strict=True)))
    result = descend.fit("y = b0 + b1*x", SAMPLE, learning_rate=0.005, start=[0, 0], max_looks=201, trace=True)
    assert result.steps == 200
    assert result.trace["b0"] == pytest.approx([p[0] for p in points], rel=1e-11, abs=1e-13)
    assert result.trace["b1"] == pytest.approx([p[1] for p in points], rel=1e-11, abs=1e-13)
    assert result.trace["cost"][0] == pytest.approx(sum(v * v for v in SAMPLE["y"]), rel=1e-14)


def test_the_same_model_as_a_sympy_equation():
    y, b0, b1 = sympy.symbols("y b0 b1")
    symbolic = descend.fit(sympy.Eq(y, b0 + b1 * x), SAMPLE)
    assert symbolic.parameters == descend.fit("y = b0 + b1*x", SAMPLE).parameters


def test_slope_and_intercept_by_descent_reach_the_least_squares_answer():
    (b0, b1), rss = rss_written_out()
    answer = sympy.solve([sympy.diff(sympy.nsimplify(rss, rational=True), b) for b in (b0, b1)], [b0, b1])
    walked = descend.fit("y = b0 + b1*x", SAMPLE, learning_rate=0.005)
    solved = descend.fit("y = b0 + b1*x", SAMPLE)
    assert walked.status is Status.MINIMUM
    assert solved.status is Status.EXACT
    for name, symbol in (("b0", b0), ("b1", b1)):
        assert walked.parameters[name] == pytest.approx(float(answer[symbol]), rel=1e-9)
        assert solved.parameters[name] == pytest.approx(float(answer[symbol]), rel=1e-13)


def test_predict_gives_the_expected_output_for_future_data():
    fitted = descend.fit("y = b0 + b1*x", SAMPLE)
    b0, b1 = fitted.parameters.values()
    assert fitted.predict({"x": [10, 20]}).tolist() == pytest.approx([b0 + 10 * b1, b0 + 20 * b1], rel=1e-15)


def test_predict_calculate_the_error_learn():
    walk = descend.steps("x^2", start=3, learning_rate=0.1)
    first, second = next(walk), next(walk)
    assert (first.predict, first.error, first.learn) == ({"x": 3.0}, 9.0, {"x": 2.4})
    assert (second.number, second.predict) == (2, first.learn)
    text = str(first)
    assert "predict  x = 3" in text
    assert "cost = 9, slope in x = 6" in text
    assert "x = 3 - 0.1 · 6 = 2.4" in text
    assert walk.back().number == 1


def test_maximizing_good_things():
    result = descend.maximize(4 * x - x**2, 0, learning_rate=0.1)
    assert float(result) == pytest.approx(2, abs=1e-8)
    assert result.cost == pytest.approx(4)
    assert result.success
