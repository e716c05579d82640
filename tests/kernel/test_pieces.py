"""Programs in pieces: every operation once, in an order that works, values handed on only where there is room."""

from __future__ import annotations

import random

import pytest

from descend.expression.tape import Tape
from descend.kernel import straight as straight_module
from descend.kernel.compile import PointKernel
from descend.kernel.interpret import FLOATS, Interpreter
from descend.kernel.pieces import CONDITIONS, Limits, cut
from descend.kernel.program import lower, to_double
from descend.kernel.straight import Straight
from tests.kernel.tapes import all_same, random_outputs, random_point, with_gradient

LIMITS = (Limits(1, 1, 1), Limits(3, 2, 1), Limits(10, 100, 2), Limits(10**9, 10**9, 10**9))


def constants_of(program):
    first = len(program.inputs)
    return {s: to_double(i.value) for s, i in enumerate(program.instructions, first) if i.op == "constant"}


def random_program(rng):
    tape = Tape()
    symbols = [tape.symbol(name) for name in "xyz"]
    return lower(tape, random_outputs(rng, tape, symbols, rng.randrange(3, 40)), ("x", "y", "z"))


def walked(program, found, point):
    """Evaluate piece after piece; each sees the inputs, the constants and what it reads from memory, nothing else."""
    first = len(program.inputs)
    memory = [None] * found.memory
    outputs = [None] * len(program.outputs)
    for piece in found.pieces:
        values = dict(enumerate(point)) | constants_of(program)
        values |= {slot: memory[found.place[slot]] for slot in piece.reads}
        for slot in piece.slots:
            instruction = program.instructions[slot - first]
            values[slot] = FLOATS[instruction.op](*(values[a] for a in instruction.args))
        for slot in piece.writes:
            memory[found.place[slot]] = values[slot]
        for k in piece.outputs:
            outputs[k] = values[program.outputs[k]]
    return outputs


@pytest.mark.parametrize("limits", LIMITS)
def test_random_programs(limits):
    rng = random.Random(7)
    for _ in range(150):
        program = random_program(rng)
        point = random_point(rng, len(program.inputs))
        found = cut(program, constants_of(program), (), limits)
        assert all_same(walked(program, found, point), Interpreter(program)(point))
        for piece in found.pieces:
            again = sum(program.instructions[s - len(program.inputs)].op in CONDITIONS for s in piece.slots)
            assert len(piece.slots) - again <= limits.operations
            assert len(piece.outputs) <= limits.outputs


def test_conditions_do_not_go_through_memory():
    program = with_gradient("where(x < y, exp(x), sin(y))*where(x < y, cos(x), y^2)")
    found = cut(program, constants_of(program), (), Limits(1, 9, 1))
    kinds = {program.instructions[slot - len(program.inputs)].op for slot in found.place if slot >= len(program.inputs)}
    assert kinds
    assert not kinds & CONDITIONS


def test_a_long_sum_hands_on_few_values():
    program = with_gradient(" + ".join(f"sin({k}x + y)" for k in range(1, 60)))
    value_only = type(program)(program.inputs, program.instructions, program.outputs[:1])
    assert cut(value_only, constants_of(value_only), (), Limits(20, 99, 9)).memory <= 4


class TestStraight:
    def test_pieces_keep_every_bit(self, monkeypatch):
        monkeypatch.setattr(straight_module, "IN_PLACE", 5)
        monkeypatch.setattr(straight_module, "PART", Limits(7, 10**9, 10**9))
        rng = random.Random(3)
        for _ in range(25):
            program = random_program(rng)
            if len(program.instructions) <= 5:
                continue
            assert Straight(program).memory > 0
            kernel, interpreter = PointKernel(program), Interpreter(program)
            for _ in range(3):
                point = random_point(rng, len(program.inputs))
                assert all_same(kernel(point), interpreter(point))

    def test_a_small_program_is_written_in_place(self):
        straight = Straight(with_gradient("x^2*y"))
        assert straight.memory == 0
        assert straight.functions() == []
