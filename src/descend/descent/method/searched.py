"""What every method with a line search is made of: a direction and a length, chosen apart, in one flat state."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import frexp
from typing import Any

from descend.box import Box
from descend.descent.method.base import Method, State
from descend.descent.method.search import Line, Search, Verdict
from descend.descent.status import Ending
from descend.evaluation import Evaluation
from descend.vector import Vector

FIRST = 0.3  # of the way from 0: the length of the first step
FORGET = 0.9  # a step: curvatures met far away say nothing here
CLOSE = 1e-9  # of each variable's scale: a tenth of what a verdict asks of the distance


@dataclass(frozen=True)
class SearchedState(State):
    """The accepted point with what was seen there, the direction, the search along it, and the method's memory.

    `direction` is divided by the power of two `unit`, which makes it between 1 and 2 long: slopes along it are no
    squares of the gradient, which leave the doubles.  `held` are the entries that a bound holds; `memory` is None right
    after a start or a restart, when the direction is steepest descent; `origin` is where the descent began, `moved` the
    length of the last step and `softest` the inverse of the smallest curvature that the last steps have met; `near`
    says that the minimum seemed close by.
    """

    cost: float = float("inf")
    gradient: Vector | None = None
    held: frozenset[int] = frozenset()
    direction: Vector | None = None
    unit: float = 1.0
    line: Line | None = None
    memory: Any = None
    origin: Vector | None = None
    moved: float = 0.0
    softest: float = 0.0
    near: bool = False
    recent: tuple[float, ...] = ()


class Turn:
    """What is known when the next direction is chosen: the step that was taken and what it changed."""

    __slots__ = ("gradient", "held", "moved", "state", "turned")

    def __init__(self, state: SearchedState, point: Vector, gradient: Vector, held: frozenset[int]) -> None:
        assert state.gradient is not None
        self.state, self.gradient, self.held = state, gradient, held
        self.moved = point - state.x
        self.turned = gradient - state.gradient

    def free(self, vector: Vector) -> Vector:
        """Return the vector without the entries that a bound holds."""
        return without(vector, self.held)

    def before(self) -> Vector:
        """Return the direction of the step that was taken."""
        assert self.state.direction is not None
        return self.state.unit * self.state.direction

    def again(self, unit: float) -> float:
        """Return the length of that step, along a direction that is divided by `unit`."""
        assert self.state.line is not None
        return self.state.line.length * (unit / self.state.unit)


@dataclass(frozen=True)
class Searched(Method):
    """Direction and length: x ← P(x + t·d), where P projects onto the box (nothing without bounds).

    With bounds, the entries that are held at one are fixed and the direction lives in the others; the search goes along
    the projected path, whose slope is that of the entries that have not been stopped by a bound (Bertsekas, SIAM J.
    Control Optim. 20, 1982).
    """

    def strategy(self) -> Search:
        """Return the line search."""
        raise NotImplementedError

    def turn(self, at: Turn) -> tuple[Any, Vector]:
        """Return the memory after a step, and the next direction."""
        raise NotImplementedError

    def first_length(self, at: Turn, direction: Vector, unit: float) -> float:
        """Return the length that the next search tries first along `direction`, which has been divided by `unit`."""
        return unit

    def knows(self, state: SearchedState) -> bool:
        """Whether the directions have the curvatures along all variables in them."""
        return False

    def reference(self, recent: tuple[float, ...]) -> tuple[tuple[float, ...], float | None]:
        """Return the costs to remember, and the one that the next search has to undercut (None: the last)."""
        return (), None

    def start(self, x: Vector, box: Box | None = None) -> SearchedState:
        return SearchedState(x, box=box, origin=x)

    def predict(self, state: State) -> Vector:
        assert isinstance(state, SearchedState)
        if state.line is None:
            point: Vector = state.x
            return point
        assert state.direction is not None
        moved: Vector = state.x + state.line.length * state.direction
        return moved if state.box is None else state.box.project(moved)

    def learn(self, state: SearchedState, point: Vector, evaluation: Evaluation) -> SearchedState:
        if state.line is None:
            return self._first(state, evaluation)
        cost = evaluation.cost if evaluation.finite else float("inf")
        line = self.strategy().learn(state.line, cost, _slope(state, evaluation.gradient))
        match line.verdict:
            case Verdict.SEARCHING:
                return replace(state, accepted=False, line=line)
            case Verdict.FOUND if point != state.x:  # a step that rounding takes back is none
                return self._taken(replace(state, line=line), point, evaluation)
        assert state.gradient is not None
        if state.direction == _scaled(-without(state.gradient, state.held))[0]:  # steepest descent already
            return replace(state, accepted=False, gave_up=Ending.NO_STEP)
        return self._steepest(replace(state, accepted=False), state.moved)

    def _near(self, state: SearchedState, step: Vector) -> bool:
        """Whether the estimated distance to the minimum is as small as doubles support.

        Steps of a method that knows all curvatures estimate it themselves.
        """
        return _shrinking(state, step) and (self.knows(state) or _flat(state))

    def _first(self, state: SearchedState, evaluation: Evaluation) -> SearchedState:
        if not evaluation.finite:
            return replace(state, accepted=False, gave_up=Ending.NOT_FINITE)
        recent, _ = self.reference((evaluation.cost,))
        held = _held(state.box, state.x, evaluation.gradient)
        state = replace(state, cost=evaluation.cost, gradient=evaluation.gradient, held=held, recent=recent)
        return self._steepest(state, 0.0)

    def _steepest(self, state: SearchedState, moved: float) -> SearchedState:
        """Go down the slope, as far as the last step went; the first time a share of the way from 0."""
        assert state.gradient is not None
        direction, unit = _scaled(-without(state.gradient, state.held))
        size = direction.norm()
        if size == 0:
            return replace(state, gave_up=Ending.FLAT)
        length = (moved or FIRST * state.x.norm()) / size
        if length == 0:  # at 0 without a scale: where a parabola with the minimum 0 would have it
            length = 2.0 * (abs(state.cost) / unit) / size / size or 1.0 / size
        _, reference = self.reference(state.recent)
        slope = direction.dot(state.gradient)
        line = self.strategy().begin(state.cost, slope, length, reference)
        return replace(state, direction=direction, unit=unit, line=line, memory=None)

    def _taken(self, state: SearchedState, point: Vector, evaluation: Evaluation) -> SearchedState:
        assert state.line is not None
        at = Turn(state, point, evaluation.gradient, _held(state.box, point, evaluation.gradient))
        memory, direction = self.turn(at)
        recent, reference = self.reference((*state.recent, evaluation.cost))
        new = replace(
            state,
            x=point,
            number=state.number + 1,
            rate=state.line.length / state.unit,
            accepted=True,
            cost=evaluation.cost,
            gradient=evaluation.gradient,
            held=at.held,
            recent=recent,
            moved=at.moved.norm(),
            softest=_softest(state.softest, at),
        )
        if new.box is not None:
            direction = _inward(new.box, point, without(direction, at.held))
        direction, unit = _scaled(direction)
        slope = direction.dot(evaluation.gradient)
        if memory is None or not (slope < 0 and direction.finite):
            return self._steepest(new, new.moved)
        length = self.first_length(at, direction, unit)
        line = self.strategy().begin(new.cost, slope, length, reference)
        near = self._near(new, length * direction)
        close = near and (state.near or self.knows(new))  # methods that know less ask twice
        ending = Ending.CLOSE if close else None
        return replace(new, direction=direction, unit=unit, line=line, memory=memory, near=near, gave_up=ending)


def _scaled(direction: Vector) -> tuple[Vector, float]:
    """Return the direction divided by a power of two, which rounds nothing, and that power."""
    size = direction.norm()
    if not 0.0 < size < float("inf"):
        return direction, 1.0
    unit = 2.0 ** min(1000, max(-1000, frexp(size)[1] - 1))
    return (1.0 / unit) * direction, unit


def _shrinking(state: SearchedState, step: Vector) -> bool:
    """Whether the minimum is no further, in any variable, than doubles support.

    `step` is the one that would be taken next.  If steps go on shrinking as this one does, by the factor q, the
    way that is left is step/(1 - q); and the slower they shrink, the less is known about what is left.
    """
    assert state.origin is not None
    shrunk = step.norm()
    if not shrunk < state.moved:
        return False
    bound = CLOSE * (1.0 - shrunk / state.moved) ** 2
    return all(abs(s) <= bound * scale for s, scale in zip(step, _scales(state), strict=True))


def _flat(state: SearchedState) -> bool:
    """Whether the minimum would be as near if the cost bent everywhere as little as along its softest direction."""
    assert state.gradient is not None
    slopes = without(state.gradient, state.held)
    return all(abs(g) * state.softest <= CLOSE * scale for g, scale in zip(slopes, _scales(state), strict=True))


def _scales(state: SearchedState) -> list[float]:
    assert state.origin is not None
    return [max(abs(x), abs(x - o)) for x, o in zip(state.x, state.origin, strict=True)]


def _softest(before: float, at: Turn) -> float:
    """Return the inverse of the smallest curvature lately; if it is falling (x⁴), what it will be after a step more."""
    now = _softness(at)
    return max(FORGET * before, now * max(1.0, now / before) if before else now)


def _softness(at: Turn) -> float:
    """Return the inverse of the mean curvature along the step, sᵀs/sᵀy; 0 where the cost does not bend upward."""
    far, bend = at.moved.norm(), at.turned.norm()
    if not (0 < far < float("inf") and 0 < bend < float("inf")):
        return 0.0
    cosine = ((1.0 / far) * at.moved).dot((1.0 / bend) * at.turned)
    return far / bend / cosine if cosine > 0 else 0.0


def without(vector: Vector, held: frozenset[int]) -> Vector:
    """Return the vector with 0 in the entries that are held."""
    if not held:
        return vector
    return vector.like([0.0 if k in held else v for k, v in enumerate(vector)])


def _held(box: Box | None, point: Vector, gradient: Vector) -> frozenset[int]:
    return frozenset() if box is None else frozenset(box.held(point, gradient))


def _inward(box: Box, point: Vector, direction: Vector) -> Vector:
    """Return the direction without the entries that would leave the box at once: they cannot move."""
    entries = zip(point, direction, box.lower, box.upper, strict=True)
    return direction.like([0.0 if (x <= low and d < 0) or (x >= up and d > 0) else d for x, d, low, up in entries])


def _slope(state: SearchedState, gradient: Vector) -> float:
    """Return φ'(t): the slope along the path, on which an entry stands still once a bound has stopped it."""
    assert state.direction is not None
    assert state.line is not None
    if state.box is None:
        return gradient.dot(state.direction)
    ends = state.x + state.line.length * state.direction
    entries = zip(ends, state.direction, state.box.lower, state.box.upper, strict=True)
    moving = [d if low <= x <= high else 0.0 for x, d, low, high in entries]
    return gradient.dot(gradient.like(moving))
