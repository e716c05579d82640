"""The advice that goes with a status, and both in the user's sign."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from math import isfinite

from descend.answer.report import rounded_down, short
from descend.descent.choose import Facts
from descend.descent.conclusion import Arrival, Question, nearly_dependent
from descend.descent.judgement import Criterion, Judgement, Kind
from descend.descent.status import Ending, Status
from descend.evaluation import Place

MOST_NAMED = 3  # variables at their bounds

SWAPPED = {
    "minimum": "maximum", "maximum": "minimum", "falls": "rises", "grows": "falls", "upward": "downward",
    "downward": "upward", "lower": "higher", "higher": "lower", "falling": "rising",
}  # fmt: skip


def _swapped(text: str) -> str:
    return re.sub(r"[a-z]+", lambda word: SWAPPED.get(word[0], word[0]), text)


def users_words(criterion: Criterion, *, maximise: bool) -> Criterion:
    """Return a criterion in words for the user's sign."""
    return replace(criterion, what=_swapped(criterion.what)) if maximise else criterion


def in_users_sign(status: Status, *, maximise: bool) -> tuple[Status, bool, str]:
    """Return (status, success, sentence) in the user's sign: what was minimised for them may be a maximum."""
    if not maximise:
        return status, status.success, status.value
    flipped = {Status.MINIMUM: Status.MAXIMUM, Status.MAXIMUM: Status.MINIMUM}.get(status, status)
    return flipped, status.success, _swapped(status.value)


def advise(status: Status, arrival: Arrival, facts: Facts, question: Question, names: Sequence[str] = ()) -> str:
    """Return what to do next, or what more is known; `names` are those of the variables."""
    judgement = arrival.judgement
    match status:
        case Status.EXACT | Status.MINIMUM | Status.AT_KINK:
            if nearly_dependent(arrival, facts):
                return "The columns are nearly dependent: their rounding alone moves the parameters."
            return _unique(facts, judgement, question)
        case Status.AT_BOUND:
            return _bounds(arrival, names)
        case Status.COST_REACHED:
            return "Leave the target away, or start from here, to go on."
        case Status.DIVERGING | Status.CYCLING:
            return _safe_rate(arrival, question)
        case Status.UNBOUNDED:
            largest = "large" if question.maximise else "low"
            return f"Costs as {largest} as one likes exist; mend the cost, or fix a variable."
        case Status.NOT_FINITE | Status.OUTSIDE_DOMAIN:
            return _place(arrival.place, outside=status is Status.OUTSIDE_DOMAIN)
        case Status.MAXIMUM:
            up, down = ("minimum", "lowest") if question.maximise else ("maximum", "highest")
            return f"This is a {up}, the {down} point around; start somewhere else{_escape(question)}."
        case Status.SADDLE:
            return f"Start a little to the side of this point{_escape(question)}."
        case Status.STEP_SMALL:
            return _step_small(arrival, question)
        case Status.LOOKS_SPENT:
            return _more(judgement, question, question.budget)
        case Status.TIME_SPENT:
            return _more(judgement, question, "max_seconds")
        case Status.INTERRUPTED | Status.STOPPED_BY_CALLER:
            return "The last point is in result.last; start there to go on."
    return _stalled(arrival, question)


def _unique(facts: Facts, judgement: Judgement, question: Question) -> str:
    extreme = "maximum" if question.maximise else "minimum"
    bent = "concave" if question.maximise else "convex"
    if facts.constant:
        return f"The cost is the same everywhere: every point is a {extreme}."
    if facts.flat:
        nearest = "; it is the one nearest to the start" if facts.exact else ""
        return f"The cost is {bent}, but this {extreme} is not the only point with this cost{nearest}."
    if facts.convex and judgement.unique:
        return f"The cost is {bent}: this is the {extreme}, there is no other."
    if not judgement.unique:
        return f"This {extreme} is not unique: the cost does not change along some direction."
    return ""


