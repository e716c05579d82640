"""What can be known about a formula from its tape: its degree, whether it is quadratic, in what it is linear.

Every answer is either certain or None for "unknown"; the tests are structural, so x/x·x is not found to be linear.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from descend.expression.tape import Tape

EXACT_VARIABLES = 30  # up to here a quadratic is solved in exact fractions

LONGEST = 6_000  # bits of the longest coefficient, times the number of variables, that are solved exactly

Row = list[Fraction]


def degree(tape: Tape, root: int, variables: Collection[str]) -> int | None:
    """Return an upper bound on the degree of `root` as a polynomial in `variables`, None where it is not one."""
    bounds: dict[int, int | None] = {}
    for index in tape.reachable((root,)):
        entry = tape[index]
        below = [bounds[a] for a in entry.args]
        bound: int | None = None
        if entry.op == "symbol":
            bound = 1 if entry.value in variables else 0
        elif all(b == 0 for b in below):
            bound = 0
        elif None not in below:
            known = [b for b in below if b is not None]
            match entry.op:
                case "add" | "neg":
                    bound = max(known)
                case "mul":
                    bound = sum(known)
                case "div" if known[1] == 0:
                    bound = known[0]
                case "pow":
                    power = tape.value(entry.args[1])
                    if power is not None and power.denominator == 1 and power >= 0:
                        bound = known[0] * power.numerator
        bounds[index] = bound
    return bounds[root]


def linear_in(tape: Tape, root: int, variables: Collection[str]) -> bool:
    """Return whether `root` is certainly linear (affine) in all `variables` together."""
    bound = degree(tape, root, variables)
    return bound is not None and bound <= 1


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


def polynomial_value(tape: Tape, root: int, point: dict[str, Fraction]) -> Fraction:
    """Evaluate a polynomial exactly; a constant that is not rational counts as the double nearest to it."""
    values: dict[int, Fraction] = {}
    for index in tape.reachable((root,)):
        entry = tape[index]
        args = [values[a] for a in entry.args]
        match entry.op:
            case "constant":
                assert isinstance(entry.value, Fraction)
                values[index] = entry.value
            case "symbol":
                values[index] = point[str(entry.value)]
            case "add":
                values[index] = sum(args, Fraction(0))
            case "mul":
                product = Fraction(1)
                for arg in args:
                    product *= arg
                values[index] = product
            case "neg":
                values[index] = -args[0]
            case "div":
                values[index] = args[0] / args[1]
            case "pow":
                values[index] = args[0] ** args[1].numerator
            case op:
                raise ValueError(op)
    return values[root]


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
