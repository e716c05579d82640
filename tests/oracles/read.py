"""A second, independent reader of formulas: Python's own parser and mpmath (the power is spelled ``**``)."""

from __future__ import annotations

import ast
import operator

import mpmath as mp

from tests.oracles.evaluate import OPERATIONS

ARITHMETIC = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: OPERATIONS["div"],
    ast.Pow: OPERATIONS["pow"],
}
COMPARISONS = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}


def read(text):
    """Return the formula `text` as a function of a mapping name → number."""
    tree = ast.parse(text, mode="eval").body

    def value(node, point):
        match node:
            case ast.Constant():
                return mp.mpf(ast.get_source_segment(text, node))
            case ast.Name():
                return +mp.pi if node.id == "pi" else mp.mpf(point[node.id])
            case ast.UnaryOp(op=ast.USub()):
                return -value(node.operand, point)
            case ast.UnaryOp(op=ast.Not()):
                return not value(node.operand, point)
            case ast.BinOp():
                return ARITHMETIC[type(node.op)](value(node.left, point), value(node.right, point))
            case ast.BoolOp():
                parts = (value(part, point) for part in node.values)
                return any(parts) if isinstance(node.op, ast.Or) else all(parts)
            case ast.Compare(ops=[one]):
                return COMPARISONS[type(one)](value(node.left, point), value(node.comparators[0], point))
            case ast.Call(func=ast.Name(id="where")):
                condition, then, otherwise = node.args
                return value(then if value(condition, point) else otherwise, point)
            case ast.Call(func=ast.Name(id=("min" | "max") as name)):
                return {"min": min, "max": max}[name](value(arg, point) for arg in node.args)
            case ast.Call():
                return OPERATIONS[node.func.id](*(value(arg, point) for arg in node.args))
        raise AssertionError(ast.dump(node))

    return lambda point: value(tree, point)


def difference(function, point, name, order=1):
    """Return a central difference of order 1 or 2: 70 digits, of which some 40 are right."""
    with mp.workdps(70):
        step = mp.mpf(10) ** (-22 if order == 1 else -17)
        at = {key: mp.mpf(number) for key, number in point.items()}
        above, below = (function(at | {name: at[name] + s}) for s in (step, -step))
        return (above - below) / (2 * step) if order == 1 else (above - 2 * function(at) + below) / step**2
