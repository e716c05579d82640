"""From a run to a `Result`: judge the point, conclude, put everything in the user's names and sign."""

from __future__ import annotations

from itertools import islice
from typing import Any

from descend.answer.advice import advise, better_rate, in_users_sign, users_words
from descend.answer.report import short
from descend.answer.result import Point, Result, make_point
from descend.descent.choose import Choice, Facts
from descend.descent.conclusion import Arrival, Question, conclude
from descend.descent.run import Look, Run
from descend.descent.trace import Trace
from descend.problem.problem import Problem
from descend.vector import Vector

LONGEST = 80  # characters of a point in a note


def answer(
    objective: Any,
    problem: Problem,
    arrival: Arrival,
    choice: Choice,
    facts: Facts,
    question: Question,
    *,
    at_last: bool = False,
    notes: tuple[str, ...] = (),
    seed: int = 0,
) -> Result:
    """Say what was found at the point where a descent arrived.

    Where the callback raised an error, raise it again: the result is its attribute `result`.
    """
    run, at = arrival.run, arrival.at
    concluded = conclude(arrival, facts, question)
    status, success, message = in_users_sign(concluded, maximise=problem.maximise)
    advice = advise(concluded, arrival, facts, question, objective.names)
    rate = better_rate(concluded, arrival, question)
    if rate is not None and arrival.run.start.finite and not (problem.columns or problem.indexed):
        advice += f" Run: {_command(problem, arrival, rate, article=at_last)}"
    point = _point(problem, at)
    trace = run.trace
    if trace is not None and problem.maximise:
        trace = Trace(trace.names, trace.rows, trace.stride, -1.0)
    result = Result(
        status=status,
        success=success,
        message=message,
        advice=advice,
        variables=point.variables,
        cost=point.cost,
        gradient=point.gradient,
        best=_point(problem, run.best),
        last=_point(problem, run.last),
        method=choice.method.describe(),
        why_method=_why(choice, run, objective),
        criteria=tuple(users_words(c, maximise=problem.maximise) for c in arrival.judgement.criteria),
        steps=run.steps,
        looks=run.looks,
        hessians=run.work.hessians,
        products=run.work.products,
        verdict_looks=arrival.verdict_looks,
        seconds=run.seconds,
        evaluator=run.tier,
        problem=problem,
        trace=trace,
        seed=seed,
        notes=(*problem.notes, *notes, *_escapes(problem, run.escapes)),
        reported="last" if at_last else "best",
    )
    if run.error is not None:
        run.error.result = result  # type: ignore[attr-defined]
        run.error.add_note("the best point so far is in the attribute `result` of this error")
        raise run.error
    return result


def _why(choice: Choice, run: Run, objective: Any) -> str:
    """Return the reason for the method, where another went on and, if machine code could not be had, why not."""
    why = "; ".join((choice.why, *run.hops))
    _, colon, obstacle = objective.tier.partition(": ")
    return f"{why}; interpreted because {obstacle}" if colon else why


def _command(problem: Problem, arrival: Arrival, rate: float, *, article: bool) -> str:
    """Return the command that does the same descent with a learning rate that converges."""
    from shlex import quote  # only who diverges needs it

    from descend.expression.write import to_text

    text = to_text(problem.tape, problem.user_root)
    verb = "gradient-descent" if article else "minimize --maximize" if problem.maximise else "minimize"
    entries = problem.layout.values(arrival.run.start)
    alone = len(entries) == 1
    starts = [f"--start {value!r}" if alone else f"--start {name}={value!r}" for name, value in entries.items()]
    words = ["descend", verb, quote(text), *starts, "--learning-rate", short(rate)]
    return " ".join(words)


def _escapes(problem: Problem, points: tuple[Vector, ...]) -> tuple[str, ...]:
    """Return a note on the points, no minima, from which the descent went on."""
    if not points:
        return ()
    numbers = zip(problem.labels, points[0], strict=True)
    named = ", ".join(f"{name} = {short(value)}" for name, value in islice(numbers, LONGEST))
    where = f" ({named})" if len(named) <= LONGEST and not problem.indexed else ""
    times = "a point" if len(points) == 1 else f"{len(points)} points, the first"
    sought, better = ("maximum", "higher") if problem.maximise else ("minimum", "lower")
    note = f"the slope was zero at {times}{where} that is no {sought}; the descent went on from a {better} one nearby"
    return (note,)


def _point(problem: Problem, look: Look) -> Point:
    return make_point(problem, look.point, look.evaluation.cost, look.evaluation.gradient)
