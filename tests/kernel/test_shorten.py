"""Fewer operations, a better order, and guesses: what a loop does with a program before it writes it down."""

from __future__ import annotations

import ctypes
import random
from fractions import Fraction

import pytest

from descend.expression.parse import parse
from descend.expression.tape import Tape
from descend.kernel.compile import MachineCode
from descend.kernel.guess import guess, worth_guessing
from descend.kernel.interpret import Interpreter
from descend.kernel.lower import Body, module
from descend.kernel.program import Program, lower
from descend.kernel.shorten import calls_first, shortened
from tests.kernel.tapes import EDGES, all_same, inf, same


def step(gradient: str, rate: float) -> Program:
    """The program of (cost, gradient, x - rate·gradient) in x; the cost is 0."""
    tape, slope = parse(gradient)
    x = tape.symbol("x")
    new = tape.raw("add", (x, tape.raw("neg", (tape.raw("mul", (tape.constant(rate), slope)),))))
    return lower(tape, [tape.constant(0), slope, new], ["x"])


def products(program: Program) -> int:
    """How many multiplications lie between the input and the new point, one behind the other."""
    first = len(program.inputs)
    depth = [0] * first
    for instruction in program.instructions:
        depth.append(max((depth[a] for a in instruction.args), default=0) + (instruction.op == "mul"))
    return depth[program.outputs[-1]]


class TestShortened:
    @pytest.mark.parametrize("factor", ["2", "-2", "4", "1024", "-1"])
    @pytest.mark.parametrize("rate", [0.1, 1e-9, 3.0, 5e-324, 1e300])
    def test_same_bits_wherever_the_slope_is_finite(self, factor, rate):
        program = step(f"{factor}*x", rate)
        short = shortened(program, 1)
        rng = random.Random(1)
        for x in (*EDGES, *(rng.gauss(0, 1) * 10.0 ** rng.uniform(-320, 308) for _ in range(300))):
            a, b = Interpreter(program)([x]), Interpreter(short)([x])
            assert all_same(a[:2], b[:2])
            if abs(a[1]) < inf:
                assert same(a[2], b[2]), x

    @pytest.mark.parametrize("factor", ["2", "-2", "4", "1024"])
    def test_one_product_less(self, factor):
        program = step(f"{factor}*x", 0.1)
        assert (products(program), products(shortened(program, 1))) == (2, 1)

    @pytest.mark.parametrize("factor", ["3", "1/2", "-6", "1/3", "0.3"])
    def test_other_factors_round_and_stay(self, factor):
        program = step(f"{factor}*x", 0.1)
        assert products(shortened(program, 1)) == products(program)

    def test_a_rate_that_would_overflow_stays(self):
        program = step("1024*x", 1e306)
        assert products(shortened(program, 1)) == 2

    def test_only_slopes_are_merged_for_their_overflow_ends_the_loop(self):
        tape, inner = parse("2*x")
        x = tape.symbol("x")
        new = tape.raw("mul", (tape.constant(0.1), inner))
        program = lower(tape, [tape.constant(0), x, new], ["x"])  # 2·x is no slope here
        assert shortened(program, 1) == program


class TestCallsFirst:
    def test_calls_and_what_they_need_come_first(self):
        tape, root = parse("x*y + (x - y)^2 + exp(x*y/2) + sin(y) + (x + 2)^2*exp(sin(y))")
        program = lower(tape, [root], ["x", "y"])
        order = calls_first(program)
        assert sorted(order) == list(range(2, program.slots))
        place = {slot: k for k, slot in enumerate(order)}
        ops = [program.instructions[slot - 2].op for slot in order]
        for slot in order:
            args = [a for a in program.instructions[slot - 2].args if a >= 2]
            assert all(place[a] < place[slot] for a in args)
        last_call = max(k for k, op in enumerate(ops) if op in {"exp", "sin"})
        needed = {order[k] for k in range(last_call + 1)}
        assert not {"add", "sub"} & {program.instructions[slot - 2].op for slot in needed}


