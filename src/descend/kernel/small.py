"""Whole loops of a fixed-step method in machine code: look, compare, update, thousands of times a microsecond.

The update rule comes as a program (traced from the method's own `learn`), so loop and interpreter share one
definition; without reassociation they walk the same path, bit for bit.  A call runs a slice of the loop and keeps
everything in two buffers, so that signals, time limits and progress are served between slices.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

from descend.evaluation import COST_NOISE, WORST, Vector
from descend.kernel.compile import MachineCode
from descend.kernel.lower import Body, double, module
from descend.kernel.program import Program

NEVER = 2**62  # more steps than anybody waits for: counters are 64 bits wide
TAIL = 8  # points of the recent past that are kept, a power of two

# Layout of the integer buffer, and of the doubles behind the vectors x, best x and the tail.
LOOKS, STEPS, IDLE, RISES, MOVED, MAX_STEPS, PATIENCE, INTEGERS = range(8)
COST, BEST_COST, BEST_SQUARE, LEAST_SQUARE, STEP_SIZE, STEP_LIMIT, DOUBLES = range(7)

RUNNING, STEPS_DONE, STEP_SMALL, NOT_FINITE, IDLE_TOO_LONG, UNMOVED = range(6)
INFINITY = double(float("inf"))


@dataclass(frozen=True)
class LoopRules:
    """Which endings are compiled into the loop (each costs a little)."""

    step_size: bool = False
    patience: bool = False
    unmoved: bool = False
    order: tuple[int, ...] = (NOT_FINITE, STEP_SMALL, UNMOVED, IDLE_TOO_LONG, STEPS_DONE)  # the first that holds wins

    @property
    def codes(self) -> list[int]:
        """Return the endings that are asked for, in their order."""
        asked = {STEP_SMALL: self.step_size, UNMOVED: self.unmoved, IDLE_TOO_LONG: self.patience}
        return [code for code in self.order if asked.get(code, True)]


def loop_function(program: Program, size: int, rules: LoopRules) -> str:
    """Return the module of ``i64 loop(double* d, i64* n, i64 count)``.

    Inputs of `program`: the `size` variables, then the number of the step; outputs: cost, gradient, new variables.
    Each turn looks at x, keeps the best point, asks the rules, and updates.  Returns why it ended (`RUNNING`: the
    slice is over).
    """
    b = Body()
    d, best, tail = 0, size, 2 * size  # x, best x, then the tail and the numbers
    numbers = tail + TAIL * size
    b.label("entry")
    x0 = [b.load("%d", d + k) for k in range(size)]
    integers = {k: b.load("%n", k, "i64") for k in range(INTEGERS)}
    doubles = {k: b.load("%d", numbers + k) for k in range(DOUBLES)}
    limit = doubles[STEP_LIMIT]
    b.write("br label %turn")

    b.label("turn")  # loop-carried values; their phis are written when the updates are known
    x = [b.fresh() for _ in range(size)]
    carried_integers = {k: b.fresh() for k in (LOOKS, STEPS, IDLE, RISES, MOVED)}
    carried_doubles = {k: b.fresh() for k in (COST, BEST_COST, BEST_SQUARE, LEAST_SQUARE, STEP_SIZE)}
    left = b.fresh()
    phis = len(b.lines)

    names = [*x, b.emit(f"sitofp i64 {carried_integers[STEPS]} to double")] + [""] * len(program.instructions)
    b.program(program, names)
    cost, *rest = (names[slot] for slot in program.outputs)
    gradient, new = rest[:size], rest[size:]

    square = _squares(b, gradient)
    looks = b.emit(f"add i64 {carried_integers[LOOKS]}, 1")
    finite = "true"
    for value in (cost, *gradient):
        small = b.emit(f"fcmp olt double {b.intrinsic('fabs', value)}, {INFINITY}")
        finite = b.emit(f"and i1 {finite}, {small}")
    # Better: lower by more than the noise of a cost, or equal to it and flatter (`Progress.saw` says the same).
    best_so_far = carried_doubles[BEST_COST]
    noise = b.emit(f"fmul double {b.intrinsic('fabs', best_so_far)}, {double(COST_NOISE)}")
    lower = b.emit(f"fcmp olt double {cost}, {b.emit(f'fsub double {best_so_far}, {noise}')}")
    equal = b.emit(f"fcmp ole double {cost}, {b.emit(f'fadd double {best_so_far}, {noise}')}")
    flatter = b.emit(f"fcmp olt double {square}, {carried_doubles[BEST_SQUARE]}")
    better = b.emit(f"or i1 {lower}, {b.emit(f'and i1 {equal}, {flatter}')}")
    better = b.emit(f"and i1 {better}, {finite}")
    idle, least_square = carried_integers[IDLE], carried_doubles[LEAST_SQUARE]
    if rules.patience:
        least = b.emit(f"and i1 {b.emit(f'fcmp olt double {square}, {least_square}')}, {finite}")
        least_square = b.emit(f"select i1 {least}, double {square}, double {least_square}")
        progress = b.emit(f"or i1 {better}, {least}")
        idle = b.emit(f"select i1 {progress}, i64 0, i64 {b.emit(f'add i64 {idle}, 1')}")
    rising = b.emit(f"fcmp ugt double {cost}, {carried_doubles[COST]}")  # NaN counts as higher
    rises = b.emit(f"select i1 {rising}, i64 {b.emit(f'add i64 {carried_integers[RISES]}, 1')}, i64 0")
    ring = b.emit(f"and i64 {carried_integers[LOOKS]}, {TAIL - 1}")
    place = b.emit(f"add i64 {b.emit(f'mul i64 {ring}, {size}')}, {tail}")
    for k in range(size):
        b.store(x[k], "%d", b.emit(f"add i64 {place}, {k}"))
    b.write(f"br i1 {better}, label %keep, label %judge")
    b.label("keep")
    for k in range(size):
        b.store(x[k], "%d", best + k)
    b.write("br label %judge")

    b.label("judge")  # phis, not selects: a predicted branch keeps the comparison off the loop's critical path
    best_cost = b.emit(f"phi double [{cost}, %keep], [{carried_doubles[BEST_COST]}, %turn]")
    best_square = b.emit(f"phi double [{square}, %keep], [{carried_doubles[BEST_SQUARE]}, %turn]")
    reason = "0"
    conditions = {
        NOT_FINITE: f"xor i1 {finite}, true",
        STEP_SMALL: f"fcmp olt double {carried_doubles[STEP_SIZE]}, {limit}",
        UNMOVED: f"icmp eq i64 {carried_integers[MOVED]}, 0",
        IDLE_TOO_LONG: f"icmp sge i64 {idle}, {integers[PATIENCE]}",
        STEPS_DONE: f"icmp sge i64 {carried_integers[STEPS]}, {integers[MAX_STEPS]}",
    }
    for code in reversed(rules.codes):
        reason = b.emit(f"select i1 {b.emit(conditions[code])}, i64 {code}, i64 {reason}")
    ended = b.emit(f"icmp ne i64 {reason}, 0")
    b.write(f"br i1 {ended}, label %out, label %learn")

    b.label("learn")
    steps = b.emit(f"add i64 {carried_integers[STEPS]}, 1")
    step_size = carried_doubles[STEP_SIZE]
    moved = carried_integers[MOVED]
    change = []
    if rules.step_size or rules.unmoved:
        change = [b.emit(f"fsub double {fresh}, {old}") for old, fresh in zip(x, new, strict=True)]
    if rules.step_size:
        step_size = _norm(b, change)
    if rules.unmoved:
        changed = "false"
        for difference in change:  # not fresh ≠ old: the loop takes inf - inf for a move
            changed = b.emit(f"or i1 {changed}, {b.emit(f'fcmp une double {difference}, {double(0.0)}')}")
        moved = b.emit(f"zext i1 {changed} to i64")
    b.write("br label %next")
    b.label("next")  # the one place from where the loop turns
    turns = b.emit(f"sub i64 {left}, 1")
    again = b.emit(f"icmp sgt i64 {turns}, 0")
    b.write(f"br i1 {again}, label %turn, label %pause")

    after = {LOOKS: looks, STEPS: steps, IDLE: idle, RISES: rises, MOVED: moved}
    after_doubles = {
        COST: cost, BEST_COST: best_cost, BEST_SQUARE: best_square, LEAST_SQUARE: least_square, STEP_SIZE: step_size,
    }  # fmt: skip
    b.label("pause")  # the slice is over: the next call looks at the new x
    _save(b, new, after, after_doubles, numbers)
    b.write(f"ret i64 {RUNNING}")
    b.label("out")  # ended at x, which has been looked at
    here = {**after, STEPS: carried_integers[STEPS], MOVED: carried_integers[MOVED]}
    _save(b, x, here, {**after_doubles, STEP_SIZE: carried_doubles[STEP_SIZE]}, numbers)
    b.write(f"ret i64 {reason}")

    heads = [f"  {x[k]} = phi double [{x0[k]}, %entry], [{new[k]}, %next]" for k in range(size)]
    heads += [f"  {n} = phi i64 [{integers[k]}, %entry], [{after[k]}, %next]" for k, n in carried_integers.items()]
    heads += [
        f"  {n} = phi double [{doubles[k]}, %entry], [{after_doubles[k]}, %next]" for k, n in carried_doubles.items()
    ]
    heads.append(f"  {left} = phi i64 [%count, %entry], [{turns}, %next]")
    b.lines[phis:phis] = heads
    return module([("i64 @loop(ptr noalias %d, ptr noalias %n, i64 %count)", b)])


def _norm(b: Body, entries: list[str]) -> str:
    """Write the Euclidean length of a vector, free of overflow and underflow, as `Vector.norm` has it."""
    sizes = [b.intrinsic("fabs", e) for e in entries]
    if len(entries) == 1:
        return sizes[0]  # the root of the square is the same double wherever the square is normal
    largest = sizes[0]
    for size in sizes[1:]:
        largest = b.intrinsic("maximum", largest, size)
    plain = b.intrinsic("sqrt", _squares(b, entries))
    inside = b.emit(f"fcmp ogt double {largest}, {double(1e-150)}")
    inside = b.emit(f"and i1 {inside}, {b.emit(f'fcmp olt double {largest}, {double(1e150)}')}")
    b.write(f"br i1 {inside}, label %measured, label %scale")
    b.label("scale")
    root = b.intrinsic("sqrt", _squares(b, [b.emit(f"fdiv double {e}, {largest}") for e in entries]))
    scaled = b.emit(f"fmul double {largest}, {root}")
    usable = b.emit(f"fcmp one double {largest}, {double(0.0)}")
    usable = b.emit(f"and i1 {usable}, {b.emit(f'fcmp olt double {largest}, {INFINITY}')}")
    scaled = b.emit(f"select i1 {usable}, double {scaled}, double {largest}")  # 0, inf and NaN are their own length
    b.write("br label %measured")
    b.label("measured")
    return b.emit(f"phi double [{plain}, %learn], [{scaled}, %scale]")


def _squares(b: Body, entries: list[str]) -> str:
    """Write the sum of squares, added from the first to the last."""
    total = double(0.0)
    for entry in entries:
        total = b.emit(f"fadd double {total}, {b.emit(f'fmul double {entry}, {entry}')}")
    return total


def _save(b: Body, x: list[str], integers: dict[int, str], doubles: dict[int, str], numbers: int) -> None:
    for k, value in enumerate(x):
        b.store(value, "%d", k)
    for k, value in integers.items():
        b.store(value, "%n", k, "i64")
    for k, value in doubles.items():
        b.store(value, "%d", numbers + k)


class SmallLoop:
    """A compiled loop with its buffers.  `run(count)` walks at most `count` looks and returns why it ended."""

    def __init__(
        self, program: Program, start: Vector, rules: LoopRules, *, max_steps: int, patience: int, step_limit: float
    ) -> None:
        self.size = len(start)
        self._code = MachineCode(loop_function(program, self.size, rules), 1, len(program.instructions))
        self._numbers = (2 + TAIL) * self.size
        self._d = (ctypes.c_double * (self._numbers + DOUBLES))()
        self._n = (ctypes.c_int64 * INTEGERS)()
        self._d[: self.size] = list(start)
        self._d[self.size : 2 * self.size] = list(start)
        for which in range(DOUBLES):
            first = {STEP_LIMIT: step_limit, BEST_COST: WORST}
            self._d[self._numbers + which] = first.get(which, float("inf"))
        self._n[MOVED] = 1
        self._n[MAX_STEPS] = min(max_steps, NEVER)
        self._n[PATIENCE] = min(patience, NEVER)
        prototype = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
        self._call = prototype(self._code.address("loop"))

    def run(self, count: int) -> int:
        """Walk a slice; the interpreter lock is released meanwhile."""
        return int(self._call(ctypes.addressof(self._d), ctypes.addressof(self._n), count))

    def integer(self, which: int) -> int:
        """Return one of the counters."""
        return int(self._n[which])

    def number(self, which: int) -> float:
        """Return one of the numbers."""
        return float(self._d[self._numbers + which])

    def set_step_limit(self, limit: float) -> None:
        """Change the step size below which the loop ends."""
        self._d[self._numbers + STEP_LIMIT] = limit

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
        looks = self.integer(LOOKS)
        first = max(0, looks - TAIL)
        places = [(2 + (k % TAIL)) * self.size for k in range(first, looks)]
        return [Vector(self._d[p : p + self.size]) for p in places]
