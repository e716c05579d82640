"""Convex or concave by composition: rules about each operation, the sign and the direction of its arguments.

Sources: Grant, Boyd & Ye, *Disciplined Convex Programming*, 2006; Boyd & Vandenberghe, *Convex Optimization*, 2004,
ch. 3.2 and 3.5.  Beside convex and concave, an entry may be log-convex or log-concave (positive, with a convex or
concave logarithm): log-convexity survives sums and products, which is how log-sum-exp and geometric programs are
recognised.

A shape holds along every straight line within the domain; whether the domain itself is convex is asked in `domain.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import pi
from typing import NamedTuple

from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.interval import REALS, Range
from descend.expression.analyse.ranges import Ranges
from descend.expression.functions import TABLE, Curvature, Monotone
from descend.expression.tape import Entry, Tape


class Shape(NamedTuple):
    """What is known of an entry's curvature; affine is both convex and concave."""

    convex: bool = False
    concave: bool = False
    log_convex: bool = False
    log_concave: bool = False

    @property
    def affine(self) -> bool:
        """Whether it is a straight line."""
        return self.convex and self.concave

    @property
    def flipped(self) -> Shape:
        """The shape of minus this."""
        return Shape(self.concave, self.convex)

    def scaled(self, by: Range) -> Shape:
        """Return the shape of this times a constant."""
        if by.low == by.high == 0:
            return Shape(True, True)
        if by.low >= 0:
            return self if by.positive else Shape(self.convex, self.concave)
        if by.high <= 0:
            return self.flipped
        return Shape(self.affine, self.affine)


class Behaviour(NamedTuple):
    """How a function of one argument moves over a range: its curvature and its direction."""

    convex: bool = False
    concave: bool = False
    up: bool = False
    down: bool = False


UNKNOWN = Shape()
CONVEX_UP, CONCAVE_UP = Behaviour(convex=True, up=True), Behaviour(concave=True, up=True)
CONVEX_DOWN, CONCAVE_DOWN = Behaviour(convex=True, down=True), Behaviour(concave=True, down=True)
ALWAYS = {
    "exp": CONVEX_UP,
    "expm1": CONVEX_UP,
    "softplus": CONVEX_UP,
    "log": CONCAVE_UP,
    "log2": CONCAVE_UP,
    "log10": CONCAVE_UP,
    "log1p": CONCAVE_UP,
    "sqrt": CONCAVE_UP,
    "acosh": CONCAVE_UP,
}
# Increasing, and bent one way for negative arguments and the other way for positive ones.
CONCAVE_ABOVE = frozenset({"cbrt", "sigmoid", "atan", "tanh", "erf", "asinh"})
CONVEX_ABOVE = frozenset({"sinh", "asin", "atanh", "tan"})
GAMMALN_TURNS = (1.461632, 1.461633)


def behaviour(op: str, r: Range) -> Behaviour:
    """Return how a function of one argument behaves on `r`."""
    if op in ALWAYS:
        return ALWAYS[op]
    above, below = r.low >= 0, r.high <= 0
    if op in CONCAVE_ABOVE:
        return Behaviour(convex=below, concave=above, up=True)
    if op in CONVEX_ABOVE and (op != "tan" or (r.low > -pi / 2 and r.high < pi / 2)):
        return Behaviour(convex=above, concave=below, up=True)
    match op:
        case "acos":
            return Behaviour(convex=below, concave=above, down=True)
        case "erfc":
            return Behaviour(convex=above, concave=below, down=True)
        case "cosh" | "coshm1" | "hypotm1" | "logcosh":
            return Behaviour(convex=True, up=above, down=below)
        case "abs":
            return Behaviour(convex=True, concave=above or below, up=above, down=below)
        case "gammaln":
            return Behaviour(convex=True, up=r.low >= GAMMALN_TURNS[1], down=r.high <= GAMMALN_TURNS[0])
        case "sin":
            inside = (r.low >= 0 and r.high <= 3.14159, r.low >= -3.14159 and r.high <= 0)
            return Behaviour(concave=inside[0], convex=inside[1], up=r.low >= -1.57 and r.high <= 1.57)
        case "cos":
            inside = (r.low >= 0 and r.high <= 3.14159, r.low >= -3.14159 and r.high <= 0)
            return Behaviour(concave=r.low >= -1.57 and r.high <= 1.57, up=inside[1], down=inside[0])
    row = TABLE.get(op)
    if row is None or row.arity != (1, 1):
        return Behaviour()
    return Behaviour(
        row.curvature is Curvature.CONVEX,
        row.curvature is Curvature.CONCAVE,
        row.monotone is Monotone.INCREASING,
        row.monotone is Monotone.DECREASING,
    )


