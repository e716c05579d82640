"""What the operations of a formula ask of their arguments, as inequalities; what can be solved for a variable is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isinf

from descend.expression.analyse.deadline import Deadline
from descend.expression.analyse.interval import Range, ceil_double, floor_double
from descend.expression.analyse.polynomial import coefficients, expand
from descend.expression.analyse.ranges import Ranges, domain_of
from descend.expression.analyse.roots import Root, real_roots
from descend.expression.functions import CONDITIONS
from descend.expression.tape import Tape

HIGHEST = 12  # degree of a polynomial whose sign is solved for


@dataclass(frozen=True)
class Condition:
    """`entry` must be `relation` than `bound` (">", ">=", "<", "<=", "!="), because of the sub-expression `because`.

    Where it is solved, `variable` is its name and `bound` the number it is compared with (`approximate` if irrational).
    Two relations have no bound: "whole" (`entry` must be a whole number) and "value" (`entry`, a `where`, must have
    one: what its branches ask for is not known to hold in them).
    """

    entry: int
    relation: str
    bound: Fraction
    because: int
    variable: str | None = None
    approximate: bool = False
    partly: bool = False  # the base of a power: elsewhere it is defined too, but for some exponents only
    unless: int | None = None  # the exponent: nothing is asked where it is whole and not negative

    @property
    def narrows(self) -> bool:
        """Whether the formula has no value outside an interval of `entry`."""
        return self.relation[0] in "<>" and not self.partly


def unconditional(tape: Tape, root: int) -> list[int]:
    """Return the entries below `root` that are computed at every point: what stands in a `where` is not."""
    seen = {root}
    todo = [root]
    while todo:
        entry = tape[todo.pop()]
        inner = () if entry.op == "where" else entry.args
        todo += [a for a in inner if a not in seen]
        seen.update(inner)
    return sorted(seen)


def asked(tape: Tape, root: int) -> Iterator[Condition]:
    """Return what the operations that are always computed ask for (a comparison without a value is false)."""
    for index in unconditional(tape, root):
        entry = tape[index]
        if entry.op in CONDITIONS:
            continue
        for position, arg in enumerate(entry.args):
            inside = domain_of(tape, entry, position)
            if inside is not None:
                if not isinf(inside.low):
                    relation = ">" if inside.open_low else ">="
                    yield Condition(arg, relation, Fraction(inside.low), index)
                if not isinf(inside.high):
                    yield Condition(arg, "<" if inside.open_high else "<=", Fraction(inside.high), index)
        if entry.op == "div":
            yield Condition(entry.args[1], "!=", Fraction(0), index)
        elif entry.op == "pow":
            yield from _power(tape, index)
        elif entry.op == "tan":
            yield Condition(tape.call("cos", entry.args[0]), "!=", Fraction(0), index)
        elif entry.op == "bose":
            yield Condition(entry.args[0], "!=", Fraction(0), index)
        elif entry.op in {"atan2", "dircos"}:
            yield Condition(tape.call("hypot", *entry.args), "!=", Fraction(0), index)


def _power(tape: Tape, index: int) -> Iterator[Condition]:
    base, exponent = tape[index].args
    power, number = tape.value(exponent), tape.value(base)
    if power is not None:
        if power.denominator == 1 and power < 0:
            yield Condition(base, "!=", Fraction(0), index)
    elif whole(tape, exponent):
        moves = bool(tape.symbols((exponent,)) or tape.arrays((exponent,)))
        yield Condition(base, "!=", Fraction(0), index, partly=moves, unless=exponent)
    elif number is not None and number < 0:
        yield Condition(exponent, "whole", Fraction(0), index)
    elif number == 0:
        yield Condition(exponent, ">=", Fraction(0), index)
    else:
        yield Condition(base, ">", Fraction(0), index, partly=True, unless=exponent)


WHOLE = frozenset({"add", "mul", "neg", "abs", "min", "max", "sum", "prod"})  # of whole numbers


def whole(tape: Tape, root: int) -> bool:
    """Return whether an entry is a whole number wherever it has a value: made of indices and whole constants."""
    found: dict[int, bool] = {}
    for index in tape.reachable((root,)):
        entry = tape[index]
        match entry.op:
            case "constant":
                found[index] = isinstance(entry.value, Fraction) and entry.value.denominator == 1
            case "index" | "floor" | "ceil" | "sign":
                found[index] = True
            case "where":
                found[index] = found[entry.args[1]] and found[entry.args[2]]
            case "pow":
                power = tape.value(entry.args[1])
                found[index] = found[entry.args[0]] and power is not None and power.denominator == 1 and power >= 0
            case op:
                found[index] = op in WHOLE and all(found[a] for a in entry.args)
    return found[root]


def holds(condition: Condition, bounds: Ranges) -> bool:
    """Return whether a condition certainly holds, given the ranges."""
    r = bounds.get(condition.entry)
    if r is None:
        return False
    if condition.unless is not None:
        exponent = bounds.get(condition.unless)
        known = condition.relation == "!=" or (exponent is not None and exponent.point and exponent.low.is_integer())
        if exponent is not None and known and (exponent.low >= 0 or r.nonzero):
            return True
    bound = float(condition.bound)
    match condition.relation:
        case "value":
            return False
        case "whole":
            return r.point and r.low.is_integer()
        case ">":
            return r.low > bound or (r.low == bound and r.open_low)
        case ">=":
            return r.low >= bound
        case "<":
            return r.high < bound or (r.high == bound and r.open_high)
        case "<=":
            return r.high <= bound
    return bound not in r


def solve(tape: Tape, condition: Condition, deadline: Deadline) -> list[Condition] | None:
    """Solve for the one variable, where the entry is a polynomial in it and the solution is one interval."""
    if condition.relation in {"whole", "value"}:
        return None
    names = tape.symbols((condition.entry,))
    if len(names) != 1 or tape.arrays((condition.entry,)) or tape.free[condition.entry]:
        return None
    ((name, symbol),) = names.items()
    polynomial = expand(tape, condition.entry, [name], deadline, 200)
    if polynomial is None:
        return None
    row = coefficients(polynomial)
    row[0] -= condition.bound
    if len(row) < 2 or len(row) - 1 > HIGHEST:
        return None
    if condition.relation in {"<", "<="}:
        row = [-c for c in row]
    found = real_roots(row, deadline)

    def at(root: Root, relation: str) -> Condition:
        exact = root.low == root.high
        outwards = root.low if relation[0] == ">" else root.high
        bound = root.low if exact else outwards
        return Condition(symbol, relation, bound, condition.because, name, not exact, condition.partly)

    if condition.relation == "!=":
        exact = all(r.low == r.high for r in found)
        return [at(r, "!=") for r in found] if exact and len(found) <= 4 else None
    equal = "=" if condition.relation in {">=", "<="} else ""
    signs = _signs(row, found)
    if any(r.multiplicity > 1 for r in found):
        return None
    if signs == [False, True]:
        return [at(found[0], ">" + equal)]
    if signs == [True, False]:
        return [at(found[0], "<" + equal)]
    if signs == [False, True, False]:
        return [at(found[0], ">" + equal), at(found[1], "<" + equal)]
    return None


def _signs(row: list[Fraction], found: list[Root]) -> list[bool]:
    """Return whether the polynomial is > 0 on each of the intervals between its roots."""
    positive = (row[-1] > 0) == (len(row) % 2 == 1)
    signs = [positive]
    for root in found:
        if root.multiplicity % 2:
            positive = not positive
        signs.append(positive)
    return signs


def box_of(condition: Condition) -> Range:
    """Return the interval to which a condition narrows its entry."""
    if condition.relation[0] == ">":
        return Range(floor_double(condition.bound), inf, condition.relation == ">", True)
    return Range(-inf, ceil_double(condition.bound), True, condition.relation == "<")
