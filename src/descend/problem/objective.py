"""Objectives: a problem, its kernel and its rows make an evaluation at a point.

The evaluator is chosen when the objective is made, from formula, rows and budget only (never by the clock), and does
not change during a run, so a run repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any

from descend.box import Box
from descend.evaluation import Evaluation, MachineFormula, Needs, Order, Place, Work
from descend.expression.analyse.ranges import ranges
from descend.expression.analyse.squares import Residual, squares
from descend.expression.derivative import Gradient, hessian, hessian_product, third_product
from descend.expression.limits import STANDARD, Limits
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.program import Program, lower
from descend.kernel.rounding import UNIT, Bounded
from descend.kernel.tiers import decide, formula_work
from descend.problem.kinks import NO_KINKS, Kinks, Pieces, find_kinks
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
    from collections.abc import Mapping

    from descend.problem.indexed import IndexedObjective

EXPLICIT_HESSIAN = 30  # variables up to which every second derivative is an entry of its own
DENSE_HESSIAN = 500  # variables up to which a dense Hessian is made at all


class FormulaObjective:
    """The cost of a formula at a point."""

    box: Box | None = None

    def __init__(self, problem: Problem, looks: int, *, compiled: bool | None = None, fixed_step: bool = False) -> None:
        """Choose the evaluator for a budget of `looks` of a method (or as `compiled` says)."""
        self.problem = problem
        self.work = Work()
        self.rough = problem.rough
        self.names = problem.variables
        self._program = lower(problem.tape, [problem.root, *problem.gradient], self.names)
        self._interpreter = Interpreter(self._program)
        self.evaluator: Any = self._interpreter
        self.tier = "interpreted"
        if decide(formula_work(self._program, fixed_step=fixed_step), looks, compiled).compiled:
            from descend.kernel.compile import compilable, fall_back

            obstacle = compilable(self._program)
            if obstacle is None:
                self.tier = "compiled"
                self.evaluator = None  # made when it is first needed: a compiled loop does without
            else:
                self.tier = f"interpreted: {obstacle}"
                fall_back(obstacle)
        self._evaluators: dict[str, Any] = {}
        self._nested: IndexedObjective | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Evaluators hold functions of this process.
        kept = {key: value for key, value in self.__dict__.items() if key not in {"_bounded", "_kinks"}}
        return kept | {"_interpreter": None, "evaluator": None, "_evaluators": {}}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._interpreter = Interpreter(self._program)
        self.evaluator = None if self.tier == "compiled" else self._interpreter

    @property
    def machine(self) -> MachineFormula | None:
        """The formula, for a loop that is compiled as a whole; None when the evaluator is the interpreter."""
        if self.tier != "compiled":
            return None
        p = self.problem
        return MachineFormula(p.tape, p.root, tuple(p.gradient), tuple(p.symbols))

    def look(self, point: Vector, order: Order = Order.GRADIENT) -> Evaluation:
        """Evaluate cost and gradient (and, if asked, Hessian and rounding bounds) at `point`."""
        if order is Order.BOUNDS:
            return self._second(point)
        if self.evaluator is None:
            from descend.kernel.compile import PointKernel

            self.evaluator = PointKernel(self._program)
        cost, *slopes = self.evaluator(point.entries)
        return Evaluation(cost, Vector(slopes))

    def looks(self, points: Any) -> tuple[Any, Any]:
        """Return costs (hikers,) and gradients (hikers, variables) at as many `points`, the rows of an array."""
        import numpy as np

        if "many points" not in self._evaluators:
            self._evaluators["many points"] = Interpreter(self._program, arrays())
        found = evaluate_arrays(self._evaluators["many points"], list(points.T))
        cost, *slopes = (np.broadcast_to(column, len(points)) for column in found)
        return cost, np.stack(slopes, axis=1)

    # ------------------------------------------------------------------------------------------ higher derivatives

    def obstacle(self, needs: Needs) -> str | None:
        """Return why the cost cannot give what a method needs, None where it can."""
        if needs is Needs.NORMAL_MATRIX and not self._residuals:
            return NO_RESIDUALS
        if needs is Needs.KINKS and self._kinks is None:
            return NO_KINKS
        return NO_PROX if needs is Needs.PROX else None

    def pieces(self, point: Vector) -> Pieces | None:
        """Return the pieces of the cost's kinks at a point, None where it has none that can be taken apart."""
        return None if self._kinks is None else self._kinks.at(point)

    def hessian(self, point: Vector) -> Any:
        """Return the dense Hessian (n, n)."""
        if len(self.names) > EXPLICIT_HESSIAN:
            return self._columns("product", lambda: product_entries(self.problem, len(self.names)), point)
        return matrix(self._triangle_at(point), len(self.names))

    def _triangle_at(self, point: Vector) -> list[float]:
        found: list[float] = self._evaluator("second", lambda: self._second_program)(point.entries)
        return found[len(self.names) + 1 :]

    def sparse_hessian(self, point: Vector) -> Any:
        """Return the Hessian as a `scipy.sparse.csc_array`, None where it is nearly full."""
        return self._indexed.sparse_hessian(point)

    def sparse_bounds(self, point: Vector) -> Any:
        """Return (sparse Hessian, bounds on the rounding errors of its entries), None where it is nearly full."""
        return self._indexed.sparse_bounds(point)

    def product_bounds(self, point: Vector, direction: Vector) -> tuple[Vector, Vector]:
        """Return Hessian times `direction`, and bounds on the rounding errors of its entries."""
        return self._indexed.product_bounds(point, direction)

    def product(self, point: Vector, direction: Vector) -> Vector:
        """Return Hessian times `direction`; of few variables with the Hessian, which the verdict needs anyway."""
        if len(self.names) <= EXPLICIT_HESSIAN:
            rows = square(self._triangle_at(point), len(self.names))
            return Vector([Vector(row).dot(direction) for row in rows])
        return self._along("product", product_entries, point, direction)

    def third(self, point: Vector, direction: Vector) -> Vector:
        """Return ∇³f[v, v] for v = `direction`."""
        return self._along("third", third_entries, point, direction)

    def gauss_newton(self, point: Vector) -> Any:
        """Return 2·JᵀWJ (n, n), None where the cost is not written as a sum of squares."""
        if not self._residuals:
            return None
        p = self.problem
        if len(self.names) > EXPLICIT_HESSIAN:
            return self._columns("gauss-newton product", self._normal_product, point)
        return self._explicit("gauss-newton", lambda: normal_matrix(p.tape, self._residuals, p.symbols), point)

    def gauss_newton_product(self, point: Vector, direction: Vector) -> Vector | None:
        """Return 2·JᵀWJ times `direction`, None where the cost is not written as a sum of squares."""
        if not self._residuals:
            return None
        return self._along("gauss-newton product", lambda _p, _size: self._normal_product(), point, direction)

    def residual_curvature(self, point: Vector, direction: Vector) -> Vector | None:
        """Return 2·JᵀW·r''(v, v) for v = `direction`, None where the cost is not written as a sum of squares."""
        if not self._residuals:
            return None
        return self._along("residual curvature", lambda _p, _size: self._bent(residual_curvature), point, direction)

    @cached_property
    def _kinks(self) -> Kinks | None:
        return find_kinks(self.problem)

    @cached_property
    def _residuals(self) -> Sequence[Residual]:
        p = self.problem
        found = squares(p.tape, p.root, ranges(p.tape, _fixed(p)), frozenset())  # weights do not vary
        return () if found is None else found.residuals

    @property
    def _indexed(self) -> IndexedObjective:
        """The same cost by the way that knows patterns."""
        if self._nested is None:
            from descend.problem.indexed import IndexedObjective

            self._nested = IndexedObjective(self.problem, {}, 1, compiled=self.tier == "compiled")
        return self._nested

    @cached_property
    def _triangle(self) -> list[int]:
        """Entries of the lower triangle of the Hessian, row by row: methods and verdict differentiate once."""
        p = self.problem
        rows = hessian(p.tape, p.root, p.symbols)
        return [rows[i][j] for i in range(len(rows)) for j in range(i + 1)]

    def _normal_product(self) -> tuple[list[int], list[str]]:
        return self._bent(gauss_newton_product)

    def _bent(self, derive: Callable[..., Gradient]) -> tuple[list[int], list[str]]:
        """Return (entries of what is derived from the residuals and a direction, names of the inputs)."""
        p = self.problem
        names = [f"`v{k}" for k in range(len(self.names))]
        along = [p.tape.symbol(name) for name in names]
        return derive(p.tape, self._residuals, p.symbols, along, {}).slopes, [*self.names, *names]

    def _evaluator(self, what: str, made: Callable[[], Program]) -> Any:
        """Return the function of a program that is `made` at the first call, in machine code where the looks are."""
        if what not in self._evaluators:
            program = made()
            if self.tier == "compiled":
                from descend.kernel.compile import PointKernel

                self._evaluators[what] = PointKernel(program)
            else:
                self._evaluators[what] = Interpreter(program)
        return self._evaluators[what]

    def _explicit(self, what: str, triangle: Callable[[], list[int]], point: Vector) -> Any:
        """Return the matrix each entry of whose lower triangle is an output of a program."""
        made = self._evaluator(what, lambda: lower(self.problem.tape, triangle(), self.names))
        return matrix(made(point.entries), len(self.names))

    def _along(self, what: str, entries: Entries, point: Vector, direction: Vector) -> Vector:
        def made() -> Program:
            return lower(self.problem.tape, *entries(self.problem, len(self.names)))

        return Vector(self._evaluator(what, made)([*point.entries, *direction.entries]))

    def _columns(self, what: str, entries: Callable[[], tuple[list[int], list[str]]], point: Vector) -> Any:
        """Return the matrix from its products with all unit vectors at once."""
        import numpy as np

        size, name = len(self.names), f"{what} with every unit vector"
        if name not in self._evaluators:
            self._evaluators[name] = Interpreter(lower(self.problem.tape, *entries()), arrays())
        columns = evaluate_arrays(self._evaluators[name], [*point.entries, *np.eye(size)])
        full = np.array([np.broadcast_to(column, size) for column in columns])
        return 0.5 * (full + full.T)

    # ----------------------------------------------------------------------------------------- bounds, and trouble

    @cached_property
    def _second_program(self) -> Program:
        """Cost, gradient and the Hessian's lower triangle: one program for the methods and for the verdict."""
        p = self.problem
        return lower(p.tape, [p.root, *p.gradient, *self._triangle], self.names)

    @cached_property
    def _bounded(self) -> Bounded:
        return Bounded(self._second_program if len(self.names) <= EXPLICIT_HESSIAN else self._program)

    def _second(self, point: Vector) -> Evaluation:
        size = len(self.names)
        if size <= EXPLICIT_HESSIAN:
            values, bounds = self._bounded(point.entries)
            second = square(values[size + 1 :], size)
            error = square(bounds[size + 1 :], size)
        else:
            values, bounds = self._bounded(point.entries)
            if size > DENSE_HESSIAN:
                return Evaluation(values[0], Vector(values[1:]), None, bounds[0], Vector(bounds[1:]))
            second, error = self._rough(self.hessian(point))
        slopes, slope_bounds = values[1 : size + 1], bounds[1 : size + 1]
        return Evaluation(values[0], Vector(slopes), second, bounds[0], Vector(slope_bounds), error)

    def _rough(self, full: Any) -> tuple[Square, Square]:
        """Return a Hessian with a bound for each entry: the roundings of one pass over the tape (no running bound)."""
        import numpy as np

        passes = self._evaluators["product with every unit vector"].program.instructions
        error = np.full_like(full, len(passes) ** 0.5 * UNIT * np.abs(full).max())
        return _rows(full), _rows(error)

    def trouble(self, point: Vector) -> Place | None:
        """Return the innermost sub-expression of cost or gradient that is not finite at `point`."""
        from descend.expression.write import to_text  # only trouble has to be put into words

        slots = self._interpreter.slots(point.entries)
        place = first_bad(self._program, slots)
        return None if place is None else Place(to_text(self.problem.tape, place[0]), place[1])


