"""Sparse symmetric matrices: whether they can be factorised, and LDLᵀ without pivoting."""

from __future__ import annotations

from typing import Any, NamedTuple

MOST_FILL = 20_000_000  # entries of a factor
MOST_WORK = 10_000_000_000  # multiplications of one factorisation
CROWDED = 20  # times the typical number of entries: such a row is eliminated last
EPSILON = 2.0**-52
ACCURATE = 1e-8  # relative residual of a factorisation that is trusted


class Factor(NamedTuple):
    """A factorisation of a positive definite matrix."""

    lu: Any

    def solve(self, right: Any) -> Any:
        """Return A⁻¹ · right."""
        return self.lu.solve(right)


def affordable(matrix: Any) -> bool:
    """Whether the factor of a sparse matrix is small: from a bound on its fill, not by trying.

    The bound is the envelope in reverse Cuthill-McKee order, with crowded rows (the head of an arrow) last; the order
    that is used in the end fills less.
    """
    import numpy as np
    from scipy.sparse.csgraph import reverse_cuthill_mckee

    size = matrix.shape[0]
    counts = np.diff(matrix.indptr)
    crowded = counts > CROWDED * max(1.0, float(np.median(counts)))
    rest = matrix[~crowded][:, ~crowded].tocsc()
    order = reverse_cuthill_mckee(rest, symmetric_mode=True)
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    rows, columns = place[rest.indices], np.repeat(place, np.diff(rest.indptr))
    first = np.arange(len(order))
    np.minimum.at(first, columns, rows)
    widths = np.arange(len(order)) - first + 1.0 + float(crowded.sum())
    fill = float(widths.sum()) + size * float(crowded.sum())
    return fill <= MOST_FILL and float((widths * widths).sum()) <= MOST_WORK


def factorised(matrix: Any, shift: float) -> Factor | None:
    """Return the factor of matrix + shift·I, None where it is not positive definite.

    Without pivoting A = LDLᵀ, and D has the signs of the eigenvalues (Sylvester); for a positive definite A that is as
    stable as Cholesky's.
    """
    import numpy as np
    from scipy import sparse
    from scipy.sparse.linalg import splu

    shifted = (matrix + shift * sparse.eye_array(matrix.shape[0], format="csc")).tocsc()
    diagonal = shifted.diagonal()
    if not np.isfinite(shifted.data).all() or not (diagonal > 0).all():
        return None
    try:
        lu = splu(shifted, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError:  # exactly singular
        return None
    if not np.array_equal(lu.perm_r, lu.perm_c):
        return None
    pivots = lu.U.diagonal()
    if not (pivots > 0).all():
        return None
    trial = np.ones(len(diagonal))
    right = shifted @ trial
    residual = shifted @ lu.solve(right) - right
    size = float(np.abs(right).max(initial=0.0)) + float(np.abs(shifted.data).max(initial=0.0))
    return Factor(lu) if float(np.abs(residual).max(initial=0.0)) <= ACCURATE * size else None
