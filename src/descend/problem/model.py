"""A model `left = right`: which names are columns, which are parameters, and what it predicts for rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from descend.errors import DataError, FormulaError, UnavailableError, nearest, printable
from descend.expression import binders
from descend.expression.analyse import linear_in
from descend.expression.derivative import gradient
from descend.expression.parse import Model
from descend.expression.stabilise import stabilise_all
from descend.expression.tape import Tape
from descend.expression.write import to_text
from descend.kernel.interpret import Interpreter, arrays, evaluate_arrays
from descend.kernel.program import lower
from descend.problem.loss.base import Loss
from descend.problem.problem import Problem

if TYPE_CHECKING:
    from descend.data.source import Table

BLOCK = 65_536


@dataclass(frozen=True)
class FormulaModel:
    """A model on a tape: `left` is a formula of columns, `right` one of columns and parameters."""

    tape: Tape
    left: int
    right: int
    parameters: tuple[str, ...]
    columns: tuple[str, ...]  # that either side mentions
    inputs: tuple[str, ...]  # that the right side mentions
    keep_as_written: bool = False  # otherwise forms that lose digits are evaluated as equal ones that do not

    def __str__(self) -> str:
        return f"{to_text(self.tape, self.left)} = {to_text(self.tape, self.right)}"

    def problem(self, loss: Loss, notes: Sequence[str] = ()) -> Problem:
        """Return the problem of minimising `loss` over rows."""
        (root,) = self._stable([loss.row(self.tape, self.left, self.right)])
        return Problem(self.tape, root, self.parameters, self.columns, mean=loss.mean, notes=tuple(notes))

    def _stable(self, entries: Sequence[int]) -> list[int]:
        return list(entries) if self.keep_as_written else stabilise_all(self.tape, entries)

    def observed(self, table: Table) -> Any:
        """Return the left side for each row, float64."""
        return self._rows([self.left], [], self.columns, table)[0]

    def predicted(self, values: Sequence[float], table: Table) -> Any:
        """Return the right side for each row, float64; needs only the columns `inputs`."""
        return self._rows([self.right], values, self.inputs, table)[0]

    def jacobian(self, values: Sequence[float], table: Table) -> Any:
        """Return ∂right/∂parameter for each row: float64 of shape (rows, parameters)."""
        (right,) = self._stable([self.right])  # before it is differentiated: the derivatives are stable forms then
        slopes = gradient(self.tape, right, [self.tape.symbol(p) for p in self.parameters])
        return self._rows(slopes, values, self.inputs, table).T

    def has_constant(self) -> bool:
        """Return whether some parameter is simply added, so that the residuals add up to zero."""
        slopes = gradient(self.tape, self.right, [self.tape.symbol(p) for p in self.parameters])
        return any(self.tape.value(s) not in {None, 0} for s in slopes)

    def centred(self) -> bool:
        """Return whether r² compares with the mean: unless the model is linear without a constant."""
        return self.has_constant() or not linear_in(self.tape, self.right, self.parameters)

    def _rows(self, entries: Sequence[int], values: Sequence[float], columns: Sequence[str], table: Table) -> Any:
        import numpy as np

        names = [*self.parameters, *columns] if values else list(columns)
        interpreter = Interpreter(lower(self.tape, self._stable(entries), names), arrays())
        data = [table.column(name) for name in columns]
        result = np.empty((len(entries), table.rows))
        for low in range(0, table.rows, BLOCK):
            high = min(table.rows, low + BLOCK)
            outputs = evaluate_arrays(interpreter, [*values, *(column[low:high] for column in data)])
            for k, output in enumerate(outputs):
                result[k, low:high] = output
        return result


def make_model(
    model: Model,
    columns: Collection[str],
    parameters: Sequence[str] | None = None,
    *,
    keep_as_written: bool = False,
) -> tuple[FormulaModel, tuple[str, ...]]:
    """Tell columns from parameters: names that are columns of the data are columns, the rest parameters.

    `parameters` names them instead, and makes any difference an error.  Returns the model and warnings.
    """
    tape, left, right = model
    if any(tape[k].op in binders.BINDERS or tape[k].op == "access" for k in tape.reachable((left, right))):
        raise UnavailableError(
            "sums over an index and entries of arrays are not part of models yet; write the terms out"
        )
    on_left, on_right = list(tape.symbols((left,))), list(tape.symbols((right,)))
    if parameters is None:
        found = [n for n in on_right if n not in columns]
    else:
        found = list(parameters)
        for name in found:
            if name not in on_right:
                raise FormulaError(f"the model does not contain the parameter {printable(name)!r}")
        for name in on_right:
            if name not in found and name not in columns:
                raise FormulaError(_neither(name, columns))
    strange = [n for n in on_left if n not in columns]
    if strange:
        name = strange[0]
        raise DataError(f"the left side of the model mentions {printable(name)!r}, {_no_column(name, columns)}")
    if not on_left:
        raise FormulaError("the left side of a model is a column, or a formula of columns: y = b0 + b1*x")
    if not found:
        raise FormulaError("the model has no parameters: every name in it is a column of the data")
    inputs = tuple(n for n in on_right if n not in found)
    unused = [c for c in columns if c not in inputs and c not in on_left]
    warnings = []
    for name in found:
        close = next((c for c in unused if _misspelt(name, c)), None) if parameters is None else None
        if close is not None:
            warnings.append(
                f"{printable(name)} was taken as a parameter, but the data have a column {printable(close)!r} "
                "that is not used: a misspelling?"
            )
    used = tuple(dict.fromkeys([*on_left, *inputs]))
    return FormulaModel(tape, left, right, tuple(found), used, inputs, keep_as_written), tuple(warnings)


def _misspelt(name: str, column: str) -> bool:
    """Whether two names differ by case only, or (three letters and more) by one edit."""
    a, b = name.casefold(), column.casefold()
    if a == b:
        return True
    if min(len(a), len(b)) < 3 or abs(len(a) - len(b)) > 1:
        return False
    same = 0  # length of the common beginning; what follows must be equal but for one character
    while same < min(len(a), len(b)) and a[same] == b[same]:
        same += 1
    rest_a, rest_b = a[same:], b[same:]
    return rest_a[1:] == rest_b[1:] or rest_a[1:] == rest_b or rest_a == rest_b[1:]


def _no_column(name: str, columns: Collection[str]) -> str:
    close = nearest(name, columns)
    shown = ", ".join(printable(c) for c in list(columns)[:12])
    return "which is not a column; " + (f"did you mean {close!r}?" if close else f"there are {shown}")


def _neither(name: str, columns: Collection[str]) -> str:
    return f"{printable(name)!r} is neither among parameters= nor a column; {_no_column(name, columns)}"
