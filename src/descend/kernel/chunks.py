"""Long loops in pieces: what one call of machine code does, and which calls may run at the same time.

An outermost loop that is long is cut into chunks of rounds.  A chunk adds up totals of its own, which are added in the
order of the chunks, so everything depends on the nest alone, not on threads or clocks.

Which entries of a gradient a chunk adds to is known: places are linear in the indices, so they lie in intervals.
Chunks whose intervals do not meet may run at once, and get the same colour; colours run one after the other, so that
each entry gets its contributions in one order.  Neighbours share a few entries only (x[i] and x[i + 1]): the last
rounds of each chunk are made a chunk of their own, and all the long ones can have one colour.  Where all meet, as in a
sum over pairs, the loop has a fixed number of rows of chunks, and each row adds to a copy of the gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from descend.kernel.lower import LIBRARY
from descend.kernel.nest import LoopStatement, Nest, Operation, Pick, Read, Reduction, Statement
from descend.kernel.whole import Span, interval, place_interval

BLOCK = 512  # rounds of an innermost loop that are computed before their contributions are added
GRAIN = 60e-6  # s that a chunk takes at least, estimated
SLICE = 1e-3  # s, estimated, of one call of machine code: it may take tens of times that (sines of large numbers)
ROWS = 16  # copies of a gradient, at most, where all chunks meet
MEETINGS = 16  # pairs of chunks that meet, for each chunk: with more of them nothing runs at the same time
FAR = 2**62
# Estimated seconds; on a machine without vector forms of the library functions they take several times as long.
VECTOR_OPERATION, VECTOR_CALL, VECTOR_ACCESS = 0.03e-9, 1e-9, 0.1e-9
OPERATION, CALL, ROUND = 0.3e-9, 8e-9, 3e-9
SCALAR = frozenset({"chebyshev", "polygamma", "gammaln"})  # calls that no loop is vectorised over
SCALAR_CALL = 50e-9
COPY = 2e-9  # of one entry of a copy: made, filled with zeros, added
IN_ORDER = 1e-9  # of one round of a scan or a product, which waits for the one before


class Serial(NamedTuple):
    """Statements that one call carries out from beginning to end."""

    statements: tuple[Statement, ...]


class Turn(NamedTuple):
    """The chunks `begin` to `end` - 1: they may run at the same time."""

    begin: int
    end: int
    seconds: float  # of all of them, estimated


class Copies(NamedTuple):
    """Of the gradient in `array` each row of chunks adds to a copy of its own, from entry `low` to entry `high`."""

    array: str
    low: tuple[int, ...]
    high: tuple[int, ...]


class Chunked(NamedTuple):
    """A loop in chunks.

    `table` has a line (first round, last round, row) for each chunk, in the order in which they run: its totals are in
    this row.  Turns follow one another.  Where nothing is gained by running at the same time, or an order has to be
    kept, there is one row, for all chunks, and they run one after the other.
    """

    loop: LoopStatement
    table: Any
    turns: tuple[Turn, ...]
    rows: int
    seconds: float  # of one chunk, estimated, at most
    copies: tuple[Copies, ...] = ()

    @property
    def in_order(self) -> bool:
        """Whether the chunks must run one after the other."""
        return self.rows == 1


Phase = Serial | Chunked


def ordered(reduction: Reduction) -> bool:
    """Whether the rounds must be taken in one after the other."""
    return reduction.scan is not None or reduction.op in {"prod", "prod_tangent"}


def phases(nest: Nest, grain: float) -> tuple[Phase, ...]:
    """Return the phases of a nest whose chunks take `grain` seconds at least; short loops are serial."""
    found: list[Phase] = []
    serial: list[Statement] = []
    for statement in nest.statements:
        loop = _chunked(statement, grain) if isinstance(statement, LoopStatement) else None
        if loop is None:
            serial.append(statement)
            continue
        if serial:
            found.append(Serial(tuple(serial)))
            serial = []
        found.append(loop)
    return (*found, Serial(tuple(serial)))


def _chunked(loop: LoopStatement, grain: float) -> Chunked | None:
    import numpy as np

    low, high = int(interval(loop.low, {})[0]), int(interval(loop.high, {})[1])
    cost = round_seconds(loop)
    size = max(1, int(grain / cost))
    if loop.leaf:
        size = -(-size // BLOCK) * BLOCK
    if high - low + 1 < 2 * size:
        return None
    starts = np.arange(low, high + 1, size)
    chunks = np.stack([starts, np.minimum(starts + size - 1, high)], axis=1)
    if not loop.down and not any(ordered(r) for r in loop.reductions):
        found = _coloured(loop, chunks, size, cost) or _copied(loop, low, high, cost)
        if found is not None:
            return found
    table = np.zeros((len(chunks), 3), dtype=np.int64)
    table[:, :2] = chunks[::-1] if loop.down else chunks
    return Chunked(loop, table, (Turn(0, len(table), cost * (high - low + 1)),), 1, cost * size)


# ---------------------------------------------------------------------------------------------------------- estimates


def round_seconds(loop: LoopStatement) -> float:
    """Estimate how long one round of a loop takes."""
    operation, call, access = (
        (VECTOR_OPERATION, VECTOR_CALL, VECTOR_ACCESS) if loop.leaf else (OPERATION, CALL, OPERATION)
    )
    total = (0.0 if loop.leaf else ROUND) + access * (1 + 2 * len(loop.stores))
    for reduction in loop.reductions:
        total += IN_ORDER if ordered(reduction) or reduction.op == "held_max" else operation
    for statement in loop.body:
        match statement:
            case Operation(_, instruction):
                if instruction.op in SCALAR:
                    total += SCALAR_CALL
                elif instruction.op in LIBRARY:
                    total += call * (4 if instruction.op == "pow" else 1)
                else:
                    total += operation
            case Read() | Pick():
                total += access
            case LoopStatement():
                total += ROUND + statement.rounds * round_seconds(statement)
            case _:
                total += operation
    return total


# ------------------------------------------------------------------------------------------------------------ colours


def written(loop: LoopStatement, spans: Mapping[int, Span]) -> Iterator[tuple[str, Span]]:
    """Yield (array, first and last entry) of each store in a loop, given bounds of the indices."""
    for store in loop.stores:
        yield store.array, place_interval(store.place, spans)
    for inner in loop.body:
        if isinstance(inner, LoopStatement):
            inside = (interval(inner.low, spans)[0], interval(inner.high, spans)[1])
            yield from written(inner, {**spans, inner.level: inside})


def _coloured(loop: LoopStatement, chunks: Any, size: int, cost: float) -> Chunked | None:
    """Return a loop whose chunks need no order; None where too many of them meet."""
    import numpy as np

    most = 1 + len(chunks) // 2
    shared = _shared_rounds(loop, chunks, size)
    if shared:
        cut = chunks[:-1, 1] - shared
        chunks = np.concatenate([chunks, np.stack([cut + 1, cut + shared], axis=1)])
        chunks[: len(cut), 1] = cut
    colours = _colours(len(chunks), _entries(loop, chunks))
    if colours is None or max(colours) >= most:
        return None
    row = np.argsort(np.argsort(chunks[:, 0], kind="stable"), kind="stable")
    order = np.lexsort((chunks[:, 0], colours))
    table = np.ascontiguousarray(np.column_stack([chunks, row])[order], dtype=np.int64)
    ends = np.searchsorted(np.asarray(colours)[order], range(max(colours) + 2)).tolist()
    return Chunked(loop, table, _turns(table, ends, cost), len(table), cost * size)


def _turns(table: Any, ends: Sequence[int], cost: float) -> tuple[Turn, ...]:
    rounds = table[:, 1] - table[:, 0] + 1
    return tuple(Turn(a, b, cost * float(rounds[a:b].sum())) for a, b in pairwise(ends))


def _entries(loop: LoopStatement, chunks: Any) -> list[list[tuple[int, int, int]]]:
    """Return for each array (first entry, last entry, chunk) of what the chunks add to, in order."""
    import numpy as np

    found: dict[str, list[tuple[int, int, int]]] = {}
    for array, ends in written(loop, {loop.level: (chunks[:, 0], chunks[:, 1])}):
        low, high = (np.broadcast_to(end, len(chunks)).tolist() for end in ends)
        found.setdefault(array, []).extend(zip(range(len(chunks)), low, high, strict=True))
    merged = []
    for intervals in found.values():
        mine: list[tuple[int, int, int]] = []
        for chunk, low, high in sorted(intervals):
            if mine and mine[-1][2] == chunk and low <= mine[-1][1] + 1:
                mine[-1] = (mine[-1][0], max(high, mine[-1][1]), chunk)
            elif low <= high:  # an inner loop may have no rounds
                mine.append((low, high, chunk))
        merged.append(sorted(mine))
    return merged


def _shared_rounds(loop: LoopStatement, chunks: Any, size: int) -> int:
    """Return how many of its last rounds keep a chunk from running together with the next one, if it is few."""
    import numpy as np

    stores = [
        (array, *(np.broadcast_to(end, 2).tolist() for end in ends))
        for array, ends in written(loop, {loop.level: (chunks[:2, 0], chunks[:2, 1])})
    ]
    most = 0
    for array, low, high in stores:
        for other, least, last in stores:
            common = min(high[0], last[1]) - max(low[0], least[1]) + 1 if array == other else 0
            step = abs(low[1] - low[0]) // size  # entries a round
            if common > 0 and step and (rounds := -(-common // step)) <= size // 8:
                most = max(most, rounds)
    return most


def _colours(count: int, entries: Sequence[Sequence[tuple[int, int, int]]]) -> list[int] | None:
    """Give each chunk the first colour that none of those has which it meets; None where too many meet."""
    meets: list[set[int]] = [set() for _ in range(count)]
    left = MEETINGS * count
    for intervals in entries:
        for k, (_, high, chunk) in enumerate(intervals):
            for other in range(k + 1, len(intervals)):
                low, _, neighbour = intervals[other]
                if low > high:
                    break
                left -= 1
                if left < 0:
                    return None
                meets[chunk].add(neighbour)
                meets[neighbour].add(chunk)
    colours: list[int] = []
    for chunk, around in enumerate(meets):
        taken = {colours[other] for other in around if other < chunk}
        colours.append(next(c for c in range(count) if c not in taken))
    return colours


# ------------------------------------------------------------------------------------------------------------- copies


def _copied(loop: LoopStatement, low: int, high: int, cost: float) -> Chunked | None:
    """Return a loop in `ROWS` equal parts that add to copies, each in slices; None where copies cost too much."""
    import numpy as np

    rounds = high - low + 1
    rows = min(ROWS, rounds)
    bounds = low + rounds * np.arange(rows + 1) // rows
    ends: dict[str, list[Any]] = {}
    for array, (least, most) in written(loop, {loop.level: (bounds[:-1], bounds[1:] - 1)}):
        # An inner loop may have no rounds: then there is nothing from `least` to `most`.
        first, last = (np.broadcast_to(end, rows) for end in (least, most))
        empty = first > last
        found = ends.setdefault(array, [np.full(rows, FAR), np.full(rows, -FAR)])
        found[0] = np.minimum(found[0], np.where(empty, FAR, first))
        found[1] = np.maximum(found[1], np.where(empty, -FAR, last))
    entries = sum(int(np.maximum(last - first + 1, 0).sum()) for first, last in ends.values())
    if entries * COPY > cost * rounds / 4:
        return None
    slices = max(1, min(rounds // rows, round(cost * rounds / rows / SLICE)))
    lines = []
    for k in range(slices):
        lengths = bounds[1:] - bounds[:-1]
        cuts = [bounds[:-1] + lengths * j // slices for j in (k, k + 1)]
        lines.append(np.stack([cuts[0], cuts[1] - 1, np.arange(rows)], axis=1))
    table = np.ascontiguousarray(np.concatenate(lines), dtype=np.int64)
    copies = tuple(Copies(name, tuple(a.tolist()), tuple(b.tolist())) for name, (a, b) in ends.items())
    seconds = cost * rounds / rows / slices
    return Chunked(loop, table, _turns(table, range(0, len(table) + 1, rows), cost), rows, seconds, copies)
