"""Random tapes through every kernel: ``python -m tests.fuzz.kernels --count 20000 --seed 0`` (``make fuzz-kernels``).

Value and gradient of random graphs, at points full of edges (signed zeros, denormals, infinities, NaN):

- the point kernel, whole and cut into the smallest pieces, must give the interpreter's bits;
- the row kernels of both targets, each row a group of its own, must lie within the running error bounds of the walk
  with NumPy.  Where these know nothing (beyond a pole, not finite), or take the exact argument to lie inside a domain
  that the rounded one has left, and where rounding decides a comparison, differences are counted: more than one in a
  thousand is a failure;
- sums over all rows at once, of those outputs that are finite, must be the sum of the single rows.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from dataclasses import dataclass, field, replace

import numpy as np

from descend.expression.tape import Tape
from descend.kernel import rows_code
from descend.kernel import straight as straight_module
from descend.kernel.compile import PointKernel
from descend.kernel.interpret import Interpreter, arrays
from descend.kernel.pieces import Limits
from descend.kernel.program import lower
from descend.kernel.rounding import with_bounds
from descend.kernel.rows import RowsKernel
from tests.kernel.tapes import random_outputs, random_point, same

GROUP = 20  # tapes in one kernel
POINTS = 37  # no multiple of any vector's width
PIECES = Limits(30, 3, 10)
LARGE = 1e300  # numbers whose sum may overflow on the way
UNSURE = 1e-3  # share of the values of rows that may differ in kind where no bound is known


@dataclass
class Tally:
    tapes: int = 0
    values: int = 0
    unsure: int = 0  # of rows: rounding alone decides whether they are finite
    wrong: list[str] = field(default_factory=list)


def program_of(rng: random.Random, size: int):
    tape = Tape()
    names = tuple("abcd"[: rng.randint(1, 4)])
    symbols = [tape.symbol(name) for name in names]
    outputs = [entry for _ in range(GROUP) for entry in random_outputs(rng, tape, symbols, rng.randint(1, size))]
    return lower(tape, outputs, names)


def check_points(program, points, tally: Tally, label: str) -> None:
    kernel, interpreter = PointKernel(program), Interpreter(program)
    for point in points:
        for k, (right, found) in enumerate(zip(interpreter(point), kernel(point), strict=True)):
            tally.values += 1
            if not same(right, found):
                tally.wrong.append(f"{label}: output {k} at {point}: {found!r} instead of {right!r}")


def undecided(program, output: int, point) -> bool:
    """Whether rounding may have turned a comparison on which an output depends."""
    first = len(program.inputs)
    needed, todo = set(), [program.outputs[output]]
    while todo:
        slot = todo.pop()
        if slot >= first and slot not in needed:
            needed.add(slot)
            todo += program.instructions[slot - first].args
    comparisons = tuple(s for s in sorted(needed) if program.instructions[s - first].op in {"lt", "le", "eq"})
    with np.errstate(all="ignore"):
        _, turned = with_bounds(replace(program, outputs=comparisons), [np.array([x]) for x in point], arrays())
    return any(np.any(t) for t in turned)


def check_rows(program, points, parameters: int, tally: Tally, label: str) -> None:
    """Each row is a group: sums of one row are values."""
    columns = [np.array(column) for column in zip(*points, strict=True)]
    inputs = [*columns[:parameters], *columns[parameters:]]
    with np.errstate(all="ignore"):
        values, bounds = with_bounds(program, inputs, arrays())
    rows = [np.zeros(len(points))] if parameters == len(inputs) else columns[parameters:]
    kernel = RowsKernel(program, parameters)
    found = kernel.by_group(np.array(points)[:, :parameters], rows, np.arange(len(points) + 1))
    for k, pair in enumerate(zip(values, bounds, strict=True)):
        value, bound = (np.broadcast_to(array, len(points)) for array in pair)
        tally.values += len(points)
        with np.errstate(all="ignore"):
            near = np.abs(found[:, k] - value) <= 2 * bound
        alike = (np.isnan(value) & np.isnan(found[:, k])) | (value == found[:, k])
        left = np.isnan(value) != np.isnan(found[:, k])
        for row in np.flatnonzero(~(near | alike)):
            text = f"{label}: output {k} at {points[row]}: {found[row, k]!r}, NumPy {value[row]!r} ± {bound[row]!r}"
            if np.isfinite(bound[row]) and not left[row] and not undecided(program, k, points[row]):
                tally.wrong.append(text)
            else:
                tally.unsure += 1

    whole = kernel(points[0][:parameters], rows)
    if parameters == 0:
        for k in np.flatnonzero((np.abs(found) < LARGE).all(axis=0)):
            total, size = math.fsum(found[:, k]), math.fsum(np.abs(found[:, k]))
            if abs(whole[k] - total) > 1e-14 * size + 1e-320:
                tally.wrong.append(f"{label}: output {k} over all rows: {whole[k]!r}, {total!r} row by row")


def fuzz(count: int, seed: int, size: int = 16) -> Tally:
    """Try `count` tapes; the same seed tries the same ones."""
    tally = Tally()
    rng = random.Random(seed)
    whole = (rows_code.WHOLE, straight_module.IN_PLACE)
    while tally.tapes < count and not tally.wrong:
        program = program_of(rng, size)
        width = len(program.inputs)
        points = [random_point(rng, width) for _ in range(POINTS)]
        try:
            for target in ("native", "generic"):
                os.environ["DESCEND_TARGET"] = target
                check_points(program, points, tally, f"point, {target}")
                check_rows(program, points, rng.choice([0, rng.randint(0, width)]), tally, f"rows, {target}")
            straight_module.IN_PLACE = 0
            check_points(program, points, tally, "point in pieces")
            rows_code.WHOLE = Limits(1, 1, 1)
            check_rows(program, points, rng.randint(0, width), tally, "rows in pieces")
        finally:
            rows_code.WHOLE, straight_module.IN_PLACE = whole
        tally.tapes += GROUP
    return tally


def main() -> None:
    """Report, and exit with 1 where a kernel is wrong."""
    os.environ["DESCEND_CACHE"] = "off"  # nobody asks for a random formula again
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.kernels", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000, help="tapes to try")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    straight_module.PART = PIECES
    rows_code.PART = PIECES
    began = time.perf_counter()
    tally = fuzz(options.count, options.seed)
    seconds = time.perf_counter() - began
    print(f"{tally.tapes:,} random tapes, {tally.values:,} values, {seconds:.0f} s, seed {options.seed}")
    print(f"{tally.unsure:,} values of rows for which no bound is known were not of the same kind")
    if tally.unsure > UNSURE * tally.values:
        tally.wrong.append(f"that is more than {UNSURE:.1%} of all")
    for text in tally.wrong[:20]:
        print(f"WRONG {text}")
    sys.exit(1 if tally.wrong else 0)


if __name__ == "__main__":
    main()
