"""The parts of the analysis, each against an independent oracle: SymPy, NumPy, values in mpmath."""

from __future__ import annotations

import random
from fractions import Fraction

import numpy as np
import pytest
import sympy

from descend.errors import FormulaError
from descend.expression import binders
from descend.expression.analyse import EXACT_VARIABLES, degree, linear_in, quadratic
from descend.expression.analyse.balls import OPERATIONS as BALLS
from descend.expression.analyse.balls import evaluate as in_balls
from descend.expression.analyse.below import coercive
from descend.expression.analyse.composition import shapes
from descend.expression.analyse.deadline import Deadline, OutOfTimeError
from descend.expression.analyse.domain import domain
from descend.expression.analyse.eigen import eigen
from descend.expression.analyse.interval import REALS, Range, add, mul, reciprocal, whole_power
from descend.expression.analyse.linear import linear_alone, linear_together
from descend.expression.analyse.polynomial import coefficients, expand
from descend.expression.analyse.quadratic import quadratic_form, rates, spectrum
from descend.expression.analyse.ranges import index_ranges, limits, ranges
from descend.expression.analyse.roots import real_roots
from descend.expression.analyse.separable import separate_entries
from descend.expression.analyse.terms import groups
from descend.expression.analyse.unroll import unrolled
from descend.expression.derivative import gradient
from descend.expression.functions import CONDITIONS, TABLE
from descend.expression.functions.base import REAL
from descend.expression.parse import parse
from descend.expression.tape import Formula, Tape
from tests.oracles.evaluate import OPERATIONS, evaluate

INF = float("inf")
LATE = Deadline(-1.0)


def indexed(n=4):
    """Return Σᵢ (i·x[i] - x[i+1])², i from 0 to n - 2, on a tape made by hand."""
    tape = Tape()
    place = tape.index(binders.OPEN)
    here = tape.mul((place, tape.access("x", place)))
    after = tape.access("x", tape.add((place, tape.constant(1))))
    body = tape.pow(tape.sub(here, after), tape.constant(2))
    root = binders.bind(tape, "sum", binders.OPEN, (body, tape.constant(0), tape.constant(n - 2)))
    return Formula(tape, root)


class TestPolynomials:
    @pytest.mark.parametrize("text", ["(x + 2y - 1)^3*(x - y)", "x*y*z - (x + y)^2/4", "(x - x + 3)^5", "2.5*(x^2)^3"])
    def test_expansion_is_sympys(self, text):
        tape, root = parse(text)
        names = list(tape.symbols((root,)))
        found = expand(tape, root, names)
        symbols = sympy.symbols(names)
        spelled = text.replace("^", "**").replace("2y", "2*y").replace("2.5", "Rational(5, 2)")
        wanted = sympy.Poly(sympy.sympify(spelled), *symbols)
        mine = {
            tuple(dict(monomial).get(k, 0) for k in range(len(names))): coefficient
            for monomial, coefficient in found.items()
        }
        assert mine == {powers: Fraction(int(c.p), int(c.q)) for powers, c in wanted.terms()}

    @pytest.mark.parametrize("text", ["sin(x)", "1/x", "x^0.5", "pi*x", "x^y"])
    def test_what_is_no_rational_polynomial(self, text):
        tape, root = parse(text)
        assert expand(tape, root, list(tape.symbols((root,)))) is None

    def test_too_long(self):
        tape, root = parse("(x + y + z + w)^200")
        assert expand(tape, root, ["w", "x", "y", "z"]) is None

    def test_degree_through_sums(self):
        tape, root = indexed()
        assert degree(tape, root, ["x"]) == 2
        assert not linear_in(tape, root, ["x"])
        body = tape[root].args[0]
        assert linear_in(tape, tape[body].args[0], ["x"])
        assert degree(tape, tape.access("x", tape.symbol("y")), ["x", "y"]) is None


