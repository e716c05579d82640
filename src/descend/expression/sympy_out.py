"""The SymPy door, outwards: tape → SymPy expression, with the user's own Symbol objects.

SymPy simplifies what it is given, at times at a terrible price: exp(10^9*log(7)) becomes an integer of gigabytes, a
nest of cosh doubles its work with each level.  So the value of each constant is known in double precision before it is
built, and only the lower floors of a tall expression are simplified.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

from descend.errors import FormulaError, LimitError
from descend.expression.sympy_table import spellings
from descend.expression.tape import Tape

if TYPE_CHECKING:
    import sympy

EVALUATED_HEIGHT = 16  # what has more operations above one another is not simplified by SymPy
LARGEST = 1e300  # |value| of a constant
LARGEST_LOGARITHM = 1e4  # |value| of a constant with a logarithm in it: exp(n*log(7)) is written out as 7^n
LARGEST_BITS = 100_000  # of the constant factor of a product


def to_sympy(tape: Tape, root: int, symbols: Mapping[str, sympy.Symbol] | None = None) -> sympy.Expr:
    """Return an entry as a SymPy expression; `symbols` (name → Symbol) are used where the names are known.

    Constants are Rationals.  SymPy may simplify, also where that widens a domain (x/x is 1 to it).
    Raises `LimitError` where SymPy would choke, and `FormulaError` for a constant without a real value.

    >>> from descend.expression.parse import parse
    >>> to_sympy(*parse("x/3 + log2(x)"))
    x/3 + log(x)/log(2)
    """
    try:
        return _convert(tape, root, symbols or {})
    except RecursionError:
        raise LimitError("this formula is nested too deeply for SymPy") from None


def _convert(tape: Tape, root: int, symbols: Mapping[str, sympy.Symbol]) -> Any:
    import sympy

    table = spellings()
    known: dict[int, Any] = {}
    heights: dict[int, int] = {}
    constants: dict[int, tuple[Any, bool]] = {}  # entry without symbols → its value as a Float, a logarithm in it?
    for index in tape.reachable((root,)):
        entry = tape[index]
        heights[index] = 1 + max((heights[a] for a in entry.args), default=0)
        if entry.op == "symbol":
            name = str(entry.value)
            known[index] = symbols.get(name) or sympy.Symbol(name)
        elif isinstance(entry.value, Fraction):
            known[index] = sympy.Rational(entry.value.numerator, entry.value.denominator)
            constants[index] = sympy.Float(known[index]), False
        else:
            if all(a in constants for a in entry.args):
                constants[index] = _constant(entry.op, [constants[a] for a in entry.args])
            args = [known[a] for a in entry.args]
            if entry.op == "pow":
                _check_size(args[0], args[1])
            known[index] = table[entry.op](heights[index] <= EVALUATED_HEIGHT, *args)
            _check_size(known[index])
    return known[root]


def _constant(op: str, args: list[tuple[Any, bool]]) -> tuple[Any, bool]:
    """Return the value of an operation on constants, if it is one that SymPy can be trusted with."""
    import sympy

    try:
        value = spellings()[op](True, *(arg for arg, _ in args))
        if isinstance(value, (sympy.logic.boolalg.Boolean, bool)):
            return value, False
        value = value.evalf()
    except ValueError:  # a pole, to mpmath
        value = sympy.nan
    if not value.is_real:
        raise FormulaError("a constant of this formula has no value in the real numbers")
    logarithm = op.startswith("log") or any(inner for _, inner in args)
    try:
        size = abs(float(value))
    except OverflowError:
        size = float("inf")
    if not isfinite(size) or size > (LARGEST_LOGARITHM if logarithm else LARGEST):
        raise LimitError("a constant of this formula is too large to be handed to SymPy")
    return sympy.Float(value), logarithm


def _check_size(base: Any, exponent: Any = 1) -> None:
    """Refuse (3x)^1000 repeated: SymPy writes its constant factor out."""
    import sympy

    if not isinstance(base, sympy.Expr) or not (exponent == 1 or isinstance(exponent, sympy.Rational)):
        return
    constant = base.as_coeff_Mul()[0]
    if isinstance(constant, sympy.Rational):
        bits = int(constant.p).bit_length() + int(constant.q).bit_length() - 2
        if bits * abs(exponent) > LARGEST_BITS:
            raise LimitError("a constant of this formula is too large to be handed to SymPy")
