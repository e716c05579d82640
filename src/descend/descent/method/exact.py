"""The method that knows the answer: one step to a minimum that was computed in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from descend.descent.method.base import Method, State, stepped
from descend.descent.status import Ending
from descend.evaluation import Evaluation
from descend.vector import Vector


@dataclass(frozen=True)
class Exact(Method):
    """Go to `solution`, look there, and be done."""

    name: ClassVar[str] = "exact"

    solution: Vector

    def learn(self, state: State, point: Vector, evaluation: Evaluation) -> State:
        if state.number:
            return State(point, state.number, accepted=True, gave_up=Ending.SOLVED)
        return stepped(state, self.solution, float("nan"))

    def describe(self) -> str:
        return "solved in closed form"
