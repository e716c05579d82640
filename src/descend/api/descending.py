"""From an objective, a method and a start to a `Result`: what minimize, maximize and fit share; one start or many."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from descend.answer.result import Minimum, Result
from descend.api.answering import answer
from descend.api.penalising import with_penalty
from descend.api.reading import any_number, declared_bounds, learning_rate_of, positive_count, positive_number, setting
from descend.box import Box
from descend.descent.choose import Choice, Facts
from descend.descent.conclusion import Question
from descend.descent.journey import travel
from descend.descent.loop import Watch
from descend.descent.method.base import Method
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.status import Status
from descend.descent.stopping import Idle, Looks, NotFinite, Rule, Seconds, Target, Unmoved
from descend.descent.trace import Recorder
from descend.errors import MethodError
from descend.evaluation import COST_NOISE, Objective
from descend.problem.bounds import make_box, tighter
from descend.problem.layout import Layout
from descend.problem.problem import Problem
from descend.problem.start import region_words, spread_starts
from descend.vector import Vector

PATIENCE = 100  # looks without a lower cost or a smaller slope: as far as doubles go
DRAWS = 10  # points drawn for one start, at most, where the cost has no value at many
SAME = 1e-6  # of a variable's scale: two ends as near are one minimum (a verdict asks for a hundredth of it)
ENDS = frozenset({Status.INTERRUPTED, Status.STOPPED_BY_CALLER, Status.TIME_SPENT})


@dataclass(frozen=True)
class Wishes:
    """What the user asked of a descent, beside cost, method and start; `target` is in the user's sign."""

    looks: int
    seconds: float | None = None
    precision: float | None = None
    rate: float | str | None = None
    target: float | None = None
    escape: bool = True
    starts: int = 1
    seed: int = 0
    trace: bool = False
    watch: Watch | None = None


def make_wishes(
    looks: Any, seconds: Any, precision: Any, rate: Any, target: Any, starts: Any, seed: Any, escape: Any, trace: bool,
    watch: Watch | None,
) -> Wishes:  # fmt: skip
    """Check what the user asked for.  Raises `MethodError`."""
    wishes = Wishes(
        looks=positive_count(looks, "max_looks", 1),
        seconds=positive_number(seconds, "max_seconds"),
        precision=positive_number(precision, "precision"),
        rate=learning_rate_of(rate),
        target=None if target is None else any_number(target, "target_cost"),
        escape=setting(escape, "escape"),
        starts=positive_count(starts, "starts", 1),
        seed=positive_count(seed, "seed"),
        trace=trace,
        watch=watch,
    )
    if wishes.looks < wishes.starts:
        raise MethodError(
            f"max_looks={wishes.looks} is for all {wishes.starts} starts together: give at least one look to each"
        )
    return wishes


def box_of(layout: Layout, bounds: Any, symbols: Mapping[str, Any]) -> tuple[Box | None, tuple[str, ...]]:
    """Return the box of what the user and the assumptions of SymPy symbols allow, and what has to be said of these."""
    declared, notes = declared_bounds(symbols, [name for name, _ in layout.parts])
    return tighter(make_box(layout, bounds), make_box(layout, declared)), notes


def check_needs(method: Method, objective: Objective) -> None:
    """Refuse a method that needs what the cost cannot give.  Raises `MethodError`."""
    obstacle = objective.obstacle(method.needs)
    if obstacle is not None:
        raise MethodError(f"{method.name} needs {method.needs.value}: {obstacle}. Choose another of `descend methods`")


def within(facts: Facts, objective: Objective) -> Facts:
    """Return what is still known of the cost when its variables have bounds."""
    box = objective.box
    if box is None or (facts.solution is not None and box.contains(facts.solution)):
        return facts
    return replace(facts, solution=None, unbounded=False, exact=False, flat=False)


def into_box(objective: Objective, point: Vector) -> tuple[Vector, tuple[str, ...]]:
    """Return the nearest point within the bounds, and what has to be said about that."""
    if objective.box is None or objective.box.contains(point):
        return point, ()
    moved = objective.box.project(point)
    changed = [k for k, (old, new) in enumerate(zip(point, moved, strict=True)) if old != new]
    shown = ", ".join(f"{objective.names[k]} = {moved[k]:g}" for k in changed[:3])
    more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
    return moved, (f"the start was outside the bounds: moved to {shown}{more}",)


def descended(
    objective: Objective,
    problem: Problem,
    choice: Choice,
    facts: Facts,
    start: Vector,
    wishes: Wishes,
    notes: tuple[str, ...] = (),
    data: Mapping[str, Any] | None = None,
) -> Result:
    """Descend from `start`, or from as many as are wished, and say what was found."""
    if not wishes.escape:
        choice = choice._replace(method=choice.method.staying())
    sign = -1.0 if problem.maximise else 1.0
    target = None if wishes.target is None else sign * wishes.target
    fixed_step = choice.method.fixed_step
    question = Question(
        wishes.precision,
        learning_rate=wishes.rate,
        fixed_step=fixed_step,
        plain=choice.method.name == GradientDescent.name,
        maximise=problem.maximise,
        escape=wishes.escape,
        target=target,
    )

    def once(point: Vector, looks: int, seconds: float | None, said: tuple[str, ...] = notes) -> Result:
        recorder = Recorder(objective.names) if wishes.trace else None
        stopping = rules(choice.method, looks, seconds, target)
        arrival = travel(objective, choice.method, point, stopping, question, recorder=recorder, watch=wishes.watch)
        result = answer(objective, problem, arrival, choice, facts, question, notes=said, seed=wishes.seed)
        return with_penalty(result, arrival.at.point, data)

    if wishes.starts == 1:
        return once(start, wishes.looks, wishes.seconds)
    if facts.solution is not None and not fixed_step:
        return once(start, wishes.looks, wishes.seconds, (*notes, "one start is enough: the minimum is computed"))
    return _from_many(once, objective, start, wishes, sign)


