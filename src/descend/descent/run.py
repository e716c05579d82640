"""Run: what a descent leaves behind; facts only, no judgement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from descend.evaluation import COST_NOISE, WORST, Evaluation, Work
from descend.vector import Vector

if TYPE_CHECKING:
    from descend.descent.status import Ending
    from descend.descent.trace import Trace


class Look(NamedTuple):
    """A point and what was seen there."""

    point: Vector
    evaluation: Evaluation


TAIL = 8  # points of the recent past that are kept, to tell a cycle


@dataclass(frozen=True)
class Run:
    """One descent.

    `steps` are accepted steps, `looks` evaluations; `rises` counts the looks in a row, at the end, each with a higher
    cost than the one before; `tail` holds the last points, oldest first; `step_size` is the length of the last step;
    `work` counts Hessians and products beside the looks.  `escapes` are the points, no minima, from which the descent
    went on to a lower one, `hops` says where one method went on for another.  `error` is what the callback raised,
    where it ended the run.  `low` and `high` are the ends of what each variable was at the points that were the best
    in turn, where that is known.
    """

    start: Vector
    best: Look
    last: Look
    steps: int
    looks: int
    ending: Ending
    step_size: float
    rises: int
    tail: tuple[Vector, ...]
    seconds: float
    trace: Trace | None = None
    tier: str = "interpreted"
    work: Work = field(default_factory=Work)
    escapes: tuple[Vector, ...] = ()
    hops: tuple[str, ...] = ()
    error: Exception | None = None
    low: Vector | None = None
    high: Vector | None = None

    def furthest(self, point: Vector) -> Vector:
        """Return, for each variable, the value furthest from the point's that it had at the start or at a best point.

        A variable may come back to where it began: how far it has been is its scale all the same.
        """
        low = self.start if self.low is None else self.low.smaller(self.start)
        high = self.start if self.high is None else self.high.larger(self.start)
        pairs = zip(point, low, high, strict=True)
        return point.like([below if x - below > above - x else above for x, below, above in pairs])


@dataclass
class Progress:
    """How far a running descent has come; what stopping rules and callbacks see."""

    start: Vector
    point: Vector
    evaluation: Evaluation | None = None
    steps: int = 0
    looks: int = 0
    step_size: float = float("inf")  # length of the last accepted step
    moved: bool = True  # whether the last step changed the point at all
    accepted: bool = True  # whether the point looked at last became the point of the descent
    idle: int = 0  # looks in a row without a new lowest cost or a new smallest slope
    rises: int = 0
    seconds: float = 0.0
    best: Look | None = None
    last: Look | None = None
    tail: list[Vector] = field(default_factory=list)
    hops: tuple[str, ...] = ()
    error: Exception | None = None
    low: Vector | None = None
    high: Vector | None = None
    _least_square: float = float("inf")
    _best_square: float = float("inf")

    @classmethod
    def resumed(cls, run: Run, point: Vector) -> Progress:
        """Return the progress of a run that goes on from another point: a step there, with the budget spent so far."""
        best = run.best.evaluation
        return cls(
            start=run.start,
            point=point,
            steps=run.steps + 1,
            looks=run.looks,
            step_size=(point - run.best.point).norm(),
            seconds=run.seconds,
            best=run.best,
            last=run.last,
            low=run.low,
            high=run.high,
            _best_square=best.gradient.dot(best.gradient),
        )

    def saw(self, point: Vector, evaluation: Evaluation) -> None:
        """Take in one look."""
        previous = float("inf") if self.evaluation is None else self.evaluation.cost
        self.rises = 0 if evaluation.cost <= previous else self.rises + 1
        self.looks += 1
        self.point, self.evaluation = point, evaluation
        self.tail.append(point)
        del self.tail[:-TAIL]
        square = evaluation.gradient.dot(evaluation.gradient)
        better = least = False
        if evaluation.finite:
            best = WORST if self.best is None else self.best.evaluation.cost
            noise = COST_NOISE * abs(best)
            # Lower by more than the noise of a cost, or equal to it and flatter (the compiled loop says the same).
            better = evaluation.cost < best - noise or (evaluation.cost <= best + noise and square < self._best_square)
            least = square < self._least_square
        if better:
            self.best, self._best_square = Look(point, evaluation), square
            self.low = point if self.low is None else self.low.smaller(point)
            self.high = point if self.high is None else self.high.larger(point)
        if least:
            self._least_square = square
        self.idle = 0 if better or least else self.idle + 1
