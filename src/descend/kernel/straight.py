"""A straight-line program at one point, as a part of a larger function.

It is written in place or, where it is huge, as calls of functions that pass their values through memory: compile time
grows linearly that way, and no frame outgrows a stack.
"""

from __future__ import annotations

from descend.kernel.lower import Body, module
from descend.kernel.pieces import Limits, Piece, cut
from descend.kernel.program import Program

IN_PLACE = 1000  # operations up to which a program is written in place
PART = Limits(operations=500, inputs=10**9, outputs=10**9)


class Straight:
    """How `program` is written; `memory` is how many doubles it needs while it runs (0 when written in place)."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.memory = 0
        self.pieces: tuple[Piece, ...] = ()
        if len(program.instructions) > IN_PLACE:
            first = len(program.inputs)
            constants = [s for s, i in enumerate(program.instructions, first) if i.op == "constant"]
            found = cut(program, constants, (), PART)
            self.pieces = found.pieces
            # Inputs, values on their way, outputs.
            self._place = {slot: first + place for slot, place in found.place.items()}
            self._outputs = first + found.memory
            self.memory = self._outputs + len(program.outputs)

    def write(self, body: Body, inputs: list[str], memory: str) -> list[str]:
        """Write the program into `body`; return the names of its outputs.  `memory` points to room for its values."""
        program = self.program
        if not self.pieces:
            names = [*inputs, *([""] * len(program.instructions))]
            body.program(program, names)
            return [names[slot] for slot in program.outputs]
        for k, name in enumerate(inputs):
            body.store(name, memory, k)
        for number in range(len(self.pieces)):
            body.write(f"call void @part{number}(ptr {memory})")
        return [body.load(memory, self._outputs + k) for k in range(len(program.outputs))]

    def functions(self) -> list[tuple[str, Body]]:
        """Return (head, body) of the functions that `write` calls."""
        return [self._part(number, piece) for number, piece in enumerate(self.pieces)]

    def _part(self, number: int, piece: Piece) -> tuple[str, Body]:
        program, b = self.program, Body()
        first = len(program.inputs)
        b.label("entry")
        names = [""] * program.slots
        used = {a for slot in piece.slots for a in program.instructions[slot - first].args}
        used |= {program.outputs[k] for k in piece.outputs}
        for slot in sorted(used):
            if slot < first:
                names[slot] = b.load("%memory", slot)
            elif program.instructions[slot - first].op == "constant":
                b.program(program, names, [slot])
        for slot in piece.reads:
            names[slot] = b.load("%memory", self._place[slot])
        b.program(program, names, piece.slots)
        for slot in piece.writes:
            b.store(names[slot], "%memory", self._place[slot])
        for k in piece.outputs:
            b.store(names[program.outputs[k]], "%memory", self._outputs + k)
        b.write("ret void")
        return f"internal void @part{number}(ptr noalias %memory) noinline", b


def point_function(program: Program) -> tuple[str, int]:
    """Return the module of ``void point(double* in, double* out)``, all outputs of `program` at one point.

    The number is how many doubles it needs behind the outputs.
    """
    straight, body = Straight(program), Body()
    body.label("entry")
    inputs = [body.load("%in", k) for k in range(len(program.inputs))]
    memory = body.emit(f"getelementptr inbounds double, ptr %out, i64 {len(program.outputs)}")
    for k, name in enumerate(straight.write(body, inputs, memory)):
        body.store(name, "%out", k)
    body.write("ret void")
    head = "void @point(ptr noalias %in, ptr noalias %out)"
    return module([*straight.functions(), (head, body)]), straight.memory
