"""Beyond one block of an innermost loop (512 rounds), where machine code works on several rounds at once.

The oracle carries the derivative along one direction, and those by a few entries at the edges; formulas with sums
inside sums would take it too long and are held against the interpreted nest.
"""

from __future__ import annotations

import random

import mpmath as mp
import numpy as np
import pytest

import descend
from descend.api.reading import constant_arrays, prepared, read_cost
from descend.kernel import chunks, threads
from descend.problem.objective import make_objective
from descend.problem.problem import make_problem
from tests.indexed.formulas import FORMULAS
from tests.oracles import jet
from tests.oracles.case_formula import DIGITS, CaseFormula, Walk
from tests.oracles.cases import cases

BOUND = 1e-12
SIZE = 1032  # two blocks of 512 and eight more
TOO_STEEP = {  # powers and products of a thousand entries are no doubles any more
    "sum(x[i]**(i+1), i, 0, n-1)",
    "prod(a, i, 0, n-1)*x[0] + prod(i + 1, i, 0, n-1)*x[0]**2",
    "sum(a**i*b, i, 0, n-1)**2 + b**n",
    "sum(chebyshevt(i, x[i]) + chebyshevt(3, x[i])**2, i, 0, n-1)",
    "2**sum(x[i], i, 0, n-1) + sum(2**x[i], i, 0, n-1)",
    "sum(x[i]**2, i, 0, n-1)*exp(-sum(x[j]**2, j, 0, n-1))",
    "prod(x[i]**2 - 1, i, 0, n-1) + prod(1 + x[i], i, 0, n-1)**2",
    "exp(-sum(x[i]**2, i, 0, n-1))*prod(cos(x[i])**2, i, 0, n-1)",
    "log(prod(1 + x[i]**2, i, 0, n-1))",
}
LONG_DATA = {"c": [((37 * k) % 64 - 31) / 16 for k in range(3 * SIZE)]}


def nested(text):
    """Say whether a sum or product stands inside another one."""
    depth = deepest = 0
    opened = []
    for k, letter in enumerate(text):
        if letter == "(":
            binds = text[:k].endswith(("sum", "prod", "Sum", "Product"))
            opened.append(binds)
            depth += binds
            deepest = max(deepest, depth)
        elif letter == ")":
            depth -= opened.pop()
    return deepest > 1


def size_of(formula):
    return SIZE + (1 if formula.sizes[0] % 2 and len(formula.sizes) == 4 else 0)  # some want an odd n


PLAIN = [f for f in FORMULAS if not nested(f.text) and f.text not in TOO_STEEP]
NESTED = [f for f in FORMULAS if nested(f.text) and f.text not in TOO_STEEP]
CASES = [c for c in cases("cutest", "mgh", "testfunctions") if c.indexed and not c.data and not nested(c.objective)]


def some(things, step):
    """Return all as parameters, of which every `step`-th runs in a quick run."""
    return [pytest.param(t, id=str(t), marks=() if k % step == 0 else pytest.mark.slow) for k, t in enumerate(things)]


def moderate(names, rng, *, positive=False):
    """Return a point at which products of a thousand factors are of ordinary size."""
    return [rng.uniform(0.9, 1.1) * (1 if positive else rng.choice((-1, 1))) for _ in names]


@pytest.fixture(params=["whole", "chunks"], autouse=True)
def pieces(request, monkeypatch):
    """Loops as they are, or in chunks on three threads, as those of a million rounds."""
    if request.param == "chunks":
        monkeypatch.setattr(chunks, "GRAIN", 1e-12)
        monkeypatch.setattr(threads, "WORTH", 0)
        monkeypatch.setenv("DESCEND_THREADS", "3")


def against_the_oracle(text, n, data, point_of):
    fun = descend.compile(text, constants={"n": n}, data=data)
    rng = random.Random(text)
    point = point_of(fun.names, rng)
    direction = [rng.uniform(-1, 1) for _ in point]
    edges = {0, 1, 7, 8, 510, 511, 512, 513, len(point) - 2, len(point) - 1} & set(range(len(point)))
    with mp.workdps(DIGITS):
        leaves = {}
        for k, (name, x, v) in enumerate(zip(fun.names, point, direction, strict=True)):
            leaf = jet.variable("along", mp.mpf(x), v)
            leaf.slope, leaf.slopes = {"along": mp.mpf(v)}, {"along": abs(mp.mpf(v))}
            if k in edges:
                leaf.slope[name] = leaf.slopes[name] = mp.mpf(1)
            leaves[name] = leaf
        formula = CaseFormula(text, {"n": n}, data)
        found = Walk(formula, leaves).value(formula.tree, formula.constants)

        def within(got, wanted, size):
            return abs(mp.mpf(float(got)) - wanted) <= BOUND * size

        value, gradient = fun.value_and_gradient(point)
        product = fun.hessian_product(point, direction)
        assert within(value, found.value, found.terms)
        along = mp.fsum(mp.mpf(float(g)) * v for g, v in zip(gradient, direction, strict=True))
        assert within(along, found.slope["along"], found.slopes["along"])
        bend = mp.fsum(mp.mpf(float(p)) * v for p, v in zip(product, direction, strict=True))
        assert within(bend, found.bend.get("along", 0), found.bends.get("along", 0))
        for k in edges:
            name = fun.names[k]
            assert within(gradient[k], found.slope.get(name, 0), found.slopes.get(name, 0)), name
            assert within(product[k], found.bend.get(name, 0), found.bends.get(name, 0)), name


@pytest.mark.parametrize("formula", some(PLAIN, 5))
def test_formulas(formula):
    data = LONG_DATA if "c[" in formula.text else None
    against_the_oracle(formula.text, size_of(formula), data, lambda names, rng: moderate(names, rng, positive=True))


@pytest.mark.parametrize("case", some(CASES, 12))
def test_cases(case):
    start = [float(v) for v in case.place(case.content["start"], SIZE)]

    def point(names, rng):
        return [v + 0.1 * (1 + abs(v)) * rng.uniform(-1, 1) for v in start[: len(names)]]

    against_the_oracle(case.objective, SIZE, None, point)


@pytest.mark.parametrize("formula", some(NESTED, 5))
def test_sums_inside_sums(formula):
    n = size_of(formula) if formula.text.count("sum(") + formula.text.count("prod(") < 4 else 150
    data = LONG_DATA if "c[" in formula.text else None
    fun = descend.compile(formula.text, constants={"n": n}, data=data)
    arrays = constant_arrays(data)
    problem = make_problem(prepared(read_cost(formula.text, names=arrays), constants={"n": n}), data=arrays)
    interpreted = make_objective(problem, 1, arrays, compiled=False)
    assert (fun.evaluator, interpreted.tier) == ("compiled", "interpreted")
    point = np.array(moderate(fun.names, random.Random(1), positive=True)) * 0.02
    value, gradient = fun.value_and_gradient(point)
    look = interpreted.look(fun._point(point))
    assert value == pytest.approx(look.cost, rel=1e-11)
    slopes = look.gradient.array()
    assert np.abs(gradient - slopes).max() <= 1e-11 * np.abs(slopes).max()
