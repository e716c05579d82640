"""Adadelta: steps in the unit of the variables, without a learning rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from descend.box import Box
from descend.descent.arithmetic import plus, ratio, sqrt, times, zeros
from descend.descent.method.base import Method, State, stepped
from descend.descent.method.schedules import FRACTION, POSITIVE_OR_ZERO, check
from descend.vector import Vector


@dataclass(frozen=True)
class AdadeltaState(State):
    """Running means of the squares of each entry of the gradients and of the steps."""

    squares: Any = None
    moves: Any = None


@dataclass(frozen=True)
class Adadelta(Method):
    """s ← decay · s + (1 - decay) · g²;  d = √(u + ε)/√(s + ε) · g;  x ← x - d;  u ← decay · u + (1 - decay) · d².

    Entry by entry, with s = u = 0 at first.  The first steps are about √ε long, and grow slowly.  `epsilon` has the
    units of both g² and d².  Source: Zeiler, *ADADELTA*, arXiv:1212.5701 (2012).

    >>> import descend
    >>> descend.minimize("(x-1)^2", 1.5, method=descend.Adadelta(epsilon=1e-4)).status.name
    'MINIMUM'
    """

    name: ClassVar[str] = "adadelta"
    fixed_step: ClassVar[bool] = True
    source: ClassVar[str] = "Zeiler, arXiv:1212.5701 (2012)"

    decay: float = 0.95
    epsilon: float = 1e-6

    def __post_init__(self) -> None:
        check(self, decay=FRACTION, epsilon=POSITIVE_OR_ZERO)

    def start(self, x: Vector, box: Box | None = None) -> AdadeltaState:
        return AdadeltaState(x, box=box, squares=zeros(x), moves=zeros(x))

    def learn(self, state: AdadeltaState, point: Any, evaluation: Any) -> State:
        g, keep, take = evaluation.gradient, self.decay, 1.0 - self.decay
        squares = keep * state.squares + take * times(g, g)
        lengths = ratio(sqrt(plus(state.moves, self.epsilon)), sqrt(plus(squares, self.epsilon)))
        move = times(lengths, g)
        moves = keep * state.moves + take * times(move, move)
        return stepped(state, point - move, 1.0, squares=squares, moves=moves)
