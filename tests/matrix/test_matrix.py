"""Method by problem: what each method must come to on each, with the work it may take.  One row a method.

The expected point is the known one; a status that is not a success is expected as such, so that a method that
improves has its row improved too.  Every registered method has a row (a missing one fails).
"""

from __future__ import annotations

from typing import NamedTuple

import pytest

import descend
from descend import Status
from descend.descent.method.registry import METHODS

ROSENBROCK = "100*(y - x^2)^2 + (1 - x)^2"


class Problem(NamedTuple):
    cost: str
    start: object
    minimum: dict


PROBLEMS = {
    "parabola": Problem("x^2 - 4x + 1", 10, {"x": 2}),
    "bowl": Problem("(x-1)^2 + 10*(y+2)^2", [5, 5], {"x": 1, "y": -2}),
    "long bowl": Problem("(x-1)^2 + 10000*(y+2)^2", [5, 5], {"x": 1, "y": -2}),
    "rosenbrock": Problem(ROSENBROCK, [-1.2, 1], {"x": 1, "y": 1}),
    "quartic": Problem("(x-1)^4", 3, {"x": 1}),
    "cosh": Problem("cosh(x - 3) + y^4 + y^2", [-2, 2], {"x": 3, "y": 0}),
    "logarithm": Problem("x*log(x)", 3, {"x": 0.36787944117144233}),
    "two wells": Problem("x^4 - x^2", 1, {"x": 0.7071067811865476}),
    "beale": Problem("(1.5-x+x*y)^2 + (2.25-x+x*y^2)^2 + (2.625-x+x*y^3)^2", [1, 1], {"x": 3, "y": 0.5}),
    "booth": Problem("(x+2y-7)^2 + (2x+y-5)^2", [0, 0], {"x": 1, "y": 3}),
    "ten": Problem(
        " + ".join(f"{k + 1}*(x{k} - {k})^2" for k in range(10)) + " + x0^4", [1.0] * 10, {"x9": 9, "x5": 5}
    ),
    "saddle": Problem("x^2 - y^2 + y^4", [1, 0], {}),
    "maximum": Problem("x^4 - x^2", 0, {}),
    "falls": Problem("x", 0, {}),
    "plateau": Problem("-exp(-(x-40)^2)", 0, {}),
}

