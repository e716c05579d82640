"""The names that a fixed-step method's `learn` may use, for numbers and for tape symbols alike.

A point or a gradient is a `Vector` when a run is walked by the loop, a NumPy array with a row for each hiker when many
are walked at once, and `Symbols` when the method is traced once on a tape.  A number (a cost, a length, a coefficient)
is a float, a column of the array, or one symbol.  All have + and -; * takes a number and a vector.

Every kind does the same operations in the same order: on a tape nothing is simplified, and sums of entries are taken
from the first to the last.  Division by zero and the like have IEEE meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

from descend.expression.tape import Formula, Tape
from descend.kernel.interpret import FLOATS, arrays
from descend.vector import ArrayVector, Vector

STEP_NUMBER = "`k"  # the symbol of the step number: no door accepts a backtick in a name, so it is nobody's variable


class Symbols:
    """A vector (or, of length 1, a number) of tape entries."""

    __slots__ = ("entries", "tape")

    def __init__(self, tape: Tape, entries: Sequence[int]) -> None:
        self.tape = tape
        self.entries = tuple(entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[int]:
        return iter(self.entries)

    def __bool__(self) -> NoReturn:
        raise TypeError("the truth of a symbol is not known while a method is traced")

    __eq__ = None  # type: ignore[assignment]
    __hash__ = None  # type: ignore[assignment]

    def entrywise(self, op: str, args: Sequence[Any]) -> Symbols:
        """Return op(args) entry by entry; numbers stand for as many equal entries as the longest has."""
        columns = [a.entries if isinstance(a, Symbols) else (self.tape.constant(a),) for a in args]
        size = max(map(len, columns))
        full = [column * size if len(column) == 1 else column for column in columns]
        return Symbols(self.tape, [self.tape.raw(op, row) for row in zip(*full, strict=True)])

    def __add__(self, other: Symbols | float) -> Symbols:
        return self.entrywise("add", (self, other))

    def __radd__(self, other: float) -> Symbols:
        return self.entrywise("add", (other, self))

    def __sub__(self, other: Symbols | float) -> Symbols:
        return self.entrywise("add", (self, -other))

    def __rsub__(self, other: float) -> Symbols:
        return self.entrywise("add", (other, -self))

    def __neg__(self) -> Symbols:
        return Symbols(self.tape, [self.tape.raw("neg", (e,)) for e in self.entries])

    def __mul__(self, factor: float | Symbols) -> Symbols:
        return self.entrywise("mul", (factor, self))

    __rmul__ = __mul__

    def folded(self, op: str, first: int, rest: Sequence[int]) -> Symbols:
        """Return the number op(… op(op(first, a), b) …)."""
        for entry in rest:
            first = self.tape.raw(op, (first, entry))
        return Symbols(self.tape, [first])

    def of(self, formula: Formula, name: str) -> Symbols:
        """Return a formula of `name`, this number put in its place."""
        own = formula.tape
        # Renamed before it is copied: a variable of the cost may have the same name.
        (renamed,) = own.substitute((formula.root,), {own.symbol(name): own.symbol(STEP_NUMBER)})
        return Symbols(self.tape, [self.tape.graft(own, renamed)])


def entrywise(op: str, *args: Any) -> Any:
    """Return the primitive operation `op`, entry by entry; numbers broadcast."""
    for arg in args:
        match arg:
            case float() | int():
                continue
            case Symbols():
                return arg.entrywise(op, args)
            case ArrayVector():
                return ArrayVector(_silently(op, [a.entries if isinstance(a, Vector) else a for a in args]))
            case Vector():
                columns = [a.entries if isinstance(a, Vector) else [a] * len(arg) for a in args]
                return Vector(list(map(FLOATS[op], *columns)))
            case _:
                return _silently(op, args)
    return FLOATS[op](*args)


def _silently(op: str, args: Sequence[Any]) -> Any:
    import numpy as np

    with np.errstate(all="ignore"):
        return arrays()[op](*args)


def times(a: Any, b: Any) -> Any:
    """a·b, entry by entry."""
    return entrywise("mul", a, b)


def plus(a: Any, b: Any) -> Any:
    """Return a + b, entry by entry; either may be a number."""
    return entrywise("add", a, b)


def divide(a: Any, b: Any) -> Any:
    """Return a / b, entry by entry."""
    return entrywise("div", a, b)


def ratio(a: Any, b: Any) -> Any:
    """Return a / b, and 0 where b is 0."""
    return where(equal(b, 0.0), 0.0, divide(a, b))


def sqrt(a: Any) -> Any:
    """Square root."""
    return entrywise("sqrt", a)


def absolute(a: Any) -> Any:
    """|a|."""
    return entrywise("abs", a)


def maximum(a: Any, b: Any) -> Any:
    """The larger of two; NaN where one is NaN."""
    return entrywise("max", a, b)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two; NaN where one is NaN."""
    return entrywise("min", a, b)


def less(a: Any, b: Any) -> Any:
    """Whether a < b, for `where`."""
    return entrywise("lt", a, b)


def equal(a: Any, b: Any) -> Any:
    """Whether a = b, for `where`."""
    return entrywise("eq", a, b)


def where(condition: Any, a: Any, b: Any) -> Any:
    """Return a where the condition holds, else b."""
    return entrywise("where", condition, a, b)


def sign(a: Any) -> Any:
    """-1, 0 or 1; NaN stays."""
    return where(less(0.0, a), 1.0, where(less(a, 0.0), -1.0, a))


def zeros(like: Any) -> Any:
    """The vector of zeros, in the kind of another that is finite."""
    return like - like


def dot(a: Any, b: Any) -> Any:
    """Inner product: a number."""
    match a:
        case Symbols():
            products = times(a, b).entries
            return a.folded("add", a.tape.constant(0), products)
        case Vector():
            return a.dot(b)
    total = 0.0
    for k in range(a.shape[1]):
        total = total + _silently("mul", (a[:, k : k + 1], b[:, k : k + 1]))
    return total


def norm(a: Any) -> Any:
    """Euclidean length, free of overflow and underflow: a number."""
    largest = highest(absolute(a))
    scaled = divide(a, where(equal(largest, 0.0), 1.0, largest))
    return largest * sqrt(dot(scaled, scaled))


def hypot(a: Any, b: Any) -> Any:
    """√(a² + b²) of two numbers, free of overflow and underflow."""
    a, b = absolute(a), absolute(b)
    largest = maximum(a, b)
    small = ratio(minimum(a, b), largest)
    return largest * sqrt(1.0 + small * small)


def highest(a: Any) -> Any:
    """The largest entry: a number; NaN where one is NaN."""
    match a:
        case Symbols():
            return a.folded("max", a.entries[0], a.entries[1:])
        case ArrayVector():
            return float(_silently("max", (a.entries, a.entries)).max())
        case Vector():
            first, *rest = a.entries
            for entry in rest:
                first = FLOATS["max"](first, entry)
            return first
    return a.max(axis=1, keepdims=True)
