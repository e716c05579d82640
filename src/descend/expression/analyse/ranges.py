"""Bounds on the values of every part of a formula: one walk over the tape in interval arithmetic.

The bounds hold at every point of the domain.  They are seldom the tightest: x·(1 - x) is not seen to be ≤ 1/4, because
the two x are taken for different ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import e, inf

from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.elementary import DOMAIN
from descend.expression.analyse.interval import (
    ANY_LIMIT,
    NONNEGATIVE,
    REALS,
    Range,
    clamp,
    constant,
    down,
    intersect,
    mul,
    up,
    whole_power,
)
from descend.expression.analyse.operations import EITHER, FALSE, TRUE, apply
from descend.expression.tape import Entry, Tape

Ranges = dict[int, Range | None]  # entry → its values; None: there are none

ENTROPY = Range(down(-1 / e, 2), inf)  # u·log(u), and u·exp(u)


def ranges(
    tape: Tape,
    roots: Sequence[int],
    known: Mapping[int, Range] | None = None,
    deadline: Deadline = ENDLESS,
    arrays: Mapping[str, Range] | None = None,
) -> Ranges:
    """Return bounds on every entry below `roots`, given those `known` of some entries and of constant `arrays`.

    Raises `OutOfTimeError`.
    """
    return _walk(tape, roots, known or {}, None, deadline, arrays or {})


def limits(
    tape: Tape, roots: Sequence[int], point: Mapping[int, Range], near: Ranges, deadline: Deadline = ENDLESS
) -> Ranges:
    """Return where every entry tends to as the symbols in `point` tend to their (possibly infinite) numbers.

    `near` are the ranges in a neighbourhood.
    """
    return _walk(tape, roots, point, near, deadline, {})


def _walk(
    tape: Tape,
    roots: Sequence[int],
    known: Mapping[int, Range],
    near: Ranges | None,
    deadline: Deadline,
    arrays: Mapping[str, Range],
) -> Ranges:
    limit = near is not None
    order = tape.reachable(roots)
    result: Ranges = {}
    partial: set[int] = set()  # entries that may have no value at some points
    places = index_ranges(tape, order, deadline) if any(tape[i].op == "index" for i in order) else {}
    for count, index in enumerate(order):
        if count % 64 == 0:
            deadline.check()
        entry = tape[index]
        found: Range | None
        match entry.op:
            case "constant":
                assert isinstance(entry.value, Fraction)
                found = constant(entry.value)
            case "symbol":
                found = REALS
            case "access":
                found = arrays.get(str(entry.value), REALS)
            case "index":
                assert isinstance(entry.value, int)
                found = places.get(entry.value, REALS)
            case _:
                found = _operation(tape, entry, result, near)
                if not limit and _may_lack(tape, entry, result, partial):
                    partial.add(index)
                if entry.op in {"lt", "le", "eq"} and (found is None or not partial.isdisjoint(entry.args)):
                    found = EITHER  # a comparison without a value is false
                if found is not None and not limit:
                    found = clamp(found)
        if index in known:
            found = None if found is None else known[index] if limit else intersect(found, known[index])
        if near is not None and found is None:
            found = ANY_LIMIT
        result[index] = found
    return result


def _operation(tape: Tape, entry: Entry, result: Ranges, near: Ranges | None) -> Range | None:
    limit = near is not None
    if entry.op == "where":
        return _where([result[a] for a in entry.args])
    args: list[Range] = []
    for position, index in enumerate(entry.args):
        arg = result[index]
        domain = domain_of(tape, entry, position)
        if arg is not None and domain is not None:
            arg = intersect(arg, Range(domain.low, domain.high) if limit else domain)
        if arg is None:
            return None
        args.append(arg)
    if entry.op in {"sum", "prod", "prod_tangent"}:
        return _binder(entry.op, args)
    if entry.op == "mul" and not limit:
        return _grouped(tape, entry, args)
    signs = args
    if near is not None:
        signs = [near.get(a) or REALS for a in entry.args]
    return apply(entry.op, args, signs, limit=limit)


def _may_lack(tape: Tape, entry: Entry, result: Ranges, partial: set[int]) -> bool:
    """Whether an operation may have no value although its arguments lie in their ranges."""
    if not partial.isdisjoint(entry.args):
        return True
    for position, index in enumerate(entry.args):
        domain, r = domain_of(tape, entry, position), result[index]
        if r is None or (domain is not None and intersect(r, domain) != r):
            return True
    if entry.op == "div":
        return not (result[entry.args[1]] or REALS).nonzero
    if entry.op == "pow":
        power, base = tape.value(entry.args[1]), result[entry.args[0]] or REALS
        return not base.positive if power is None else power < 0 and not base.nonzero
    return entry.op in {"tan", "atan2", "dircos", "bose"}


def domain_of(tape: Tape, entry: Entry, position: int) -> Range | None:
    """Return where an argument of `entry` may lie, None for anywhere."""
    if entry.op == "polygamma" and position == 1:
        return DOMAIN["gammaln"]
    if entry.op == "pow" and position == 0:
        exponent = tape.value(entry.args[1])
        if exponent is not None and exponent.denominator != 1:
            return NONNEGATIVE if exponent > 0 else DOMAIN["log"]
        return None
    return DOMAIN.get(entry.op) if len(entry.args) == 1 else None


def _where(parts: Sequence[Range | None]) -> Range | None:
    condition, then, otherwise = parts
    if condition in {TRUE, FALSE}:
        return then if condition == TRUE else otherwise
    if then is None or otherwise is None:
        return otherwise if then is None else then
    return None if condition is None else apply("where", [condition, then, otherwise], [], limit=False)


def _grouped(tape: Tape, entry: Entry, args: list[Range]) -> Range | None:
    """Return the values of a product in which x·x is a square, and u·log(u) is ≥ -1/e."""
    powers: dict[int, int] = {}
    of = dict(zip(entry.args, args, strict=True))
    for arg in entry.args:
        powers[arg] = powers.get(arg, 0) + 1
    parts = []
    for arg in list(powers):
        if powers.get(arg) != 1:
            continue
        inner = tape[arg]
        if inner.op in {"log", "exp"} and powers.get(inner.args[0]) == 1:
            parts.append(ENTROPY)
            del powers[arg], powers[inner.args[0]]
    parts += [of[arg] if power == 1 else whole_power(of[arg], power) for arg, power in powers.items()]
    total = parts[0]
    for part in parts[1:]:
        total = mul(total, part)
    return total


def _binder(op: str, args: Sequence[Range]) -> Range:
    """Return the values of a sum or product over an index: of as many terms as there may be."""
    *bodies, low, high = args
    body = bodies[0]
    most = max(0.0, up(high.high - low.low + 1)) if (low.low, high.high) != (-inf, inf) else inf
    least = max(0.0, down(high.low - low.high + 1)) if high.low > -inf and low.high < inf else 0.0
    if low.point and high.point:
        most = least = max(0.0, high.low - low.low + 1)
    if op == "sum":
        total = mul(Range(least, most, False, most == inf), body)
        if body.low == 0 and body.open_low:
            total = Range(0.0, total.high, least > 0, total.open_high)
        return total
    if op == "prod" and body.low >= 0:
        return Range(0.0, inf, body.positive, True)
    return REALS


def index_ranges(tape: Tape, order: Sequence[int], deadline: Deadline) -> dict[int, Range]:
    """Return the values that the index of each level has, over all sums that bind it."""
    found: dict[int, Range] = {}
    binders: dict[int, list[Entry]] = {}
    for index in order:
        entry = tape[index]
        if entry.op in {"sum", "prod", "prod_tangent"} and isinstance(entry.value, int):
            binders.setdefault(entry.value, []).append(entry)
    for level in sorted(binders):
        deadline.check()
        low, high = inf, -inf
        for entry in binders[level]:
            for bound, which in ((entry.args[-2], 0), (entry.args[-1], 1)):
                values = _bound(tape, bound, found)
                low = min(low, values.low) if which == 0 else low
                high = max(high, values.high) if which else high
        found[level] = Range(low, high) if low <= high else Range(low, low)
    return found


def _bound(tape: Tape, root: int, places: Mapping[int, Range]) -> Range:
    """Return the values of a bound, whose indices are of lower levels."""
    values: dict[int, Range] = {}
    for index in tape.reachable((root,)):
        entry = tape[index]
        if isinstance(entry.value, Fraction):
            values[index] = constant(entry.value)
        elif entry.op == "index" and isinstance(entry.value, int):
            values[index] = places.get(entry.value, REALS)
        elif entry.args and entry.op not in {"access", "sum", "prod", "prod_tangent"}:
            args = [values[a] for a in entry.args]
            values[index] = apply(entry.op, args, args, limit=False) or REALS
        else:
            values[index] = REALS
    return values[root]