# What each method comes to: problem → (status, looks that it may take); RATES are plain gradient descent's.
RATES = {
    "parabola": 0.3, "bowl": 0.05, "long bowl": 1e-4, "rosenbrock": 1e-3, "quartic": 0.1, "cosh": 0.05,
    "logarithm": 0.2, "two wells": 0.1, "beale": 0.01, "booth": 0.1, "ten": 0.04, "saddle": 0.1, "maximum": 0.1,
    "falls": 0.1, "plateau": 0.1,
}  # fmt: skip
REFUSAL = "not written as a sum of squares"
NO_SQUARES = dict.fromkeys(
    ("parabola", "cosh", "logarithm", "two wells", "saddle", "maximum", "falls", "plateau"), REFUSAL
)
EXPECTED = {
    "auto": {
        "parabola": (Status.EXACT, 2), "bowl": (Status.EXACT, 2), "long bowl": (Status.EXACT, 2),
        "rosenbrock": (Status.MINIMUM, 25), "quartic": (Status.MINIMUM, 5), "cosh": (Status.MINIMUM, 12),
        "logarithm": (Status.MINIMUM, 12), "two wells": (Status.MINIMUM, 8), "beale": (Status.MINIMUM, 12),
        "booth": (Status.EXACT, 2), "ten": (Status.MINIMUM, 8), "saddle": (Status.MINIMUM, 10),
        "maximum": (Status.MINIMUM, 12), "falls": (Status.UNBOUNDED, 1000), "plateau": (Status.STALLED, 5),
    },
    "newton": {
        "parabola": (Status.MINIMUM, 3), "bowl": (Status.MINIMUM, 3), "long bowl": (Status.MINIMUM, 3),
        "rosenbrock": (Status.MINIMUM, 25), "quartic": (Status.MINIMUM, 5), "cosh": (Status.MINIMUM, 12),
        "logarithm": (Status.MINIMUM, 12), "two wells": (Status.MINIMUM, 8), "beale": (Status.MINIMUM, 10),
        "booth": (Status.MINIMUM, 3), "ten": (Status.MINIMUM, 8), "saddle": (Status.MINIMUM, 10),
        "maximum": (Status.MINIMUM, 12), "falls": (Status.UNBOUNDED, 600), "plateau": (Status.STALLED, 5),
    },
    "barzilai-borwein": {
        "parabola": (Status.MINIMUM, 5), "bowl": (Status.MINIMUM, 12), "long bowl": (Status.MINIMUM, 7),
        "rosenbrock": (Status.MINIMUM, 225), "quartic": (Status.MINIMUM, 100), "cosh": (Status.MINIMUM, 20),
        "logarithm": (Status.MINIMUM, 27), "two wells": (Status.MINIMUM, 8), "beale": (Status.MINIMUM, 56),
        "booth": (Status.MINIMUM, 13), "ten": (Status.MINIMUM, 51), "saddle": (Status.MINIMUM, 250),
        "maximum": (Status.MINIMUM, 15), "falls": (Status.UNBOUNDED, 1000), "plateau": (Status.STALLED, 1),
    },
    "bfgs": {
        "parabola": (Status.MINIMUM, 4), "bowl": (Status.MINIMUM, 10), "long bowl": (Status.MINIMUM, 13),
        "rosenbrock": (Status.MINIMUM, 55), "quartic": (Status.MINIMUM, 98), "cosh": (Status.MINIMUM, 25),
        "logarithm": (Status.MINIMUM, 26), "two wells": (Status.MINIMUM, 7), "beale": (Status.MINIMUM, 21),
        "booth": (Status.MINIMUM, 13), "ten": (Status.MINIMUM, 28), "saddle": (Status.MINIMUM, 250),
        "maximum": (Status.MINIMUM, 15), "falls": (Status.UNBOUNDED, 1000), "plateau": (Status.STALLED, 1),
    },
    "conjugate-gradient": {
        "parabola": (Status.MINIMUM, 6), "bowl": (Status.MINIMUM, 10), "long bowl": (Status.MINIMUM, 27),
        "rosenbrock": (Status.MINIMUM, 120), "quartic": (Status.MINIMUM, 67), "cosh": (Status.MINIMUM, 22),
        "logarithm": (Status.MINIMUM, 16), "two wells": (Status.MINIMUM, 10), "beale": (Status.MINIMUM, 40),
        "booth": (Status.MINIMUM, 10), "ten": (Status.MINIMUM, 65), "saddle": (Status.MINIMUM, 250),
        "maximum": (Status.MINIMUM, 15), "falls": (Status.UNBOUNDED, 1000), "plateau": (Status.STALLED, 1),
    },
    "l-bfgs": {
        "parabola": (Status.MINIMUM, 4), "bowl": (Status.MINIMUM, 8), "long bowl": (Status.MINIMUM, 13),
        "rosenbrock": (Status.MINIMUM, 56), "quartic": (Status.MINIMUM, 98), "cosh": (Status.MINIMUM, 16),
        "logarithm": (Status.MINIMUM, 26), "two wells": (Status.MINIMUM, 7), "beale": (Status.MINIMUM, 21),
        "booth": (Status.MINIMUM, 12), "ten": (Status.MINIMUM, 23), "saddle": (Status.MINIMUM, 250),
        "maximum": (Status.MINIMUM, 15), "falls": (Status.UNBOUNDED, 1000), "plateau": (Status.STALLED, 1),
    },
    "gradient-descent": {
        "parabola": (Status.MINIMUM, 200), "bowl": (Status.MINIMUM, 500), "long bowl": (Status.LOOKS_SPENT, 5000),
        "rosenbrock": (Status.LOOKS_SPENT, 5000), "quartic": (Status.LOOKS_SPENT, 5000), "cosh": (Status.MINIMUM, 900),
        "logarithm": (Status.MINIMUM, 300), "two wells": (Status.MINIMUM, 300), "beale": (Status.LOOKS_SPENT, 5000),
        "booth": (Status.MINIMUM, 400), "ten": (Status.MINIMUM, 1200), "saddle": (Status.SADDLE, 5000),
        "maximum": (Status.MAXIMUM, 150), "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 150),
    },
    "momentum": {
        "parabola": (Status.MINIMUM, 800), "bowl": (Status.MINIMUM, 960), "long bowl": (Status.LOOKS_SPENT, 5000),
        "rosenbrock": (Status.LOOKS_SPENT, 5000), "quartic": (Status.STALLED, 190), "cosh": (Status.MINIMUM, 3680),
        "logarithm": (Status.NOT_FINITE, 18), "two wells": (Status.MINIMUM, 760), "beale": (Status.LOOKS_SPENT, 5000),
        "booth": (Status.MINIMUM, 910), "ten": (Status.MINIMUM, 1210), "saddle": (Status.DIVERGING, 5000),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 2),
    },
    "nesterov": {
        "parabola": (Status.MINIMUM, 60), "bowl": (Status.MINIMUM, 150), "long bowl": (Status.MINIMUM, 2390),
        "rosenbrock": (Status.MINIMUM, 1540), "quartic": (Status.LOOKS_SPENT, 5000), "cosh": (Status.MINIMUM, 540),
        "logarithm": (Status.MINIMUM, 100), "two wells": (Status.MINIMUM, 90), "beale": (Status.MINIMUM, 690),
        "booth": (Status.MINIMUM, 90), "ten": (Status.MINIMUM, 370), "saddle": (Status.SADDLE, 970),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 2),
    },
    "adagrad": {
        "parabola": (Status.MINIMUM, 3100), "bowl": (Status.MINIMUM, 2480), "long bowl": (Status.MINIMUM, 2480),
        "rosenbrock": (Status.LOOKS_SPENT, 5000), "quartic": (Status.LOOKS_SPENT, 5000),
        "cosh": (Status.MINIMUM, 5000), "logarithm": (Status.MINIMUM, 170), "two wells": (Status.MINIMUM, 16),
        "beale": (Status.MINIMUM, 2600), "booth": (Status.MINIMUM, 2450), "ten": (Status.MINIMUM, 3090),
        "saddle": (Status.SADDLE, 970), "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 5000),
        "plateau": (Status.STALLED, 2),
    },
    "rmsprop": {
        "parabola": (Status.MINIMUM, 310), "bowl": (Status.MINIMUM, 250), "long bowl": (Status.MINIMUM, 250),
        "rosenbrock": (Status.STALLED, 4380), "quartic": (Status.MINIMUM, 1920), "cosh": (Status.STALLED, 340),
        "logarithm": (Status.MINIMUM, 210), "two wells": (Status.MINIMUM, 150), "beale": (Status.STALLED, 230),
        "booth": (Status.STALLED, 270), "ten": (Status.MINIMUM, 5000), "saddle": (Status.SADDLE, 200),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 4030), "plateau": (Status.STALLED, 2),
    },
    "adadelta": {
        "parabola": (Status.MINIMUM, 2570), "bowl": (Status.MINIMUM, 2350), "long bowl": (Status.MINIMUM, 2350),
        "rosenbrock": (Status.STALLED, 1040), "quartic": (Status.LOOKS_SPENT, 5000), "cosh": (Status.MINIMUM, 2570),
        "logarithm": (Status.MINIMUM, 1040), "two wells": (Status.MINIMUM, 370), "beale": (Status.STALLED, 740),
        "booth": (Status.DIVERGING, 1590), "ten": (Status.MINIMUM, 2700), "saddle": (Status.SADDLE, 1710),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 2),
    },
    "adam": {
        "parabola": (Status.MINIMUM, 1350), "bowl": (Status.MINIMUM, 1190), "long bowl": (Status.MINIMUM, 1190),
        "rosenbrock": (Status.MINIMUM, 4670), "quartic": (Status.LOOKS_SPENT, 5000), "cosh": (Status.MINIMUM, 3410),
        "logarithm": (Status.MINIMUM, 830), "two wells": (Status.MINIMUM, 790), "beale": (Status.MINIMUM, 1300),
        "booth": (Status.MINIMUM, 1440), "ten": (Status.MINIMUM, 1450), "saddle": (Status.SADDLE, 5000),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 2),
    },
    "adamw": {
        "parabola": (Status.DIVERGING, 820), "bowl": (Status.LOOKS_SPENT, 5000),
        "long bowl": (Status.LOOKS_SPENT, 5000), "rosenbrock": (Status.STALLED, 5000),
        "quartic": (Status.LOOKS_SPENT, 5000), "cosh": (Status.LOOKS_SPENT, 5000), "logarithm": (Status.STALLED, 410),
        "two wells": (Status.STALLED, 380), "beale": (Status.LOOKS_SPENT, 5000), "booth": (Status.LOOKS_SPENT, 5000),
        "ten": (Status.LOOKS_SPENT, 5000), "saddle": (Status.SADDLE, 2600), "maximum": (Status.MAXIMUM, 2),
        "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 2),
    },
    "amsgrad": {
        "parabola": (Status.MINIMUM, 560), "bowl": (Status.MINIMUM, 860), "long bowl": (Status.MINIMUM, 860),
        "rosenbrock": (Status.LOOKS_SPENT, 5000), "quartic": (Status.STALLED, 140), "cosh": (Status.MINIMUM, 2520),
        "logarithm": (Status.NOT_FINITE, 13), "two wells": (Status.MINIMUM, 780), "beale": (Status.MINIMUM, 1040),
        "booth": (Status.MINIMUM, 820), "ten": (Status.MINIMUM, 960), "saddle": (Status.SADDLE, 1350),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 2),
    },
    "nadam": {
        "parabola": (Status.MINIMUM, 1770), "bowl": (Status.MINIMUM, 1590), "long bowl": (Status.MINIMUM, 1590),
        "rosenbrock": (Status.STALLED, 920), "quartic": (Status.LOOKS_SPENT, 5000), "cosh": (Status.MINIMUM, 3990),
        "logarithm": (Status.MINIMUM, 330), "two wells": (Status.MINIMUM, 100), "beale": (Status.MINIMUM, 1700),
        "booth": (Status.MINIMUM, 1840), "ten": (Status.MINIMUM, 2710), "saddle": (Status.SADDLE, 1210),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 2),
    },
    "lion": {
        "parabola": (Status.MINIMUM, 4070), "bowl": (Status.MINIMUM, 4030), "long bowl": (Status.MINIMUM, 4030),
        "rosenbrock": (Status.STALLED, 530), "quartic": (Status.STALLED, 1030), "cosh": (Status.MINIMUM, 4460),
        "logarithm": (Status.NOT_FINITE, 12), "two wells": (Status.STALLED, 130), "beale": (Status.MINIMUM, 4480),
        "booth": (Status.MINIMUM, 4370), "ten": (Status.MINIMUM, 4290), "saddle": (Status.SADDLE, 5000),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 4080), "plateau": (Status.STALLED, 2),
    },
    "adgd": {
        "parabola": (Status.MINIMUM, 80), "bowl": (Status.MINIMUM, 160), "long bowl": (Status.LOOKS_SPENT, 5000),
        "rosenbrock": (Status.LOOKS_SPENT, 5000), "quartic": (Status.MINIMUM, 300), "cosh": (Status.MINIMUM, 90),
        "logarithm": (Status.NOT_FINITE, 3), "two wells": (Status.MINIMUM, 80), "beale": (Status.MINIMUM, 1970),
        "booth": (Status.MINIMUM, 160), "ten": (Status.MINIMUM, 890), "saddle": (Status.SADDLE, 810),
        "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 3), "plateau": (Status.STALLED, 2),
    },
    "dog": {
        "parabola": (Status.MINIMUM, 450), "bowl": (Status.MINIMUM, 3180), "long bowl": (Status.LOOKS_SPENT, 5000),
        "rosenbrock": (Status.LOOKS_SPENT, 5000), "quartic": (Status.LOOKS_SPENT, 5000),
        "cosh": (Status.MINIMUM, 5000), "logarithm": (Status.MINIMUM, 200), "two wells": (Status.MINIMUM, 610),
        "beale": (Status.LOOKS_SPENT, 5000), "booth": (Status.MINIMUM, 3010), "ten": (Status.MINIMUM, 4880),
        "saddle": (Status.SADDLE, 3910), "maximum": (Status.MAXIMUM, 2), "falls": (Status.UNBOUNDED, 5000),
        "plateau": (Status.STALLED, 2),
    },
    "gauss-newton": {
        "bowl": (Status.MINIMUM, 3), "long bowl": (Status.MINIMUM, 3), "rosenbrock": (Status.MINIMUM, 30),
        "quartic": (Status.MINIMUM, 45), "beale": (Status.MINIMUM, 12), "booth": (Status.MINIMUM, 3),
        "ten": (Status.MINIMUM, 8),
    } | NO_SQUARES,
    "levenberg-marquardt": {
        "bowl": (Status.MINIMUM, 4), "long bowl": (Status.MINIMUM, 4), "rosenbrock": (Status.MINIMUM, 6),
        "quartic": (Status.MINIMUM, 6), "beale": (Status.MINIMUM, 8), "booth": (Status.MINIMUM, 3),
        "ten": (Status.MINIMUM, 7),
    } | NO_SQUARES,
}  # fmt: skip
BUDGET = 5000
# The learning rates of methods that need one: a number or formula for all problems, or a factor on RATES.
FIXED_RATES = {
    "adagrad": 0.5, "rmsprop": "0.1*0.99^k", "adam": 0.05, "adamw": 0.05, "amsgrad": 0.05, "nadam": 0.05,
    "lion": "0.3*0.99^k",
}  # fmt: skip
FACTORS = {"gradient-descent": 1.0, "momentum": 0.1, "nesterov": 0.5}
UNITS = {"adadelta"}  # its ε is added to squared slopes: the unit of the cost matters
NO_PENALTY = "no penalty with a proximal operator"
# Methods that need what no problem of this table has, and the words of their refusal.
REFUSED = {"slqp": "no kinks", "fista": NO_PENALTY, "proximal": NO_PENALTY}
CELLS = [(method, name) for method in EXPECTED for name in PROBLEMS if EXPECTED[method][name] != REFUSAL]
REFUSALS = [(method, name, words) for method, words in REFUSED.items() for name in PROBLEMS]
REFUSALS += [(method, name, REFUSAL) for method, row in EXPECTED.items() for name in row if row[name] == REFUSAL]


