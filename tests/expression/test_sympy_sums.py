"""Sums, products and arrays through the SymPy door: in, refused, and out again.

The oracle of the values is the expression with its sums written out, number by number.
"""

from __future__ import annotations

import mpmath as mp
import pytest
import sympy

from descend.errors import FormulaError, LimitError
from descend.expression import binders
from descend.expression.limits import Limits
from descend.expression.sympy import from_sympy, to_sympy
from descend.expression.tape import Tape
from descend.expression.write import to_text

I, J, N = sympy.symbols("i j n", integer=True)
K, T = sympy.symbols("k t")
X, C = sympy.IndexedBase("x"), sympy.IndexedBase("c")
IDX = sympy.Idx("q", N)
DUMMY = sympy.Dummy("d")

READ = [
    (sympy.Sum(X[I] ** 2, (I, 0, N - 1)), "sum(x[i]^2, i, 0, n - 1)"),
    (sympy.Product(X[2 * I + 1] - T, (I, 1, N / 2)), "prod(-t + x[2*i + 1], i, 1, 0.5*n)"),
    (sympy.Sum(X[I] * X[J], (I, 0, J), (J, 0, N - 1)), "sum(sum(x[j]*x[i], j, 0, i), i, 0, n - 1)"),
    (sympy.Sum(X[I] * sympy.Sum(X[J], (J, 0, I)) ** 2, (I, 0, N)), "sum(x[i]*sum(x[j], j, 0, i)^2, i, 0, n)"),
    (sympy.exp(sympy.Sum(sympy.cos(X[K]), (K, 0, N - 1)) / N), "exp(sum(cos(x[i]), i, 0, n - 1)/n)"),
    (sympy.Sum(X[IDX], IDX), "sum(x[i], i, 0, n - 1)"),
    (sympy.Sum(DUMMY * T**DUMMY, (DUMMY, 1, 4)), "sum(i*t^i, i, 1, 4)"),
    (sympy.Sum(T, (I, 1, N)), "sum(t, i, 1, n)"),
    (sympy.Sum(T * sympy.sin(T), (T, 1, 3)), "sum(i*sin(i), i, 1, 3)"),
    (sympy.Sum(X[I], (I, I, 2 * I)).subs(I, 1), "sum(x[i], i, 1, 2)"),
    (sympy.Sum(C[I] * sympy.Symbol("i"), (I, 0, 2)).subs(sympy.Symbol("i"), K), "sum(k*c[i], i, 0, 2)"),
    (X[0] + X[N - 1], "x[0] + x[n - 1]"),
    (sympy.Sum(sympy.chebyshevt(I, X[I]), (I, 0, N)), "sum(chebyshevt(i, x[i]), i, 0, n)"),
    (
        sympy.Sum(sympy.Piecewise((X[I], X[I] > I), (sympy.Abs(T), True)), (I, sympy.Max(0, N - 5), sympy.Min(3, N))),
        "sum(where(i < x[i], x[i], abs(t)), i, max(0, n - 5), min(3, n))",
    ),
    (sympy.Sum(sympy.Sum(X[I], (I, 0, 2)) * I, (I, 0, 3)), "sum(i*sum(x[j], j, 0, 2), i, 0, 3)"),
]


class TestReading:
    @pytest.mark.parametrize(("expression", "expected"), READ, ids=range(len(READ)))
    def test_meaning(self, expression, expected):
        formula = from_sympy(expression).formula
        assert to_text(*formula) == expected

    @pytest.mark.parametrize(("op", "expected"), [(sympy.Sum, "0"), (sympy.Product, "1")])
    def test_a_range_that_ends_just_before_it_begins_is_empty(self, op, expected):
        assert to_text(*from_sympy(op(X[I] + 2, (I, 3, 2))).formula) == expected

    @pytest.mark.parametrize("op", [sympy.Sum, sympy.Product])
    @pytest.mark.parametrize("high", [1, -7])
    def test_a_range_that_runs_backwards_is_refused(self, op, high):
        """SymPy would count it with the sign turned; an answer that differs from its silently would be a trap."""
        with pytest.raises(FormulaError, match="write it upwards"):
            from_sympy(op(X[I] + 2, (I, 3, high)))

    def test_the_length_of_a_sum_costs_nothing(self):
        formula = from_sympy(sympy.Sum(X[I] ** 2, (I, 0, 10**12))).formula
        assert len(formula.tape) == 11

    def test_a_shared_expression_is_walked_once_under_many_sums(self):
        expression = X[I] + T
        for _ in range(10):
            expression = sympy.Add(sympy.sin(expression, evaluate=False), expression, evaluate=False)
        both = sympy.Sum(expression, (I, 0, 3)) * sympy.Product(expression, (I, 1, N))
        assert len(from_sympy(both).formula.tape) < 100

    def test_the_symbols_are_the_users_own(self):
        read = from_sympy(sympy.Sum(C[I] * X[I] + T, (I, 0, N)))
        assert read.symbols == {"c": C, "i": I, "n": N, "t": T, "x": X}
        assert read.notes == ()
        assert read.formula.names == ("n", "t")

    def test_an_integer_symbol_is_a_constant(self):
        assert from_sympy(sympy.Sum(X[I], (I, 1, N)) / N).formula.names == ("n",)
        assert from_sympy(X[N] * N).formula.names == ("n",)
        assert from_sympy(T * N, given={"n"}).formula.names == ("n", "t")
        with pytest.raises(FormulaError, match=r"n is an integer; .*constants="):
            from_sympy(sympy.Sum(X[I], (I, 1, 3)) * N)

    def test_names_are_names_and_nothing_else(self):
        hostile = sympy.IndexedBase(sympy.Symbol("__import__('os').system('touch /tmp/pwned')"))
        index = sympy.Symbol("__import__('os').abort()", integer=True)
        formula = from_sympy(sympy.Sum(hostile[index], (index, 0, 3))).formula
        assert to_text(*formula) == "sum(`__import__('os').system('touch /tmp/pwned')`[i], i, 0, 3)"


