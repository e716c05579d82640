"""`compile`: the exact machine-code function of a cost, for any other tool."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from descend.api.reading import order_of, prepared, read_cost, refuse, start_names
from descend.errors import StartError
from descend.evaluation import Evaluation, Order, Vector
from descend.expression.limits import Limits
from descend.problem.objective import FormulaObjective, RowsObjective
from descend.problem.problem import make_problem


class CompiledFunction:
    """A cost as a function of a vector, with exact derivatives.

    Vectors are in the order of `names`; anything that makes a sequence of numbers is accepted.  `looks` counts the
    evaluations of cost and gradient.
    """

    def __init__(self, objective: FormulaObjective | RowsObjective) -> None:
        self._objective = objective
        self.names: tuple[str, ...] = objective.names
        self.evaluator: str = objective.tier
        self.looks = 0

    def _point(self, x: Any) -> Vector:
        try:
            values = [float(v) for v in x] if isinstance(x, Iterable) and getattr(x, "ndim", 1) != 0 else [float(x)]
        except (TypeError, ValueError, OverflowError):
            raise StartError("a point is a sequence of real numbers, in the order of names") from None
        if isinstance(x, (str, bytes)) or len(values) != len(self.names):
            raise StartError(f"the point has {len(values)} numbers but the variables are {', '.join(self.names)}")
        return Vector(values)

    def _look(self, x: Any, order: Order = Order.GRADIENT) -> Evaluation:
        self.looks += 1
        return self._objective.look(self._point(x), order)

    def __call__(self, x: Any) -> float:
        """Return the cost."""
        return self._look(x).cost

    def gradient(self, x: Any) -> Any:
        """Return the gradient, a new float64 array."""
        return self._look(x).gradient.array()

    def value_and_gradient(self, x: Any) -> tuple[float, Any]:
        """Return (cost, gradient): what ``scipy.optimize.minimize(..., jac=True)`` wants."""
        evaluation = self._look(x)
        return evaluation.cost, evaluation.gradient.array()

    def hessian(self, x: Any) -> Any:
        """Return the dense Hessian, a new float64 array (n, n).  Raises `StartError` for more than 500 variables."""
        import numpy as np

        second = self._look(x, Order.HESSIAN).hessian
        if second is None:
            raise StartError(f"a dense Hessian of {len(self.names)} variables is not made")
        return np.array(second)

    def hessian_product(self, x: Any, v: Any) -> Any:
        """Return Hessian times `v`, a new float64 array."""
        return self._objective.product(self._point(x), self._point(v)).array()

    def __repr__(self) -> str:
        return f"<cost of {', '.join(self.names)}: {self.evaluator}>"


def compile(  # noqa: A001 - the public name
    cost: Any,
    table: Any = None,
    *,
    loss: str = "rss",
    constants: Any = None,
    data: Any = None,
    variables: Any = None,
    limits: Limits | None = None,
) -> CompiledFunction:
    """Compile a cost, or with a `table` the loss of a model, to machine code with exact derivatives.

    Raises `FormulaError`, `DataError`, `MethodError`.

    >>> import descend
    >>> fun = descend.compile("100*(y - x^2)^2 + (1 - x)^2")
    >>> fun.names, fun([0, 0]), fun.gradient([0, 0]).tolist()
    (('x', 'y'), 1.0, [-2.0, 0.0])
    """
    refuse(data=(data, None, "give a table for a model, or put the numbers into the formula"))
    if table is not None:
        from descend.api.modelling import read_model

        modelled = read_model(cost, table, loss=loss, constants=constants, parameters=order_of(variables))
        return CompiledFunction(modelled.objective(1, compiled=True))
    reading = read_cost(cost, names=start_names(constants), limits=limits)
    problem = make_problem(prepared(reading, constants=constants), variables=order_of(variables))
    return CompiledFunction(FormulaObjective(problem, 1, compiled=True))
