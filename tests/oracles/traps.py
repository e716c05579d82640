"""Costs on which a descent is tempted to say "minimum" where there is none, with all minima that there are.

A trap is a text in X, Y, Z, its starts, and a function from a point to its distance from the nearest minimum (None:
there is no minimum at all, so every success is false).  Minima in the sense of calculus: no lower cost around.
"""

from __future__ import annotations

import math
import random
import re
from typing import NamedTuple

import mpmath as mp


class Trap(NamedTuple):
    text: str
    starts: tuple
    away: object = None  # distance of a point (a list of mpf) from the nearest minimum
    moves: bool = True  # whether doubles still show it when it is shifted far and scaled unevenly
    turns: bool = True  # whether they do when its variables are mixed


def at(*minima):
    """Isolated minima: numbers, or tuples of them."""
    places = [m if isinstance(m, tuple) else (m,) for m in minima]
    return lambda z: min(max(abs(a - b) for a, b in zip(z, place, strict=True)) for place in places)


def _wave(z):
    """Distance from the nearest π + 2πk."""
    turn = (z[0] - mp.pi) / (2 * mp.pi)
    return abs(turn - mp.nint(turn)) * 2 * mp.pi


def _sinc(z):
    """Roots of tan z = z at which sin z < 0 are the minima of sin(z)/z."""
    x = abs(z[0])
    return abs(mp.tan(x) - x) / (1 + x**2) if mp.sin(x) < 0 else mp.mpf(1)


HALF = mp.sqrt(mp.mpf(1) / 2)

