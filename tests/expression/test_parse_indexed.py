"""Sums, products and entries of arrays as text, against tapes built by hand: equal formulas are one entry of a tape."""

from __future__ import annotations

import pytest

from descend.errors import FormulaError, LimitError
from descend.expression.binders import OPEN, bind
from descend.expression.limits import Limits
from descend.expression.parse import parse, parse_model

X = "x"


class Hand:
    """A tape with short words for what is built by hand."""

    def __init__(self, tape):
        self.tape = tape

    def __call__(self, thing):
        return thing if isinstance(thing, Entry) else Entry(self.tape, self.tape.constant(thing))

    def name(self, name):
        return Entry(self.tape, self.tape.symbol(name))

    def at(self, array, place):
        return Entry(self.tape, self.tape.access(array, self(place).entry))

    def call(self, op, *args):
        return Entry(self.tape, self.tape.call(op, *(self(a).entry for a in args)))

    def bind(self, op, index, body, low, high):
        level = self.tape[index.entry].value
        return Entry(self.tape, bind(self.tape, op, level, (self(body).entry, self(low).entry, self(high).entry)))


class Entry:
    def __init__(self, tape, entry):
        self.tape, self.entry = tape, entry

    def _with(self, other):
        return other.entry if isinstance(other, Entry) else self.tape.constant(other)

    def __add__(self, other):
        return Entry(self.tape, self.tape.add((self.entry, self._with(other))))

    def __sub__(self, other):
        return Entry(self.tape, self.tape.sub(self.entry, self._with(other)))

    def __mul__(self, other):
        return Entry(self.tape, self.tape.mul((self.entry, self._with(other))))

    def __rmul__(self, other):
        return Entry(self.tape, self.tape.mul((self._with(other), self.entry)))

    def __truediv__(self, other):
        return Entry(self.tape, self.tape.div(self.entry, self._with(other)))

    def __pow__(self, other):
        return Entry(self.tape, self.tape.pow(self.entry, self._with(other)))


def indices(tape):
    """Return three open indices: levels that no reader of the text has chosen, so that only binding puts them right."""
    return [Entry(tape, tape.index(OPEN + 20 + k)) for k in range(3)]


def squares(h, i, _j, _k):
    return h.bind("sum", i, h.at(X, i) ** 2, 0, h.name("n") - 1)


def chain(h, i, _j, _k):
    term = (h(1) - h.at(X, i)) ** 2 + 100 * (h.at(X, i + 1) - h.at(X, i) ** 2) ** 2
    return h.bind("sum", i, term, 0, h.name("n") - 2)


def ackley(h, i, _j, _k):
    n = h.name("n")
    return h.call("exp", h.bind("sum", i, h.call("cos", 2 * h.call("pi") * h.at(X, i)), 0, n - 1) / n)


def triangle(h, i, j, _k):
    n = h.name("n")
    return h.bind("sum", i, h.bind("sum", j, h.at(X, j), 0, i) ** 2, 0, n - 1)


def window(h, i, j, _k):
    n = h.name("n")
    low, high = h.call("max", 0, i - 5), h.call("min", n - 1, i + 1)
    return h.bind("sum", i, h.bind("sum", j, h.at(X, i) * h.at(X, j), low, high), 0, n - 1)


def product(h, i, _j, _k):
    return h.bind("prod", i, h.at(X, i), 0, h.name("n") - 1)


def both(h, i, j, _k):
    return h.bind("sum", j, h.bind("sum", i, h.at(X, 3 * i + j), 0, j), 1, h.name("n"))


def deep(h, i, j, k):
    inner = h.bind("prod", k, h.at(X, h.call("add", i, j, k)), j, h.name("n"))
    return h.bind("sum", i, h.bind("sum", j, inner * h.at(X, j), i, h.name("n")), 0, h.name("n"))


def chebyquad(h, i, j, _k):
    n = h.name("n")
    inner = h.bind("sum", j, h.call("chebyshevt", i, 2 * h.at(X, j) - 1), 0, n - 1)
    return h.bind("sum", i, (inner / n - h.at("c", i)) ** 2, 1, n)


