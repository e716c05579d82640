"""The largest learning rate with which plain gradient descent would not have diverged: tried, not only estimated."""

from __future__ import annotations

from descend.descent.loop import descend
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.run import Run
from descend.descent.stopping import Looks, NotFinite, Unmoved
from descend.evaluation import Objective
from descend.vector import Vector

LOOKS = 60  # of a descent with one rate: one that diverges has mostly shown it by then
HALVINGS = 100  # of the rate that diverged
SPLITS = 6  # of the gap between a rate that descends and one that does not: to 1 part in 64
PRODUCTS = 100  # with the Hessian, towards its largest eigenvalue
SETTLED = 1e-12  # relative change of that eigenvalue


def largest_rate(objective: Objective, start: Vector, rate: float, looks: int = LOOKS) -> float | None:
    """Return the largest rate below `rate` with which gradient descent descends from `start`; None: none was found.

    Rates are halved until a descent of `looks` looks ends lower than it began, and the gap to the last that did not is
    split.  That descent must be stable where it ends, too: the rate is at most 2/L, with L the largest curvature there.
    For a quadratic cost 2/L is the answer, and returned.  Takes some hundreds of looks.
    """
    top = objective.look(start).cost
    safe, unsafe, run = rate, rate, None
    for _ in range(HALVINGS):
        safe, unsafe = 0.5 * safe, safe
        run = _descent(objective, start, safe, looks, top)
        if run is not None:
            break
    if run is None:
        return None
    bound = _stable(objective, run)
    for _ in range(SPLITS):
        if bound <= safe:
            break
        middle = 0.5 * (safe + unsafe)
        found = _descent(objective, start, middle, looks, top)
        if found is None:
            unsafe = middle
        else:
            safe, bound = middle, _stable(objective, found)
    if bound <= unsafe and _descent(objective, start, bound * (1.0 - 1e-9), looks, top) is not None:
        return bound
    return min(safe, bound)


def _descent(objective: Objective, start: Vector, rate: float, looks: int, top: float) -> Run | None:
    """Return the descent with a rate, None where it does not end lower than `top`."""
    run = descend(objective, GradientDescent(rate), start, NotFinite() | Unmoved() | Looks(looks))
    return run if run.last.evaluation.finite and run.last.evaluation.cost < top else None


def _stable(objective: Objective, run: Run) -> float:
    """2 / the largest curvature at the last point, by the power method; infinite where it finds none that is upward."""
    at = run.last.point
    # Not along an axis, nor along a slope that may have none of the direction that is looked for.
    direction = at.like([1.0 + 0.1 * k for k in range(len(at))])
    found = 0.0
    for _ in range(PRODUCTS):
        direction = (1.0 / direction.norm()) * direction
        product = objective.product(at, direction)
        before, found = found, direction.dot(product)
        if not 0 < product.norm() < float("inf") or abs(found - before) <= SETTLED * abs(found):
            break
        direction = product
    return 2.0 / found if found > 0 else float("inf")
