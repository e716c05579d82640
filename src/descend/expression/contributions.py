"""The gradient in an array, for reading: which entries get what, as text, LaTeX and SymPy.

A `Scatter` says ``g[place] += value`` for all values of its indices; the sum of all of them is the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from descend.expression.latex import to_latex
from descend.expression.layout import IndexNames, Scope
from descend.expression.reverse import Scatter
from descend.expression.sympy_out import to_sympy
from descend.expression.tape import Tape
from descend.expression.tidy import tidy
from descend.expression.write import to_text

SPARE = 32  # indices of sums inside one another
Write = Callable[[Tape, int, int, Scope, IndexNames], str]


class Contributions(NamedTuple):
    """What all parts of a formula contribute to the gradient in the array called `array`."""

    tape: Tape
    array: str
    scatters: tuple[Scatter, ...]

    @property
    def roots(self) -> list[int]:
        """Every entry that is shown."""
        return [
            root
            for scatter in self.scatters
            for root in (scatter.place, scatter.value, *(bound for loop in scatter.loops for bound in loop[1:]))
        ]


def contributions_to_text(all_of: Contributions, limit: int = 2000) -> str:
    """Write one line a contribution: ``d/dx[i] += 2*x[i]  for i in 0..n - 1``."""
    lines = []
    for entry, value, ranges in _pieces(all_of, to_text, limit):
        spans = ", ".join(f"{index} in {low}..{high}" for index, low, high in ranges)
        lines.append(f"d/d{entry} += {value}" + (f"  for {spans}" if spans else ""))
    return _cut("\n".join(lines), limit) or "0"


def contributions_to_latex(all_of: Contributions, limit: int = 20_000) -> str:
    r"""Write one row a contribution, rows apart by ``\\``; the gradient is the sum of the rows."""
    rows = [
        rf"\frac{{\partial f}}{{\partial {entry}}} \mathrel{{+}}= {value}"
        + "".join(rf" \quad {i} = {low}, \ldots, {high}" for i, low, high in ranges)
        for entry, value, ranges in _pieces(all_of, to_latex, limit)
    ]
    return _cut(r" \\ ".join(rows), limit) or "0"


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[:limit] + "…"


def _pieces(all_of: Contributions, write: Write, limit: int) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """Return (the entry of the array, the value, (index, low, high) of each loop) of each contribution, as texts."""
    tape = all_of.tape
    names = IndexNames.of(tape, all_of.roots)
    pieces = []
    length = 0
    for scatter in all_of.scatters:
        scope = tuple(loop.level for loop in scatter.loops)
        entry = write(tape, tape.access(all_of.array, scatter.place), limit, scope, names)
        value = write(*tidy(tape, scatter.value), limit, scope, names)
        ranges = [
            (
                write(tape, tape.index(loop.level), limit, scope[: depth + 1], names),
                write(tape, loop.low, limit, scope[:depth], names),
                write(tape, loop.high, limit, scope[:depth], names),
            )
            for depth, loop in enumerate(scatter.loops)
        ]
        pieces.append((entry, value, ranges))
        length += len(entry) + len(value)
        if length > limit:
            break
    return pieces


def contributions_to_sympy(
    all_of: Contributions, symbols: Mapping[str, Any], indices: Sequence[Any], index: Any = None
) -> Any:
    """Return the derivative in the entry of number `index` (a free Symbol, if None), with Kronecker deltas.

    As SymPy has it: the derivative of Sum(x[i]**2, (i, 0, n)) in x[k] is Sum(2*x[i]*KroneckerDelta(i, k), (i, 0, n)).
    """
    import sympy

    tape = all_of.tape
    taken = {*tape.symbols(all_of.roots), *tape.arrays(all_of.roots), getattr(index, "name", "")}
    own = [one for one in indices if one.name not in taken]
    new = IndexNames(lambda: taken | {one.name for one in own})
    deepest = max((len(scatter.loops) for scatter in all_of.scatters), default=0)
    # The loops have the user's own indices, as far as they go, then comes that of the entry, then those of inner sums.
    named = [*own, *(sympy.Symbol(new[k], integer=True) for k in range(deepest + SPARE))]
    entry = named[deepest] if index is None else index
    inner = [*named[:deepest], *named[deepest + 1 :]]
    terms = []
    for scatter in all_of.scatters:
        scope = tuple(loop.level for loop in scatter.loops)
        place, value = (to_sympy(tape, root, symbols, inner, scope) for root in (scatter.place, scatter.value))
        term = value * sympy.KroneckerDelta(place, entry)
        limits = [
            (
                inner[depth],
                *(to_sympy(tape, bound, symbols, inner, scope[:depth]) for bound in (loop.low, loop.high)),
            )
            for depth, loop in enumerate(scatter.loops)
        ]
        terms.append(sympy.Sum(term, *reversed(limits)) if limits else term)
    return sympy.Add(*terms)
