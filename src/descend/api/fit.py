"""`fit`: learn the parameters of a model from data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

from descend.answer import store
from descend.answer.fit import Fit, r_squared, sum_of_squares
from descend.answer.uncertainty import covariance
from descend.api.descending import box_of, check_needs, descended, into_box, make_wishes, within
from descend.api.minimize import find_choice
from descend.api.modelling import Modelled, read_model
from descend.api.penalising import facts_beside, on_which, penalised, read_penalty, with_kinks
from descend.api.reading import check_settings, order_of, refuse, setting, start_names
from descend.api.watching import watching
from descend.descent.choose import Facts
from descend.descent.method.base import Method
from descend.errors import MethodError
from descend.evaluation import Objective
from descend.expression.analyse import linear_in
from descend.expression.limits import Limits
from descend.problem.linear import solve_linear
from descend.problem.parameters import start_vector
from descend.problem.start import natural_start, start_words
from descend.vector import Vector


def fit(
    model: Any,
    data: Any,
    *,
    loss: str = "rss",
    start: Any = None,
    method: str | Method = "auto",
    learning_rate: float | str | None = None,
    precision: float | None = None,
    parameters: Any = None,
    columns: Any = None,
    weights: Any = None,
    sigma: Any = None,
    bounds: Any = None,
    fixed: Any = None,
    tied: Any = None,
    penalty: Any = None,
    constants: Any = None,
    missing: Literal["error", "drop"] = "error",
    robust: bool = False,
    holdout: float | None = None,
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
) -> Fit:
    """Learn the parameters of `model`, such as "y = b0 + b1*x" or a SymPy Eq, from `data`.

    Names that are columns of the data are columns, the rest are parameters.  `data` is a mapping of arrays, a frame
    (pandas, polars, Arrow, ...), a NumPy structured array, or the path of a CSV, Parquet or Feather file.

    A model that is linear in its parameters is solved in closed form (status EXACT).  With a `learning_rate` the cost
    as named (rss is a sum, mse a mean) is walked down by plain gradient descent in the user's units: nothing is
    scaled or centred.  `penalty` is added to the cost as named, "l2(0.5)" or "l1(0.1)" on all parameters, the constant
    among them, "l1(0.1: b1 b2)" on those that are named.  `bounds={"b1": (0, None)}` keeps a parameter between two
    ends.  `holdout=0.2` keeps a fifth of the rows back, on which `evaluate()` judges the predictions.

    Raises `FormulaError`, `DataError`, `StartError`, `MethodError`, `UnavailableError`.

    >>> import descend
    >>> f = descend.fit("y = b0 + b1*x", {"x": [0, 1, 2, 3], "y": [1, 3, 5, 7]})
    >>> f.parameters, f.predict({"x": [10]}).tolist()
    ({'b0': 1.0, 'b1': 2.0}, [21.0])
    """
    refuse(
        weights=(weights, None, "repeat the rows, or leave it away"),
        sigma=(sigma, None, "divide the columns by it"),
        robust=(robust, False, "the standard errors assume equal scatter"),
    )
    if not isinstance(missing, str) or missing not in {"error", "drop"}:
        raise MethodError("missing is 'error' or 'drop'")
    check_settings(callback, limits)
    wishes = make_wishes(
        max_looks, max_seconds, precision, learning_rate, target_cost, starts, seed, escape, trace,
        watching(callback, progress),
    )  # fmt: skip
    if not (isinstance(method, str) and method == "auto"):
        find_choice(method, Facts(), wishes.rate)  # a misspelt name should not wait for the data
    modelled = read_model(
        model,
        data,
        loss=loss,
        names=[*start_names(start), *start_names(bounds)],
        constants=constants,
        fixed=fixed,
        tied=tied,
        parameters=order_of(parameters),
        columns=order_of(columns),
        missing=missing,
        holdout=holdout,
        seed=wishes.seed,
        limits=limits,
        keep_as_written=setting(keep_as_written, "keep_as_written"),
    )
    extra = read_penalty(penalty, modelled.model.parameters, constants=constants, fixed=fixed, tied=tied, limits=limits)
    modelled = replace(modelled, problem=penalised(modelled.problem, extra, rows=modelled.table.rows))
    box, notes = box_of(modelled.problem.layout, bounds, modelled.symbols)
    solve = wishes.rate is None and extra is None and isinstance(method, str) and method == "auto"
    facts, said = _facts(modelled, solve=solve)
    if extra is not None and extra.formula is not None:
        facts = Facts()  # a formula may be of any shape
    solved = facts.solution is not None and (box is None or box.contains(facts.solution))
    objective: Any = modelled.objective(3 if solved else wishes.looks)
    objective.box = box
    facts = facts_beside(within(facts, objective), extra)
    objective, problem = with_kinks(objective, modelled.problem, extra)
    modelled = replace(modelled, problem=problem)
    choice = find_choice(method, facts, wishes.rate, objective)
    check_needs(choice.method, objective)
    point, told = _start(objective, start, facts)
    result = descended(
        objective,
        problem,
        choice,
        facts,
        point,
        wishes,
        (*notes, *(said if solved else ()), *told, *on_which(extra)),
    )
    return _as_fit(result, modelled)


def load(path: str | Path) -> Fit:
    """Read a model that `Fit.save` wrote.  Raises `DataError`."""
    return store.load(path)


def _facts(modelled: Modelled, *, solve: bool) -> tuple[Facts, tuple[str, ...]]:
    model = modelled.model
    linear = modelled.loss.quadratic and linear_in(model.tape, model.right, model.parameters)
    if not linear:
        return Facts(), ()
    if not solve:
        return Facts(convex=True), ()
    solved = solve_linear(model.tape, model.left, model.right, model.parameters, model.columns, modelled.table)
    if solved is None:
        return Facts(convex=True), ()
    notes: tuple[str, ...] = ()
    if solved.undetermined:
        names = ", ".join(solved.undetermined)
        notes = (f"the data do not determine {names}; one of the solutions is given",)
    by = "the model is linear in its parameters"
    return Facts(solution=solved.solution, convex=True, flat=bool(solved.undetermined), by=by), notes


def _start(objective: Objective, start: Any, facts: Facts) -> tuple[Vector, tuple[str, ...]]:
    if start is not None:
        return into_box(objective, start_vector(start, objective.names))
    if facts.convex:
        origin = Vector([0.0] * len(objective.names))
        return (origin if objective.box is None else objective.box.project(origin)), ()
    point = natural_start(objective)
    words = start_words(objective.names, point).replace("variable", "parameter")
    return point, (f"no start was given: started {words}",)


def _as_fit(result: Any, modelled: Modelled) -> Fit:
    model, table = modelled.model, modelled.table
    values = list(result.variables.values())
    observed = model.observed(table)
    rss = sum_of_squares(observed - model.predicted(values, table))
    centred = model.centred()
    penalty = modelled.problem.kinked or modelled.problem.penalty
    plain = modelled.loss.quadratic and penalty is None
    spread = covariance(model, values, table, rss) if result.status.success and plain else None
    notes = list(result.notes)
    if not centred:
        notes.append("r² of a model without a constant is uncentred: 1 - rss/Σy²")
    if penalty is not None:
        notes.append("no standard errors: the penalty pulls the parameters away from where the data have them")
    own = {f.name: getattr(result, f.name) for f in fields(result)} | {"notes": tuple(notes)}
    return Fit(
        **own,
        model=model,
        loss=modelled.loss,
        rows=table.rows,
        rss=rss,
        r_squared=r_squared(rss, observed, centred=centred),
        source=modelled.description,
        covariances=None if spread is None else tuple(tuple(map(float, row)) for row in spread),
        held_back=modelled.held_back,
    )
