"""What methods with a learning rate share: the rate of each step, and how settings are checked."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from descend.descent.arithmetic import Symbols
from descend.descent.method.base import Method, State, stepped
from descend.descent.schedule import Schedule, usable
from descend.descent.status import Ending
from descend.errors import MethodError, printable

FRACTION = (0.0, 1.0)  # settings from 0 on, and below 1
POSITIVE_OR_ZERO = (0.0, float("inf"))
SMALLEST = 5e-324
POSITIVE = (SMALLEST, float("inf"))


@dataclass(frozen=True)
class RatedMethod(Method):
    """A method whose `learning_rate` is a positive number, or a formula of the step number k = 0, 1, 2, ..."""

    learning_rate: float | str

    def __post_init__(self) -> None:
        if isinstance(self.learning_rate, str):
            object.__setattr__(self, "_schedule", Schedule(self.learning_rate))
            return
        message = "a learning rate is a number greater than 0, or a formula of the step number k"
        rate = number(self.learning_rate, message)
        if not usable(rate):
            raise MethodError(message)
        object.__setattr__(self, "learning_rate", rate)

    @property
    def rate_varies(self) -> bool:
        """Whether the rate is a formula."""
        return isinstance(self.learning_rate, str)

    def rate(self, number: Any) -> Any:
        """Return the rate of step `number`: a float, or one symbol while traced."""
        if isinstance(self.learning_rate, str):
            return self._schedule(number)  # type: ignore[attr-defined]
        return self.learning_rate

    def stepped(self, state: State, x: Any, rate: Any, **memory: Any) -> State:
        """Return the state after the step to `x` with its new memory; or the old one, where the rate is not usable."""
        if self.rate_varies and not isinstance(rate, Symbols) and not usable(rate):
            return replace(state, gave_up=Ending.RATE)
        return stepped(state, x, rate, **memory)

    def describe(self) -> str:
        """Return the method with its rate."""
        return f"{self.name}, learning rate {self.learning_rate}"


def number(value: Any, message: str) -> float:
    """Return a setting as a float.  Raises `MethodError`."""
    try:
        found = float(value)
    except (TypeError, ValueError, OverflowError):
        raise MethodError(message) from None
    if isinstance(value, (bool, str)):
        raise MethodError(message)
    return found


def check(method: Method, **ranges: tuple[float, float]) -> None:
    """Make floats of the settings that are named, each from the first number of its range on and below the second."""
    for name, (low, high) in ranges.items():
        given = getattr(method, name)
        upper = f" and less than {high:g}" if high < float("inf") else ""
        lower = "greater than 0" if low == SMALLEST else f"of at least {low:g}"
        message = f"{name} is a number {lower}{upper}, not {printable(repr(given), 40)}"
        value = number(given, message)
        if not low <= value < high:
            raise MethodError(message)
        object.__setattr__(method, name, value)