TRAPS = [
    # flat starts: maxima, saddles and inflections where the slope is zero or soon is
    Trap("X**4 - X**2", (0, 1e-9, 0.7, -3), at(-HALF, HALF)),
    Trap("X**2*(X-1)**2", (0.5, 3, -1), at(0, 1)),
    Trap("cos(X)", (0, 1, 10), _wave),
    Trap("-cos(X)", (mp.pi, 3.1, 3.2), lambda z: _wave([z[0] + mp.pi])),
    Trap("-X**2", (0, 1)),
    Trap("-X**4", (0, 1, 1e-3)),
    Trap("X**3", (0, 1, -1, 1e-8)),
    Trap("X**5", (0, 1)),
    Trap("(X-1)**3 + 5", (2, 1.001, 1)),
    Trap("X - sin(X)", (3, 0.1, 0)),
    Trap("X + sin(X)", (3, 0)),
    Trap("X**3 + 1e-10*X", (1,)),
    Trap("X**3 + 1e-20*X", (1,)),
    Trap("X**3 - 3*X", (2, 0, -0.9), at(1)),
    Trap("X**4 + 1e-3*X**3", (1, -1), at(mp.mpf("-0.75e-3"))),
    Trap("X**4 + 1e-9*X**3", (1,), at(mp.mpf("-0.75e-9"))),
    Trap("X**3 + 1e-9*X**2", (1,), at(0)),
    Trap("(X-1)**7", (2, 1.1, 0)),
    Trap("X**7-7*X**6+21*X**5-35*X**4+35*X**3-21*X**2+7*X-1", (2, 1.1, 1.001)),
    Trap("X**2 - Y**2", ((0, 0), (1, 0), (1, 1e-12))),
    Trap("X*Y", ((0, 0), (1, 1), (2, 1))),
    Trap("X**2 + Y**3", ((1, 1), (0, 0))),
    Trap("X**2 - Y**4", ((1, 1), (0, 0), (1, 0))),
    Trap("X**3 - 3*X*Y**2", ((0, 0), (1, 1), (1, 0))),  # the monkey's saddle
    Trap("X**2*Y", ((0, 0),)),
    Trap("X*Y*Z", ((0, 0, 0),)),
    Trap("X**4 + Y**4 - 3*X**2*Y**2", ((0, 0),)),
    Trap("(2*X-3*Y)*(5*X-8*Y)*(X**2+Y**2)", ((0, 0),), moves=False),  # falls only in a narrow wedge
    Trap("X**3 + Y**3 - 3*X*Y", ((0, 0), (2, 2), (0.5, 0.4)), at((1, 1))),
    Trap("X**4 + Y**4 - (X-Y)**2", ((0, 0), (1, 1)), at((1, -1), (-1, 1))),
    Trap("X**2 + Y**2 + Z**2 - 2*X*Y*Z", ((0.1, 0.2, 0.3), (1, 1, 1)), at((0, 0, 0))),
    Trap("(X-Y**2)*(X-3*Y**2)", ((0, 0), (1, 0), (1, 1)), moves=False),  # Peano: rises along every line
    Trap("(Y-X**2)*(Y-2*X**2)", ((0, 0), (0.1, 0.02)), moves=False),
    Trap("(X-1)**2 - 1e-12*Y**2", ((0, 1), (0, 0), (0, 1e-9))),
    Trap("(X-1)**2 + 1e-20*Y", ((0, 1), (0, 0))),
    # no minimum: the cost falls without end, or towards a value that it never takes
    Trap("X", (0, 1)),
    Trap("-X", (3,)),
    Trap("X + Y", ((0, 0),)),
    Trap("exp(X)", (0, 1)),
    Trap("-exp(X)", (0, -5)),
    Trap("exp(-X)", (0, 3)),
    Trap("X**2 + exp(-Y)", ((1, 1), (0, 800)), moves=False),  # moved, its plateau is longer than what is looked at
    Trap("X**2 - tanh(Y)", ((1, 1), (1, 30))),
    Trap("1/X", (1,)),
    Trap("1/(1+X**2)", (0, 1)),
    Trap("atan(X)", (0, 5)),
    Trap("tanh(X)", (0, 1)),
    Trap("erf(X)", (0, 3)),
    Trap("-sigmoid(X)", (0, 40)),
    Trap("softplus(X)", (0, -30)),
    Trap("log(X)", (1, 10)),
    Trap("-log(X)", (1, 10)),
    Trap("X*exp(-X)", (0.5, 3, 20)),
    Trap("X**2*exp(-X)", (1, 3, 50), at(0)),
    # plateaus
    Trap("-exp(-(X-40)**2)", (0, 38, 41), at(40)),
    Trap("1 - exp(-X**2)", (0.5, 10, 30), at(0)),
    Trap("-1/(1+X**2)", (0, 1, 1000), at(0)),
    Trap("log(1+X**2)", (3, 100), at(0)),
    Trap("sin(X)/X", (1, 10), _sinc, moves=False),  # zero beside the pole of a shifted text
    # kinks and jumps
    Trap("abs(X)", (1, 0), at(0)),
    Trap("-abs(X)", (0, 1)),
    Trap("sqrt(abs(X))", (1,), at(0)),
    Trap("cbrt(X)**2", (1,), at(0)),
    Trap("abs(X**2-1)", (3, 0), at(1, -1)),
    Trap("abs(X-0.3) + abs(Y)", ((1, 1), (0.3, 0)), at((mp.mpf("0.3"), 0))),
    Trap("max(X, 2*X)", (1, 0)),
    Trap("min(X**2, (X-3)**2 + 1)", (1, 1.7, 3), at(0, 3)),
    Trap("min(0, X)**3", (1, -1)),
    Trap("hypot(X, Y)", ((1, 1), (3, 4)), at((0, 0))),
    Trap("where(X < 0, X**2, X**3)", (1, -1), at(0)),
    Trap("where(X < 1, X**2, X**2 - 5)", (0.5, 3), lambda z: min(abs(z[0]), abs(z[0] - 1))),
    # regions without a value
    Trap("acos(X)", (0,)),
    Trap("sqrt(1-X**2)", (0, 0.5)),
    Trap("-sqrt(1-X**2)", (0.5,), at(0)),
    Trap("X*log(X)", (3, 0.1), at(mp.exp(-1))),
    Trap("log(X)**2", (3, 0.1), at(1)),
    Trap("X + 1/X", (3, 0.1), at(1)),
    # degenerate minima, and minima that are not the only one
    Trap("X**4", (1, 3), at(0)),
    Trap("X**10", (1,), lambda z: max(abs(z[0]) - mp.mpf("1e-15"), 0)),
    Trap("X**6 + Y**2", ((1, 1),), at((0, 0))),
    Trap("X**2 + Y**4", ((1, 1), (1, 0)), at((0, 0))),
    Trap("(X+Y-1)**4", ((3, 1),), lambda z: abs(z[0] + z[1] - 1)),
    Trap("(X*Y-1)**2", ((3, 1), (0, 0)), lambda z: abs(z[0] * z[1] - 1)),
    Trap("(X**2+Y**2-1)**2", ((0, 0), (2, 1), (0.1, 0)), lambda z: abs(mp.hypot(*z) - 1)),
    Trap("X**2*Y**2", ((1, 2),), lambda z: min(map(abs, z))),
    Trap("(X-1)**2 + 1e-12*Y**4", ((0, 1),), at((1, 0)), turns=False),  # rounding of the one hides the other
    Trap("X - X + 5", (3,), lambda z: mp.mpf(0)),
    Trap("100*(Y-X**2)**2 + (1-X)**2", ((-1.2, 1), (0, 0)), at((1, 1))),
]


