"""`derivative`: the exact derivative of a formula, as something to read, typeset or compute with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from descend.api.reading import order_of, read_cost
from descend.expression.derivative import gradient, hessian
from descend.expression.limits import Limits
from descend.expression.tape import Tape
from descend.expression.write import to_latex, to_text
from descend.problem.problem import make_problem


@dataclass(frozen=True, eq=False, repr=False)
class Derivative:
    """An exact derivative.  It prints as text that reads back to the same function."""

    tape: Tape
    root: int
    symbols: Mapping[str, Any]

    def __str__(self) -> str:
        return to_text(self.tape, self.root)

    __repr__ = __str__

    def latex(self) -> str:
        """Return LaTeX."""
        return to_latex(self.tape, self.root)

    def sympy(self) -> Any:
        """Return a SymPy expression in the user's own symbols (where the formula was given as SymPy)."""
        from descend.expression.sympy import to_sympy

        return to_sympy(self.tape, self.root, self.symbols)

    def _repr_latex_(self) -> str:
        return f"${self.latex()}$"


def derivative(formula: Any, *, variables: Any = None, limits: Limits | None = None) -> dict[str, Derivative]:
    """Return name → exact derivative of `formula` (text or SymPy), for all variables or those named.

    At a kink the value is sign(0) = 0 for abs, and the first argument's slope where min or max tie.

    Raises `FormulaError`.

    >>> import descend
    >>> descend.derivative("x^2*sin(y)")
    {'x': 2*x*sin(y), 'y': x^2*cos(y)}
    """
    reading, names, symbols = _read(formula, variables, limits)
    tape, root = reading.formula
    slopes = gradient(tape, root, symbols)
    return {name: Derivative(tape, slope, reading.symbols) for name, slope in zip(names, slopes, strict=True)}


def second_derivatives(
    formula: Any, *, variables: Any = None, limits: Limits | None = None
) -> dict[tuple[str, str], Derivative]:
    """Return (name, name) → exact second derivative."""
    reading, names, symbols = _read(formula, variables, limits)
    tape, root = reading.formula
    rows = hessian(tape, root, symbols)
    return {
        (a, b): Derivative(tape, rows[i][j], reading.symbols) for i, a in enumerate(names) for j, b in enumerate(names)
    }


def _read(formula: Any, variables: Any, limits: Limits | None) -> tuple[Any, list[str], list[int]]:
    order = order_of(variables)
    reading = read_cost(formula, names=order or (), limits=limits)
    tape = reading.formula.tape
    if order is not None:
        present = reading.formula.names
        make_problem(reading.formula, variables=[*order, *(n for n in present if n not in order)])
    names = list(reading.formula.names) if order is None else order
    return reading, names, [tape.symbol(name) for name in names]
