"""`derivative`: the exact derivative of a formula, as something to read, typeset or compute with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from descend.api.reading import Reading, order_of, prepared, read_cost, start_names
from descend.errors import FormulaError, UnavailableError, printable, unknown_name
from descend.expression import binders
from descend.expression.contributions import (
    Contributions,
    contributions_to_latex,
    contributions_to_sympy,
    contributions_to_text,
)
from descend.expression.derivative import full_gradient, hessian
from descend.expression.limits import Limits
from descend.expression.named import to_named_text
from descend.expression.tape import Formula, Tape, natural
from descend.expression.tidy import tidy
from descend.expression.write import to_latex, to_text

LONGEST = 1_000_000  # characters


@dataclass(frozen=True, eq=False, repr=False)
class Derivative:
    """An exact derivative.  It prints as text that reads back to the same function.

    A long one prints with its repeated parts named (``where u1 = ...``), a very long one is cut and ends in "…".
    """

    tape: Tape
    root: int
    symbols: Mapping[str, Any]
    indices: Sequence[Any] = ()  # the user's own SymPy indices

    def __str__(self) -> str:
        return to_named_text(*tidy(self.tape, self.root))

    __repr__ = __str__

    def text(self) -> str:
        """Return text without names, which reads back to the same function whatever its length (up to a million)."""
        return to_text(*tidy(self.tape, self.root), LONGEST)

    def latex(self) -> str:
        """Return LaTeX."""
        return to_latex(*tidy(self.tape, self.root))

    def sympy(self) -> Any:
        """Return a SymPy expression in the user's own symbols (where the formula was given as SymPy)."""
        from descend.expression.sympy import to_sympy

        return to_sympy(self.tape, self.root, self.symbols, self.indices)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


@dataclass(frozen=True, eq=False, repr=False)
class ArrayDerivative:
    """The exact derivatives in all entries of an array.

    It prints as a line for each contribution, ``d/dx[i] += 2*x[i]  for i in 0..n - 1``: the derivative in an entry is
    the sum of what the lines add to it, 0 where none does.
    """

    contributions: Contributions
    symbols: Mapping[str, Any]
    indices: Sequence[Any] = ()

    def __str__(self) -> str:
        return contributions_to_text(self.contributions)

    __repr__ = __str__

    def text(self) -> str:
        """Return the lines without a limit on their length (but a million characters)."""
        return contributions_to_text(self.contributions, LONGEST)

    def latex(self) -> str:
        r"""Return LaTeX, a row for each contribution, with ``\\`` between them."""
        return contributions_to_latex(self.contributions)

    def sympy(self, index: Any = None) -> Any:
        """Return the derivative in the entry `index` (if None: a new Symbol), with Kronecker deltas, as SymPy does."""
        return contributions_to_sympy(self.contributions, self.symbols, self.indices, index)

    def _repr_latex_(self) -> str:
        return rf"$\begin{{array}}{{l}} {self.latex()} \end{{array}}$"


def derivative(
    formula: Any, *, variables: Any = None, constants: Any = None, limits: Limits | None = None
) -> dict[str, Derivative | ArrayDerivative]:
    """Return name → exact derivative of `formula` (text or SymPy), for all variables or those named.

    Names in the bounds of sums and in the places of arrays are constants; `constants` (name → number) gives them and
    others their values.  At a kink the value is sign(0) = 0 for
    abs, and the first argument's slope where min or max tie.

    Raises `FormulaError`.

    >>> import descend
    >>> descend.derivative("x^2*sin(y)")
    {'x': 2*x*sin(y), 'y': x^2*cos(y)}
    >>> descend.derivative("sum(a*x[i]^2, i, 0, n-1)", variables="x")
    {'x': d/dx[i] += 2*a*x[i]  for i in 0..n - 1}
    """
    reading, names = _read(formula, variables, constants, limits)
    tape, root = reading.formula
    arrays = tape.arrays((root,))
    scalars = [name for name in names if name not in arrays]
    found = full_gradient(
        tape, root, [tape.symbol(name) for name in scalars], [name for name in names if name in arrays]
    )
    slopes = dict(zip(scalars, found.slopes, strict=True))
    indices = _indices(reading)
    return {
        name: Derivative(tape, slopes[name], reading.symbols, indices)
        if name in slopes
        else ArrayDerivative(
            Contributions(tape, name, tuple(s for s in found.scatters if s.array == name)), reading.symbols, indices
        )
        for name in names
    }


def second_derivatives(
    formula: Any, *, variables: Any = None, constants: Any = None, limits: Limits | None = None
) -> dict[tuple[str, str], Derivative]:
    """Return (name, name) → exact second derivative; see `derivative`.

    Raises `FormulaError`, and `UnavailableError` for the entries of an array.
    """
    reading, names = _read(formula, variables, constants, limits)
    tape, root = reading.formula
    arrays = tape.arrays((root,))
    for name in names:
        if name in arrays:
            raise UnavailableError(
                f"the second derivatives in all entries of {printable(name)} are not written out; "
                "descend.compile(...) has a hessian and a hessian_product"
            )
    rows = hessian(tape, root, [tape.symbol(name) for name in names])
    indices = _indices(reading)
    return {
        (a, b): Derivative(tape, rows[i][j], reading.symbols, indices)
        for i, a in enumerate(names)
        for j, b in enumerate(names)
    }


def _read(formula: Any, variables: Any, constants: Any, limits: Limits | None) -> tuple[Reading, list[str]]:
    order, given = order_of(variables), start_names(constants)
    reading = read_cost(formula, names=[*(order or ()), *given], given=given, limits=limits)
    reading = replace(reading, formula=prepared(reading, constants=constants))
    tape, root = reading.formula
    arrays = tape.arrays((root,))
    present = sorted({*reading.formula.names, *arrays}, key=natural)
    whole = _constants(reading.formula)
    if order is None:
        return reading, [name for name in present if name not in whole]
    if len(set(order)) != len(order):
        raise FormulaError("a variable is named twice")
    for name in order:
        if name not in present:
            raise FormulaError(unknown_name(name, present, "the formula does not contain the variable"))
        if name in whole:
            raise FormulaError(
                f"{printable(name)} stands in a bound of a sum or in a place of an array: it is a whole number, "
                "and there is no derivative in it"
            )
    return reading, order


def _constants(formula: Formula) -> set[str]:
    """Return the names in bounds of sums and in places of arrays."""
    tape, root = formula
    ends = [
        end
        for index in tape.reachable((root,))
        for end in (
            tape[index].args[-2:]
            if tape[index].op in binders.BINDERS
            else tape[index].args
            if tape[index].op == "access"
            else ()
        )
    ]
    return set(tape.symbols(ends)) | set(tape.arrays(ends))


def _indices(reading: Reading) -> list[Any]:
    """Return the user's own indices: SymPy symbols that are nothing else in the formula."""
    tape, root = reading.formula
    others = {*tape.symbols((root,)), *tape.arrays((root,))}
    return [symbol for name, symbol in reading.symbols.items() if name not in others]
