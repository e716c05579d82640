"""Newton's step of a cost with a penalty, in the variables that the penalty does not hold at 0."""

from __future__ import annotations

from typing import Any, NamedTuple

SPACING = 2.0**-50  # relative: steps as small as this are the spacing of doubles
DENSE = 500  # variables up to which the Hessian is made
COLUMNS = 100  # products that are taken for the Hessian of few variables among many
ROUNDING = 1e-12  # of the slope
LEVEL = 1e-13  # of the largest eigenvalue: less is no curvature


class Newton(NamedTuple):
    """Where Newton's step leads, how the cost changes to first order, its length in scales, was it cut, is it tiny."""

    there: Any
    fall: float
    size: float
    cut: bool
    tiny: bool


def newton_point(state: Any) -> Newton | None:
    """Return Newton's step in the free variables; one that would cross 0, where its penalty has a kink, stops there."""
    import numpy as np

    here, penalty = state.here, state.penalty
    free = _free(state)
    step = _newton_step(state, free) if len(free) else None
    if step is None:
        return None
    there = here.x.copy()
    there[free] += step
    whole = there.copy()
    if penalty.single:
        kinked = penalty.blocks >= 0
        there[kinked & (there * here.x < 0)] = 0.0
    if state.box is not None:
        there = state.box.project(state.x.like(there)).array()
    moved = there - here.x
    scale = np.maximum(np.abs(here.x), np.abs(here.x - state.origin.array()))
    size = float(np.max(np.abs(moved) / np.where(scale > 0, scale, np.inf), initial=0.0))
    tiny = size <= SPACING and not moved[scale == 0].any()
    fall = float(here.shortest[free] @ moved[free])
    if not (tiny or (np.isfinite(there).all() and fall < 0)):
        return None
    return Newton(there, fall, size, not np.array_equal(there, whole), tiny)


def _free(state: Any) -> Any:
    """Return the indices of the variables that are held neither by the penalty at 0 nor by a bound."""
    import numpy as np

    here = state.here
    held = state.penalty.at_kink(here.x)
    if state.box is not None:
        held[list(state.box.held(state.x, state.x.like(here.shortest)))] = True
    return np.flatnonzero(~held)


def _newton_step(state: Any, free: Any) -> Any:
    """Return Newton's step in the variables `free`; None where there is none, or it takes too many products."""
    import numpy as np

    unit = 1.0 / np.sqrt(state.metric[free])
    slope = unit * state.here.shortest[free]
    size = len(state.here.x)
    if size <= DENSE:
        bent = state.curvature.hessian()[np.ix_(free, free)]
        return _bent_step(bent, unit, state.here.shortest[free], state.here.slope[free])
    sparse = state.curvature.sparse()
    if sparse is not None:
        return _sparse_step(sparse[free][:, free], unit, slope)
    if len(free) > COLUMNS:
        return None
    columns = [state.curvature.product(np.eye(1, size, int(k))[0])[free] for k in free]
    bent = 0.5 * (np.array(columns) + np.transpose(columns))
    return _bent_step(bent, unit, state.here.shortest[free], state.here.slope[free])


def _bent_step(bent: Any, unit: Any, slope: Any, smooth: Any) -> Any:
    """Return the step by eigenvalues, downward curvature taken with its size; None where the cost falls along a level.

    There the way down has no end that Newton's step would know of.
    """
    import numpy as np

    # Scaled by its own diagonal: the curvature of x⁴ near its minimum is small, but is no rounding of another's.
    own = np.abs(np.diagonal(bent))
    unit = np.where(own > 0, 1.0 / np.sqrt(np.where(own > 0, own, 1.0)), unit)
    scaled = bent * unit * unit[:, np.newaxis]
    if not np.isfinite(scaled).all():
        return None
    values, vectors = np.linalg.eigh(scaled)
    sizes = np.abs(values)
    parts = vectors.T @ (unit * slope)
    usable = sizes > LEVEL * sizes.max()
    if np.abs(parts[~usable]).max(initial=0.0) > ROUNDING * np.abs(unit * smooth).max():
        return None
    return unit * (vectors @ np.where(usable, -parts / np.where(usable, sizes, 1.0), 0.0))


def _sparse_step(bent: Any, unit: Any, slope: Any) -> Any:
    """Return the step by a factorisation; None where the Hessian is singular."""
    from scipy.sparse import diags_array
    from scipy.sparse.linalg import splu

    scaling = diags_array(unit)
    try:
        return unit * splu((scaling @ bent @ scaling).tocsc()).solve(-slope)
    except RuntimeError:
        return None
