"""Which entries of its arrays a formula touches: how long a variable is, and whether the data are long enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from descend.errors import DataError, FormulaError, LimitError, printable
from descend.expression import binders
from descend.expression.index_ranges import Loops, interval, spans, whole
from descend.expression.reverse import Loop
from descend.expression.tape import Tape
from descend.problem.layout import Extent

LONGEST = 100_000_000  # entries of one array
ENUMERATED = 5_000_000  # rounds of outer loops that are gone through to find holes


class Access(NamedTuple):
    """``array[place]`` under `loops`, of which the first `shared` are those that the search began under."""

    array: str
    place: int
    loops: Loops
    shared: int


def accesses(tape: Tape, root: int, loops: Loops = ()) -> list[Access]:
    """Return every array entry that `root`, an entry under `loops`, reads, each once.

    Raises `FormulaError` for bounds and places that are not whole numbers made of indices.
    """
    found: dict[Access, None] = {}
    seen: set[tuple[int, Loops, int]] = set()
    todo: list[tuple[int, Loops, int]] = [(root, loops, len(loops))]
    while todo:
        index, context, shared = todo.pop()
        context = context[: tape.free[index].bit_length()]
        shared = min(shared, len(context))
        if (index, context, shared) in seen:
            continue
        seen.add((index, context, shared))
        entry = tape[index]
        if entry.op == "access":
            if binders.affine(tape, entry.args[0]) is None:
                raise FormulaError(
                    f"the index in {_shown(tape, index)} must be linear in the indices, with whole coefficients: "
                    "x[i], x[2i + 1], x[n - 1 - i]"
                )
            found[Access(str(entry.value), entry.args[0], context, shared)] = None
        elif entry.op in binders.BINDERS:
            *bodies, low, high = entry.args
            for bound in (low, high):
                if not whole(tape, bound):
                    raise FormulaError(f"a bound of {entry.op} is not a whole number: {_shown(tape, bound)}")
            assert isinstance(entry.value, int)
            inside = (*context, Loop(entry.value, low, high))
            todo += [(body, inside, shared) for body in bodies]
        else:
            todo += [(arg, context, shared) for arg in entry.args]
    return list(found)


def _shown(tape: Tape, index: int) -> str:
    from descend.expression.write import to_text

    return to_text(tape, index)


def array_extents(tape: Tape, root: int, data: Mapping[str, Any]) -> dict[str, Extent]:
    """Return the extent of each array that is not in `data`; check that the data are long enough.

    The entries of a variable are those that the formula touches, from 0 or 1 on; an untouched one between them is an
    error (`FormulaError`), and so is an index beyond the data (`DataError`).
    """
    places: dict[str, list[tuple[int, Loops]]] = {}
    for array, place, loops, _ in accesses(tape, root):
        places.setdefault(array, []).append((place, loops))
    extents: dict[str, Extent] = {}
    for array, used in sorted(places.items()):
        hits = _touched(tape, array, used)
        if hits is None:
            if array not in data:
                raise FormulaError(f"no entry of {printable(array)} is ever used: its sums are empty")
        elif array in data:
            _check_data(array, int(hits[0]), int(hits[-1]), len(data[array]))
        else:
            extents[array] = _extent(array, hits)
    return extents


def _check_data(array: str, low: int, high: int, length: int) -> None:
    if low < 0 or high >= length:
        wrong = low if low < 0 else high
        name = printable(array)
        there = f"ends at {name}[{length - 1}]" if length else "is empty"
        raise DataError(f"the formula asks for {name}[{wrong}], and the data {name} {there}")


def _range(tape: Tape, place: int, loops: Loops) -> tuple[int, int] | None:
    """Return (least, most) of a place over its loops; None where they are empty."""
    ranges = spans(tape, loops)
    if any(least > most for least, most in ranges.values()):
        return None
    return interval(tape, place, ranges)


def _touched(tape: Tape, array: str, used: Sequence[tuple[int, Loops]]) -> Any:
    """Return the indices that are used, in ascending order; None where there are none."""
    import numpy as np

    ranges = [found for place, loops in used if (found := _range(tape, place, loops)) is not None]
    if not ranges:
        return None
    low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
    if high - low >= LONGEST:
        raise LimitError(f"{printable(array)} would have {high - low + 1:,} entries; the limit is {LONGEST:,}")
    touched = np.zeros(high - low + 1, dtype=bool)
    for place, loops in sorted(used, key=lambda one: len(one[1])):
        found = _range(tape, place, loops)
        if found is not None and not touched[found[0] - low : found[1] - low + 1].all():  # else it adds nothing
            _touch(tape, place, loops, touched, low)
    hits = np.flatnonzero(touched) + low
    return hits if len(hits) else None


def _extent(array: str, hits: Any) -> Extent:
    import numpy as np

    first, last, name = int(hits[0]), int(hits[-1]), printable(array)
    if first < 0:
        raise FormulaError(f"the formula asks for {name}[{first}]; indices count from 0")
    if first > 1:
        raise FormulaError(f"{name} begins at {name}[{first}]; its lowest index must be 0 or 1: write {name}[0], ...")
    gaps = np.flatnonzero(np.diff(hits) > 1)
    if len(gaps):
        hole = int(hits[gaps[0]]) + 1
        raise FormulaError(f"{name}[{hole}] is never used, though {name}[{hole - 1}] and {name}[{last}] are")
    return Extent(first, last - first + 1)


def _touch(tape: Tape, place: int, loops: Loops, touched: Any, low: int) -> None:
    """Mark the entries that a place takes on (all between its ends, where there are too many rounds to go through)."""
    import numpy as np

    form = binders.affine(tape, place)
    assert form is not None
    coefficients, constant = form
    if not coefficients:
        if _range(tape, place, loops) is not None:
            touched[constant - low] = True
        return
    innermost = max(coefficients)
    grid = expanded(tape, loops[:innermost], {}, 1, ENUMERATED)
    if grid is None:
        found = _range(tape, place, loops)
        if found is not None:
            touched[found[0] - low : found[1] - low + 1] = True
        return
    outer, count = grid.values, grid.rounds
    loop = loops[innermost]
    first, last = (np.broadcast_to(numbers(tape, bound, outer), count) for bound in (loop.low, loop.high))
    step = coefficients[innermost]
    base = np.full(count, constant - low)
    for level, coefficient in coefficients.items():
        if level != innermost:
            base = base + coefficient * outer[level]
    kept = first <= last
    ends = np.stack([base + step * first, base + step * last])[:, kept]
    if count > 1 and abs(step) == 1:
        marks = np.zeros(len(touched) + 1, dtype=np.int64)
        np.add.at(marks, ends.min(axis=0), 1)
        np.add.at(marks, ends.max(axis=0) + 1, -1)
        touched |= np.cumsum(marks[:-1]) > 0
    else:
        for start, stop in {(int(a), int(b)) for a, b in zip(ends.min(axis=0), ends.max(axis=0), strict=True)}:
            touched[start : stop + 1 : abs(step)] = True


class Grid(NamedTuple):
    """All rounds of some loops: the indices by level, how many rounds, and from which earlier round each comes."""

    values: dict[int, Any]
    rounds: int
    origin: Any


def expanded(tape: Tape, loops: Loops, values: Mapping[int, Any], count: int, limit: int) -> Grid | None:
    """Go through `loops` for each of the `count` rounds that `values` describe; None beyond `limit` rounds."""
    import numpy as np

    known, origin = dict(values), np.arange(count)
    for loop in loops:
        first, last = (np.broadcast_to(numbers(tape, bound, known), count) for bound in (loop.low, loop.high))
        sizes = np.maximum(0, last - first + 1)
        count = int(sizes.sum())
        if count > limit:
            return None
        starts = np.repeat(first - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)
        known = {level: np.repeat(array, sizes) for level, array in known.items()}
        origin = np.repeat(origin, sizes)
        known[loop.level] = starts + np.arange(count)
    return Grid(known, count, origin)


def numbers(tape: Tape, bound: int, values: Mapping[int, Any]) -> Any:
    """Evaluate a bound for arrays of indices."""
    import numpy as np

    known: dict[int, Any] = {}
    for index in tape.reachable((bound,)):
        entry = tape[index]
        args = [known[a] for a in entry.args]
        match entry.op:
            case "constant":
                value = tape.value(index)
                assert value is not None
                known[index] = int(value) if value.denominator == 1 else value
            case "index":
                assert isinstance(entry.value, int)
                known[index] = values[entry.value]
            case "add":
                known[index] = sum(args[1:], args[0])
            case "neg":
                known[index] = -args[0]
            case "mul":
                product = args[0]
                for arg in args[1:]:
                    product = product * arg
                known[index] = product
            case "min" | "max":
                known[index] = (np.minimum if entry.op == "min" else np.maximum)(*args)
            case "div":
                known[index] = args[0] / args[1]
            case _:
                known[index] = args[0]
    return np.asarray(known[bound], dtype=np.float64).round().astype(np.int64)
