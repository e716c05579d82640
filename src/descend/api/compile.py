"""`compile`: the exact machine-code function of a cost, for any other tool."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from descend.api.reading import check_settings, constant_arrays, order_of, prepared, read_cost, setting, start_names
from descend.errors import DataError, MethodError, StartError, UnavailableError
from descend.evaluation import Evaluation, Order
from descend.expression.limits import STANDARD, Limits
from descend.problem.objective import DENSE_HESSIAN, FormulaObjective, make_objective
from descend.problem.parameters import real_array
from descend.problem.problem import make_problem
from descend.problem.rows import RowsObjective
from descend.problem.sparsity import DENSE
from descend.vector import ArrayVector, Vector

if TYPE_CHECKING:
    from descend.problem.indexed import IndexedObjective


def _new_array(vector: Vector) -> Any:
    """Return the entries of a vector that nobody else holds; a large one is not copied."""
    return vector.entries if isinstance(vector, ArrayVector) else vector.array()


NO_RESIDUALS = "the cost is not written as a sum of squares, so it has no residuals"
MANY = 100  # numbers from which a point is read as an array


class CompiledFunction:
    """A cost as a function of a vector, with exact derivatives.

    Vectors are in the order of `names`; anything that makes a sequence of numbers is accepted.  `looks` counts the
    evaluations of cost and gradient.
    """

    def __init__(self, objective: FormulaObjective | RowsObjective | IndexedObjective) -> None:
        self._objective = objective
        self.names: Sequence[str] = objective.names
        self.evaluator: str = objective.tier
        self.looks = 0
        self._nested: IndexedObjective | None = None

    def _point(self, x: Any) -> Vector:
        vector: Vector
        try:
            if len(self.names) > MANY and getattr(x, "ndim", 1) == 1:
                vector = ArrayVector(real_array(x))
            elif hasattr(x, "dtype") and getattr(x, "ndim", 0) == 1:
                vector = Vector(real_array(x).tolist())
            else:
                many = isinstance(x, Iterable) and getattr(x, "ndim", 1) != 0
                vector = Vector([float(v) for v in x] if many else [float(x)])
        except (TypeError, ValueError, OverflowError):
            raise StartError("a point is a sequence of real numbers, in the order of names") from None
        if isinstance(x, (str, bytes)) or len(vector) != len(self.names) or getattr(x, "ndim", 1) > 1:
            shown = ", ".join(self.names[:12]) + (", ..." if len(self.names) > 12 else "")
            raise StartError(f"the point has {len(vector)} numbers but the {len(self.names)} variables are {shown}")
        return vector

    def _look(self, x: Any, order: Order = Order.GRADIENT) -> Evaluation:
        self.looks += 1
        return self._objective.look(self._point(x), order)

    def __call__(self, x: Any) -> float:
        """Return the cost."""
        if isinstance(self._objective, RowsObjective):
            self.looks += 1
            return self._objective.value(self._point(x))
        return self._look(x).cost

    def gradient(self, x: Any) -> Any:
        """Return the gradient, a new float64 array."""
        return _new_array(self._look(x).gradient)

    def value_and_gradient(self, x: Any) -> tuple[float, Any]:
        """Return (cost, gradient): what ``scipy.optimize.minimize(..., jac=True)`` wants."""
        evaluation = self._look(x)
        return evaluation.cost, _new_array(evaluation.gradient)

    def hessian(self, x: Any) -> Any:
        """Return the dense Hessian, a new float64 array (n, n).  Raises `StartError` for more than 500 variables."""
        import numpy as np

        if isinstance(self._objective, RowsObjective):
            if len(self.names) > DENSE_HESSIAN:
                raise StartError(f"a dense Hessian of {len(self.names)} variables is not made; use hessian_product")
            self.looks += 1
            return np.array(self._objective.hessian(self._point(x)))
        second = self._look(x, Order.BOUNDS).hessian
        if second is None:
            raise StartError(
                f"a dense Hessian of {len(self.names)} variables is not made; use sparse_hessian or hessian_product"
            )
        return np.array(second)

    def sparse_hessian(self, x: Any) -> Any:
        """Return the Hessian as a `scipy.sparse.csc_array` with the pattern that the formula has.

        It takes as many Hessian products as the pattern has colours, three for a tridiagonal one (Curtis, Powell &
        Reid, J. Inst. Math. Appl. 13, 1974).  Raises `MethodError` where nearly every variable meets every other,
        `UnavailableError` for a model with data.

        >>> import descend
        >>> fun = descend.compile("sum((x[i] - x[i+1])^4, i, 0, n-2)", constants={"n": 1000})
        >>> fun.sparse_hessian(range(1000)).nnz
        2998
        """
        found = self._curvature().sparse_hessian(self._point(x))
        if found is None:
            raise MethodError(DENSE)
        return found

    def gauss_newton_product(self, x: Any, v: Any) -> Any:
        """Return 2·JᵀWJ times `v`, a new float64 array, for a cost Σ wᵢ·rᵢ² with the Jacobian J of the residuals.

        Raises `MethodError` where the cost is not written as a sum of squares.
        """
        objective = self._objective if isinstance(self._objective, RowsObjective) else self._curvature()
        found = objective.gauss_newton_product(self._point(x), self._point(v))
        if found is None:
            raise MethodError(NO_RESIDUALS)
        return _new_array(found)

    def gauss_newton(self, x: Any) -> Any:
        """Return the Gauss-Newton matrix 2·JᵀWJ, a new float64 array (n, n), for at most 500 variables.

        For a cost Σ wᵢ·rᵢ² it is near the Hessian where the residuals are small, and never indefinite (Nocedal &
        Wright, *Numerical Optimization*, 2006, ch. 10).  Raises `StartError` for more variables, `MethodError` where
        the cost is not written as a sum of squares.

        >>> import descend
        >>> descend.compile("(1 - x)^2 + 100*(y - x^2)^2").gauss_newton([1, 1]).tolist()
        [[802.0, -400.0], [-400.0, 200.0]]
        """
        import numpy as np

        if len(self.names) > DENSE_HESSIAN:
            raise StartError(f"a dense matrix of {len(self.names)} variables is not made; use gauss_newton_product")
        if isinstance(self._objective, RowsObjective):
            found = self._objective.gauss_newton(self._point(x))
            if found is None:
                raise MethodError(NO_RESIDUALS)
            return np.array(found)
        return np.array([self.gauss_newton_product(x, unit) for unit in np.eye(len(self.names))])

    def _curvature(self) -> IndexedObjective:
        """Return the objective that knows patterns and residuals."""
        if self._nested is None:
            from descend.problem.indexed import IndexedObjective

            objective = self._objective
            if isinstance(objective, RowsObjective):
                raise UnavailableError("sparse matrices of models are not in this version; use hessian")
            self._nested = (
                objective
                if isinstance(objective, IndexedObjective)
                else IndexedObjective(objective.problem, {}, 1, compiled=True)
            )
        return self._nested

    def hessian_product(self, x: Any, v: Any) -> Any:
        """Return Hessian times `v`, a new float64 array, from the tangent of the gradient: no Hessian is made.

        Pearlmutter, Neural Computation 6 (1994).
        """
        return _new_array(self._objective.product(self._point(x), self._point(v)))

    def __repr__(self) -> str:
        shown = ", ".join(self.names[:12]) + (f", ... ({len(self.names)} in all)" if len(self.names) > 12 else "")
        return f"<cost of {shown}: {self.evaluator}>"


def compile(  # noqa: A001 - the public name
    cost: Any,
    table: Any = None,
    *,
    loss: str = "rss",
    constants: Any = None,
    data: Any = None,
    variables: Any = None,
    limits: Limits | None = None,
    keep_as_written: bool = False,
) -> CompiledFunction:
    """Compile a cost, or with a `table` the loss of a model, to machine code with exact derivatives.

    Without a `table`, `cost` is a formula.  `data` are its constant arrays (the c of ``c[i]``), which are copied;
    `constants` gives values to names (the n of a sum over an index).  The entries of an array variable stand in the
    vector one after the other, named x[0], x[1], ...

    With a `table`, `cost` is a model, whose names are columns of the table or else parameters (or `constants`).
    `data` is not for models.  A table is a mapping of names to arrays or lists, a pandas, polars or Arrow table, a
    NumPy structured array, or the path of a .csv, .parquet or .arrow file.  `loss` is a name (`rss`, `mse`), or a
    formula in y (the left side of the model) and yhat (the right side), which is added up over the rows.

    Columns of float32 stay float32, and are computed with in double precision; others become float64.  A contiguous
    array of either kind is not copied: what is written to it later is seen by the next call.  It must not be resized.

    `variables` are the names in the order of the vector.  The `evaluator` of the result is ``"compiled"``, or
    ``"interpreted: ..."`` with the reason why there is no machine code: slower, the same mathematics.

    Raises `FormulaError`, `DataError`, `MethodError`, and `UnavailableError` for what is not in this version: sums over
    an index in models, and losses that are only planned.

    >>> import descend
    >>> fun = descend.compile("100*(y - x^2)^2 + (1 - x)^2")
    >>> fun.names, fun([0, 0]), fun.gradient([0, 0]).tolist()
    (('x', 'y'), 1.0, [-2.0, 0.0])
    >>> rows = {"x": [0, 1, 2, 3], "passed": [0, 0, 1, 1]}
    >>> fun = descend.compile("passed = b0 + b1*x", rows, loss="softplus(yhat) - y*yhat")
    >>> fun.names, fun.gradient([0, 0]).tolist()
    (('b0', 'b1'), [0.0, -2.0])
    """
    arrays = constant_arrays(data)
    keep = setting(keep_as_written, "keep_as_written")
    if table is not None:
        if arrays:
            raise DataError("data= holds constant arrays of a formula with indices; a model has its table")
        from descend.api.modelling import read_model
        from descend.problem.loss.registry import find_loss

        check_settings(None, limits)
        modelled = read_model(
            cost,
            table,
            loss=find_loss(loss, formulas=limits or STANDARD),
            constants=constants,
            parameters=order_of(variables),
            limits=limits,
            keep_as_written=keep,
        )
        return CompiledFunction(modelled.objective(1, compiled=True))
    reading = read_cost(cost, names=[*start_names(constants), *arrays], given=start_names(constants), limits=limits)
    problem = make_problem(
        prepared(reading, constants=constants, arrays=arrays),
        variables=order_of(variables),
        data=arrays,
        keep_as_written=keep,
    )
    return CompiledFunction(make_objective(problem, 1, arrays, compiled=True, limits=limits))
