"""The judge: is this point a minimum?  It reads the text in 50 digits and knows nothing of anybody's status.

A point is right when

- its value is that of a listed minimum, f - f* <= 1e-8·max(|f*|, 1e-6·(f(start) - f*)), or lower than the lowest one
  (above another listed minimum it must be as near from both sides: to be lower than a bad minimum proves nothing), or
- the slope is at most 1e-6·max(1, |f|)/max(1, |x|) (Euclidean lengths) and no eigenvalue of the Hessian is below
  -1e-8 times the largest entry.  Up to `EXACT` variables the number of such eigenvalues is counted by Sylvester's law
  of inertia from an LDLᵀ factorisation of H + 1e-8·max|H|·I in balls of 50 digits; for more variables the same
  factorisation is made in double precision (sparse), or eigenvalues (dense, up to `DENSE`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb

from benchmarks.methods.exact import Jet, TooDenseError
from benchmarks.methods.problems import Problem

LISTED = 1e-8
START = 1e-6
SLOPE = 1e-6
PSD = 1e-8
EXACT = 200
DENSE = 2000


@dataclass(frozen=True)
class Ruling:
    """What the judge says of a point, with the numbers."""

    right: bool
    why: str
    value: float = float("nan")
    above: float = float("nan")  # the lowest listed minimum
    slope: float = float("nan")


class Judge:
    """The judge of one problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self._seen: dict[bytes, Ruling] = {}

    @cached_property
    def begin(self) -> arb:
        """The value at the start."""
        return self.problem.exact.value(self.problem.start)

    def ruling(self, point: Any) -> Ruling:
        """Judge a point."""
        x = np.asarray(point, dtype=np.float64)
        if x.shape != (self.problem.n,):
            return Ruling(False, "no point of this problem")
        key = x.tobytes()
        if key not in self._seen:
            self._seen[key] = self._rule(x)
        return self._seen[key]

    def _rule(self, x: np.ndarray) -> Ruling:
        if not np.isfinite(x).all():
            return Ruling(False, "the point is not finite")
        value = self.problem.exact.value(x.tolist())
        if not value.is_finite():
            return Ruling(False, "no finite value")
        minima = [arb(repr(self.problem.scale)) * arb(text) for text in self.problem.listed]
        number, above = float(value.mid()), float((value - minima[0]).mid()) if minima else float("nan")
        for k, minimum in enumerate(minima):
            allowed = LISTED * max(abs(float(minimum)), START * float((self.begin - minimum).mid()))
            difference = float((value - minimum).mid())
            if difference <= allowed and (k == 0 or difference >= -allowed):
                return Ruling(
                    True, "a listed minimum" if difference >= -allowed else "lower than listed", number, above
                )
        return self._stationary(x, number, above)

    def _stationary(self, x: np.ndarray, number: float, above: float) -> Ruling:
        jet = self.problem.exact.jet(x.tolist(), curved=False)
        slope = _length(arb(s) for s in jet.slope.values())
        allowed = SLOPE * _larger(self.problem.scale, abs(arb(jet.value))) / _larger(1.0, _length(map(arb, x.tolist())))
        size = float(slope.mid())
        if not slope <= allowed:
            return Ruling(False, f"slope {size:.2g} > {float(allowed.mid()):.2g}", number, above, size)
        try:
            verdict = semidefinite(self.problem.exact.jet(x.tolist()), self.problem.n)
        except TooDenseError:
            verdict = None
        if verdict is None:
            return Ruling(False, "curvature not judged: too many variables", number, above, size)
        if not verdict:
            return Ruling(False, "the Hessian has a negative eigenvalue", number, above, size)
        return Ruling(True, "another minimum", number, above, size)


def _length(entries: Iterable[arb]) -> arb:
    return sum((v * v for v in entries), arb(0)).sqrt()


def _larger(least: float, value: arb) -> arb:
    return value if value > least else arb(least)


def semidefinite(jet: Jet, n: int) -> bool | None:
    """Whether no eigenvalue of the Hessian is below -1e-8·max|H|; None where it is too large to say."""
    assert jet.bend is not None
    largest = max((abs(float(arb(b).mid())) for b in jet.bend.values()), default=0.0)
    if largest == 0.0:
        return True
    if n <= EXACT:
        return _positive_pivots(jet, n, PSD * largest)
    return _positive_in_doubles(jet, n, PSD * largest)


def _positive_pivots(jet: Jet, n: int, shift: float) -> bool:
    """Whether all pivots of LDLᵀ of H + shift·I are positive (then, and only then, all eigenvalues are)."""
    assert jet.bend is not None
    rows: list[dict[int, Any]] = [{i: arb(shift)} for i in range(n)]
    for (i, j), b in jet.bend.items():
        rows[i][j] = rows[i][j] + b if j in rows[i] else b
    for i in range(n):
        pivot = rows[i][i]
        if not pivot > 0:
            return False
        rest = [(j, v) for j, v in rows[i].items() if j > i]
        for j, v in rest:
            factor = v / pivot
            row = rows[j]
            for k, w in rest:
                if k >= j:
                    row[k] = row[k] - factor * w if k in row else -factor * w
    return True


def _positive_in_doubles(jet: Jet, n: int, shift: float) -> bool | None:
    from scipy.sparse import csc_array
    from scipy.sparse.linalg import splu

    assert jet.bend is not None
    pairs = np.array(list(jet.bend), dtype=np.int64).reshape(-1, 2)
    values = np.array([float(arb(b).mid()) for b in jet.bend.values()])
    off = pairs[:, 0] != pairs[:, 1]
    rows = np.concatenate([pairs[:, 0], pairs[off, 1], np.arange(n)])
    columns = np.concatenate([pairs[:, 1], pairs[off, 0], np.arange(n)])
    matrix = csc_array((np.concatenate([values, values[off], np.full(n, shift)]), (rows, columns)), shape=(n, n))
    if matrix.nnz > 0.1 * n * n:
        return bool(np.linalg.eigvalsh(matrix.toarray()).min() >= 0) if n <= DENSE else None
    factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    return bool((factors.U.diagonal() > 0).all()) and bool((factors.perm_r == factors.perm_c).all())
