"""The SymPy door, inwards: a SymPy expression → tape.  `to_sympy` is the way out.

SymPy is imported inside functions only.  No text ever reaches it: strings are refused, expressions are walked node by
node (by the class of a node, never by its name), and nothing is printed or evaluated.

A `Sum` or `Product` is read as it stands, whatever its length; each node is read once, also under several sums,
because an index is a leaf like any other until `binders.bind` gives it its place.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable
from fractions import Fraction
from typing import Any, NamedTuple

from descend.errors import FormulaError, LimitError, printable
from descend.expression import sympy_bound
from descend.expression.complaints import instead
from descend.expression.exact import MAX_BITS
from descend.expression.functions import CONDITIONS
from descend.expression.limits import STANDARD, Limits, beyond
from descend.expression.parse import Model
from descend.expression.sympy_out import to_sympy
from descend.expression.sympy_symbols import Names, name_everything
from descend.expression.sympy_table import readers, truth
from descend.expression.tape import Formula, Tape

__all__ = ["SympyFormula", "SympyModel", "from_sympy", "from_sympy_model", "is_sympy", "to_sympy"]


class SympyFormula(NamedTuple):
    """A formula, the user's own Symbol (of an array: IndexedBase) of each name, and remarks about how it was read."""

    formula: Formula
    symbols: dict[str, Any]
    notes: tuple[str, ...]


class SympyModel(NamedTuple):
    """A model `left = right`, with the rest as in `SympyFormula`."""

    model: Model
    symbols: dict[str, Any]
    notes: tuple[str, ...]