def random_program(rng: random.Random) -> Program:
    """Sums, products and quotients of three inputs and constants, two outputs."""
    tape = Tape()
    pool = [*(tape.symbol(name) for name in "xyz"), *(tape.constant(Fraction(rng.randint(1, 30), 8)) for _ in range(3))]
    for _ in range(rng.randrange(1, 14)):
        op = rng.choice(["add", "mul", "mul", "add", "neg", "div"])
        args = [rng.choice(pool[-5:])] if op == "neg" else [rng.choice(pool[-5:]), rng.choice(pool)]
        if op == "div":  # by a number between 1 and 2, so that nothing is large
            args[1] = tape.constant(Fraction(rng.randint(8, 16), 8))
        pool.append(tape.raw(op, tuple(args)))
    return lower(tape, [pool[-1], pool[-2]], ["x", "y", "z"])


def guessed(program: Program, point) -> list[float]:
    """The guess of all outputs, compiled."""
    b = Body()
    b.label("entry")
    inputs = [b.load("%in", k) for k in range(len(program.inputs))]
    for k, name in enumerate(guess(b, program, inputs, program.outputs)):
        b.store(name, "%out", k)
    b.write("ret void")
    code = MachineCode(module([("void @point(ptr noalias %in, ptr noalias %out)", b)]), 1, len(program.instructions))
    call = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(code.address("point"))
    given, out = (ctypes.c_double * len(point))(*point), (ctypes.c_double * len(program.outputs))()
    call(ctypes.addressof(given), ctypes.addressof(out))
    return list(out)


class TestGuess:
    @pytest.mark.parametrize("seed", range(80))
    def test_it_is_the_value_but_for_rounding(self, seed):
        """Against fractions.  Positive inputs and no differences: nothing is lost to cancellation."""
        rng = random.Random(seed)
        program = random_program(rng)
        assert worth_guessing(program)
        point = [rng.uniform(0.5, 2) for _ in range(3)]
        values = evaluated(program, [Fraction(v) for v in point])
        sizes = evaluated(program, [Fraction(v) for v in point], absolute=True)
        for found, right, size in zip(guessed(program, point), values, sizes, strict=True):
            assert abs(Fraction(found) - right) <= 20 * Fraction(2) ** -53 * size

    @pytest.mark.parametrize(
        ("text", "fused", "products"),
        [("x*y - z*z", 1, 1), ("x + 3*(y*2)", 1, 0), ("x - y*z", 1, 0), ("(x + y)*(3*z)", 0, 2), ("x*y + 1", 1, 0)],
    )
    def test_products_go_into_sums_and_constants_into_one(self, text, fused, products):
        tape, root = parse(text)
        program = lower(tape, [root], tuple(tape.symbols((root,))))
        b = Body()
        guess(b, program, ["%a", "%b", "%c"][: len(program.inputs)], program.outputs)
        written = "\n".join(b.lines)
        assert (written.count("@llvm.fmuladd"), written.count("fmul double")) == (fused, products)

    @pytest.mark.parametrize(
        ("text", "worth"),
        [("x^2", True), ("(1-x)^2 + 100*(y-x^2)^2", True), ("exp(x)", False), ("x^9", False), ("sqrt(x)", False)],
    )
    def test_only_short_programs_of_additions_and_multiplications_are_worth_it(self, text, worth):
        tape, root = parse(text)
        assert worth_guessing(lower(tape, [root], tuple(tape.symbols((root,))))) is worth

    def test_long_programs_are_not_worth_it(self):
        tape, root = parse(" + ".join(f"x{k}*x{k + 1}" for k in range(60)))
        assert not worth_guessing(lower(tape, [root], tuple(tape.symbols((root,)))))


def evaluated(program: Program, point, *, absolute: bool = False):
    """The outputs in fractions; with `absolute`, of the same terms with all their signs taken away."""
    values = list(point)
    for instruction in program.instructions:
        args = [values[a] for a in instruction.args]
        match instruction.op:
            case "constant":
                value = instruction.value
            case "add":
                value = args[0] + args[1]
            case "sub":
                value = args[0] + args[1] if absolute else args[0] - args[1]
            case "mul":
                value = args[0] * args[1]
            case "div":
                value = args[0] / args[1]
            case "neg":
                value = args[0] if absolute else -args[0]
        values.append(value)
    return [values[slot] for slot in program.outputs]