class Variant(NamedTuple):
    """A trap that was moved: its text, where to start, and how a point reads in the trap's own variables."""

    text: str
    start: dict  # name → number
    trap: Trap
    rows: tuple  # the trap's variables are rows · (x - shift) / scale
    shifts: tuple
    scales: tuple
    factor: float  # on the cost

    def place(self, point):
        """Return the trap's variables at `point` (name → number); the text's numbers are decimals, as they stand."""
        entries = [
            (mp.mpf(point[name]) - mp.mpf(repr(shift))) / mp.mpf(repr(scale))
            for name, shift, scale in zip(self.start, self.shifts, self.scales, strict=True)
        ]
        return [sum(mp.mpf(repr(r)) * z for r, z in zip(row, entries, strict=True)) for row in self.rows]

    def objection(self, point):
        """Return why `point`, which was called a minimum, is none; None where it is one."""
        if self.trap.away is None:
            return "there is no minimum"
        with mp.workdps(50):
            away = self.trap.away(self.place(point))
            reach = max(
                max(abs(point[name]), abs(point[name] - first)) / scale
                for (name, first), scale in zip(self.start.items(), self.scales, strict=True)
            )
            return f"{mp.nstr(away, 3)} away from a minimum" if away > NEAR * reach else None


NEAR = 1e-7  # of a variable's scale; the promise is 1e-8, as an estimate


def letters(text):
    """Return the trap's variables."""
    return sorted(set(re.findall(r"\b[XYZ]\b", text)))


def starts(trap):
    """Return the trap's starts as tuples."""
    return [tuple(map(float, start)) if isinstance(start, tuple) else (float(start),) for start in trap.starts]


def variant(trap, start, shifts=None, scales=None, factor=1.0, rows=None):
    """Return the trap in the variables x = shift + scale · (rows⁻¹ · X), with the cost multiplied by `factor`.

    `rows` is a rotation up to rounding; the text holds its rounded entries, so the trap's place is known exactly.
    """
    names = letters(trap.text)
    size = len(names)
    shifts, scales = tuple(shifts or [0.0] * size), tuple(scales or [1.0] * size)
    turned = rows is not None
    rows = tuple(map(tuple, rows)) if turned else tuple(tuple(float(i == j) for j in range(size)) for i in range(size))

    def inner(k):
        name, shift, scale = names[k].lower(), shifts[k], scales[k]
        shifted = name if not shift else f"({name} - {shift!r})" if shift > 0 else f"({name} + {-shift!r})"
        return f"({shifted}/{scale!r})" if scale != 1 else shifted

    def name(match):
        k = names.index(match[0])
        if not turned:
            return inner(k)
        return "(" + " + ".join(f"({r!r})*{inner(j)}" for j, r in enumerate(rows[k])) + ")"

    text = re.sub(r"\b[XYZ]\b", name, trap.text)
    text = text if factor == 1 else f"{factor!r}*({text})"
    back = [sum(rows[i][k] * start[i] for i in range(size)) for k in range(size)]  # the transpose is the inverse
    first = {n.lower(): s + c * z for n, s, c, z in zip(names, shifts, scales, back, strict=True)}
    return Variant(text, first, trap, rows, shifts, scales, factor)


def rotation(rng, size):
    """Return a random rotation of 2 or 3 variables: rows, orthonormal up to rounding."""
    rows = [[float(i == j) for j in range(size)] for i in range(size)]
    for i in range(size):
        for j in range(i):
            angle = rng.uniform(0, 2 * math.pi)
            c, s = math.cos(angle), math.sin(angle)
            a, b = rows[i], rows[j]
            rows[i] = [c * p - s * q for p, q in zip(a, b, strict=True)]
            rows[j] = [s * p + c * q for p, q in zip(a, b, strict=True)]
    return rows


def variants(trap, count, seed=0):
    """Yield each start as written and under `count` random shifts, rotations and scalings of variables and cost.

    Traps that doubles show in their own variables only are scaled, by one factor for all variables.
    """
    rng = random.Random(f"{seed} {trap.text}")
    size = len(letters(trap.text))
    for start in starts(trap):
        yield variant(trap, start)
        for _ in range(count):
            factor = 10.0 ** rng.choice([-30, -12, -6, 0, 6, 12, 30])
            if not trap.moves:
                yield variant(trap, start, scales=[10.0 ** rng.choice([-12, -6, 6, 12])] * size, factor=factor)
                continue
            even = 10.0 ** rng.choice([-12, -6, 0, 6, 12])
            rows = rotation(rng, size) if trap.turns and size > 1 and rng.random() < 0.6 else None
            # A rotation mixes the variables, so that they must have one scale to be told apart in doubles.
            uneven = [1.0] * size if rows else [10.0 ** rng.choice([-3, 0, 3]) for _ in range(size)]
            scales = [even * u for u in uneven]
            far = 10.0 ** rng.choice([-9, -3, 0, 3])
            shifts = [s * rng.uniform(-1, 1) * far if rng.random() < 0.7 else 0.0 for s in scales]
            yield variant(trap, start, shifts, scales, factor, rows)
