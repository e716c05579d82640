"""From the facts of a run and the judgement of its point to a status."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from descend.descent.choose import Facts
from descend.descent.judgement import Judgement, Kind
from descend.descent.run import Look, Run
from descend.descent.status import Ending, Status
from descend.evaluation import Place

RISING = 5  # looks in a row with a higher cost: the run is climbing
PERIODS = (2, 3, 4)  # of a cycle that is recognised
ENDINGS = {
    Ending.STEP_SMALL: Status.STEP_SMALL,
    Ending.STEPS: Status.LOOKS_SPENT,
    Ending.LOOKS: Status.LOOKS_SPENT,
    Ending.TIME: Status.TIME_SPENT,
    Ending.CALLER: Status.STOPPED_BY_CALLER,
}


@dataclass(frozen=True)
class Question:
    """What the user asked for, as far as verdict, status and advice depend on it.

    `target` is in the sign that is minimised.
    """

    precision: float | None = None
    step_rule: bool = False  # precision is the article's bound on the step, not a distance
    learning_rate: float | str | None = None
    fixed_step: bool = False
    plain: bool = False  # x ← x - rate · slope, so 2 / curvature is the largest rate that converges
    maximise: bool = False
    escape: bool = True
    target: float | None = None
    budget: str = "max_looks"  # what the argument is called that gives more


@dataclass(frozen=True)
class Arrival:
    """Where a descent arrived: the run, the look `at` which it was judged, and what was found there.

    `place` names the sub-expression that is not finite at the last point; `outside` says that the start is outside of
    the domain (where values merely overflow, it is not); `bottomless` that the cost fell by hundreds of orders of
    magnitude; `safe_rate` is the largest learning rate with which a descent that diverged would not have.
    """

    run: Run
    at: Look
    judgement: Judgement
    place: Place | None = None
    outside: bool = False
    bottomless: bool = False
    safe_rate: float | None = None
    verdict_looks: int = 0


def conclude(arrival: Arrival, facts: Facts, question: Question) -> Status:
    """Return the status.  What was reached comes first; how the loop ended only names the failures."""
    run, judgement = arrival.run, arrival.judgement
    if run.ending is Ending.RAISED:
        return Status.STOPPED_BY_CALLER
    if run.ending is Ending.INTERRUPTED:
        return Status.INTERRUPTED
    if judgement.kind is Kind.MINIMUM or facts.constant:
        if run.ending is Ending.SOLVED and facts.solution is not None and not nearly_dependent(arrival, facts):
            return Status.EXACT
        return Status.AT_BOUND if judgement.held else Status.MINIMUM
    if judgement.kind is Kind.KINK:
        return Status.AT_KINK
    if run.ending is Ending.SOLVED and arrival.at.evaluation.finite:
        # A proof in fractions holds even where the cost over- or underflows.
        return Status.EXACT if facts.exact else Status.STALLED
    if question.target is not None and run.best.evaluation.finite and run.best.evaluation.cost <= question.target:
        return Status.COST_REACHED
    failed = _failure(arrival, facts, question)
    if facts.unbounded and failed not in {Status.NOT_FINITE, Status.OUTSIDE_DOMAIN}:
        return Status.UNBOUNDED
    return failed


def climbing(run: Run) -> bool:
    """Whether the cost rose from look to look at the end, above the lowest one."""
    return run.rises >= RISING and not run.last.evaluation.cost <= run.best.evaluation.cost


def nearly_dependent(arrival: Arrival, facts: Facts) -> bool:
    """Whether a closed form in doubles is a minimum that rounding moves by more than the precision."""
    criteria = arrival.judgement.criteria
    solved = facts.solution is not None and arrival.run.ending is Ending.SOLVED
    return solved and not facts.exact and bool(criteria) and not criteria[0].holds


def _failure(arrival: Arrival, facts: Facts, question: Question) -> Status:
    run, kind = arrival.run, arrival.judgement.kind
    last = run.last.evaluation
    if question.fixed_step and climbing(run):
        return Status.DIVERGING
    if (last.cost == -inf or arrival.bottomless) and not facts.bounded and not arrival.outside:
        return Status.UNBOUNDED
    if not last.finite:
        return Status.OUTSIDE_DOMAIN if arrival.outside else Status.NOT_FINITE
    if kind is Kind.MAXIMUM:
        return Status.MAXIMUM
    if kind is Kind.SADDLE:
        return Status.SADDLE
    if question.fixed_step and _cycles(run):
        return Status.CYCLING
    return ENDINGS.get(run.ending, Status.STALLED)


def _cycles(run: Run) -> bool:
    points = run.tail
    for period in PERIODS:
        if len(points) < 2 * period + 1:
            continue
        step = (points[-1] - points[-2]).norm()
        if step > 0 and all((points[-1 - k] - points[-1 - k - period]).norm() <= 1e-9 * step for k in range(period)):
            return True
    return False
