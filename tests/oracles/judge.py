"""Is a point a minimum?  Asked of the text, in 50 digits, by means that share nothing with the package.

Slope and curvature come from differences of the formula as Python's own parser and mpmath read it.
"""

from __future__ import annotations

import random

import mpmath as mp

from tests.oracles.read import read

DIGITS = 50
NEAR = 1e-6  # of each variable's scale: how far Newton's method may lead from a point that is called a minimum


def derivatives(function, names, point):
    """Return (gradient, Hessian) by central differences in 50 digits, of which some 20 are right."""
    width = mp.mpf(10) ** -14
    steps = [width * max(1, abs(x)) for x in point]

    def at(*moves):
        place = list(point)
        for k, move in moves:
            place[k] += move
        return function(dict(zip(names, place, strict=True)))

    size, middle = len(names), at()
    gradient, hessian = mp.matrix(size, 1), mp.matrix(size, size)
    for i, h in enumerate(steps):
        gradient[i] = (at((i, h)) - at((i, -h))) / (2 * h)
        hessian[i, i] = (at((i, h)) - 2 * middle + at((i, -h))) / h**2
        for j, k in enumerate(steps[:i]):
            corners = at((i, h), (j, k)) - at((i, h), (j, -k)) - at((i, -h), (j, k)) + at((i, -h), (j, -k))
            hessian[i, j] = hessian[j, i] = corners / (4 * h * k)
    return gradient, hessian


def objection(text, point, start):
    """Return why `point` (name → value) is no minimum of `text`, or None.

    Newton's method, started there, must not lead further away than 10⁻⁶ of each variable's scale, and around the place
    where it ends nothing may be lower.
    """
    function, names = read(text), tuple(point)
    with mp.workdps(DIGITS):
        values = [mp.mpf(v) for v in point.values()]
        scales = [max(abs(point[n]), abs(point[n] - start[n])) or 1.0 for n in names]
        curvatures = list(map(abs, mp.eigsy(derivatives(function, names, values)[1], eigvals_only=True)))
        if min(curvatures) < 1e-10 * max(curvatures):  # a valley of minima: Newton's method would wander along it
            return _lower(function, names, values, scales, max(curvatures) * (NEAR * max(scales)) ** 2)
        place = _newton(function, names, values, scales)
        away = max(abs(a - b) / u for a, b, u in zip(place, values, scales, strict=True))
        return (
            f"Newton's method leads {mp.nstr(away, 3)} away" if away > NEAR else _lower(function, names, place, scales)
        )


def _newton(function, names, values, scales):
    """Return where Newton's method ends; where the curvature becomes singular, the place it has come to."""
    place = list(values)
    for _ in range(30):
        try:
            step = mp.lu_solve(*reversed(derivatives(function, names, place)))
        except (ZeroDivisionError, ValueError, TypeError):
            break
        place = [x - s for x, s in zip(place, step, strict=True)]
        if all(abs(s) < mp.mpf(10) ** -15 * u for s, u in zip(step, scales, strict=True)):
            break
    return place


def _lower(function, names, place, scales, allowed=0):
    rng = random.Random(1)
    here = function(dict(zip(names, place, strict=True)))
    for exponent in range(-7, -2):
        for _ in range(40):
            moves = [rng.choice([-1, 0, 1, rng.uniform(-1, 1)]) * 10.0**exponent * u for u in scales]
            there = function({n: v + m for n, v, m in zip(names, place, moves, strict=True)})
            if mp.isfinite(there) and there < here - mp.mpf(10) ** -20 * abs(here) - allowed:
                return f"lower by {mp.nstr(here - there, 3)} at {mp.nstr(mp.norm(moves), 3)} away"
    return None
