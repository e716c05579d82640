"""`fit`: learn the parameters of a model from data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal

from descend.answer import store
from descend.answer.advice import Question
from descend.answer.fit import Fit, r_squared, sum_of_squares
from descend.answer.uncertainty import covariance
from descend.api.answering import answer
from descend.api.minimize import find_choice, rules
from descend.api.modelling import Modelled, read_model
from descend.api.reading import (
    check_settings,
    learning_rate_of,
    order_of,
    positive_count,
    positive_number,
    refuse,
    setting,
    start_names,
)
from descend.descent.choose import Facts
from descend.descent.compiled import walk
from descend.descent.method.base import Method
from descend.descent.trace import Recorder
from descend.errors import MethodError
from descend.expression.analyse import linear_in
from descend.expression.limits import Limits
from descend.problem.linear import solve_linear
from descend.problem.parameters import start_vector
from descend.problem.start import natural_start
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
    starts: int = 1,
    seed: int = 0,
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
    scaled or centred.  `holdout=0.2` keeps a fifth of the rows back, on which `evaluate()` judges the predictions.

    Raises `FormulaError`, `DataError`, `StartError`, `MethodError`, `UnavailableError`.

    >>> import descend
    >>> f = descend.fit("y = b0 + b1*x", {"x": [0, 1, 2, 3], "y": [1, 3, 5, 7]})
    >>> f.parameters, f.predict({"x": [10]}).tolist()
    ({'b0': 1.0, 'b1': 2.0}, [21.0])
    """
    refuse(
        weights=(weights, None, "repeat the rows, or leave it away"),
        sigma=(sigma, None, "divide the columns by it"),
        bounds=(bounds, None, "fit without bounds and check the answer"),
        penalty=(penalty, None, "fit without it"),
        robust=(robust, False, "the standard errors assume equal scatter"),
        starts=(starts, 1, "call it once a start and keep the lowest cost"),
        progress=(progress, None, "use callback="),
    )
    if not isinstance(missing, str) or missing not in {"error", "drop"}:
        raise MethodError("missing is 'error' or 'drop'")
    check_settings(callback, limits)
    looks = positive_count(max_looks, "max_looks", 1)
    seed = positive_count(seed, "seed")
    seconds = positive_number(max_seconds, "max_seconds")
    distance = positive_number(precision, "precision")
    rate = learning_rate_of(learning_rate)
    if not (isinstance(method, str) and method == "auto"):
        find_choice(method, Facts(), rate)  # a misspelt name should not wait for the data
    modelled = read_model(
        model,
        data,
        loss=loss,
        names=start_names(start),
        constants=constants,
        fixed=fixed,
        tied=tied,
        parameters=order_of(parameters),
        columns=order_of(columns),
        missing=missing,
        holdout=holdout,
        seed=seed,
        limits=limits,
        keep_as_written=setting(keep_as_written, "keep_as_written"),
    )
    facts, notes = _facts(modelled, solve=rate is None and isinstance(method, str) and method == "auto")
    objective = modelled.objective(looks if facts.solution is None else 3)
    choice = find_choice(method, facts, rate)
    point, said = _start(objective, start, facts)
    run = walk(
        objective,
        choice.method,
        point,
        rules(choice.method, looks, seconds),
        recorder=Recorder(objective.names) if trace else None,
        watch=callback,
    )
    question = Question(distance, learning_rate=rate, fixed_step=choice.method.fixed_step)
    result = answer(objective, modelled.problem, run, choice, facts, question, notes=(*notes, *said), seed=int(seed))
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


def _start(objective: Any, start: Any, facts: Facts) -> tuple[Vector, tuple[str, ...]]:
    if start is not None:
        return start_vector(start, objective.names), ()
    if facts.convex:
        return Vector([0.0] * len(objective.names)), ()
    point = natural_start(objective)
    return point, (f"no start was given: started with every parameter at {point[0]:g}",)


def _as_fit(result: Any, modelled: Modelled) -> Fit:
    model, table = modelled.model, modelled.table
    values = list(result.variables.values())
    observed = model.observed(table)
    rss = sum_of_squares(observed - model.predicted(values, table))
    centred = model.centred()
    spread = covariance(model, values, table, rss) if result.status.success and modelled.loss.quadratic else None
    notes = list(result.notes)
    if not centred:
        notes.append("r² of a model without a constant is uncentred: 1 - rss/Σy²")
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
