"""THE loop: predict → error → learn, until a rule ends it.  It knows no method by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from time import perf_counter

from descend.descent.method.base import Method, State
from descend.descent.run import Look, Progress, Run
from descend.descent.status import Ending
from descend.descent.stopping import Rule
from descend.descent.trace import Recorder
from descend.evaluation import Evaluation, Objective, Work
from descend.vector import Vector

Watch = Callable[[Progress], object]


def descend(
    objective: Objective,
    method: Method,
    start: Vector,
    stopping: Rule,
    *,
    recorder: Recorder | None = None,
    watch: Watch | None = None,
    onward: Run | None = None,
) -> Run:
    """Walk from `start` until `stopping` (asked after every look), the method or the user ends it.

    `watch` is called after every look; returning True ends the run.  Ctrl-C ends it too, keeping the best point, and
    so does an error in `watch`, which the run then holds.  The facts of a run that this one carries `onward` are added
    to its own.
    """
    progress = Progress(start, start) if onward is None else Progress.resumed(onward, start)
    began = perf_counter() - progress.seconds
    earlier = progress.steps
    state = method.start(start, objective.box)
    before = replace(objective.work)
    ending: Ending | None = None
    try:
        while ending is None:
            point = method.predict(state)
            evaluation = method.error(objective, point)
            progress.saw(point, evaluation)
            progress.seconds = perf_counter() - began
            here = (progress.steps, progress.step_size)  # the step that led here
            if point is state.x:
                progress.last = Look(point, evaluation)
            ending = stopping.ending(progress)
            if watch is not None:
                asked = _asked(watch, progress)
                ending = asked if ending is None or asked is Ending.RAISED else ending
            if ending is None:
                old, state = state, method.learn(state, point, evaluation)
                ending = state.gave_up
                progress.accepted = state.accepted
                progress.hops = state.hops
                if state.number != old.number:
                    change = state.x - old.x
                    progress.steps = earlier + state.number
                    progress.step_size = change.norm()
                    progress.moved = any(change)
                if state.x is point:  # a trial that was accepted: the step led here
                    progress.last = Look(point, evaluation)
                    here = (progress.steps, progress.step_size)
            if recorder is not None:
                _record(recorder, progress, here, state)
    except KeyboardInterrupt:
        ending = Ending.INTERRUPTED
    done = Work(objective.work.hessians - before.hessians, objective.work.products - before.products)
    if onward is not None:
        done = Work(done.hessians + onward.work.hessians, done.products + onward.work.products)
    return finish(progress, ending or Ending.INTERRUPTED, recorder, perf_counter() - began, work=done)


def _asked(watch: Watch, progress: Progress) -> Ending | None:
    """Let the caller see the progress; return the ending that this asks for."""
    try:
        return Ending.CALLER if watch(progress) is True else None
    except Exception as error:  # noqa: BLE001 - whatever it is: it is raised again when the best point is saved
        progress.error = error
        return Ending.RAISED


def _record(recorder: Recorder, progress: Progress, here: tuple[int, float], state: State) -> None:
    steps, size = here
    assert progress.evaluation is not None
    recorder.record(
        steps,
        progress.looks,
        progress.point,
        progress.evaluation,
        size if steps else float("nan"),
        state.rate,
        accepted=progress.accepted,
    )


def unseen(point: Vector) -> Look:
    """A point that nothing is known about."""
    nan = float("nan")
    return Look(point, Evaluation(nan, Vector([nan] * len(point))))


def finish(
    progress: Progress,
    ending: Ending,
    recorder: Recorder | None,
    seconds: float,
    tier: str = "interpreted",
    work: Work | None = None,
) -> Run:
    """Return the facts of a run that has ended."""
    last = progress.last or unseen(progress.point)
    return Run(
        start=progress.start,
        best=progress.best or last,
        last=last,
        steps=progress.steps,
        looks=progress.looks,
        ending=ending,
        step_size=progress.step_size,
        rises=progress.rises,
        tail=tuple(progress.tail),
        seconds=seconds,
        trace=None if recorder is None else recorder.trace(),
        tier=tier,
        work=work or Work(),
        hops=progress.hops,
        error=progress.error,
        low=progress.low,
        high=progress.high,
    )
