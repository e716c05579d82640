"""What proximal gradient and FISTA share: a metric, and Newton steps in the variables that are not 0."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from descend.descent.method.base import Method, State
from descend.descent.status import Ending
from descend.errors import MethodError
from descend.evaluation import Evaluation, Needs

if TYPE_CHECKING:
    from descend.box import Box
    from descend.vector import Vector

NOISE = 2.0**-48  # relative: a change of the cost that cannot be told from rounding
SUFFICIENT = 1e-4  # Armijo's constant
SPACING = 2.0**-50  # relative: steps as small as this are the spacing of doubles
ULP = 2.0**-52
TRIES = 100
DENSE = 500  # variables up to which the Hessian is made
COLUMNS = 100  # products that are taken for the Hessian of few variables among many
ROUNDING = 1e-12  # of the slope
LEVEL = 1e-13  # of the largest eigenvalue: less is no curvature


class Seen(NamedTuple):
    """A point that was looked at: the cost with its penalty, and of the smooth part cost and gradient."""

    x: Any
    cost: float
    smooth: float
    slope: Any
    shortest: Any  # subgradient

    @property
    def usable(self) -> bool:
        """Whether a descent can go on from here; a cost that is minus infinity has been found, too."""
        import numpy as np

        return self.cost == -np.inf or bool(np.isfinite(self.cost) and np.isfinite(self.slope).all())


@dataclass(frozen=True)
class CompositeState(State):
    """What was seen at the accepted point `x`, the point to be tried, and the factor `length` on the metric.

    `metric` (n,) are the curvatures by which the lengths of steps are measured, those of a block equal.  `polishing`
    says that a Newton step is being tried; after one that failed, `wait` proximal steps are taken.
    """

    origin: Any = None
    here: Any = None
    curvature: Any = None
    penalty: Any = None
    trial: Any = None
    metric: Any = None
    length: float = 1.0
    tries: int = 0
    polishing: bool = False
    fall: float = 0.0
    wait: int = 0
    waits: int = 1


@dataclass(frozen=True)
class Composite(Method):
    """f(x) + P(x), f smooth and P a penalty with a proximal operator.

    Where the proximal step leaves the zeros of x as they are, f + P is smooth in the other variables, and with
    `newton` the Newton step in these is tried first.
    """

    needs: ClassVar[Needs] = Needs.PROX

    newton: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.newton, bool):
            raise MethodError("newton is True or False")

    def start(self, x: Vector, box: Box | None = None) -> CompositeState:
        return CompositeState(x, box=box, origin=x)

    def predict(self, state: State) -> Vector:
        assert isinstance(state, CompositeState)
        point: Vector = state.x if state.trial is None else state.trial
        return point

    def learn(self, state: Any, point: Vector, evaluation: Evaluation) -> Any:
        import numpy as np

        assert evaluation.split is not None
        smooth, penalty = evaluation.split
        with np.errstate(all="ignore"):
            x = point.array()
            seen = Seen(x, evaluation.cost, smooth.cost, smooth.gradient.array(), evaluation.gradient.array())
            if state.here is not None:
                act = self.polished if state.polishing else self.tried
                return act(state, point, seen, evaluation.curvature)
            if not evaluation.finite:
                return replace(state, accepted=False, gave_up=Ending.NOT_FINITE)
            state = replace(state, here=seen, curvature=evaluation.curvature, penalty=penalty)
            return self.onward(replace(state, metric=first_metric(state)))

    def tried(self, state: Any, point: Vector, seen: Seen, curvature: Any) -> Any:
        """Return the memory after a look at the point that `step` chose."""
        raise NotImplementedError

    def step(self, state: Any, ahead: Any) -> Any:
        """Return the memory with the next point to look at; `ahead` is the proximal step from the accepted point."""
        raise NotImplementedError

    def onward(self, state: Any) -> Any:
        """Choose the next point to look at, from an accepted one."""
        import numpy as np

        ahead = proximal_point(state, state.here)
        if (np.abs(ahead - state.here.x) <= ULP * np.abs(state.here.x)).all():
            return replace(state, gave_up=Ending.FLAT)
        if state.wait:
            return self.step(replace(state, wait=state.wait - 1), ahead)
        if self.newton and _same_zeros(state.penalty, ahead, state.here.x):
            found = _newton_point(state)
            if found is not None:
                there, fall, tiny = found
                if tiny:
                    return replace(state, gave_up=Ending.CLOSE)
                return replace(state, trial=state.x.like(there), polishing=True, fall=fall)
        return self.step(state, ahead)

    def polished(self, state: Any, point: Vector, seen: Seen, curvature: Any) -> Any:
        """Return the memory after a look where a Newton step led."""
        noise = NOISE * (abs(state.here.smooth) + abs(state.here.cost))
        flatter = seen.cost <= state.here.cost + noise and _measure(state, seen) < 0.5 * _measure(state, state.here)
        lower = seen.cost <= state.here.cost + SUFFICIENT * state.fall < state.here.cost
        if seen.usable and (lower or flatter):
            return self.onward(accepted(state, point, seen, curvature, polishing=False, waits=1))
        if -state.fall <= noise:
            return replace(state, accepted=False, gave_up=Ending.CLOSE)
        state = replace(state, accepted=False, polishing=False, wait=state.waits, waits=2 * state.waits)
        return self.step(state, proximal_point(state, state.here))


def accepted(state: Any, point: Vector, seen: Seen, curvature: Any, **memory: Any) -> Any:
    """Return the memory after an accepted step to `point`."""
    return replace(
        state,
        x=point,
        number=state.number + 1,
        rate=state.length,
        accepted=True,
        here=seen,
        curvature=curvature,
        tries=0,
        **memory,
    )


def proximal_point(state: Any, at: Seen) -> Any:
    """Return prox(x - t·D⁻¹∇f(x)) in the box, for the metric D and the length t."""
    lengths = state.length / state.metric
    ahead = state.penalty.prox(at.x - lengths * at.slope, lengths)
    return ahead if state.box is None else state.box.project(state.x.like(ahead)).array()


def first_metric(state: Any) -> Any:
    """Return the curvatures at the start: the diagonal of the Hessian or, for many variables, the one along the slope.

    A variable without curvature gets what makes its first step as long as it is from 0.
    """
    import numpy as np

    here = state.here
    if len(here.x) <= DENSE:
        bent = np.abs(np.diagonal(state.curvature.hessian()))
    else:
        size = float(np.abs(here.slope).max(initial=0.0)) or 1.0
        along = here.slope / size
        square = float(along @ along) or 1.0
        bent = np.full(len(along), abs(float(along @ state.curvature.product(along))) / square)
    plain = np.abs(here.slope) / np.where(here.x == 0, 1.0, np.abs(here.x))
    bent = np.where((bent > 0) & np.isfinite(bent), bent, plain)
    some = bent[(bent > 0) & np.isfinite(bent)]
    bent = np.where((bent > 0) & np.isfinite(bent), bent, some.max(initial=0.0) or 1.0)
    return state.penalty.equal(bent)


def _same_zeros(penalty: Any, ahead: Any, x: Any) -> bool:
    import numpy as np

    same: bool = np.array_equal(penalty.at_kink(ahead), penalty.at_kink(x))
    return same


def _free(state: Any) -> Any:
    """Return the indices of the variables that are held neither by the penalty at 0 nor by a bound."""
    import numpy as np

    here = state.here
    held = state.penalty.at_kink(here.x)
    if state.box is not None:
        held[list(state.box.held(state.x, state.x.like(here.shortest)))] = True
    return np.flatnonzero(~held)


def _measure(state: Any, seen: Seen) -> float:
    """Return the length of the shortest subgradient in the metric, without what bounds hold."""
    import numpy as np

    slope = seen.shortest
    if state.box is not None:
        slope = state.box.projected_slope(state.x.like(seen.x), state.x.like(slope)).array()
    return float(np.linalg.norm(slope / np.sqrt(state.metric)))


def _hessian(state: Any, free: Any) -> Any:
    """Return the Hessian in the variables `free`; None where it takes too many products."""
    import numpy as np

    size = len(state.here.x)
    if size <= DENSE:
        return state.curvature.hessian()[np.ix_(free, free)]
    sparse = state.curvature.sparse()
    if sparse is not None and len(free) <= DENSE:
        return sparse[free][:, free].toarray()
    if len(free) > COLUMNS:
        return None
    columns = []
    for k in free:
        unit = np.zeros(size)
        unit[k] = 1.0
        columns.append(state.curvature.product(unit)[free])
    full = np.array(columns)
    return 0.5 * (full + full.T)


def _newton_point(state: Any) -> tuple[Any, float, bool] | None:
    """Return where Newton's step in the free variables leads, the fall of the cost to first order, whether it is tiny.

    Downward curvature is taken with its size; a variable that would cross 0, if its penalty has a kink there, stops.
    """
    import numpy as np

    here, penalty = state.here, state.penalty
    free = _free(state)
    hessian = _hessian(state, free) if len(free) else None
    if hessian is None or not np.isfinite(hessian).all():
        return None
    unit = 1.0 / np.sqrt(state.metric[free])
    slope = here.shortest[free]
    values, vectors = np.linalg.eigh(hessian * unit * unit[:, np.newaxis])
    sizes = np.abs(values)
    parts = vectors.T @ (unit * slope)
    usable = sizes > LEVEL * sizes.max()
    if np.abs(parts[~usable]).max(initial=0.0) > ROUNDING * np.abs(unit * here.slope[free]).max():
        return None  # along directions without curvature the way down has no end that Newton's step would know
    inner = np.where(usable, -parts / np.where(usable, sizes, 1.0), 0.0)
    there = here.x.copy()
    there[free] += unit * (vectors @ inner)
    if penalty.single:
        kinked = penalty.blocks >= 0
        there[kinked & (there * here.x < 0)] = 0.0
    if state.box is not None:
        there = state.box.project(state.x.like(there)).array()
    moved = there - here.x
    scale = np.maximum(np.abs(here.x), np.abs(here.x - state.origin.array()))
    tiny = bool((np.abs(moved) <= SPACING * scale).all())
    fall = float(slope @ moved[free])
    return (there, fall, tiny) if (np.isfinite(there).all() and fall < 0) or tiny else None
