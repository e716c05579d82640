"""A fixed-step method's rule, traced once on tape symbols and compiled with the cost into one machine-code loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

from descend.descent.arithmetic import STEP_NUMBER, Symbols
from descend.descent.loop import Watch, descend, finish
from descend.descent.method.base import Method, State
from descend.descent.run import Look, Progress, Run
from descend.descent.status import Ending
from descend.descent.stopping import AnyOf, Idle, Looks, NotFinite, Rule, Seconds, Steps, StepSize, Unmoved
from descend.descent.trace import Recorder, Row
from descend.evaluation import WORST, Evaluation, MachineFormula, Objective, Order
from descend.vector import Vector

if TYPE_CHECKING:
    from descend.kernel.program import Program
    from descend.kernel.small import SmallLoop

SLICE_SECONDS = 0.02  # aimed at; a slice never exceeds 50 ms on the machine it was measured on
FIRST_SLICE = 1  # doubled until a slice takes as long as it should: one look may take long
NEVER = 2**62


def walk(
    objective: Objective,
    method: Method,
    start: Vector,
    stopping: Rule,
    *,
    recorder: Recorder | None = None,
    watch: Watch | None = None,
) -> Run:
    """Walk as `descend.descent.loop.descend` does, the whole loop in machine code where that is possible.

    Possible: the objective was chosen to be compiled, the method is of fixed step, every rule can be compiled, and
    nobody watches every look, and there are no bounds.  Path and trace are the same, bit for bit, as the loop's.
    """
    formula = getattr(objective, "machine", None)
    rules = _rules(stopping)
    if formula is None or rules is None or not method.fixed_step or watch is not None or objective.box is not None:
        run = descend(objective, method, start, stopping, recorder=recorder, watch=watch)
        return replace(run, tier=getattr(objective, "tier", run.tier))
    from descend.kernel.compile import compilable, fall_back  # only a long run needs it

    program = trace_rule(method, formula, objective.names, rate=method.rate_varies or recorder is not None)
    obstacle = compilable(program)  # the rate's formula may lack machine code where the cost's has it
    if obstacle is not None:
        fall_back(obstacle)
        run = descend(objective, method, start, stopping, recorder=recorder)
        return replace(run, tier=f"interpreted: {obstacle}")
    return _machine_walk(objective, program, method.start(start), rules, recorder, varies=method.rate_varies)


def _rules(stopping: Rule) -> dict[type[Rule], Rule] | None:
    """Return the rules by kind, None where one has no machine code."""
    rules = stopping.rules if isinstance(stopping, AnyOf) else (stopping,)
    known = {Steps, Looks, Seconds, StepSize, NotFinite, Idle, Unmoved}
    by_kind = {type(rule): rule for rule in rules}
    return by_kind if by_kind.keys() <= known and len(by_kind) == len(rules) and NotFinite in by_kind else None


def trace_rule(method: Method, formula: MachineFormula, names: Sequence[str], *, rate: bool = False) -> Program:
    """Run the method's `learn` once on symbols; return the program of one turn of its loop.

    Its inputs are the variables, the step number and the method's memory; its outputs cost, gradient, new point, new
    memory and, if asked, rate.
    """
    from descend.kernel.program import lower

    tape = formula.tape
    x, number = Symbols(tape, formula.variables), Symbols(tape, [tape.symbol(STEP_NUMBER)])
    state = method.start(Vector([0.0] * len(names)))
    sizes = {name: len(numbers) for name, numbers in memory(state).items()}
    inputs = {name: [f"`{name}{k}" for k in range(size)] for name, size in sizes.items()}
    held: dict[str, Any] = {name: Symbols(tape, [tape.symbol(i) for i in inputs[name]]) for name in inputs}
    state = replace(state, x=x, number=number, **held)
    cost, gradient = Symbols(tape, [formula.cost]), Symbols(tape, formula.gradient)
    new = method.learn(state, x, Evaluation(cost, gradient))  # type: ignore[arg-type]
    outputs = [formula.cost, *formula.gradient, *new.x.entries]
    for name, numbers in memory(new).items():
        entries = [entry if isinstance(entry, int) else tape.constant(entry) for entry in numbers]
        outputs += entries if len(entries) == sizes[name] else entries * sizes[name]
    if rate:
        outputs += new.rate.entries if isinstance(new.rate, Symbols) else [tape.constant(new.rate)]
    return lower(tape, outputs, [*names, STEP_NUMBER, *(i for name in inputs for i in inputs[name])])


BASE = frozenset(field.name for field in fields(State))


def memory(state: State) -> dict[str, list[Any]]:
    """Return what a method remembers beside the point: the entries of each field that its state adds."""
    own = {field.name: getattr(state, field.name) for field in fields(state) if field.name not in BASE}
    return {name: [value] if isinstance(value, float) else list(value) for name, value in own.items()}


def _machine_walk(
    objective: Objective,
    program: Program,
    state: State,
    rules: dict[type[Rule], Rule],
    recorder: Recorder | None,
    *,
    varies: bool,
) -> Run:
    from descend.kernel import small, small_layout  # only a long run needs them

    start: Vector = state.x
    held = [number for numbers in memory(state).values() for number in numbers]
    steps, looks, seconds = rules.get(Steps), rules.get(Looks), rules.get(Seconds)
    size, idle = rules.get(StepSize), rules.get(Idle)
    most_steps = steps.count if isinstance(steps, Steps) else NEVER
    most_looks = looks.count if isinstance(looks, Looks) else NEVER
    # Steps and looks are one counter in the loop; the tighter rule (of two as tight, the first) is the one that counts.
    count_rule = Looks if most_looks - 1 < most_steps else Steps
    if most_looks - 1 == most_steps and most_steps < NEVER:
        count_rule = next(kind for kind in rules if kind in {Steps, Looks})
    codes: dict[type[Rule], tuple[int, Ending]] = {
        NotFinite: (small_layout.NOT_FINITE, Ending.NOT_FINITE),
        StepSize: (small_layout.STEP_SMALL, Ending.STEP_SMALL),
        Unmoved: (small_layout.UNMOVED, Ending.UNMOVED),
        Idle: (small_layout.IDLE_TOO_LONG, Ending.IDLE),
        count_rule: (small_layout.STEPS_DONE, Ending.LOOKS if count_rule is Looks else Ending.STEPS),
    }
    order = [codes[kind][0] for kind in rules if kind in codes]
    order += [code for code, _ in codes.values() if code not in order]
    endings = dict(codes.values()) | {small_layout.BAD_RATE: Ending.RATE}
    limit = seconds.limit if isinstance(seconds, Seconds) else float("inf")
    began = perf_counter()
    loop = small.SmallLoop(
        program,
        start,
        small_layout.LoopRules(
            size is not None,
            idle is not None,
            Unmoved in rules,
            (*order, small_layout.BAD_RATE),
            recorder is not None,
            carried=len(held),
            rate=varies,
        ),
        max_steps=min(most_steps, most_looks - 1),
        patience=idle.patience if isinstance(idle, Idle) else NEVER,
        step_limit=size.precision if isinstance(size, StepSize) else 0.0,
        memory=held,
    )
    ending: Ending | None = None
    count = FIRST_SLICE
    if recorder is not None:
        loop.record_every(recorder.stride)
    try:
        while ending is None:
            slice_began = perf_counter()
            reason = loop.run(count)
            now = perf_counter()
            if recorder is not None:
                _take_rows(loop, recorder)
            if reason != small_layout.RUNNING:
                ending = endings[reason]
            elif now - began >= limit:
                ending = Ending.TIME
            # At most twice as many as before, so that one fast slice cannot make a slow one.
            per_look = max((now - slice_began) / count, 1e-10)
            count = max(1, min(2 * count, int(SLICE_SECONDS / per_look)))
    except KeyboardInterrupt:
        ending = Ending.INTERRUPTED
        if recorder is not None:
            _take_rows(loop, recorder)  # once more: who was interrupted while taking them
    return _facts(objective, loop, start, ending, recorder, perf_counter() - began)


def _take_rows(loop: SmallLoop, recorder: Recorder) -> None:
    """Hand what the loop wrote down to the recorder, which thins it, and ask for what it will keep."""
    for steps, numbers in loop.recorded():
        if steps >= recorder.looks:
            recorder.keep(steps + 1, partial(_row, steps, numbers))
    loop.record_every(recorder.stride)


def _row(steps: int, numbers: list[float]) -> Row:
    """Make a row of what the loop wrote: cost, rate, x, the x before, gradient."""
    cost, rate, *entries = numbers
    size = len(entries) // 3
    point, previous, gradient = (Vector(entries[k : k + size]) for k in range(0, 3 * size, size))
    step_size = (point - previous).norm() if steps else float("nan")
    return Row(steps, steps + 1, point, cost, gradient, step_size, rate, accepted=True)


def _seen(objective: Objective, point: Vector) -> Evaluation:
    """Look by the way that also gives second derivatives: it is interpreted, so nothing is compiled for two looks."""
    return objective.look(point, Order.BOUNDS)


def _facts(
    objective: Objective, loop: SmallLoop, start: Vector, ending: Ending, recorder: Recorder | None, seconds: float
) -> Run:
    """Read the buffers of a loop that has ended, and look once more at the points that are reported."""
    from descend.kernel import small_layout

    tail = loop.tail
    # Between slices the loop stands at a point that it has not looked at yet: the last look is the end of the tail.
    last = tail[-1] if tail else start
    looks = loop.integer(small_layout.LOOKS)
    progress = Progress(start, last)
    progress.steps = max(0, looks - 1)
    progress.looks = looks
    progress.rises = loop.integer(small_layout.RISES)
    progress.tail = tail
    progress.last = Look(last, _seen(objective, last))
    if loop.number(small_layout.BEST_COST) < WORST:
        best = loop.best
        same = repr(best) == repr(last)  # not ==: 0.0 and -0.0 are two points
        progress.best = progress.last if same else Look(best, _seen(objective, best))
    if len(tail) > 1:
        progress.step_size = (tail[-1] - tail[-2]).norm()
    return finish(progress, ending, recorder, seconds, "machine code")