class TestRefusing:
    @pytest.mark.parametrize(
        ("make", "reason"),
        [
            (lambda: X[I, J], r"an array has one index; .*a\[3\*i \+ j\]"),
            (lambda: X[sympy.Rational(1, 2)], "whole number"),
            (lambda: X[-1], r"counted from 0; .*not x\[-1\]"),
            (lambda: X[10**16], "10.15"),
            (lambda: sympy.Sum(X[I**2], (I, 0, 3)), "linear index arithmetic"),
            (lambda: sympy.Sum(X[sympy.floor(T)], (I, 0, 3)), "linear index arithmetic"),
            (lambda: sympy.Sum(X[I * J], (I, 0, 3), (J, 0, 3)), "linear index arithmetic"),
            (lambda: X[X[0]], "linear index arithmetic"),
            (lambda: sympy.Sum(X[I], (I, 0, sympy.sin(N))), "a bound is made of"),
            (lambda: sympy.Sum(X[I], (I, 0, X[0])), "a bound is made of"),
            (lambda: sympy.Sum(X[I], (I, 0, sympy.Rational(5, 2))), "whole number"),
            (lambda: sympy.Sum(X[I], (I, 0, sympy.oo)), "infinity .* bound of a sum"),
            (lambda: sympy.Sum(X[I], (I, 0, 3)) + T**I, "i is the index of a sum, and stands outside"),
            (lambda: sympy.Sum(X[I], (I, 0, I)), "i is the index of a sum, and stands outside"),
            (lambda: sympy.Sum(X[I], (I, 0, J), (J, 0, I)), "i is the index of a sum, and stands outside"),
            (lambda: X[IDX], "q is an index, and stands outside"),
            (lambda: sympy.Sum(X[I], (I, 0, 3)) + sympy.Symbol("i"), "i is the index of a sum and something else"),
            (lambda: X[0] + sympy.Symbol("x"), r"x is an array \(x\[i\]\) and a number"),
            (lambda: X[0] + sympy.IndexedBase("x", shape=(N,))[1], "two different arrays are called x"),
            (lambda: X + 1, r"x is an array; a formula is made of its entries, x\[i\]"),
            (lambda: sympy.IndexedBase(T + 1)[0], "a plain name"),
            (lambda: sympy.IndexedBase("a`b")[0], "backticks"),
            (lambda: sympy.IndexedBase(sympy.Symbol("z", imaginary=True))[0], "real"),
            (lambda: sympy.MatrixSymbol("A", 2, 2)[0, 0], "not a function that descend knows"),
            (lambda: sympy.Sum(sympy.Function("f")(I), (I, 0, 3)), "undefined function"),
            (lambda: sympy.gegenbauer(K, T, T), "whole numbers m > 0"),
        ],
    )
    def test_reason(self, make, reason):
        with pytest.raises(FormulaError, match=reason):
            from_sympy(make())

    def test_sums_inside_one_another_have_a_limit(self):
        expression, many = X[0], sympy.symbols("i:9")
        for index in many:
            expression = sympy.sin(sympy.Sum(expression * X[index], (index, 0, 2)))
        with pytest.raises(LimitError, match=r"more than 8 sums .*loops"):
            from_sympy(expression)
        with pytest.raises(LimitError, match="more than 8 sums"):
            from_sympy(sympy.Sum(X[0], *((index, 0, N) for index in many)))
        assert from_sympy(expression, Limits(loops=9)).formula.names == ()


def unrolled(expression):
    """Write sums and products out, outermost range first (SymPy's own doit leaves ranges that depend on an index)."""
    if isinstance(expression, (sympy.Sum, sympy.Product)):
        *inner, (index, low, high) = expression.limits
        body = expression.func(expression.function, *inner) if inner else expression.function
        terms = [unrolled(body.subs(index, k)) for k in range(int(low), int(high) + 1)]
        return (sympy.Add if isinstance(expression, sympy.Sum) else sympy.Mul)(*terms)
    return expression.func(*map(unrolled, expression.args)) if expression.has(sympy.Sum, sympy.Product) else expression