def is_sympy(thing: object) -> bool:
    """Say whether `thing` is an object of SymPy's, without importing SymPy."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(thing, (sympy.Basic, sympy.MatrixBase))


def from_sympy(expression: object, limits: Limits = STANDARD, given: Collection[str] = ()) -> SympyFormula:
    """Read a SymPy expression.  Symbols are meant to be real; a Float is exactly the binary number that it holds.

    Sums and products have inclusive bounds; one whose upper bound is one below the lower is empty, 0 or 1.  Further
    down SymPy turns the sign (Karr's convention), so such numbers are refused; where n makes it so later, it is
    empty.  An integer symbol is a constant: it stands in a bound or a place of an array, or is named in `given`; as a
    variable it is refused.

    Raises `FormulaError` where the expression has no meaning here, and `LimitError`.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> from_sympy(x**2 + 1).formula.names
    ('x',)
    """
    tape = Tape(limits.entries)
    roots, symbols, notes = _read((expression,), tape, limits, given)
    return SympyFormula(Formula(tape, roots[0]), symbols, notes)


def from_sympy_model(equation: object, limits: Limits = STANDARD, given: Collection[str] = ()) -> SympyModel:
    """Read `sympy.Eq(left, right)` as a model; see `from_sympy`."""
    import sympy

    if not isinstance(equation, sympy.Eq):
        raise FormulaError("a model is an equation: sympy.Eq(y, b0 + b1*x)")
    tape = Tape(limits.entries)
    (left, right), symbols, notes = _read(equation.args, tape, limits, given)
    return SympyModel(Model(tape, left, right), symbols, notes)


# ------------------------------------------------------------------------------------------------------------ the walk


Walked = tuple[Any, tuple[Any, ...]]  # a node and those of its parts that are read


def _read(
    roots: tuple[object, ...], tape: Tape, limits: Limits, given: Collection[str]
) -> tuple[list[int], dict[str, Any], tuple[str, ...]]:
    import sympy

    for root in roots:
        if isinstance(root, sympy.Eq):
            raise FormulaError("an equation is a model; give it to fit, together with data")
        if not isinstance(root, sympy.Expr):
            raise FormulaError(f"a SymPy expression is needed here, not {_kind(root)}")
    order = _order(roots, tape.max_entries)
    indices = sympy_bound.levels(node for node, _ in reversed(order))
    names = _names(order, indices, given)
    entries: dict[int, int] = {}
    depths: dict[int, int] = {}  # how many sums and products stand inside one another
    for node, operands in order:
        depths[id(node)] = max((depths[id(operand)] for operand in operands), default=0)
        args = [entries[id(operand)] for operand in operands]
        match node:
            case sympy.Symbol() | sympy.Idx() if node in indices:
                entries[id(node)] = tape.index(indices[node])
            case sympy.Symbol():
                entries[id(node)] = tape.symbol(names.symbols[node])
            case sympy.Indexed():
                _check(tape, args, condition=False)
                entries[id(node)] = sympy_bound.access(tape, names.arrays[node.base], args[0])
            case sympy.Sum() | sympy.Product():
                _check(tape, args, condition=False)
                depths[id(node)] += len(node.limits)
                if depths[id(node)] > limits.loops:
                    raise beyond("loops", f"more than {limits.loops:,} sums and products stand inside one another")
                entries[id(node)] = sympy_bound.bind(tape, node, args, indices)
            case _:
                entries[id(node)] = _build(tape, node, args)
    found = [entries[id(root)] for root in roots]
    _check(tape, found, condition=False)
    for index, level in indices.items():
        if any(tape.free[root] >> level & 1 for root in found):
            shown = sympy_bound.shown(index)
            raise FormulaError(f"{shown} is the index of a sum, and stands outside of it too; rename one")
    owners = {**{index.name: index for index in indices}, **names.owners}
    return found, owners, names.notes


def _names(order: list[Walked], indices: Collection[Any], given: Collection[str]) -> Names:
    """Name the symbols.  Those in bounds and places, and those that are given, are constants and may be integers."""
    import sympy

    symbols = [node for node, _ in order if isinstance(node, sympy.Symbol) and node not in indices]
    arrays = [node.base for node, _ in order if isinstance(node, sympy.Indexed)]
    below = _order([part for node, _ in order for part in sympy_bound.whole(node)], len(order) + 1)
    constants = [node for node, _ in below if isinstance(node, sympy.Symbol)]
    return name_everything(symbols, arrays, indices, [*constants, *(s for s in symbols if s.name in given)])


def _order(roots: Iterable[Any], most: int) -> list[Walked]:
    """Return every node with its operands, operands first; nodes are told apart by identity (a hash may recurse)."""
    order: list[tuple[Any, tuple[Any, ...]]] = []
    seen: set[int] = set()
    todo: list[tuple[Any, tuple[Any, ...] | None]] = [(root, None) for root in roots]
    while todo:
        node, operands = todo.pop()
        if operands is not None:
            order.append((node, operands))
        elif id(node) not in seen:
            seen.add(id(node))
            if len(seen) > most:
                raise LimitError(
                    f"the expression has more than {most:,} parts; limits=descend.Limits(entries=...) raises the limit"
                )
            operands = _operands(node)
            todo.append((node, operands))
            todo.extend((operand, None) for operand in reversed(operands))
    return order


def _operands(node: Any) -> tuple[Any, ...]:
    """Return the parts of a node that are read as expressions of their own."""
    import sympy

    if isinstance(node, sympy.Mul):
        return tuple(
            factor.base if _divides(factor) else factor
            for factor in node.args
            if not isinstance(factor, sympy.Rational)
        )
    if isinstance(node, sympy.Piecewise):
        return tuple(part for pair in node.args for part in pair.args)
    if isinstance(node, sympy.Pow) and _divides(node):
        return (node.base,)
    bound = sympy_bound.operands(node)
    if bound is not None:
        return bound
    return tuple(node.args) if type(node) in readers() else ()


def _divides(node: Any) -> bool:
    """Say whether a factor is a constant negative power, which belongs under the line of a quotient."""
    import sympy

    return isinstance(node, sympy.Pow) and isinstance(node.exp, (sympy.Rational, sympy.Float)) and bool(node.exp < 0)


def _build(tape: Tape, node: Any, args: list[int]) -> int:
    import sympy

    match node:
        case sympy.Rational() | sympy.Float():
            return tape.constant(_exact(node))
        case sympy.Add():  # SymPy keeps the number first and shows it last
            _check(tape, args, condition=False)
            return tape.add(sorted(args, key=lambda index: tape.value(index) is not None))
        case sympy.Mul():
            return _product(tape, node, args)
        case sympy.Pow() if _divides(node):
            return tape.div(tape.constant(1), tape.pow(args[0], tape.constant(-_exact(node.exp))))
        case sympy.Piecewise():
            return _piecewise(tape, args)
    build = readers().get(type(node))
    if build is None:
        raise FormulaError(_refusal(node))
    _check(tape, args, condition=isinstance(node, (sympy.And, sympy.Or, sympy.Not, sympy.ITE)))
    return build(tape, *args)


def _product(tape: Tape, node: Any, args: list[int]) -> int:
    import sympy

    tops: list[int] = []
    bottoms: list[int] = []
    rest = iter(args)
    for factor in node.args:
        if isinstance(factor, sympy.Rational):
            value = _exact(factor)
            tops += [tape.constant(value.numerator)] if value.numerator != 1 else []
            bottoms += [tape.constant(value.denominator)] if value.denominator != 1 else []
        elif _divides(factor):
            bottoms.append(tape.pow(next(rest), tape.constant(-_exact(factor.exp))))
        else:
            tops.append(next(rest))
    _check(tape, args, condition=False)
    top = tape.mul(tops)
    return tape.div(top, tape.mul(bottoms)) if bottoms else top


def _piecewise(tape: Tape, args: list[int]) -> int:
    values, conditions = args[::2], args[1::2]
    _check(tape, values, condition=False)
    _check(tape, conditions, condition=True)
    if conditions[-1] != truth(tape):
        raise FormulaError("a Piecewise must have a value everywhere: end it with (value, True)")
    result = values[-1]
    for value, condition in zip(values[-2::-1], conditions[-2::-1], strict=True):
        result = tape.call("where", condition, value, result)
    return result


def _check(tape: Tape, args: Iterable[int], *, condition: bool) -> None:
    for index in args:
        if (tape[index].op in CONDITIONS) is not condition:
            wanted, found = ("a condition", "a number") if condition else ("a number", "a condition")
            raise FormulaError(f"{found} stands where {wanted} is needed; conditions belong into Piecewise")


def _exact(node: Any) -> Fraction:
    import sympy

    if isinstance(node, sympy.Rational):
        return Fraction(int(node.p), int(node.q))
    sign, mantissa, exponent, _ = node._mpf_  # the number itself: every public way rounds it
    if abs(int(exponent)) > 2 * MAX_BITS:
        raise LimitError(f"a Float of this expression has more than {MAX_BITS} bits when it is written exactly")
    size = Fraction(int(mantissa)) * Fraction(2) ** int(exponent)
    return -size if sign else size


# ------------------------------------------------------------------------------------------------------------- refusals


def _kind(thing: object) -> str:
    import sympy

    if isinstance(thing, str):
        return "a text (it would be evaluated; texts go to descend as they are)"
    if isinstance(thing, sympy.MatrixBase):
        return "a matrix"
    if isinstance(thing, (sympy.logic.boolalg.Boolean, bool)):
        return "a condition"
    return f"a {printable(type(thing).__name__)}"


def _refusal(node: Any) -> str:
    """Say why a node cannot be read."""
    import sympy
    from sympy.core import numbers
    from sympy.core.function import AppliedUndef

    name = printable(type(node).__name__)
    match node:
        case numbers.ImaginaryUnit():
            return "the imaginary unit I is outside the real numbers"
        case numbers.Infinity() | numbers.NegativeInfinity() | numbers.ComplexInfinity():
            return "infinity is not a number that a formula can hold, nor a bound of a sum"
        case numbers.NaN():
            return "nan is not a number that a formula can hold"
        case sympy.IndexedBase():
            array = printable(str(node.label.name)) if isinstance(node.label, sympy.Symbol) else "this"
            return f"{array} is an array; a formula is made of its entries, {array}[i]"
        case sympy.Idx():
            return f"{sympy_bound.shown(node)} is an index, and stands outside of a sum over it"
        case sympy.Derivative() | sympy.Integral() | sympy.Limit() | sympy.Subs():
            return f"{name} is unfinished; call .doit() first"
        case AppliedUndef():
            return f"{name}(...) is an undefined function; replace it by a formula"
        case sympy.MatrixExpr():
            return "matrices are not expressions of real numbers"
    says = f"{name} is not a function that descend knows"
    other = instead(name)
    return f"{says}; write {other.replace('gammaln', 'loggamma')}" if other else says
