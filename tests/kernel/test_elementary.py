"""Every implementation of every vector function: within 4 units in the last place, over the whole range."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from descend.kernel import elementary
from descend.kernel.target import NAMES
from descend.kernel.vector_math import LATER, ONE, TWO
from tests.kernel.lanes import ORACLES, VectorFunction, exactly, implementations, ulps

ONES = [*ONE, *LATER]
HALF_PI = np.pi / 2
LEAST, TINIEST, LARGEST = 2.0**-1022, 5e-324, 1.7976931348623157e308
# Where a function starts or ends to be something else: overflow, underflow, the seams between its formulas.
EDGES = {
    "exp": [709.782712893384, 709.7827128933841, 710.0, 711.0, -708.3964185322641, -708.4, -745.1332191019411,
            -745.1332191019412, -744.4400719213812, -746.0, -747.0],
    "expm1": [709.782712893384, 709.7827128933841, 710.0, -37.4299, -40.0, -41.0, 0.34657359, -0.34657359, 2.0**-54],
    "log1p": [-0.9999999999999999, 2.0**-54, 2.0**53, 2.0**54, 2.0**55, 2.0**1023, 0.4142135623730951, -0.2928932],
    "log": [0.7071067811865475, 0.7071067811865476, 1.414213562373095, 1.4142135623730951, 2.0**1023],
    "log2": [0.7071067811865475, 1.4142135623730951, *(2.0**k for k in range(-1074, 1024, 97))],
    "log10": [0.7071067811865475, 1.4142135623730951, *(10.0**k for k in range(-320, 309, 37))],
    "sinh": [22.0, 21.999, 710.475860073943, 710.4758600739439, 710.5, 712.0, 2.0**-28],
    "cosh": [22.0, 21.999, 710.475860073943, 710.4758600739439, 710.5, 712.0, 2.0**-28],
    "tanh": [22.0, 21.999, 19.0615, 2.0**-28],
}  # fmt: skip
# Doubles very close to a multiple of π/2 and where the reduction ends.
CIRCLE = [k * HALF_PI for k in (1, 2, 3, 4, 5, 355, 1000, 104348, 573204, 667543)] + [
    2.0**20, np.nextafter(2.0**20, 2e6), 1e7, 1e22,
]  # fmt: skip


@pytest.fixture(params=NAMES, autouse=True)
def made_for(request, monkeypatch):
    monkeypatch.setenv("DESCEND_TARGET", request.param)


@cache
def points(name):
    """Return where a function is looked at: random bits, denormal numbers, edges, and its everyday range."""
    rng = np.random.default_rng(20)
    bits = rng.integers(0, 2**64, 80, dtype=np.uint64).view(np.float64)
    signs = rng.choice([-1.0, 1.0], 40)
    edges = np.array(EDGES.get(name, CIRCLE if name in {"sin", "cos", "tan"} else []), dtype=float)
    near = signs * 2.0 ** rng.uniform(-54, -1, 40)
    parts = [
        bits, rng.uniform(-1, 1, 60), rng.uniform(-30, 30, 60), rng.uniform(-750, 720, 60), near, 1.0 + near,
        signs * rng.uniform(0, LEAST, 40), signs * TINIEST * np.arange(40), signs * 2.0 ** rng.uniform(-1074, 1024, 40),
        np.round(rng.uniform(-9e5, 9e5, 40)) * HALF_PI, edges, -edges, np.nextafter(edges, np.inf),
        np.nextafter(edges, -np.inf), [LEAST, -LEAST, np.nextafter(LEAST, 0), LARGEST, -LARGEST],
    ]  # fmt: skip
    found = np.concatenate(parts)
    return found[np.isfinite(found)]


@cache
def exact_values(name):
    return [exactly(name, x) for x in points(name).tolist()]


def test_every_function_has_an_oracle():
    assert {*ONES, *TWO} == ORACLES.keys()
    assert elementary.FORMS.keys() <= ORACLES.keys()


@pytest.mark.parametrize("name", ONES)
def test_four_units_in_the_last_place(name):
    exact = exact_values(name)
    arguments = points(name)
    for how, lanes in implementations(name):
        found = VectorFunction(name, lanes, how)(arguments)
        errors = [ulps(f, e) for f, e in zip(found.tolist(), exact, strict=True)]
        worst = int(np.argmax(errors))
        assert errors[worst] <= 4, (how, lanes, arguments[worst].hex(), found[worst], exact[worst])
