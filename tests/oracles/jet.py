"""Numbers that carry their derivatives in 50 digits, and with each derivative the size of the terms it is a sum of.

A jet holds a value; its gradient; along one direction its tangent and the derivative of the gradient (a Hessian
product); and three sums of absolute values, which are what rounding errors are measured against:

- ``terms`` of the value: a sum counts each of its terms, a constant multiple of a sum still is a sum, and anything
  else is one term;
- ``slopes``, for each variable: the gradient is a sum of one product of slopes for each occurrence of the variable;
- ``bends``, likewise for the Hessian product.

Gradients are dictionaries, variable → number, in which what is missing is zero.
"""

from __future__ import annotations

import mpmath as mp


class Jet:
    __slots__ = ("bend", "bends", "slope", "slopes", "tangent", "terms", "value")

    def __init__(self, value, slope=None, tangent=0, bend=None, *, terms=None, slopes=None, bends=None):
        self.value = value
        self.slope = slope or {}
        self.tangent = tangent
        self.bend = bend or {}
        self.terms = abs(value) if terms is None else terms
        self.slopes = slopes or {}
        self.bends = bends or {}

    @property
    def constant(self):
        return not self.slope

    def __repr__(self):
        return f"Jet({mp.nstr(self.value)})"


def number(value):
    """A constant."""
    return Jet(value)


def variable(name, value, speed=0):
    """A variable, and how fast it changes along the direction."""
    return Jet(value, {name: mp.mpf(1)}, mp.mpf(speed), slopes={name: mp.mpf(1)})


def _gather(into, factor, parts):
    if factor:
        for name, part in parts.items():
            into[name] = into.get(name, 0) + factor * part


def chain(value, first, second, args):
    """Return f(args) from its value, its first derivatives and the matrix of its second."""
    slope, bend, slopes, bends = {}, {}, {}, {}
    tangent = mp.mpf(0)
    for k, arg in enumerate(args):
        speed = sum((second[k][m] * other.tangent for m, other in enumerate(args)), mp.mpf(0))
        size = sum((abs(second[k][m] * other.tangent) for m, other in enumerate(args)), mp.mpf(0))
        tangent += first[k] * arg.tangent
        _gather(slope, first[k], arg.slope)
        _gather(slopes, abs(first[k]), arg.slopes)
        _gather(bend, speed, arg.slope)
        _gather(bend, first[k], arg.bend)
        _gather(bends, size, arg.slopes)
        _gather(bends, abs(first[k]), arg.bends)
        for name in arg.slope:  # a slope that is zero here is still one: the jet is not constant
            slope.setdefault(name, mp.mpf(0))
    return Jet(value, slope, tangent, bend, slopes=slopes, bends=bends)


def total(jets):
    """Return the sum of jets."""
    slope, bend, slopes, bends = {}, {}, {}, {}
    value = tangent = terms = mp.mpf(0)
    for jet in jets:
        value += jet.value
        tangent += jet.tangent
        terms += jet.terms
        for into, parts in ((slope, jet.slope), (bend, jet.bend), (slopes, jet.slopes), (bends, jet.bends)):
            _gather(into, 1, parts)
    return Jet(value, slope, tangent, bend, terms=terms, slopes=slopes, bends=bends)


def times(a, b):
    """Return a·b."""
    zero, one = mp.mpf(0), mp.mpf(1)
    result = chain(a.value * b.value, (b.value, a.value), ((zero, one), (one, zero)), (a, b))
    if a.constant or b.constant:
        factor, other = (a, b) if a.constant else (b, a)
        result.terms = abs(factor.value) * other.terms
    return result


def over(a, b):
    """Return a/b."""
    u, v = a.value, b.value
    cross = -1 / v**2
    result = chain(u / v, (1 / v, -u / v**2), ((mp.mpf(0), cross), (cross, 2 * u / v**3)), (a, b))
    if b.constant:
        result.terms = a.terms / abs(v)
    return result