SAME = [
    ("sum(x[i]^2, i, 0, n-1)", squares),
    ("Sum(x[i]**2, (i, 0, n - 1))", squares),
    ("sum(x[k]², (k, 0, n-1))", squares),
    ("sum( x[α]^2 ,\n α, 0, n - 1 )", squares),
    ("sum(x[e]^2, e, 0, n-1)", squares),
    ("sum((1-x[i])^2 + 100*(x[i+1]-x[i]^2)^2, i, 0, n-2)", chain),
    ("Sum((1 - x[i])**2 + 100*(x[i + 1] - x[i]**2)**2, (i, 0, n - 2))", chain),
    ("exp(sum(cos(2pi x[i]), i, 0, n-1)/n)", ackley),
    ("sum(sum(x[j], j, 0, i)^2, i, 0, n-1)", triangle),
    ("sum(sum(x[i], i, 0, j)^2, j, 0, n-1)", triangle),
    ("Sum(Sum(x[j], (j, 0, i))**2, (i, 0, n - 1))", triangle),
    ("sum(sum(x[i]x[j], j, max(0, i-5), min(n-1, i+1)), i, 0, n-1)", window),
    ("Sum(x[i]*x[j], (j, Max(0, i - 5), Min(n - 1, i + 1)), (i, 0, n - 1))", window),
    ("prod(x[i], i, 0, n-1)", product),
    ("Product(x[i], (i, 0, n - 1))", product),
    ("Sum(x[3i + j], (i, 0, j), (j, 1, n))", both),
    ("sum(sum(x[3i + j], i, 0, j), j, 1, n)", both),
    ("sum(sum(prod(x[i+j+k], k, j, n)*x[j], j, i, n), i, 0, n)", deep),
    ("Sum((Sum(chebyshevt(i, 2*x[j] - 1), (j, 0, n - 1))/n - c[i])**2, (i, 1, n))", chebyquad),
]


@pytest.mark.parametrize(("text", "by_hand"), SAME, ids=[text for text, _ in SAME])
def test_same_entry(text, by_hand):
    tape, root = parse(text)
    assert root == by_hand(Hand(tape), *indices(tape)).entry


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("sum(x[i], i, 0, 3) + sum(x[j], j, 0, 3)", "2*sum(x[k], k, 0, 3)"),
        ("sum(sum(x[i], i, 0, 3)*i, i, 0, 3)", "sum(sum(x[j], j, 0, 3)*i, i, 0, 3)"),
        ("Sum(Product(x[b], (a, b, n)), (b, c, n), (c, 0, n))", "sum(sum(prod(x[j], k, j, n), j, i, n), i, 0, n)"),
        ("sum(5, i, 1, 10)", "50"),
        ("sum(y, i, 1, 10^12)", "10^12*y"),
        ("prod(y, i, 1, 3)", "y^3"),
        ("sum(x[i], i, 3, 2) + prod(x[i], i, 3, 2)", "1"),
        ("sum(i(i + 1), i, 0, n)", "sum(i*(i + 1), i, 0, n)"),
        ("2sum(x[i], i, 0, n)^2 x[0]", "2*(sum(x[i], i, 0, n)^2)*x[0]"),
        ("|sum(|x[i]|, i, 0, 3)|", "abs(sum(abs(x[i]), i, 0, 3))"),
        ("sum(where(i > 2, x[i], 1), i, 0, n)", "Sum(Piecewise((x[i], i > 2), (1, True)), (i, 0, n))"),
        ("x[0]^2 + x[1]", "x[1 - 1]^2 + x[2/2]"),
        ("x[2n + 1]", "x[n*2 + 1]"),
        ("sum(x[i + 2], i, 0, 3)", "sum(x[(i + 2)*2/2], i, 0, 3)"),
        ("`my data`[3]", "`my data`[1 + 2]"),
        ("x [0] + λ[1]", "x[0] + lambda[1]"),
    ],
)  # fmt: skip
def test_two_spellings(text, other):
    tape, root = parse(text)
    second, there = parse(other)
    assert tape.graft(second, there) == root


def test_the_index_is_a_name_only_in_its_sum():
    tape, root = parse("sum(x[i] + i, i, 0, 3) + i + y[i]", names=["i"])
    assert tuple(tape.symbols([root])) == ("i",)
    assert tape.arrays([root]) == ("x", "y")


