"""The doors that descend: gradient_descent (the article's), minimize, maximize."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from descend.answer.result import Result
from descend.api.descending import box_of, check_needs, descended, into_box, make_wishes, within
from descend.api.penalising import facts_beside, of_the_cost, penalised, read_penalty, with_kinks
from descend.api.reading import (
    check_settings,
    constant_arrays,
    order_of,
    prepared,
    read_cost,
    setting,
    start_names,
)
from descend.api.watching import watching
from descend.descent.choose import UNKNOWN, Choice, Facts, choose
from descend.descent.method.base import Method
from descend.descent.method.registry import METHODS, find_method
from descend.errors import MethodError, StartError
from descend.evaluation import Objective
from descend.expression.limits import Limits
from descend.problem.objective import make_objective
from descend.problem.problem import Problem, make_problem
from descend.problem.quadratic import Shape, solve_quadratic, written_out
from descend.problem.start import natural_start, start_words
from descend.problem.untouched import lengthened
from descend.vector import Vector


def minimize(
    cost: Any,
    start: Any = None,
    *,
    method: str | Method = "auto",
    learning_rate: float | str | None = None,
    precision: float | None = None,
    variables: Any = None,
    bounds: Any = None,
    fixed: Any = None,
    tied: Any = None,
    penalty: Any = None,
    constants: Any = None,
    data: Any = None,
    max_looks: int = 100_000,
    max_seconds: float | None = None,
    target_cost: float | None = None,
    starts: int = 1,
    seed: int = 0,
    escape: bool = True,
    trace: bool = False,
    limits: Limits | None = None,
    keep_as_written: bool = False,
    progress: Any = None,
    callback: Callable[[Any], object] | None = None,
) -> Result:
    """Minimise a cost and say truthfully what was reached.

    `cost` is text or a SymPy expression.  `start` is a number, a mapping or a sequence in the order of `variables`
    (default: natural order of the names); none given, a simple point of the cost's domain is taken.  `precision` is a
    distance from the minimum in the variables' units; None asks for as much as doubles support.

    `bounds={"x": (0, None)}` keeps variables between two ends (of an array variable also arrays of ends); symbols of
    SymPy that are declared positive or negative are bounded by 0.  `fixed` gives variables a value, `tied` a formula of
    others, `constants` values to names (the n of a sum over an index), `data` constant arrays (the c of ``c[i]``).  An
    array variable starts at an array, or at one number for all its entries.  `penalty` is added to the cost (when
    maximising, subtracted): "l2(0.5)", half the sum of all squares, a smooth formula of the variables, "l1(0.1)",
    "elastic-net(0.1, 0.5)" (weight, share of l1) or "group(0.1: x1 x2; x3 x4)", which make variables 0 (the methods
    fista and proximal); "l1(0.1: x y)" leaves out all but x and y.

    `starts=20` descends from so many points, quasi-random from `seed` between the bounds or around the start, and lists
    the distinct minima in `result.minima`.  `max_looks` counts evaluations of cost and gradient; like `max_seconds` it
    is for all starts together.  `target_cost` ends as soon as the cost is as good.
    `keep_as_written=True` evaluates the formula as it stands: otherwise forms that lose digits are replaced by equal
    ones that do not, log(1 + exp(x)) by softplus(x) for instance.
    `callback(progress)` is called after each look; returning True stops.  `progress` is such a function that is called
    a few times a second, or True for a line on standard error.  `trace=True` keeps every look.  From a saddle or a
    maximum the descent goes on, down the way that the verdict found (a note says so), unless `escape=False`.

    With `method="auto"` a quadratic cost is solved exactly, a sum of squares goes to Levenberg-Marquardt, kinks to
    sequential linear-quadratic programming, any other cost to Newton's method; with a `learning_rate` it is plain
    gradient descent.  `why_method` says which and why, and where one method went on for another.

    Raises `FormulaError`, `StartError`, `MethodError`, `UnavailableError`.

    >>> import descend
    >>> r = descend.minimize("x^2 - 4x + 1")
    >>> float(r), r.cost, r.status.name
    (2.0, -3.0, 'EXACT')
    """
    return _extremise(
        cost, start, maximise=False, method=method, learning_rate=learning_rate, precision=precision,
        variables=variables, bounds=bounds, fixed=fixed, tied=tied, penalty=penalty, constants=constants, data=data,
        max_looks=max_looks, max_seconds=max_seconds, target_cost=target_cost, starts=starts, seed=seed, escape=escape,
        trace=trace, limits=limits, keep_as_written=keep_as_written, progress=progress, callback=callback,
    )  # fmt: skip


def maximize(
    cost: Any,
    start: Any = None,
    *,
    method: str | Method = "auto",
    learning_rate: float | str | None = None,
    precision: float | None = None,
    variables: Any = None,
    bounds: Any = None,
    fixed: Any = None,
    tied: Any = None,
    penalty: Any = None,
    constants: Any = None,
    data: Any = None,
    max_looks: int = 100_000,
    max_seconds: float | None = None,
    target_cost: float | None = None,
    starts: int = 1,
    seed: int = 0,
    escape: bool = True,
    trace: bool = False,
    limits: Limits | None = None,
    keep_as_written: bool = False,
    progress: Any = None,
    callback: Callable[[Any], object] | None = None,
) -> Result:
    """Maximise "good things": `minimize` uphill, with cost, slope, status and report in the user's sign.

    >>> import descend
    >>> r = descend.maximize("4x - x^2")
    >>> float(r), r.cost
    (2.0, 4.0)
    """
    return _extremise(
        cost, start, maximise=True, method=method, learning_rate=learning_rate, precision=precision,
        variables=variables, bounds=bounds, fixed=fixed, tied=tied, penalty=penalty, constants=constants, data=data,
        max_looks=max_looks, max_seconds=max_seconds, target_cost=target_cost, starts=starts, seed=seed, escape=escape,
        trace=trace, limits=limits, keep_as_written=keep_as_written, progress=progress, callback=callback,
    )  # fmt: skip


def _extremise(
    cost: Any, start: Any, *, maximise: bool, method: Any, learning_rate: Any, precision: Any, variables: Any,
    bounds: Any, fixed: Any, tied: Any, penalty: Any, constants: Any, data: Any, max_looks: Any, max_seconds: Any,
    target_cost: Any, starts: Any, seed: Any, escape: Any, trace: bool, limits: Limits | None, keep_as_written: bool,
    progress: Any, callback: Any,
) -> Result:  # fmt: skip
    check_settings(callback, limits)
    wishes = make_wishes(
        max_looks, max_seconds, precision, learning_rate, target_cost, starts, seed, escape, trace,
        watching(callback, progress),
    )  # fmt: skip
    arrays = constant_arrays(data)
    given = [*start_names(fixed), *start_names(constants)]
    reading = read_cost(
        cost, names=[*start_names(start), *start_names(bounds), *given, *arrays], given=given, limits=limits
    )
    own = of_the_cost(constants, reading.formula, penalty)
    formula = prepared(reading, constants=own, fixed=fixed, tied=tied, arrays=arrays, limits=limits)
    problem = make_problem(
        formula,
        variables=order_of(variables),
        maximise=maximise,
        notes=reading.notes,
        data=arrays,
        keep_as_written=setting(keep_as_written, "keep_as_written"),
    )
    extra = read_penalty(penalty, problem.variables, constants=constants, fixed=fixed, tied=tied, limits=limits)
    problem = penalised(problem, extra, data=arrays)
    if problem.extents:
        problem = lengthened(problem, start, (own or {}).values())
    box, notes = box_of(problem.layout, bounds, reading.symbols)
    point = None if start is None else problem.layout.start(start)
    objective = make_objective(
        problem, wishes.looks, arrays, fixed_step=of_fixed_step(method, wishes.rate), limits=limits
    )
    objective.box = box
    facts = facts_beside(within(formula_facts(problem, point, arrays), objective), extra)
    objective, problem = with_kinks(objective, problem, extra)
    choice = find_choice(method, facts, wishes.rate, objective)
    check_needs(choice.method, objective)
    if point is None:
        point, said = _default_start(objective, problem, facts, choice)
    else:
        point, said = into_box(objective, point)
    return descended(objective, problem, choice, facts, point, wishes, (*notes, *said), arrays)


def _default_start(
    objective: Objective, problem: Problem, facts: Facts, choice: Choice
) -> tuple[Vector, tuple[str, ...]]:
    if facts.solution is not None and not choice.method.fixed_step:
        origin = Vector([0.0] * len(objective.names))
        return (origin if objective.box is None else objective.box.project(origin)), ()
    try:
        point = natural_start(objective, problem)
    except StartError as error:
        raise StartError(f"{error} (none was given)") from None
    return point, (f"no start was given: started {start_words(objective.names, point)}",)


def of_fixed_step(method: str | Method, rate: float | str | None) -> bool:
    """Whether the method that is asked for takes fixed steps: then its whole loop can be machine code."""
    if isinstance(method, Method):
        return method.fixed_step
    if not isinstance(method, str):
        return False  # refused by `find_choice`
    return rate is not None if method == "auto" else method in METHODS and METHODS[method].fixed_step


def find_choice(
    method: str | Method, facts: Facts, rate: float | str | None, objective: Objective | None = None
) -> Choice:
    """Return the named method, or choose one for the `objective`."""
    if isinstance(method, Method):
        if rate is not None:
            raise MethodError("give the learning rate to the method itself, or leave method= away")
        return Choice(method, "given")
    if isinstance(method, type) and issubclass(method, Method):
        raise MethodError(f"method= takes settings, not the class: write {method.__name__}(...)")
    if not isinstance(method, str):
        raise MethodError("method is a name such as 'bfgs', or settings such as descend.BarzilaiBorwein(memory=5)")
    if method == "auto":
        return choose(facts, rate, objective)
    return Choice(find_method(method, rate), "asked for")


def formula_facts(problem: Problem, start: Vector | None, data: Mapping[str, Any] | None = None) -> Facts:
    """Return what is known of the cost beforehand; `data` are its constant arrays."""
    scalar = written_out(problem, data or {}) if problem.indexed else problem
    closed = None if scalar is None else solve_quadratic(scalar, start)
    if closed is None:
        return UNKNOWN
    if closed.shape is Shape.UNBOUNDED:
        return Facts(unbounded=True)
    return Facts(
        solution=closed.minimum,
        convex=True,
        flat=closed.shape is Shape.VALLEY,
        exact=True,
        bounded=True,
        constant=closed.shape is Shape.CONSTANT,
    )