def power(a, exponent):
    """Return a to a constant exponent, a Fraction or a number."""
    u, p = a.value, exponent
    whole = p == int(p)
    if u < 0 and not whole:
        raise ArithmeticError(f"a negative number to the power {p}")
    p = mp.mpf(int(p)) if whole else mp.mpf(p.numerator) / p.denominator if hasattr(p, "numerator") else p

    def term(factor, degree):
        return factor * mp.power(u, degree) if factor else mp.mpf(0)

    return chain(mp.power(u, p), (term(p, p - 1),), ((term(p * (p - 1), p - 2),),), (a,))


def variable_power(a, b):
    """Return a^b for a ≥ 0, both varying."""
    u, w = a.value, b.value
    if u == 0 and w >= 1:  # value and slope exist, curvature need not
        return chain(mp.mpf(0), (w * mp.power(u, w - 1), mp.mpf(0)), ((mp.nan, mp.nan), (mp.nan, mp.mpf(0))), (a, b))
    if u <= 0:
        raise ArithmeticError(f"{u} to a power that varies")
    value, logarithm = mp.power(u, w), mp.log(u)
    below = mp.power(u, w - 1)
    mixed = below * (1 + w * logarithm)
    second = ((w * (w - 1) * mp.power(u, w - 2), mixed), (mixed, value * logarithm**2))
    return chain(value, (w * below, value * logarithm), second, (a, b))


def _chebyshev(degree, x):
    """Return T, T', T'' of whole degree by the recurrence."""
    before, here = (mp.mpf(1), mp.mpf(0), mp.mpf(0)), (x, mp.mpf(1), mp.mpf(0))
    for _ in range(degree):
        after = (
            2 * x * here[0] - before[0],
            2 * here[0] + 2 * x * here[1] - before[1],
            4 * here[1] + 2 * x * here[2] - before[2],
        )
        before, here = here, after
    return before


# name → the value and the first two derivatives
FUNCTIONS = {
    "exp": lambda x: (mp.exp(x),) * 3,
    "log": lambda x: (_real(mp.log(x)), 1 / x, -1 / x**2),
    "sqrt": lambda x: (_real(mp.sqrt(x)), 1 / (2 * mp.sqrt(x)), -1 / (4 * mp.sqrt(x) ** 3)),
    "sin": lambda x: (mp.sin(x), mp.cos(x), -mp.sin(x)),
    "cos": lambda x: (mp.cos(x), -mp.sin(x), -mp.cos(x)),
    "tan": lambda x: (mp.tan(x), 1 + mp.tan(x) ** 2, 2 * mp.tan(x) * (1 + mp.tan(x) ** 2)),
    "atan": lambda x: (mp.atan(x), 1 / (1 + x**2), -2 * x / (1 + x**2) ** 2),
    "asin": lambda x: (_real(mp.asin(x)), 1 / mp.sqrt(1 - x**2), x / mp.sqrt(1 - x**2) ** 3),
    "sinh": lambda x: (mp.sinh(x), mp.cosh(x), mp.sinh(x)),
    "cosh": lambda x: (mp.cosh(x), mp.sinh(x), mp.cosh(x)),
    "tanh": lambda x: (mp.tanh(x), mp.sech(x) ** 2, -2 * mp.tanh(x) * mp.sech(x) ** 2),
    "erf": lambda x: (mp.erf(x), 2 * mp.exp(-(x**2)) / mp.sqrt(mp.pi), -4 * x * mp.exp(-(x**2)) / mp.sqrt(mp.pi)),
    "abs": lambda x: (abs(x), mp.sign(x), mp.mpf(0)),
}


def _real(value):
    if mp.im(value):
        raise ArithmeticError("outside the domain")
    return value


def apply(name, arg):
    """Return the function of that name of a jet."""
    value, first, second = FUNCTIONS[name](arg.value)
    return chain(value, (first,), ((second,),), (arg,))


def chebyshev(degree, arg):
    """Return T_degree(arg)."""
    value, first, second = _chebyshev(degree, arg.value)
    return chain(value, (first,), ((second,),), (arg,))