def power_behaviour(exponent: float, r: Range) -> Behaviour:
    """Return how u^exponent behaves for u in `r`."""
    above, below = r.low >= 0, r.high <= 0
    if exponent != int(exponent):
        if exponent < 0:
            return CONVEX_DOWN
        return CONVEX_UP if exponent > 1 else CONCAVE_UP
    even = exponent % 2 == 0
    if exponent > 0:
        if even:
            return Behaviour(convex=True, up=above, down=below)
        return Behaviour(convex=above or exponent == 1, concave=below or exponent == 1, up=True)
    if above:
        return CONVEX_DOWN
    if below:
        return CONVEX_UP if even else CONCAVE_DOWN
    return Behaviour()


def compose(h: Behaviour, u: Shape) -> Shape:
    """Return the shape of h(u): the rule of composition."""
    convex = h.convex and (u.affine or (h.up and u.convex) or (h.down and u.concave))
    concave = h.concave and (u.affine or (h.up and u.concave) or (h.down and u.convex))
    return Shape(convex, concave)


def shapes(
    tape: Tape, root: int, bounds: Ranges, constants: frozenset[str] = frozenset(), deadline: Deadline = ENDLESS
) -> dict[int, Shape]:
    """Return the shape of every entry below `root` in all symbols and arrays but those named in `constants`.

    Raises `OutOfTimeError`.
    """
    return _Walk(tape, bounds, constants).over(root, deadline)


