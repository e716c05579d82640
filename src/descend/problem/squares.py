"""The Gauss-Newton approximation of the Hessian of a sum of squares.

For f = Σ wₖ·rₖ² the matrix 2·Σ wₖ·∇rₖ·∇rₖᵀ (the normal matrix, twice JᵀWJ) is positive semidefinite and near the
Hessian where the residuals are small (Nocedal & Wright, *Numerical Optimization*, 2006, ch. 10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from descend.expression.analyse.squares import Residual
from descend.expression.derivative import Gradient, gradient, tangents
from descend.expression.masks import times
from descend.expression.reverse import Seed, sweep_from
from descend.expression.tape import Tape

NO_RESIDUALS = "the cost is not written as a sum of squares"
NO_PROX = "the cost has no penalty with a proximal operator"


def gauss_newton_product(
    tape: Tape,
    terms: Sequence[Residual],
    symbols: Sequence[int],
    directions: Sequence[int],
    arrays: Mapping[str, str],
) -> Gradient:
    """Return 2·Σ w·∇r·(∇r·v): for each residual its tangent along v, swept back through it.

    v are the entries `directions` and, for each name in `arrays`, the array of directions that it maps to.
    """
    found = tangents(tape, [term.entry for term in terms], dict(zip(symbols, directions, strict=True)), arrays)
    return _swept_back(tape, terms, found, symbols, arrays)


def residual_curvature(
    tape: Tape,
    terms: Sequence[Residual],
    symbols: Sequence[int],
    directions: Sequence[int],
    arrays: Mapping[str, str],
) -> Gradient:
    """Return 2·Σ w·∇r·(vᵀ∇²r·v): the second derivative of each residual along v, swept back through it.

    The right side of the geodesic acceleration (Transtrum & Sethna, arXiv:1201.5885, 2012), v as in
    `gauss_newton_product`.
    """
    moves = dict(zip(symbols, directions, strict=True))
    first = tangents(tape, [term.entry for term in terms], moves, arrays)
    return _swept_back(tape, terms, tangents(tape, first, moves, arrays), symbols, arrays)


def _swept_back(
    tape: Tape, terms: Sequence[Residual], found: Sequence[int], symbols: Sequence[int], arrays: Mapping[str, str]
) -> Gradient:
    seeds = []
    for term, along in zip(terms, found, strict=True):
        adjoint = times(tape, tape.mul((tape.constant(2), term.weight)), along)
        seeds.append(Seed(term.loops, term.entry, adjoint))
    adjoints, scatters = sweep_from(tape, seeds, frozenset(symbols), frozenset(arrays))
    nothing = tape.constant(0)
    return Gradient([adjoints.get(symbol, nothing) for symbol in symbols], scatters)


def normal_matrix(tape: Tape, terms: Sequence[Residual], symbols: Sequence[int]) -> list[int]:
    """Return the entries of the lower triangle of 2·Σ w·∇r·∇rᵀ, row by row, of residuals without loops."""
    slopes = [(tape.mul((tape.constant(2), r.weight)), gradient(tape, r.entry, symbols)) for r in terms]
    nothing = tape.constant(0)
    return [
        tape.add([tape.mul((w, s[i], s[j])) for w, s in slopes if s[i] != nothing and s[j] != nothing])
        for i in range(len(symbols))
        for j in range(i + 1)
    ]
