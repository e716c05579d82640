"""Eigenvalues of small symmetric matrices without NumPy, whose loading takes longer than the answer.

Jacobi's method (1846): rotations in the planes of two axes, until nothing is left beside the diagonal.
Source: Golub & Van Loan, *Matrix Computations*, 2013, ch. 8.5.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, sqrt

SMALL = 12
SWEEPS = 30


def eigen(matrix: Sequence[Sequence[float]]) -> tuple[list[float], list[list[float]]]:
    """Return the eigenvalues in increasing order, and the eigenvectors (rows) that belong to them."""
    if len(matrix) > SMALL:
        import numpy as np

        values, columns = np.linalg.eigh(np.array(matrix))
        return values.tolist(), columns.T.tolist()
    size = len(matrix)
    a = [list(map(float, row)) for row in matrix]
    vectors = [[1.0 if i == j else 0.0 for j in range(size)] for i in range(size)]
    for _ in range(SWEEPS):
        beside = sum(a[i][j] ** 2 for i in range(size) for j in range(i))
        if beside <= 1e-34 * sum(a[i][i] ** 2 for i in range(size)) or not beside < 1e300:
            break
        for p in range(size):
            for q in range(p + 1, size):
                _rotate(a, vectors, p, q)
    order = sorted(range(size), key=lambda k: a[k][k])
    return [a[k][k] for k in order], [vectors[k] for k in order]


def _rotate(a: list[list[float]], vectors: list[list[float]], p: int, q: int) -> None:
    """Rotate in the plane of p and q so that the entry (p, q) vanishes."""
    if not a[p][q]:
        return
    theta = (a[q][q] - a[p][p]) / (2 * a[p][q])
    t = (1.0 if theta >= 0 else -1.0) / (abs(theta) + hypot(theta, 1.0))
    c = 1 / sqrt(t * t + 1)
    s = t * c
    for row in a:
        row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
    for rows in (a, vectors):
        rows[p], rows[q] = (
            [c * x - s * y for x, y in zip(rows[p], rows[q], strict=True)],
            [s * x + c * y for x, y in zip(rows[p], rows[q], strict=True)],
        )
    a[p][q] = a[q][p] = 0.0