class TestRoots:
    @pytest.mark.parametrize("seed", range(60))
    def test_random_polynomials(self, seed):
        rng = random.Random(seed)
        wanted = sorted(rng.sample(range(-8, 9), rng.randint(1, 5)))
        powers = [rng.randint(1, 3) for _ in wanted]
        x = sympy.Symbol("x")
        product = rng.choice((1, -2)) * sympy.prod((x - w) ** p for w, p in zip(wanted, powers, strict=True))
        if seed % 2:
            product *= x**2 + rng.randint(1, 5)  # no real root
        row = [Fraction(int(c)) for c in reversed(sympy.Poly(sympy.expand(product), x).all_coeffs())]
        found = real_roots(row)
        assert [(r.low, r.high, r.multiplicity) for r in found] == [
            (w, w, p) for w, p in zip(wanted, powers, strict=True)
        ]

    @pytest.mark.parametrize("seed", range(40))
    def test_irrational_roots_are_numpys(self, seed):
        rng = random.Random(seed)
        row = [Fraction(rng.randint(-9, 9)) for _ in range(rng.randint(2, 8))] + [Fraction(rng.choice((1, -3)))]
        found = real_roots(row)
        values = np.roots([float(c) for c in reversed(row)])
        real = sorted(v.real for v in values if abs(v.imag) < 1e-9)
        if len(set(np.round(real, 4))) == len(real):  # multiple roots are blurred there
            assert [float(r.middle) for r in found] == pytest.approx(real, abs=1e-6)
        for root in found:
            assert root.high - root.low <= Fraction(1, 2**55) * max(1, abs(root.low))

    def test_stops_in_time(self):
        with pytest.raises(OutOfTimeError):
            real_roots([Fraction(k * k % 7 - 3) for k in range(30)] + [Fraction(1)], LATE)


class TestQuadratics:
    @pytest.mark.parametrize("seed", range(30))
    def test_form_and_spectrum(self, seed):
        rng = random.Random(seed)
        size = rng.randint(1, 6)
        names = [f"x{k}" for k in range(size)]
        half = [[rng.randint(-5, 5) for _ in range(size)] for _ in range(size)]
        text = " + ".join(f"({half[i][j]})*{names[i]}*{names[j]}" for i in range(size) for j in range(size))
        tape, root = parse(text)
        form = quadratic_form(expand(tape, root, names), size)
        wanted = np.array(half) + np.array(half).T
        assert [[int(v) for v in row] for row in form.matrix] == wanted.tolist()
        ends = spectrum(form.matrix)
        values = np.linalg.eigvalsh(wanted.astype(float))
        assert [ends.smallest, ends.largest] == pytest.approx([values[0], values[-1]], abs=1e-12)
        found = form.direction(-1)
        if found is None:
            assert values[0] > -1e-9 or size > 2
        else:
            vector = np.array([float(found[0].get(k, 0)) for k in range(size)])
            assert vector @ wanted @ vector == pytest.approx(float(found[1]))
            assert found[1] < 0

    def test_agrees_with_the_older_door(self):
        tape, root = parse("x^2 - 3x*y + 4y^2 - x + 2")
        names = ["x", "y"]
        symbols = [tape.symbol(n) for n in names]
        assert quadratic(tape, gradient(tape, root, symbols), root, names) == quadratic_form(
            expand(tape, root, names), 2
        )
        assert EXACT_VARIABLES >= 2

    def test_no_digit_of_a_large_condition_is_lost(self):
        matrix = ((Fraction(1), Fraction(1)), (Fraction(1), 1 + Fraction(1, 10**30)))
        ends = spectrum(matrix)
        assert ends.smallest == pytest.approx(5e-31, rel=1e-12)

    @pytest.mark.parametrize("condition", [1.0, 2.0, 50.0, 1e6, 1e17])
    def test_steps_for_a_digit(self, condition):
        found = rates(1.0, condition)
        assert found.best == 2 / (1 + condition)
        assert found.safe_below == 2 / condition
        if 1 < condition < 1e10:
            factor = (condition - 1) / (condition + 1)
            assert factor**found.steps_per_digit == pytest.approx(0.1, rel=1e-6)
        assert rates(-1.0, 1.0) is None
        assert rates(0.0, 0.0) is None


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 12, 15])
def test_eigen(size):
    rng = np.random.default_rng(size)
    half = rng.normal(size=(size, size)) * 10.0 ** rng.integers(-3, 4, size=size)
    matrix = half + half.T
    values, vectors = eigen(matrix.tolist())
    assert values == pytest.approx(np.linalg.eigvalsh(matrix).tolist(), rel=1e-12, abs=1e-12 * abs(matrix).max())
    for value, vector in zip(values, vectors, strict=True):
        assert np.allclose(matrix @ vector, value * np.array(vector), atol=1e-10 * abs(matrix).max())