class _Walk:
    def __init__(self, tape: Tape, bounds: Ranges, constants: frozenset[str]) -> None:
        self.tape = tape
        self.bounds = bounds
        self.constants = constants
        self.found: dict[int, Shape] = {}
        self.varying: set[int] = set()
        self.normed: set[int] = set()  # entries that are a sum of squares of affine entries (and constants ≥ 0)

    def over(self, root: int, deadline: Deadline) -> dict[int, Shape]:
        for count, index in enumerate(self.tape.reachable((root,))):
            if count % 64 == 0:
                deadline.check()
            entry = self.tape[index]
            leaf = entry.op in {"symbol", "access"} and str(entry.value) not in self.constants
            if leaf or any(a in self.varying for a in entry.args):
                self.varying.add(index)
            if self._squares(index, entry):
                self.normed.add(index)
            self.found[index] = self._closed(index, self._shape(entry, index, leaf=leaf))
        return self.found

    def range(self, index: int) -> Range:
        return self.bounds.get(index) or REALS

    def _closed(self, index: int, shape: Shape) -> Shape:
        """Draw the conclusions: log-convex entries are convex, positive concave ones log-concave."""
        r = self.range(index)
        convex = shape.convex or shape.log_convex
        log_concave = (shape.log_concave or shape.concave) and r.positive
        return Shape(convex, shape.concave, shape.log_convex and r.positive, log_concave)

    def _shape(self, entry: Entry, index: int, *, leaf: bool) -> Shape:
        if index not in self.varying:
            return Shape(True, True, True, True)
        if leaf:
            varies = bool(entry.args) and entry.args[0] in self.varying
            return UNKNOWN if varies else Shape(True, True)
        args = [self.found[a] for a in entry.args]
        op = entry.op
        match op:
            case "add":
                return Shape(all(a.convex for a in args), all(a.concave for a in args), all(a.log_convex for a in args))
            case "neg":
                return args[0].flipped
            case "mul":
                return self._product(entry)
            case "div":
                return self._quotient(entry)
            case "pow":
                return self._power(entry)
            case "max" | "logaddexp" | "logsumexp":
                return Shape(convex=all(a.convex for a in args))
            case "min":
                return Shape(concave=all(a.concave for a in args))
            case "hypot":
                fine = (
                    s.affine or (s.convex and self.range(a).low >= 0) or (s.concave and self.range(a).high <= 0)
                    for a, s in zip(entry.args, args, strict=True)
                )
                return Shape(convex=all(fine))
            case "sum" if not self.varying.intersection(entry.args[-2:]):
                full = self.range(entry.args[-1]).low >= self.range(entry.args[-2]).high
                return Shape(args[0].convex, args[0].concave, args[0].log_convex and full)
            case "prod" if not self.varying.intersection(entry.args[-2:]):
                return Shape(log_convex=args[0].log_convex, log_concave=args[0].log_concave)
        if len(args) == 1:
            return self._function(entry, args[0])
        return UNKNOWN

    def _function(self, entry: Entry, u: Shape) -> Shape:
        op, r = entry.op, self.range(entry.args[0])
        shape = compose(behaviour(op, r), u)
        match op:
            case "exp":
                return Shape(u.convex, False, u.convex, u.concave)
            case "log" | "log2" | "log10":
                return Shape(shape.convex or u.log_convex, shape.concave or u.log_concave)
            case "sqrt":
                norm = entry.args[0] in self.normed
                return Shape(shape.convex or norm, shape.concave, u.log_convex, u.log_concave)
            case "sigmoid":
                return Shape(shape.convex, shape.concave, False, u.concave)
            case "erfc":
                return Shape(shape.convex, shape.concave, False, u.convex)
            case "cosh":
                return Shape(shape.convex, False, u.affine, False)
        return shape

    def _squares(self, index: int, entry: Entry) -> bool:
        """Whether this is Σ wᵢ·uᵢ² + c with affine u and constants w, c ≥ 0: the square of a norm."""
        if index not in self.varying:
            return self.range(index).low >= 0
        match entry.op:
            case "add":
                return all(a in self.normed for a in entry.args)
            case "sum":
                return entry.args[0] in self.normed and not self.varying.intersection(entry.args[-2:])
            case "pow":
                return self.tape.value(entry.args[1]) == 2 and self.found[entry.args[0]].affine
            case "div":
                return entry.args[0] in self.normed and self._constant_at_least_0(entry.args[1])
            case "mul":
                rest = [a for a in entry.args if not self._constant_at_least_0(a)]
                if len(rest) == 2 and rest[0] == rest[1]:
                    return self.found[rest[0]].affine
                return len(rest) == 1 and rest[0] in self.normed
        return False

    def _constant_at_least_0(self, index: int) -> bool:
        return index not in self.varying and self.range(index).low >= 0

    def _power(self, entry: Entry) -> Shape:
        base, exponent = entry.args
        u, r = self.found[base], self.range(base)
        value = self.tape.value(exponent)
        if value is None:
            if exponent in self.varying and base not in self.varying and r.positive:  # c^v = exp(v·log c)
                v = self.found[exponent]
                bent = v if r.low >= 1 else v.flipped if r.high <= 1 else Shape(v.affine, v.affine)
                return Shape(bent.convex, False, bent.convex, bent.concave)
            return UNKNOWN
        p = float(value)
        shape = compose(power_behaviour(p, r), u)
        if base in self.normed and p >= 0.5:  # a norm to a power ≥ 1
            shape = shape._replace(convex=True)
        logs = (u.log_convex, u.log_concave) if p >= 0 else (u.log_concave, u.log_convex)
        return Shape(shape.convex, shape.concave, *logs)

    def _product(self, entry: Entry) -> Shape:
        factors = [a for a in entry.args if a not in self.varying]
        powers: dict[int, int] = {}
        for arg in entry.args:
            if arg in self.varying:
                powers[arg] = powers.get(arg, 0) + 1
        shape = self._varying_product(powers)
        for factor in factors:
            shape = shape.scaled(self.range(factor))
        return shape

    def _varying_product(self, powers: Mapping[int, int]) -> Shape:
        parts = [self._repeated(arg, power) for arg, power in powers.items()]
        if len(parts) == 1:
            return parts[0]
        convex = len(parts) == 2 and all(p == 1 for p in powers.values()) and self._entropy(list(powers))
        log_convex, log_concave = all(p.log_convex for p in parts), all(p.log_concave for p in parts)
        return Shape(convex or log_convex, False, log_convex, log_concave)

    def _repeated(self, arg: int, power: int) -> Shape:
        u = self.found[arg]
        if power == 1:
            return u
        shape = compose(power_behaviour(power, self.range(arg)), u)
        return Shape(shape.convex, shape.concave, u.log_convex, u.log_concave)

    def _entropy(self, pair: Sequence[int]) -> bool:
        """Whether this is u·log(u) with u affine, or u·log(u/v) with u and v affine and positive."""
        for u, other in (pair, pair[::-1]):
            entry = self.tape[other]
            if entry.op not in {"log", "log2", "log10"} or not self.found[u].affine:
                continue
            inner = entry.args[0]
            if inner == u:
                return True
            ratio = self.tape[inner]
            if ratio.op == "div" and ratio.args[0] == u and self.found[ratio.args[1]].affine:
                return self.range(u).low >= 0 and self.range(ratio.args[1]).positive
        return False

    def _quotient(self, entry: Entry) -> Shape:
        top, bottom = entry.args
        a, b = self.found[top], self.found[bottom]
        r = self.range(bottom)
        if bottom not in self.varying:
            return a.scaled(r) if r.nonzero else UNKNOWN
        if top not in self.varying:
            inverse = compose(power_behaviour(-1, r), b) if r.nonzero else UNKNOWN
            return Shape(inverse.convex, inverse.concave, b.log_concave, b.log_convex).scaled(self.range(top))
        over_linear = top in self.normed and b.concave and r.positive  # Σu²/v
        log_convex, log_concave = a.log_convex and b.log_concave, a.log_concave and b.log_convex
        return Shape(over_linear or log_convex, False, log_convex, log_concave)
