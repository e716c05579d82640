"""What the phases of a nest pass on to one another: numbers in a frame, totals in rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from descend.kernel.chunks import Chunked, Phase
from descend.kernel.nest import NEUTRAL, LoopStatement, Nest, Operation, Reduction


def totals_of(reductions: Iterable[Reduction]) -> list[tuple[int, float]]:
    """Return (position of the reduction, neutral value) of each total that a loop carries from round to round."""
    found = []
    for k, reduction in enumerate(reductions):
        found.append((k, NEUTRAL[reduction.op]))
        if reduction.op == "prod_tangent":
            found.append((k, 1.0))  # the product itself
    return found


def loops(statements: Iterable[Any]) -> Iterable[LoopStatement]:
    """Return all loops, at any depth."""
    for statement in statements:
        if isinstance(statement, LoopStatement):
            yield statement
            yield from loops(statement.body)


def defined(statements: Iterable[Any]) -> Iterable[int]:
    """Return the slots that statements fill, without those inside loops."""
    for statement in statements:
        if isinstance(statement, LoopStatement):
            yield from (reduction.slot for reduction in statement.reductions)
        else:
            yield statement.slot


def used(statements: Iterable[Any]) -> Iterable[int]:
    """Return the slots that statements read, those inside loops as well."""
    for statement in statements:
        match statement:
            case Operation(_, instruction):
                yield from instruction.args
            case LoopStatement():
                yield from used(statement.body)
                yield from (store.slot for store in statement.stores)
                for reduction in statement.reductions:
                    yield from reduction.bodies


def frame_places(nest: Nest, phases: Sequence[Phase]) -> dict[int, int]:
    """Return the place of each slot that is an input or an output or goes from phase to phase, inputs first."""
    place = {k: k for k in range(len(nest.inputs))}
    constants = {s.slot for s in nest.statements if isinstance(s, Operation) and s.instruction.op == "constant"}
    before = {*constants, *place}
    homes: dict[int, int] = {}
    crossing = set(nest.outputs)
    for number, phase in enumerate(phases):
        statements = (phase.loop,) if isinstance(phase, Chunked) else phase.statements
        for slot in defined(statements):
            homes[slot] = len(phases) if isinstance(phase, Chunked) else number
        crossing.update(slot for slot in used(statements) if homes.get(slot, number) != number)
    crossing.update(store.slot for store in nest.stores if homes.get(store.slot) != len(phases) - 1)
    wanted = (crossing - before) | (set(nest.outputs) & constants)
    for slot in sorted(wanted):
        place[slot] = len(place)
    return place
