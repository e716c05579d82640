"""Names that do not matter, and names that matter only together: a·b, a + b, a·exp(c).

A cost depends on a and b only through a + r·b, a·bʳ or a·exp(b/r) exactly where ∂ₐ/∂ᵦ, a∂ₐ/b∂ᵦ or a∂ₐ/∂ᵦ is one and
the same number everywhere.  That is tested at random points in 320-bit arithmetic: for a formula without kinks a
coincidence at all of them is as good as impossible (Schwartz 1980, Zippel 1979, for polynomials).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from descend.expression.analyse.balls import Ball, evaluate
from descend.expression.analyse.deadline import Deadline
from descend.expression.analyse.domain import Domain
from descend.expression.analyse.interval import REALS
from descend.expression.analyse.witness import placed
from descend.expression.derivative import gradient
from descend.expression.functions import TABLE
from descend.expression.tape import Tape

MOST_NAMES = 40
POINTS = 6


@dataclass(frozen=True)
class Together:
    """`names` occur only in one combination: Σ weightᵢ·nameᵢ (kind "sum"), Π nameᵢ^weightᵢ ("product"), or
    name₀^weight₀·exp(name₁) ("exponential").
    """

    kind: str
    names: tuple[str, ...]
    weights: tuple[Fraction, ...]


@dataclass(frozen=True)
class Roles:
    """Names whose value does not matter, and names that matter only together."""

    dead: tuple[str, ...] = ()
    together: tuple[Together, ...] = ()


def roles(tape: Tape, root: int, names: Sequence[str], where: Domain, deadline: Deadline) -> Roles | None:
    """Return the roles of `names`, None for unknown.  Raises `OutOfTimeError`."""
    order = tape.reachable((root,))
    if (
        not 0 < len(names) <= MOST_NAMES
        or len(order) > 3_000
        or any(TABLE[tape[i].op].kink for i in order if tape[i].op in TABLE)
    ):
        return None
    slopes = gradient(tape, root, [tape.symbol(n) for n in names])
    everyone = tape.symbols((root, *slopes))
    rows: list[list[Ball]] = []
    places: list[Mapping[str, Fraction]] = []
    rng = random.Random(7)  # noqa: S311 - places to look at
    for attempt in range(6 * POINTS):
        deadline.check()
        point = {
            name: Fraction(placed(where.boxes.get(symbol, REALS), rng.uniform(-1, 1) * (0.5, 1.5, 3.0)[attempt % 3]))
            for name, symbol in everyone.items()
        }
        found = evaluate(tape, [root, *slopes], point)
        if found is not None:
            rows.append(found[1:])
            places.append(point)
        if len(rows) == POINTS:
            break
    else:
        return None
    dead = tuple(n for k, n in enumerate(names) if all(row[k].contains(0) for row in rows))
    live = [k for k, n in enumerate(names) if n not in dead]
    if any(row[k].contains(0) for row in rows for k in live):
        return Roles(dead)
    return Roles(dead, tuple(_combinations(names, live, rows, places, deadline)))


def _combinations(
    names: Sequence[str],
    live: Sequence[int],
    rows: Sequence[Sequence[Ball]],
    places: Sequence[Mapping[str, Fraction]],
    deadline: Deadline,
) -> list[Together]:
    plain: Callable[[int, int], Ball] = lambda k, r: rows[r][k]  # noqa: E731
    scaled: Callable[[int, int], Ball] = lambda k, r: rows[r][k] * _ball(places[r][names[k]])  # noqa: E731
    found: list[Together] = []
    taken: set[int] = set()
    for kind, left in (("product", scaled), ("sum", plain)):
        for k in live:
            deadline.check()
            if k in taken:
                continue
            members, weights = [k], [Fraction(1)]
            for other in live:
                if other <= k or other in taken:
                    continue
                ratio = _ratio(left, other, left, k, len(rows))
                if ratio is not None:
                    members.append(other)
                    weights.append(ratio)
            if len(members) > 1:
                taken.update(members)
                found.append(Together(kind, tuple(names[m] for m in members), _whole(weights)))
    for k in live:
        for other in live:
            deadline.check()
            if k == other or k in taken or other in taken:
                continue
            ratio = _ratio(scaled, k, plain, other, len(rows))
            if ratio is not None:
                taken.update((k, other))
                found.append(Together("exponential", (names[k], names[other]), (ratio, Fraction(1))))
    return found


def _ball(value: Fraction) -> Ball:
    import flint

    return flint.arb(flint.fmpq(value.numerator, value.denominator))


def _ratio(
    above: Callable[[int, int], Ball], a: int, below: Callable[[int, int], Ball], b: int, count: int
) -> Fraction | None:
    """Return above(a)/below(b) where it is the same rational number at all points."""
    import flint

    with flint.ctx.workprec(320):
        guess: Fraction | None = None
        for r in range(count):
            quotient = above(a, r) / below(b, r)
            if guess is None:
                size = float(quotient.mid())
                if not 1e-6 < abs(size) < 1e6:
                    return None
                guess = Fraction(size).limit_denominator(1000)
            if not quotient.overlaps(_ball(guess)):
                return None
    return guess


def _whole(weights: Sequence[Fraction]) -> tuple[Fraction, ...]:
    """Scale weights to the smallest whole numbers, the first positive."""
    from math import gcd, lcm

    common = lcm(*(w.denominator for w in weights))
    numerators = [int(w * common) for w in weights]
    divisor = gcd(*numerators)
    return tuple(Fraction(n // divisor) for n in numerators)
