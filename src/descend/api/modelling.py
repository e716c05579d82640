"""From a model, data and a loss to something to minimise: what fit, compile and steps share."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from descend.api.reading import Reading, euler_note, named_numbers, prepared
from descend.data.open import open_source
from descend.data.source import Table
from descend.errors import DataError, FormulaError, MethodError, printable
from descend.expression.limits import STANDARD, Limits
from descend.expression.parse import Model, parse_model
from descend.expression.tape import Formula
from descend.problem.loss.base import Loss
from descend.problem.loss.registry import find_loss
from descend.problem.model import FormulaModel, make_model
from descend.problem.problem import Problem
from descend.problem.rows import RowsObjective


@dataclass(frozen=True)
class Modelled:
    """A model with its rows."""

    model: FormulaModel
    loss: Loss
    problem: Problem
    table: Table
    held_back: Table | None
    description: str
    notes: tuple[str, ...]
    symbols: Mapping[str, Any]

    def objective(self, looks: int, *, compiled: bool | None = None) -> RowsObjective:
        """Return the loss as a function of the parameters."""
        return RowsObjective(self.problem, self.table, looks, compiled=compiled)


def read_model(
    model: Any,
    data: Any,
    *,
    loss: str | Loss = "rss",
    names: Collection[str] = (),
    constants: Any = None,
    fixed: Any = None,
    tied: Any = None,
    parameters: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
    missing: Literal["error", "drop"] = "error",
    holdout: float | None = None,
    seed: int = 0,
    limits: Limits | None = None,
    keep_as_written: bool = False,
) -> Modelled:
    """Read a model and fetch the columns it mentions.

    Raises `FormulaError`, `DataError`, `MethodError`, `UnavailableError`.
    """
    chosen = loss if isinstance(loss, Loss) else find_loss(loss)
    source = open_source(data, missing=missing)
    available = source.names if columns is None else tuple(str(c) for c in columns)
    for name in available:
        if name not in source.names:
            raise DataError(f"columns= names {printable(name)!r}, which the data do not have")
    given = [*named_numbers(constants, "constants"), *named_numbers(fixed, "fixed")]
    known = [*available, *names, *(parameters or ()), *given]
    for name in given:
        if name in available:
            raise DataError(f"{printable(name)} is a column of the data and cannot be given a value too")
    read, symbols, notes = _read(model, known, given, limits or STANDARD)
    reading = Reading(Formula(read.tape, read.right))
    right = prepared(reading, constants=constants, fixed=fixed, tied=tied, limits=limits)
    made, warnings = make_model(
        Model(read.tape, read.left, right.root), available, parameters, keep_as_written=keep_as_written
    )
    table = source.table(made.columns)
    if table.rows == 0:
        raise DataError("no rows are left" if table.dropped else "the data have no rows")
    kept, held = split(table, holdout, seed)
    said = [*notes, *warnings]
    if table.dropped:
        said.append(f"{table.dropped} of {source.rows} rows were dropped for missing values")
    if held is not None:
        said.append(f"{held.rows} rows were held back (seed {seed}); evaluate() judges the fit on them")
    problem = made.problem(chosen, said)
    return Modelled(made, chosen, problem, kept, held, source.description, tuple(said), symbols)


def _read(
    model: Any, known: Collection[str], given: Collection[str], limits: Limits
) -> tuple[Model, Mapping[str, Any], tuple[str, ...]]:
    """Return the model, the user's own SymPy symbols (if any) and what has to be said about the reading."""
    if isinstance(model, str):
        read = parse_model(model, names=known, limits=limits)
        return read, {}, euler_note(model, known, limits)
    from descend.expression.sympy import from_sympy_model, is_sympy

    if is_sympy(model):
        symbolic = from_sympy_model(model, limits, given)
        return symbolic.model, symbolic.symbols, symbolic.notes
    raise FormulaError(f"a model is text such as 'y = b0 + b1*x' or a SymPy Eq, not {printable(type(model).__name__)}")


def split(table: Table, holdout: float | None, seed: int) -> tuple[Table, Table | None]:
    """Return (rows to learn from, rows held back): a random share `holdout` of the rows, the same for a seed."""
    if holdout is None:
        return table, None
    if isinstance(holdout, bool) or not isinstance(holdout, (int, float)) or not 0 < holdout < 1:
        raise MethodError("holdout is the share of rows to hold back, between 0 and 1, 0.2 for instance")
    count = round(holdout * table.rows)
    if not 0 < count < table.rows:
        raise DataError(f"holding back {holdout:g} of {table.rows} rows leaves one side without rows")
    import numpy as np

    order = np.random.default_rng(seed).permutation(table.rows)
    return table.take(np.sort(order[count:])), table.take(np.sort(order[:count]))
