"""Sparse Hessians: the pattern is read off the formula, columns that share no row are asked for together.

Curtis, Powell & Reid, J. Inst. Math. Appl. 13 (1974).  Rows that nearly every column meets (an arrow's head) are
recovered from their own column, by symmetry (Powell & Toint, SIAM J. Numer. Anal. 16, 1979).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from descend.errors import MethodError
from descend.expression import binders
from descend.expression.derivative import Gradient
from descend.problem.extents import accesses, expanded
from descend.problem.problem import Problem
from descend.problem.products import DIRECTION

MOST_ENTRIES = 50_000_000  # of a pattern, as it is gone through
MOST_COLOURS = 500  # products that one Hessian may take
CROWDED = 20  # times the typical number of entries: such a row gets a product of its own


@dataclass(frozen=True)
class Sparsity:
    """The pattern (`rows`, `columns`) of a symmetric matrix, and the colour of each column."""

    size: int
    rows: Any
    columns: Any
    colours: Any
    crowded: Any  # for each row whether it is left to its own column

    def recover(self, product: Callable[[Any], Any]) -> Any:
        """Return the matrix as `scipy.sparse.csc_array`, from its products with a few directions."""
        import numpy as np
        from scipy import sparse

        values = np.zeros(len(self.rows))
        own = ~self.crowded[self.rows] | self.crowded[self.columns]
        for colour in range(int(self.colours.max(initial=-1)) + 1):
            chosen = self.colours == colour
            found = product(chosen.astype(np.float64))
            mine = own & chosen[self.columns]
            values[mine] = found[self.rows[mine]]
        shape = (self.size, self.size)
        known = sparse.csc_array((values[own], (self.rows[own], self.columns[own])), shape=shape)
        rest = self.crowded[self.columns] & ~self.crowded[self.rows]
        mirrored = sparse.csc_array((values[rest], (self.columns[rest], self.rows[rest])), shape=shape)
        return known + mirrored


def sparsity(problem: Problem, products: Gradient) -> Sparsity:
    """Return the pattern of the Hessian, from the entries of its product with a direction.

    Raises `MethodError` where it is (nearly) dense: then only products are worth having.
    """
    import numpy as np

    tape = problem.tape
    offsets = {name: place.start - (extent.first if extent else 0) for name, extent, place in problem.layout.slices()}
    numbers = np.array([offsets[name] for name in problem.variables if name not in problem.extents], dtype=np.int64)
    size = len(problem.labels)
    most = min(MOST_ENTRIES, 2 * MOST_COLOURS * size)  # more pairs than that cannot be coloured
    keys = [np.add.outer(numbers * size, numbers).ravel()]
    for scatter in products.scatters:
        grid = expanded(tape, scatter.loops, {}, 1, most)
        if grid is None:
            raise MethodError(DENSE)
        rows = _place(problem, scatter.place, grid.values, grid.rounds) + offsets[scatter.array]
        for name in tape.symbols((scatter.value,)):
            if name.startswith(DIRECTION):
                column = offsets[name.removeprefix(DIRECTION)]
                keys += [rows * size + column, column * size + rows]
        for access in accesses(tape, scatter.value, scatter.loops):
            if not access.array.startswith(DIRECTION):
                continue
            outer = {level: array for level, array in grid.values.items() if level < access.shared}
            inner = expanded(tape, access.loops[access.shared :], outer, grid.rounds, most)
            if inner is None:
                raise MethodError(DENSE)
            columns = _place(problem, access.place, inner.values, inner.rounds)
            columns = columns + offsets[access.array.removeprefix(DIRECTION)]
            keys += [rows[inner.origin] * size + columns, columns * size + rows[inner.origin]]
    pairs = np.sort(np.concatenate(keys))
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    return coloured(size, pairs // size, pairs % size)


DENSE = "the Hessian is nearly dense: every variable meets very many others; use products with it instead"


def _place(problem: Problem, place: int, values: dict[int, Any], count: int) -> Any:
    import numpy as np

    form = binders.affine(problem.tape, place)
    assert form is not None
    result = np.full(count, form[1], dtype=np.int64)
    for level, coefficient in form[0].items():
        result = result + coefficient * values[level]
    return result


def coloured(size: int, rows: Any, columns: Any) -> Sparsity:
    """Return the pattern with its columns coloured: columns of one colour have no row in common."""
    import numpy as np

    counts = np.bincount(rows, minlength=size)
    typical = max(1.0, float(np.median(counts)) if size else 1.0)
    crowded = counts > CROWDED * typical
    if counts[~crowded].max(initial=0) + crowded.sum() > MOST_COLOURS:  # the columns of one row all differ in colour
        raise MethodError(DENSE)
    plain = ~crowded[rows] & ~crowded[columns]
    distance = int(np.abs(rows[plain] - columns[plain]).max(initial=0))
    if 2 * distance + 1 <= 2 * typical + 8:  # a band: columns that far apart cannot meet
        colours = np.arange(size) % (2 * distance + 1)
    else:
        colours = _greedy(size, rows[plain], columns[plain])
    base = int(colours[~crowded].max(initial=-1)) + 1
    colours[crowded] = base + np.arange(int(crowded.sum()))
    if int(colours.max(initial=-1)) + 1 > MOST_COLOURS:
        raise MethodError(DENSE)
    return Sparsity(size, rows, columns, colours, crowded)


def _greedy(size: int, rows: Any, columns: Any) -> Any:
    """Give each column in turn the lowest colour that no column has with which it shares a row."""
    import numpy as np

    by_column = np.argsort(columns, kind="stable")
    starts = np.searchsorted(columns[by_column], np.arange(size + 1)).tolist()
    members = rows[by_column].tolist()
    taken: list[set[int]] = [set() for _ in range(size)]  # the colours of the columns that meet each row
    colours = np.zeros(size, dtype=np.int64)
    for column in range(size):
        mine = members[starts[column] : starts[column + 1]]
        forbidden = set().union(*(taken[row] for row in mine)) if mine else set()
        colour = 0
        while colour in forbidden:
            colour += 1
        if colour > MOST_COLOURS:
            raise MethodError(DENSE)
        colours[column] = colour
        for row in mine:
            taken[row].add(colour)
    return colours
