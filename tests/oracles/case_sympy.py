"""The formulas of the cases as SymPy objects, made node by node: no text ever reaches SymPy."""

from __future__ import annotations

import ast

import sympy

from tests.oracles.case_formula import binder, literal

ARITHMETIC = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}
RELATIONS = {
    ast.Lt: sympy.Lt,
    ast.LtE: sympy.Le,
    ast.Gt: sympy.Gt,
    ast.GtE: sympy.Ge,
    ast.Eq: sympy.Eq,
    ast.NotEq: sympy.Ne,
}
FUNCTIONS = {
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "atan": sympy.atan,
    "asin": sympy.asin,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "erf": sympy.erf,
    "abs": sympy.Abs,
    "Abs": sympy.Abs,
    "min": sympy.Min,
    "Min": sympy.Min,
    "max": sympy.Max,
    "Max": sympy.Max,
    "chebyshevt": sympy.chebyshevt,
}
OPERATORS = {"sum": sympy.Sum, "prod": sympy.Product}
CONSTANTS = {"pi": sympy.pi, "E": sympy.E}


def build(text, whole=("n",)):
    """Return the formula as a SymPy object: real symbols; indices and what `whole` names are integers."""
    return _build(text.strip(), ast.parse(text.strip(), mode="eval").body, frozenset(whole))


def symbol(name, whole=()):
    return sympy.Symbol(name, integer=True) if name in whole else sympy.Symbol(name, real=True)


def _build(text, node, whole):
    def made(part):
        return _build(text, part, whole)

    bound = binder(node)
    if bound is not None:
        kind, body, index, low, high = bound
        body = _build(text, body, whole | {index})
        return OPERATORS[kind](body, (symbol(index, {index}), made(low), made(high)))
    match node:
        case ast.Constant(value=bool() as answer):
            return sympy.true if answer else sympy.false
        case ast.Constant():
            exact = literal(text, node)
            return sympy.Rational(exact.numerator, exact.denominator)
        case ast.Name(id=name):
            return CONSTANTS.get(name, symbol(name, whole))
        case ast.Subscript(value=ast.Name(id=name), slice=place):
            return sympy.IndexedBase(name, real=True)[made(place)]
        case ast.UnaryOp(op=ast.USub(), operand=part):
            return -made(part)
        case ast.BinOp(left=left, op=op, right=right):
            return ARITHMETIC[type(op)](made(left), made(right))
        case ast.BoolOp(op=op, values=parts):
            return (sympy.Or if isinstance(op, ast.Or) else sympy.And)(*map(made, parts))
        case ast.Compare(left=left, ops=[op], comparators=[right]):
            return RELATIONS[type(op)](made(left), made(right))
        case ast.Call(func=ast.Name(id="where"), args=[condition, then, otherwise]):
            return sympy.Piecewise((made(then), made(condition)), (made(otherwise), True))
        case ast.Call(func=ast.Name(id="Piecewise"), args=branches):
            return sympy.Piecewise(*(tuple(map(made, branch.elts)) for branch in branches))
        case ast.Call(func=ast.Name(id=name), args=args):
            return FUNCTIONS[name](*map(made, args))
    raise AssertionError(ast.dump(node))
