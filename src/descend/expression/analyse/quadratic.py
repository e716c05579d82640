"""Quadratics, exact: the matrix, the minimum in closed form, and what the eigenvalues say about gradient descent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, log, log1p, sqrt
from typing import NamedTuple

from descend.expression.analyse.eigen import eigen
from descend.expression.analyse.polynomial import Polynomial, degree, polynomial_value, total_degree
from descend.expression.tape import Tape

EXACT_VARIABLES = 30  # up to here a quadratic is solved in exact fractions

LONGEST = 6_000  # bits of the longest coefficient, times the number of variables, that are solved exactly

Row = list[Fraction]


@dataclass(frozen=True)
class Quadratic:
    """½ xᵀ A x + bᵀ x + c, exact."""

    matrix: tuple[tuple[Fraction, ...], ...]
    vector: tuple[Fraction, ...]

    def stationary(self) -> tuple[Row, list[Row]] | None:
        """Return (a solution of A x = -b, a basis of the null space of A), None where there is no solution."""
        size = len(self.vector)
        rows = [[*self.matrix[k], -self.vector[k]] for k in range(size)]
        pivots: list[int] = []
        for column in range(size):
            rank = len(pivots)
            best = max(range(rank, size), key=lambda r: abs(rows[r][column]), default=None)
            if best is None or rows[best][column] == 0:
                continue
            rows[rank], rows[best] = rows[best], rows[rank]
            head = rows[rank][column]
            rows[rank] = [value / head for value in rows[rank]]
            for r in range(size):
                factor = rows[r][column]
                if r != rank and factor:
                    rows[r] = [a - factor * b for a, b in zip(rows[r], rows[rank], strict=True)]
            pivots.append(column)
        if any(row[size] for row in rows[len(pivots) :]):
            return None
        solution = [Fraction(0)] * size
        for rank, column in enumerate(pivots):
            solution[column] = rows[rank][size]
        basis = []
        for free in (c for c in range(size) if c not in pivots):
            vector = [Fraction(0)] * size
            vector[free] = Fraction(1)
            for rank, column in enumerate(pivots):
                vector[column] = -rows[rank][free]
            basis.append(vector)
        return solution, basis

    def direction(self, sign: int) -> tuple[dict[int, Fraction], Fraction] | None:
        """Return a plain direction d with dᵀAd of this sign, and that number; None where none is found.

        Along an axis, or in the plane of two, where every indefinite 2×2 block has one.
        """
        size = len(self.vector)
        a = self.matrix
        one = Fraction(1)
        candidates: list[dict[int, Fraction]] = [{k: one} for k in range(size)]
        for i in range(min(size, 60)):
            for j in range(i):
                if a[i][j]:
                    candidates.append({j: one, i: one if (a[i][j] > 0) == (sign > 0) else -one})
                    candidates += [{i: -a[i][j] / a[i][i], j: one}] if a[i][i] else []
                    candidates += [{i: one, j: -a[i][j] / a[j][j]}] if a[j][j] else []
        for candidate in candidates:
            amount = sum((x * y * a[i][j] for i, x in candidate.items() for j, y in candidate.items()), Fraction(0))
            if amount * sign > 0:
                return dict(sorted(candidate.items())), amount
        return None

    def semidefinite(self) -> bool:
        """Return whether A is positive semidefinite, by exact LDLᵀ."""
        rows = [list(row) for row in self.matrix]
        size = len(rows)
        for k in range(size):
            head = rows[k][k]
            if head < 0 or (head == 0 and any(rows[k][j] for j in range(k + 1, size))):
                return False
            if head:
                for i in range(k + 1, size):
                    factor = rows[i][k] / head
                    if factor:
                        for j in range(k + 1, size):
                            rows[i][j] -= factor * rows[k][j]
        return True


def quadratic(tape: Tape, gradient: Sequence[int], root: int, variables: Sequence[str]) -> Quadratic | None:
    """Return `root` as an exact quadratic in `variables`, None where it is not certainly one (or too large).

    `gradient` are the entries of its derivatives.  Their exact values at 0 and at the unit vectors are b and A.
    """
    if not 0 < len(variables) <= EXACT_VARIABLES:
        return None
    bound = degree(tape, root, variables)
    if bound is None or bound > 2:
        return None
    zero = dict.fromkeys(variables, Fraction(0))
    try:
        vector = [polynomial_value(tape, g, zero) for g in gradient]
        matrix = [[Fraction(0)] * len(variables) for _ in variables]
        for j, name in enumerate(variables):
            point = {**zero, name: Fraction(1)}
            for i, entry in enumerate(gradient):
                matrix[i][j] = polynomial_value(tape, entry, point) - vector[i]
    except (ValueError, ZeroDivisionError):  # a constant that is not rational, or a zero divisor
        return None
    numbers = [*vector, *(entry for row in matrix for entry in row)]
    longest = max(n.numerator.bit_length() + n.denominator.bit_length() for n in numbers)
    if longest * len(variables) > LONGEST:
        return None  # elimination in fractions would take minutes
    return Quadratic(tuple(map(tuple, matrix)), tuple(vector))


def quadratic_form(polynomial: Polynomial, size: int) -> Quadratic | None:
    """Return a polynomial of degree ≤ 2 as ½ xᵀ A x + bᵀ x + c, None for one of a higher degree."""
    if total_degree(polynomial) > 2:
        return None
    matrix = [[Fraction(0)] * size for _ in range(size)]
    vector = [Fraction(0)] * size
    for monomial, coefficient in polynomial.items():
        match monomial:
            case ((k, 1),):
                vector[k] = coefficient
            case ((k, 2),):
                matrix[k][k] = 2 * coefficient
            case ((j, 1), (k, 1)):
                matrix[j][k] = matrix[k][j] = coefficient
    return Quadratic(tuple(map(tuple, matrix)), tuple(vector))


class Spectrum(NamedTuple):
    """The extreme eigenvalues of A, as doubles."""

    smallest: float
    largest: float


def spectrum(matrix: Sequence[Sequence[Fraction]], nullity: int = 0) -> Spectrum | None:
    """Return the extreme eigenvalues of a symmetric matrix; None where its numbers are no doubles.

    With `nullity` (of a semidefinite matrix, known exactly), that many zeros are left out at the lower end.
    """
    size = len(matrix)
    try:
        rows = [[float(entry) for entry in row] for row in matrix]
    except OverflowError:
        return None
    if size == 1:
        return Spectrum(rows[0][0], rows[0][0])
    if size == 2:  # the smaller one from the exact determinant: the difference would cancel
        (a, b), (_, d) = matrix
        try:
            root = sqrt(float((a - d) ** 2 + 4 * b * b))
            mean = float(a + d)
            far = (mean + root) / 2 if mean >= 0 else (mean - root) / 2
            near = float((a * d - b * b) / Fraction(far)) if far else 0.0
        except OverflowError:
            return None
        return Spectrum(min(near, far), max(near, far)) if nullity == 0 else Spectrum(far, far)
    values, _ = eigen(rows)
    return Spectrum(values[nullity], values[-1])


class Rates(NamedTuple):
    """What gradient descent does on a quadratic whose curvatures lie between μ > 0 and L.

    The error is multiplied by at most (κ-1)/(κ+1) a step at the best fixed rate 2/(L+μ), κ = L/μ (Polyak,
    *Introduction to Optimization*, 1987, ch. 1.4); every rate below 2/L converges.
    """

    best: float
    safe_below: float
    steps_per_digit: float


def rates(smallest: float, largest: float) -> Rates | None:
    """Return the rates for curvatures between `smallest` (0 in a valley) and `largest`, None where L is not > 0."""
    if not largest > 0 or smallest < 0 or largest == inf:
        return None
    best = 2 / (largest + smallest)
    safe = 2 / largest
    ratio = largest / smallest if smallest else inf  # κ
    if ratio == inf:
        return Rates(best, safe, inf)
    if ratio == 1:
        return Rates(best, safe, 0.0)
    # log((κ+1)/(κ-1)) = log1p(2/(κ-1)): no digits are lost for a large κ
    return Rates(best, safe, log(10) / log1p(2 / (ratio - 1)))
