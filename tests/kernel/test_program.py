"""Tape → program: which primitive operations, in which order, and that nothing is computed twice or in vain."""

from __future__ import annotations

import math
from fractions import Fraction

import mpmath
import pytest

from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.kernel.interpret import Interpreter
from descend.kernel.program import LARGEST_PRODUCT_POWER, PRIMITIVES, lower, to_double
from tests.kernel.tapes import inf, nan, same


def program(text, names=("x", "y")):
    tape, root = parse(text)
    return lower(tape, [root], names)


def operations(text, names=("x", "y")):
    return [i.op for i in program(text, names).instructions]


def value(text, *point):
    return Interpreter(program(text, tuple("xyz"[: len(point)])))(point)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x + y", ["add"]),
        ("x - y", ["sub"]),
        ("-x + y", ["sub"]),  # y - x
        ("-x - y", ["neg", "sub"]),
        ("x*y*x", ["mul", "mul"]),
        ("x^2", ["mul"]),
        ("x^8", ["mul", "mul", "mul"]),
        ("x^-3", ["mul", "mul", "constant", "div"]),
        ("x^9", ["constant", "pow"]),
        ("x^1.5", ["sqrt", "mul"]),
        ("x^1.7", ["constant", "pow"]),
        ("x^-0.5", ["sqrt", "constant", "div"]),
        ("x^0.5", ["sqrt"]),
        ("x/4", ["constant", "mul"]),
        ("sin(x) + sin(x)*y", ["sin", "mul", "add"]),
    ],
)
def test_operations(text, expected):
    assert operations(text) == expected


@pytest.mark.parametrize("power", ["1/2", "3/2", "7/2", "-1/2", "1/3", "2/3", "4/3", "7/3", "-1/3", "-2/3", "23/3"])
def test_powers_of_roots(power):
    exponent = Fraction(power)
    assert "pow" not in operations(f"x^({power})")
    for x in (1.7, 3e-7, 2.5e20):  # the exponent is the rational number: the double nearest to 7/3 is off by 1e-14
        with mpmath.workdps(40):
            exact = mpmath.power(x, mpmath.mpf(exponent.numerator) / exponent.denominator)
        assert value(f"x^({power})", x) == pytest.approx(float(exact), rel=2e-15)
    assert value(f"x^({power})", math.inf) == (math.inf if exponent > 0 else 0.0)
    for x in (-1.7, -1e-300, math.nan):
        assert math.isnan(value(f"x^({power})", x))
    assert value(f"x^({power})", 0.0) == (0.0 if exponent > 0 else math.inf)


@pytest.mark.parametrize("power", range(-LARGEST_PRODUCT_POWER, LARGEST_PRODUCT_POWER + 1))
def test_small_powers_are_products(power):
    if power in {0, -1}:
        return
    assert "pow" not in operations(f"x^({power})")
    for x in (1.7, -0.3, 0.0, -0.0):
        if power > 0 or x:
            assert value(f"x^({power})", x) == pytest.approx(x**power, rel=1e-15)


def test_an_entry_that_two_sums_share_is_computed_once():
    tape, root = parse("exp(x*y) + (x*y)^2")
    found = lower(tape, [root, *tape[root].args], ("x", "y"))
    assert [i.op for i in found.instructions].count("mul") == 2
    assert found.outputs[0] == found.slots - 1


def test_what_no_output_needs_is_dropped():
    tape, _ = parse("exp(x) + log(y)")
    half = tape.call("exp", tape.symbol("x"))
    assert [i.op for i in lower(tape, [half], ("x", "y")).instructions] == ["exp"]
    assert lower(tape, [], ("x", "y")).instructions == ()


def test_inputs_are_in_the_order_asked_for():
    tape, root = parse("x - y")
    assert Interpreter(lower(tape, [root, tape.symbol("y")], ("y", "unused", "x")))([1.0, 9.0, 5.0]) == [4.0, 1.0]


def test_each_instruction_knows_its_entry():
    tape, root = parse("x^3 + log(y)")
    for instruction in lower(tape, [root], ("x", "y")).instructions:
        assert tape[instruction.origin].op in {"pow", "log", "add"}
        assert len(instruction.args) == PRIMITIVES[instruction.op]


def test_a_symbol_that_is_no_input_is_an_error():
    tape, root = parse("x + y")
    with pytest.raises(KeyError):
        lower(tape, [root], ("x",))


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        ("softplus(x)", 1000.0, 1000.0),
        ("softplus(x)", -1000.0, 0.0),
        ("softplus(x)", -40.0, 4.248354255291589e-18),
        ("softplus(x)", inf, inf),
        ("softplus(x)", -inf, 0.0),
        ("sigmoid(x)", 1000.0, 1.0),
        ("sigmoid(x)", -1000.0, 0.0),
        ("sigmoid(x)", -40.0, 4.248354255291589e-18),
        ("sigmoid(x)", nan, nan),
        ("sign(x)", -3.0, -1.0),
        ("sign(x)", 5e-324, 1.0),
        ("sign(x)", 0.0, 0.0),
        ("sign(x)", -0.0, -0.0),
        ("sign(x)", nan, nan),
        ("logaddexp(x, x)", inf, inf),
        ("logaddexp(x, x)", -inf, -inf),
        ("logaddexp(x, x)", 1000.0, 1000.0 + math.log(2)),
        ("logaddexp(x, 0)", -1000.0, 0.0),
        ("logaddexp(x, 0)", nan, nan),
    ],
)
def test_stable_forms(text, x, expected):
    assert same(value(text, x), expected)


def test_logaddexp_of_different_infinities():
    assert value("logaddexp(x, y)", inf, -inf) == inf
    assert value("logaddexp(x, y)", -inf, 3.0) == 3.0


@pytest.mark.parametrize(
    ("exact", "double"),
    [
        (Fraction(1, 10), 0.1),
        (Fraction(10) ** 400, inf),
        (-(Fraction(10) ** 400), -inf),
        (Fraction(1, 10**400), 0.0),
        (Fraction(2) ** -1074, 5e-324),
        (Fraction(2**53 + 1), 2.0**53),  # to even
        (Fraction(2**53 + 3), 2.0**53 + 4),
        (Fraction(10**400 + 1, 10**400), 1.0),
    ],
)
def test_constants_are_rounded_to_nearest(exact, double):
    assert same(to_double(exact), double)


def test_pi():
    tape = Tape()
    assert Interpreter(lower(tape, [tape.call("pi")], ()))([]) == [math.pi]