def _fixed(problem: Problem) -> list[int]:
    """Return the entries of a cost that depend on no variable."""
    tape = problem.tape
    varying: set[int] = set()
    fixed = []
    for index in tape.reachable((problem.root,)):
        entry = tape[index]
        if entry.op == "symbol" or not varying.isdisjoint(entry.args):
            varying.add(index)
        else:
            fixed.append(index)
    return fixed


def product_entries(problem: Problem, size: int) -> tuple[list[int], list[str]]:
    """Return (entries of H·v, names of the inputs: the variables, then the direction)."""
    tape = problem.tape
    directions = [f"`v{k}" for k in range(size)]
    found = hessian_product(tape, problem.root, problem.symbols, [tape.symbol(d) for d in directions])
    return found.slopes, [*problem.variables, *directions]


def third_entries(problem: Problem, size: int) -> tuple[list[int], list[str]]:
    """Return (entries of ∇³f[v, v], names of the inputs: the variables, then the direction)."""
    tape = problem.tape
    directions = [f"`v{k}" for k in range(size)]
    found = third_product(tape, problem.root, problem.symbols, [tape.symbol(d) for d in directions])
    return found.slopes, [*problem.variables, *directions]


Square = tuple[tuple[float, ...], ...]
Entries = Callable[[Problem, int], tuple[list[int], list[str]]]


