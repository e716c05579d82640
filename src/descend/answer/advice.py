"""From the facts of a run and the judgement of its point to a status and an advice."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from math import inf, isfinite

from descend.answer.report import rounded_down, short
from descend.descent.choose import Facts
from descend.descent.run import Look, Run
from descend.descent.status import Ending, Status
from descend.descent.verdict import Criterion, Judgement, Kind
from descend.evaluation import Place

RISING = 5  # looks in a row with a higher cost: the run is climbing
PERIODS = (2, 3, 4)  # of a cycle that is recognised


@dataclass(frozen=True)
class Question:
    """What the user asked for, as far as status and advice depend on it."""

    precision: float | None = None
    step_rule: bool = False  # precision is the article's bound on the step, not a distance
    learning_rate: float | str | None = None
    fixed_step: bool = False
    maximise: bool = False
    bottomless: bool = False  # the cost has fallen by hundreds of orders of magnitude
    budget: str = "max_looks"  # what the argument is called that gives more


@dataclass(frozen=True)
class Outcome:
    """The status with its advice, as a cost that is minimised sees it."""

    status: Status
    advice: str = ""


SWAPPED = {
    "minimum": "maximum", "maximum": "minimum", "falls": "rises", "grows": "falls", "upward": "downward",
    "downward": "upward", "lower": "higher",
}  # fmt: skip


def _swapped(text: str) -> str:
    return re.sub(r"[a-z]+", lambda word: SWAPPED.get(word[0], word[0]), text)


def users_words(criterion: Criterion, *, maximise: bool) -> Criterion:
    """Return a criterion in words for the user's sign."""
    return replace(criterion, what=_swapped(criterion.what)) if maximise else criterion


def in_users_sign(outcome: Outcome, *, maximise: bool) -> tuple[Status, bool, str]:
    """Return (status, success, sentence) in the user's sign: what was minimised for them may be a maximum."""
    status = outcome.status
    if not maximise:
        return status, status.success, status.value
    flipped = {Status.MINIMUM: Status.MAXIMUM, Status.MAXIMUM: Status.MINIMUM}.get(status, status)
    return flipped, status.success, _swapped(status.value)


def conclude(
    run: Run, at: Look, judgement: Judgement, facts: Facts, question: Question, place: Place | None
) -> Outcome:
    """Return the outcome.  What was reached comes first; how the loop ended only names the failures."""
    if run.ending is Ending.INTERRUPTED:
        return Outcome(Status.INTERRUPTED, "The last point is in result.last; start there to go on.")
    if judgement.kind is Kind.MINIMUM or facts.constant:
        solved = facts.solution is not None and run.ending is Ending.SOLVED
        if solved and not facts.exact and judgement.criteria and not judgement.criteria[0].holds:
            return Outcome(
                Status.MINIMUM, "The columns are nearly dependent: their rounding alone moves the parameters."
            )
        return Outcome(Status.EXACT if solved else Status.MINIMUM, _unique(facts, judgement, question))
    if run.ending is Ending.SOLVED and at.evaluation.finite:
        if facts.exact:  # a proof in fractions: it holds even where the cost over- or underflows
            return Outcome(Status.EXACT, _unique(facts, judgement, question))
        return Outcome(Status.STALLED, "The closed form is not good to the precision asked for; rescale the columns.")
    failed = _failure(run, judgement, facts, question, place)
    if facts.unbounded and failed.status is not Status.NOT_FINITE:
        return _unbounded(question)
    return failed


def _unique(facts: Facts, judgement: Judgement, question: Question) -> str:
    extreme = "maximum" if question.maximise else "minimum"
    bent = "concave" if question.maximise else "convex"
    if facts.constant:
        return f"The cost is the same everywhere: every point is a {extreme}."
    if facts.flat:
        nearest = "; it is the one nearest to the start" if facts.exact else ""
        return f"The cost is {bent}, but this {extreme} is not the only point with this cost{nearest}."
    if facts.convex:
        return f"The cost is {bent}: this is the {extreme}, there is no other."
    if not judgement.unique:
        return f"This {extreme} is not unique: the cost does not change along some direction."
    return ""


def _unbounded(question: Question) -> Outcome:
    largest = "large" if question.maximise else "low"
    return Outcome(Status.UNBOUNDED, f"Costs as {largest} as one likes exist; mend the cost, or fix a variable.")