def number(expression, values):
    return unrolled(expression.xreplace({IDX: I}).subs(N, 3)).doit().subs(values).evalf(30)


class TestWriting:
    @pytest.mark.parametrize("expression", [e for e, _ in READ[:-1]], ids=range(len(READ) - 1))
    def test_there_and_back_is_the_same_object(self, expression):
        read = from_sympy(expression)
        tape, root = read.formula
        names = {*read.formula.names, *tape.arrays((root,))}
        indices = [symbol for name, symbol in read.symbols.items() if name not in names]
        assert to_sympy(tape, root, read.symbols, indices) == expression

    def test_indices_are_called_apart_from_the_formula(self):
        tape, root = from_sympy(sympy.Sum(X[K] * sympy.Symbol("i", real=True) + sympy.Symbol("j"), (K, 0, 2))).formula
        back = to_sympy(tape, root)
        (index,) = back.bound_symbols
        assert index == sympy.Symbol("k", integer=True)
        assert back.free_symbols >= set(sympy.symbols("i j"))

    def test_one_index_is_not_hidden_by_another(self):
        expression = sympy.Sum(sympy.Sum(X[I], (I, 0, 2)) * I, (I, 0, 3))
        back = to_sympy(*from_sympy(expression).formula)
        assert back == sympy.Sum(I * sympy.Sum(X[J], (J, 0, 2)), (I, 0, 3))

    @pytest.mark.parametrize("expression", [e for e, _ in READ], ids=range(len(READ)))
    def test_values_are_the_same(self, expression):
        values = {X[k]: sympy.Rational(k + 2, 7) for k in range(9)} | {C[k]: sympy.Rational(3, k + 1) for k in range(9)}
        values |= {T: sympy.Rational(2, 5), K: sympy.Rational(1, 3)}
        expression = expression.subs(N, 4) if expression == READ[1][0] else expression  # n/2 is a bound there
        read = from_sympy(expression)
        back = to_sympy(*read.formula, read.symbols)
        assert mp.almosteq(mp.mpf(number(back, values)), mp.mpf(number(expression, values)), 1e-25)

    def test_a_tangent_of_a_product_is_a_sum_of_products(self):
        tape = Tape()
        index = tape.index(binders.OPEN)
        body, speed = tape.access("x", index), tape.access("c", index)
        bounds = (tape.constant(0), tape.symbol("n"))
        back = to_sympy(tape, binders.bind(tape, "prod_tangent", binders.OPEN, (body, speed, *bounds)))
        product = sympy.Product(X[I] + T * C[I], (I, 0, 3)).doit()
        expected = sympy.diff(product, T).subs(T, 0)
        assert sympy.expand(back.subs(sympy.Symbol("n"), 3).doit() - expected) == 0

    @pytest.mark.parametrize("order", [1, 2, 3])
    @pytest.mark.parametrize("degree", [0, 1, 2, 5])
    def test_derivatives_of_chebyshev_polynomials(self, degree, order):
        tape = Tape()
        entry = tape.call("chebyshevt_diff", tape.constant(order), tape.symbol("k"), tape.symbol("t"))
        shown = to_sympy(tape, entry)
        expected = sympy.diff(sympy.chebyshevt(degree, T), T, order)
        assert sympy.expand(shown.subs(K, degree).doit() - expected) == 0
        again = from_sympy(sympy.Sum(shown, (K, degree, degree))).formula
        assert "chebyshevt_diff" in to_text(*again)
        fixed = tape.call("chebyshevt_diff", tape.constant(order), tape.constant(degree), tape.symbol("t"))
        assert sympy.expand(to_sympy(tape, fixed).doit() - expected) == 0

    def test_polynomials_of_huge_degree_are_not_written_out(self):
        tape = Tape()
        degree = tape.constant(10**9)
        back = to_sympy(tape, tape.call("chebyshevt", degree, tape.symbol("t")))
        assert back == sympy.chebyshevt(10**9, T, evaluate=False)

    def test_many_conditions_in_a_sum_are_not_multiplied_out(self):
        tape = Tape()
        index = tape.index(binders.OPEN)
        terms = [
            tape.call("where", tape.call("lt", tape.access("x", index), tape.constant(k)), tape.constant(k), index)
            for k in range(40)
        ]
        total = binders.bind(tape, "sum", binders.OPEN, (tape.add(terms), tape.constant(0), tape.symbol("n")))
        assert isinstance(to_sympy(tape, total), sympy.Sum)

    def test_shared_sums_are_converted_once(self):
        tape = Tape()
        entry = tape.symbol("t")
        for _ in range(12):
            index = tape.index(binders.OPEN)
            one = tape.mul((entry, tape.access("x", index)))
            other = tape.add((entry, tape.access("c", index)))
            bounds = (tape.constant(0), tape.symbol("n"))
            sums = [binders.bind(tape, "sum", binders.OPEN, (body, *bounds)) for body in (one, other)]
            entry = tape.call("sin", tape.mul(sums))
        to_sympy(tape, entry)
