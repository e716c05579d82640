"""The lowest curvature of a matrix that is known by its products only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import inf, log, sqrt
from typing import Any, NamedTuple

EPSILON = 2.0**-52
CHECKED_EVERY = 10  # products between two looks at the eigenvalues
CONVERGED = 1e-2  # residual of the lowest pair, relative to its own value


class Pair(NamedTuple):
    """A direction of length 1 and its curvature, which is no lower than the lowest.

    `residual` is |A·v - value·v|: an eigenvalue lies within it.  `noise` is the size of rounding.
    """

    value: float
    vector: Any
    residual: float
    noise: float

    @classmethod
    def of(cls, times: Callable[[Any], Any], vector: Any) -> Pair:
        """Return the pair of a direction of any length."""
        size = sqrt(float(vector @ vector))
        unit = vector / size if size else vector
        along = times(unit)
        value = float(unit @ along)
        rest = along - value * unit
        noise = 16.0 * EPSILON * sqrt(float(along @ along))
        return cls(value, unit, sqrt(float(rest @ rest)), noise)


def lowest_pair(times: Callable[[Any], Any], begin: Any, most: int) -> Pair:
    """Return the lowest curvature that `most` products find, from `begin`."""
    return Pair.of(times, bottom(times, begin, most).vector)


class Bottom(NamedTuple):
    """The lowest eigenvalue as a long Lanczos run sees it.

    With a start at random, the lowest eigenvalue is below `value` - `slack` with a probability of less than 10⁻⁶
    (Kuczyński & Woźniakowski, SIAM J. Matrix Anal. Appl. 13, 1992).
    """

    value: float
    slack: float
    top: float
    vector: Any


def bottom(times: Callable[[Any], Any], begin: Any, most: int) -> Bottom:
    """Return the lowest eigenvalue with its direction, by Lanczos's method without reorthogonalisation, from `begin`.

    Rounding makes copies of eigenvalues that have been found, which does no harm to the lowest (Paige 1976).  The
    direction comes from a second run of the same recurrence, so that no space has to be kept.

    Source: Lanczos, J. Res. Nat. Bur. Standards 45 (1950); Golub & Van Loan, *Matrix Computations* (2013), 10.1.
    """
    import numpy as np

    size = len(begin)
    begin = begin / (sqrt(float(begin @ begin)) or 1.0)
    diagonal, beside = np.zeros(most), np.zeros(most)
    check, used, residual = 2 * CHECKED_EVERY, most, 0.0
    weights, value, top = np.ones(1), 0.0, 0.0
    for k, (_, a, b) in enumerate(_recurrence(times, begin, most)):
        diagonal[k], beside[k] = a, b
        top = max(top, abs(a) + b)
        last = k + 1 == most or not b > 16.0 * EPSILON * top
        if last or k + 1 == check:
            check = k + 1 + max(CHECKED_EVERY, check // 4)
            low, vectors = _lowest_of(diagonal[: k + 1], beside[:k])
            value, weights = low, vectors
            residual = b * abs(vectors[-1])
            if last or residual <= CONVERGED * abs(low):
                used = k + 1
                break
    vector = np.zeros(size)
    for weight, (basis, _, _) in zip(weights, _recurrence(times, begin, used), strict=True):
        vector += weight * basis
    spread = 2.0 * top
    if residual <= CONVERGED * abs(value):
        return Bottom(value, residual, top, vector)
    unlikely = log(1.648 * sqrt(size) * 1e6) / (2 * used - 1)
    return Bottom(value, unlikely * unlikely * spread, top, vector)


def _recurrence(times: Callable[[Any], Any], begin: Any, most: int) -> Iterator[tuple[Any, float, float]]:
    """Yield each vector of the Krylov space with its diagonal entry and the one beside it."""
    before, vector, beside = begin, begin, 0.0
    for _ in range(most):
        along = times(vector)
        diagonal = float(vector @ along)
        along = along - diagonal * vector - beside * before
        beside = sqrt(float(along @ along))
        yield vector, diagonal, beside
        if not beside > 0:
            return
        before, vector = vector, along / beside


def _lowest_of(diagonal: Any, beside: Any) -> tuple[float, Any]:
    from scipy.linalg import eigh_tridiagonal

    values, vectors = eigh_tridiagonal(diagonal, beside, select="i", select_range=(0, 0))
    return float(values[0]), vectors[:, 0]


def newton_length(times: Callable[[Any], Any], slope: Any, bent: float, most: int) -> float:
    """Return |f(A)·slope|, f(w) = 1/max(w, bent · top) for w > 0 and 1/top for others; top is the largest |w|.

    That is the length of Newton's step, with a short part along directions that bend downward.

    By Gauss quadrature from `most` steps of Lanczos's method (Golub & Meurant, *Matrices, Moments and Quadrature*).
    """
    import numpy as np
    from scipy.linalg import eigh_tridiagonal

    size = sqrt(float(slope @ slope))
    if not 0.0 < size < inf:
        return inf
    entries = [(a, b) for _, a, b in _recurrence(times, slope / size, most)]
    diagonal, beside = (np.array(column) for column in zip(*entries, strict=True))
    if not (np.isfinite(diagonal).all() and np.isfinite(beside).all()):
        return inf
    values, vectors = eigh_tridiagonal(diagonal, beside[:-1])
    top = float(np.abs(values).max())
    if top == 0.0:
        return inf
    parts = vectors[0] / np.where(values > 0.0, np.maximum(values, bent * top), top)
    return size * sqrt(float(parts @ parts))
