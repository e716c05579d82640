"""The 50-digit oracle is itself held against what is known of the cases, against differences, and against SymPy."""

from __future__ import annotations

import random

import mpmath as mp
import pytest
import sympy

from tests.oracles.case_formula import DIGITS, CaseFormula
from tests.oracles.case_sympy import build
from tests.oracles.cases import cases

ALL = cases("cutest", "mgh", "testfunctions")
INDEXED = [case for case in ALL if case.indexed]
FIXED = [case for case in ALL if not case.indexed]
MOST = 100  # variables


def at(case, shape, n):
    return case.formula(n)(dict(zip(case.names(n), case.place(shape, n), strict=True)))


def close(got, wanted, scale, relative):
    assert abs(got - wanted) <= relative * max(abs(scale), abs(wanted))


@pytest.mark.parametrize("case", INDEXED, ids=str)
def test_values_at_the_starts_and_minima_of_indexed_cases(case):
    seen = 0
    for instance in case.content["instances"]:
        n = instance["n"]
        if n > MOST:
            continue
        jet = at(case, case.content["start"], n)
        if instance.get("f_start") is not None:
            close(jet.value, instance["f_start"], jet.terms, 1e-13)
            seen += 1
        for minimum in instance.get("minima", ()):
            shape = minimum.get("x") or minimum.get("x_computed")
            if shape is not None and minimum.get("f_at_x", minimum.get("f_computed")) is not None:
                there = at(case, shape, n)
                close(there.value, minimum.get("f_at_x", minimum.get("f_computed")), max(there.terms, jet.terms), 1e-13)
    assert seen


@pytest.mark.parametrize("case", FIXED, ids=str)
def test_values_at_the_starts_and_minima_of_fixed_cases(case):
    n = case.size
    jet = at(case, case.content["start"], n)
    close(jet.value, case.content["f_start"], jet.terms, 1e-13)
    for minimum in case.content["minima"]:
        if minimum.get("x_refined") is None:
            continue
        there = at(case, minimum["x_refined"], n)
        digits = 1e-12 if case.data else 1e-16  # the reference took the data for decimals, we for doubles
        with mp.workdps(DIGITS):
            assert abs(there.value - mp.mpf(minimum["f_refined"])) <= digits * there.terms + 1e-30
        for name, slope in there.slope.items():
            assert abs(slope) <= 100 * digits * there.slopes.get(name, 0) + 1e-14


@pytest.mark.parametrize("case", ALL, ids=str)
def test_derivatives_are_those_of_differences(case):
    n = case.size
    rng = random.Random(7)
    (point,) = case.points(n, 1)
    names = case.names(n)
    direction = [rng.uniform(-1, 1) for _ in names]
    formula = case.formula(n)
    here = formula(dict(zip(names, point, strict=True)), dict(zip(names, direction, strict=True)))
    with mp.workdps(DIGITS):
        step = mp.mpf(10) ** -16
        after, before = (
            formula({name: x + s * v for name, x, v in zip(names, map(mp.mpf, point), direction, strict=True)})
            for s in (step, -step)
        )
        close(here.tangent, (after.value - before.value) / (2 * step), here.terms, 1e-15)
        for name in here.slope:
            slope = (after.slope[name] - before.slope[name]) / (2 * step)
            bend, bends, slopes = here.bend.get(name, 0), here.bends.get(name, 0), here.slopes.get(name, 0)
            close(bend, slope, max(bends, slopes), 1e-15)
            assert abs(here.slope[name]) <= slopes * (1 + mp.mpf(10) ** -40)
            assert abs(bend) <= bends * (1 + mp.mpf(10) ** -40)
        along = mp.fsum(here.slope[name] * v for name, v in zip(names, direction, strict=True) if name in here.slope)
        close(here.tangent, along, here.terms, 1e-40)


@pytest.mark.parametrize("case", INDEXED, ids=str)
def test_sympy_computes_the_same(case):
    n = 5 if case.data else 12 if "n/3" in case.objective else 4  # small: SymPy writes every sum out
    (point,) = case.points(n, 1)
    names = case.names(n)
    jet = case.formula(n)(dict(zip(names, point, strict=True)))
    arrays = {"x": point} | case.data
    with mp.workdps(DIGITS):
        value = written_out(build(case.objective), {sympy.Symbol("n", integer=True): sympy.Integer(n)}, arrays)
        close(jet.value, mp.mpf(str(value.evalf(DIGITS))), jet.terms, 1e-35)


def written_out(expression, scope, arrays):
    """Return a SymPy object with numbers for everything, node by node (`doit` looks for closed forms of sums)."""
    if expression in scope:
        return scope[expression]
    if isinstance(expression, sympy.Indexed):
        place = written_out(expression.indices[0], scope, arrays)
        return sympy.Float(float(arrays[expression.base.name][int(place)]), DIGITS + 10)
    if isinstance(expression, (sympy.Sum, sympy.Product)):
        body, (index, low, high) = expression.args
        first, last = (int(written_out(bound, scope, arrays)) for bound in (low, high))
        parts = [written_out(body, scope | {index: sympy.Integer(k)}, arrays) for k in range(first, last + 1)]
        return (sympy.Add if isinstance(expression, sympy.Sum) else sympy.Mul)(*parts)
    if not expression.args:
        return expression
    return expression.func(*(written_out(arg, scope, arrays) for arg in expression.args))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("a + b - 3", 9),  # at a = 2, b = -4
        ("(a + b)/2", 3),
        ("-(a + b)", 6),
        ("(a + b)**2", 4),
        ("(a + b)*a", 4),
        ("Sum(a + b, (i, 1, 3))/3", 6),
        ("sum(sum(i*b, j, 1, 2), i, -1, 1)", 16),
        ("exp(a - a) + b", 5),
        ("prod(b, i, 1, 0) + sum(b, i, 1, 0)", 1),
    ],
)
def test_what_counts_as_a_term(text, terms):
    assert CaseFormula(text)({"a": 2, "b": -4}).terms == terms


def test_the_slope_is_a_sum_over_the_places_where_the_variable_stands():
    jet = CaseFormula("(a - b)*(a + b) + a*0")({"a": 3, "b": 2}, {"a": 1})
    assert (jet.slope["a"], jet.slopes["a"], jet.slope["b"]) == (6, 6, -4)
    assert (jet.slopes["b"], jet.tangent, jet.bend["a"], jet.bends["a"]) == (6, 6, 2, 2)
