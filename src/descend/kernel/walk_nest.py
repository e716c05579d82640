"""A nest of loops walked with NumPy: the small tier, the fallback, and the reference that knows its rounding errors.

Innermost loops are evaluated for all their rounds at once; loops around them go round in Python.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, isfinite, isnan
from typing import Any, NamedTuple

from descend.kernel.interpret import arrays
from descend.kernel.nest import (
    NEUTRAL,
    IndexNumber,
    LoopStatement,
    Nest,
    Operation,
    Pick,
    Read,
    Reduction,
)
from descend.kernel.program import to_double
from descend.kernel.rounding import UNIT, error_of
from descend.kernel.whole import Place, Whole

CHUNK = 65_536  # rounds of an innermost loop that are evaluated at once


class Bad(NamedTuple):
    """The first operation whose result is not finite though its arguments are: a tape entry, its value, and where.

    `indices` maps the level of each index around it to its value.
    """

    origin: int
    value: float
    indices: dict[int, int]


class _Walk:
    """One evaluation.  With `bounded` each slot has a bound on its rounding error beside it."""

    def __init__(self, nest: Nest, first: Mapping[str, int], *, bounded: bool = False, watched: bool = False) -> None:
        import numpy as np

        self.np = np
        self.nest, self.first, self.bounded, self.watched = nest, first, bounded, watched
        self.call = arrays()
        self.values: list[Any] = [0.0] * nest.slots
        self.errors: list[Any] = [0.0] * nest.slots
        self.index: dict[int, Any] = {}
        self.scratch = [np.zeros(size + 1) for size in (nest.scratch, nest.inner_scratch)]
        self.scratch_errors = [np.zeros(size + 1) for size in (nest.scratch, nest.inner_scratch)]
        self.bad: Bad | None = None

    def run(self, inputs: Sequence[float], read: Mapping[str, Any], written: Mapping[str, Any]) -> None:
        self.read, self.written = read, written
        self.written_errors, self.sizes, self.counts = (
            {name: self.np.zeros(len(array)) for name, array in written.items()} for _ in range(3)
        )
        self.values[: len(inputs)] = inputs
        with self.np.errstate(all="ignore"):
            self.statements(self.nest.statements)
            for store in self.nest.stores:
                self.store(store.array, self.place(store.array, store.place), store.slot)
            for name, size in self.sizes.items():
                # Machine code may add the contributions to an entry in another order.
                additions = self.np.maximum(self.counts[name] - 1, 0)
                self.written_errors[name] += self.np.where(self.np.isfinite(size), UNIT * additions * size, inf)

    # ------------------------------------------------------------------------------------------------- pieces

    def whole(self, expression: Whole) -> Any:
        match expression:
            case ("constant", int(value)):
                return value
            case ("index", int(level)):
                return self.index[level]
            case (str(op), tuple(a), tuple(b)):
                left, right = self.whole(a), self.whole(b)
                match op:
                    case "add":
                        return left + right
                    case "mul":
                        return left * right
                return self.np.minimum(left, right) if op == "min" else self.np.maximum(left, right)
        raise AssertionError(expression)

    def place(self, array: str, place: Place) -> Any:
        total: Any = place.constant - self.first[array]
        for level, coefficient in place.coefficients:
            total = total + coefficient * self.index[level]
        return total

    def statements(self, statements: Sequence[Any]) -> None:
        for statement in statements:
            match statement:
                case Operation():
                    self.operation(statement)
                case Read(slot, array, place):
                    self.values[slot] = self.read[array][self.place(array, place)]
                case IndexNumber(slot, level):
                    self.values[slot] = self.np.asarray(self.index[level], dtype=self.np.float64)[()]
                case Pick():
                    self.pick(statement)
                case LoopStatement():
                    self.loop(statement)

    def operation(self, operation: Operation) -> None:
        instruction, slot = operation.instruction, operation.slot
        args = [self.values[a] for a in instruction.args]
        if instruction.value is not None:
            value: Any = to_double(instruction.value)
        else:
            value = self.call[instruction.op](*args)
        self.values[slot] = value
        if self.bounded:
            carried = [self.errors[a] for a in instruction.args]
            self.errors[slot] = error_of(self.call, instruction, args, carried, value)
        if self.watched and self.bad is None:
            self.watch(instruction.origin, args, value)

    def watch(self, origin: int, args: Sequence[Any], value: Any) -> None:
        np = self.np
        wrong = ~np.isfinite(value)
        for arg in args:
            wrong = wrong & np.isfinite(arg)
        if np.any(wrong):
            full, where = (np.atleast_1d(a) for a in np.broadcast_arrays(value, wrong))
            first = int(np.flatnonzero(where)[0])
            around = {level: np.atleast_1d(index) for level, index in self.index.items()}
            indices = {level: int(index[min(first, len(index) - 1)]) for level, index in around.items()}
            self.bad = Bad(origin, float(full[first]), indices)

    def pick(self, pick: Pick) -> None:
        np, scan = self.np, pick.scan
        position, base = self.whole(pick.position), self.whole(scan.base)
        there = position <= self.whole(scan.end) if scan.down else position >= base
        offset = np.where(there, position - base, 0) + scan.offset
        self.values[pick.slot] = np.where(there, self.scratch[scan.inner][offset], pick.neutral)[()]
        self.errors[pick.slot] = np.where(there, self.scratch_errors[scan.inner][offset], 0.0)[()]

    def store(self, array: str, place: Any, slot: int) -> None:
        self.written[array][place] += self.values[slot]
        if self.bounded:
            self.written_errors[array][place] += self.errors[slot]
            self.sizes[array][place] += self.np.abs(self.values[slot])
            self.counts[array][place] += 1

    # -------------------------------------------------------------------------------------------------- loops

    def loop(self, loop: LoopStatement) -> None:
        low, high = int(self.whole(loop.low)), int(self.whole(loop.high))
        totals = [_Total(self, reduction) for reduction in loop.reductions]
        step = CHUNK if loop.leaf else 1
        starts = range(low, high + 1, step)
        for start in reversed(starts) if loop.down else starts:
            size = min(step, high + 1 - start)
            rounds: Any = self.np.arange(start, start + size) if loop.leaf else start
            self.index[loop.level] = rounds
            self.statements(loop.body)
            for total in totals:
                total.take(size, rounds, down=loop.down)
            for store in loop.stores:
                self.store(store.array, self.place(store.array, store.place), store.slot)
        for total in totals:
            self.values[total.slot], self.errors[total.slot] = total.value, total.error


class _Total:
    """A sum, a product or the tangent of one, while its loop runs."""

    def __init__(self, walk: _Walk, reduction: Reduction) -> None:
        self.walk, self.op, self.bodies, self.slot = walk, reduction.op, reduction.bodies, reduction.slot
        self.scan = reduction.scan
        self.value = NEUTRAL[self.op]
        self.error = 0.0
        self.size = 1.0 if self.op == "prod" else 0.0  # what bounds the errors grow with: Σ|b|, or Π(|b| + error)
        self.product = (1.0, 1.0)  # of a tangent: the product beside it, and what bounds it
        self.count = 0

    def take(self, size: int, rounds: Any, *, down: bool) -> None:
        """Take in the bodies of `size` rounds."""
        np = self.walk.np
        bodies = [np.broadcast_to(self.walk.values[slot], size) for slot in self.bodies]
        errors = [np.broadcast_to(self.walk.errors[slot], size) for slot in self.bodies]
        if down:
            bodies, errors = [b[::-1] for b in bodies], [e[::-1] for e in errors]
        if self.scan is None and self.op == "sum":
            self._sum(bodies[0], errors[0])
            return
        found = [self._round(*(float(b[k]) for b in (*bodies, *errors))) for k in range(size)]
        if self.scan is not None:
            offset = self.scan.offset - self.walk.whole(self.scan.base)
            place = np.atleast_1d(rounds)[::-1] if down else np.atleast_1d(rounds)
            self.walk.scratch[self.scan.inner][place + offset] = [value for value, _ in found]
            self.walk.scratch_errors[self.scan.inner][place + offset] = [error for _, error in found]

    def _sum(self, body: Any, error: Any) -> None:
        np = self.walk.np
        self.value += float(np.sum(body))
        if self.walk.bounded:
            # Machine code adds up blocks of 512 rounds, each block to what its piece of the loop has by then, and the
            # pieces, of which one may be a few rounds between two longer ones.
            here, count = float(np.sum(np.abs(body))), len(body)
            self.size += here
            self.error += float(np.sum(error))
            self.error += UNIT * ((min(count, 512) + 2) * here + (count / 256 + 4) * self.size)

    def _round(self, body: float, *rest: float) -> tuple[float, float]:
        """Take in one round; return (value, bound on its error) so far."""
        if self.op == "prod_tangent":
            tangent, body_error, tangent_error = rest
            product, bound = self.product
            most, most_tangent = abs(body) + body_error, abs(tangent) + tangent_error
            self.value = self.value * body + product * tangent
            self.size = (self.size * most + bound * most_tangent) * (1.0 + 4.0 * UNIT)
            self.product = (product * body, bound * most * (1.0 + 2.0 * UNIT))
            exact = self.size if tangent_error or body_error else 0.0
            self.count += 1
            self.error = _gap(exact, self.value, self.count, self.size)
        elif self.op == "held_max":
            if not body <= self.value and not isnan(self.value):  # NaN comes through
                self.value = body
            self.error = max(self.error, rest[0])
        elif self.op == "prod":
            error = rest[0]
            self.count += 1
            before = abs(self.value)
            self.value *= body
            grown = before * error + self.error * (abs(body) + error)
            self.error = grown + UNIT * abs(self.value)
        else:
            self.value += body
            self.error += rest[0] + UNIT * abs(self.value)
        return self.value, self.error if self.error == self.error else inf  # not for NaN, 0·inf


def _gap(exact: float, value: float, count: int, size: float) -> float:
    """Bound the error of a tangent of a product: relative to the sum of the absolute values of its terms."""
    rounding = 4.0 * count * UNIT * size
    return rounding + abs(exact - abs(value)) if exact else rounding


class NestInterpreter:
    """A nest walked with NumPy; the same call as an `IndexedKernel`."""

    def __init__(self, nest: Nest, first: Mapping[str, int]) -> None:
        self.nest, self.first = nest, first

    def __call__(self, inputs: Sequence[float], read: Mapping[str, Any], gradients: Mapping[str, Any]) -> list[float]:
        """Return the outputs and add to `gradients`."""
        walk = _Walk(self.nest, self.first)
        walk.run(inputs, read, gradients)
        return [float(walk.values[slot]) for slot in self.nest.outputs]

    def with_bounds(
        self, inputs: Sequence[float], read: Mapping[str, Any], gradients: Mapping[str, Any]
    ) -> tuple[list[float], list[float], Mapping[str, Any]]:
        """Return (outputs, bounds on their rounding errors, bounds for each entry of the gradients)."""
        walk = _Walk(self.nest, self.first, bounded=True)
        walk.run(inputs, read, gradients)
        values = [float(walk.values[slot]) for slot in self.nest.outputs]
        errors = [float(walk.errors[slot]) for slot in self.nest.outputs]
        return values, [e if isfinite(e) else inf for e in errors], walk.written_errors

    def first_bad(self, inputs: Sequence[float], read: Mapping[str, Any], gradients: Mapping[str, Any]) -> Bad | None:
        """Return the first operation that is not finite though its arguments are."""
        walk = _Walk(self.nest, self.first, watched=True)
        walk.run(inputs, read, gradients)
        return walk.bad