def _rows(matrix: Any) -> Square:
    return tuple(tuple(map(float, row)) for row in matrix)


def square(triangle: list[float], size: int) -> Square:
    """Return the full matrix of a lower triangle that is listed row by row."""
    rows = [[0.0] * size for _ in range(size)]
    listed = iter(triangle)
    for i in range(size):
        for j in range(i + 1):
            rows[i][j] = rows[j][i] = next(listed)
    return tuple(map(tuple, rows))


def matrix(triangle: list[float], size: int) -> Any:
    """Return the full matrix (n, n) of a lower triangle that is listed row by row."""
    import numpy as np

    return np.array(square(triangle, size))


def first_bad(program: Program, slots: list[Any]) -> tuple[int, float] | None:
    """Return (tape entry, value) of the first result that is not finite though its arguments are."""
    first = len(program.inputs)
    for slot, instruction in enumerate(program.instructions, first):
        value = slots[slot]
        if isinstance(value, float) and not isfinite(value):
            return instruction.origin, value
    return None


def make_objective(
    problem: Problem,
    looks: int,
    data: Mapping[str, Any] | None = None,
    *,
    compiled: bool | None = None,
    fixed_step: bool = False,
    limits: Limits | None = None,
) -> FormulaObjective | IndexedObjective:
    """Return the objective of a formula for a budget of `looks`; `data` are its constant arrays."""
    if not problem.indexed:
        return FormulaObjective(problem, looks, compiled=compiled, fixed_step=fixed_step)
    from descend.problem.indexed import IndexedObjective

    return IndexedObjective(problem, data or {}, looks, compiled=compiled, limits=limits or STANDARD)
