"""What was reached: judged at the end, from slope and curvature at the point, never from the rule that fired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from math import inf, isfinite

from descend.descent.run import Run
from descend.descent.spectrum import Spectrum, spectrum
from descend.evaluation import Evaluation, Objective, Order, Vector

RELATIVE = 1e-8  # of each variable's scale: what "as far as doubles support" asks of the estimated distance
MOST_PROBED = 8  # directions with little curvature that are looked at
NOISES = 8.0  # bounds on the rounding error that a lower cost must exceed


class Kind(Enum):
    """What the point is."""

    MINIMUM = "minimum"
    FLAT = "flat"  # slope and curvature are zero, and so is every difference nearby
    SADDLE = "saddle"
    MAXIMUM = "maximum"
    SLOPE = "slope"  # not stationary
    UNKNOWN = "unknown"  # too many variables for the curvature, or no finite values


@dataclass(frozen=True)
class Criterion:
    """One line of the verdict: a number, the bound it is held against, and whether it holds."""

    what: str
    value: float
    bound: float
    holds: bool

    def __str__(self) -> str:
        return f"{self.what}: {self.value:.3g} {'≤' if self.holds else '≰'} {self.bound:.3g}"


@dataclass(frozen=True)
class Judgement:
    """What the point is, with the numbers: the estimated distance to the minimum (Euclidean; inf where unknown)."""

    kind: Kind
    distance: float
    criteria: tuple[Criterion, ...]
    largest_curvature: float = 0.0
    unique: bool = True


def settle(objective: Objective, run: Run) -> Run:
    """Return the run with its best point settled: of two costs that differ by rounding only, the flatter is better.

    The loop compares costs by a fixed, small noise; here their running error bounds are known.
    """
    best, last = run.best, run.last
    if best.point == last.point or not (best.evaluation.finite and last.evaluation.finite):
        return run
    if not last.evaluation.gradient_norm < best.evaluation.gradient_norm:
        return run
    noise = sum(objective.look(at.point, Order.HESSIAN).cost_error for at in (best, last))
    return replace(run, best=last) if last.evaluation.cost <= best.evaluation.cost + noise else run


def judge(objective: Objective, point: Vector, start: Vector, precision: float | None) -> Judgement:
    """Judge `point`.  `precision` is a distance in the variables' units; None asks for 1e-8 of each one's scale."""
    seen = objective.look(point, Order.HESSIAN)
    if not seen.finite:
        return Judgement(Kind.UNKNOWN, inf, ())
    scales = [max(abs(x), abs(x - s)) for x, s in zip(point, start, strict=True)]
    largest = max(scales, default=0.0) or 1.0
    units = [s or largest for s in scales]
    if seen.hessian is None or seen.hessian_error is None or not _all_finite(seen.hessian):
        return Judgement(Kind.UNKNOWN, inf, (_slope_criterion(seen),))
    curvature = spectrum(seen.hessian, seen.hessian_error, units)
    newton = curvature.newton(seen.gradient)
    assert seen.gradient_error is not None
    rounding = all(abs(g) <= e for g, e in zip(seen.gradient, seen.gradient_error, strict=True))
    distances = [abs(d) for d in newton]
    if not rounding:
        stretch = _stretch(objective, point, newton, units)
        distances = [d * stretch for d in distances]
    distance = Vector(distances).norm()
    close, criterion = _close(distances, scales, precision)
    criteria = (criterion, _slope_criterion(seen), _curvature_criterion(curvature))
    # Along directions without curvature the Newton distance says nothing: there the slope itself must be rounding.
    still = curvature.null_slope(seen.gradient) <= curvature.null_slope(seen.gradient_error, absolute=True)
    kind, unique = Kind.SLOPE, True
    if rounding or (close and still):
        kind, unique = _stationary(objective, point, seen, curvature)
        if kind is Kind.MINIMUM and _lower_nearby(objective, point, seen, curvature, distance / max(units)):
            kind = Kind.SADDLE
    if not curvature.positive and not curvature.null:
        distance = inf
    return Judgement(kind, distance, criteria, curvature.largest, unique)


def _all_finite(matrix: Sequence[Sequence[float]]) -> bool:
    return all(isfinite(entry) for row in matrix for entry in row)


def _slope_criterion(seen: Evaluation) -> Criterion:
    slope = seen.gradient.norm()
    bound = seen.gradient_error.norm() if seen.gradient_error is not None else 0.0
    return Criterion("size of the slope, against its rounding error", slope, bound, slope <= bound)


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
    holds = all(d <= RELATIVE * s for d, s in zip(distances, scales, strict=True))
    ratios = [d / s if s else (inf if d else 0.0) for d, s in zip(distances, scales, strict=True)]
    worst = max(ratios, default=0.0)
    return holds, Criterion("estimated distance to the minimum, relative to the way come", worst, RELATIVE, holds)


def _stretch(objective: Objective, point: Vector, newton: Vector, units: Sequence[float]) -> float:
    """How many times further than one Newton step the minimum is.

    A second Newton step, from where the first one leads, is q times as long: about 0 where the cost is nearly
    quadratic, 2/3 for x⁴ (whose Newton step is only a third of the way).  The steps add up to 1/(1 - q).
    """
    length = newton.norm()
    if length == 0 or not isfinite(length):
        return 1.0
    there = objective.look(point - newton, Order.HESSIAN)
    if not there.finite or there.hessian is None or there.hessian_error is None or there.gradient_error is None:
        return 1.0
    if not _all_finite(there.hessian):
        return 1.0
    if all(abs(g) <= e for g, e in zip(there.gradient, there.gradient_error, strict=True)):
        return 1.0
    again = spectrum(there.hessian, there.hessian_error, units).newton(there.gradient).norm()
    ratio = again / length
    return 1.0 / (1.0 - ratio) if ratio < 0.99 else 100.0


def _stationary(objective: Objective, point: Vector, seen: Evaluation, curvature: Spectrum) -> tuple[Kind, bool]:
    """Tell minimum, maximum and saddle where the slope is zero; second: whether it is the only one nearby."""
    if curvature.negative:
        only_down = not curvature.positive and not curvature.null
        return (Kind.MAXIMUM if only_down else Kind.SADDLE), True
    if not curvature.null:
        return Kind.MINIMUM, True
    sides = [
        _side(objective, point, seen, [sign * v for v in direction])
        for direction in curvature.null
        for sign in (1.0, -1.0)
    ]
    if any(side < 0 for side in sides):
        falls_everywhere = all(side < 0 for side in sides) and not curvature.positive
        return (Kind.MAXIMUM if falls_everywhere else Kind.SADDLE), True
    if all(side > 0 for side in sides):
        return Kind.MINIMUM, True
    # Not lower anywhere, level somewhere: a minimum that is not unique, unless nothing at all rises.
    return (Kind.MINIMUM if curvature.positive else Kind.FLAT), False


def _lower_nearby(objective: Objective, point: Vector, seen: Evaluation, curvature: Spectrum, distance: float) -> bool:
    """Whether the cost is lower a few resolutions away, along directions with little curvature.

    Near the inflection of x³ the curvature is positive, though tiny, and so is the Newton step: only a look at both
    sides tells it from a minimum.
    """
    away = 4.0 * max(distance, RELATIVE)
    for direction in curvature.weakest(MOST_PROBED):
        for sign in (away, -away):
            there = point + Vector([sign * v for v in direction])
            cost = objective.look(there).cost
            if cost < seen.cost - NOISES * seen.cost_error:
                return True
    return False


def _side(objective: Objective, point: Vector, seen: Evaluation, direction: Sequence[float]) -> int:
    """Return +1, -1 or 0 as the cost first rises, first falls or stays level when one walks along `direction`."""
    for exponent in range(-8, 0):
        step = Vector([10.0**exponent * v for v in direction])
        there = objective.look(point + step, Order.HESSIAN)
        if not isfinite(there.cost):
            continue
        noise = 4.0 * (there.cost_error + seen.cost_error)
        if abs(there.cost - seen.cost) > noise:
            return 1 if there.cost > seen.cost else -1
    return 0
