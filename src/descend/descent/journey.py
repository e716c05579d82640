"""A descent with its verdict: walk, judge, and from a saddle or a maximum walk on, down the way that was found."""

from __future__ import annotations

from dataclasses import replace
from math import inf, isnan
from typing import Any

from descend.descent.compiled import walk
from descend.descent.conclusion import Arrival, Question, climbing
from descend.descent.face import Face
from descend.descent.judgement import Judgement, Kind
from descend.descent.loop import Watch, descend
from descend.descent.method.base import Method
from descend.descent.run import Look, Run
from descend.descent.safe_rate import largest_rate
from descend.descent.status import Ending
from descend.descent.stopping import Rule
from descend.descent.trace import Recorder
from descend.descent.verdict import judge, settle
from descend.vector import Vector

MOST_ESCAPES = 8  # from one saddle to the next: a few are met on a way, a hundred are a way without end
ENDED = frozenset(
    {Ending.STEPS, Ending.LOOKS, Ending.TIME, Ending.TARGET, Ending.INTERRUPTED, Ending.CALLER, Ending.RAISED}
)
BOTTOMLESS = -1e290  # a cost that falls below this, from a millionth of it, is on its way to minus infinity
SHORT = 10**7  # rounds of sums over an index in one look, up to which an interrupted run still has its verdict
TRIED = 10**5  # rows or rounds in a look, times variables, up to which learning rates are tried
UNJUDGED = Judgement(Kind.UNKNOWN, inf, ())
BESIDE = 1e-8  # of the start's scale: beside a pole there are values, beside an overflow there are none


def travel(
    objective: Any,
    method: Method,
    start: Vector,
    stopping: Rule,
    question: Question,
    *,
    recorder: Recorder | None = None,
    watch: Watch | None = None,
) -> Arrival:
    """Walk from `start`, judge, and go on from where the slope is zero but a lower point was found nearby.

    Methods of fixed step do not go on: their path is what the user asked for.  Looks, steps, time, work and trace of
    all runs are one, and `stopping` sees them as one.
    """
    arrival = arrive(objective, walk(objective, method, start, stopping, recorder=recorder, watch=watch), question)
    if method.fixed_step or not question.escape:
        return arrival
    for _ in range(MOST_ESCAPES):
        run, lower = arrival.run, arrival.judgement.lower
        if lower is None or run.ending in ENDED:
            break
        escapes = (*run.escapes, run.best.point)
        onward = descend(objective, method, lower, stopping, recorder=recorder, watch=watch, onward=run)
        looks = arrival.verdict_looks
        arrival = arrive(objective, replace(onward, tier=run.tier, escapes=escapes), question)
        arrival = replace(arrival, verdict_looks=looks + arrival.verdict_looks)
    return arrival


def arrive(objective: Any, run: Run, question: Question, *, at_last: bool = False) -> Arrival:
    """Judge the best point of a run (or, as in the article, the last); an interrupt meanwhile loses nothing."""
    if run.ending is not Ending.INTERRUPTED or getattr(objective, "rounds", 0) <= SHORT:
        try:
            return _arrive(objective, run, question, at_last=at_last)
        except KeyboardInterrupt:
            run = replace(run, ending=Ending.INTERRUPTED)
    return Arrival(run, run.last if at_last else run.best, UNJUDGED)


def _arrive(objective: Any, run: Run, question: Question, *, at_last: bool) -> Arrival:
    run, looks = settle(objective, run)
    at = run.last if at_last else run.best
    judgement = _judgement(objective, run, at, question)
    arrival = Arrival(run, at, judgement, verdict_looks=looks + judgement.looks)
    if not run.last.evaluation.finite:
        place = objective.trouble(run.last.point)
        # In a row of data it may be the row: then it is not said that the start is to blame.
        blamed = place is not None and place.row is None and not run.best.evaluation.finite
        outside = blamed and _outside(objective, run.start, place.value)
        arrival = replace(arrival, place=place, outside=outside)
    if run.best.evaluation.cost < BOTTOMLESS:
        fallen = objective.look(run.start).cost > 1e-6 * run.best.evaluation.cost
        arrival = replace(arrival, bottomless=fallen, verdict_looks=arrival.verdict_looks + 1)
    return _with_safe_rate(objective, arrival, question)


def _with_safe_rate(objective: Any, arrival: Arrival, question: Question) -> Arrival:
    """Find the rate with which a descent that diverges would not have, where some hundred looks are soon taken."""
    run, rate = arrival.run, question.learning_rate
    work = max(getattr(objective, "rounds", 0), getattr(objective, "rows", 0)) * len(run.start)
    if not (question.plain and isinstance(rate, (int, float)) and climbing(run) and work <= TRIED):
        return arrival
    counted = Face(objective, run.start)
    safe = largest_rate(counted, run.start, float(rate))  # type: ignore[arg-type]
    return replace(arrival, safe_rate=safe, verdict_looks=arrival.verdict_looks + counted.looks)


def _judgement(objective: Any, run: Run, at: Look, question: Question) -> Judgement:
    if not at.evaluation.finite:
        # The curvature of the best finite point still tells which learning rate would have done.
        best = judge(objective, run.best.point, run.furthest(run.best.point), question.precision)
        return Judgement(Kind.UNKNOWN, inf, (), best.largest_curvature, looks=best.looks)
    judgement = judge(objective, at.point, run.furthest(at.point), question.precision)
    if question.fixed_step and run.best.point != at.point and not judgement.largest_curvature > 0:
        best = judge(objective, run.best.point, run.furthest(run.best.point), question.precision)
        return replace(judgement, largest_curvature=best.largest_curvature, looks=judgement.looks + best.looks)
    return judgement


def _outside(objective: Any, start: Vector, value: float) -> bool:
    """Tell a start outside of the domain, or at a pole, from one where a value is too large for a double."""
    if isnan(value):
        return True
    beside = BESIDE * max(map(abs, start), default=0.0) or BESIDE
    shift = start.like([beside] * len(start))
    return any(objective.look(there).finite for there in (start + shift, start - shift))
