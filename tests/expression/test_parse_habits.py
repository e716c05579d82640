"""What people write from habit of programs and paper: refused with what they meant, and where."""

from __future__ import annotations

import pytest

from descend.errors import FormulaError, LimitError
from descend.expression.parse import parse, parse_model
from descend.expression.write import to_text


def refused(text, reason, position, reader=parse, **settings):
    with pytest.raises(FormulaError, match=reason) as caught:
        reader(text, **settings)
    assert caught.value.position == position
    assert not isinstance(caught.value, LimitError)


class TestEntriesOfArrays:
    @pytest.mark.parametrize(
        ("text", "reason", "position"),
        [
            ("sum(x(i)^2, i, 1, 3)", r"did you mean x\[i\]\?.*x\*\(i\)", 4),
            ("sum(y + x(2i - 1), i, 1, 3)", r"x\[2i - 1\]\?.*x\*\(2i - 1\)", 8),
            ("sum(data(i), i, 1, 3)", r"did you mean data\[i\]\?", 4),
            ("sum(`my x`(i), i, 1, 3)", r"did you mean my x\[i\]\?", 4),
            ("sum(sum(x(i), j, 1, 3), i, 1, 3)", r"did you mean x\[i\]\?", 8),
            ("sum(sum(a(i, j), j, 1, 3), i, 1, 3)", r"one index: a\[3i \+ j\]", 8),
            ("sum(x_i^2, i, 1, 3)", r"x_i is one name, whatever i is; did you mean x\[i\]\?", 4),
            ("sum(1 + i*x_i, i, 1, 3)", r"did you mean x\[i\]\?", 10),
            ("sum(2xi^2, i, 1, 3)", r"did you mean x\[i\]\?", 5),
            ("Sum(xi*yj, (i, 1, 3), (j, 1, 3))", r"did you mean x\[i\]\?", 4),
            ("sum(x_{i}, i, 1, 3)", r"an entry of an array: x\[i\]", 6),
            ("sum(xᵢ, i, 1, 3)", r"write x\[i\]", 5),
            ("sum(x[j]^2, i, 0, 4)", "j is not an index here; did you mean i", 6),
            ("sum(x[I]^2, i, 0, 4)", "I is not an index here; did you mean i", 6),
            ("sum(sum(x[i + k], j, 0, 4), i, 0, 4)", r"k is not an index here; did you mean i or j\?", 14),
            ("sum(sum(x[i + J], j, 0, 4), i, 0, 4)", r"J is not an index here; did you mean j\?", 14),
            ("1 + x[i]^2", r"i has no value: an index belongs to a sum, sum\(x\[i\]\^2, i, 0, n-1\)", 6),
            ("sum(x[i], i, 0, oo)", "ends at a number; infinite sums are not supported", 16),
            ("sum(x[i], i, -inf, 0)", "infinite sums", 14),
        ],
    )
    def test_refused(self, text, reason, position):
        refused(text, reason, position)

    def test_a_known_name_does_not_excuse_it(self):
        refused("sum(x_i^2, i, 1, 3)", r"x\[i\]", 4, names=["x_i"])
        refused("sum(n(i), i, 1, 3)", r"n\*\(i\)", 4, names=["n"])

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("sum(c, i, 1, n)", ("c", "n")),
            ("sum(2pi*ξ, i, 1, n)", ("n", "xi")),
            ("sum(`x_i`, i, 1, n)", ("n", "x_i")),
            ("sum(chi*tai*xi[0], i, 1, n)", ("chi", "n", "tai")),
            ("sum(x*(i + 1) + i(i + 1), i, 1, n)", ("n", "x")),
            ("sum(x[n(i + 1)], i, 1, 3)", ("n",)),
            ("sum(x(y + 1) + x(t[i]), i, 1, 3)", ("x", "y")),
            ("sum(x[i + m], i, 0, k)", ("k", "m")),
            ("oo + inf", ("inf", "oo")),
            ("x(i) + x_i + xi", ("i", "x", "x_i", "xi")),
        ],
    )
    def test_allowed(self, text, names):
        assert parse(text).names == names

    def test_a_constant_that_is_given_is_a_place(self):
        assert parse("x[i] + sum(x[i + j], i, 0, 3)", names=["i", "j"]).names == ("i", "j")

    def test_what_is_written_is_not_refused(self):
        for text in ("sum(x_i, t, 1, n)", "sum(xi*t, t, 1, n)", "sum(x[t]*x_i, t, 1, n)"):
            tape, root = parse(text)
            assert parse(to_text(tape, root)).names == tuple(sorted(tape.symbols([root])))
        assert to_text(*parse("`if` + `in`*`lambda`")) == "`if` + `in`*lambda"


