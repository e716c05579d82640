"""A smooth objective plus a penalty with kinks, as one objective."""

from __future__ import annotations

from typing import Any

from descend.box import Box
from descend.evaluation import Evaluation, Needs, Objective, Order, Place, Split, Work
from descend.kernel.rounding import UNIT
from descend.problem.penalty import KinkedPenalty
from descend.vector import Vector

OWN_KINKS = "the cost has kinks of its own; write the penalty into the cost, as 0.1*abs(x)"
NO_GRADIENT = "the penalty has kinks at 0, and is made for the methods fista and proximal"


class PenalisedObjective:
    """A smooth objective plus a penalty with kinks.

    The gradient of a look is the shortest subgradient: 0 at a minimum.  Second derivatives are those in the variables
    of the blocks that are not 0.
    """

    machine = None

    def __init__(self, inner: Objective, penalty: KinkedPenalty) -> None:
        self.inner: Any = inner
        self.penalty = penalty
        self.names = inner.names
        self.work: Work = inner.work
        self.rough: frozenset[str] = inner.rough
        self.box: Box | None = None

    @property
    def tier(self) -> str:
        """Which evaluator the smooth part has."""
        return str(self.inner.tier)

    def look(self, point: Vector, order: Order = Order.GRADIENT) -> Evaluation:
        """Evaluate cost and shortest subgradient, and with `Order.BOUNDS` what `Evaluation` says of it."""
        import numpy as np

        seen = self.inner.look(point, order)
        penalty = self.penalty
        with np.errstate(all="ignore"):
            x, slope = point.array(), seen.gradient.array()
            value = penalty.value(x)
            whole = Evaluation(seen.cost + value, point.like(penalty.shortest(x, slope)), split=Split(seen, penalty))
            if order is not Order.BOUNDS:
                return whole
            few = penalty.roundings * UNIT
            error = seen.gradient_error.array() + few * (penalty.largest_pull(x) + np.abs(slope))
            whole = whole._replace(
                cost_error=seen.cost_error + few * (abs(value) + abs(seen.cost)), gradient_error=point.like(error)
            )
            if seen.hessian is None or seen.hessian_error is None:
                return whole
            bend = penalty.bend(x)
            full = np.array(seen.hessian) + bend
            slack = np.array(seen.hessian_error) + few * (np.abs(bend) + np.abs(full))
        return whole._replace(hessian=tuple(map(tuple, full.tolist())), hessian_error=tuple(map(tuple, slack.tolist())))

    def obstacle(self, needs: Needs) -> str | None:
        """Return why the cost cannot give what a method needs: only the penalty's own methods can do with kinks."""
        if self.inner.obstacle(Needs.KINKS) is None:
            return OWN_KINKS
        return None if needs is Needs.PROX else NO_GRADIENT

    def hessian(self, point: Vector) -> Any:
        """Return the dense Hessian (n, n)."""
        return self.inner.hessian(point) + self.penalty.bend(point.array())

    def sparse_hessian(self, point: Vector) -> Any:
        """Return the Hessian as a sparse array; None where it is full, or the penalty's blocks make it so."""
        found = self.inner.sparse_hessian(point) if self.penalty.single else None
        return None if found is None else (found + self._diagonal()).tocsc()

    def sparse_bounds(self, point: Vector) -> Any:
        """Return (sparse Hessian, bounds on the rounding errors of its entries), None where it is not sparse."""
        found = self.inner.sparse_bounds(point) if self.penalty.single else None
        if found is None:
            return None
        matrix, bounds = found
        full = (matrix + self._diagonal()).tocsc()
        return full, (bounds + UNIT * abs(full)).tocsc()

    def _diagonal(self) -> Any:
        from scipy.sparse import diags_array

        return diags_array(self.penalty.ridge)

    def product(self, point: Vector, direction: Vector) -> Vector:
        """Return Hessian times `direction`."""
        return point.like(self.inner.product(point, direction).array() + self._bent(point, direction))

    def product_bounds(self, point: Vector, direction: Vector) -> tuple[Vector, Vector] | None:
        """Return Hessian times `direction`, with bounds on its rounding errors."""
        import numpy as np

        found = self.inner.product_bounds(point, direction)
        if found is None:
            return None
        bent = self._bent(point, direction)
        total = found[0].array() + bent
        slack = found[1].array() + self.penalty.roundings * UNIT * (np.abs(bent) + np.abs(total))
        return point.like(total), point.like(slack)

    def _bent(self, point: Vector, direction: Vector) -> Any:
        return self.penalty.bend_product(point.array(), direction.array())

    def third(self, point: Vector, direction: Vector) -> Vector:
        """Return ∇³f[v, v] of the smooth part."""
        found: Vector = self.inner.third(point, direction)
        return found

    def pieces(self, point: Vector) -> None:  # noqa: ARG002 - the protocol's
        """Return None: the penalty's kinks are not taken apart."""
        return

    def gauss_newton(self, point: Vector) -> None:  # noqa: ARG002 - the protocol's
        """Return None: no sum of squares."""
        return

    def gauss_newton_product(self, point: Vector, direction: Vector) -> None:  # noqa: ARG002 - the protocol's
        """Return None: no sum of squares."""
        return

    def residual_curvature(self, point: Vector, direction: Vector) -> None:  # noqa: ARG002 - the protocol's
        """Return None: no sum of squares."""
        return

    def trouble(self, point: Vector) -> Place | None:
        """Return the innermost sub-expression that is not finite at `point`."""
        found: Place | None = self.inner.trouble(point)
        return found
