"""Costs with kinks, taken apart: f(x) = G(x, m(x)) with mₖ(x) = maxᵢ aₖᵢ(x), G and the pieces a smooth.

abs(u) is max(u, -u) and min(a, b) is -max(-a, -b).  With weights λₖ ≥ 0, Σᵢ λₖᵢ = 1 on the largest pieces, the vectors
∂G/∂x + Σₖ ∂G/∂mₖ · Σᵢ λₖᵢ ∇aₖᵢ are the subdifferential (Clarke, *Optimization and Nonsmooth Analysis*, 1983, ch. 2);
Φ(x, λ) = G(x, mₖ + Σᵢ λₖᵢ (aₖᵢ(x) - aₖᵢ)), with mₖ and aₖᵢ the values at the point, is the function whose Hessian bends
the manifold on which the same pieces stay largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Any

from descend.expression.derivative import gradient, hessian
from descend.expression.tape import Tape
from descend.kernel.interpret import Interpreter
from descend.kernel.program import Program, lower
from descend.kernel.rounding import Bounded
from descend.problem.problem import Problem
from descend.vector import Vector

BENT = frozenset({"abs", "min", "max"})
MOST_VARIABLES = 100
MOST_PIECES = 600
NO_KINKS = "the cost has no kinks of abs, min or max, or too many to take apart"


@dataclass(frozen=True)
class Pieces:
    """The pieces at a point, as NumPy arrays.

    For each kink k `values[k]` (mₖ,) are those of its pieces, `errors[k]` bounds on their rounding errors and
    `slopes[k]` (mₖ, n) their gradients; `roles` (k,) is ∂G/∂mₖ and `gradient` (n,) ∂G/∂x.  `gradient_error` bounds the
    rounding error of every entry of the subgradients.  `inner` is the least distance from a tie, relative to its
    size, of a kink that stands inside another one's pieces and so is not taken apart.
    """

    gradient: Any
    gradient_error: Any
    roles: Any
    values: tuple[Any, ...]
    errors: tuple[Any, ...]
    slopes: tuple[Any, ...]
    inner: float
    kinks: Kinks
    point: Vector
    free: Sequence[int] | None = None

    def hessian(self, weights: Sequence[Any]) -> Any:
        """Return ∂²Φ/∂x² (n, n) for the weights λₖ of each kink's pieces."""
        full = self.kinks.hessian(self.point, self.values, weights)
        return full if self.free is None else full[self.free][:, self.free]

    def restricted(self, free: Sequence[int]) -> Pieces:
        """Return the pieces as functions of some of the variables, the others held."""
        index = list(free)
        return replace(
            self,
            gradient=self.gradient[index],
            gradient_error=self.gradient_error[index],
            slopes=tuple(slope[:, index] for slope in self.slopes),
            free=index,
        )