def test_every_registered_method_has_a_full_row():
    assert set(EXPECTED) | set(REFUSED) == {"auto", *METHODS}
    for row in EXPECTED.values():
        assert set(row) == set(PROBLEMS)
    assert set(RATES) == set(PROBLEMS)


@pytest.mark.parametrize("name", [n for n, p in PROBLEMS.items() if p.minimum])
def test_the_table_of_problems_is_right(name):
    """The slope vanishes at the minimum that is claimed (where all of it is), and every cost around is higher."""
    problem = PROBLEMS[name]
    fun = descend.compile(problem.cost)
    if set(fun.names) != set(problem.minimum):
        return
    at = [problem.minimum[n] for n in fun.names]
    assert max(map(abs, fun.gradient(at))) < 1e-12
    for k in range(len(at)):
        for away in (-0.01, 0.01):
            assert fun([v + away * (j == k) for j, v in enumerate(at)]) > fun(at)


@pytest.mark.parametrize(("method", "name", "words"), REFUSALS)
def test_refused(method, name, words):
    with pytest.raises(descend.MethodError, match=words):
        descend.minimize(PROBLEMS[name].cost, PROBLEMS[name].start, method=method)


def settings(method, name, unit=1.0):
    """The learning rate of a method on a problem whose cost is divided by `unit`."""
    if method in FIXED_RATES:
        return {"learning_rate": FIXED_RATES[method]}
    return {"learning_rate": RATES[name] * FACTORS[method] * unit} if method in FACTORS else {}


