"""Formulas in 50 digits: value, gradient and Hessian of a text, by means that share nothing with the package.

Python's own parser reads the text (powers are ``**``, sums ``Sum(body, (i, low, high))`` with inclusive bounds); it is
turned into closures that compute with whatever numbers they are given: integers and fractions for what is exact, balls
(python-flint's ``arb``) for a value, `Jet` for derivatives.  A jet carries a gradient and a Hessian that hold only the
variables that occur, so that the terms of a long sum stay cheap.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import arb, ctx, fmpq

DIGITS = 50
Scope = dict[str, Any]
Closure = Callable[[Scope], Any]
BINDERS = ("Sum", "Product", "sum", "prod")


WIDE = 2000  # a Hessian with a dense block of more variables is not made


class TooDenseError(ArithmeticError):
    """The Hessian has too large a dense block."""


class Jet:
    """A value with its gradient (place → slope) and Hessian ((i, j) with i ≤ j → curvature; None: not wanted)."""

    __slots__ = ("bend", "slope", "value")

    def __init__(self, value: Any, slope: dict[int, Any], bend: dict[tuple[int, int], Any] | None) -> None:
        self.value = value
        self.slope = slope
        self.bend = bend

    def chain(self, value: Any, first: Any, second: Any) -> Jet:
        """Return f(self) from f, f' and f'' at the value."""
        slope = {i: first * s for i, s in self.slope.items()}
        if self.bend is None:
            return Jet(value, slope, None)
        if len(slope) > WIDE:
            raise TooDenseError
        bend = {pair: first * b for pair, b in self.bend.items()}
        items = sorted(self.slope.items())
        for a, (i, s) in enumerate(items):
            scaled = second * s
            for j, t in items[a:]:
                bend[i, j] = bend[i, j] + scaled * t if (i, j) in bend else scaled * t
        return Jet(value, slope, bend)

    def __add__(self, other: Any) -> Jet:
        return total([self, other])

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return self * -1

    def __sub__(self, other: Any) -> Jet:
        return total([self, -other])

    def __rsub__(self, other: Any) -> Jet:
        return total([-self, other])

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet(
                self.value * other,
                {i: s * other for i, s in self.slope.items()},
                None if self.bend is None else {pair: b * other for pair, b in self.bend.items()},
            )
        u, v = self.value, other.value
        slope = {i: s * v for i, s in self.slope.items()}
        for i, s in other.slope.items():
            slope[i] = slope[i] + s * u if i in slope else s * u
        if self.bend is None or other.bend is None:
            return Jet(u * v, slope, None)
        if len(self.slope) * len(other.slope) > WIDE**2:
            raise TooDenseError
        bend = {pair: b * v for pair, b in self.bend.items()}
        for pair, b in other.bend.items():
            bend[pair] = bend[pair] + b * u if pair in bend else b * u
        for i, s in self.slope.items():
            for j, t in other.slope.items():
                pair = (i, j) if i <= j else (j, i)
                cross = s * t if i != j else 2 * s * t
                bend[pair] = bend[pair] + cross if pair in bend else cross
        return Jet(u * v, slope, bend)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Jet:
        return self * (1 / other if isinstance(other, (Jet, arb)) else fmpq(1) / other)

    def __rtruediv__(self, other: Any) -> Jet:
        u = self.value
        return self.chain(1 / u, -1 / u**2, 2 / u**3) * other


def total(parts: Iterable[Any]) -> Any:
    """Return the sum, in place: a long sum costs what its terms cost."""
    value: Any = fmpq(0)
    slope: dict[int, Any] = {}
    bend: dict[tuple[int, int], Any] | None = {}
    jets = False
    for part in parts:
        if not isinstance(part, Jet):
            value = value + part
            continue
        jets = True
        value = value + part.value
        for i, s in part.slope.items():
            slope[i] = slope[i] + s if i in slope else s
        if bend is None or part.bend is None:
            bend = None
            continue
        for pair, b in part.bend.items():
            bend[pair] = bend[pair] + b if pair in bend else b
    return Jet(value, slope, bend) if jets else value


