"""Costs on which a descent is tempted to say "minimum" where there is none, with all minima that there are.

A trap is a text in X, Y, Z, its starts, and a function from a point to its distance from the nearest minimum (None:
there is no minimum at all, so every success is false).  Minima in the sense of calculus: no lower cost around.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import mpmath as mp


class Trap(NamedTuple):
    text: str
    starts: tuple
    away: object = None  # distance of a point (a list of mpf) from the nearest minimum
    moves: bool = True  # whether doubles still show it when it is shifted far and scaled unevenly


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
    Trap("X**2 + exp(-Y)", ((1, 1), (0, 800))),
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
    Trap("(X-1)**2 + 1e-12*Y**4", ((0, 1),), at((1, 0))),
    Trap("X - X + 5", (3,), lambda z: mp.mpf(0)),
    Trap("100*(Y-X**2)**2 + (1-X)**2", ((-1.2, 1), (0, 0)), at((1, 1))),
]


def moved(text, shifts, scales, factor):
    """Return the text with X → (x - shift)/scale and so on, the cost multiplied by `factor`."""

    def name(match):
        letter = match[0]
        shift, scale = shifts[letter], scales[letter]
        shifted = f"({letter.lower()} - {shift!r})" if shift >= 0 else f"({letter.lower()} + {-shift!r})"
        inner = shifted if shift else letter.lower()
        return f"({inner}/{scale!r})" if scale != 1 else inner

    result = re.sub(r"\b[XYZ]\b", name, text)
    return result if factor == 1 else f"{factor!r}*({result})"


def letters(text):
    return sorted(set(re.findall(r"\b[XYZ]\b", text)))