class Kinks:
    """The kinks of a cost that stand in no other's pieces, with programs for their pieces and slopes."""

    def __init__(self, problem: Problem, found: Sequence[tuple[int, bool, list[int]]]) -> None:
        """Take the kinks as (entry, whether it is minus the largest piece, its pieces)."""
        self.problem = problem
        self.sizes = [len(pieces) for _, _, pieces in found]
        self._found = found
        tape, names = problem.tape, problem.variables
        tops = [f"`m{k}" for k in range(len(found))]
        replaced = {
            entry: tape.neg(tape.symbol(top)) if minus else tape.symbol(top)
            for (entry, minus, _), top in zip(found, tops, strict=True)
        }
        (outer,) = tape.substitute((problem.root,), replaced)
        symbols = [*problem.symbols, *map(tape.symbol, tops)]
        self._outer = Bounded(lower(tape, gradient(tape, outer, symbols), [*names, *tops]))
        pieces = [piece for _, _, own in found for piece in own]
        inside = [e for e in tape.reachable(pieces) if tape[e].op in BENT]
        gaps = [gap for e in inside for gap in _gaps(tape, e)]
        slopes = [slope for piece in pieces for slope in gradient(tape, piece, problem.symbols)]
        self._count, self._gaps = len(pieces), len(gaps) // 2
        self._pieces = Bounded(lower(tape, [*pieces, *slopes, *gaps], names))

    def at(self, point: Vector) -> Pieces:
        """Return the pieces at a point."""
        import numpy as np

        with np.errstate(all="ignore"):
            return self._at(point)

    def _at(self, point: Vector) -> Pieces:
        import numpy as np

        size, count = len(self.problem.variables), self._count
        found, bounds = (np.array(x, dtype=float) for x in self._pieces(point.entries))
        values, slopes = found[:count], found[count : count * (1 + size)].reshape(count, size)
        cuts = np.cumsum(self.sizes)[:-1]
        tops = [v.max() for v in np.split(values, cuts)]
        outer, outer_bounds = (np.array(x, dtype=float) for x in self._outer([*point.entries, *tops]))
        gaps = found[count * (1 + size) :].reshape(self._gaps, 2)
        with np.errstate(all="ignore"):
            inner = float(np.min(np.abs(gaps[:, 0]) / (np.abs(gaps[:, 1]) + 1e-300), initial=np.inf))
        error = outer_bounds[:size].copy()
        slope_bounds = np.split(bounds[count : count * (1 + size)].reshape(count, size), cuts)
        split = np.split(slopes, cuts)
        for k, role in enumerate(outer[size:]):
            error += abs(role) * slope_bounds[k].max(axis=0)
            error += outer_bounds[size + k] * np.abs(split[k]).max(axis=0)
        return Pieces(
            gradient=outer[:size],
            gradient_error=error,
            roles=outer[size:],
            values=tuple(np.split(values, cuts)),
            errors=tuple(np.split(bounds[:count], cuts)),
            slopes=tuple(split),
            inner=inner,
            kinks=self,
            point=point,
        )

    def hessian(self, point: Vector, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        """Return ∂²Φ/∂x² (n, n), with the pieces' `values` at the point."""
        import numpy as np

        inputs = [*point.entries]
        for own, mixed in zip(values, weights, strict=True):
            inputs += [float(own.max()), *map(float, own), *map(float, mixed)]
        entries = Interpreter(self._curvature)(inputs)
        size = len(self.problem.variables)
        full = np.zeros((size, size))
        full[np.tril_indices(size)] = entries
        return full + np.tril(full, -1).T

    @cached_property
    def _curvature(self) -> Program:
        tape, problem = self.problem.tape, self.problem
        names: list[str] = []
        replaced: dict[int, int] = {}
        for k, (entry, minus, pieces) in enumerate(self._found):
            here = [f"`c{k}.{i}" for i in range(len(pieces))]
            own = [f"`w{k}.{i}" for i in range(len(pieces))]
            changes = [
                tape.mul((tape.symbol(w), tape.sub(piece, tape.symbol(c))))
                for w, c, piece in zip(own, here, pieces, strict=True)
            ]
            mixed = tape.add([tape.symbol(f"`m{k}"), *changes])
            replaced[entry] = tape.neg(mixed) if minus else mixed
            names += [f"`m{k}", *here, *own]
        (mixture,) = tape.substitute((problem.root,), replaced)
        rows = hessian(tape, mixture, problem.symbols)
        triangle = [rows[i][j] for i in range(len(rows)) for j in range(i + 1)]
        return lower(tape, triangle, [*problem.variables, *names])


def find_kinks(problem: Problem) -> Kinks | None:
    """Return the kinks of a cost without sums over an index; None where it has none, or too many to take apart."""
    tape, root = problem.tape, problem.root
    if problem.indexed or problem.columns or len(problem.variables) > MOST_VARIABLES:
        return None
    varying = {tape.symbol(name) for name in problem.variables}
    for entry in tape.reachable((root,)):
        if any(arg in varying for arg in tape[entry].args):
            varying.add(entry)
    found: list[tuple[int, bool, list[int]]] = []
    todo, seen = [root], {root}
    while todo:
        entry = todo.pop()
        if tape[entry].op in BENT and entry in varying:
            minus = tape[entry].op == "min"
            found.append((entry, minus, _flattened(tape, entry)))
            continue
        # Conditions only choose: a jump, not a kink.
        args = tape[entry].args[1:] if tape[entry].op == "where" else tape[entry].args
        for arg in args:
            if arg in varying and arg not in seen:
                seen.add(arg)
                todo.append(arg)
    found.sort()
    if not found or sum(len(pieces) for _, _, pieces in found) > MOST_PIECES:
        return None
    return Kinks(problem, found)


def _flattened(tape: Tape, entry: int) -> list[int]:
    """Return the pieces whose largest (for min: minus whose largest) an entry is; kinks directly inside are opened."""
    op, args, _ = tape[entry]
    sign = tape.neg if op == "min" else int
    pieces: list[int] = []
    for arg in args:
        inner = tape[arg].op
        if op == "abs":
            pieces += [arg, tape.neg(arg)]
        elif (inner in {"abs", "max"} and op == "max") or (inner == "min" and op == "min"):
            pieces += _flattened(tape, arg)
        else:
            pieces.append(sign(arg))
    return list(dict.fromkeys(pieces))


def _gaps(tape: Tape, entry: int) -> list[int]:
    """Return (difference, size) of the arguments of a kink, for each pair of neighbours."""
    op, args, _ = tape[entry]
    if op == "abs":
        return [args[0], tape.constant(1)]
    return [x for a, b in pairwise(args) for x in (tape.sub(a, b), a)]
