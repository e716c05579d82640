"""Penalties with kinks: value, proximal operator, subgradient and curvature, against their definitions in 50 digits."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from mpmath import diff, mp, mpf

from descend.evaluation import Needs, Order
from descend.expression.parse import parse
from descend.problem.layout import Extent, Layout
from descend.problem.objective import make_objective
from descend.problem.penalised import PenalisedObjective
from descend.problem.penalty import Named, make_penalty
from descend.problem.problem import make_problem
from descend.vector import Vector

NAMES = ("x1", "x2", "x3", "x4")
LAYOUT = Layout(tuple((name, None) for name in NAMES))
POINT = np.array([0.7, -1.3, 2.0, -0.25])


def made(kind, *numbers, groups=()):
    return make_penalty(Named(kind, tuple(map(Fraction, numbers)), groups, kind), LAYOUT)


PENALTIES = {
    "l1": made("l1", "1/2"),
    "l1 of some": made("l1", "1/2", groups=(("x1", "x3"),)),
    "elastic-net": made("elastic-net", "1/2", "1/4"),
    "ridge": made("elastic-net", "1/2", "0"),
    "group": made("group", "1/2", groups=(("x1", "x2", "x4"), ("x3",))),
    "group of some": made("group", "1/2", groups=(("x4", "x2"),)),
}


def value(name, x):
    """P(x) from its definition, in 50 digits."""
    x = [mpf(entry) for entry in x]
    half, quarter = mpf(1) / 2, mpf(1) / 4
    match name:
        case "l1":
            return half * sum(map(abs, x))
        case "l1 of some":
            return half * (abs(x[0]) + abs(x[2]))
        case "elastic-net":
            return half * quarter * sum(map(abs, x)) + half * half * (1 - quarter) * sum(e * e for e in x)
        case "ridge":
            return half * half * sum(e * e for e in x)
        case "group":
            return half * (mp.sqrt(3) * mp.sqrt(x[0] ** 2 + x[1] ** 2 + x[3] ** 2) + abs(x[2]))
    return half * mp.sqrt(2) * mp.sqrt(x[1] ** 2 + x[3] ** 2)


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("point", [POINT, np.array([0.0, 0.0, 3.0, 0.0]), np.zeros(4)])
def test_value(name, point):
    with mp.workdps(50):
        assert PENALTIES[name].value(point) == pytest.approx(float(value(name, point)), rel=1e-15)


@pytest.mark.parametrize("name", PENALTIES)
def test_slope_and_curvature_where_it_is_smooth(name):
    penalty = PENALTIES[name]
    with mp.workdps(50):
        orders = [tuple((j == i) + (j == k) for j in range(4)) for i in range(4) for k in range(4)]
        bend = [diff(lambda *x: value(name, x), tuple(map(mpf, POINT)), order) for order in orders]
        pull = [
            diff(lambda *x: value(name, x), tuple(map(mpf, POINT)), tuple(j == i for j in range(4))) for i in range(4)
        ]
    assert penalty.pull(POINT) == pytest.approx(np.array(pull, dtype=float), rel=1e-14)
    full = penalty.bend(POINT)
    assert full.ravel() == pytest.approx(np.array(bend, dtype=float), rel=1e-13, abs=1e-15)
    direction = np.array([1.0, -2.0, 0.5, 3.0])
    assert penalty.bend_product(POINT, direction) == pytest.approx(full @ direction, rel=1e-14, abs=1e-15)


@pytest.mark.parametrize("name", PENALTIES)
@pytest.mark.parametrize("length", [0.01, 0.6, 1.5, 40.0])
def test_the_proximal_point_is_the_lowest(name, length):
    """P(z) + |z - x|²/(2·length) is strongly convex: what is lower than all around, in 50 digits, is its minimum."""
    z = PENALTIES[name].prox(POINT, np.full(4, length))

    def model(point):
        return value(name, point) + sum((mpf(p) - mpf(x)) ** 2 for p, x in zip(point, POINT, strict=True)) / (
            2 * mpf(length)
        )

    rng = np.random.default_rng(1)
    with mp.workdps(50):
        lowest = model(z)
        for away in (1e-6, 1e-3, 1.0):
            for direction in [*np.eye(4), *-np.eye(4), *rng.normal(size=(20, 4)), z, -z]:
                if direction.any():
                    assert model(z + away * direction) > lowest


@pytest.mark.parametrize("name", PENALTIES)
def test_the_shortest_subgradient(name):
    """Moving against it lowers f + P at its own rate, |s|² (Bertsekas): to first order nothing falls faster."""
    penalty = PENALTIES[name]
    slope = np.array([0.9, -0.2, 3.0, 1.1])
    for x in (POINT, np.array([0.0, 0.0, 3.0, 0.0]), np.zeros(4)):
        shortest = penalty.shortest(x, slope)
        away = 1e-7
        with mp.workdps(50):
            moved = [mpf(a) - mpf(away) * mpf(s) for a, s in zip(x, shortest, strict=True)]
            change = value(name, moved) - value(name, x) - away * sum(map(mpf, slope * shortest))
        assert float(change) == pytest.approx(-away * float(shortest @ shortest), rel=1e-5, abs=1e-20)


def test_held_where_the_slope_is_smaller_than_the_weight():
    penalty = PENALTIES["group"]
    slope, error = np.array([0.5, 0.5, 0.5, 0.4]), np.full(4, 1e-16)
    found = penalty.zeros(np.zeros(4), slope, error, [])
    assert found.held == [0, 1, 3]  # |(0.5, 0.5, 0.4)| = 0.812 < √3/2; the slope of x3 is its weight: not held
    assert found.share == 1.0
    assert penalty.zeros(POINT, slope, error, []) is None
    assert penalty.zeros(np.zeros(4), slope, error, [0, 1, 3]).held == []


@pytest.mark.parametrize("unit", [1e-200, 1e-12, 1e12, 1e200])
def test_lengths_stay_in_the_doubles(unit):
    penalty = PENALTIES["group"]
    assert penalty.sizes(unit * np.array([3.0, 4.0, 1.0, 0.0])) == pytest.approx([5.0 * unit, unit], rel=1e-15)
    assert penalty.prox(unit * POINT, np.full(4, unit)) == pytest.approx(
        unit * penalty.prox(POINT, np.ones(4)), rel=1e-14
    )


def test_an_array_and_its_entries():
    layout = Layout((("a", None), ("x", Extent(1, 3))))
    group = make_penalty(Named("group", (Fraction(1),), (("x",), ("a",)), ""), layout)
    assert group.blocks.tolist() == [1, 0, 0, 0]
    assert group.weights == pytest.approx([3**0.5, 1.0])
    some = make_penalty(Named("l1", (Fraction(1),), (("x[2]",),), ""), layout)
    assert (some.blocks >= 0).tolist() == [False, False, True, False]


@pytest.mark.parametrize("name", PENALTIES)
def test_an_objective_with_bounds_on_its_rounding(name):
    """Cost, gradient and Hessian of f + P, and their errors, against 50 digits."""
    text = "exp(x1)*x2 + x3^4 + (x1 - x4)^2"
    problem = make_problem(parse(text))
    whole = PenalisedObjective(make_objective(problem, 1), PENALTIES[name])
    seen = whole.look(Vector(POINT.tolist()), Order.BOUNDS)

    def cost(*x):
        return mp.exp(x[0]) * x[1] + x[2] ** 4 + (x[0] - x[3]) ** 2 + value(name, x)

    with mp.workdps(50):
        at = tuple(map(mpf, POINT))
        assert abs(mpf(seen.cost) - cost(*at)) <= seen.cost_error < 1e-13
        for i in range(4):
            exact = diff(cost, at, tuple(j == i for j in range(4)))
            assert abs(mpf(seen.gradient[i]) - exact) <= seen.gradient_error[i] < 1e-12
            for k in range(4):
                exact = diff(cost, at, tuple((j == i) + (j == k) for j in range(4)))
                assert abs(mpf(seen.hessian[i][k]) - exact) <= seen.hessian_error[i][k] + mpf(10) ** -24
                assert seen.hessian_error[i][k] < 1e-12
    assert seen.split.smooth.cost == whole.inner.look(Vector(POINT.tolist())).cost
    assert whole.obstacle(Needs.PROX) is None
    assert whole.obstacle(Needs.HESSIAN) == whole.obstacle(Needs.GRADIENT) is not None
