"""Many descents of one cost at once, by a method of fixed step: a row of an array for each hiker.

Each hiker walks as alone (bit for bit where NumPy's functions round as the C library's do), has a budget and an ending
of its own, and leaves the others when it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from time import perf_counter
from typing import Any, Protocol

from descend.box import Box
from descend.descent.arithmetic import dot
from descend.descent.loop import finish
from descend.descent.method.base import Method, State
from descend.descent.run import TAIL, Look, Progress, Run
from descend.descent.status import Ending
from descend.descent.stopping import AnyOf, Idle, Looks, NotFinite, Rule, Seconds, Steps, StepSize, Unmoved
from descend.errors import MethodError
from descend.evaluation import COST_NOISE, WORST, Evaluation
from descend.vector import Vector


class ManyPoints(Protocol):
    """An objective that can look at many points at once."""

    box: Box | None

    def looks(self, points: Any) -> tuple[Any, Any]:
        """Return costs (hikers,) and gradients (hikers, variables)."""
        ...


@dataclass(frozen=True)
class Boxes:
    """The box of the variables, for many points."""

    lower: Any
    upper: Any

    def project(self, points: Any) -> Any:
        """Return the nearest points of the box."""
        import numpy as np

        return np.minimum(np.maximum(points, self.lower), self.upper)


def walk_many(objective: ManyPoints, method: Method, starts: Sequence[Vector], stopping: Rule) -> list[Run]:
    """Walk from each of `starts` until `stopping` ends that hiker; return the runs in their order.

    `stopping` counts for each hiker alone: with `Looks(1000)` each has a thousand.  Raises `MethodError` for a method
    that is not of fixed step, and for rules other than joined with | and those of a descent.
    """
    if not method.fixed_step:
        raise MethodError(f"{method.name} is not of fixed step: its hikers walk one after the other")
    return _Hikers(objective, method, starts, stopping).walk()


@dataclass
class _Seen:
    """What is remembered of every hiker, an entry or a row each."""

    looks: Any
    steps: Any
    rises: Any
    idle: Any
    cost: Any
    best_cost: Any
    best_square: Any
    least_square: Any
    step_size: Any
    moved: Any
    point: Any
    gradient: Any
    best: Any
    best_gradient: Any


class _Hikers:
    def __init__(self, objective: ManyPoints, method: Method, starts: Sequence[Vector], stopping: Rule) -> None:
        import numpy as np

        self.np, self.objective, self.method, self.starts = np, objective, method, list(starts)
        self.rules = stopping.rules if isinstance(stopping, AnyOf) else (stopping,)
        x = np.array([start.array() for start in self.starts])
        count, size = x.shape
        box = None if objective.box is None else Boxes(objective.box.lower.array(), objective.box.upper.array())
        self.state: State = method.start(x, box)  # type: ignore[arg-type] # as vectors, for `arithmetic`
        self.who = np.arange(count)  # the hikers that still walk: the rows of the state
        self.endings: list[Ending] = [Ending.INTERRUPTED] * count
        infinite, nothing = np.full(count, np.inf), np.zeros(count, dtype=np.int64)
        nan = np.full((count, size), np.nan)
        self.seen = _Seen(
            nothing.copy(), nothing.copy(), nothing.copy(), nothing.copy(), infinite.copy(), np.full(count, WORST),
            infinite.copy(), infinite.copy(), infinite.copy(), np.ones(count, dtype=bool), x.copy(), nan.copy(),
            nan.copy(), nan.copy(),
        )  # fmt: skip
        self.tail = np.full((TAIL, count, size), np.nan)

    def walk(self) -> list[Run]:
        """Walk until the last has ended."""
        began = perf_counter()
        try:
            with self.np.errstate(all="ignore"):
                while len(self.who):
                    self.turn(perf_counter() - began)
        except KeyboardInterrupt:  # who still walks keeps what it has seen
            pass
        return [self.run(k, perf_counter() - began) for k in range(len(self.starts))]

    def turn(self, seconds: float) -> None:
        """Look, ask the rules, and learn, with all that still walk."""
        np, seen = self.np, self.seen
        point = self.state.x
        cost, gradient = self.objective.looks(point)
        self.saw(point, cost, gradient)
        ended = np.zeros(len(self.who), dtype=bool)
        for rule in self.rules:
            holds, ending = self.asked(rule, seconds)
            for k in self.who[holds & ~ended]:
                self.endings[k] = ending
            ended |= holds
        keep = ~ended
        if ended.any():
            self.leave(keep)
            point, cost, gradient = point[keep], cost[keep], gradient[keep]
        if not len(self.who):
            return
        old = self.state
        evaluation = Evaluation(cost[:, None], gradient)
        self.state = self.method.learn(old, old.x, evaluation)
        if self.state.gave_up is not None:
            for k in self.who:
                self.endings[k] = self.state.gave_up
            self.who = self.who[:0]
            return
        change = self.state.x - old.x
        seen.steps[self.who] += 1
        seen.step_size[self.who] = self.lengths(change)
        seen.moved[self.who] = (change != 0).any(axis=1)

    def saw(self, point: Any, cost: Any, gradient: Any) -> None:
        """Take in a look of each: what `Progress.saw` does for one."""
        np, seen, who = self.np, self.seen, self.who
        seen.rises[who] = np.where(cost <= seen.cost[who], 0, seen.rises[who] + 1)
        self.tail[seen.looks[who] % TAIL, who] = point
        seen.looks[who] += 1
        seen.cost[who], seen.point[who], seen.gradient[who] = cost, point, gradient
        square = dot(gradient, gradient)[:, 0]
        finite = self.finite()
        best = seen.best_cost[who]
        noise = COST_NOISE * np.abs(best)
        equal = (cost <= best + noise) & (square < seen.best_square[who])
        better = finite & ((cost < best - noise) | equal)
        least = finite & (square < seen.least_square[who])
        here = who[better]
        seen.best_cost[here], seen.best_square[here] = cost[better], square[better]
        seen.best[here], seen.best_gradient[here] = point[better], gradient[better]
        seen.least_square[who[least]] = square[least]
        seen.idle[who] = np.where(better | least, 0, seen.idle[who] + 1)

    def finite(self) -> Any:
        """Whether cost and gradient of each are finite."""
        seen, who = self.seen, self.who
        return self.np.isfinite(seen.cost[who]) & self.np.isfinite(seen.gradient[who]).all(axis=1)

    def asked(self, rule: Rule, seconds: float) -> tuple[Any, Ending]:
        """Return whom a rule ends here, and how."""
        seen, who = self.seen, self.who
        match rule:
            case Looks(count):
                return seen.looks[who] >= count, Ending.LOOKS
            case Steps(count):
                return seen.steps[who] >= count, Ending.STEPS
            case NotFinite():
                return ~self.finite(), Ending.NOT_FINITE
            case Unmoved():
                return ~seen.moved[who], Ending.UNMOVED
            case Idle(patience):
                return seen.idle[who] >= patience, Ending.IDLE
            case StepSize(precision):
                return seen.step_size[who] < precision, Ending.STEP_SMALL
            case Seconds(limit):
                return self.np.full(len(who), seconds >= limit), Ending.TIME
        raise MethodError(f"hikers cannot be stopped by {type(rule).__name__}")

    def lengths(self, change: Any) -> Any:
        """Return the length of each row, as `Vector.norm` has it."""
        np = self.np
        largest = np.abs(change).max(axis=1)
        plain = np.sqrt(dot(change, change)[:, 0])
        scaled = change / largest[:, None]
        usable = (largest > 0) & np.isfinite(largest)
        careful = np.where(usable, largest * np.sqrt(dot(scaled, scaled)[:, 0]), largest)
        return np.where((largest > 1e-150) & (largest < 1e150), plain, careful)

    def leave(self, keep: Any) -> None:
        """Go on with those that are kept."""
        self.who = self.who[keep]
        own = {f.name: getattr(self.state, f.name) for f in fields(self.state)}
        rows = {name: value[keep] for name, value in own.items() if isinstance(value, self.np.ndarray)}
        self.state = replace(self.state, **rows)

    def run(self, k: int, seconds: float) -> Run:
        """Return the facts of hiker k."""
        seen, start = self.seen, self.starts[k]
        looks = int(seen.looks[k])
        progress = Progress(start, start)
        if looks:
            last = Vector(seen.point[k].tolist())
            gradient = Vector(seen.gradient[k].tolist())
            progress.point, progress.last = last, Look(last, Evaluation(float(seen.cost[k]), gradient))
        if seen.best_cost[k] < WORST:
            best = Evaluation(float(seen.best_cost[k]), Vector(seen.best_gradient[k].tolist()))
            progress.best = Look(Vector(seen.best[k].tolist()), best)
        progress.looks, progress.steps = looks, int(seen.steps[k])
        progress.rises, progress.idle = int(seen.rises[k]), int(seen.idle[k])
        progress.step_size = float(seen.step_size[k])
        progress.tail = [Vector(self.tail[j % TAIL, k].tolist()) for j in range(max(0, looks - TAIL), looks)]
        return finish(progress, self.endings[k], None, seconds)