@pytest.mark.parametrize(("method", "name"), CELLS)
def test_outcome(method, name):
    problem, (status, looks) = PROBLEMS[name], EXPECTED[method][name]
    result = descend.minimize(problem.cost, problem.start, method=method, max_looks=BUDGET, **settings(method, name))
    assert result.status is status
    assert result.looks <= looks
    if result.success:
        for variable, value in problem.minimum.items():
            assert result[variable] == pytest.approx(value, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("method", "name"), CELLS)
def test_the_same_under_another_name_shift_and_scale(method, name):
    """No method looks at names, and none loses a minimum because of the units of the cost."""
    problem, (status, _) = PROBLEMS[name], EXPECTED[method][name]
    if not status.success or status is Status.EXACT or method in UNITS:
        return
    cost, given = f"2^(-20)*({problem.cost})", settings(method, name, 2.0**20)
    assert descend.minimize(cost, problem.start, method=method, max_looks=BUDGET, **given).status is status


def test_a_run_repeats():
    assert descend.minimize("x^2 - 4x + 1", 10).looks == 2
    assert descend.gradient_descent("x^2", 3, 0.1).looks == 101
    first = descend.minimize(ROSENBROCK, [-1.2, 1], trace=True)
    again = descend.minimize(ROSENBROCK, [-1.2, 1], trace=True)
    assert first.looks == again.looks
    assert first.trace["x"] == again.trace["x"]
