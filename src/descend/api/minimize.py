"""The doors that descend: gradient_descent (the article's), minimize, maximize."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from descend.answer.advice import Question
from descend.answer.result import Result
from descend.api.answering import answer
from descend.api.reading import (
    check_settings,
    constant_arrays,
    learning_rate_of,
    order_of,
    positive_count,
    positive_number,
    prepared,
    read_cost,
    refuse,
    setting,
    start_names,
)
from descend.descent.choose import UNKNOWN, Choice, Facts, choose
from descend.descent.compiled import walk
from descend.descent.method.base import Method
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.method.registry import find_method
from descend.descent.stopping import Idle, Looks, NotFinite, Rule, Seconds, Steps, StepSize, Unmoved
from descend.descent.trace import Recorder
from descend.errors import MethodError, StartError
from descend.evaluation import Objective
from descend.expression.limits import Limits
from descend.problem.objective import make_objective
from descend.problem.problem import Problem, make_problem
from descend.problem.quadratic import Shape, solve_quadratic, written_out
from descend.problem.start import natural_start
from descend.vector import Vector

PATIENCE = 100  # looks without a lower cost or a smaller slope: as far as doubles go


def gradient_descent(
    cost_fn: Any,
    initial_guess: Any,
    learning_rate: float | str,
    *,
    precision: float | None = None,
    max_iterations: int = 100,
    variables: Any = None,
) -> Result:
    """Walk the article's loop: new = old - learning_rate · slope, exactly `max_iterations` times.

    With `precision`, stop earlier, as soon as the Euclidean length of a step is smaller than it (the article's rule;
    whether the *minimum* is that near is judged afterwards).  Apart from these two only a value that is not finite
    and an interrupt end the loop.  100 steps cost 101 looks: the slope at the last point is part of the answer.

    `cost_fn` is text or a SymPy expression of any number of variables; `initial_guess` a number, a mapping from names
    or symbols to numbers, or a sequence in the order of the variables.  The result's `variables` are the *last* point.

    Raises `FormulaError`, `StartError`, `MethodError`.

    >>> import descend
    >>> r = descend.gradient_descent("x^2", 3, 0.1)
    >>> float(r), r.steps, r.status.name
    (6.111107929003464e-10, 100, 'MINIMUM')
    """
    steps = positive_count(max_iterations, "max_iterations")
    bound = positive_number(precision, "precision")
    rate = learning_rate_of(learning_rate)
    if rate is None:
        raise MethodError("gradient_descent needs a learning_rate, such as 0.1")
    reading = read_cost(cost_fn, names=start_names(initial_guess))
    problem = make_problem(reading.formula, variables=order_of(variables), notes=reading.notes)
    start = problem.layout.start(initial_guess)
    objective = make_objective(problem, steps + 1)
    choice = Choice(GradientDescent(rate), "the article's loop")
    stopping: Rule = NotFinite() | Steps(steps)
    if bound is not None:
        stopping = StepSize(bound) | stopping
    run = walk(objective, choice.method, start, stopping)
    question = Question(
        bound, step_rule=bound is not None, learning_rate=rate, fixed_step=True, budget="max_iterations"
    )
    facts = formula_facts(problem, start)
    facts = replace(facts, solution=None, flat=False)
    return answer(objective, problem, run, choice, facts, question, at_last=True)


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
    starts: int = 1,
    seed: int = 0,
    trace: bool = False,
    limits: Limits | None = None,
    keep_as_written: bool = False,
    progress: Any = None,
    callback: Callable[[Any], object] | None = None,
) -> Result:
    """Minimise a cost and say truthfully what was reached.

    `cost` is text or a SymPy expression.  `start` is a number, a mapping or a sequence in the order of `variables`
    (default: natural order of the names); none is needed where the cost is quadratic.  `precision` is a distance from
    the minimum in the variables' units; None asks for as much as doubles support.  `fixed` gives variables a value,
    `tied` a formula of others, `constants` values to names (the n of a sum over an index), `data` constant arrays
    (the c of ``c[i]``).  An array variable starts at an array, or at one number for all its entries.
    `max_looks` counts evaluations of cost and gradient.
    `keep_as_written=True` evaluates the formula as it stands: otherwise forms that lose digits are replaced by equal
    ones that do not, log(1 + exp(x)) by softplus(x) for instance.
    `callback(progress)` is called after each look; returning True stops.  `trace=True` keeps every look.

    With `method="auto"` a quadratic cost is solved exactly, any other is walked down by gradient descent with a
    backtracking search; with a `learning_rate` it is plain gradient descent.  `why_method` says which and why.

    Raises `FormulaError`, `StartError`, `MethodError`, `UnavailableError`.

    >>> import descend
    >>> r = descend.minimize("x^2 - 4x + 1")
    >>> float(r), r.cost, r.status.name
    (2.0, -3.0, 'EXACT')
    """
    return _extremise(
        cost, start, maximise=False, method=method, learning_rate=learning_rate, precision=precision,
        variables=variables, bounds=bounds, fixed=fixed, tied=tied, penalty=penalty, constants=constants, data=data,
        max_looks=max_looks, max_seconds=max_seconds, starts=starts, seed=seed, trace=trace, limits=limits,
        keep_as_written=keep_as_written, progress=progress, callback=callback,
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
    starts: int = 1,
    seed: int = 0,
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
        max_looks=max_looks, max_seconds=max_seconds, starts=starts, seed=seed, trace=trace, limits=limits,
        keep_as_written=keep_as_written, progress=progress, callback=callback,
    )  # fmt: skip


def _extremise(
    cost: Any, start: Any, *, maximise: bool, method: Any, learning_rate: Any, precision: Any, variables: Any,
    bounds: Any, fixed: Any, tied: Any, penalty: Any, constants: Any, data: Any, max_looks: Any, max_seconds: Any,
    starts: Any, seed: Any, trace: bool, limits: Limits | None, keep_as_written: bool, progress: Any, callback: Any,
) -> Result:  # fmt: skip
    refuse(
        bounds=(bounds, None, "minimise without bounds and check the answer"),
        penalty=(penalty, None, "write it into the cost"),
        starts=(starts, 1, "call it once a start and keep the lowest cost"),
        progress=(progress, None, "use callback="),
    )
    check_settings(callback, limits)
    looks = positive_count(max_looks, "max_looks", 1)
    seed = positive_count(seed, "seed")
    seconds = positive_number(max_seconds, "max_seconds")
    distance = positive_number(precision, "precision")
    rate = learning_rate_of(learning_rate)
    arrays = constant_arrays(data)
    names = [*start_names(start), *start_names(fixed), *start_names(constants), *arrays]
    reading = read_cost(cost, names=names, given=[*start_names(fixed), *start_names(constants)], limits=limits)
    formula = prepared(reading, constants=constants, fixed=fixed, tied=tied, arrays=arrays, limits=limits)
    order = order_of(variables)
    problem = make_problem(
        formula,
        variables=order,
        maximise=maximise,
        notes=reading.notes,
        data=arrays,
        keep_as_written=setting(keep_as_written, "keep_as_written"),
    )
    point = None if start is None else problem.layout.start(start)
    objective = make_objective(problem, looks, arrays, limits=limits)
    facts = formula_facts(problem, point, arrays)
    choice = find_choice(method, facts, rate)
    notes: tuple[str, ...] = ()
    if point is None:
        point, notes = _default_start(objective, facts, choice)
    run = walk(
        objective,
        choice.method,
        point,
        rules(choice.method, looks, seconds),
        recorder=Recorder(objective.names) if trace else None,
        watch=callback,
    )
    question = Question(distance, learning_rate=rate, fixed_step=choice.method.fixed_step, maximise=maximise)
    return answer(objective, problem, run, choice, facts, question, notes=notes, seed=int(seed))


def _default_start(objective: Objective, facts: Facts, choice: Choice) -> tuple[Vector, tuple[str, ...]]:
    if facts.solution is not None and not choice.method.fixed_step:
        return Vector([0.0] * len(objective.names)), ()
    try:
        point = natural_start(objective)
    except StartError as error:
        raise StartError(f"{error} (none was given)") from None
    return point, (f"no start was given: started with every variable at {point[0]:g}",)


def rules(method: Method, looks: int, seconds: float | None) -> Rule:
    """Return the stopping rules of a descent that goes as far as doubles support."""
    stopping: Rule = Looks(looks) | Idle(PATIENCE)
    if method.fixed_step:
        stopping = NotFinite() | Unmoved() | stopping
    return stopping if seconds is None else stopping | Seconds(seconds)


def find_choice(method: str | Method, facts: Facts, rate: float | str | None) -> Choice:
    """Return the named method, or choose one."""
    if isinstance(method, Method):
        if rate is not None:
            raise MethodError("give the learning rate to the method itself, or leave method= away")
        return Choice(method, "given")
    if not isinstance(method, str):
        raise MethodError("method is a name or a method of descend's own")
    if method == "auto":
        return choose(facts, rate)
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
