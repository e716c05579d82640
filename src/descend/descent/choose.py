"""`auto`: facts in, a method and the sentence that says why out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from descend.descent.method.backtracking import Backtracking
from descend.descent.method.base import Method
from descend.descent.method.exact import Exact
from descend.descent.method.gradient_descent import GradientDescent
from descend.vector import Vector


@dataclass(frozen=True)
class Facts:
    """What is known about the cost before the descent.

    `solution` is its exact minimum where there is a closed form; `unbounded` says that it provably falls without end;
    `convex` that it is convex; `flat` that the minimum is not the only one; `by` how the closed form was found.
    """

    solution: Vector | None = None
    unbounded: bool = False
    convex: bool = False
    flat: bool = False
    constant: bool = False
    exact: bool = False  # the solution is proved in exact arithmetic, not computed in doubles
    bounded: bool = False  # the cost provably has a minimum
    by: str = "the cost is quadratic"


UNKNOWN = Facts()


class Choice(NamedTuple):
    """A method and the reason for it."""

    method: Method
    why: str


def choose(facts: Facts, learning_rate: float | str | None) -> Choice:
    """Choose the method when none is named."""
    if learning_rate is not None:
        return Choice(GradientDescent(learning_rate), "a learning rate was given: plain gradient descent")
    if facts.solution is not None:
        return Choice(Exact(facts.solution), facts.by)
    if facts.unbounded:
        return Choice(Backtracking(), "the cost provably falls without end; the descent shows it")
    return Choice(
        Backtracking(),
        "the cost is not known to be quadratic; second-order methods come with a later version",
    )
