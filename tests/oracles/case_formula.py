"""The formulas of the cases, and any other with sums and products over an index, in 50 digits.

Python's own parser reads the text (powers are spelled ``**``; sums as ``Sum(body, (i, low, high))`` or
``sum(body, i, low, high)``, bounds inclusive) and the tree is walked with the numbers of `jet.py`: nothing here is
shared with the package.  Numbers in the text are exact, ``1/3`` is a third and ``0.1`` a tenth; data and the point are
the doubles that they are.
"""

from __future__ import annotations

import ast
import operator
from fractions import Fraction

import mpmath as mp

from tests.oracles import jet
from tests.oracles.jet import Jet

DIGITS = 50
EXACT = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
COMPARISONS = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}
BINDERS = {"Sum": "sum", "sum": "sum", "Product": "prod", "prod": "prod"}
SPELLINGS = {"Abs": "abs", "Min": "min", "Max": "max"}


def binder(node):
    """Return (sum or prod, body, index, low, high) of a call that is a sum or product over an index, else None."""
    match node:
        case ast.Call(func=ast.Name(id=name), args=[body, ast.Tuple(elts=[ast.Name(id=index), low, high])]):
            return (BINDERS[name], body, index, low, high) if name in BINDERS else None
        case ast.Call(func=ast.Name(id=name), args=[body, ast.Name(id=index), low, high]):
            return (BINDERS[name], body, index, low, high) if name in BINDERS else None
    return None


def literal(text, node):
    """Return the number exactly as it is typed."""
    return Fraction(ast.get_source_segment(text, node))


class CaseFormula:
    """A formula as a function of a point: ``CaseFormula("Sum(x[i]**2, (i, 0, n-1))", {"n": 2})({"x[0]": 1, ...})``."""

    def __init__(self, text, constants=None, data=None):
        self.text = text
        self.tree = ast.parse(text.strip(), mode="eval").body
        self.text = text.strip()
        self.constants = {name: Fraction(value) for name, value in (constants or {}).items()}
        self.data = data or {}

    def __call__(self, point, direction=None):
        """Return the jet of the value; `direction` (same names) is that of the Hessian product."""
        with mp.workdps(DIGITS):
            speeds = direction or {}
            leaves = {name: jet.variable(name, mp.mpf(v), speeds.get(name, 0)) for name, v in point.items()}
            return _jet(Walk(self, leaves).value(self.tree, self.constants))


def _jet(value):
    return value if isinstance(value, Jet) else jet.number(mp.mpf(value.numerator) / value.denominator)


class Walk:
    """One evaluation.  Values are Fractions while they are exact, then jets."""

    def __init__(self, formula, leaves):
        self.formula = formula
        self.leaves = leaves

    def value(self, node, scope):
        bound = binder(node)
        if bound is not None:
            return self._binder(bound, scope)
        match node:
            case ast.Constant():
                return literal(self.formula.text, node)
            case ast.Name(id="pi") if "pi" not in self.leaves:
                return jet.number(+mp.pi)
            case ast.Name(id="E") if "E" not in self.leaves:
                return jet.number(+mp.e)
            case ast.Name(id=name):
                return scope[name] if name in scope else self.leaves[name]
            case ast.Subscript(value=ast.Name(id=name), slice=place):
                return self._access(name, self._whole(place, scope))
            case ast.UnaryOp(op=ast.USub()):
                return self._minus(self.value(node.operand, scope))
            case ast.UnaryOp(op=ast.UAdd()):
                return self.value(node.operand, scope)
            case ast.BinOp():
                return self._binary(type(node.op), self.value(node.left, scope), self.value(node.right, scope))
            case ast.Call(func=ast.Name(id=name)):
                return self._call(SPELLINGS.get(name, name), node.args, scope)
        raise AssertionError(ast.dump(node))

    def _whole(self, node, scope):
        value = self.value(node, scope)
        assert value.denominator == 1, f"{ast.unparse(node)} is {value}"
        return int(value)

    def _access(self, name, place):
        if name in self.formula.data:
            assert place >= 0, f"{name}[{place}]"
            return jet.number(mp.mpf(float(self.formula.data[name][place])))
        return self.leaves[f"{name}[{place}]"]

    @staticmethod
    def _minus(value):
        if not isinstance(value, Jet):
            return -value
        result = jet.times(jet.number(mp.mpf(-1)), value)
        result.terms = value.terms
        return result

    def _binary(self, op, a, b):
        exact = not isinstance(a, Jet) and not isinstance(b, Jet)
        if exact and op in EXACT:
            return EXACT[op](a, b)
        if exact and b.denominator == 1:
            return a ** int(b)
        if op is ast.Add:
            return jet.total([_jet(a), _jet(b)])
        if op is ast.Sub:
            return jet.total([_jet(a), _jet(self._minus(b))])
        if op is ast.Mult:
            return jet.times(_jet(a), _jet(b))
        if op is ast.Div:
            return jet.over(_jet(a), _jet(b))
        assert op is ast.Pow
        if isinstance(b, Jet) and not b.constant:
            return jet.variable_power(_jet(a), b)
        return jet.power(_jet(a), b.value if isinstance(b, Jet) else b)

    def _binder(self, bound, scope):
        kind, body, index, low, high = bound
        first, last = self._whole(low, scope), self._whole(high, scope)
        parts = [_jet(self.value(body, scope | {index: Fraction(k)})) for k in range(first, last + 1)]
        if kind == "sum":
            return jet.total(parts)
        result = jet.number(mp.mpf(1))
        for part in parts:
            result = jet.times(result, part)
        return result

    def _call(self, name, args, scope):
        match name:
            case "where":
                condition, then, otherwise = args
                return self.value(then if self._true(condition, scope) else otherwise, scope)
            case "Piecewise":
                for branch in args:
                    value, condition = branch.elts
                    if self._true(condition, scope):
                        return self.value(value, scope)
                raise ArithmeticError("no branch holds")
            case "min" | "max":
                values = [self.value(arg, scope) for arg in args]
                return {"min": min, "max": max}[name](values, key=_number)
            case "chebyshevt":
                return jet.chebyshev(self._whole(args[0], scope), _jet(self.value(args[1], scope)))
        (arg,) = args
        return jet.apply(name, _jet(self.value(arg, scope)))

    def _true(self, node, scope):
        match node:
            case ast.Constant(value=bool() as answer):
                return answer
            case ast.BoolOp(op=op, values=parts):
                return (any if isinstance(op, ast.Or) else all)(self._true(part, scope) for part in parts)
            case ast.UnaryOp(op=ast.Not(), operand=part):
                return not self._true(part, scope)
            case ast.Compare(left=left, ops=ops, comparators=others):
                numbers = [_number(self.value(side, scope)) for side in (left, *others)]
                return all(COMPARISONS[type(op)](a, b) for op, a, b in zip(ops, numbers, numbers[1:], strict=False))
        raise AssertionError(ast.dump(node))


def _number(value):
    return _jet(value).value
