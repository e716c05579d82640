"""A short indexed formula written out: x[0], x[1], ... as symbols of their own, so that exact tests can be made of it.

Only for questions about a formula; what is evaluated is never unrolled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from descend.errors import FormulaError
from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.tape import Formula, Tape

MOST_ENTRIES = 12_000
MOST_TERMS = 4_000


class _TooLongError(Exception):
    pass


def unrolled(
    formula: Formula,
    data: Mapping[str, Sequence[float]] | None = None,
    deadline: Deadline = ENDLESS,
    most: int = MOST_ENTRIES,
) -> Formula | None:
    """Return the formula without sums and products over an index; None where that is too long, or a bound unknown.

    `data` are the values of constant arrays.  Raises `OutOfTimeError`, and `FormulaError` for an index outside them.
    """
    if not formula.tape.arrays((formula.root,)) and not any(
        formula.tape[i].op in {"sum", "prod"} for i in formula.tape.reachable((formula.root,))
    ):
        return formula
    walk = _Unroll(formula.tape, data or {}, deadline, most)
    try:
        root = walk.build(formula.root, {})
    except _TooLongError:
        return None
    return Formula(walk.new, root)


class _Unroll:
    def __init__(self, tape: Tape, data: Mapping[str, Sequence[float]], deadline: Deadline, most: int) -> None:
        self.tape = tape
        self.new = Tape()
        self.data = data
        self.deadline = deadline
        self.most = most
        self.orders: dict[int, list[int]] = {}
        self.shared: dict[int, int] = {}  # entries without free indices

    def order(self, root: int) -> list[int]:
        """Return the entries below `root` that are computed in its own scope."""
        if root not in self.orders:
            seen, todo = {root}, [root]
            while todo:
                entry = self.tape[todo.pop()]
                args = entry.args[-2:] if entry.op in {"sum", "prod"} else entry.args
                todo += [a for a in args if a not in seen]
                seen.update(args)
            self.orders[root] = sorted(seen)
        return self.orders[root]

    def build(self, root: int, places: Mapping[int, int]) -> int:
        made: dict[int, int] = {}
        for index in self.order(root):
            if index in self.shared:
                made[index] = self.shared[index]
                continue
            self.deadline.check()
            made[index] = self.one(index, made, places)
            if not self.tape.free[index]:
                self.shared[index] = made[index]
            if len(self.new) > self.most:
                raise _TooLongError
        return made[root]

    def one(self, index: int, made: Mapping[int, int], places: Mapping[int, int]) -> int:
        entry = self.tape[index]
        match entry.op:
            case "constant":
                assert isinstance(entry.value, Fraction)
                return self.new.constant(entry.value)
            case "symbol":
                return self.new.symbol(str(entry.value))
            case "index":
                assert isinstance(entry.value, int)
                return self.new.constant(places[entry.value])
            case "access":
                return self.access(str(entry.value), self.new.value(made[entry.args[0]]))
            case "sum" | "prod":
                return self.binder(index, made, places)
            case "prod_tangent":
                raise _TooLongError
        return self.new.rebuild(entry, tuple(made[a] for a in entry.args))

    def access(self, name: str, place: Fraction | None) -> int:
        if place is None:
            raise _TooLongError
        if name not in self.data:
            return self.new.symbol(f"{name}[{place}]")
        values = self.data[name]
        if not 0 <= place < len(values):
            raise FormulaError(f"{name}[{place}] is read, but {name} has the entries 0 to {len(values) - 1}")
        return self.new.constant(float(values[int(place)]))

    def binder(self, index: int, made: Mapping[int, int], places: Mapping[int, int]) -> int:
        entry = self.tape[index]
        body, low, high = entry.args[0], self.new.value(made[entry.args[1]]), self.new.value(made[entry.args[2]])
        level = entry.value
        if low is None or high is None or high - low > MOST_TERMS:
            raise _TooLongError
        assert isinstance(level, int)
        parts = [self.build(body, {**places, level: k}) for k in range(int(low), int(high) + 1)]
        if not parts:
            return self.new.constant(1 if entry.op == "prod" else 0)
        return self.new.add(parts) if entry.op == "sum" else self.new.mul(parts)
