"""Result: what a descent found, how sure that is, and what to do next."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Any, NamedTuple

from descend.answer.report import report_text
from descend.descent.judgement import Criterion
from descend.descent.status import Status
from descend.descent.trace import Trace
from descend.errors import UnavailableError, UnsuccessfulError
from descend.problem.problem import Problem
from descend.vector import Vector


@dataclass(frozen=True)
class Point:
    """A point of the descent: `variables` (name → value), `cost` and `gradient` (name → slope) in the user's sign.

    An array variable is a NumPy array, and so are its slopes.
    """

    variables: dict[str, Any]
    cost: float
    gradient: dict[str, Any]

    def __getitem__(self, name: str) -> Any:
        return self.variables[name]

    def __float__(self) -> float:
        return only(self.variables, "value")


def only(values: dict[str, Any], what: str) -> float:
    """Return the one value of a one-variable result."""
    if len(values) != 1:
        raise ValueError(f"there are {len(values)} variables, so there is no single {what}; ask by name")
    ((name, value),) = values.items()
    if not isinstance(value, float):
        raise ValueError(f"{name} is an array, so there is no single {what}; ask by name")  # noqa: TRY004
    return value


def make_point(problem: Problem, point: Vector, cost: float, gradient: Vector) -> Point:
    """Return a point in the user's names and sign."""
    sign = -1.0 if problem.maximise else 1.0
    return Point(problem.layout.values(point), sign * cost, problem.layout.values(sign * gradient))


class Minimum(NamedTuple):
    """One of the distinct minima of a descent from many starts, and how many `starts` ended there."""

    variables: dict[str, Any]
    cost: float
    status: Status
    starts: int


@dataclass(frozen=True, eq=False, repr=False)
class Result:
    """The outcome of a descent (frozen; can be pickled).

    `variables`, `cost` and `gradient` are those of the point that is reported: the best one seen, or in
    `gradient_descent` the last, as in the article.  `best` and `last` are always both there.

    `success` follows the status.  `steps` are accepted steps, `looks` evaluations of cost and gradient; `hessians`
    counts Hessians (or normal matrices), `products` their products with a vector.  `verdict_looks` are looks that were
    taken afterwards, to judge the point (most with a Hessian); they belong to no budget.  Everything about a
    maximisation is in the user's sign: MAXIMUM is a success there, and MINIMUM is none.  `criteria` holds every test of
    the verdict with its number and its bound; `message` is the status's sentence and `advice` what to do next.

    A descent from many starts returns the best one's result; work and `seconds` are those of all, and `minima` holds
    every distinct end that is a success, the best first.
    """

    status: Status
    success: bool
    message: str
    advice: str
    variables: dict[str, Any]
    cost: float
    gradient: dict[str, Any]
    best: Point
    last: Point
    method: str
    why_method: str
    criteria: tuple[Criterion, ...]
    steps: int
    looks: int
    seconds: float
    evaluator: str
    problem: Problem = field(repr=False)
    hessians: int = 0
    products: int = 0
    verdict_looks: int = 0
    trace: Trace | None = None
    seed: int = 0
    notes: tuple[str, ...] = ()
    minima: tuple[Minimum, ...] = ()
    penalty: float | None = None  # at the reported point: the share of `cost` that the penalty is
    reported: str = "best"  # which point `variables` is: "best", or "last" as in the article

    @property
    def exit_code(self) -> int:
        """The exit code of the command line: 0 success, 1 no success, 130 interrupted."""
        return 0 if self.success else 130 if self.status is Status.INTERRUPTED else 1

    @property
    def slope(self) -> float:
        """The derivative at the reported point (one variable only; `ValueError` otherwise)."""
        return only(self.gradient, "slope")

    def __getitem__(self, name: Any) -> Any:
        return self.variables[str(getattr(name, "name", name))]

    def __float__(self) -> float:
        return only(self.variables, "value")

    def raise_if_failed(self) -> Result:
        """Return the result, or raise `UnsuccessfulError` when its status is not a success."""
        if not self.success:
            raise UnsuccessfulError(f"{self.status.name}: {self.message} {self.advice}".strip())
        return self

    def report(self) -> str:
        """Return the report as text."""
        return report_text(self)

    def __str__(self) -> str:
        return self.report()

    __repr__ = __str__

    def to_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints: plain dicts, lists, numbers (None where not finite) and text."""
        return {
            "status": self.status.name,
            "success": self.success,
            "message": self.message,
            "advice": self.advice,
            "method": self.method,
            "why_method": self.why_method,
            "variables": plain(self.variables),
            "cost": plain(self.cost),
            "gradient": plain(self.gradient),
            "best": {"variables": plain(self.best.variables), "cost": plain(self.best.cost)},
            "last": {"variables": plain(self.last.variables), "cost": plain(self.last.cost)},
            "steps": self.steps,
            "looks": self.looks,
            "verdict_looks": self.verdict_looks,
            "seconds": plain(self.seconds),
            "evaluator": self.evaluator,
            "criteria": [
                {"what": c.what, "value": plain(c.value), "bound": plain(c.bound), "holds": c.holds}
                for c in self.criteria
            ],
            "penalty": plain(self.penalty),
            "minima": [
                {"variables": plain(m.variables), "cost": plain(m.cost), "status": m.status.name, "starts": m.starts}
                for m in self.minima
            ],
            "notes": list(self.notes),
            "certificate": None,
        }

    def to_json(self) -> str:
        """Return `to_dict` as JSON text; numbers round-trip."""
        import json

        return json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False)

    def to_scipy(self) -> Any:
        """Return a `scipy.optimize.OptimizeResult` with the same content."""
        from scipy.optimize import OptimizeResult

        return OptimizeResult(
            x=_flat(self.variables),
            fun=self.cost,
            jac=_flat(self.gradient),
            success=self.success,
            status=list(Status).index(self.status),
            message=f"{self.status.name}: {self.message}",
            nit=self.steps,
            nfev=self.looks,
            njev=self.looks,
        )

    def plot(self, *_arguments: Any, **_settings: Any) -> Any:
        """Not in this version."""
        raise UnavailableError("plots are not in this version; run with trace=True and plot result.trace.to_pandas()")

    def animate(self, *_arguments: Any, **_settings: Any) -> None:
        """Not in this version."""
        raise UnavailableError("animations are not in this version; run with trace=True and use result.trace")

    def to_html(self, *_arguments: Any, **_settings: Any) -> None:
        """Not in this version."""
        raise UnavailableError("the interactive page is not in this version; report() gives the result as text")


def _flat(values: dict[str, Any]) -> Any:
    import numpy as np

    return np.concatenate([np.atleast_1d(np.asarray(value, dtype=np.float64)) for value in values.values()])


def plain(value: Any) -> Any:
    """Return numbers that JSON can hold: None for those that are not finite."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value
