"""The closed set of outcomes.  A status's value is the sentence that a user reads."""

from __future__ import annotations

from enum import Enum


class Status(Enum):
    """What was reached, judged at the end, never by which rule ended the loop."""

    # Successes.
    EXACT = "Solved exactly: the minimum was computed in closed form."
    MINIMUM = "A minimum was reached: nothing nearby is lower, and the minimum is no further away than was asked."
    AT_BOUND = "A minimum was reached at a bound: only the bound keeps the cost from falling further."
    AT_KINK = "A minimum was reached at a kink: no slope there points downhill, though none is zero."
    COST_REACHED = "The target was reached: the cost is no higher than was asked."
    # Not successes.
    STEP_SMALL = "The steps became small, but the minimum is further away than the precision asked for."
    LOOKS_SPENT = "The budget ran out before a minimum was reached."
    TIME_SPENT = "The time ran out before a minimum was reached."
    STALLED = "No more progress, and this point could not be shown to be a minimum."
    DIVERGING = "The cost grows from step to step: the learning rate is too large."
    CYCLING = "The steps repeat the same points over and over."
    NOT_FINITE = "The cost or its slope has no finite value here."
    OUTSIDE_DOMAIN = "The start lies outside the domain: the cost or its slope has no value there."
    UNBOUNDED = "There is no minimum: the cost falls without end."
    SADDLE = "The slope is zero, but the cost still falls in some direction: a saddle."
    MAXIMUM = "The slope is zero, but the cost falls on every side: a maximum."
    INTERRUPTED = "Interrupted; the best point so far is kept."
    STOPPED_BY_CALLER = "Stopped by the callback; the best point so far is kept."

    @property
    def success(self) -> bool:
        """Whether this outcome is a success of a minimisation."""
        return self in _SUCCESSES


_SUCCESSES = frozenset({Status.EXACT, Status.MINIMUM, Status.AT_BOUND, Status.AT_KINK, Status.COST_REACHED})


class Ending(Enum):
    """Which rule ended the loop: a fact about the run, not a judgement."""

    STEPS = "the number of steps was reached"
    LOOKS = "the budget of looks was spent"
    TIME = "the time was spent"
    STEP_SMALL = "the step became smaller than the precision"
    NOT_FINITE = "the cost or its slope stopped being finite"
    IDLE = "neither the cost nor the slope became smaller for many looks"
    UNMOVED = "the step no longer changes the point"
    RATE = "the learning rate stopped being a positive number"
    NO_STEP = "no step along the slope lowers the cost"
    FLAT = "the slope is exactly zero"
    CLOSE = "the estimated distance to the minimum is as small as doubles support"
    TARGET = "the cost came down to the target"
    SOLVED = "the minimum was computed in closed form"
    INTERRUPTED = "interrupted"
    CALLER = "the callback asked to stop"
    RAISED = "the callback raised an error"
