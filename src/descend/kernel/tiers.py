"""Interpreter or machine code: the one decision, made before a run from formula, rows and budget only.

Nothing here reads a clock or asks what is loaded, so that a run repeats.  What a budget takes in either tier is
estimated from the sizes of the work, with times that were measured on one machine (2 cores with AVX-512); on another
they are all longer or all shorter, and the comparison stays about right.

A budget is a limit: most descents end long before theirs, so a small advantage over the whole of it is not worth the
0.1 s in which a short one would be over.  Machine code is made

- where it ends sooner even a run of `LEAST` looks, which nearly every one takes, or
- where it brings forward the end of the whole budget by more than `PATIENCE` seconds.

`DESCEND_LOG=debug` shows each decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from descend.kernel.log import log
from descend.kernel.program import Program

if TYPE_CHECKING:
    from descend.kernel.nest import Nest, Statement

LEAST = 50
PATIENCE = 2.5
START_SECONDS = 0.08  # the import of llvmlite (0.03 to 0.07) and the first module

# Of one look at a formula, with Python floats.
LOOP_SECONDS = 10e-6  # of the loop around a look
STEP_SECONDS = 8e-6  # of the simplest rule of a fixed step; it is compiled with the formula, and the loop as well
CALL_SECONDS = 1e-6  # of machine code that is called from the loop
OPERATION_SECONDS = 85e-9
MACHINE_OPERATION_SECONDS = 1.5e-9
COMPILE_SECONDS = 0.1e-3  # of one operation

# Of one look at rows, with NumPy, in blocks.
ROWS_CALL_SECONDS = 2.5e-6  # of one operation, or sum, on one block
ROWS_OPERATION_SECONDS = 1.5e-9  # of one operation on one row
ROWS_MACHINE_CALL_SECONDS = 5e-6
ROWS_MACHINE_OPERATION_SECONDS = 0.1e-9
ROWS_COMPILE_SECONDS = 0.6e-3  # of one operation
BOUNDED = 7  # operations for each one whose rounding error is bounded

# Of one look at sums over an index, walked with NumPy.
NEST_CALL_SECONDS = 2e-6
NEST_OPERATION_SECONDS = 2e-9  # of one operation in one round
NEST_ORDERED_SECONDS = 1e-6  # of one round that must wait for the one before it
NEST_MACHINE_CALL_SECONDS = 11e-6
NEST_MACHINE_OPERATION_SECONDS = 0.3e-9
NEST_COMPILE_SECONDS = 1.5e-3  # of one operation


class Work(NamedTuple):
    """What one look takes, in seconds interpreted and in machine code, and what it takes to make the latter."""

    description: str
    interpreted: float
    machine: float
    compilation: float


class Decision(NamedTuple):
    """Whether machine code is wanted, why, and what the whole budget was estimated to take in either tier."""

    compiled: bool
    reason: str
    interpreted: float
    machine: float


def formula_work(program: Program, *, fixed_step: bool = False) -> Work:
    """Return the work of one look at a formula, by a method of `fixed_step` or by another."""
    operations = len(program.instructions)
    around, outside = (LOOP_SECONDS + STEP_SECONDS, 0.0) if fixed_step else (LOOP_SECONDS, LOOP_SECONDS + CALL_SECONDS)
    return Work(
        f"{operations:,} operations",
        around + operations * OPERATION_SECONDS,
        outside + operations * MACHINE_OPERATION_SECONDS,
        START_SECONDS + operations * COMPILE_SECONDS,
    )


def rows_work(program: Program, rows: int) -> Work:
    """Return the work of one look at a program summed over rows."""
    from descend.kernel.rows_code import BLOCK  # only who has rows needs it

    operations = len(program.instructions)
    calls, blocks = operations + len(program.outputs), -(-rows // BLOCK)
    return Work(
        f"{operations:,} operations over {rows:,} rows",
        LOOP_SECONDS + calls * blocks * ROWS_CALL_SECONDS + rows * operations * ROWS_OPERATION_SECONDS,
        LOOP_SECONDS + ROWS_MACHINE_CALL_SECONDS + rows * operations * ROWS_MACHINE_OPERATION_SECONDS,
        START_SECONDS + operations * ROWS_COMPILE_SECONDS,
    )


def bounded_work(program: Program, rows: int) -> Work:
    """Return the work of one look that also bounds the rounding errors of a program's sums."""
    _, interpreted, machine, compilation = rows_work(program, rows)
    return Work(
        f"rounding bounds of {len(program.instructions):,} operations over {rows:,} rows",
        BOUNDED * interpreted,
        BOUNDED * machine,
        START_SECONDS + BOUNDED * (compilation - START_SECONDS),
    )


def nest_work(nest: Nest) -> Work:
    """Return the work of one look at sums over indices."""
    from descend.kernel.nest import LoopStatement  # only they need it

    seconds = rounds = 0.0
    operations = 0
    todo: list[tuple[Statement, float]] = [(statement, 1.0) for statement in nest.statements]
    while todo:
        statement, times = todo.pop()
        if not isinstance(statement, LoopStatement):
            operations += 1
            rounds += times
            seconds += times * NEST_CALL_SECONDS
        elif statement.leaf:
            size = len(statement.body) + 4
            operations += size
            rounds += times * size * statement.rounds
            seconds += times * size * (NEST_CALL_SECONDS + statement.rounds * NEST_OPERATION_SECONDS)
            if any(r.scan or r.op != "sum" for r in statement.reductions):
                seconds += times * statement.rounds * NEST_ORDERED_SECONDS
        else:
            todo += [(inner, times * statement.rounds) for inner in statement.body]
    return Work(
        f"{operations:,} operations, {rounds:.3g} with all rounds of their sums",
        LOOP_SECONDS + seconds,
        LOOP_SECONDS + NEST_MACHINE_CALL_SECONDS + rounds * NEST_MACHINE_OPERATION_SECONDS,
        START_SECONDS + operations * NEST_COMPILE_SECONDS,
    )


def decide(work: Work, looks: int, asked: bool | None = None) -> Decision:
    """Choose the tier for a budget of `looks`; `asked` is the wish of the door, where it has one."""
    interpreted = looks * work.interpreted
    machine = work.compilation + looks * work.machine
    least = min(looks, LEAST)
    if asked is not None:
        decision = Decision(asked, "it was asked for", interpreted, machine)
    elif least * work.interpreted > work.compilation + least * work.machine:
        decision = Decision(True, f"sooner even for {least} looks", interpreted, machine)
    elif interpreted - machine > PATIENCE:
        decision = Decision(True, f"more than {PATIENCE:g} s sooner", interpreted, machine)
    else:
        decision = Decision(False, f"machine code would not be more than {PATIENCE:g} s sooner", interpreted, machine)
    log(
        "debug",
        "%s, budget of %s looks: %.3g s interpreted, %.3g s in machine code; %s: %s",
        work.description,
        f"{looks:,}",
        interpreted,
        machine,
        "compiled" if decision.compiled else "interpreted",
        decision.reason,
    )
    return decision
