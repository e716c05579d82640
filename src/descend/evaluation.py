"""The one record that climbs from the objective to the loop, and the one-method protocol between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, IntEnum
from math import isfinite
from typing import Any, NamedTuple, Protocol

from descend.box import Box
from descend.vector import Vector

COST_NOISE = 2.0**-50  # relative: two costs nearer than this are the same cost, and the smaller slope is the better

WORST = 1.7976931348623157e308  # the cost of the best point before there is one: any finite cost is lower


class Order(IntEnum):
    """How much is asked of one look."""

    GRADIENT = 1  # cost and gradient
    BOUNDS = 2  # the same, with the dense Hessian and a running bound on the rounding error of all three


class Needs(Enum):
    """What a method asks of a cost beside cost and gradient.  Refused early where it cannot be given."""

    GRADIENT = "cost and gradient"
    HESSIAN = "the Hessian"
    NORMAL_MATRIX = "the normal matrix of a sum of squares"
    PROX = "a penalty with a proximal operator"
    KINKS = "kinks that can be taken apart"


class Evaluation(NamedTuple):
    """What one look at a point gives.

    `cost` is a float, `gradient` a vector in the order of the variables.  Only a look of `Order.BOUNDS` fills
    `hessian` (rows of floats; None where there are too many variables for a dense one) and the bounds on the
    absolute rounding errors.  `curvature` is there for methods that need more than the gradient.  `split` is there
    where a penalty has kinks: then `gradient` is the shortest subgradient.
    """

    cost: float
    gradient: Vector
    hessian: tuple[tuple[float, ...], ...] | None = None
    cost_error: float = 0.0
    gradient_error: Vector | None = None
    hessian_error: tuple[tuple[float, ...], ...] | None = None
    curvature: Curvature | None = None
    split: Split | None = None

    @property
    def finite(self) -> bool:
        """Whether the cost and every entry of the gradient are finite."""
        return isfinite(self.cost) and self.gradient.finite

    @property
    def gradient_norm(self) -> float:
        """Euclidean length of the gradient."""
        return self.gradient.norm()


class Split(NamedTuple):
    """A cost in two: what was seen of its smooth part, and a penalty with kinks (`problem.penalty.KinkedPenalty`)."""

    smooth: Evaluation
    penalty: Any


@dataclass
class Work:
    """What was computed beside looks: dense or sparse `hessians` (or normal matrices) and `products` with one."""

    hessians: int = 0
    products: int = 0


class Objective(Protocol):
    """What the loop needs of a problem: the names of the variables, and looks at points.

    The higher derivatives are NumPy arrays; a method reaches them through `Curvature`, which counts.
    """

    box: Box | None
    work: Work
    rough: frozenset[str]  # "kink", "jump": what the cost has that derivatives at a point do not see

    @property
    def names(self) -> Sequence[str]:
        """Names of the variables, in the order of every vector."""
        ...

    def look(self, point: Vector, order: Order = Order.GRADIENT) -> Evaluation:
        """Evaluate cost and gradient at `point`; never raises for a value that is not finite."""
        ...

    def obstacle(self, needs: Needs) -> str | None:
        """Return why the cost cannot give what a method needs, None where it can."""
        ...

    def hessian(self, point: Vector) -> Any:
        """Return the dense Hessian (n, n)."""
        ...

    def sparse_hessian(self, point: Vector) -> Any:
        """Return the Hessian as a `scipy.sparse.csc_array`, None where its pattern is not known or nearly full."""
        ...

    def sparse_bounds(self, point: Vector) -> Any:
        """Return (sparse Hessian, bounds on the rounding errors of its entries), None where it is not sparse."""
        ...

    def product_bounds(self, point: Vector, direction: Vector) -> tuple[Vector, Vector] | None:
        """Return Hessian times `direction` with bounds on its rounding errors, None where there are none."""
        ...

    def product(self, point: Vector, direction: Vector) -> Vector:
        """Return Hessian times `direction`, without making the Hessian."""
        ...

    def third(self, point: Vector, direction: Vector) -> Vector:
        """Return ∇³f[v, v] for the direction v: the second derivative of the gradient along v."""
        ...

    def gauss_newton(self, point: Vector) -> Any:
        """Return the normal matrix 2·JᵀWJ (n, n), None where the cost is no sum of squares."""
        ...

    def gauss_newton_product(self, point: Vector, direction: Vector) -> Vector | None:
        """Return the normal matrix times `direction`, None where the cost is no sum of squares."""
        ...

    def pieces(self, point: Vector) -> Any:
        """Return the pieces of the cost's kinks at a point (`problem.kinks.Pieces`), None where it has none."""
        ...

    def residual_curvature(self, point: Vector, direction: Vector) -> Vector | None:
        """Return 2·JᵀW·r''(v, v) for the direction v, None where the cost is no sum of squares."""
        ...


@dataclass(frozen=True)
class Curvature:
    """The higher derivatives at a point that has been looked at; computed when asked for, and counted."""

    objective: Objective
    point: Vector

    def hessian(self) -> Any:
        """Return the dense Hessian (n, n)."""
        self.objective.work.hessians += 1
        return self.objective.hessian(self.point)

    def sparse(self) -> Any:
        """Return the Hessian as a `scipy.sparse.csc_array`, None where it is not known to be sparse."""
        found = self.objective.sparse_hessian(self.point)
        self.objective.work.hessians += found is not None
        return found

    def normal(self) -> Any:
        """Return the normal matrix 2·JᵀWJ (n, n) of a sum of squares."""
        self.objective.work.hessians += 1
        return self.objective.gauss_newton(self.point)

    def product(self, direction: Any) -> Any:
        """Return Hessian times `direction` (arrays)."""
        self.objective.work.products += 1
        return self.objective.product(self.point, self.point.like(direction)).array()

    def normal_product(self, direction: Any) -> Any:
        """Return the normal matrix times `direction` (arrays)."""
        self.objective.work.products += 1
        found = self.objective.gauss_newton_product(self.point, self.point.like(direction))
        return None if found is None else found.array()

    def residual_curvature(self, direction: Any) -> Any:
        """Return 2·JᵀW·r''(v, v) for v = `direction` (arrays): how the residuals r bend along v."""
        self.objective.work.products += 1
        found = self.objective.residual_curvature(self.point, self.point.like(direction))
        return None if found is None else found.array()

    def pieces(self) -> Any:
        """Return the pieces of the kinks (`problem.kinks.Pieces`), with the Hessian along their ties."""
        self.objective.work.hessians += 1
        return self.objective.pieces(self.point)

    def third(self, direction: Any) -> Any:
        """Return ∇³f[v, v] for v = `direction` (arrays)."""
        self.objective.work.products += 1
        return self.objective.third(self.point, self.point.like(direction)).array()


@dataclass(frozen=True)
class Place:
    """Where a value stopped being finite: the sub-expression, its value and, with data, the first bad row (1-based)."""

    expression: str
    value: float
    row: int | None = None


class MachineFormula(NamedTuple):
    """A cost formula for a loop that is compiled as a whole: a tape and entries on it."""

    tape: Any
    cost: int
    gradient: tuple[int, ...]
    variables: tuple[int, ...]