def _bounds(arrival: Arrival, names: Sequence[str]) -> str:
    held = arrival.judgement.held
    said = [f"{names[k]} = {short(arrival.at.point[k])}" for k in held[:MOST_NAMED]]
    more = f" and {len(held) - MOST_NAMED} more" if len(held) > MOST_NAMED else ""
    what = "is a bound that holds" if len(held) == 1 else "are bounds that hold"
    return f"{', '.join(said)}{more} {what} it; beyond, the cost would be better."


def _escape(question: Question) -> str:
    return "" if question.escape or question.fixed_step else ", or leave escape=False away"


def _stalled(arrival: Arrival, question: Question) -> str:
    kind = arrival.judgement.kind
    if arrival.run.ending is Ending.SOLVED:
        return "The closed form is not good to the precision asked for; rescale the columns."
    if arrival.run.ending is Ending.RATE:
        wrong = f"The learning rate is not a positive number at the step number k = {arrival.run.steps}"
        return f"{wrong}; mend its formula, or end the run before."
    if kind is Kind.FLAT:
        return "The cost is level here as far as doubles can tell: a plateau. Start somewhere else."
    if kind is Kind.UNKNOWN:
        return "The curvature could not be computed here, so it is not known what this point is."
    away = _distance(arrival.judgement, question)
    return f"{away} Look at the cost around this point, or start somewhere else.".strip()


def _distance(judgement: Judgement, question: Question) -> str:
    if isfinite(judgement.distance) and judgement.distance > 0:
        return f"The {'maximum' if question.maximise else 'minimum'} is about {short(judgement.distance)} away."
    return ""


def safe_rate(judgement: Judgement, question: Question) -> float | None:
    """Return 2 / curvature, the largest rate with which plain gradient descent converges; None where not known."""
    if not question.plain or not judgement.largest_curvature > 0:
        return None
    if not isinstance(question.learning_rate, (int, float)):
        return None
    safe = 2.0 / judgement.largest_curvature
    return safe if isfinite(safe) else None


def better_rate(status: Status, arrival: Arrival, question: Question) -> float | None:
    """Return a rate, half of the largest safe one, that a run which was too fast should have had."""
    if status not in {Status.DIVERGING, Status.CYCLING}:
        return None
    safe = arrival.safe_rate or safe_rate(arrival.judgement, question)
    return None if safe is None else rounded_down(0.5 * safe)


def _safe_rate(arrival: Arrival, question: Question) -> str:
    if arrival.safe_rate is not None:
        return f"Use a learning rate below {short(arrival.safe_rate)} (found by trying: the largest that descends)."
    safe = safe_rate(arrival.judgement, question)
    if safe is None:
        return "Use a smaller learning rate."
    return f"Use a learning rate below {short(safe)} (2 / the curvature at the best point seen)."


def _step_small(arrival: Arrival, question: Question) -> str:
    assert question.precision is not None
    judgement, distance = arrival.judgement, arrival.judgement.distance
    if not isfinite(distance) or distance <= 0:
        return "The distance to a minimum could not be estimated here; use a smaller precision."
    asked = short(question.precision)
    # Steps shrink with the distance, in proportion near the minimum: ask for that much smaller steps.
    # (for a cost that is flatter than a parabola, as a power of it).
    needed = rounded_down(arrival.run.step_size * (question.precision / distance) ** judgement.stretch)
    return (
        f"The minimum is about {short(distance)} away and {asked} was asked for: "
        f"precision={short(needed)} would have done (in gradient_descent, precision bounds the step)."
    )


def _more(judgement: Judgement, question: Question, budget: str) -> str:
    words = f"Give more with {budget}="
    away = _distance(judgement, question)
    safe = safe_rate(judgement, question)
    if safe is not None and float(question.learning_rate or 0) < 0.25 * safe:
        words += f", or use a larger learning rate (below {short(safe)})"
    return f"{away} {words}.".strip()


def _place(place: Place | None, *, outside: bool) -> str:
    if place is None:
        return "Start where the cost has a finite value, or use a smaller learning rate."
    row = "" if place.row is None else f" in row {place.row} of the data"
    what = "drop or mend this row, or start elsewhere" if row else "start where it has a finite value"
    if outside:
        return f"{place.expression} is {place.value}{row} at the start; {what}."
    return f"{place.expression} is {place.value}{row}; {what}, or use a smaller rate."