def rules(method: Method, looks: int, seconds: float | None, target: float | None = None) -> Rule:
    """Return the stopping rules of a descent that goes as far as doubles support."""
    stopping: Rule = Looks(looks) | Idle(PATIENCE)
    if method.fixed_step:
        stopping = NotFinite() | Unmoved() | stopping
    if target is not None:
        stopping = Target(target) | stopping
    return stopping if seconds is None else stopping | Seconds(seconds)


# ----------------------------------------------------------------------------------------------------- many starts


@dataclass(frozen=True)
class Hiker:
    """One of many descents: from where, and what it found."""

    start: Vector
    end: Vector
    result: Result


def _from_many(once: Callable[..., Result], objective: Objective, start: Vector, wishes: Wishes, sign: float) -> Result:
    """Descend from many starts and return the best result, with the distinct minima; the budget is for all of them."""
    hikers: list[Hiker] = []
    outside: list[Hiker] = []  # began where the cost has no value: another start is drawn instead
    looks, seconds = wishes.looks, wishes.seconds
    for point in spread_starts(start, objective.box, wishes.seed):
        left = wishes.starts - len(hikers)
        if not left or looks < left or len(outside) >= DRAWS * wishes.starts:
            break
        result = once(point, looks // left, seconds)
        hiker = Hiker(point, _end(result, point), result)
        looks -= result.looks
        fruitless = result.looks == 1 and not _finite(result.cost)
        (outside if fruitless else hikers).append(hiker)
        if seconds is not None:
            seconds -= result.seconds
        reached = wishes.target is not None and sign * result.cost <= sign * wishes.target
        if reached or result.status in ENDS or (seconds is not None and seconds <= 0):
            break
    region = region_words(objective.box)
    return _joined(hikers or outside, outside if hikers else [], wishes, sign, region)


def _finite(value: float) -> bool:
    return value - value == 0.0


def _end(result: Result, start: Vector) -> Vector:
    """Return the reported point as a vector."""
    entries: list[float] = []
    for value in result.variables.values():
        entries += [value] if isinstance(value, float) else value.tolist()
    return start.like(entries)


def _joined(hikers: Sequence[Hiker], outside: Sequence[Hiker], wishes: Wishes, sign: float, region: str) -> Result:
    ranked = sorted(hikers, key=lambda h: sign * h.result.cost if _finite(h.result.cost) else float("inf"))
    groups: list[list[Hiker]] = []
    for hiker in ranked:
        if hiker.result.success:
            home = next((g for g in groups if _same(g[0], hiker, wishes.precision)), None)
            groups.append([hiker]) if home is None else home.append(hiker)
    best = ranked[0]
    if not best.result.success:  # as low, but for rounding, and known to be a minimum: better
        noise = COST_NOISE * abs(best.result.cost)
        equal = [h for h in ranked if h.result.success and sign * (h.result.cost - best.result.cost) <= noise]
        near = [g[0] for g in groups if _same(g[0], best, wishes.precision)]
        best = next(iter([*equal, *near]), best)
    every = [h.result for h in (*hikers, *outside)]
    found = best.result
    for hiker in hikers:
        if hiker.result.status is Status.INTERRUPTED:
            cut = hiker.result
            found = replace(found, status=cut.status, success=False, message=cut.message, advice=cut.advice)
    return replace(
        found,
        looks=sum(r.looks for r in every),
        hessians=sum(r.hessians for r in every),
        products=sum(r.products for r in every),
        verdict_looks=sum(r.verdict_looks for r in every),
        seconds=sum(r.seconds for r in every),
        minima=tuple(
            Minimum(g[0].result.variables, g[0].result.cost, g[0].result.status, len(g)) for g in groups
        ),
        notes=(*found.notes, _words(hikers, outside, groups, wishes, region)),
    )  # fmt: skip


def _same(one: Hiker, other: Hiker, precision: float | None) -> bool:
    """Whether two ends are one point, as far as their verdicts can tell."""
    for a, b, p, q in zip(one.end, other.end, one.start, other.start, strict=True):
        scale = max(abs(a), abs(b), abs(a - p), abs(b - q))
        if abs(a - b) > max(SAME * scale, 2.0 * (precision or 0.0)):
            return False
    return True


def _words(
    hikers: Sequence[Hiker],
    outside: Sequence[Hiker],
    groups: Sequence[Sequence[Hiker]],
    wishes: Wishes,
    region: str,
) -> str:
    lost = len(hikers) - sum(map(len, groups))
    words = f"{len(hikers)} start{'s' * (len(hikers) != 1)} (seed {wishes.seed}), {region}"
    if len(hikers) < wishes.starts:
        words += f"; {wishes.starts - len(hikers)} more were not made"
    if outside:
        words += f"; {len(outside)} points without a value were left out"
    return words + (f"; {lost} ended without a success" if lost else "")
