"""Gauss-Newton and Levenberg-Marquardt: steps in 50 digits, minima of an independent library, certified values."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import mpmath
import numpy as np
import pytest
from scipy.optimize import least_squares

import descend
from descend.box import Box
from descend.descent.loop import descend as walk
from descend.descent.method.gauss_newton import GaussNewton, least_norm
from descend.descent.method.levenberg_marquardt import BENDS, LevenbergMarquardt
from descend.descent.status import Ending
from descend.descent.stopping import Looks
from descend.vector import ArrayVector, Vector

METHODS = [GaussNewton(), LevenbergMarquardt()]
NIST = sorted((Path(__file__).parents[1] / "data" / "cases" / "nist_nonlinear").glob("*.json"))
TIMES = [0.0, 0.5, 1.0, 2.0, 3.5]
SEEN = [2.0, 1.3, 0.7, 0.25, 0.1]
DECAY = "+".join(f"({y} - a*exp(-b*{x}))^2" for x, y in zip(TIMES, SEEN, strict=True))
START = (1.5, 0.8)


def objective_of(text, **settings):
    return descend.compile(text, **settings)._curvature()


def decay_at(point):
    """Residuals, Jacobian and second derivatives of the decay by hand, in 50 digits."""
    a, b = map(mpmath.mpf, point)
    shapes = [mpmath.exp(-b * mpmath.mpf(x)) for x in TIMES]
    residuals = mpmath.matrix([a * e - mpmath.mpf(y) for e, y in zip(shapes, SEEN, strict=True)])
    jacobian = mpmath.matrix([[e, -a * x * e] for e, x in zip(shapes, TIMES, strict=True)])

    def bend(v):
        return mpmath.matrix(
            [2 * v[0] * v[1] * (-x * e) + v[1] * v[1] * a * x * x * e for e, x in zip(shapes, TIMES, strict=True)]
        )

    return residuals, jacobian, bend


def step_by_hand(point, *, accelerated):
    residuals, jacobian, bend = decay_at(point)
    normal = jacobian.T * jacobian
    step = mpmath.lu_solve(normal, -(jacobian.T * residuals))
    if not accelerated:
        return step
    return step + mpmath.lu_solve(normal, -(jacobian.T * bend(step))) / 2


class TestResidualCurvature:
    """2·JᵀW·r''(v, v), with Jacobians and second derivatives by hand."""

    def test_a_formula(self):
        with mpmath.workdps(50):
            direction = (0.3, -0.7)
            _, jacobian, bend = decay_at(START)
            expected = [float(e) for e in 2 * (jacobian.T * bend(direction))]
        found = objective_of(DECAY).residual_curvature(Vector(START), Vector(direction))
        assert list(found) == pytest.approx(expected, rel=1e-13)

    def test_weights_and_powers(self):
        # r₁ = a·b with weight 3, r₂ = c² (its square is c⁴) with weight 1/2.
        found = objective_of("3*(a*b)^2 + c^4/2").residual_curvature(Vector([2, 5, 3]), Vector([1, -2, 0.5]))
        first, second = 2.0 * 1 * -2, 2 * 0.25
        assert list(found) == pytest.approx([6 * 5 * first, 6 * 2 * first, 6 * second])

    def test_a_sum_over_an_index(self):
        n = 7
        rng = np.random.default_rng(1)
        x, v = rng.normal(size=(2, n))
        objective = objective_of("sum((1-x[i])^2 + 100*(x[i+1]-x[i]^2)^2, i, 0, n-2)", constants={"n": n})
        jacobian = np.zeros((n - 1, n))
        for i in range(n - 1):
            jacobian[i, i], jacobian[i, i + 1] = -20 * x[i], 10
        expected = 2 * jacobian.T @ (-20 * v[:-1] ** 2)
        found = objective.residual_curvature(ArrayVector(x), ArrayVector(v))
        assert found.array() == pytest.approx(expected, rel=1e-13)

    @pytest.mark.parametrize(("loss", "share"), [("rss", 1.0), ("mse", 1 / len(TIMES))])
    def test_rows(self, loss, share):
        with mpmath.workdps(50):
            direction = (0.3, -0.7)
            _, jacobian, bend = decay_at(START)
            expected = [share * float(e) for e in 2 * (jacobian.T * bend(direction))]
        objective = descend.compile("y = a*exp(-b*x)", {"x": TIMES, "y": SEEN}, loss=loss)._objective
        found = objective.residual_curvature(Vector(START), Vector(direction))
        assert list(found) == pytest.approx(expected, rel=1e-13)

    def test_none_without_squares(self):
        assert objective_of("exp(x) - x").residual_curvature(Vector([1]), Vector([1])) is None
        objective = objective_of("sum(exp(x[i]) - x[i], i, 0, 4)")
        assert objective.residual_curvature(ArrayVector([1.0] * 5), ArrayVector([1.0] * 5)) is None


class TestRecursions:
    """Accepted full steps against the same steps by hand in 50 digits."""

    @pytest.mark.parametrize("method", METHODS)
    def test_the_first_steps(self, method):
        result = descend.minimize(DECAY, START, method=method, trace=True)
        assert result.success
        points = list(zip(result.trace["a"], result.trace["b"], strict=True))
        accelerated = isinstance(method, LevenbergMarquardt)
        with mpmath.workdps(50):
            for here, there in pairwise(points[:4]):
                step = step_by_hand(here, accelerated=accelerated)
                assert [float(mpmath.mpf(h) + s) for h, s in zip(here, step, strict=True)] == pytest.approx(
                    there, rel=1e-12
                )

    def test_gauss_newton_solves_linear_residuals_in_one_step(self):
        result = descend.minimize("(2x + y - 3)^2 + (x - y)^2 + (x + 5y - 1)^2", [40, -3], method=GaussNewton())
        x, y = np.linalg.lstsq([[2, 1], [1, -1], [1, 5]], [3, 0, 1], rcond=None)[0]
        assert [result["x"], result["y"]] == pytest.approx([x, y], rel=1e-13)
        assert result.looks <= 3

    def test_the_step_of_least_norm(self):
        rng = np.random.default_rng(4)
        jacobian = rng.normal(size=(6, 2)) @ rng.normal(size=(2, 4))
        jacobian /= np.linalg.norm(jacobian, axis=0)
        residuals = rng.normal(size=6)
        step, regular = least_norm(jacobian.T @ jacobian, jacobian.T @ residuals)
        assert not regular
        assert step == pytest.approx(np.linalg.pinv(jacobian) @ residuals, rel=1e-10)

    def test_a_damped_step_is_that_of_levenberg(self):
        """p solves (N + λD²)p = -∇f for one λ > 0, and is as long as the radius; the correction is short."""
        objective = objective_of("100*(y - x^2)^2 + (1 - x)^2")
        method = LevenbergMarquardt()
        state = method.start(Vector([-1.2, 1.0]))
        damped = 0
        for _ in range(4):
            point = method.predict(state)
            state = method.learn(state, point, method.error(objective, point))
            if state.interior or state.exact:
                continue
            damped += 1
            x = state.at[0]
            jacobian = np.array([[-20 * x, 10], [-1, 0]])
            left = -state.gradient - 2 * jacobian.T @ jacobian @ state.model_step
            shifts = left / (state.scaling**2 * state.model_step)
            assert shifts[0] == pytest.approx(shifts[1], rel=1e-6)
            assert shifts[0] > 0
            length = np.linalg.norm(state.scaling * state.model_step)
            assert length == pytest.approx(state.radius, rel=0.11)
            assert np.linalg.norm(state.scaling * (state.trial - state.model_step)) <= BENDS * length
        assert damped


class TestMinima:
    @pytest.mark.parametrize("path", NIST, ids=lambda path: path.stem)
    @pytest.mark.parametrize("which", [0, 1])
    def test_nist(self, path, which):
        """Nine digits of every certified parameter, from both starts (recomputed by NIST's definition in 60 digits)."""
        case = json.loads(path.read_text())
        data = {name: [float(v) for v in case["data"][name]] for name in case["columns"]}
        fitted = descend.fit(
            f"{case['response']} = {case['model']}",
            data,
            start=dict(zip(case["params"], case["starts"][which], strict=True)),
            parameters=case["params"],
            method=LevenbergMarquardt(),
        )
        assert fitted.success
        assert fitted.looks < 400
        for name, value in zip(case["params"], case["refined"]["params"], strict=True):
            assert fitted[name] == pytest.approx(float(value), rel=1e-9)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize(
        ("model", "start"),
        [("y = a*exp(-b*x)", (1, 1)), ("y = a/(1 + b*x)", (1, 1)), ("y = a + b*sin(c*x)", (1, 1, 0.8))],
    )
    def test_as_minpack(self, method, model, start):
        names = "abc"[: len(start)]
        rng = np.random.default_rng(7)
        x = np.linspace(0, 4, 40)
        true = dict(zip("abc", (2.0, 1.1, 0.9), strict=True))
        y = descend.compile(model.split("=")[1], variables=[*names, "x"])
        seen = np.array([y([*(true[n] for n in names), t]) for t in x]) + 0.05 * rng.normal(size=40)
        fitted = descend.fit(model, {"x": x, "y": seen}, start=dict(zip(names, start, strict=True)), method=method)
        by_minpack = least_squares(
            lambda p: np.array([y([*p, t]) for t in x]) - seen, start, method="lm", xtol=1e-15, ftol=1e-15, gtol=1e-15
        )
        assert fitted.success
        assert [fitted[n] for n in names] == pytest.approx(list(by_minpack.x), rel=1e-6)
        assert fitted.cost <= 2 * by_minpack.cost * (1 + 1e-12)

    def test_large_residuals_are_left_to_the_exact_hessian(self):
        """At the minimum of Freudenstein and Roth's function that is not 0 Gauss-Newton hardly converges."""
        text, start = "(-13 + x + ((5 - y)*y - 2)*y)^2 + (-29 + x + ((y + 1)*y - 14)*y)^2", [0.5, -2]
        hybrid = descend.minimize(text, start, method=LevenbergMarquardt())
        plain = descend.minimize(text, start, method=GaussNewton())
        assert hybrid.success
        assert hybrid.cost == pytest.approx(48.98425367924, rel=1e-12)
        assert hybrid.looks < 12 < plain.looks

    @pytest.mark.parametrize("method", METHODS)
    def test_a_parameter_too_many(self, method):
        data = {"x": TIMES, "y": SEEN}
        fitted = descend.fit("y = a*c*exp(-b*x)", data, start={"a": 1, "b": 1, "c": 3}, method=method)
        alone = descend.fit("y = a*exp(-b*x)", data, start={"a": 3, "b": 1}, method=method)
        assert fitted["b"] == pytest.approx(alone["b"], rel=1e-9)
        assert fitted["a"] * fitted["c"] == pytest.approx(alone["a"], rel=1e-9)
        assert fitted.looks < 30

    @pytest.mark.parametrize("method", METHODS)
    def test_the_domain_is_not_left(self, method):
        result = descend.minimize("(log(x) - 1)^2", 20, method=method)
        assert result.success
        assert result["x"] == pytest.approx(np.e, rel=1e-11)

    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("scale", [2.0**-40, 2.0**40])
    def test_scales_of_cost_and_variables_change_nothing(self, method, scale):
        plain = descend.minimize(DECAY, START, method=method)
        cost = descend.minimize(f"{scale!r}*({DECAY})", START, method=method)
        variables = descend.minimize(
            DECAY.replace("a*", f"(a/{scale!r})*").replace("b*", f"(b/{scale!r})*"),
            [s * scale for s in START],
            method=method,
        )
        for other, factor in ((cost, 1.0), (variables, scale)):
            assert other.status is plain.status
            assert other.looks == plain.looks
            assert other["a"] == pytest.approx(plain["a"] * factor, rel=1e-11)


class TestBox:
    @pytest.mark.parametrize("method", METHODS)
    @pytest.mark.parametrize("high", [(1.9, 10.0), (10.0, 0.7), (1.2, 0.6)])
    def test_as_scipy(self, method, high):
        """The minimum lies at (2, 0.96) without bounds; here some hold."""
        objective = objective_of(DECAY)
        objective.box = Box(Vector([0.0, 0.0]), Vector(high))
        run = walk(objective, method, objective.box.project(Vector(START)), Looks(300))
        expected = least_squares(
            lambda p: np.array([p[0] * np.exp(-p[1] * x) - y for x, y in zip(TIMES, SEEN, strict=True)]),
            [0.5, 0.5], bounds=([0, 0], high), xtol=1e-15, ftol=1e-15, gtol=1e-15,
        )  # fmt: skip
        assert run.ending is not Ending.LOOKS
        assert list(run.best.point) == pytest.approx(list(expected.x), rel=1e-6)
        slope = objective.box.projected_slope(run.last.point, run.last.evaluation.gradient)
        assert slope.norm() <= 1e-10 * abs(objective.look(Vector(START)).gradient.norm())
        assert objective.box.contains(run.last.point)


def test_settings_are_frozen_and_nothing_is_looked_at_in_between():
    for method in METHODS:
        with pytest.raises(AttributeError):
            method.name = "other"
        state = method.start(Vector(START))
        assert method.predict(replace(state)) is state.x
