"""Where several pieces of a kink are largest at once: multipliers, and the Newton step that keeps them so.

At a minimum with kinks there are λₖ ≥ 0, Σᵢ λₖᵢ = 1 over the tied pieces with g + Σₖ wₖ Σᵢ λₖᵢ ∇aₖᵢ = 0.  The step
p that solves min gᵀp + ½ pᵀHp under aₖᵢ + ∇aₖᵢᵀp = aₖⱼ + ∇aₖⱼᵀp for tied i, j, with H the Hessian of Φ, converges
quadratically (Fletcher, *Practical Methods of Optimization*, 1987, ch. 14).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import nnls

if TYPE_CHECKING:
    from descend.problem.kinks import Pieces

MOST_BACK = 0.8  # of the radius, that the way back onto the ties may take
HALVINGS = 60
RANK = 1e-10  # of the largest singular value: rows of ties that depend on others


def picked(pieces: Pieces, ties: Sequence[Any]) -> tuple[Any, list[tuple[int, Any]]]:
    """Return (the gradient with the largest piece of every kink that is not tied or not convex, the tied convex kinks).

    A tied kink is (its number, its tied pieces).
    """
    gradient = pieces.gradient.copy()
    tied = []
    for k, (tie, role) in enumerate(zip(ties, pieces.roles, strict=True)):
        if len(tie) > 1 and role > 0:
            tied.append((k, tie))
        else:
            gradient = gradient + role * pieces.slopes[k][int(np.argmax(pieces.values[k]))]
    return gradient, tied


class Multipliers(NamedTuple):
    """The weights λₖ of every kink's pieces and what is left of the gradient: the subgradient nearest to 0."""

    weights: list[Any]
    rest: Any


def multipliers(pieces: Pieces, ties: Sequence[Any]) -> Multipliers:
    """Return the weights whose subgradient is (nearly) the shortest, by non-negative least squares.

    Where 0 is a subgradient, the weights of every kink add up to 1 and the rest is 0, both to rounding.
    """
    weights = [np.zeros(len(values)) for values in pieces.values]
    for own, values in zip(weights, pieces.values, strict=True):
        own[int(np.argmax(values))] = 1.0
    gradient, tied = picked(pieces, ties)
    if not tied:
        return Multipliers(weights, gradient)
    columns = np.concatenate([pieces.roles[k] * pieces.slopes[k][tie] for k, tie in tied]).T
    owner = np.concatenate([np.full(len(tie), row) for row, (_, tie) in enumerate(tied)])
    size = float(np.abs(columns).max(initial=0.0)) or 1.0
    sums = size * (owner[np.newaxis, :] == np.arange(len(tied))[:, np.newaxis])
    found, _ = nnls(np.vstack([columns, sums]), np.concatenate([-gradient, np.full(len(tied), size)]))
    for row, (k, tie) in enumerate(tied):
        own = found[owner == row]
        total = own.sum()
        weights[k][:] = 0.0
        weights[k][tie] = own / total if total > 0 else 1.0 / len(tie)
    mixed = sum((pieces.roles[k] * (weights[k] @ pieces.slopes[k]) for k, _ in tied), gradient)
    return Multipliers(weights, mixed)


class Manifold(NamedTuple):
    """The ties to first order: the shortest step onto them, a basis of the directions that keep them; both scaled."""

    back: Any  # (n,)
    along: Any  # (n, d), orthonormal


def manifold(pieces: Pieces, ties: Sequence[Any], scale: Any) -> Manifold:
    """Return where the tied pieces are equal; lengths are measured in `scale` (n,), the variables' scales."""
    _, tied = picked(pieces, ties)
    size = len(scale)
    rows = [pieces.slopes[k][i] - pieces.slopes[k][tie[0]] for k, tie in tied for i in tie[1:]]
    away = [pieces.values[k][tie[0]] - pieces.values[k][i] for k, tie in tied for i in tie[1:]]
    if not rows:
        return Manifold(np.zeros(size), np.eye(size))
    matrix = np.array(rows) * scale
    # Each row is made as long as 1, so that the rank does not depend on the units of a piece.
    lengths = np.linalg.norm(matrix, axis=1)
    lengths[lengths == 0] = 1.0
    left, values, right = np.linalg.svd(matrix / lengths[:, np.newaxis], full_matrices=True)
    rank = int((values > RANK * values.max(initial=0.0)).sum())
    back = right[:rank].T @ ((left.T @ (np.array(away) / lengths))[:rank] / values[:rank])
    return Manifold(back, right[rank:].T)


class Step(NamedTuple):
    """The step p onto the minimum among the ties, and the curvature along them."""

    p: Any
    along: Any  # (n, d): directions that keep the ties, one for each entry of `curvature`, as long as the scales
    curvature: Any  # (d,): the eigenvalues of the Hessian along them
    noise: float  # eigenvalues up to this cannot be told from 0


def tied_step(pieces: Pieces, ties: Sequence[Any], weights: Sequence[Any], scale: Any, radius: float = inf) -> Step:
    """Return the Newton step under the ties, no longer than `radius` in the variables' scales.

    Without a radius, directions that do not bend upward are left out of it; with one, the step is the minimum of the
    model along the ties within it (Moré & Sorensen 1983).
    """
    gradient, tied = picked(pieces, ties)
    for k, _ in tied:
        gradient = gradient + pieces.roles[k] * (weights[k] @ pieces.slopes[k])
    back, along = manifold(pieces, ties, scale)
    length = float(np.linalg.norm(back))
    if length > MOST_BACK * radius:
        back, length = back * (MOST_BACK * radius / length), MOST_BACK * radius
    if not along.shape[1]:
        return Step(scale * back, along, np.zeros(0), 0.0)
    hessian = pieces.hessian(weights) * scale * scale[:, np.newaxis]
    if not np.isfinite(hessian).all():
        return Step(scale * back, scale[:, np.newaxis] * along, np.full(along.shape[1], np.nan), inf)
    reduced = along.T @ hessian @ along
    slope = along.T @ (scale * gradient + hessian @ back)
    values, vectors = np.linalg.eigh(0.5 * (reduced + reduced.T))
    noise = 1e-13 * float(np.abs(hessian).max(initial=0.0))
    parts = vectors.T @ slope
    axes = along @ vectors
    inner = -_shifted(values, parts, noise, (radius * radius - length * length) ** 0.5 if radius < inf else inf)
    return Step(scale * (back + axes @ inner), scale[:, np.newaxis] * axes, values, noise)


def _shifted(values: Any, parts: Any, noise: float, radius: float) -> Any:
    """Return (values + shift)⁻¹ · parts with the least shift that makes it no longer than `radius`."""
    if radius == inf:
        return np.where(values > noise, parts / np.where(values > noise, values, 1.0), 0.0)
    if not radius > 0:
        return np.zeros(len(parts))
    low = max(0.0, noise - float(values.min()))
    found = parts / (values + low) if low > 0 or values.min() > noise else np.full(len(parts), inf)
    if np.linalg.norm(found) <= radius:
        return found
    high = low + float(np.linalg.norm(parts)) / radius + noise
    for _ in range(HALVINGS):  # the length falls with the shift
        middle = 0.5 * (low + high)
        if np.linalg.norm(parts / (values + middle)) > radius:
            low = middle
        else:
            high = middle
    return parts / (values + high)
