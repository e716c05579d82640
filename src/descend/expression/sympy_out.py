"""The SymPy door, outwards: tape → SymPy expression, with the user's own Symbol objects.

SymPy simplifies what it is given, at times at a terrible price: exp(10^9*log(7)) becomes an integer of gigabytes, a
nest of cosh doubles its work with each level.  So the value of each constant is known in double precision before it is
built, and only the lower floors of a tall expression are simplified.

Sums and products become `Sum` and `Product`, also where SymPy could work them out: their terms may be millions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import isfinite
from typing import TYPE_CHECKING, Any

from descend.errors import FormulaError, LimitError
from descend.expression import binders
from descend.expression.layout import Scope, index_names
from descend.expression.sympy_table import spellings
from descend.expression.tape import Entry, Tape

if TYPE_CHECKING:
    import sympy

EVALUATED_HEIGHT = 16  # what has more operations above one another is not simplified by SymPy
LARGEST = 1e300  # |value| of a constant
LARGEST_LOGARITHM = 1e4  # |value| of a constant with a logarithm in it: exp(n*log(7)) is written out as 7^n
LARGEST_BITS = 100_000  # of the constant factor of a product


def to_sympy(
    tape: Tape,
    root: int,
    symbols: Mapping[str, Any] | None = None,
    indices: Sequence[Any] = (),
    scope: Scope = (),
) -> sympy.Expr:
    """Return an entry as a SymPy expression; `symbols` (name → Symbol, or IndexedBase) are used where they are known.

    Constants are Rationals.  The indices of sums are `indices` as far as they go, outermost first, then new Symbols
    i, j, k, ...; `scope` are the levels of those that are bound around the entry.  SymPy may simplify, also where
    that widens a domain (x/x is 1 to it).  Raises `LimitError` where SymPy would choke, and `FormulaError` for a
    constant without a real value.

    >>> from descend.expression.parse import parse
    >>> to_sympy(*parse("x/3 + log2(x)"))
    x/3 + log(x)/log(2)
    """
    try:
        return _Converter(tape, root, symbols or {}, indices).convert(root, scope)
    except RecursionError:
        raise LimitError("this formula is nested too deeply for SymPy") from None


Key = tuple[int, Scope]  # an entry that depends on an index, or holds a sum, is another expression in another scope


class _Converter:
    def __init__(self, tape: Tape, root: int, symbols: Mapping[str, Any], indices: Sequence[Any]) -> None:
        self.tape, self.symbols = tape, symbols
        self.expanded: dict[int, int] = {}  # prod_tangent, which SymPy has no word for → the sum that it stands for
        self.scoped: set[int] = set()
        self._survey(root)
        used = {*tape.symbols((root,)), *tape.arrays((root,))}
        self.own = [index for index in indices if getattr(index, "name", "") not in used]
        self.taken = used | {index.name for index in self.own}
        self.known: dict[Key, Any] = {}
        self.heights: dict[Key, int] = {}
        self.constants: dict[Key, tuple[Any, bool]] = {}  # without symbols → its value as a Float, a logarithm in it?

    def _survey(self, root: int) -> None:
        todo = [root]
        while todo:
            for index in self.tape.reachable((todo.pop(),)):
                entry = self.tape[index]
                if entry.op == "prod_tangent" and index not in self.expanded:
                    self.expanded[index] = binders.expanded_tangent(self.tape, index)
                    todo.append(self.expanded[index])
                if self.tape.free[index] or entry.op in binders.BINDERS or any(a in self.scoped for a in entry.args):
                    self.scoped.add(index)

    def key(self, index: int, scope: Scope) -> Key:
        return (index, scope if index in self.scoped else ())

    def parts(self, index: int, scope: Scope) -> list[Key]:
        """Return what an entry is made of, each part with its scope."""
        entry = self.tape[index]
        if index in self.expanded:
            return [self.key(self.expanded[index], scope)]
        if entry.op in binders.BINDERS:
            assert isinstance(entry.value, int)
            body, low, high = entry.args
            return [self.key(body, (*scope, entry.value)), self.key(low, scope), self.key(high, scope)]
        return [self.key(a, scope) for a in entry.args]

    def convert(self, root: int, scope: Scope) -> Any:
        start = self.key(root, scope)
        todo: list[tuple[Key, list[Key] | None]] = [(start, None)]
        while todo:
            here, parts = todo.pop()
            if here in self.known:
                continue
            if parts is not None:
                self.known[here] = self.build(here, parts)
                continue
            parts = self.parts(*here)
            todo.append((here, parts))
            todo += [(part, None) for part in reversed(parts) if part not in self.known]
        return self.known[start]

    def build(self, here: Key, parts: list[Key]) -> Any:
        import sympy

        index, scope = here
        entry = self.tape[index]
        height = self.heights[here] = 1 + max((self.heights[part] for part in parts), default=0)
        args = [self.known[part] for part in parts]
        match entry.op:
            case "symbol":
                return self.symbols.get(str(entry.value)) or sympy.Symbol(str(entry.value))
            case "constant":
                value = entry.value
                assert isinstance(value, Fraction)
                number = sympy.Rational(value.numerator, value.denominator)
                self.constants[here] = sympy.Float(number), False
                return number
            case "index":
                assert isinstance(entry.value, int)
                return self.index(entry.value, scope)
            case "access":
                base = self.symbols.get(str(entry.value)) or sympy.IndexedBase(sympy.Symbol(str(entry.value)))
                return sympy.Indexed(base, args[0])
            case "prod_tangent":
                return args[0]
            case "sum" | "prod":
                return self.bound(entry, scope, args)
        if all(part in self.constants for part in parts):
            self.constants[here] = _constant(entry.op, [self.constants[part] for part in parts])
        if entry.op == "pow":
            _check_size(args[0], args[1])
        result = spellings()[entry.op](height <= EVALUATED_HEIGHT, *args)
        _check_size(result)
        return result

    def bound(self, entry: Entry, scope: Scope, args: list[Any]) -> Any:
        import sympy

        assert isinstance(entry.value, int)
        body, low, high = args
        of = sympy.Sum if entry.op == "sum" else sympy.Product
        limits = [sympy.Tuple(self.index(entry.value, (*scope, entry.value)), low, high)]
        if isinstance(body, of):  # SymPy writes a sum of sums as one with several ranges
            body, limits = body.function, [*body.limits, *limits]
        # Not of(body, *limits): that folds every Piecewise in the body into one, which has 2^n cases.
        result = sympy.Expr.__new__(of, body, *limits)
        result.is_commutative = True
        return result

    def index(self, level: int, scope: Scope) -> Any:
        """Return the Symbol of the innermost index of `level`."""
        import sympy

        numbers = [number for number, bound in enumerate(scope) if bound == level]
        number = numbers[-1] if numbers else len(scope) + level
        if number < len(self.own):
            return self.own[number]
        return sympy.Symbol(index_names(self.taken, number - len(self.own) + 1)[-1], integer=True)


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
