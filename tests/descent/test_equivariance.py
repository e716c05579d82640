"""What a method may not depend on: the order of the variables, and for the isotropic ones their axes."""

from __future__ import annotations

import random

import numpy as np
import pytest

import descend
from descend.descent.loop import descend as loop
from descend.descent.stopping import NotFinite, Steps
from descend.expression.parse import parse
from descend.problem.objective import FormulaObjective
from descend.problem.problem import make_problem
from descend.vector import Vector

ISOTROPIC = {
    "gradient descent": descend.GradientDescent(0.02),
    "momentum": descend.Momentum(0.02, momentum=0.5),
    "nesterov": descend.Nesterov(0.02),
    "adgd": descend.AdGD(),
    "dog": descend.DoG(),
}
BY_ENTRY = {
    "adagrad": descend.AdaGrad(0.3),
    "rmsprop": descend.RMSProp(0.02),
    "adadelta": descend.Adadelta(),
    "adam": descend.Adam(0.1),
    "adamw": descend.AdamW(0.1),
    "amsgrad": descend.AMSGrad(0.1),
    "nadam": descend.Nadam(0.1),
    "lion": descend.Lion(0.01),
}
NAMES = ("a", "b", "c")
COST = "log(1+({0})^2) + cosh(({1})/3) + ({0})*({1})/9 + ({2})^4/4 + ({2})^2/2 - ({2})"
STEPS = 25


def end(text, method, start):
    problem = make_problem(parse(text))
    order = [NAMES.index(name) for name in problem.variables]
    run = loop(
        FormulaObjective(problem, 1), method, Vector([float(start[k]) for k in order]), NotFinite() | Steps(STEPS)
    )
    assert run.steps == STEPS
    found = [0.0] * len(NAMES)
    for k, value in zip(order, run.last.point, strict=True):
        found[k] = value
    return np.array(found)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ISOTROPIC)
def test_turning_the_axes_turns_the_path(name, seed):
    """The cost f(Qᵀx) from Qs ends at Q times where f from s ends."""
    rng = np.random.default_rng(seed)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    start = rng.normal(size=3) * 2
    turned = [" + ".join(f"({turn[i, k]!r})*{NAMES[i]}" for i in range(3)).replace("np.float64", "") for k in range(3)]
    plain = end(COST.format(*NAMES), ISOTROPIC[name], start)
    found = end(COST.format(*turned), ISOTROPIC[name], turn @ start)
    # After a first step of 1e-6 the measured lengths have ten digits.
    tolerance = 1e-7 if name in {"adgd", "dog"} else 1e-11
    assert np.abs(found - turn @ plain).max() <= tolerance * np.abs(start).max()
    assert np.abs(plain - start).max() > 1e-4


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", [*ISOTROPIC, *BY_ENTRY])
def test_the_order_of_the_variables_does_not_matter(name, seed):
    rng = random.Random(seed)
    order = rng.sample(range(3), 3)
    start = [rng.gauss(0, 2) for _ in range(3)]
    method = (ISOTROPIC | BY_ENTRY)[name]
    plain = end(COST.format(*NAMES), method, start)
    renamed = end(COST.format(*(NAMES[k] for k in order)), method, [start[order.index(k)] for k in range(3)])
    tolerance = 0 if name in BY_ENTRY else 1e-12 * max(map(abs, start))  # sums over the variables are in another order
    assert max(abs(renamed[order[k]] - plain[k]) for k in range(3)) <= tolerance


@pytest.mark.parametrize("name", ["adam", "adagrad", "rmsprop", "lion"])
def test_methods_by_entry_do_depend_on_the_axes(name):
    """The property above says something: these fail it."""
    turn = np.array([[0.6, -0.8, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    start = np.array([2.0, -1.0, 0.5])
    turned = [" + ".join(f"({turn[i, k]!r})*{NAMES[i]}" for i in range(3)).replace("np.float64", "") for k in range(3)]
    plain = end(COST.format(*NAMES), BY_ENTRY[name], start)
    assert np.abs(end(COST.format(*turned), BY_ENTRY[name], turn @ start) - turn @ plain).max() > 1e-3


@pytest.mark.parametrize("power", [-40, 40])
@pytest.mark.parametrize("name", ["gradient descent", "momentum", "nesterov"])
def test_the_rate_has_the_units_that_it_should(name, power):
    """x = unit · u: the cost in u at rate r walks as the cost in x at rate r · unit², bit for bit."""
    start, unit = np.array([2.0, -1.5, 0.5]), 2.0**power
    method = {
        "gradient descent": descend.GradientDescent, "momentum": descend.Momentum, "nesterov": descend.Nesterov,
    }[name]  # fmt: skip
    text = "({0})^2 + ({0})*({1})/2 + 3*({1})^2 + ({2})^2/4"
    plain = end(text.format(*NAMES), method(0.125), start)
    scaled = end(text.format(*(f"{n}*2^({-power})" for n in NAMES)), method(0.125 * unit**2), start * unit)
    assert (scaled == plain * unit).all()