def power(base: Any, exponent: Any) -> Any:
    """Return a power; where the exponent is no integer the base must not be negative, where it varies positive."""
    if isinstance(exponent, (Jet, arb)):
        return apply("exp", exponent * apply("log", base))
    whole = exponent.q == 1
    if not isinstance(base, (Jet, arb)):
        return base ** int(exponent.p) if whole else _real(arb(base), exponent)
    if isinstance(base, arb):
        return base ** int(exponent.p) if whole else _real(base, exponent)
    u, p = base.value, exponent

    def term(factor: Any, degree: Any) -> Any:
        if factor == 0:
            return fmpq(0)
        return factor * (arb(u) ** int(degree.p) if degree.q == 1 else _real(arb(u), degree))

    return base.chain(term(fmpq(1), p), term(p, p - 1), term(p * (p - 1), p - 2))


def _real(base: arb, exponent: fmpq) -> arb:
    return arb(0) if base == 0 and exponent > 0 else base ** arb(exponent)


def _sign(x: arb) -> arb:
    return arb(1 if x > 0 else -1 if x < 0 else 0)


FUNCTIONS: dict[str, Callable[[arb], tuple[Any, Any, Any]]] = {
    "exp": lambda x: (x.exp(),) * 3,
    "log": lambda x: (x.log(), 1 / x, -1 / x**2),
    "sqrt": lambda x: (x.sqrt(), 1 / (2 * x.sqrt()), -1 / (4 * x.sqrt() ** 3)),
    "sin": lambda x: (x.sin(), x.cos(), -x.sin()),
    "cos": lambda x: (x.cos(), -x.sin(), -x.cos()),
    "tan": lambda x: (x.tan(), 1 + x.tan() ** 2, 2 * x.tan() * (1 + x.tan() ** 2)),
    "atan": lambda x: (x.atan(), 1 / (1 + x**2), -2 * x / (1 + x**2) ** 2),
    "sinh": lambda x: (x.sinh(), x.cosh(), x.sinh()),
    "cosh": lambda x: (x.cosh(), x.sinh(), x.cosh()),
    "tanh": lambda x: (x.tanh(), 1 - x.tanh() ** 2, -2 * x.tanh() * (1 - x.tanh() ** 2)),
    "Abs": lambda x: (abs(x), _sign(x), arb(0)),
}
VALUES: dict[str, Callable[[arb], arb]] = {"Abs": abs} | {
    name: (lambda x, name=name: getattr(x, name)()) for name in FUNCTIONS if name != "Abs"
}


def apply(name: str, x: Any) -> Any:
    """Return the function of that name of a number or a jet."""
    if isinstance(x, Jet):
        return x.chain(*FUNCTIONS[name](arb(x.value)))
    return VALUES[name](arb(x))


def chebyshev(degree: int, x: Any) -> Any:
    """Return T_degree(x) by the recurrence."""
    before: Any = fmpq(1)
    here = x
    if degree == 0:
        return before
    for _ in range(degree - 1):
        before, here = here, 2 * x * here - before
    return here


def _integer(value: Any) -> int:
    if value.q != 1:
        raise ValueError(f"{value} is no index")
    return int(value.p)


