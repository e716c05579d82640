"""A formula with sums and products over indices, written out as text without any: x[3] becomes x3.

Only the indices and the constants are worked out, exactly; everything else stays as it was written.
"""

from __future__ import annotations

import ast
from fractions import Fraction

from tests.oracles.case_formula import COMPARISONS, EXACT, binder, literal

OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
RELATIONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


def unroll(text, constants, data=None):
    """Return the formula without sums and products over indices; data must be numbers of few binary digits."""
    text = text.strip()
    writer = Unroll(text, data or {})
    return writer.written(ast.parse(text, mode="eval").body, {k: Fraction(v) for k, v in constants.items()})


class Unroll:
    def __init__(self, text, data):
        self.text = text
        self.data = data

    def number(self, node, scope):
        """Return a number made of literals, indices and constants, exactly; None where there is more in it."""
        match node:
            case ast.Constant():
                return literal(self.text, node)
            case ast.Name(id=name):
                return scope.get(name)
            case ast.UnaryOp(op=ast.USub(), operand=part):
                inner = self.number(part, scope)
                return None if inner is None else -inner
            case ast.BinOp(left=left, op=op, right=right):
                a, b = self.number(left, scope), self.number(right, scope)
                if a is None or b is None:
                    return None
                if type(op) in EXACT:
                    return EXACT[type(op)](a, b)
                return a ** int(b) if b.denominator == 1 else None
            case ast.Call(func=ast.Name(id=("min" | "max") as name), args=args):
                numbers = [self.number(arg, scope) for arg in args]
                return None if None in numbers else {"min": min, "max": max}[name](numbers)
        return None

    def written(self, node, scope):
        exact = self.number(node, scope)
        if exact is not None:
            return _spelled(exact)
        bound = binder(node)
        if bound is not None:
            return self._binder(bound, scope)
        match node:
            case ast.Name(id=name):
                return name
            case ast.Subscript(value=ast.Name(id=name), slice=place):
                k = int(self.number(place, scope))
                return _spelled(Fraction(float(self.data[name][k]))) if name in self.data else f"{name}{k}"
            case ast.UnaryOp(op=ast.USub(), operand=part):
                return f"(-{self.written(part, scope)})"
            case ast.BinOp(left=left, op=op, right=right):
                return f"({self.written(left, scope)} {OPERATORS[type(op)]} {self.written(right, scope)})"
            case ast.Call(func=ast.Name(id="where"), args=[condition, then, otherwise]):
                known = self._known(condition, scope)
                if known is not None:
                    return self.written(then if known else otherwise, scope)
                parts = [self.relation(condition, scope), self.written(then, scope), self.written(otherwise, scope)]
                return f"where({', '.join(parts)})"
            case ast.Call(func=ast.Name(id="chebyshevt"), args=[degree, arg]):
                return chebyshev(int(self.number(degree, scope)), self.written(arg, scope))
            case ast.Call(func=ast.Name(id=name), args=args):
                return f"{name}({', '.join(self.written(arg, scope) for arg in args)})"
        raise AssertionError(ast.dump(node))

    def relation(self, node, scope):
        assert isinstance(node, ast.Compare), ast.dump(node)
        (op,), (right,) = node.ops, node.comparators
        return f"{self.written(node.left, scope)} {RELATIONS[type(op)]} {self.written(right, scope)}"

    def _known(self, node, scope):
        (op,), (right,) = node.ops, node.comparators
        a, b = self.number(node.left, scope), self.number(right, scope)
        return None if a is None or b is None else COMPARISONS[type(op)](a, b)

    def _binder(self, bound, scope):
        kind, body, index, low, high = bound
        first, last = (int(self.number(side, scope)) for side in (low, high))
        parts = [self.written(body, scope | {index: Fraction(k)}) for k in range(first, last + 1)]
        if not parts:
            return "1" if kind == "prod" else "0"
        return f"({(' * ' if kind == 'prod' else ' + ').join(parts)})"


def _spelled(exact):
    text = str(exact.numerator) if exact.denominator == 1 else f"{exact.numerator}/{exact.denominator}"
    return text if exact >= 0 and exact.denominator == 1 else f"({text})"


def chebyshev(degree, text):
    """Return T_degree(text) in powers."""
    before, here = [1], [0, 1]
    for _ in range(degree):
        after = [0, *(2 * c for c in here)]
        for k, c in enumerate(before):
            after[k] -= c
        before, here = here, after
    return f"({' + '.join(f'({c})*({text})**{k}' for k, c in enumerate(before) if c)})"
