"""`steps`: a descent one step at a time, forward and back."""

from __future__ import annotations

from typing import Any

from descend.api.reading import learning_rate_of, order_of, prepared, read_cost, start_names
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.step import Step
from descend.errors import DomainError, MethodError, StartError
from descend.expression.limits import Limits
from descend.problem.objective import make_objective
from descend.problem.parameters import start_vector
from descend.problem.problem import make_problem


class Walk:
    """An endless iterator over the steps of a fixed-rate descent, which can also go `back`."""

    def __init__(self, objective: Any, method: GradientDescent, start: Any, cost_name: str, *, maximise: bool) -> None:
        self._objective, self._method = objective, method
        self._cost_name, self._maximise = cost_name, maximise
        self._states = [method.start(start)]
        self._lost = False  # whether the newest step had no finite cost or slope
        self._number = 0  # of the last step that was shown

    def __iter__(self) -> Walk:
        return self

    def __next__(self) -> Step:
        if self._lost and self._number == len(self._states) - 1:
            raise DomainError("the last step found no finite cost or slope, so there is no next one")
        self._number += 1
        return self._step()

    def back(self) -> Step:
        """Return the step before the last one shown.  Raises `MethodError` before the first."""
        if self._number <= 1:
            raise MethodError("there is no step before the first")
        self._number -= 1
        return self._step()

    def _step(self) -> Step:
        state = self._states[self._number - 1]
        point = self._method.predict(state)
        evaluation = self._method.error(self._objective, point)
        if len(self._states) == self._number:
            self._states.append(self._method.learn(state, point, evaluation))
            self._lost = not evaluation.finite
        new = self._states[self._number]
        sign = -1.0 if self._maximise else 1.0
        return Step(
            self._number,
            self._objective.names,
            point,
            sign * evaluation.cost,
            sign * evaluation.gradient,
            float(new.rate),
            new.x,
            self._cost_name,
            self._maximise,
        )


def steps(
    cost: Any,
    start: Any = None,
    *,
    learning_rate: float | str,
    data: Any = None,
    loss: str = "rss",
    variables: Any = None,
    constants: Any = None,
    fixed: Any = None,
    maximise: bool = False,
    limits: Limits | None = None,
) -> Walk:
    """Return the steps of plain gradient descent, made lazily, one at a time.

    Each `Step` says predict (where it looks), error (the cost there and its slope) and learn (the new point), with
    the numbers in it.  With `data`, `cost` is a model such as "y = b0 + b1*x" and the error is its `loss`.

    Raises `FormulaError`, `StartError`, `MethodError`, `DataError`.

    >>> import descend
    >>> walk = descend.steps("x^2", start=3, learning_rate=0.1)
    >>> print(next(walk))
    step 1
      predict  x = 3
      error    cost = 9, slope in x = 6
      learn    x = 3 - 0.1 · 6 = 2.4
    >>> next(walk).number, walk.back().number
    (2, 1)
    """
    rate = learning_rate_of(learning_rate)
    if rate is None:
        raise MethodError("steps needs a learning_rate, such as 0.1")
    method = GradientDescent(rate)
    if data is not None:
        if maximise:
            raise MethodError("a loss is minimised; maximise= does not go with data=")
        from descend.api.modelling import read_model

        modelled = read_model(cost, data, loss=loss, names=start_names(start), constants=constants, fixed=fixed)
        rows = modelled.objective(1)
        default = 0.0 if start is None or isinstance(start, dict) else None
        point = start_vector({} if start is None else start, rows.names, default)
        return Walk(rows, method, point, modelled.loss.name, maximise=False)
    if start is None:
        raise StartError("steps needs a start, such as start=3")
    given = [*start_names(fixed), *start_names(constants)]
    reading = read_cost(cost, names=[*start_names(start), *given], given=given, limits=limits)
    formula = prepared(reading, constants=constants, fixed=fixed)
    problem = make_problem(formula, variables=order_of(variables), maximise=maximise, notes=reading.notes)
    objective = make_objective(problem, 1, compiled=False, limits=limits)
    return Walk(objective, method, problem.layout.start(start), "cost", maximise=maximise)
