"""Objectives: a problem, its kernel and its rows make an evaluation at a point.

The evaluator is chosen when the objective is made, from formula, rows and budget only (never by the clock), and does
not change during a run, so a run repeats.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from descend.evaluation import Evaluation, MachineFormula, Order, Place, Vector
from descend.expression.derivative import hessian, hessian_product
from descend.expression.limits import STANDARD, Limits
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.program import Program, lower
from descend.kernel.rounding import UNIT, with_bounds
from descend.kernel.tiers import decide, formula_work
from descend.problem.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from descend.problem.indexed import IndexedObjective

EXPLICIT_HESSIAN = 30  # variables up to which every second derivative is an entry of its own
DENSE_HESSIAN = 500  # variables up to which a dense Hessian is made at all


class FormulaObjective:
    """The cost of a formula at a point."""

    def __init__(self, problem: Problem, looks: int, *, compiled: bool | None = None) -> None:
        """Choose the evaluator for a budget of `looks` (or as `compiled` says)."""
        self.problem = problem
        self.names = problem.variables
        self._program = lower(problem.tape, [problem.root, *problem.gradient], self.names)
        self._interpreter = Interpreter(self._program)
        self.evaluator: Any = self._interpreter
        self.tier = "interpreted"
        if decide(formula_work(self._program), looks, compiled).compiled:
            from descend.kernel.compile import compilable, fall_back

            obstacle = compilable(self._program)
            if obstacle is None:
                self.tier = "compiled"
                self.evaluator = None  # made when it is first needed: a compiled loop does without
            else:
                self.tier = f"interpreted: {obstacle}"
                fall_back(obstacle)
        self._hessian_program: Program | None = None
        self._product: Interpreter | None = None
        self._columns: Interpreter | None = None

    def __getstate__(self) -> dict[str, Any]:
        # Evaluators hold functions of this process.
        return self.__dict__ | dict.fromkeys(("_interpreter", "evaluator", "_product", "_columns"))

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
        if order is Order.HESSIAN:
            return self._second(point)
        if self.evaluator is None:
            from descend.kernel.compile import PointKernel

            self.evaluator = PointKernel(self._program)
        cost, *slopes = self.evaluator(point.entries)
        return Evaluation(cost, Vector(slopes))

    def _second(self, point: Vector) -> Evaluation:
        size = len(self.names)
        p = self.problem
        if self._hessian_program is None and size <= EXPLICIT_HESSIAN:
            rows = hessian(p.tape, p.root, p.symbols)
            entries = [rows[i][j] for i in range(size) for j in range(i + 1)]
            self._hessian_program = lower(p.tape, [p.root, *p.gradient, *entries], self.names)
        if self._hessian_program is not None:
            values, bounds = with_bounds(self._hessian_program, point.entries)
            second = square(values[size + 1 :], size)
            error = square(bounds[size + 1 :], size)
        else:
            values, bounds = with_bounds(self._program, point.entries)
            products = self._products(point) if size <= DENSE_HESSIAN else None
            if products is None:
                return Evaluation(values[0], Vector(values[1:]), None, bounds[0], Vector(bounds[1:]))
            second, error = products
        slopes, slope_bounds = values[1 : size + 1], bounds[1 : size + 1]
        return Evaluation(values[0], Vector(slopes), second, bounds[0], Vector(slope_bounds), error)

    def product(self, point: Vector, direction: Vector) -> Vector:
        """Return Hessian times `direction`, without making the Hessian."""
        p, size = self.problem, len(self.names)
        if self._product is None:
            entries, names = product_entries(p, size)
            self._product = Interpreter(lower(p.tape, entries, names))
        return Vector(self._product([*point.entries, *direction.entries]))

    def _products(self, point: Vector) -> tuple[Square, Square]:
        """Dense Hessian as products with all unit vectors at once."""
        import numpy as np

        p, size = self.problem, len(self.names)
        if self._columns is None:
            entries, names = product_entries(p, size)
            self._columns = Interpreter(lower(p.tape, entries, names), arrays())
        columns = evaluate_arrays(self._columns, [*point.entries, *np.eye(size)])
        full = np.array([np.broadcast_to(column, size) for column in columns])
        full = 0.5 * (full + full.T)
        # Without a running bound: each row is taken to be good to the roundings of one pass over the tape.
        error = np.full_like(full, len(self._columns.program.instructions) ** 0.5 * UNIT * np.abs(full).max())
        return _rows(full), _rows(error)

    def trouble(self, point: Vector) -> Place | None:
        """Return the innermost sub-expression of cost or gradient that is not finite at `point`."""
        from descend.expression.write import to_text  # only trouble has to be put into words

        slots = self._interpreter.slots(point.entries)
        place = first_bad(self._program, slots)
        return None if place is None else Place(to_text(self.problem.tape, place[0]), place[1])


def product_entries(problem: Problem, size: int) -> tuple[list[int], list[str]]:
    """Return (entries of H·v, names of the inputs: the variables, then the direction)."""
    tape = problem.tape
    directions = [f"`v{k}" for k in range(size)]
    found = hessian_product(tape, problem.root, problem.symbols, [tape.symbol(d) for d in directions])
    return found.slopes, [*problem.variables, *directions]


Square = tuple[tuple[float, ...], ...]


def _rows(matrix: Any) -> Square:
    return tuple(tuple(map(float, row)) for row in matrix)


def square(triangle: list[float], size: int) -> Square:
    """Return the full matrix of a lower triangle that is listed row by row."""

    def at(i: int, j: int) -> float:
        low, high = min(i, j), max(i, j)
        return triangle[high * (high + 1) // 2 + low]

    return tuple(tuple(at(i, j) for j in range(size)) for i in range(size))


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
    limits: Limits | None = None,
) -> FormulaObjective | IndexedObjective:
    """Return the objective of a formula for a budget of `looks`; `data` are its constant arrays."""
    if not problem.indexed:
        return FormulaObjective(problem, looks, compiled=compiled)
    from descend.problem.indexed import IndexedObjective

    return IndexedObjective(problem, data or {}, looks, compiled=compiled, limits=limits or STANDARD)
