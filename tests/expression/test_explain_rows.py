"""The table of functions and what `explain` knows of each: no row is forgotten, and its cells are true in numbers."""

from __future__ import annotations

import random
from itertools import pairwise

import mpmath as mp
import pytest

from descend.expression.analyse.balls import OPERATIONS as BALLS
from descend.expression.analyse.domain import domain
from descend.expression.analyse.elementary import DECREASING, DOMAIN, EVEN, INCREASING, of_one
from descend.expression.analyse.interval import REALS, Range
from descend.expression.functions import CONDITIONS, TABLE, Curvature, Monotone
from descend.expression.functions.base import REAL
from descend.expression.tape import Tape
from tests.oracles.evaluate import OPERATIONS

ONE = [row for row in TABLE.values() if row.arity == (1, 1) and row.name not in CONDITIONS]
SEVERAL = ("add", "logaddexp", "hypot", "min", "max", "logsumexp", "softmax", "dircos", "sharevar", "atan2")
HOLES = {"tan", "bose"}  # defined everywhere but at single points
# What has no ball, interval or direction of its own: unknown to that question.  A new row must be put somewhere.
NO_BALL = {
    "cbrt", "abs", "sign", "min", "max", "floor", "ceil", "where", "atan2", "polygamma", "chebyshevt",
    "chebyshevt_diff", "logsumexp", "softmax", "sharevar", "dircos", "hypotm1", "sqrt1pm1", "versin", "coshm1",
    "logcosh", "sech", "log1mexp", "onemsq", "bose", "exprel", "exprel_diff",
}  # fmt: skip
NO_RANGE = {"onemsq", "bose"}
OWN_RANGE = {"neg", "sign", "floor", "ceil", "atanh"}  # monotone, with rules of their own


def sampled(row):
    """Return points of all sizes with the values there, None where there is none."""
    rng = random.Random(row.name)
    places = [mp.mpf(k) / 8 for k in range(-80, 81)] + [mp.mpf(rng.uniform(-20, 20)) for _ in range(60)]
    found = []
    for x in sorted(places):
        value = OPERATIONS[row.name](x)
        found.append((x, value if mp.isfinite(value) else None))
    return found


def valued(row):
    return [(x, v) for x, v in sampled(row) if v is not None]


def spare(*values):
    return mp.mpf(10) ** -12 * (1 + sum(map(abs, values)))


def bends(function, pairs):
    """Return whether a chord was seen above the function, and below it."""
    seen = [False, False]
    for a, b in pairs:
        ends = [function(p) for p in (a, b)]
        middle = function([(x + y) / 2 for x, y in zip(a, b, strict=True)])
        if all(mp.isfinite(v) for v in (*ends, middle)):
            over = sum(ends) / 2 - middle
            seen[0] |= bool(over > spare(*ends))
            seen[1] |= bool(over < -spare(*ends))
    return seen


def test_every_row_is_known_or_listed_as_unknown():
    functions = set(TABLE) - CONDITIONS
    assert set(BALLS) | NO_BALL == functions
    assert not set(BALLS) & NO_BALL
    names = {row.name for row in ONE}
    assert names.issuperset({*DOMAIN, *INCREASING, *DECREASING, *EVEN})
    assert {r.name for r in ONE if r.domain != REAL} - HOLES == set(DOMAIN)
    for kind, table in ((Monotone.INCREASING, INCREASING), (Monotone.DECREASING, DECREASING)):
        assert {r.name for r in ONE if r.monotone is kind} - OWN_RANGE == set(table)
    place = Range(-0.5, -0.25)
    for name in names - {"neg"}:
        inside = (
            Range(1.5, 2.0)
            if name == "acosh"
            else Range(0.25, 0.5)
            if place.low not in DOMAIN.get(name, REALS)
            else place
        )
        assert (of_one(name, inside, limit=False) is None) == (name in NO_RANGE), name


@pytest.mark.parametrize("row", ONE, ids=lambda row: row.name)
def test_it_has_values_where_it_is_said_to_be_defined(row):
    tape = Tape()
    found = domain(tape, tape.raw(row.name, (tape.symbol("x"),)))
    r = DOMAIN.get(row.name, REALS)
    for x, value in sampled(row):
        if row.name == "tan" or (row.name == "bose" and x == 0):
            continue
        assert (value is not None) == _inside(r, x), x
    assert found.everywhere == (row.domain == REAL)


def _inside(r, x):
    above = x > r.low or (x == r.low and not r.open_low)
    return above and (x < r.high or (x == r.high and not r.open_high))


@pytest.mark.parametrize("row", ONE, ids=lambda row: row.name)
def test_the_direction_in_the_table_is_true(row):
    steps = [(b - a, spare(a, b)) for (_, a), (_, b) in pairwise(valued(row))]
    rises, falls = any(d > s for d, s in steps), any(d < -s for d, s in steps)
    assert (rises, falls) == {
        Monotone.INCREASING: (True, False),
        Monotone.DECREASING: (False, True),
        Monotone.NEITHER: (True, True),
    }[row.monotone]


@pytest.mark.parametrize("row", ONE, ids=lambda row: row.name)
def test_the_curvature_in_the_table_is_true(row):
    rng = random.Random(row.name)
    places = [x for x, _ in valued(row)]
    pairs = [([rng.choice(places)], [rng.choice(places)]) for _ in range(600)]
    seen = bends(lambda p: OPERATIONS[row.name](*p), pairs)
    assert (
        seen
        == {
            Curvature.AFFINE: [False, False],
            Curvature.CONVEX: [True, False],
            Curvature.CONCAVE: [False, True],
            Curvature.NEITHER: [True, True],
        }[row.curvature]
    )


@pytest.mark.parametrize("name", SEVERAL)
def test_what_the_table_says_of_functions_of_two_is_true(name):
    row, function = TABLE[name], OPERATIONS[name]
    rng = random.Random(name)
    draw = lambda: [mp.mpf(rng.uniform(-4, 4)) for _ in range(2)]
    pairs = [(draw(), draw()) for _ in range(300)]
    convex, concave = bends(lambda p: function(*p), pairs)
    assert not (concave and row.curvature in {Curvature.CONVEX, Curvature.AFFINE})
    assert not (convex and row.curvature in {Curvature.CONCAVE, Curvature.AFFINE})
    steps = [function(max(a[0], b[0]), a[1]) - function(min(a[0], b[0]), a[1]) for a, b in pairs]
    assert not (row.monotone is Monotone.INCREASING and any(d < -spare(d) for d in steps))
    assert not (row.monotone is Monotone.DECREASING and any(d > spare(d) for d in steps))