class TestRanges:
    def test_ends(self):
        assert add(Range(1, 2, True), Range(3, 4)) == Range(4, 6, True)
        assert mul(Range(0, INF, True, True), Range(0, 1)) == Range(0, INF, False, True)
        assert reciprocal(Range(0, 2, True)) == Range(0.5, INF, False, True)
        assert whole_power(Range(-2, 1), 2) == Range(0, 4)
        low, high = add(Range(0.1, 0.1), Range(0.2, 0.2))[:2]
        assert Fraction(low) <= Fraction(0.1) + Fraction(0.2) <= Fraction(high)

    @pytest.mark.parametrize(
        ("text", "wanted"),
        [
            ("1 + x^2", (1, INF)),
            ("exp(-x) + 1", (1, INF)),
            ("x*x", (0, INF)),
            ("1/(1 + x^2)", (0, 1)),
            ("sin(x)/2", (-0.5, 0.5)),
            ("abs(x) - 3", (-3, INF)),
            ("max(x, 2)", (2, INF)),
            ("2^x", (0, INF)),
            ("where(1 < 2, 5, x)", (5, 5)),
        ],
    )
    def test_of_formulas(self, text, wanted):
        tape, root = parse(text)
        assert ranges(tape, (root,))[root][:2] == wanted

    @pytest.mark.parametrize(
        ("text", "at", "wanted"),
        [
            ("exp(-x)", INF, (0, 0)),
            ("x*exp(-x)", -INF, (-INF, -INF)),
            ("x - x^2", INF, (-INF, INF)),
            ("1/x", INF, (0, 0)),
            ("log(1 + exp(x))", -INF, (0, 0)),
        ],
    )
    def test_limits(self, text, at, wanted):
        tape, root = parse(text)
        x = tape.symbol("x")
        near = ranges(tape, (root,), {x: Range(100, INF, False, True) if at > 0 else Range(-INF, -100, True)})
        assert limits(tape, (root,), {x: Range(at, at)}, near)[root][:2] == wanted

    def test_indices(self):
        tape, root = indexed(6)
        assert list(index_ranges(tape, tape.reachable((root,)), Deadline(9)).values()) == [Range(0, 4)]

    def test_stops_in_time(self):
        tape, root = parse("x^2 + 1")
        with pytest.raises(OutOfTimeError):
            ranges(tape, (root,), {}, LATE)


class TestDomain:
    @pytest.mark.parametrize("row", [r for r in TABLE.values() if r.domain != REAL and r.name not in CONDITIONS])
    def test_every_function_that_is_not_defined_everywhere_asks_for_something(self, row):
        if row.name in {"pi", "where", "polygamma"} or "x any real" in row.domain:
            return
        tape = Tape()
        root = tape.raw(row.name, tuple(tape.symbol(f"x{k}") for k in range(row.arity[0])))
        found = domain(tape, root)
        assert found.conditions

    @pytest.mark.parametrize("row", [r for r in TABLE.values() if r.arity == (1, 1) and r.name not in CONDITIONS])
    def test_table_and_rules_agree_on_curvature(self, row):
        tape = Tape()
        root = tape.raw(row.name, (tape.symbol("x"),))
        found = domain(tape, root)
        shape = shapes(tape, root, found.bounds)[root]
        assert shape.convex == (row.curvature.value in {"convex", "affine"})
        assert shape.concave == (row.curvature.value in {"concave", "affine"})


