"""What proximal gradient and FISTA share: a metric, and Newton steps in the variables that are not 0."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from descend.descent.method.base import Method, State
from descend.descent.method.polish import DENSE, newton_point
from descend.descent.status import Ending
from descend.errors import MethodError
from descend.evaluation import Evaluation, Needs

if TYPE_CHECKING:
    from descend.box import Box
    from descend.vector import Vector

NOISE = 2.0**-48  # relative: a change of the cost that cannot be told from rounding
SUFFICIENT = 1e-4  # Armijo's constant
ULP = 2.0**-52
SHORTER = 0.8
TRIES = 100


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
    says that a Newton step is being tried, which should lower the cost by -`fall` to first order and is `size` of the
    variables' scales long, the one before `reach`; `cut` that it was stopped at a kink or a bound.  After one that
    failed, `wait` proximal steps are taken.
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
    size: float = float("inf")
    reach: float = float("inf")
    cut: bool = False
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
        if self.newton and not state.wait and _same_zeros(state.penalty, ahead, state.here.x):
            found = newton_point(state)
            if found is not None:
                if found.tiny:
                    return replace(state, gave_up=Ending.CLOSE)
                there = state.x.like(found.there)
                return replace(state, trial=there, polishing=True, fall=found.fall, size=found.size, cut=found.cut)
        still = ULP * np.abs(state.here.x)
        if (np.abs(ahead - state.here.x) <= still).all():
            state = replace(state, length=max(1.0, state.length))  # a length learned on a bend may be next to nothing
            ahead = proximal_point(state, state.here)
            if (np.abs(ahead - state.here.x) <= still).all():
                return replace(state, gave_up=Ending.FLAT)
        return self.step(replace(state, wait=max(0, state.wait - 1)), ahead)

    def polished(self, state: Any, point: Vector, seen: Seen, curvature: Any) -> Any:
        """Return the memory after a look where a Newton step led."""
        noise = NOISE * (abs(state.here.smooth) + abs(state.here.cost))
        # Where costs are rounding, steps that become shorter tell that Newton's method converges: by 2/3 for x⁴.
        nearer = seen.cost <= state.here.cost + noise and state.size < SHORTER * state.reach
        lower = seen.cost <= state.here.cost + SUFFICIENT * state.fall < state.here.cost
        if seen.usable and (lower or nearer):
            return self.onward(accepted(state, point, seen, curvature, polishing=False, waits=1, reach=state.size))
        if -state.fall <= noise and not state.cut:  # Newton's whole step gains nothing: what is left is rounding
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
        **({"reach": float("inf")} | memory),
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
