"""Program → LLVM: every primitive has one spelling, no user's string gets through, and random tapes keep their bits."""

from __future__ import annotations

import math
import random
import re

import pytest

from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.kernel import lower as lowering
from descend.kernel.compile import PointKernel
from descend.kernel.interpret import Interpreter
from descend.kernel.lower import double
from descend.kernel.program import PRIMITIVES, lower
from descend.kernel.rows_code import plan, rows_function
from descend.kernel.straight import point_function
from tests.kernel.tapes import EDGES, all_same, random_outputs, random_point, same, with_gradient

FAMILIES = (
    lowering.NATIVE,
    lowering.COMPARISONS,
    lowering.TRUTH,
    lowering.INTRINSICS,
    lowering.LIBRARY,
    lowering.HELPERS,
    lowering.SPELLED_OUT,
    lowering.NO_MACHINE_CODE,
)


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_primitive_is_spelled_once(name):
    assert sum(name in family for family in FAMILIES) == 1


def test_nothing_else_is_spelled():
    assert set().union(*FAMILIES) == PRIMITIVES.keys()


def test_no_name_of_the_user_reaches_llvm():
    tape = Tape()
    hostile = '"\n}\ndeclare void @system(ptr) ; %x'
    x, y = tape.symbol(hostile), tape.symbol("y")
    root = tape.add([tape.call("sin", x), tape.mul([x, y])])
    program = lower(tape, [root], (hostile, "y"))
    for text in (point_function(program)[0], rows_function(plan(program, 1), [False], 2)):
        assert "system" not in text
        assert re.fullmatch(r"[\sa-zA-Z0-9_.,:=()\[\]{}<>\"#%@*-]*", text)
    assert PointKernel(program)([0.5, 2.0]) == Interpreter(program)([0.5, 2.0])


@pytest.mark.parametrize("lanes", [2, 4, 8])
def test_no_flag_of_fast_mathematics(lanes):
    program = with_gradient("where(x < y, exp(x)*y, max(x, 1)/y - sqrt(x)) + sign(x)*x^2.5")
    flags = {"fast", "nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc"}
    assert not flags & set(point_function(program)[0].split())
    own = rows_function(plan(program, 1), [False], lanes)
    rows = own[own.index("define internal void @piece0") :]  # behind the vector functions, which have their own
    assert not flags & set(rows.split())


@pytest.mark.parametrize("value", [*EDGES, 0.1, 1 / 3])
def test_constants_keep_every_bit(value):
    text = double(value)
    assert re.fullmatch("0x[0-9A-F]{16}", text)
    tape = Tape()
    if math.isfinite(value) and value:
        program = lower(tape, [tape.constant(value)], ())
        assert same(PointKernel(program)([])[0], value)


# What LLVM would like to rewrite: powers of constants into exp2, roots, inverse pairs, products with 0.
REWRITABLE = (
    "2^x", "4^x", "8^x", "0.5^x", "0.25^x", "10^x", "3^x", "x^2.5", "x^-1.5", "x^0.25", "x^(1/3)", "x^9", "x^-16",
    "x^100", "x^floor(x)", "2^floor(x)", "log(2^x)", "log2(8^x)", "exp(log(x))", "log(exp(x))", "log(x^9)",
    "sqrt(x)^3", "sqrt(x^4)", "sqrt(x*x)", "tan(atan(x))", "cbrt(exp(x))", "cbrt(x)^3", "exp(x)^2.5", "cosh(-x)",
    "cos(-x)", "sin(-x)", "sin(x)*cos(x)", "sin(x)/cos(x)", "exp(x)*exp(-x)", "1/sqrt(x)", "1/x/x", "x/3", "x/7*7",
    "0*x", "0 - x", "x - x + 1", "x*1.5 - x*1.5", "-(-x + 1)", "floor(x) + ceil(x)", "min(x, x^2)", "max(-x, x)",
    "abs(x)*abs(x)", "where(x == x, x, 1)", "where(x < x, 1, x)", "erf(x) + erfc(x)", "hypot(x, x)",
    "(x + 1e16) - 1e16",
)  # fmt: skip


@pytest.mark.parametrize("text", REWRITABLE)
def test_llvm_rewrites_nothing(text):
    tape, root = parse(text)
    program = lower(tape, [root], ("x",))
    kernel, interpreter = PointKernel(program), Interpreter(program)
    rng = random.Random(11)
    points = [*EDGES, *(rng.gauss(0, 5) for _ in range(500)), *(math.exp(rng.gauss(0, 30)) for _ in range(300))]
    wrong = [(x, interpreter([x]), kernel([x])) for x in points if not all_same(interpreter([x]), kernel([x]))]
    assert not wrong


def agree_on_random_tapes(seed, tapes, group, size, points):
    """Value and gradient of `tapes` random graphs, `group` of them in one kernel, at random points."""
    rng = random.Random(seed)
    for _ in range(0, tapes, group):
        tape = Tape()
        names = tuple("abcd"[: rng.randint(1, 4)])
        symbols = [tape.symbol(name) for name in names]
        outputs = []
        for _ in range(group):
            outputs += random_outputs(rng, tape, symbols, rng.randint(1, size))
        program = lower(tape, outputs, names)
        kernel, interpreter = PointKernel(program), Interpreter(program)
        for _ in range(points):
            point = random_point(rng, len(names))
            right, found = interpreter(point), kernel(point)
            wrong = [k for k, (a, b) in enumerate(zip(right, found, strict=True)) if not same(a, b)]
            assert not wrong, (seed, point, outputs[wrong[0]], right[wrong[0]], found[wrong[0]])


@pytest.mark.parametrize("seed", range(4))
def test_random_tapes_alone(seed):
    agree_on_random_tapes(seed, tapes=60, group=1, size=14, points=20)


@pytest.mark.parametrize("seed", range(10, 18))
def test_random_tapes_together(seed):
    agree_on_random_tapes(seed, tapes=250, group=10, size=12, points=20)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_many_random_tapes(seed):
    agree_on_random_tapes(seed, tapes=1000, group=10, size=16, points=20)
