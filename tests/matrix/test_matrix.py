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
EXPECTED = {
    "auto": {
        "parabola": (Status.EXACT, 2), "bowl": (Status.EXACT, 2), "long bowl": (Status.EXACT, 2),
        "rosenbrock": (Status.MINIMUM, 400), "quartic": (Status.MINIMUM, 900), "cosh": (Status.MINIMUM, 250),
        "logarithm": (Status.MINIMUM, 200), "two wells": (Status.MINIMUM, 200), "beale": (Status.MINIMUM, 400),
        "booth": (Status.EXACT, 2), "ten": (Status.MINIMUM, 300), "saddle": (Status.SADDLE, 250),
        "maximum": (Status.MAXIMUM, 1), "falls": (Status.UNBOUNDED, 1000), "plateau": (Status.STALLED, 150),
    },
    "backtracking": {
        "parabola": (Status.MINIMUM, 150), "bowl": (Status.MINIMUM, 200), "long bowl": (Status.MINIMUM, 400),
        "rosenbrock": (Status.MINIMUM, 400), "quartic": (Status.MINIMUM, 900), "cosh": (Status.MINIMUM, 250),
        "logarithm": (Status.MINIMUM, 200), "two wells": (Status.MINIMUM, 200), "beale": (Status.MINIMUM, 400),
        "booth": (Status.MINIMUM, 200), "ten": (Status.MINIMUM, 300), "saddle": (Status.SADDLE, 250),
        "maximum": (Status.MAXIMUM, 1), "falls": (Status.UNBOUNDED, 1000), "plateau": (Status.STALLED, 150),
    },
    "gradient-descent": {
        "parabola": (Status.MINIMUM, 200), "bowl": (Status.MINIMUM, 500), "long bowl": (Status.LOOKS_SPENT, 5000),
        "rosenbrock": (Status.LOOKS_SPENT, 5000), "quartic": (Status.LOOKS_SPENT, 5000), "cosh": (Status.MINIMUM, 900),
        "logarithm": (Status.MINIMUM, 300), "two wells": (Status.MINIMUM, 300), "beale": (Status.LOOKS_SPENT, 5000),
        "booth": (Status.MINIMUM, 400), "ten": (Status.MINIMUM, 1200), "saddle": (Status.SADDLE, 5000),
        "maximum": (Status.MAXIMUM, 150), "falls": (Status.UNBOUNDED, 5000), "plateau": (Status.STALLED, 150),
    },
}  # fmt: skip
BUDGET = 5000
REFUSED = {"slqp": "no kinks"}  # methods that need what no problem of this table has, and the words of their refusal
CELLS = [(method, name) for method in EXPECTED for name in PROBLEMS]


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


@pytest.mark.parametrize("method", REFUSED)
@pytest.mark.parametrize("name", PROBLEMS)
def test_refused(method, name):
    with pytest.raises(descend.MethodError, match=REFUSED[method]):
        descend.minimize(PROBLEMS[name].cost, PROBLEMS[name].start, method=method)


@pytest.mark.parametrize(("method", "name"), CELLS)
def test_outcome(method, name):
    problem, (status, looks) = PROBLEMS[name], EXPECTED[method][name]
    settings = {"learning_rate": RATES[name]} if method == "gradient-descent" else {}
    result = descend.minimize(problem.cost, problem.start, method=method, max_looks=BUDGET, **settings)
    assert result.status is status
    assert result.looks <= looks
    if result.success:
        for variable, value in problem.minimum.items():
            assert result[variable] == pytest.approx(value, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("method", "name"), CELLS)
def test_the_same_under_another_name_shift_and_scale(method, name):
    """No method looks at names, and none loses a minimum because of the units of the cost."""
    problem, (status, _) = PROBLEMS[name], EXPECTED[method][name]
    if not status.success or status is Status.EXACT:
        return
    settings = {"learning_rate": RATES[name] * 2.0**20} if method == "gradient-descent" else {}
    cost = f"2^(-20)*({problem.cost})"
    assert descend.minimize(cost, problem.start, method=method, max_looks=BUDGET, **settings).status is status


def test_a_run_repeats():
    assert descend.minimize("x^2 - 4x + 1", 10).looks == 2
    assert descend.gradient_descent("x^2", 3, 0.1).looks == 101
    first = descend.minimize(ROSENBROCK, [-1.2, 1], trace=True)
    again = descend.minimize(ROSENBROCK, [-1.2, 1], trace=True)
    assert first.looks == again.looks
    assert first.trace["x"] == again.trace["x"]