class TestArgumentsOfSums:
    @pytest.mark.parametrize(
        ("text", "reason", "position"),
        [
            ("sum(x[i]^2 i, 0, 3)", "a comma is missing before i", 11),
            ("sum(x[i]^2, i, 0 3)", "a comma is missing before 3", 17),
            ("sum(x[i]^2, i, 0 n)", "a comma is missing before n", 17),
            ("sum(x[i]^2, i 0, 3)", "a comma is missing before 0", 14),
            ("sum(x[i]^2, i, 2n)", "takes a body", 0),
            ("sum(x[i]^2, i, 0, 3, 4)", "takes a body", 21),
            ("sum(x[i]^2, [i, 0, 3])", "round brackets or in none", 12),
            ("sum(x i]^2, i, 0, 3)", r"a '\(' is still open here, and '\]' does not close it", 7),
            ("sum(x[i, i, 0, 3)", "not closed", 5),
            ("sum(x[i] for i in range(3))", "takes a body", 9),
        ],
    )
    def test_refused(self, text, reason, position):
        refused(text, reason, position)


class TestOtherLanguages:
    @pytest.mark.parametrize(
        ("text", "reason", "position"),
        [
            ("2Sin(x)", r"did you mean sin\?", 1),
            ("Sin (x)", r"did you mean sin\?", 0),
            ("Exp(x)", r"did you mean exp\?", 0),
            ("EXP(x)", r"did you mean exp\?", 0),
            ("ArcTan(x)", r"did you mean arctan\?", 0),
            ("SUM(x[i], i, 0, 3)", r"did you mean sum\?", 0),
            ("PIECEWISE((x, True))", r"did you mean Piecewise\?", 0),
            ("Factorial(n)", r"write exp\(gammaln\(n \+ 1\)\)", 0),
            ("len(x)", "write n", 0),
            ("np.sin(x)", r"no module before them; write sin\(x\)", 0),
            ("2*numpy.exp(x)", r"write exp\(x\)", 2),
            ("x + math.exp(x)", r"write exp\(x\)", 4),
            ("torch.relu(x)", r"write max\(x, 0\)", 0),
            ("np.maximum(x, 0)", r"write max\(x, y\)", 0),
            ("np.linalg", "no module", 0),
            ("2math.pi", "write pi", 1),
            ("np.sum(x)", r"write sum\(body, i, 0, n-1\)", 0),
            ("x.T", "attributes", 1),
            ("f = lambda x, y: x^2", "no 'lambda' before it; write the formula only", 4),
            ("lambda: 3", "write the formula only", 0),
            ("mylambda x: 3", "no meaning", 10),
            (" def f(x): return x", "beginning of a program; write the formula only", 1),
            ("if x > 0: 1", "write the formula only", 0),
            ("iffy: 1", "no meaning", 4),
            ("Σ(x[i]^2, i, 0, 3)", r"Greek letter here; write sum\(body", 0),
            ("2Π(x[i]^2, i, 0, 3)", r"Greek letter here; write prod\(body", 1),
            ("∑(x[i]^2, i, 0, 3)", r"write sum\(body", 0),
            ("x – 3", "write -", 2),
            ("x — 3", "write -", 2),
            ("½x", "write 1/2", 0),
            ("x > 0 ? 1 : 2", r"where\(x > 0, a, b\)", 6),
            ("x // 2", r"floor\(x/2\)", 2),
            ("x**2 if x>0 else -x", r"where\(x > 0, a, b\)", 5),
            ("x if y", r"where\(x > 0, a, b\)", 2),
            ("where x > 0, 1, 2", r"needs brackets: where\(x > 0, a, b\)", 0),
            ("1 + atan2 x, y", r"needs brackets: atan2\(y, x\)", 4),
            ("max x, y", r"needs brackets: max\(x, y\)", 0),
            ("where[x]", r"round brackets: where\(x > 0, a, b\)", 5),
            ("5!", "factorial sign", 1),
            ("!x > 0", "write 'not' before a condition", 0),
            ("where(x > 0 and !y > 0, 1, 2)", "write 'not'", 16),
            ("x^2, import os", "comma", 3),
            ("import os", "a word of programs; write the formula only", 0),
            ("x return y", "a word of programs", 2),
            ("minimize x^2", "write the formula only", 0),
            ("print(x^2)", "write the formula only", 0),
            ("sum(x, if, 0, 3)", "a meaning of its own", 7),
        ],
    )
    def test_refused(self, text, reason, position):
        refused(text, reason, position)

    def test_names_stay_names(self):
        assert parse("lambda x + Σ(x + 1)").names == ("Sigma", "lambda", "x")
        assert parse("minimize + print").names == ("minimize", "print")
        assert parse("in*is", names=["in", "is"]).names == ("in", "is")
        assert parse("`in`").names == ("in",)

    def test_functions_are_not_defined(self):
        for reader in (parse, parse_model):
            refused("f(x) = x^2", "write the right side only, or a model f = ...", 0, reader)
            refused(" f(x, y) = x^2 + y", "write the right side only", 1, reader)
        assert parse_model("log(y) = a*x").left
        assert parse_model("y(x + 1) = a*x").left
