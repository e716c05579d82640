"""The objective of a cost with sums over indices: entries of arrays are variables, or constant data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from descend.errors import LimitError
from descend.evaluation import ArrayVector, Evaluation, Order, Place, Vector
from descend.expression.derivative import Gradient, hessian, hessian_product
from descend.expression.limits import STANDARD, Limits
from descend.kernel.nest import LoopStatement, Nest, make_nest
from descend.kernel.rounding import UNIT
from descend.kernel.walk_nest import NestInterpreter
from descend.problem.problem import Problem

INTERPRETED_SECONDS = 1.0  # a budget that the interpreter certainly finishes in this time is not compiled
CALL_SECONDS = 2e-6  # of one NumPy call
ROUND_SECONDS = 2e-9  # of one operation in one round
ORDERED_SECONDS = 1e-6  # of one round that must wait for the one before it
EXPLICIT_HESSIAN = 30  # variables that are numbers, up to which every second derivative is an entry of its own
DENSE_HESSIAN = 500  # variables up to which a dense Hessian is made at all
FURTHEST_INDEX = 2**31 - 1
DIRECTION = "`v"  # before the name of a variable: no door accepts a backtick in a name, so it is nobody's variable


class IndexedObjective:
    """The cost of a formula with sums over indices, at a point."""

    machine = None  # no loop is compiled as a whole

    def __init__(
        self,
        problem: Problem,
        data: Mapping[str, Any],
        looks: int,
        *,
        compiled: bool | None = None,
        limits: Limits = STANDARD,
    ) -> None:
        """Choose the evaluator for a budget of `looks` (or as `compiled` says); `data` are float64 arrays.

        Raises `LimitError` where one look would take more rounds of its sums than `limits` allow.
        """
        self.problem = problem
        self.names = problem.labels
        self._scalars = tuple(name for name in problem.variables if name not in problem.extents)
        self._data = dict(data)
        self._first = dict.fromkeys(data, 0) | {name: extent.first for name, extent in problem.extents.items()}
        self._first |= {DIRECTION + name: extent.first for name, extent in problem.extents.items()}
        self._nest = make_nest(
            problem.tape, [problem.root, *problem.gradient], problem.full_gradient.scatters, self._scalars
        )
        _check_size(self._nest, limits)
        self._reference = NestInterpreter(self._nest, self._first)
        self._slices = list(problem.layout.slices())
        wanted = looks * _seconds(self._nest) > INTERPRETED_SECONDS if compiled is None else compiled
        self.tier = "interpreted"
        self._evaluator = self._kernel(self._nest) if wanted else self._reference
        self._product: tuple[Any, Gradient] | None = None
        self._explicit: NestInterpreter | None = None
        self._compile_products = wanted

    def _kernel(self, nest: Nest) -> Any:
        from descend.kernel.compile import fall_back
        from descend.kernel.indexed import IndexedKernel, obstacle

        reason = obstacle(nest)
        if reason is not None:
            self.tier = f"interpreted: {reason}"
            fall_back(reason)
            return NestInterpreter(nest, self._first)
        self.tier = "compiled"
        return IndexedKernel(nest, self._first)

    # ------------------------------------------------------------------------------------------------- vectors

    def _split(self, point: Vector, prefix: str = "") -> tuple[list[float], dict[str, Any]]:
        """Return (the numbers, the arrays) of a point; the arrays are views."""
        import numpy as np

        entries = np.ascontiguousarray(point.entries, dtype=np.float64)
        numbers = [float(entries[place.start]) for _, extent, place in self._slices if extent is None]
        return numbers, {prefix + n: entries[place] for n, extent, place in self._slices if extent is not None}

    def _join(self, slopes: list[float], arrays: Any) -> Vector:
        if len(arrays) == 1 and not slopes:
            return ArrayVector(next(iter(arrays.values())))
        import numpy as np

        whole = np.empty(len(self.names))
        numbers = iter(slopes)
        for name, extent, place in self._slices:
            whole[place] = next(numbers) if extent is None else arrays[name]
        return ArrayVector(whole)

    def _zeros(self) -> dict[str, Any]:
        import numpy as np

        return {name: np.zeros(extent.length) for name, extent in self.problem.extents.items()}

    # --------------------------------------------------------------------------------------------------- looks

    def look(self, point: Vector, order: Order = Order.GRADIENT) -> Evaluation:
        """Evaluate cost and gradient (and, if asked, Hessian and rounding bounds) at `point`."""
        if order is Order.HESSIAN:
            return self._second(point)
        numbers, arrays = self._split(point)
        gradients = self._zeros()
        cost, *slopes = self._evaluator(numbers, self._data | arrays, gradients)
        return Evaluation(cost, self._join(slopes, gradients))

    def product(self, point: Vector, direction: Vector) -> Vector:
        """Return Hessian times `direction`, without making the Hessian."""
        if self._product is None:
            p = self.problem
            along = [p.tape.symbol(DIRECTION + name) for name in self._scalars]
            found = hessian_product(p.tape, p.root, p.symbols, along, {name: DIRECTION + name for name in p.extents})
            inputs = [*self._scalars, *(DIRECTION + name for name in self._scalars)]
            nest = make_nest(p.tape, found.slopes, found.scatters, inputs)
            tier = self.tier
            self._product = (
                self._kernel(nest) if self._compile_products else NestInterpreter(nest, self._first),
                found,
            )
            self.tier = tier
        numbers, arrays = self._split(point)
        more, directions = self._split(direction, DIRECTION)
        gradients = self._zeros()
        slopes = self._product[0]([*numbers, *more], self._data | arrays | directions, gradients)
        return self._join(slopes, gradients)

    def _second(self, point: Vector) -> Evaluation:
        numbers, arrays = self._split(point)
        read, gradients = self._data | arrays, self._zeros()
        values, errors, array_errors = self._reference.with_bounds(numbers, read, gradients)
        gradient = self._join(values[1:], gradients)
        gradient_error = self._join(errors[1:], array_errors)
        size = len(self.names)
        second = None
        if not self.problem.extents and size <= EXPLICIT_HESSIAN:
            second = self._explicit_hessian(numbers, read)
        elif size <= DENSE_HESSIAN:
            second = self._dense(point)
        hessian_rows, hessian_errors = second or (None, None)
        return Evaluation(values[0], gradient, hessian_rows, errors[0], gradient_error, hessian_errors)

    def _explicit_hessian(self, numbers: list[float], read: Mapping[str, Any]) -> tuple[Square, Square]:
        size = len(numbers)
        if self._explicit is None:
            p = self.problem
            rows = hessian(p.tape, p.root, p.symbols)
            entries = [rows[i][j] for i in range(size) for j in range(size)]
            self._explicit = NestInterpreter(make_nest(p.tape, entries, (), self._scalars), self._first)
        values, errors, _ = self._explicit.with_bounds(numbers, read, {})
        return _rows(values, size), _rows(errors, size)

    def _dense(self, point: Vector) -> tuple[Square, Square]:
        """Dense Hessian as products with the unit vectors."""
        import numpy as np

        size = len(self.names)
        full = np.array([self.product(point, ArrayVector(unit)).array() for unit in np.eye(size)])
        full = 0.5 * (full + full.T)
        # Without a running bound: each row is taken to be good to the roundings of one pass over the formula.
        largest = np.abs(full).max(initial=0.0)
        error = np.full_like(full, sum(1 for _ in self._nest.operations()) ** 0.5 * UNIT * largest)
        return _rows(full.ravel().tolist(), size), _rows(error.ravel().tolist(), size)

    def trouble(self, point: Vector) -> Place | None:
        """Return the first sub-expression of cost or gradient that is not finite at `point`."""
        from descend.expression.write import to_text  # only trouble has to be put into words

        numbers, arrays = self._split(point)
        bad = self._reference.first_bad(numbers, self._data | arrays, self._zeros())
        return None if bad is None else Place(to_text(self.problem.tape, bad.origin), bad.value)


Square = tuple[tuple[float, ...], ...]


def _rows(values: list[float], size: int) -> Square:
    return tuple(tuple(values[size * i : size * (i + 1)]) for i in range(size))


def _check_size(nest: Nest, limits: Limits) -> None:
    """Refuse sums that would keep a look busy for hours, or whose indices leave 32 bits."""
    total = 0
    todo: list[tuple[Any, int]] = [(statement, 1) for statement in nest.statements]
    while todo:
        statement, times = todo.pop()
        if isinstance(statement, LoopStatement):
            total += times * statement.rounds
            todo += [(inner, times * statement.rounds) for inner in statement.body]
            if statement.furthest > FURTHEST_INDEX:
                raise LimitError(f"an index of this formula runs to {statement.furthest:,}; it may be 2^31 - 1 at most")
    if total > limits.rounds:
        raise LimitError(
            f"the sums of this formula take {total:,} rounds in one look; the limit is {limits.rounds:,} "
            f"(in Python, limits=descend.Limits(rounds=...) raises the limit)"
        )


def _seconds(nest: Nest) -> float:
    """Estimate how long the interpreter takes for one look."""
    total = 0.0
    todo: list[tuple[Any, float]] = [(statement, 1.0) for statement in nest.statements]
    while todo:
        statement, times = todo.pop()
        if not isinstance(statement, LoopStatement):
            total += times * CALL_SECONDS
        elif statement.leaf:
            total += times * (len(statement.body) + 4) * (CALL_SECONDS + statement.rounds * ROUND_SECONDS)
            if any(r.scan or r.op != "sum" for r in statement.reductions):
                total += times * statement.rounds * ORDERED_SECONDS
        else:
            todo += [(inner, times * statement.rounds) for inner in statement.body]
    return total
