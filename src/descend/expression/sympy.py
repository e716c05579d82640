"""The SymPy door, inwards: a SymPy expression → tape.  `to_sympy` is the way out.

SymPy is imported inside functions only.  No text ever reaches it: strings are refused, expressions are walked node by
node (by the class of a node, never by its name), and nothing is printed or evaluated.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from descend.errors import FormulaError, LimitError, printable
from descend.expression.functions import CONDITIONS
from descend.expression.limits import STANDARD, Limits
from descend.expression.parse import Model
from descend.expression.sympy_out import to_sympy
from descend.expression.sympy_table import readers, truth
from descend.expression.tape import MAX_BITS, Formula, Tape

if TYPE_CHECKING:
    import sympy

__all__ = ["SympyFormula", "SympyModel", "from_sympy", "from_sympy_model", "is_sympy", "to_sympy"]


class SympyFormula(NamedTuple):
    """A formula, the user's own Symbol of each name, and remarks about how it was read."""

    formula: Formula
    symbols: dict[str, sympy.Symbol]
    notes: tuple[str, ...]


class SympyModel(NamedTuple):
    """A model `left = right`, the user's own Symbol of each name, and remarks about how it was read."""

    model: Model
    symbols: dict[str, sympy.Symbol]
    notes: tuple[str, ...]


def is_sympy(thing: object) -> bool:
    """Say whether `thing` is an object of SymPy's, without importing SymPy."""
    sympy = sys.modules.get("sympy")
    return sympy is not None and isinstance(thing, (sympy.Basic, sympy.MatrixBase))


def from_sympy(expression: object, limits: Limits = STANDARD) -> SympyFormula:
    """Read a SymPy expression.  Symbols are meant to be real; a Float is exactly the binary number that it holds.

    Raises `FormulaError` where the expression has no meaning here, and `LimitError`.

    >>> import sympy
    >>> x = sympy.Symbol("x")
    >>> from_sympy(x**2 + 1).formula.names
    ('x',)
    """
    tape = Tape(limits.entries)
    roots, symbols, notes = _read((expression,), tape)
    return SympyFormula(Formula(tape, roots[0]), symbols, notes)


def from_sympy_model(equation: object, limits: Limits = STANDARD) -> SympyModel:
    """Read `sympy.Eq(left, right)` as a model; see `from_sympy`."""
    import sympy

    if not isinstance(equation, sympy.Eq):
        raise FormulaError("a model is an equation: sympy.Eq(y, b0 + b1*x)")
    tape = Tape(limits.entries)
    (left, right), symbols, notes = _read(equation.args, tape)
    return SympyModel(Model(tape, left, right), symbols, notes)


# ------------------------------------------------------------------------------------------------------------ the walk


def _read(roots: tuple[object, ...], tape: Tape) -> tuple[list[int], dict[str, sympy.Symbol], tuple[str, ...]]:
    import sympy

    for root in roots:
        if isinstance(root, sympy.Eq):
            raise FormulaError("an equation is a model; give it to fit, together with data")
        if not isinstance(root, sympy.Expr):
            raise FormulaError(f"a SymPy expression is needed here, not {_kind(root)}")
    order = _order(roots, tape.max_entries)
    names, notes = _names(node for node, _ in order if isinstance(node, sympy.Symbol))
    entries: dict[int, int] = {}
    for node, operands in order:
        if isinstance(node, sympy.Symbol):
            entries[id(node)] = tape.symbol(names[node])
        else:
            entries[id(node)] = _build(tape, node, [entries[id(operand)] for operand in operands])
    for root in roots:
        _check(tape, (entries[id(root)],), condition=False)
    return [entries[id(root)] for root in roots], {name: node for node, name in names.items()}, notes


def _order(roots: Iterable[Any], most: int) -> list[tuple[Any, tuple[Any, ...]]]:
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


# ------------------------------------------------------------------------------------------------------------- symbols


def _names(symbols: Iterable[Any]) -> tuple[dict[Any, str], tuple[str, ...]]:
    """Choose the name of every Symbol: its own, and for a Dummy one that is free."""
    import sympy

    found = list(dict.fromkeys(symbols))
    owners: dict[str, Any] = {}
    notes: list[str] = []
    for symbol in found:
        if isinstance(symbol, sympy.Dummy):
            continue
        shown = _check_symbol(symbol)
        if owners.setdefault(symbol.name, symbol) != symbol:
            raise FormulaError(f"two different symbols are called {shown} (their assumptions differ); rename one")
        notes += _bound_notes(symbol, shown)
    for symbol in found:
        if not isinstance(symbol, sympy.Dummy):
            continue
        shown = _check_symbol(symbol)
        count = 1
        while f"{symbol.name}_{count}" in owners:
            count += 1
        owners[f"{symbol.name}_{count}"] = symbol
        notes += [f"the dummy {shown} is called {shown}_{count} here", *_bound_notes(symbol, shown)]
    return {symbol: name for name, symbol in owners.items()}, tuple(notes)


def _check_symbol(symbol: Any) -> str:
    """Refuse a symbol that cannot be a real variable; return its name as it can be shown."""
    import sympy

    name = symbol.name
    shown = printable(name)
    if not name or "`" in name or not name.isprintable():
        raise FormulaError(f"a symbol's name must be printable and without backticks, unlike '{shown}'")
    if isinstance(symbol, sympy.Wild):
        raise FormulaError(f"{shown} is a Wild, a pattern; use a Symbol")
    if not symbol.is_commutative:
        raise FormulaError(f"the symbol {shown} does not commute; numbers do")
    if symbol.is_integer:
        raise FormulaError(f"the symbol {shown} is an integer; a descent moves through real numbers (real=True)")
    if symbol.is_real is False or symbol.is_extended_real is False or (symbol.is_complex and not symbol.is_real):
        raise FormulaError(f"the symbol {shown} is not assumed to be real; a descent moves through real numbers")
    return shown


def _bound_notes(symbol: Any, shown: str) -> list[str]:
    for assumption in ("positive", "negative", "nonnegative", "nonpositive", "nonzero"):
        if getattr(symbol, f"is_{assumption}"):
            return [f"the assumption {assumption} on {shown} is not enforced in this version"]
    return []


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
            return "infinity is not a number that a formula can hold"
        case numbers.NaN():
            return "nan is not a number that a formula can hold"
        case sympy.Sum() | sympy.Product() | sympy.Indexed() | sympy.IndexedBase() | sympy.Idx():
            return f"{name} is not in this version yet; write the terms out (for a Sum: .doit())"
        case sympy.Derivative() | sympy.Integral() | sympy.Limit() | sympy.Subs():
            return f"{name} is unfinished; call .doit() first"
        case AppliedUndef():
            return f"{name}(...) is an undefined function; replace it by a formula"
        case sympy.MatrixExpr():
            return "matrices are not expressions of real numbers"
    return f"{name} is not a function that descend knows"