class TestStructure:
    def test_groups(self):
        tape, root = parse("(x - 1)^2 + sin(y*z) + w - 3")
        assert [g.names for g in groups(tape, root)] == [("w",), ("x",), ("y", "z")]

    @pytest.mark.parametrize(
        ("text", "alone", "together"),
        [
            ("a*b + c", ("a", "b", "c"), ("a", "c")),
            ("a*exp(-b*x) + c", ("a", "c"), ("a", "c")),
            ("a/b", ("a",), ("a",)),
            ("a^2 + b", ("b",), ("b",)),
            ("a*a", (), ()),
        ],
    )
    def test_linear(self, text, alone, together):
        tape, root = parse(text)
        names = list(tape.symbols((root,)))
        assert linear_alone(tape, root, names) == alone
        assert linear_together(tape, root, alone) == together
        assert all(linear_in(tape, root, [n]) == (n in alone) for n in names)

    def test_entries(self):
        assert separate_entries(*indexed(), ["x"]) == ()
        tape = Tape()
        place = tape.index(binders.OPEN)
        body = tape.call("exp", tape.access("x", place))
        root = binders.bind(tape, "sum", binders.OPEN, (body, tape.constant(0), tape.constant(9)))
        assert separate_entries(tape, root, ["x"]) == ("x",)
        assert separate_entries(tape, tape.mul((tape.symbol("y"), root)), ["x"]) == ()

    def test_coercive(self):
        for text, wanted in [("x^4 + y^4 - x*y", True), ("x^4 + y^2 - x^2*y", True), ("x^4 + y^2 - 3x^2*y", False),
                             ("x^2 + x^3", False), ("x^2*y^2 + x^2", False)]:  # fmt: skip
            tape, root = parse(text)
            names = list(tape.symbols((root,)))
            assert coercive(expand(tape, root, names), len(names)) is wanted, text


class TestUnrolled:
    def test_values(self):
        formula = indexed(5)
        short = unrolled(formula)
        assert short.names == tuple(f"x[{k}]" for k in range(5))
        point = {f"x[{k}]": 0.3 + k * k for k in range(5)}
        x = list(point.values())
        wanted = sum((i * x[i] - x[i + 1]) ** 2 for i in range(4))
        assert float(evaluate(short.tape, [short.root], point)[0]) == pytest.approx(wanted, rel=1e-14)

    def test_too_long_and_out_of_reach(self):
        assert unrolled(indexed(100_000)) is None
        with pytest.raises(FormulaError, match=r"x\[2\] is read, but x has the entries 0 to 1"):
            unrolled(indexed(5), {"x": [1.0, 2.0]})
        assert unrolled(indexed(5), {"x": [1.0, 2.0, 3.0, 4.0, 5.0]}).names == ()

    def test_stops_in_time(self):
        with pytest.raises(OutOfTimeError):
            unrolled(indexed(2000), None, Deadline(0.0))


@pytest.mark.parametrize("name", sorted(BALLS))
def test_balls_hold_the_values(name):
    tape = Tape()
    least = TABLE[name].arity[0]
    symbols = [tape.symbol(f"x{k}") for k in range(max(least, 2) if TABLE[name].arity[1] is None else least)]
    root = tape.raw(name, tuple(symbols))
    number = Fraction(3, 2) if name == "acosh" else Fraction(3, 8)
    found = in_balls(tape, [root], {f"x{k}": number for k in range(len(symbols))})
    wanted = OPERATIONS[name](*([float(number)] * len(symbols)))
    assert float(found[0].mid()) == pytest.approx(float(wanted), rel=1e-13)


def test_coefficients():
    tape, root = parse("3x^2 - 1")
    assert coefficients(expand(tape, root, ["x"])) == [-1, 0, 3]
    assert ranges(tape, (root,))[tape.symbol("x")] == REALS