def test_an_index_hides_columns_and_constants():
    for text in ("sum(e*pi, e, 0, 3)", "sum(rate*pi, rate, 0, 3)", "sum(pi*j, j, 0, 3)"):
        tape, root = parse(text, names=["rate", "j"])
        assert tape.symbols([root]) == {}
    assert parse("e[0] + pi[1]").names == ()
    assert parse("sum(x[rate], rate, 0, n)*rate", names=["rate"]).names == ("n", "rate")
    tape, root = parse("sum[0] + sum(x[i], i, 0, 3)")
    assert tape.arrays([root]) == ("sum", "x")


def test_a_sum_wins_where_it_is_called():
    assert parse("sum(x[i], i, 0, 3)*sum", names=["sum"]).names == ("sum",)


def test_the_length_of_the_tape_does_not_depend_on_n():
    lengths = {len(parse(f"sum(sin(x[i])*x[i+1], i, 0, {n})").tape) for n in (10, 1000, 10**6, 10**12)}
    assert len(lengths) == 1


def test_the_constant_is_put_in_later():
    tape, root = parse("sum(x[i + n/2]^2, i, 0, n/2 - 1)")
    n = tape.symbol("n")
    assert tape.substitute([root], {n: tape.constant(8)}) == [tape.graft(*parse("sum(x[i + 4]^2, i, 0, 3)"))]
    with pytest.raises(FormulaError, match="whole number"):
        tape.substitute([root], {n: tape.constant(7)})


