"""What was reached: judged at the end, from slope and curvature at the point, never from the rule that fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf, isfinite
from typing import NamedTuple

from descend.descent.face import Face, held_entries
from descend.descent.judgement import RELATIVE, Criterion, Judgement, Kind
from descend.descent.kink_verdict import judge_kink
from descend.descent.nearby import FURTHEST, Surroundings
from descend.descent.penalty_verdict import held_at_zero
from descend.descent.roughness import objection
from descend.descent.run import Run
from descend.descent.spectrum import Spectrum, spectrum
from descend.descent.status import Ending
from descend.evaluation import Evaluation, Objective, Order
from descend.vector import Vector

MOST_PROBED = 8  # directions with little curvature that are looked at
ULPS = 2.0**-50  # relative: steps as small as this are the spacing of doubles
TINIEST = 1e-290  # scale of a variable that began at its minimum: less is rounding at the end of the doubles' range
HARDLY = 0.25  # a change of the curvature that leaves a bowl a bowl
SLOWEST = 0.995  # ratio of Newton steps above which no minimum is in sight


def settle(objective: Objective, run: Run) -> tuple[Run, int]:
    """Return the run with its best point settled: of two costs that differ by rounding only, the flatter is better.

    Second: how many looks that took.

    The loop compares costs by a fixed, small noise; here their running error bounds are known.
    """
    best, last = run.best, run.last
    if best.point == last.point or not (best.evaluation.finite and last.evaluation.finite):
        return run, 0
    if run.ending is Ending.SOLVED:  # the mathematics knows better than costs that underflow
        return replace(run, best=last), 0
    # Who estimated the distance knows better than the size of a slope, which depends on the variables' units.
    if run.ending is not Ending.CLOSE and not last.evaluation.gradient_norm < best.evaluation.gradient_norm:
        return run, 0
    noise = sum(objective.look(at.point, Order.BOUNDS).cost_error for at in (best, last))
    return (replace(run, best=last) if last.evaluation.cost <= best.evaluation.cost + noise else run), 2


def judge(objective: Objective, point: Vector, start: Vector, precision: float | None) -> Judgement:
    """Judge `point`.  `precision` is a distance in the variables' units; None asks for 1e-8 of each one's scale.

    A variable's scale is the larger of its size and how far it has come from `start` (or from the furthest point that
    it has been at).

    A minimum in a box is a minimum over the face of the variables that no bound holds, if every multiplier (the slope
    of a variable that is held) has the right sign (Karush 1939; Kuhn & Tucker 1951).  So is one of a penalty with
    kinks over the variables that it does not hold at 0 (`penalty_verdict`).  Of a cost with kinks or jumps the values
    around are asked as well (`roughness`).
    """
    found = _judged(objective, point, start, precision)
    if found.kind not in {Kind.MINIMUM, Kind.KINK} or not objective.rough:
        return found
    whole = Face(objective, point)
    scales = [max(abs(x), abs(x - s)) for x, s in zip(point, start, strict=True)]
    kind = objection(whole, point, whole.look(point, Order.BOUNDS), scales, precision)
    return replace(found, kind=kind or found.kind, looks=found.looks + whole.looks)


def _judged(objective: Objective, point: Vector, start: Vector, precision: float | None) -> Judgement:
    kink = judge_kink(objective, point, start, precision)
    if kink is not None:
        return kink
    whole = Face(objective, point)
    seen = whole.look(point, Order.BOUNDS)
    if not seen.finite:
        return Judgement(Kind.UNKNOWN, inf, (), looks=whole.looks)
    held = held_entries(objective.box, point, seen)
    zero = held_at_zero(point, seen, held)
    if not held and zero is None:
        found = _judge(whole, point, seen, start, precision)
        return replace(found, looks=whole.looks)
    criteria = (_multiplier_criterion(seen, held),) if held else ()
    settled = set(held)
    if zero is not None:
        criteria, settled = (*criteria, zero.criterion), settled | set(zero.entries)
    face = Face(objective, point, [k for k in range(len(point)) if k not in settled])
    least = Kind.MINIMUM if zero is None else Kind.KINK
    if not face.free:
        return Judgement(least, 0.0, criteria, held=tuple(held), looks=whole.looks)
    found = _judge(face, face.reduced(point), face.seen(seen), face.reduced(start), precision)
    return replace(
        found,
        kind=least if found.kind is Kind.MINIMUM else found.kind,
        criteria=(*found.criteria, *criteria),
        held=tuple(held),
        lower=None if found.lower is None else face.full(found.lower),
        looks=face.looks + whole.looks,
    )


def _judge(face: Face, point: Vector, seen: Evaluation, start: Vector, precision: float | None) -> Judgement:
    if seen.hessian is None:
        from descend.descent.large_verdict import judge_large  # imports SciPy's sparse matrices

        large = judge_large(face, point, seen, start, precision)
        return large or Judgement(Kind.UNKNOWN, inf, (_slope_criterion(seen),))
    scales = [max(abs(x), abs(x - s)) for x, s in zip(point, start, strict=True)]
    curvature = _spectrum(seen, _units(scales))
    if curvature is not None and seen.gradient_error is not None:
        # A variable that began at 0, its minimum, and has only been moved by rounding has no scale of its own; where
        # that is so of all, nothing is known.
        reach = curvature.reach(seen.gradient_error)
        moved = [0.0 if not o and s <= r else s for s, o, r in zip(scales, start, reach, strict=True)]
        if moved != scales and any(moved):
            scales = moved
            curvature = _spectrum(seen, _units(scales))
    if curvature is None:
        return Judgement(Kind.UNKNOWN, inf, (_slope_criterion(seen),))
    assert seen.gradient_error is not None
    newton = curvature.newton(seen.gradient)
    reach = curvature.reach(seen.gradient_error)
    rounding = _is_rounding(seen)
    second = _second_look(face, point, seen, curvature, reach if rounding else newton)
    # A variable that never moved is where it should be, if rounding alone says otherwise.
    steps = [0.0 if not s and abs(d) <= r else abs(d) for d, s, r in zip(newton, scales, reach, strict=True)]
    distances = steps if rounding else [d * second.stretch if d else 0.0 for d in steps]
    distance = Vector(distances).norm()
    close, criterion = _close(distances, scales, precision)
    criteria = (criterion, _slope_criterion(seen), _curvature_criterion(curvature))
    # Along directions without curvature the Newton distance says nothing: there the slope itself must be rounding.
    still = curvature.null_slope(seen.gradient) <= curvature.null_slope(seen.gradient_error, absolute=True)
    kind, unique, lower = Kind.SLOPE, True, None
    if rounding or (close and still):
        around = Surroundings(face, point, seen, curvature)
        kind, unique = _stationary(around)
        if kind is Kind.MINIMUM and rounding:
            kind = _seen_in_rounding(around, precision)
        if kind is Kind.MINIMUM:
            first = 4.0 * max(curvature.size_of(distances), curvature.size_of(reach))
            if around.jumps_down(first, MOST_PROBED) or (not second.bowl and around.falls_beside(first, MOST_PROBED)):
                kind = Kind.SADDLE
        # A generous precision makes a minimum, but no point with a slope a saddle or a maximum.
        if kind in {Kind.SADDLE, Kind.MAXIMUM} and not (rounding or _close(distances, scales, None)[0]):
            kind = Kind.SLOPE
        if kind is not Kind.MINIMUM:
            lower = around.lower()
    if not curvature.positive and not curvature.null_indices:
        distance = inf
    return Judgement(kind, distance, criteria, curvature.largest, unique, max(1.0, second.stretch), lower=lower)


def _units(scales: Sequence[float]) -> list[float]:
    largest = max(scales, default=0.0) or 1.0
    return [s or largest for s in scales]


def _seen_in_rounding(around: Surroundings, precision: float | None) -> Kind:
    """Tell a minimum where the slope is only rounding, which may leave its zero open by more than was asked.

    Then the cost must be seen to rise on both sides: it may fall still, or be level where it underflows.
    """
    curvature, errors = around.curvature, around.seen.gradient_error
    assert errors is not None
    asked = RELATIVE if precision is None else max(RELATIVE, precision / max(curvature.units))
    open_directions = curvature.blurred(errors, asked)[:MOST_PROBED]
    rises, falls = around.rises_beside(open_directions)
    return Kind.MINIMUM if rises else Kind.SLOPE if falls else Kind.FLAT


def _spectrum(seen: Evaluation, units: Sequence[float]) -> Spectrum | None:
    if seen.hessian is None or seen.hessian_error is None or not _all_finite(seen.hessian):
        return None
    return spectrum(seen.hessian, seen.hessian_error, units)


def _is_rounding(seen: Evaluation) -> bool:
    assert seen.gradient_error is not None
    return all(abs(g) <= e < inf for g, e in zip(seen.gradient, seen.gradient_error, strict=True))


def _all_finite(matrix: Sequence[Sequence[float]]) -> bool:
    return all(isfinite(entry) for row in matrix for entry in row)


def _slope_criterion(seen: Evaluation) -> Criterion:
    slope = seen.gradient.norm()
    bound = seen.gradient_error.norm() if seen.gradient_error is not None else 0.0
    return Criterion("size of the slope, against its rounding error", slope, bound, slope <= bound)


def _multiplier_criterion(seen: Evaluation, held: Sequence[int]) -> Criterion:
    assert seen.gradient_error is not None
    worst = max(held, key=lambda k: seen.gradient_error[k] / abs(seen.gradient[k]))  # type: ignore[index]
    what = "rounding error of the slope at a bound, against that slope"
    return Criterion(what, seen.gradient_error[worst], abs(seen.gradient[worst]), holds=True)


def _curvature_criterion(curvature: Spectrum) -> Criterion:
    # Said as -smallest ≤ tolerance, so that every line of a report reads the same way.
    worst = max(0.0, -curvature.smallest)
    what = "downward curvature, against its rounding error"
    return Criterion(what, worst, curvature.tolerance, not curvature.negative)


def _close(distances: Sequence[float], scales: Sequence[float], precision: float | None) -> tuple[bool, Criterion]:
    if precision is not None:
        distance = Vector(distances).norm()
        holds = distance <= precision
        return holds, Criterion("estimated distance to the minimum", distance, precision, holds)
    scales = [max(s, TINIEST) if d else s for d, s in zip(distances, scales, strict=True)]
    holds = all(d <= RELATIVE * s for d, s in zip(distances, scales, strict=True))
    ratios = [d / s if s else (inf if d else 0.0) for d, s in zip(distances, scales, strict=True)]
    worst = max(ratios, default=0.0)
    return holds, Criterion("estimated distance to the minimum, relative to the way come", worst, RELATIVE, holds)


class _Second(NamedTuple):
    """What a look where the Newton step leads tells of the minimum.

    `stretch`: how many times further than one Newton step it is (inf where Newton's method does not lead there).
    `bowl`: the curvature hardly changes on the way, so the cost is a bowl around the minimum and needs no probing.
    """

    stretch: float
    bowl: bool


def _second_look(face: Face, point: Vector, seen: Evaluation, curvature: Spectrum, step: Vector) -> _Second:
    """Look where `step` leads or, where the cost has no value there, half the way.

    A second Newton step, from there, is q times as long: about 0 where the cost is nearly quadratic, 2/3 for x⁴
    (whose Newton step is only a third of the way).  The steps add up to 1/(1 - q); after a part t, to t/(1 - q).
    """
    definite = not curvature.negative and not curvature.null_indices
    if step.norm() == 0:
        return _Second(1.0, definite)
    if not any(_significant(step, point)):
        return _Second(1.0, bowl=False)  # no further away than the spacing of doubles
    for part in (1.0, 0.5):
        there_point = face.inside(point - part * step)
        there = face.look(there_point, Order.BOUNDS)
        again = _spectrum(there, curvature.units) if there.finite and isfinite(step.norm()) else None
        if again is not None:
            break
    else:
        return _Second(inf, bowl=False)
    assert seen.hessian is not None
    assert there.hessian is not None
    assert seen.gradient_error is not None
    assert there.gradient_error is not None
    bowl = definite and curvature.change(seen.hessian, there.hessian) <= HARDLY
    # Variables that have arrived, up to rounding, have no part in it: their steps are noise.
    first = _significant(step, point, curvature.reach(seen.gradient_error))
    back = _significant(again.newton(there.gradient), there_point, again.reach(there.gradient_error))
    length = first.norm()
    if length == 0 or _is_rounding(there) or not any(back):
        return _Second(1.0, bowl)
    ratio = back.norm() / length
    if back.dot(first) < -0.9 * back.norm() * length and ratio < 1.0 + SLOWEST:
        return _Second(1.0, bowl)  # the minimum lies between
    return _Second(part / (1.0 - ratio) if ratio < SLOWEST else inf, bowl)


def _significant(step: Vector, point: Vector, reach: Vector | None = None) -> Vector:
    """Return the step without the entries that are within rounding: of the point, and of the slope (their `reach`)."""
    reaches = reach or Vector([0.0] * len(step))
    entries = zip(step, point, reaches, strict=True)
    return Vector([s if abs(s) > max(ULPS * abs(x), r) else 0.0 for s, x, r in entries])


def _stationary(around: Surroundings) -> tuple[Kind, bool]:
    """Tell what a point is where the slope is zero; second: whether it is the only one nearby.

    A cost that falls no sooner than at the end of a level stretch, or that stays level on one side only, is a plateau
    (that of tanh, say): no reason to call the point a minimum.
    """
    curvature = around.curvature
    if curvature.negative:
        if not around.falls_along_curvature() and around.walled:
            return Kind.UNKNOWN, True  # what curves down may lie outside of the box
        return (Kind.SADDLE if curvature.positive or curvature.null_indices else Kind.MAXIMUM), True
    if not curvature.null_indices:
        return Kind.MINIMUM, True
    sides = around.null_sides()
    near = [side.sign for pair in sides for side in pair if side.away <= FURTHEST]
    if any(sign < 0 for sign in near):
        falls_everywhere = all(sign < 0 for sign in near) and not curvature.positive
        return (Kind.MAXIMUM if falls_everywhere and len(near) == 2 * len(sides) else Kind.SADDLE), True
    if any(side.sign < 0 for pair in sides for side in pair) or any(a.sign != b.sign for a, b in sides):
        return Kind.FLAT, False
    unique = len(near) == 2 * len(sides)
    # Level somewhere, lower nowhere: a minimum that is not the only one, unless nothing at all rises.
    rises = curvature.positive or any(near)
    return (Kind.MINIMUM if rises else Kind.FLAT), unique
