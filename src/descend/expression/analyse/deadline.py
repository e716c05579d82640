"""A time limit for questions about a formula: asked inside the loops, so that nothing has to be killed."""

from __future__ import annotations

from time import perf_counter


class OutOfTimeError(Exception):
    """The time for a question is over; its answer is "unknown"."""


class Deadline:
    """A moment after which `check` raises.  Cheap enough for inner loops."""

    def __init__(self, seconds: float) -> None:
        self.began = perf_counter()
        self.until = self.began + seconds

    def check(self) -> None:
        """Raise `OutOfTimeError` when the time is over."""
        if perf_counter() > self.until:
            raise OutOfTimeError

    @property
    def left(self) -> float:
        """Seconds that are left (0 when none are)."""
        return max(0.0, self.until - perf_counter())

    def share(self, fraction: float) -> Deadline:
        """Return a deadline of its own for one question: a fraction of what is left."""
        return Deadline(self.left * fraction)


ENDLESS = Deadline(float("inf"))
