"""What a compiled loop keeps in its buffers, and which rules it follows."""

from __future__ import annotations

from dataclasses import dataclass

TAIL = 8  # points of the recent past that are kept, a power of two
ROWS = 512  # recorded looks that are kept until somebody takes them

# Layout of the integer buffer, and of the doubles behind the vectors x, best x and the tail.  The method's memory
# comes behind them.
LOOKS, STEPS, IDLE, RISES, SMALL, STILL, MAX_STEPS, PATIENCE, RECORDED, NEXT, STRIDE, INTEGERS = range(12)
COST, BEST_COST, BEST_SQUARE, LEAST_SQUARE, STEP_LIMIT, RATE, DOUBLES = range(7)

RUNNING, STEPS_DONE, STEP_SMALL, NOT_FINITE, IDLE_TOO_LONG, UNMOVED, BAD_RATE = range(7)

# What a turn hands to the next, and its place in the buffers.  The last step was small; it left x as it was: 1 or 0.
CARRIED = {
    "i64": {
        "steps": STEPS, "idle": IDLE, "rises": RISES, "small": SMALL, "still": STILL, "recorded": RECORDED,
        "next": NEXT,
    },
    "double": {
        "cost": COST, "best cost": BEST_COST, "best square": BEST_SQUARE, "least square": LEAST_SQUARE, "rate": RATE,
    },
}  # fmt: skip


@dataclass(frozen=True)
class LoopRules:
    """Which endings are compiled into the loop, and whether it records (each costs a little)."""

    step_size: bool = False
    patience: bool = False
    unmoved: bool = False
    order: tuple[int, ...] = (NOT_FINITE, STEP_SMALL, UNMOVED, IDLE_TOO_LONG, STEPS_DONE, BAD_RATE)  # first wins
    record: bool = False
    carried: int = 0  # numbers that the method's memory hands from turn to turn, beside the point
    rate: bool = False  # whether the learning rate may stop being a positive number, which ends the loop

    @property
    def codes(self) -> list[int]:
        """Return the endings that are asked for, in their order."""
        asked = {STEP_SMALL: self.step_size, UNMOVED: self.unmoved, IDLE_TOO_LONG: self.patience, BAD_RATE: self.rate}
        return [code for code in self.order if asked.get(code, True)]


def width(size: int) -> int:
    """Return how many doubles a row has: number of steps, cost, rate, x, the x before and the gradient."""
    return 3 + 3 * size