def test_a_model_of_arrays():
    model = parse_model("y[0] = sum(b[j]*x[j], j, 0, 3)")
    assert model.tape.arrays([model.left, model.right]) == ("b", "x", "y")


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "reason", "position"),
        [
            ("sum(x)", r"takes a body, an index and the index's bounds: sum\(body, i, 0, n-1\)", 0),
            ("2 + Sum(x[i], i)", r"Sum\(body, \(i, 0, n-1\)\)", 4),
            ("prod()", r"prod\(body, i, 0, n-1\)", 0),
            ("sum(x[i], i, 0, 3, 4)", "takes a body", 19),
            ("sum(, i, 0, 3)", "nothing to add up", 4),
            ("prod(, i, 0, 3)", "nothing to multiply", 5),
            ("sum(x[i], i, , 3)", "bound is missing", 13),
            ("sum(x[i], i, 0, )", "bound is missing", 16),
            ("sum(x[i], , 0, 3)", "plain name", 10),
            ("sum(x[i], 2, 0, 3)", "plain name", 10),
            ("sum(x[i], i + 1, 0, 3)", "plain name", 10),
            ("sum(x[i], `i`, 0, 3)", "plain name", 10),
            ("sum(x, sin, 0, 3)", "sin has a meaning of its own", 7),
            ("sum(x, and, 0, 3)", "meaning of its own", 7),
            ("Sum(x[i], (i, 3))", r"written \(i, 0, n-1\)", 10),
            ("Sum(x[i], ((i, 0, 3)))", r"written \(i, 0, n-1\)", 10),
            ("Sum(x[i], (i, 0, 3), j, 0, 3)", r"written \(i, 0, n-1\)", 21),
            ("Sum(x[i], (i, 0, 3)^2)", r"written \(i, 0, n-1\)", 10),
            ("Sum(x[i], (i, 0, 3), (i, 0, 4))", "i is the index of two ranges", 22),
            ("sum(x[i], i, 0, i)", "bounds cannot depend on i", 16),
            ("sum(sum(x[i], i, 0, i), i, 0, 3)", "bounds cannot depend on i", 20),
            ("Sum(x[i], (i, 0, n), (j, 0, i))", "bounds cannot depend on i", 28),
            ("sum(x[i], i, 0, x[0])", "a bound is made of", 16),
            ("sum(x[i], i, 0, sin(2))", "a bound is made of", 16),
            ("sum(x[i], i, 0, sum(j, j, 0, 3))", "a bound is made of", 16),
            ("sum(x[i], i, 0, 2pi)", "a bound is made of", 17),
            ("sum(x[i], i, 0, |n|)", "a bound is made of", 16),
            ("sum(x[i], i, 0, n^0.5)", "a bound is made of", 16),
            ("sum(x[i], i, 0, 7/2)", "a bound is a whole number, and 7/2 is none", 16),
            ("sum(x[i], i, 0, 10^18)", r"at most 10\^15", 16),
            ("sum(x[i], i, 0, n < 3)", "comparison only stands", 18),
            ("sum(x > 0, i, 0, 3)", "comparison only stands", 6),
            ("sum((x > 0), i, 0, 3)", "a number is needed", 4),
            ("sum(x[i], i = 0, 3)", r"written with commas: sum\(body", 12),
            ("Sum(x[i], (i = 0, 3))", r"written with commas: Sum\(body", 13),
            ("sum(x[i], i, 0:3)", "written with commas", 14),
            ("sum(x[i], i, 0..3)", "written with commas", 14),
            ("sum(x[i], i, 0, 3", "not closed", 3),
            ("sum(x[i, i, 0, 3)", "not closed", 5),
            ("Sum(x[i], (i, 0, 3)", "not closed", 3),
            ("sum((x[i), i, 0, 3)", "not closed", 6),
            ("sum(1/2x, i, 0, 3)", "can be read as", 7),
            ("sum(x[i*i], i, 0, 3)", "only linear index arithmetic", 6),
            ("sum(sum(x[i*j], i, 0, 3), j, 0, 3)", "only linear index arithmetic", 10),
            ("sum(x[n/i], i, 1, 3)", "only linear index arithmetic", 6),
            ("sum(x[2^i], i, 1, 3)", "only linear index arithmetic", 6),
            ("x[y[0]]", "only linear index arithmetic", 2),
            ("x[1 + sin(2)]", "only linear index arithmetic", 6),
            ("x[max(1, 2)]", "only linear index arithmetic", 2),
            ("x[2 + e]", "only linear index arithmetic", 6),
            ("x[|n|]", "only linear index arithmetic", 2),
            ("x[n^0.5]", "only linear index arithmetic", 2),
            ("x[n > 1]", "comparison only stands", 4),
            ("x[(n > 1)]", "a number is needed", 2),
            ("sum(x[i/2], i, 0, 3)", "not for every index", 6),
            ("x[1/2]", "a whole number, and 1/2 is none", 2),
            ("x[10^16]", r"at most 10\^15", 2),
            ("x[(3/2)^1000]", "and this is", 2),
            ("sum(x[10^16*i], i, 0, 3)", r"at most 10\^15", 6),
            ("x[-1]", r"counted from 0; the last of n entries is x\[n - 1\]", 2),
            ("x[]", "place is missing", 2),
            ("x[0", "not closed", 1),
            ("x[0)", r"a '\[' is still open here, and '\)' does not close it", 3),
            ("(x]", r"a '\(' is still open here", 2),
            ("x]", "never opened", 1),
            ("x[0, 1]", r"one index.*a\[3i \+ j\]", 3),
            ("x[0][1]", "one index", 4),
            ("x + x[0]", "x stands alone elsewhere", 4),
            ("x[0]*y/x", "x is an array elsewhere", 7),
            ("sum(i[0], i, 0, 3)", "i is an index here, not an array", 4),
            ("sin[x]", r"round brackets: sin\(x\)", 3),
            ("2[0]", "behind the name of an array", 1),
            ("(x + y)[0]", "behind the name of an array", 7),
            ("sin(x)[0]", "behind the name of an array", 6),
        ],
    )  # fmt: skip
    def test_reason_and_place(self, text, reason, position):
        with pytest.raises(FormulaError, match=reason) as caught:
            parse(text)
        assert caught.value.position == position
        assert not isinstance(caught.value, LimitError)

    def test_loops_inside_one_another(self):
        ranges = ", ".join(f"(i{k}, 0, 3)" for k in range(8))
        assert parse(f"Sum(x[i0], {ranges})").names == ()
        with pytest.raises(LimitError, match=r"Limits\(loops=") as caught:
            parse(f"2 + sum(Sum(x[i0], {ranges}), j, 0, n)")
        assert caught.value.position == 8
        assert parse(f"sum(Sum(x[i0], {ranges}), j, 0, n)", limits=Limits(loops=9)).names == ("n",)
        assert len(parse(" + ".join(f"sum(x[i], i, 0, {k})" for k in range(20))).tape) > 20
