"""The objective of a cost with sums over indices: entries of arrays are variables, or constant data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from descend.box import Box
from descend.errors import LimitError, MethodError
from descend.evaluation import Evaluation, Needs, Order, Place, Work
from descend.expression import binders
from descend.expression.derivative import Gradient, hessian
from descend.expression.limits import STANDARD, Limits
from descend.kernel.nest import LoopStatement, Nest, make_nest
from descend.kernel.rounding import UNIT
from descend.kernel.tiers import decide, nest_work
from descend.kernel.walk_nest import NestInterpreter
from descend.problem.kinks import NO_KINKS, Kinks, Pieces, find_kinks
from descend.problem.problem import Problem
from descend.problem.products import (
    DirectionalKernel,
    Packing,
    gauss_newton_gradient,
    hessian_gradient,
    residual_curvature_gradient,
    third_gradient,
)
from descend.problem.quadratic import written_out
from descend.problem.sparsity import Sparsity, sparsity
from descend.problem.squares import NO_PROX, NO_RESIDUALS
from descend.vector import ArrayVector, Vector

EXPLICIT_HESSIAN = 30  # variables that are numbers, up to which every second derivative is an entry of its own
DENSE_HESSIAN = 500  # variables up to which a dense Hessian is made at all
FURTHEST_INDEX = 2**31 - 1


class IndexedObjective:
    """The cost of a formula with sums over indices, at a point."""

    machine = None  # no loop is compiled as a whole
    box: Box | None = None

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
        self.work = Work()
        self.rough = problem.rough
        self.names = problem.labels
        self._packing = Packing(problem.layout)
        self._data = dict(data)
        self._first = dict.fromkeys(data, 0) | self._packing.first
        self._nest = make_nest(
            problem.tape, [problem.root, *problem.gradient], problem.full_gradient.scatters, self._packing.numbers
        )
        self.rounds = _rounds(self._nest, limits)
        self._reference = NestInterpreter(self._nest, self._first)
        wanted = decide(nest_work(self._nest), looks, compiled).compiled
        self.tier = "interpreted"
        self._evaluator: Any = self._kernel(self._nest) if wanted else self._reference
        self._products: dict[str, DirectionalKernel | None] = {}
        self._explicit: NestInterpreter | None = None
        self._sparsity: Sparsity | str | None = None  # the pattern, or why there is none
        self._compile_products = wanted

    def __getstate__(self) -> dict[str, Any]:
        # Kernels hold addresses of this process; they are made again when needed.
        kept = self._evaluator if self._evaluator is self._reference else None
        return self.__dict__ | {"_evaluator": kept, "_products": {}}

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

    # --------------------------------------------------------------------------------------------------- looks

    def look(self, point: Vector, order: Order = Order.GRADIENT) -> Evaluation:
        """Evaluate cost and gradient (and, if asked, Hessian and rounding bounds) at `point`."""
        if order is Order.BOUNDS:
            return self._second(point)
        numbers, arrays = self._packing.split(point)
        gradients = self._packing.zeros()
        if self._evaluator is None:
            self._evaluator = self._kernel(self._nest)
        cost, *slopes = self._evaluator(numbers, self._data | arrays, gradients)
        return Evaluation(cost, self._packing.join(slopes, gradients))

    def product(self, point: Vector, direction: Vector) -> Vector:
        """Return Hessian times `direction`, without making the Hessian."""
        found = self._directional("hessian", hessian_gradient)
        assert found is not None
        return found(point, direction)

    def gauss_newton_product(self, point: Vector, direction: Vector) -> Vector | None:
        """Return the Gauss-Newton matrix 2·JᵀWJ times `direction`; None where the cost is no sum of squares."""
        found = self._directional("gauss-newton", gauss_newton_gradient)
        return None if found is None else found(point, direction)

    def residual_curvature(self, point: Vector, direction: Vector) -> Vector | None:
        """Return 2·JᵀW·r''(v, v) for v = `direction`; None where the cost is no sum of squares."""
        found = self._directional("residual curvature", residual_curvature_gradient)
        return None if found is None else found(point, direction)

    def third(self, point: Vector, direction: Vector) -> Vector:
        """Return ∇³f[v, v] for v = `direction`."""
        found = self._directional("third", third_gradient)
        assert found is not None
        return found(point, direction)

    def obstacle(self, needs: Needs) -> str | None:
        """Return why the cost cannot give what a method needs, None where it can."""
        if needs is Needs.NORMAL_MATRIX and self._directional("gauss-newton", gauss_newton_gradient) is None:
            return NO_RESIDUALS
        if needs is Needs.KINKS and self._kinks is None:
            return NO_KINKS
        return NO_PROX if needs is Needs.PROX else None

    def pieces(self, point: Vector) -> Pieces | None:
        """Return the pieces of the cost's kinks at a point, None where it has none that can be taken apart."""
        return None if self._kinks is None else self._kinks.at(point)

    @cached_property
    def _kinks(self) -> Kinks | None:
        scalar = written_out(self.problem, self._data)
        return None if scalar is None else find_kinks(scalar)

    def hessian(self, point: Vector) -> Any:
        """Return the dense Hessian (n, n)."""
        import numpy as np

        sparse = self.sparse_hessian(point)
        if sparse is not None:
            return sparse.toarray()
        full = np.array([self.product(point, ArrayVector(unit)).array() for unit in np.eye(len(self.names))])
        return 0.5 * (full + full.T)

    def gauss_newton(self, point: Vector) -> Any:
        """Return 2·JᵀWJ (n, n), None where the cost is no sum of squares."""
        import numpy as np

        columns = [self.gauss_newton_product(point, ArrayVector(unit)) for unit in np.eye(len(self.names))]
        return None if columns[0] is None else np.array([column.array() for column in columns if column is not None])

    def sparse_hessian(self, point: Vector) -> Any:
        """Return the Hessian as a `scipy.sparse.csc_array`, from as many products as its pattern has colours.

        None where nearly every variable meets every other.
        """
        pattern = self._pattern()
        if pattern is None:
            return None
        return pattern.recover(lambda direction: self.product(point, ArrayVector(direction)).entries)

    def sparse_bounds(self, point: Vector) -> Any:
        """Return (sparse Hessian, bounds on the rounding errors of its entries), None where it is not sparse."""
        pattern = self._pattern()
        if pattern is None:
            return None
        bounds: list[Any] = []

        def product(direction: Any) -> Any:
            found, error = self.product_bounds(point, ArrayVector(direction))
            bounds.append(error.entries)
            return found.entries

        matrix = pattern.recover(product)
        columns = iter(bounds)
        return matrix, pattern.recover(lambda _direction: next(columns))

    def product_bounds(self, point: Vector, direction: Vector) -> tuple[Vector, Vector]:
        """Return Hessian times `direction`, and bounds on the rounding errors of its entries."""
        found = self._directional("hessian", hessian_gradient)
        assert found is not None
        return found.with_bounds(point, direction)

    def _pattern(self) -> Sparsity | None:
        """Return where the Hessian has entries, None where nearly everywhere."""
        found = self._directional("hessian", hessian_gradient)
        assert found is not None
        if self._sparsity is None:
            try:
                self._sparsity = sparsity(self.problem, found.gradient)
            except MethodError as error:
                self._sparsity = str(error)
        return None if isinstance(self._sparsity, str) else self._sparsity

    def _directional(
        self, what: str, derive: Callable[[Problem, Packing, Mapping[str, Any]], Gradient | None]
    ) -> DirectionalKernel | None:
        """Return the kernel of a matrix times a direction, made when it is first needed."""
        if what not in self._products:
            gradient = derive(self.problem, self._packing, self._data)
            if gradient is None:
                self._products[what] = None
            else:
                nest = make_nest(self.problem.tape, gradient.slopes, gradient.scatters, self._packing.all_numbers)
                tier = self.tier
                kernel = self._kernel(nest) if self._compile_products else NestInterpreter(nest, self._first)
                self.tier = tier
                reference = NestInterpreter(nest, self._first)
                self._products[what] = DirectionalKernel(self._packing, gradient, kernel, reference, self._data)
        return self._products[what]

    def _second(self, point: Vector) -> Evaluation:
        numbers, arrays = self._packing.split(point)
        read, gradients = self._data | arrays, self._packing.zeros()
        values, errors, array_errors = self._reference.with_bounds(numbers, read, gradients)
        gradient = self._packing.join(values[1:], gradients)
        gradient_error = self._packing.join(errors[1:], array_errors)
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
            self._explicit = NestInterpreter(make_nest(p.tape, entries, (), self._packing.numbers), self._first)
        values, errors, _ = self._explicit.with_bounds(numbers, read, {})
        return _rows(values, size), _rows(errors, size)

    def _dense(self, point: Vector) -> tuple[Square, Square]:
        """Dense Hessian as products with the unit vectors."""
        import numpy as np

        size = len(self.names)
        full = self.hessian(point)
        # Without a running bound: each row is taken to be good to the roundings of one pass over the formula.
        largest = np.abs(full).max(initial=0.0)
        error = np.full_like(full, sum(1 for _ in self._nest.operations()) ** 0.5 * UNIT * largest)
        return _rows(full.ravel().tolist(), size), _rows(error.ravel().tolist(), size)

    def trouble(self, point: Vector) -> Place | None:
        """Return the first sub-expression of cost or gradient that is not finite at `point`."""
        from descend.expression.write import to_text  # only trouble has to be put into words

        numbers, arrays = self._packing.split(point)
        bad = self._reference.first_bad(numbers, self._data | arrays, self._packing.zeros())
        if bad is None:
            return None
        tape, blamed = self.problem.tape, bad.origin
        if not any(tape[k].op in binders.BINDERS for k in tape.reachable((blamed,))):
            # Say log(x[3]), not log(x[i]).
            places = {tape.index(level): tape.constant(value) for level, value in bad.indices.items()}
            (blamed,) = tape.substitute([blamed], places)
        return Place(to_text(tape, blamed), bad.value)


Square = tuple[tuple[float, ...], ...]


def _rows(values: list[float], size: int) -> Square:
    return tuple(tuple(values[size * i : size * (i + 1)]) for i in range(size))


def _rounds(nest: Nest, limits: Limits) -> int:
    """Return the rounds of all sums in one look.

    Refuse sums that would keep a look busy for hours, or whose indices leave 32 bits.
    """
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
    return total
