"""Polynomials: the degree in given variables, the exact value at a point, the exact expansion.

Every answer is either certain or None for "unknown"; the tests are structural, so x/x·x is not found to be linear.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from math import comb

from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.tape import Tape

# A polynomial: monomial → coefficient (never 0); a monomial is ((variable's position, exponent), ...), sorted.
Monomial = tuple[tuple[int, int], ...]
Polynomial = dict[Monomial, Fraction]

MOST_TERMS = 30_000
LONGEST_COEFFICIENT = 20_000  # bits


def degree(tape: Tape, root: int, variables: Collection[str]) -> int | None:
    """Return an upper bound on the degree of `root` as a polynomial in `variables`, None where it is not one.

    An indexed variable x[i] is meant by its array's name x.
    """
    bounds: dict[int, int | None] = {}
    for index in tape.reachable((root,)):
        entry = tape[index]
        below = [bounds[a] for a in entry.args]
        bound: int | None = None
        if entry.op == "symbol":
            bound = 1 if entry.value in variables else 0
        elif entry.op == "access":
            bound = None if below[0] != 0 else 1 if entry.value in variables else 0
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
                case "sum" if known[1] == known[2] == 0:
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


def polynomial_value(tape: Tape, root: int, point: Mapping[str, Fraction]) -> Fraction:
    """Evaluate a polynomial exactly.  Raises `ValueError` at an operation that does not keep rationals rational."""
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


def expand(
    tape: Tape, root: int, variables: Sequence[str], deadline: Deadline = ENDLESS, most: int = MOST_TERMS
) -> Polynomial | None:
    """Return `root` multiplied out, exactly; None where it is not a polynomial with rational coefficients, or too long.

    Raises `OutOfTimeError`.
    """
    position = {name: k for k, name in enumerate(variables)}
    known: dict[int, Polynomial] = {}
    for index in tape.reachable((root,)):
        deadline.check()
        entry = tape[index]
        result: Polynomial | None = None
        args = [known[a] for a in entry.args]
        match entry.op:
            case "constant":
                assert isinstance(entry.value, Fraction)
                result = {(): entry.value} if entry.value else {}
            case "symbol" if entry.value in position:
                result = {((position[str(entry.value)], 1),): Fraction(1)}
            case "add":
                result = _sum(args, deadline)
            case "neg":
                result = {m: -c for m, c in args[0].items()}
            case "mul":
                result = {(): Fraction(1)}
                for arg in args:
                    result = _product(result, arg, deadline, most) if result is not None else None
            case "div" if set(args[1]) == {()}:
                bottom = args[1][()]
                result = {m: c / bottom for m, c in args[0].items()}
            case "pow":
                power = tape.value(entry.args[1])
                if power is not None and power.denominator == 1 and 0 <= power <= 400:
                    result = _power(args[0], power.numerator, deadline, most)
        if result is None or len(result) > most:
            return None
        known[index] = result
    return known[root]


def _sum(parts: Sequence[Polynomial], deadline: Deadline) -> Polynomial:
    total = dict(parts[0])
    for part in parts[1:]:
        deadline.check()
        for monomial, coefficient in part.items():
            new = total.get(monomial, 0) + coefficient
            if new:
                total[monomial] = new
            else:
                total.pop(monomial, None)
    return total


def _times(a: Monomial, b: Monomial) -> Monomial:
    if not a or not b:
        return a or b
    powers = dict(a)
    for variable, exponent in b:
        powers[variable] = powers.get(variable, 0) + exponent
    return tuple(sorted(powers.items()))


def _product(a: Polynomial, b: Polynomial, deadline: Deadline, most: int) -> Polynomial | None:
    if len(a) * len(b) > 20 * most:
        return None
    result: Polynomial = {}
    for m, c in a.items():
        deadline.check()
        for n, d in b.items():
            monomial = _times(m, n)
            result[monomial] = result.get(monomial, Fraction(0)) + c * d
        if len(result) > 2 * most:
            return None
    if any(c.numerator.bit_length() + c.denominator.bit_length() > LONGEST_COEFFICIENT for c in result.values()):
        return None
    return {m: c for m, c in result.items() if c}


def _power(base: Polynomial, exponent: int, deadline: Deadline, most: int) -> Polynomial | None:
    if len(base) == 1:  # a monomial, at once
        ((monomial, coefficient),) = base.items()
        bits = coefficient.numerator.bit_length() + coefficient.denominator.bit_length()
        if bits * exponent > LONGEST_COEFFICIENT:
            return None
        return {tuple((v, e * exponent) for v, e in monomial) if exponent else (): coefficient**exponent}
    variables = len({v for monomial in base for v, _ in monomial})
    top = total_degree(base) * exponent
    if min(comb(len(base) + exponent - 1, exponent), comb(variables + top, variables)) > 2 * most:
        return None  # it may be that long, and mostly is
    result: Polynomial | None = {(): Fraction(1)}
    for _ in range(exponent):
        if result is None:
            return None
        result = _product(result, base, deadline, most)
    return result


def coefficients(polynomial: Polynomial) -> list[Fraction]:
    """Return the coefficients of a polynomial in one variable, the constant first."""
    top = max((m[0][1] for m in polynomial if m), default=0)
    result = [Fraction(0)] * (top + 1)
    for monomial, coefficient in polynomial.items():
        result[monomial[0][1] if monomial else 0] = coefficient
    return result


def total_degree(polynomial: Polynomial) -> int:
    """Return the degree (0 of a constant)."""
    return max((sum(e for _, e in m) for m in polynomial), default=0)
