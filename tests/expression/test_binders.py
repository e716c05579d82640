"""Sums and products as entries: one entry for one sum, whatever its index is called and wherever it stands."""

from __future__ import annotations

from fractions import Fraction

import pytest

from descend.errors import FormulaError
from descend.expression import binders
from descend.expression.derivative import full_gradient
from descend.expression.parse import parse
from descend.expression.tape import Tape


def same(*texts):
    """Whether all texts are one entry of one tape."""
    tape = Tape()
    return len({tape.graft(*parse(text)) for text in texts}) == 1


class TestOneEntry:
    def test_the_name_of_the_index_does_not_matter(self):
        assert same("sum(x[i]^2, i, 0, n)", "sum(x[j]^2, j, 0, n)", "sum(x[k]^2, k, 0, n)")

    def test_the_place_does_not_matter(self):
        tape, root = parse("sum(x[i]*sum(y[j]^2, j, 0, n), i, 0, n) + sum(y[i]^2, i, 0, n)")
        sums = [k for k in tape.reachable((root,)) if tape[k].op == "sum"]
        assert len(sums) == 2

    def test_bounds_matter(self):
        assert not same("sum(x[i]^2, i, 0, n)", "sum(x[i]^2, i, 1, n)")

    @pytest.mark.parametrize("text", ["sum(sum(x[i+j], j, 0, i), i, 0, n)", "prod(sum(x[i]*x[j], j, i, n), i, 0, n)"])
    def test_no_index_is_free_outside(self, text):
        tape, root = parse(text)
        assert tape.free[root] == 0

    def test_tape_and_gradient_are_as_long_for_any_n(self):
        lengths = set()
        for n in (10, 1000, 10**6):
            tape, root = parse("sum((1-x[i])^2 + 100*(x[i+1]-x[i]^2)^2, i, 0, n-2) + prod(1 + x[i]/n, i, 1, n-1)")
            (root,) = tape.substitute([root], {tape.symbol("n"): tape.constant(n)})
            found = full_gradient(tape, root, [], ["x"])
            lengths.add((len(tape), len(tape.reachable([root, *(s.value for s in found.scatters)]))))
        assert len(lengths) == 1


class TestBind:
    def test_an_empty_range(self):
        tape = Tape()
        i = tape.index(0)
        assert tape.value(binders.bind(tape, "sum", 0, (i, tape.constant(3), tape.constant(2)))) == 0
        assert tape.value(binders.bind(tape, "prod", 0, (i, tape.constant(3), tape.constant(2)))) == 1

    def test_a_body_without_the_index(self):
        assert same("sum(x^2, i, 1, 5)", "5*x^2")
        assert same("prod(x, i, 1, 5)", "x^5")

    def test_bounds_are_whole(self):
        tape = Tape()
        with pytest.raises(FormulaError, match="whole"):
            binders.bind(tape, "sum", 0, (tape.index(0), tape.constant(0), tape.constant(Fraction(5, 2))))

    def test_levels_are_put_in_order(self):
        tape = Tape()
        x = tape.access("x", tape.index(7))
        entry = tape[binders.bind(tape, "sum", 7, (x, tape.constant(0), tape.symbol("n")))]
        assert entry.value == 0
        assert tape[entry.args[0]] == tape[tape.access("x", tape.index(0))]


class TestRename:
    def test_an_inner_index_steps_aside(self):
        tape, root = parse("sum(sum(x[i]*y[j], j, 0, i), i, 0, n)")
        inner = tape[root].args[0]  # free in level 0, binds level 1
        assert tape[inner].value == 1
        moved = binders.rename(tape, inner, 0, 1)
        assert tape.free[moved] == 0b10
        assert tape[moved].value == 2
        assert binders.rename(tape, moved, 1, 0) == inner

    def test_what_is_bound_elsewhere_stays(self):
        tape, root = parse("sum(x[i] + sum(x[j], j, 0, 3), i, 0, n)")
        closed = next(k for k in tape.reachable((root,)) if tape[k].op == "sum" and k != root)
        assert binders.rename(tape, closed, 0, 5) == closed


class TestAffine:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("2i + 1", ({0: 2}, 1)),
            ("7 - i", ({0: -1}, 7)),
            ("(4i + 6)/2", ({0: 2}, 3)),
            ("3", ({}, 3)),
            ("i - i", ({}, 0)),
        ],
    )
    def test_linear_in_the_index(self, text, expected):
        tape, root = parse(text)
        symbol = tape.symbols((root,)).get("i")
        found = root if symbol is None else tape.substitute([root], {symbol: tape.index(0)})[0]
        assert binders.affine(tape, found) == expected

    @pytest.mark.parametrize("text", ["i^2", "i/2", "sin(i)", "i*i", "i + 1/3"])
    def test_anything_else(self, text):
        tape, root = parse(text)
        (found,) = tape.substitute([root], {tape.symbol("i"): tape.index(0)})
        assert binders.affine(tape, found) is None
