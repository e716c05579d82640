"""Whole loops of a fixed-step method in machine code: look, compare, update, thousands of times a microsecond.

A call runs a slice of the loop and keeps everything in buffers, so that signals, time limits and progress are served
between slices.  `small_code.py` writes the loop.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence

from descend.evaluation import WORST
from descend.kernel import small_layout as layout
from descend.kernel.compile import MachineCode
from descend.kernel.program import Program
from descend.kernel.small_code import loop_function
from descend.kernel.small_layout import TAIL, LoopRules, width
from descend.vector import Vector

NEVER = 2**62  # more steps than anybody waits for: counters are 64 bits wide


class SmallLoop:
    """A compiled loop with its buffers.  `run(count)` walks at most `count` looks and returns why it ended."""

    def __init__(
        self,
        program: Program,
        start: Vector,
        rules: LoopRules,
        *,
        max_steps: int,
        patience: int,
        step_limit: float,
        memory: Sequence[float] = (),
    ) -> None:
        self.size = len(start)
        self._code = MachineCode(loop_function(program, self.size, rules), 1, len(program.instructions))
        self._numbers = (2 + TAIL) * self.size
        self._d = (ctypes.c_double * (self._numbers + layout.DOUBLES + rules.carried))()
        self._n = (ctypes.c_int64 * layout.INTEGERS)()
        self._width = width(self.size)
        self._rows = (ctypes.c_double * (self._width * (layout.ROWS + 1) if rules.record else 0))()
        self._d[: self.size] = list(start)
        self._d[self.size : 2 * self.size] = list(start)
        for which in range(layout.DOUBLES):
            first = {layout.STEP_LIMIT: step_limit, layout.BEST_COST: WORST, layout.RATE: float("nan")}
            self._d[self._numbers + which] = first.get(which, float("inf"))
        self._d[self._numbers + layout.DOUBLES :] = list(memory)
        self._n[layout.STRIDE] = 1
        self._n[layout.MAX_STEPS] = max(0, min(max_steps, NEVER))
        self._n[layout.PATIENCE] = min(patience, NEVER)
        prototype = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
        self._call = prototype(self._code.address("loop"))

    def run(self, count: int) -> int:
        """Walk a slice, of one look at least; the interpreter lock is released meanwhile."""
        d, n, rows = (ctypes.addressof(buffer) for buffer in (self._d, self._n, self._rows))
        return int(self._call(d, n, rows, max(1, count)))

    def recorded(self) -> Iterator[tuple[int, list[float]]]:
        """The rows that were written, oldest first, and behind them the last look, as one that no step follows.

        Each is the number of steps before it, and cost, rate, x, the x before (where there is one) and gradient.
        """
        if not self.integer(layout.LOOKS):
            return
        for first in range(0, self._width * (self.integer(layout.RECORDED) + 1), self._width):
            steps, *numbers = self._rows[first : first + self._width]
            yield int(steps), numbers

    def record_every(self, stride: int) -> None:
        """Forget the rows; from here on write those whose number of steps is a multiple of `stride`."""
        steps = self.integer(layout.STEPS)
        self._n[layout.RECORDED] = 0
        self._n[layout.STRIDE] = stride
        self._n[layout.NEXT] = -(-steps // stride) * stride

    def integer(self, which: int) -> int:
        """Return one of the counters."""
        return int(self._n[which])

    def number(self, which: int) -> float:
        """Return one of the numbers."""
        return float(self._d[self._numbers + which])

    @property
    def x(self) -> Vector:
        """The point where the loop stands."""
        return Vector(self._d[: self.size])

    @property
    def best(self) -> Vector:
        """The point with the lowest finite cost so far."""
        return Vector(self._d[self.size : 2 * self.size])

    @property
    def tail(self) -> list[Vector]:
        """The last points looked at (at most `TAIL`), oldest first."""
        looks = self.integer(layout.LOOKS)
        first = max(0, looks - TAIL)
        places = [(2 + (k % TAIL)) * self.size for k in range(first, looks)]
        return [Vector(self._d[p : p + self.size]) for p in places]
