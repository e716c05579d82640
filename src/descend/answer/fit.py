"""Fit: the result of learning a model from data."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from descend.answer.report import short, verdict_lines
from descend.answer.result import Result, plain
from descend.answer.uncertainty import student
from descend.errors import DataError, DescendError, MethodError, UnavailableError, printable
from descend.expression.limits import Limits
from descend.expression.parse import parse_model
from descend.expression.write import to_text
from descend.problem.loss.base import Loss
from descend.problem.model import FormulaModel

if TYPE_CHECKING:
    from descend.data.source import Table


@dataclass(frozen=True, eq=False, repr=False)
class Fit(Result):
    """A `Result` whose variables are the parameters of a model.

    `rss` is the residual sum of squares whatever the loss; `r_squared` is 1 - rss/Σ(y - ȳ)² (for a linear model
    without a constant, 1 - rss/Σy²: `notes` say so); `rows` the number of rows learned from.
    """

    model: FormulaModel = field(kw_only=True)
    loss: Loss = field(kw_only=True)
    rows: int = field(kw_only=True)
    rss: float = field(kw_only=True)
    r_squared: float = field(kw_only=True)
    source: str = field(kw_only=True, default="")
    covariances: tuple[tuple[float, ...], ...] | None = field(kw_only=True, default=None)
    held_back: Table | None = field(kw_only=True, default=None)

    @property
    def parameters(self) -> dict[str, float]:
        """Name → value, in the user's units."""
        return dict(self.variables)

    @property
    def covariance(self) -> Any:
        """The covariance matrix of the parameters, a new float64 array (NaN where the data do not determine it)."""
        import numpy as np

        size = len(self.variables)
        return np.full((size, size), nan) if self.covariances is None else np.array(self.covariances)

    @property
    def standard_errors(self) -> dict[str, float]:
        """Name → standard error (NaN where the data do not determine it)."""
        if self.covariances is None:
            return dict.fromkeys(self.variables, nan)
        return {name: sqrt(self.covariances[k][k]) for k, name in enumerate(self.variables)}

    def intervals(self, level: float = 0.95) -> dict[str, tuple[float, float]]:
        """Return name → (low, high), Wald intervals with Student's t; `MethodError` for a level not in 0..1."""
        if isinstance(level, bool) or not isinstance(level, (int, float)) or not 0 < level < 1:
            raise MethodError("the level of an interval lies between 0 and 1, 0.95 for instance")
        freedom = self.rows - len(self.variables)
        if freedom <= 0:
            return dict.fromkeys(self.variables, (nan, nan))
        t = student(level, freedom)
        errors = self.standard_errors
        return {name: (value - t * errors[name], value + t * errors[name]) for name, value in self.variables.items()}

    def predict(self, data: Any, *, kind: str = "response", invert: bool = False) -> Any:
        """Return the expected left side of the model for each row of new data, a new float64 array.

        `data` is anything that `fit` takes; only the columns of the right side are needed.  `kind` is "response" or
        "link" (the same for the losses of this version).  Raises `DataError`.
        """
        if not isinstance(kind, str) or kind not in {"response", "link"}:
            raise MethodError("kind is 'response' or 'link'")
        if invert and self.model.tape[self.model.left].op != "symbol":
            raise UnavailableError("invert= is not in this version for a left side that is a formula")
        return self.model.predicted(list(self.variables.values()), self._table(data, self.model.inputs))

    def residuals(self, data: Any) -> Any:
        """Return observed - predicted for each row, a new float64 array."""
        return self._residuals(self._table(data, self.model.columns))

    def evaluate(self, data: Any = None) -> dict[str, float]:
        """Check the predictions against rows whose answer is known: by default those held back with `holdout=`.

        Returns ``rows``, ``cost`` (the loss on these rows), ``rss``, ``mse``, ``rmse``, ``mae`` and ``r_squared``.
        """
        if data is None:
            if self.held_back is None:
                raise DataError("no rows were held back; fit with holdout=0.2, or evaluate(new_data)")
            table = self.held_back
        else:
            table = self._table(data, self.model.columns)
        residuals = self._residuals(table)
        rss = sum_of_squares(residuals)
        mse = rss / table.rows
        return {
            "rows": table.rows,
            "cost": mse if self.loss.mean else rss,
            "rss": rss,
            "mse": mse,
            "rmse": sqrt(mse),
            "mae": float(abs(residuals).sum()) / table.rows,
            "r_squared": r_squared(rss, self.model.observed(table), centred=self.model.centred()),
        }

    def _residuals(self, table: Table) -> Any:
        return self.model.observed(table) - self.model.predicted(list(self.variables.values()), table)

    def _table(self, data: Any, names: tuple[str, ...]) -> Table:
        from descend.data.open import open_source

        source = open_source(data)
        if not names:  # a model of parameters only: the rows count, no column does
            from descend.data.source import Table

            return Table((), (), source.rows)
        return source.table(names)

    def report(self) -> str:
        """Return the report: the table of parameters, then what was reached."""
        return self.summary()

    def summary(self) -> str:
        """Return the report as text."""
        return "\n".join([*self._heading(), "", *self._table_lines(), "", *self._quality(), *verdict_lines(self)])

    def _heading(self) -> list[str]:
        used = ", ".join(printable(c) for c in self.model.columns)
        return [
            f"{self.model}",
            f"{self.loss.meaning} over {self.rows:,} rows of {self.source}",
            f"columns {used}; parameters {', '.join(map(printable, self.variables))}",
        ]

    def _table_lines(self) -> list[str]:
        errors, intervals = self.standard_errors, self.intervals()
        rows = [("parameter", "value", "standard error", "95 % interval")]
        for name, value in self.variables.items():
            low, high = intervals[name]
            known = errors[name] == errors[name]  # not NaN
            error = f"{errors[name]:.6g}" if known else "not determined"
            rows.append((printable(name), f"{value:.12g}", error, f"{low:.6g} … {high:.6g}" if known else ""))
        widths = [max(len(row[k]) for row in rows) for k in range(4)]
        return ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows]

    def _quality(self) -> list[str]:
        lines = [f"residual sum of squares {self.rss:.10g}, r² {self.r_squared:.10g}"]
        if self.held_back is not None:
            test = self.evaluate()
            rows = f"{test['rows']} held-back row{'s' * (test['rows'] != 1)}"
            lines.append(f"on {rows}: root mean squared error {short(test['rmse'])}, r² {test['r_squared']:.6g}")
        return lines

    def save(self, path: str | Path) -> None:
        """Write the fitted model as JSON (no pickle); `descend.load` reads it back."""
        from descend.answer.saving import save_model

        extra = {
            "columns": list(self.model.columns),
            "covariance": None if self.covariances is None else [list(row) for row in self.covariances],
            "source": self.source,
        }
        # The whole text, however long: what is printed may be cut, what is saved may not.
        model = " = ".join(to_text(self.model.tape, side, 10**6) for side in (self.model.left, self.model.right))
        known = [*self.model.columns, *self.variables]
        try:
            read = parse_model(model, names=known, limits=Limits(characters=10**6, nodes=10**5, nesting=10**4))
            names = {*read.tape.symbols((read.left, read.right))}
        except DescendError:
            names = set()
        if names != set(known):
            raise DataError("this model cannot be saved: its formula or a name in it does not survive as text")
        save_model(self.to_dict() | extra | {"model": model}, path)

    def to_dict(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        result = super().to_dict()
        del result["variables"]
        return result | {
            "model": str(self.model),
            "loss": self.loss.name,
            "parameters": plain(self.parameters),
            "standard_errors": plain(self.standard_errors),
            "rss": plain(self.rss),
            "r_squared": plain(self.r_squared),
            "rows": self.rows,
            "held_back": None if self.held_back is None else plain(self.evaluate()),
        }


def sum_of_squares(values: Any) -> float:
    """Return Σ v² of a float64 array (NumPy adds pairwise: the error grows with log n only)."""
    return float((values * values).sum())


def r_squared(rss: float, observed: Any, *, centred: bool) -> float:
    """Return 1 - rss/Σ(y - ȳ)² (or Σy²); NaN where y does not vary."""
    total = sum_of_squares(observed - observed.mean() if centred else observed)
    return 1.0 - rss / total if total > 0 else nan
