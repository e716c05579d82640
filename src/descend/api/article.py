"""The article's door: gradient_descent, to the letter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from descend.answer.result import Result
from descend.api.answering import answer
from descend.api.minimize import formula_facts
from descend.api.reading import (
    learning_rate_of,
    order_of,
    positive_count,
    positive_number,
    read_cost,
    start_names,
    unbounded_notes,
)
from descend.descent.choose import Choice
from descend.descent.compiled import walk
from descend.descent.conclusion import Question
from descend.descent.journey import arrive
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.stopping import NotFinite, Rule, Steps, StepSize
from descend.errors import MethodError
from descend.problem.objective import make_objective
from descend.problem.problem import make_problem


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
    notes = (*reading.notes, *unbounded_notes(reading.symbols, "gradient_descent"))
    problem = make_problem(reading.formula, variables=order_of(variables), notes=notes)
    start = problem.layout.start(initial_guess)
    objective = make_objective(problem, steps + 1, fixed_step=True)
    choice = Choice(GradientDescent(rate), "the article's loop")
    stopping: Rule = NotFinite() | Steps(steps)
    if bound is not None:
        stopping = StepSize(bound) | stopping
    run = walk(objective, choice.method, start, stopping)
    question = Question(
        bound,
        step_rule=bound is not None,
        learning_rate=rate,
        fixed_step=True,
        plain=True,
        budget="max_iterations",
    )
    facts = formula_facts(problem, start)
    facts = replace(facts, solution=None, flat=False)
    arrival = arrive(objective, run, question, at_last=True)
    return answer(objective, problem, arrival, choice, facts, question, at_last=True)
