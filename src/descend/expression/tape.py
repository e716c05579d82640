"""The tape: the flat, hash-consed expression graph that is the one internal form of every formula.

An entry is one operation on earlier entries, so indices are a topological order and every walk is a plain loop.
Constants are exact (`Fraction`).  Sums and products are n-ary and keep the order in which they were written; a sum
is `add` with `neg` entries (a + (-b) and a - b are the same double), so there is no subtraction.

The builder folds constants exactly and drops neutral elements; it never widens a domain: x/x and 0*log(x) stay.

Sums and products over an index are entries too (`binders.py`).  Each entry knows which indices are free in it, as a
set of bits: the outermost loop in which they are all bound is where the entry is computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import groupby
from math import ceil, floor, isfinite, isqrt
from typing import NamedTuple

from descend.errors import FormulaError, LimitError
from descend.expression import binders
from descend.expression.exact import MAX_BITS, MINUS_ONE, ONE, UNITS, ZERO, ordinary, product, small, too_long
from descend.expression.functions import COMMUTATIVE, TABLE

MAX_POWER = 1000  # largest |exponent| of a constant power that is folded
MAX_ORDERS = {"polygamma": 1000, "exprel_diff": 30}  # of these derivatives, so that their number is bounded


FOLDED: dict[str, Callable[..., Fraction | int]] = {"floor": floor, "ceil": ceil, "abs": abs, "min": min, "max": max}


class Entry(NamedTuple):
    """One operation: `op` is a name of the table, or one of the following, which have a `value`.

    ``constant`` (its value), ``symbol`` (its name), ``index`` (its level), ``access`` (the array's name; the one
    argument is the place), and the binders ``sum``, ``prod``, ``prod_tangent`` (the level of the index they bind).
    """

    op: str
    args: tuple[int, ...]
    value: Fraction | str | int | None


class Tape:
    """An append-only list of entries, each stored once."""

    def __init__(self, max_entries: int = 1_000_000) -> None:
        self.entries: list[Entry] = []
        self.free: list[int] = []  # of each entry: bit k is set where it depends on the index of level k
        self.max_entries = max_entries
        self._index: dict[object, int] = {}
        self._integers: dict[int, int] = {}  # small constants are asked for all the time
        self._partials: dict[int, tuple[int | None, ...]] = {}  # asked for again in each row of a Hessian

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Entry:
        return self.entries[index]

    # ------------------------------------------------------------------------------------------------- leaves

    def constant(self, value: Fraction | float) -> int:
        """Return the entry of an exact constant (a float stands for the binary number it holds)."""
        if type(value) is int and (found := self._integers.get(value)) is not None:
            return found
        if isinstance(value, float) and not isfinite(value):
            raise FormulaError(f"{value} is not a number that a formula can hold")
        exact = value if type(value) is Fraction else Fraction(value)
        key = (exact.numerator, exact.denominator)  # whose hash is soon found, unlike that of a fraction
        index = self._index.get(key)
        if index is None:
            index = self._store(Entry("constant", (), UNITS.get(key) or small(exact)), key)
        if type(value) is int:
            self._integers[value] = index
        return index

    def symbol(self, name: str) -> int:
        """Return the entry of the symbol called `name`."""
        return self._store(Entry("symbol", (), name), ("symbol", name))

    def index(self, level: int) -> int:
        """Return the entry of the index of `level`: bound by the one sum or product around it that has this level."""
        return self._store(Entry("index", (), level), ("index", level))

    def access(self, name: str, place: int) -> int:
        """Return the entry ``name[place]``."""
        value = self.value(place)
        if value is not None and value.denominator != 1:
            raise FormulaError(f"{name}[{value}]: an index must be a whole number")
        return self._store(Entry("access", (place,), name), ("access", name, place))

    def binder(self, op: str, level: int, args: tuple[int, ...]) -> int:
        """Store a sum or product as it is; `binders.bind` makes one with its level put in order."""
        return self._store(Entry(op, args, level), (op, level, args))

    def value(self, index: int) -> Fraction | None:
        """Return the exact value of a constant entry, None of any other."""
        entry = self.entries[index]
        return entry.value if entry.op == "constant" else None  # type: ignore[return-value]

    # ------------------------------------------------------------------------------------------------ building

    def call(self, op: str, *args: int) -> int:
        """Return the entry `op(args)`, simplified where that is exact and keeps the domain."""
        match op:
            case "add":
                return self.add(args)
            case "mul":
                return self.mul(args)
            case "neg":
                return self.neg(args[0])
            case "div":
                return self.div(args[0], args[1])
            case "pow":
                return self.pow(args[0], args[1])
            case "sqrt":
                return self._sqrt(args[0])
            case "where":
                return self._where(*args)
            case "polygamma" | "exprel_diff":
                self._check_order(op, args[0])
            case "floor" | "ceil" | "abs" | "min" | "max":
                values = [value for a in args if (value := self.value(a)) is not None]
                if len(values) == len(args):
                    return self.constant(FOLDED[op](*values))
        row = TABLE[op]
        if len(args) == 1 and row.exact:
            value = self.value(args[0])
            if value is not None and value in row.exact:
                return self.constant(row.exact[value])
        if len(args) > 2 and op in {"min", "max", "and", "or"}:  # several arguments are a chain of two
            result = args[0]
            for other in args[1:]:
                result = self.call(op, result, other)
            return result
        return self.raw(op, args)

    def rebuild(self, entry: Entry, args: tuple[int, ...]) -> int:
        """Return `entry` with other arguments."""
        if entry.op == "access":
            return self.access(str(entry.value), args[0])
        if entry.op in binders.BINDERS:
            assert isinstance(entry.value, int)
            return binders.bind(self, entry.op, entry.value, args)
        return self.call(entry.op, *args)

    def raw(self, op: str, args: tuple[int, ...]) -> int:
        """Store `op(args)` as it is."""
        key = (op, tuple(sorted(args)) if len(args) > 1 and op in COMMUTATIVE else args)
        found = self._index.get(key)
        return self._store(Entry(op, args, None), key) if found is None else found

    def add(self, terms: Iterable[int]) -> int:
        """Return the sum, constants folded into one and equal terms collected (a sum that cancels stays, times 0)."""
        total = ZERO
        constant_first = False
        collected: dict[int, Fraction] = {}  # core entry -> factor, in order of appearance
        for position, term in enumerate(terms):
            value = self.value(term)
            if value is not None:
                total = small(total + value)
                constant_first |= position == 0
                continue
            factor, core = self.factor(term)
            found = collected.get(core)
            collected[core] = factor if found is None else small(found + factor)
        parts = [self.scale(factor, core) for core, factor in collected.items()]
        if total or not parts:
            parts.insert(0 if constant_first else len(parts), self.constant(total))
        return parts[0] if len(parts) == 1 else self.raw("add", tuple(parts))

    def mul(self, factors: Iterable[int]) -> int:
        """Return the product, its constant factor folded and put first (0 times something stays)."""
        constant = ONE
        parts: list[int] = []
        for index in factors:
            factor = self.value(index)
            if factor is None:
                factor, core = self.factor(index)
                parts.append(core)
            if factor is not ONE:
                constant = product(constant, factor)
        if not parts:
            return self.constant(constant)
        return self.scale(constant, parts[0] if len(parts) == 1 else self.raw("mul", tuple(parts)))

    def factor(self, index: int) -> tuple[Fraction, int]:
        """Split an entry into its constant factor and the rest."""
        entry = self.entries[index]
        if entry.op == "neg":
            factor, core = self.factor(entry.args[0])
            return MINUS_ONE if factor is ONE else -factor, core
        if entry.op == "mul":
            value = self.value(entry.args[0])
            if value is not None:
                rest = entry.args[1:]
                return value, rest[0] if len(rest) == 1 else self.raw("mul", rest)
        return ONE, index

    def scale(self, factor: Fraction, core: int) -> int:
        """Return `factor` times `core`, where core has no constant factor of its own."""
        if factor is ONE or factor == 1:
            return core
        if factor is MINUS_ONE or factor == -1:
            return self.raw("neg", (core,))
        head = self.constant(factor)
        entry = self.entries[core]
        return self.raw("mul", (head, *entry.args) if entry.op == "mul" else (head, core))

    def neg(self, index: int) -> int:
        """Return minus the entry."""
        value = self.value(index)
        if value is not None:
            return self.constant(-value)
        factor, core = self.factor(index)
        return self.scale(-factor, core)

    def sub(self, a: int, b: int) -> int:
        """Return a - b."""
        return self.add((a, self.neg(b)))

    def div(self, a: int, b: int) -> int:
        """Return a / b."""
        top, bottom = self.value(a), self.value(b)
        if bottom == 0:
            raise FormulaError("division by zero")
        if bottom is not None and top is not None:
            return self.constant(top / bottom)
        if bottom is not None and bottom.denominator == 1 and abs(bottom.numerator).bit_count() == 1:
            return self.mul((self.constant(1 / bottom), a))  # by a power of two: exact as a product
        factor, core = self.factor(a)
        if bottom is not None and not (ordinary(factor) and ordinary(bottom)):
            return self.scale(small(factor / bottom), core)  # each alone would be rounded to infinity, or to zero
        if factor == -1:  # (-a)/b = -(a/b): the same double, and terms collect
            return self.neg(self.raw("div", (core, b)))
        return self.raw("div", (a, b))

    def pow(self, base: int, exponent: int) -> int:
        """Return base ^ exponent."""
        power, root = self.value(exponent), self.value(base)
        if self.entries[base] == Entry("exp", (self.constant(1),), None):
            return self.call("exp", exponent)  # e^x
        if power is None:
            return self.raw("pow", (base, exponent))
        if root is not None:
            folded = self._constant_power(root, power)
            if folded is not None:
                return folded
        if power == 1:
            return base
        if power == 0 and self.entries[base].op == "symbol":
            return self.constant(1)
        if power == -1:
            return self.div(self.constant(1), base)
        if power == Fraction(1, 2):
            return self._sqrt(base)
        return self.raw("pow", (base, exponent))

    def _constant_power(self, root: Fraction, power: Fraction) -> int | None:
        if root == 0 and power < 0:
            raise FormulaError("division by zero (zero to a negative power)")
        if root < 0 and power.denominator != 1:
            raise FormulaError(
                "a fractional power of a negative number is outside the real numbers; for a cube root write cbrt(...)"
            )
        if root in {0, 1}:
            return self.constant(ONE if power == 0 else root)
        if power.denominator != 1:
            return None
        if abs(power) > MAX_POWER:
            raise LimitError(f"a constant power is limited to exponents of {MAX_POWER}")
        bits = root.numerator.bit_length() + root.denominator.bit_length()
        if bits * abs(power.numerator) > MAX_BITS:
            raise too_long()
        return self.constant(root**power.numerator)

    def _sqrt(self, index: int) -> int:
        value = self.value(index)
        if value is not None:
            if value < 0:
                raise FormulaError("the square root of a negative number is outside the real numbers")
            top, bottom = isqrt(value.numerator), isqrt(value.denominator)
            if top * top == value.numerator and bottom * bottom == value.denominator:
                return self.constant(Fraction(top, bottom))
        return self.raw("sqrt", (index,))

    def _check_order(self, op: str, index: int) -> None:
        order, most = self.value(index), MAX_ORDERS[op]
        if order is None or order.denominator != 1 or not 0 <= order <= most:
            raise FormulaError(f"the order of {op}(order, ...) is a whole number from 0 to {most}")

    def _where(self, condition: int, then: int, otherwise: int) -> int:
        return then if then == otherwise else self.raw("where", (condition, then, otherwise))

    def _store(self, entry: Entry, key: object) -> int:
        found = self._index.get(key)
        if found is not None:
            return found
        if len(self.entries) >= self.max_entries:
            raise LimitError(
                f"the formula needs more than {self.max_entries:,} operations; "
                f"limits=descend.Limits(entries=...) raises the limit"
            )
        self.entries.append(entry)
        self.free.append(binders.free_indices(self.free, entry.op, entry.args, entry.value))
        self._index[key] = len(self.entries) - 1
        return len(self.entries) - 1

    def partials(self, index: int) -> tuple[int | None, ...]:
        """Return the partial derivatives of a function's entry in its arguments, None for zero."""
        found = self._partials.get(index)
        if found is None:
            entry = self.entries[index]
            found = self._partials[index] = TABLE[entry.op].partials(self, entry.args, index)
        return found

    # ------------------------------------------------------------------------------------------------- walking

    def reachable(self, roots: Iterable[int]) -> list[int]:
        """Return the entries that `roots` depend on (themselves included), in topological order."""
        seen = set(roots)
        todo = list(seen)
        while todo:
            for arg in self.entries[todo.pop()].args:
                if arg not in seen:
                    seen.add(arg)
                    todo.append(arg)
        return sorted(seen)

    def symbols(self, roots: Iterable[int]) -> dict[str, int]:
        """Return name → entry of the symbols that `roots` depend on, in natural order of the names."""
        found = {str(e.value): i for i in self.reachable(roots) if (e := self.entries[i]).op == "symbol"}
        return {name: found[name] for name in sorted(found, key=natural)}

    def arrays(self, roots: Iterable[int]) -> tuple[str, ...]:
        """Return the names of the arrays that `roots` read entries of (x[i], c[0]), in natural order."""
        found = {str(e.value) for i in self.reachable(roots) if (e := self.entries[i]).op == "access"}
        return tuple(sorted(found, key=natural))

    def substitute(self, roots: Iterable[int], replacements: dict[int, int]) -> list[int]:
        """Return `roots` with each entry of `replacements` replaced, all at once (by entries without free indices)."""
        roots = list(roots)
        new = dict(replacements)
        for index in self.reachable(roots):
            if index in new:
                continue
            entry = self.entries[index]
            args = tuple(new[a] for a in entry.args)
            new[index] = index if args == entry.args else self.rebuild(entry, args)
        return [new[root] for root in roots]

    def graft(self, other: Tape, root: int) -> int:
        """Copy an entry of another tape, and what it depends on, onto this one."""
        new: dict[int, int] = {}
        for index in other.reachable((root,)):
            entry = other.entries[index]
            if entry.op == "constant":
                assert isinstance(entry.value, Fraction)
                new[index] = self.constant(entry.value)
            elif entry.op == "symbol":
                new[index] = self.symbol(str(entry.value))
            elif entry.op == "index":
                new[index] = self.index(int(entry.value or 0))
            else:
                new[index] = self.rebuild(entry, tuple(new[a] for a in entry.args))
        return new[root]


class Formula(NamedTuple):
    """A tape with the entry that is meant."""

    tape: Tape
    root: int

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the symbols, in natural order (x2 before x10)."""
        return tuple(self.tape.symbols((self.root,)))


def natural(name: str) -> tuple[tuple[int, int | str], ...]:
    """Sort key that counts: x2 before x10."""
    key: list[tuple[int, int | str]] = []
    for is_number, characters in groupby(name, key="0123456789".__contains__):
        if is_number:
            key.append((0, int("".join(characters)[:4000])))
        else:
            key += [(1, character) for character in characters]
    return tuple(key)