def _failure(run: Run, judgement: Judgement, facts: Facts, question: Question, place: Place | None) -> Outcome:
    last = run.last.evaluation
    climbing = run.rises >= RISING and not last.cost <= run.best.evaluation.cost
    if question.fixed_step and climbing:
        return Outcome(Status.DIVERGING, _safe_rate(judgement, question))
    if (last.cost == -inf or question.bottomless) and not facts.bounded:
        return _unbounded(question)
    if not last.finite:
        return Outcome(Status.NOT_FINITE, _place(place))
    if judgement.kind is Kind.MAXIMUM:
        up, down = ("minimum", "lowest") if question.maximise else ("maximum", "highest")
        return Outcome(Status.MAXIMUM, f"This is a {up}, the {down} point around; start somewhere else.")
    if judgement.kind is Kind.SADDLE:
        return Outcome(Status.SADDLE, "Start a little to the side of this point.")
    if question.fixed_step and _cycles(run):
        return Outcome(Status.CYCLING, _safe_rate(judgement, question))
    match run.ending:
        case Ending.STEP_SMALL:
            return Outcome(Status.STEP_SMALL, _step_small(run, judgement, question))
        case Ending.STEPS | Ending.LOOKS:
            return Outcome(Status.LOOKS_SPENT, _more(judgement, question))
        case Ending.TIME:
            return Outcome(Status.TIME_SPENT, _more(judgement, replace(question, budget="max_seconds")))
        case Ending.CALLER:
            return Outcome(Status.STOPPED_BY_CALLER, "The last point is in result.last; start there to go on.")
    if judgement.kind is Kind.FLAT:
        return Outcome(
            Status.STALLED, "The cost is level here as far as doubles can tell: a plateau. Start somewhere else."
        )
    if judgement.kind is Kind.UNKNOWN:
        return Outcome(
            Status.STALLED, "The curvature could not be computed here, so it is not known what this point is."
        )
    away = _distance(judgement, question)
    return Outcome(Status.STALLED, f"{away} Look at the cost around this point, or start somewhere else.".strip())


def _distance(judgement: Judgement, question: Question) -> str:
    if isfinite(judgement.distance) and judgement.distance > 0:
        return f"The {'maximum' if question.maximise else 'minimum'} is about {short(judgement.distance)} away."
    return ""


def _safe_rate(judgement: Judgement, question: Question) -> str:
    if judgement.largest_curvature > 0 and isinstance(question.learning_rate, (int, float)):
        safe = 2.0 / judgement.largest_curvature
        if isfinite(safe):
            return f"Use a learning rate below {short(safe)} (2 / the curvature at the best point seen)."
    return "Use a smaller learning rate."


def _step_small(run: Run, judgement: Judgement, question: Question) -> str:
    assert question.precision is not None
    distance = judgement.distance
    if not isfinite(distance) or distance <= 0:
        return "The distance to a minimum could not be estimated here; use a smaller precision."
    asked = short(question.precision)
    # Steps shrink with the distance, in proportion near the minimum: ask for that much smaller steps.
    # (for a cost that is flatter than a parabola, as a power of it).
    needed = rounded_down(run.step_size * (question.precision / distance) ** judgement.stretch)
    return (
        f"The minimum is about {short(distance)} away and {asked} was asked for: "
        f"precision={short(needed)} would have done (in gradient_descent, precision bounds the step)."
    )


def _more(judgement: Judgement, question: Question) -> str:
    words = f"Give more with {question.budget}="
    away = _distance(judgement, question)
    rate = question.learning_rate
    if question.fixed_step and isinstance(rate, (int, float)) and judgement.largest_curvature > 0:
        safe = 2.0 / judgement.largest_curvature
        if isfinite(safe) and rate < 0.25 * safe:
            words += f", or use a larger learning rate (below {short(safe)})"
    return f"{away} {words}.".strip()


def _place(place: Place | None) -> str:
    if place is None:
        return "Start where the cost has a finite value, or use a smaller learning rate."
    row = "" if place.row is None else f" in row {place.row} of the data"
    what = "drop or mend this row, or start elsewhere" if row else "start where it has a finite value"
    return f"{place.expression} is {place.value}{row}; {what}, or use a smaller rate."


def _cycles(run: Run) -> bool:
    points = run.tail
    for period in PERIODS:
        if len(points) < 2 * period + 1:
            continue
        step = (points[-1] - points[-2]).norm()
        if step > 0 and all((points[-1 - k] - points[-1 - k - period]).norm() <= 1e-9 * step for k in range(period)):
            return True
    return False
