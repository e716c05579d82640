"""From a run to a `Result`: judge the point, conclude, put everything in the user's names and sign."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from descend.answer.advice import Question, conclude, in_users_sign, users_words
from descend.answer.result import Point, Result, make_point
from descend.descent.choose import Choice, Facts
from descend.descent.run import Look, Run
from descend.descent.status import Ending
from descend.descent.trace import Trace
from descend.descent.verdict import Judgement, Kind, judge, settle
from descend.evaluation import Place
from descend.problem.problem import Problem

BOTTOMLESS = -1e290  # a cost that falls below this, from a millionth of it, is on its way to minus infinity
SHORT = 10**7  # rounds of sums over an index in one look, up to which an interrupted run still has its verdict
UNJUDGED = Judgement(Kind.UNKNOWN, float("inf"), ())


def answer(
    objective: Any,
    problem: Problem,
    run: Run,
    choice: Choice,
    facts: Facts,
    question: Question,
    *,
    at_last: bool = False,
    notes: tuple[str, ...] = (),
    seed: int = 0,
) -> Result:
    """Judge the best point (or, as in the article, the last) and say what was found."""
    judgement, place = UNJUDGED, None
    if run.ending is not Ending.INTERRUPTED or getattr(objective, "rounds", 0) <= SHORT:
        try:
            run, judgement, place, question = _verdict(objective, run, question, at_last=at_last)
        except KeyboardInterrupt:
            run = replace(run, ending=Ending.INTERRUPTED)
    at = run.last if at_last else run.best
    outcome = conclude(run, at, judgement, facts, question, place)
    status, success, message = in_users_sign(outcome, maximise=problem.maximise)
    point = _point(problem, at)
    trace = run.trace
    if trace is not None and problem.maximise:
        trace = Trace(trace.names, trace.rows, trace.stride, -1.0)
    return Result(
        status=status,
        success=success,
        message=message,
        advice=outcome.advice,
        variables=point.variables,
        cost=point.cost,
        gradient=point.gradient,
        best=_point(problem, run.best),
        last=_point(problem, run.last),
        method=choice.method.describe(),
        why_method=_why(choice, objective),
        criteria=tuple(users_words(c, maximise=problem.maximise) for c in judgement.criteria),
        steps=run.steps,
        looks=run.looks,
        hessians=run.work.hessians,
        products=run.work.products,
        seconds=run.seconds,
        evaluator=run.tier,
        problem=problem,
        trace=trace,
        seed=seed,
        notes=(*problem.notes, *notes),
        reported="last" if at_last else "best",
    )


def _verdict(
    objective: Any, run: Run, question: Question, *, at_last: bool
) -> tuple[Run, Judgement, Place | None, Question]:
    """Settle the best point, judge the point that is reported, find the place of trouble and see how far it fell."""
    run = settle(objective, run)
    judgement = _judgement(objective, run, run.last if at_last else run.best, question)
    place = None if run.last.evaluation.finite else objective.trouble(run.last.point)
    if run.best.evaluation.cost < BOTTOMLESS:
        fallen = objective.look(run.start).cost > 1e-6 * run.best.evaluation.cost
        question = replace(question, bottomless=fallen)
    return run, judgement, place, question


def _judgement(objective: Any, run: Run, at: Look, question: Question) -> Judgement:
    if not at.evaluation.finite:
        # The curvature of the best finite point still tells which learning rate would have done.
        best = judge(objective, run.best.point, run.start, question.precision)
        return Judgement(Kind.UNKNOWN, float("inf"), (), best.largest_curvature)
    judgement = judge(objective, at.point, run.start, question.precision)
    if question.fixed_step and run.best.point != at.point and not judgement.largest_curvature > 0:
        best = judge(objective, run.best.point, run.start, question.precision)
        return replace(judgement, largest_curvature=best.largest_curvature)
    return judgement


def _why(choice: Choice, objective: Any) -> str:
    """Return the reason for the method and, where machine code was wanted and could not be had, why not."""
    _, colon, obstacle = objective.tier.partition(": ")
    return f"{choice.why}; interpreted because {obstacle}" if colon else choice.why


def _point(problem: Problem, look: Look) -> Point:
    return make_point(problem, look.point, look.evaluation.cost, look.evaluation.gradient)
