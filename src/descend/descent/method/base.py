"""What a method is: a frozen set of settings with three verbs; its memory is a flat, named state."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.status import Ending
from descend.evaluation import Curvature, Evaluation, Needs, Objective
from descend.vector import Vector


@dataclass(frozen=True)
class State:
    """A method's memory.  `number` counts accepted steps; `rate` is the factor on the gradient of the last step.

    `box` are the bounds of the variables, None where there are none.  `hops` says, in words, where one method went on
    for another.
    """

    x: Any  # Vector; Symbols while a fixed-step method is traced
    number: Any = 0
    rate: Any = float("nan")
    accepted: bool = True
    gave_up: Ending | None = None
    box: Box | None = None
    hops: tuple[str, ...] = ()


@dataclass(frozen=True)
class Method:
    """Predict (choose where to look) → error (look) → learn (update).  A method never sees data or a formula."""

    name: ClassVar[str] = ""
    needs: ClassVar[Needs] = Needs.GRADIENT
    fixed_step: ClassVar[bool] = False  # learn uses only `descent.arithmetic`, so the loop can be compiled as a whole
    source: ClassVar[str] = ""

    @property
    def rate_varies(self) -> bool:
        """Whether the learning rate is a formula of the step number, which may stop being a positive number."""
        return False

    def start(self, x: Vector, box: Box | None = None) -> State:
        """Return the memory before the first look; `box` are the bounds, in which x lies."""
        return State(x, box=box)

    def predict(self, state: State) -> Vector:
        """Return the point to look at next."""
        point: Vector = state.x
        return point

    def error(self, objective: Objective, point: Vector) -> Evaluation:
        """Look; with the curvature at hand for a method that needs more than the gradient."""
        evaluation = objective.look(point)
        if self.needs is Needs.GRADIENT:
            return evaluation
        return evaluation._replace(curvature=Curvature(objective, point))

    def learn(self, state: Any, point: Any, evaluation: Any) -> Any:
        """Return the memory after the look: moved, or with `accepted=False`, or with `gave_up` set."""
        raise NotImplementedError

    def staying(self) -> Method:
        """Return the method with `escape` switched off, in itself and in the methods that it owns."""
        settings = {field.name: getattr(self, field.name) for field in fields(self)}
        changed: dict[str, Any] = {name: s.staying() for name, s in settings.items() if isinstance(s, Method)}
        if "escape" in settings:
            changed["escape"] = False
        return replace(self, **changed)

    def describe(self) -> str:
        """Return the method with its settings, for reports."""
        return self.name


def stepped(state: State, x: Any, rate: Any, **memory: Any) -> State:
    """Return the state after an accepted step to `x`, or to the nearest point of the box, with its new memory."""
    if state.box is not None:
        x = state.box.project(x)
    return replace(state, x=x, number=state.number + 1, rate=rate, accepted=True, **memory)
