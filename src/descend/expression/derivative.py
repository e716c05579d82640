"""Exact derivatives of a tape, on the tape: reverse mode for gradients, forward over reverse for Hessian products.

Every adjoint is an entry of its own, so value and gradient together cost a small multiple of the value for any
number of variables.  A sum over an index is differentiated once, whatever its length: its body's adjoints are entries
under the same index, and what reaches an array's entry ``x[place]`` is a `Scatter`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from descend.expression import binders
from descend.expression.functions import TABLE
from descend.expression.masks import times, total
from descend.expression.reverse import Scatter, sweep
from descend.expression.tape import Tape

__all__ = ["Gradient", "Scatter", "full_gradient", "gradient", "hessian", "hessian_product", "tangents"]


class Gradient(NamedTuple):
    """The derivatives of one root: an entry for each symbol, and contributions to entries of arrays."""

    slopes: list[int]
    scatters: tuple[Scatter, ...] = ()


def full_gradient(tape: Tape, root: int, symbols: Sequence[int], arrays: Sequence[str] = ()) -> Gradient:
    """Return the derivatives of `root` in `symbols` (entries of symbols) and in the entries of `arrays` (names).

    Reverse mode (Linnainmaa 1970; Griewank & Walther, *Evaluating Derivatives*, 2008, ch. 3).  At a kink the
    derivative is the one from the table: sign(0) = 0 for abs, the first argument where min or max tie.
    """
    adjoints, scatters = sweep(tape, root, frozenset(symbols), frozenset(arrays))
    nothing = tape.constant(0)
    return Gradient([adjoints.get(symbol, nothing) for symbol in symbols], scatters)


def gradient(tape: Tape, root: int, symbols: Sequence[int]) -> list[int]:
    """Return the entries of ∂root/∂symbol for each of `symbols`."""
    return full_gradient(tape, root, symbols).slopes


def tangents(
    tape: Tape, roots: Sequence[int], directions: Mapping[int, int], arrays: Mapping[str, str] | None = None
) -> list[int]:
    """Return the derivative of each root along a direction (forward mode).

    `directions` maps entries of symbols to the entries of their directions, `arrays` the name of an array to the name
    of the array of its directions.
    """
    nothing = tape.constant(0)
    along = arrays or {}
    known: dict[int, int] = dict(directions)
    for index in tape.reachable(roots):
        entry = tape[index]
        if index in known:
            continue
        if entry.op == "access" and entry.value in along:
            known[index] = tape.access(along[str(entry.value)], entry.args[0])
        elif entry.op in binders.BINDERS:
            found = _binder_tangent(tape, index, known)
            if found is not None:
                known[index] = found
        elif entry.op in TABLE and any(a in known for a in entry.args):
            partials = tape.partials(index)
            parts = [
                times(tape, known[arg], partial)
                for arg, partial in zip(entry.args, partials, strict=True)
                if partial is not None and arg in known
            ]
            if parts:
                known[index] = total(tape, parts)
    return [known.get(root, nothing) for root in roots]


def _binder_tangent(tape: Tape, index: int, known: Mapping[int, int]) -> int | None:
    entry = tape[index]
    level = entry.value
    assert isinstance(level, int)
    *bodies, low, high = entry.args
    if entry.op == "held_max" or not any(body in known for body in bodies):
        return None
    match entry.op:
        case "sum":
            return binders.bind(tape, "sum", level, (known[bodies[0]], low, high))
        case "prod":
            return binders.bind(tape, "prod_tangent", level, (bodies[0], known[bodies[0]], low, high))
    expanded = binders.expanded_tangent(tape, index)
    return tangents(tape, [expanded], known)[0]


def hessian_product(
    tape: Tape,
    root: int,
    symbols: Sequence[int],
    directions: Sequence[int],
    arrays: Mapping[str, str] | None = None,
) -> Gradient:
    """Return H·v, where H is the Hessian of `root` in `symbols` and in the entries of the arrays.

    v are the entries `directions` and, for each name in `arrays`, the array of directions that it maps to.  The
    gradient is differentiated along v: a contribution to x[place] stays one, with another value.
    """
    along = arrays or {}
    moves = dict(zip(symbols, directions, strict=True))
    return _bent(tape, full_gradient(tape, root, symbols, tuple(along)), moves, along)


def third_product(
    tape: Tape,
    root: int,
    symbols: Sequence[int],
    directions: Sequence[int],
    arrays: Mapping[str, str] | None = None,
) -> Gradient:
    """Return ∇³f[v, v], the second derivative of the gradient of `root` along a fixed v, as `hessian_product` does H·v.

    For f along the line x + t·v it is d²∇f/dt² at t = 0.
    """
    along = arrays or {}
    moves = dict(zip(symbols, directions, strict=True))
    first = full_gradient(tape, root, symbols, tuple(along))
    return _bent(tape, _bent(tape, first, moves, along), moves, along)


def _bent(tape: Tape, first: Gradient, moves: Mapping[int, int], along: Mapping[str, str]) -> Gradient:
    """Return the derivative of a gradient along directions that stay the same."""
    values = [*first.slopes, *(scatter.value for scatter in first.scatters)]
    found = tangents(tape, values, moves, along)
    nothing, size = tape.constant(0), len(first.slopes)
    kept = zip(first.scatters, found[size:], strict=True)
    scatters = tuple(scatter._replace(value=value) for scatter, value in kept if value != nothing)
    return Gradient(found[:size], scatters)


def hessian(tape: Tape, root: int, symbols: Sequence[int]) -> list[list[int]]:
    """Return the entries of the dense Hessian (symmetric: both triangles share their entries)."""
    rows = gradient(tape, root, symbols)
    full = [gradient(tape, row, symbols[: i + 1]) for i, row in enumerate(rows)]
    size = range(len(symbols))
    return [[full[max(i, j)][min(i, j)] for j in size] for i in size]
