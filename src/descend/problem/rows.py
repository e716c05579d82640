"""The objective of a model with data: sums over the rows of a table, each kind by a program of its own.

A program is made when it is first asked for, so that nobody waits for derivatives that he does not use.  Its sums are
taken in machine code or by NumPy, as was decided for the whole run (`kernel/tiers.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property, partial
from math import inf, isnan
from typing import TYPE_CHECKING, Any

from descend.box import Box
from descend.data.source import doubles
from descend.evaluation import Evaluation, Needs, Order, Place, Work
from descend.expression.analyse.ranges import ranges
from descend.expression.analyse.squares import Residual, squares
from descend.expression.derivative import Gradient, hessian
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.program import Program, lower
from descend.kernel.rounding import UNIT, with_bounds
from descend.kernel.tiers import bounded_work, decide, rows_work
from descend.problem.kinks import NO_KINKS
from descend.problem.objective import first_bad, product_entries, square, third_entries
from descend.problem.problem import Problem
from descend.problem.squares import (
    NO_PROX,
    NO_RESIDUALS,
    gauss_newton_product,
    normal_matrix,
    residual_curvature,
)
from descend.vector import Vector

if TYPE_CHECKING:
    from descend.data.source import Table

BLOCK = 65_536  # rows that NumPy takes at a time where the bounds on rounding errors are wanted
PAIRWISE = 64  # additions, one after the other, that NumPy's sum of a block takes at most
SECOND_LOOKS = 2  # with bounds, that a verdict takes


class RowsObjective:
    """The summed (or mean) loss of a model over the rows of a table."""

    machine = None
    box: Box | None = None

    def __init__(self, problem: Problem, table: Table, looks: int, *, compiled: bool | None = None) -> None:
        """Choose the evaluator for a budget of `looks` (or as `compiled` says)."""
        self.problem = problem
        self.work = Work()
        self.rough = problem.rough
        self.table = table
        self.names = problem.variables
        self.columns = [table.stored(name) for name in problem.columns]
        self.rows = table.rows
        self.tier = "interpreted"
        self._asked = compiled
        self._scale = 1.0 / self.rows if problem.mean else 1.0
        self._program = self._lowered([problem.root, *problem.gradient])
        self._compiled = decide(rows_work(self._program, self.rows), looks, compiled).compiled
        if self._compiled:
            from descend.kernel.compile import compilable, fall_back

            obstacle = compilable(self._program)
            self.tier = "compiled" if obstacle is None else f"interpreted: {obstacle}"
            if obstacle is not None:
                fall_back(obstacle)
                self._compiled = False
        self._kernels: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        # Kernels hold addresses of this process; they, and columns as they read them, are made again when needed.
        left_out = ("_stored", "_doubles")
        return {k: v for k, v in self.__dict__.items() if k not in left_out} | {"_kernels": {}}

    def look(self, point: Vector, order: Order = Order.GRADIENT) -> Evaluation:
        """Evaluate cost and gradient (and, if asked, Hessian and rounding bounds) at `point`."""
        if order is Order.BOUNDS:
            return self._second(point)
        cost, *slopes = self._sums("gradient", lambda: self._program, point.entries)
        return Evaluation(cost, Vector(slopes))

    def value(self, point: Vector) -> float:
        """Return the cost alone."""
        (cost,) = self._sums("value", lambda: self._lowered([self.problem.root]), point.entries)
        return cost

    def obstacle(self, needs: Needs) -> str | None:
        """Return why the cost cannot give what a method needs, None where it can."""
        if needs is Needs.NORMAL_MATRIX and not self._residuals:
            return NO_RESIDUALS
        if needs is Needs.KINKS:
            return NO_KINKS
        return NO_PROX if needs is Needs.PROX else None

    def pieces(self, point: Vector) -> None:  # noqa: ARG002 - the protocol's
        """Return None: the kinks of a row's loss are not taken apart."""
        return

    def hessian(self, point: Vector) -> Any:
        """Return the dense Hessian alone."""
        return self._square("hessian", lambda: self._lowered(self._triangle), point)

    def sparse_hessian(self, point: Vector) -> Any:  # noqa: ARG002 - the protocol's
        """Return None: every parameter meets every other in the rows."""
        return

    def sparse_bounds(self, point: Vector) -> Any:  # noqa: ARG002 - the protocol's
        """Return None, as `sparse_hessian` does."""
        return

    def product_bounds(self, point: Vector, direction: Vector) -> None:  # noqa: ARG002 - the protocol's
        """Return None: products over rows have no running bound."""
        return

    def gauss_newton(self, point: Vector) -> Any:
        """Return 2·JᵀWJ, None where the loss of a row is not written as a sum of squares."""
        if not self._residuals:
            return None
        tape, symbols = self.problem.tape, self.problem.symbols
        return self._square("gauss-newton", lambda: self._lowered(normal_matrix(tape, self._residuals, symbols)), point)

    def _square(self, what: str, made: Callable[[], Program], point: Vector) -> Any:
        import numpy as np

        return np.array(square(self._sums(what, made, point.entries), len(self.names)))

    def product(self, point: Vector, direction: Vector) -> Vector:
        """Return Hessian times `direction`, from the tangent of the gradient."""

        def made() -> Program:
            return self._lowered(*product_entries(self.problem, len(self.names)))

        return Vector(self._sums("product", made, [*point.entries, *direction.entries]))

    def third(self, point: Vector, direction: Vector) -> Vector:
        """Return ∇³f[v, v] for v = `direction`."""

        def made() -> Program:
            return self._lowered(*third_entries(self.problem, len(self.names)))

        return Vector(self._sums("third", made, [*point.entries, *direction.entries]))

    def gauss_newton_product(self, point: Vector, direction: Vector) -> Vector | None:
        """Return 2·JᵀWJ times `direction`, None where the loss of a row is not written as a sum of squares."""
        return self._bent("gauss-newton product", gauss_newton_product, point, direction)

    def residual_curvature(self, point: Vector, direction: Vector) -> Vector | None:
        """Return 2·JᵀW·r''(v, v) for v = `direction`, None where a row's loss is not written as a sum of squares."""
        return self._bent("residual curvature", residual_curvature, point, direction)

    def _bent(self, what: str, derive: Callable[..., Gradient], point: Vector, direction: Vector) -> Vector | None:
        """Return the sums of what is derived from a row's residuals and a direction; None where there are none."""
        residuals = self._residuals
        if not residuals:
            return None

        def made() -> Program:
            p = self.problem
            names = [f"`v{k}" for k in range(len(self.names))]
            along = [p.tape.symbol(name) for name in names]
            return self._lowered(derive(p.tape, residuals, p.symbols, along, {}).slopes, [*p.variables, *names])

        return Vector(self._sums(what, made, [*point.entries, *direction.entries]))

    # ------------------------------------------------------------------------------------------------- programs

    def _lowered(self, entries: Sequence[int], inputs: Sequence[str] | None = None) -> Program:
        first = self.problem.variables if inputs is None else inputs
        return lower(self.problem.tape, entries, [*first, *self.problem.columns])

    @cached_property
    def _triangle(self) -> list[int]:
        """Entries of the lower triangle of the Hessian of a row, row by row."""
        p = self.problem
        found = hessian(p.tape, p.root, p.symbols)
        return [found[i][j] for i in range(len(found)) for j in range(i + 1)]

    @cached_property
    def _residuals(self) -> Sequence[Residual]:
        """The residuals of a row; none where its loss is no sum of squares."""
        p = self.problem
        found = squares(p.tape, p.root, ranges(p.tape, (p.root,)), frozenset(p.columns))
        return () if found is None else found.residuals

    def _sums(self, what: str, made: Callable[[], Program], numbers: Sequence[float]) -> list[float]:
        """Return the sums (or means) of the outputs of a program, which is `made` at the first call."""
        if what not in self._kernels:
            self._kernels[what] = self._kernel(made(), len(numbers), compiled=self._compiled)
        found = self._kernels[what](numbers)
        return found if self._scale == 1.0 else [x * self._scale for x in found]

    def _kernel(self, program: Program, numbers: int, *, compiled: bool) -> Callable[[Sequence[float]], list[float]]:
        """Return the sums of a program as a function of its first inputs."""
        from descend.kernel.rows import RowsInterpreter, RowsKernel

        if compiled:
            from descend.kernel.compile import compilable, fall_back

            obstacle = compilable(program)
            if obstacle is None:
                single = [k for k, column in enumerate(self.columns) if column.itemsize == 4]
                kernel, columns = RowsKernel(program, numbers, single), self._stored
                return lambda point: kernel(point, columns)
            fall_back(obstacle)
        reference, converted = RowsInterpreter(program, numbers), self._doubles
        return lambda point: reference(point, converted)

    @cached_property
    def _stored(self) -> list[Any]:
        import numpy as np

        return list(self.columns) or [np.zeros(self.rows)]  # a loss without columns still has its rows

    @cached_property
    def _doubles(self) -> list[Any]:
        return [doubles(column) for column in self._stored]

    # ------------------------------------------------------------------------------------------ bounds, and trouble

    def _second(self, point: Vector) -> Evaluation:
        size = len(self.names)
        if "second" not in self._kernels:
            self._kernels["second"] = self._bounded()
        values, errors = self._kernels["second"](point.entries)
        values = [x * self._scale for x in values]
        errors = [inf if isnan(e) else e * self._scale + UNIT * abs(x) for e, x in zip(errors, values, strict=True)]
        slopes, slope_errors = Vector(values[1 : size + 1]), Vector(errors[1 : size + 1])
        second, error = square(values[size + 1 :], size), square(errors[size + 1 :], size)
        return Evaluation(values[0], slopes, second, errors[0], slope_errors, error)

    def _bounded(self) -> Callable[[Sequence[float]], tuple[list[float], list[float]]]:
        """Return the sums of cost, gradient and Hessian, and their bounds, as a function of the point."""
        p = self.problem
        program = self._lowered([p.root, *p.gradient, *self._triangle])
        asked = False if self._asked is False else None
        if not decide(bounded_work(program, self.rows), SECOND_LOOKS, asked).compiled:
            return partial(self._summed_with_bounds, program)
        from descend.kernel.bounded import bounded
        from descend.kernel.compile import compilable, fall_back
        from descend.kernel.rows import RowsKernel

        both, count = bounded(program), len(program.outputs)
        obstacle = compilable(both)
        if obstacle is not None:
            fall_back(obstacle)
            return partial(self._summed_with_bounds, program)
        single = [k for k, column in enumerate(self.columns) if column.itemsize == 4]
        kernel, columns = RowsKernel(both, len(self.names) + 1, single), self._stored

        def sums(point: Sequence[float]) -> tuple[list[float], list[float]]:
            found = kernel([float(kernel.additions(self.rows)), *point], columns)
            return found[:count], found[count:]

        return sums

    def _summed_with_bounds(self, program: Program, point: Sequence[float]) -> tuple[list[float], list[float]]:
        """Return the sums of a program and their bounds, taken with NumPy."""
        import numpy as np

        totals, bounds = np.zeros(len(program.outputs)), np.zeros(len(program.outputs))
        additions = PAIRWISE + self.rows / BLOCK
        with np.errstate(all="ignore"):
            for low in range(0, self.rows, BLOCK):
                columns = [doubles(c[low : low + BLOCK]) for c in self.columns]
                count = min(BLOCK, self.rows - low)
                values, errors = with_bounds(program, [*point, *columns], arrays())
                for k, (value, error) in enumerate(zip(values, errors, strict=True)):
                    totals[k] += np.sum(np.broadcast_to(value, count))
                    bounds[k] += np.sum(np.broadcast_to(error, count))
                    bounds[k] += additions * UNIT * np.sum(np.broadcast_to(np.abs(value), count))
        return totals.tolist(), bounds.tolist()

    def trouble(self, point: Vector) -> Place | None:
        """Return the first row whose loss or slope is not finite at `point`, and the sub-expression to blame."""
        import numpy as np

        from descend.expression.write import to_text
        from descend.kernel import rows_code

        interpreter = Interpreter(self._program)
        reference = Interpreter(self._program, arrays())
        step = rows_code.BLOCK
        for low in range(0, self.rows, step):
            columns = [doubles(c[low : low + step]) for c in self.columns]
            count = min(step, self.rows - low)
            outputs = evaluate_arrays(reference, [*point.entries, *columns])
            bad = ~np.all([np.broadcast_to(np.isfinite(o), count) for o in outputs], axis=0)
            if bad.any():
                k = int(np.argmax(bad))
                slots = interpreter.slots([*point.entries, *(float(c[k]) for c in columns)])
                place = first_bad(self._program, slots)
                numbers = self.table.row_numbers
                row = low + k + 1 if numbers is None else int(numbers[low + k])
                if place is not None:
                    return Place(to_text(self.problem.tape, place[0]), place[1], row)
                return Place("the sum over the rows", float("nan"), row)
        return None