class ExactFormula:
    """A text of an array x (or of scalar names), with constants and data; a point is a sequence of numbers."""

    def __init__(
        self,
        text: str,
        names: Sequence[str] | None = None,
        *,
        constants: Mapping[str, int] | None = None,
        data: Mapping[str, Sequence[float]] | None = None,
        array: str = "x",
    ) -> None:
        self.text = text.strip()
        self.names = names  # None: the entries of `array`
        self.array = array
        self.scope: Scope = {name: fmpq(value) for name, value in (constants or {}).items()}
        ctx.dps = DIGITS
        self.data = {name: [arb(float(v)) for v in values] for name, values in (data or {}).items()}
        self.read = self._closure(ast.parse(self.text, mode="eval").body)

    def _walk(self, leaves: list[Any]) -> Any:
        ctx.dps = DIGITS
        scope = dict(self.scope)
        if self.names is None:
            scope[self.array] = leaves
        else:
            scope.update(zip(self.names, leaves, strict=True))
        return self.read(scope)

    def value(self, point: Sequence[Any]) -> arb:
        """Return the value, a ball; not finite where there is none."""
        return arb(self._walk([_ball(v) for v in point]))

    def jet(self, point: Sequence[Any], *, curved: bool = True) -> Jet:
        """Return value, gradient and, if `curved`, Hessian.  Raises `TooDenseError`."""
        found = self._walk([Jet(_ball(v), {k: arb(1)}, {} if curved else None) for k, v in enumerate(point)])
        return found if isinstance(found, Jet) else Jet(arb(found), {}, {})

    def _closure(self, node: ast.AST) -> Closure:
        match node:
            case ast.Constant():
                number = Fraction(str(ast.get_source_segment(self.text, node)))
                exact = fmpq(number.numerator, number.denominator)
                return lambda _: exact
            case ast.Name(id="pi"):
                return lambda _: arb.pi()
            case ast.Name(id="E"):
                return lambda _: arb(1).exp()
            case ast.Name(id=name):
                return lambda scope: scope[name]
            case ast.Subscript(value=ast.Name(id=name), slice=place):
                index = self._closure(place)
                if name in self.data:
                    return lambda scope: self.data[name][_integer(index(scope))]
                return lambda scope: scope[name][_integer(index(scope))]
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                closure = self._closure(inner)
                return lambda scope: -closure(scope)
            case ast.BinOp(left=left, op=op, right=right):
                return _binary(op, self._closure(left), self._closure(right))
            case ast.Call(func=ast.Name(id=name), args=[body, ast.Tuple(elts=[ast.Name(id=index), low, high])]) if (
                name in BINDERS
            ):
                return self._binder(name, index, body, low, high)
            case ast.Call(func=ast.Name(id="chebyshevt"), args=[degree, x]):
                order, inside = self._closure(degree), self._closure(x)
                return lambda scope: chebyshev(_integer(order(scope)), inside(scope))
            case ast.Call(func=ast.Name(id=name), args=[x]) if name in FUNCTIONS:
                inside = self._closure(x)
                return lambda scope: apply(name, inside(scope))
        raise ValueError(f"the judge cannot read {ast.unparse(node)}")

    def _binder(self, name: str, index: str, body: ast.AST, low: ast.AST, high: ast.AST) -> Closure:
        inside, first, last = self._closure(body), self._closure(low), self._closure(high)

        def terms(scope: Scope) -> Iterable[Any]:
            inner = dict(scope)
            for k in range(_integer(first(scope)), _integer(last(scope)) + 1):
                inner[index] = fmpq(k)
                yield inside(inner)

        def product(scope: Scope) -> Any:
            result: Any = fmpq(1)
            for term in terms(scope):
                result = result * term
            return result

        return product if name in {"Product", "prod"} else lambda scope: total(terms(scope))


def _ball(value: Any) -> arb:
    return value if isinstance(value, arb) else arb(float(value))


def _binary(op: ast.operator, left: Closure, right: Closure) -> Closure:
    match op:
        case ast.Add():
            return lambda scope: left(scope) + right(scope)
        case ast.Sub():
            return lambda scope: left(scope) - right(scope)
        case ast.Mult():
            return lambda scope: left(scope) * right(scope)
        case ast.Div():
            return lambda scope: left(scope) / right(scope)
        case ast.Pow():
            return lambda scope: power(left(scope), right(scope))
    raise ValueError(f"the judge cannot read {op}")
