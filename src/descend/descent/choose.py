"""`auto`: facts in, a method and the sentence that says why out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from descend.descent.method.base import Method
from descend.descent.method.exact import Exact
from descend.descent.method.gradient_descent import GradientDescent
from descend.descent.method.hop import Hop
from descend.descent.method.registry import METHODS
from descend.evaluation import Needs, Objective
from descend.vector import Vector

SQUARES = 200  # variables up to which the normal matrix of a sum of squares is made (it has no sparse form)


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


def choose(facts: Facts, learning_rate: float | str | None, objective: Objective | None = None) -> Choice:
    """Choose the method when none is named, from what is known of the cost and what it can give.

    Without an `objective` only the facts are asked.
    """
    if learning_rate is not None:
        return Choice(GradientDescent(learning_rate), "a learning rate was given: plain gradient descent")
    if facts.solution is not None:
        return Choice(Exact(facts.solution), facts.by)
    if facts.unbounded:
        return Choice(_method("barzilai-borwein"), "the cost provably falls without end; the descent shows it")
    return (
        Choice(_method("barzilai-borwein"), "nothing is known of the cost")
        if objective is None
        else _by_structure(objective)
    )


def _by_structure(objective: Objective) -> Choice:
    if objective.obstacle(Needs.PROX) is None:
        return Choice(_method("proximal"), "the penalty has kinks, and a proximal operator")
    obstacle = objective.obstacle(Needs.HESSIAN)
    if obstacle is not None:
        return Choice(_method("barzilai-borwein"), f"there is no Hessian: {obstacle}")
    kinks = objective.obstacle(Needs.KINKS) is None
    newton = Hop(_method("newton"), _method("slqp") if kinks else _method("barzilai-borwein"))
    size = len(objective.names)
    if size <= SQUARES and objective.obstacle(Needs.NORMAL_MATRIX) is None:
        why = f"the cost is a sum of squares of {size} variable{'s' if size > 1 else ''}"
        return Choice(Hop(_method("levenberg-marquardt"), newton), why)
    if kinks:  # those that are never met, such as that of abs(x)^3, leave a smooth cost to the next
        return Choice(Hop(_method("slqp"), newton), "the cost has kinks, which are taken apart")
    return Choice(newton, "the cost is not quadratic and no sum of squares; its Hessian is known exactly")


def _method(name: str) -> Method:
    return METHODS[name]()
