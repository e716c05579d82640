"""Stopping rules as objects, joined with | (any) and & (all).  A rule says when to end, never what was reached."""

from __future__ import annotations

from dataclasses import dataclass

from descend.descent.run import Progress
from descend.descent.status import Ending


class Rule:
    """A stopping rule: `ending` returns why to end now, or None to go on.  It is asked after every look."""

    def ending(self, progress: Progress) -> Ending | None:
        """Return why the loop should end here, or None."""
        raise NotImplementedError

    def __or__(self, other: Rule) -> Rule:
        return AnyOf((*_parts(self, AnyOf), *_parts(other, AnyOf)))

    def __and__(self, other: Rule) -> Rule:
        return AllOf((*_parts(self, AllOf), *_parts(other, AllOf)))


def _parts(rule: Rule, kind: type[AnyOf | AllOf]) -> tuple[Rule, ...]:
    return rule.rules if isinstance(rule, kind) else (rule,)


@dataclass(frozen=True)
class AnyOf(Rule):
    """Ends when one of the rules does; the first in order names the ending."""

    rules: tuple[Rule, ...]

    def ending(self, progress: Progress) -> Ending | None:
        for rule in self.rules:
            ending = rule.ending(progress)
            if ending is not None:
                return ending
        return None


@dataclass(frozen=True)
class AllOf(Rule):
    """Ends when all of the rules do at once."""

    rules: tuple[Rule, ...]

    def ending(self, progress: Progress) -> Ending | None:
        endings = [rule.ending(progress) for rule in self.rules]
        return None if None in endings else endings[-1]


@dataclass(frozen=True)
class Steps(Rule):
    """Ends after `count` accepted steps."""

    count: int

    def ending(self, progress: Progress) -> Ending | None:
        return Ending.STEPS if progress.steps >= self.count else None


@dataclass(frozen=True)
class Looks(Rule):
    """Ends after `count` looks."""

    count: int

    def ending(self, progress: Progress) -> Ending | None:
        return Ending.LOOKS if progress.looks >= self.count else None


@dataclass(frozen=True)
class Seconds(Rule):
    """Ends after `limit` seconds (read between slices: a few hundredths of a second late at most)."""

    limit: float

    def ending(self, progress: Progress) -> Ending | None:
        return Ending.TIME if progress.seconds >= self.limit else None


@dataclass(frozen=True)
class StepSize(Rule):
    """The article's rule: ends when the last step is shorter than `precision`."""

    precision: float

    def ending(self, progress: Progress) -> Ending | None:
        return Ending.STEP_SMALL if progress.accepted and progress.step_size < self.precision else None


@dataclass(frozen=True)
class Target(Rule):
    """Ends at the first point whose cost is at most `cost` (in the sign that is minimised) and finite."""

    cost: float

    def ending(self, progress: Progress) -> Ending | None:
        seen = progress.evaluation
        return Ending.TARGET if seen is not None and seen.finite and seen.cost <= self.cost else None


@dataclass(frozen=True)
class NotFinite(Rule):
    """Ends when cost or gradient is not finite."""

    def ending(self, progress: Progress) -> Ending | None:
        return None if progress.evaluation is None or progress.evaluation.finite else Ending.NOT_FINITE


@dataclass(frozen=True)
class Unmoved(Rule):
    """Ends when a step leaves every variable as it was, to the last bit."""

    def ending(self, progress: Progress) -> Ending | None:
        return None if progress.moved else Ending.UNMOVED


@dataclass(frozen=True)
class Idle(Rule):
    """Ends after `patience` looks in a row with neither a new lowest cost nor a new smallest slope."""

    patience: int

    def ending(self, progress: Progress) -> Ending | None:
        return Ending.IDLE if progress.idle >= self.patience else None
