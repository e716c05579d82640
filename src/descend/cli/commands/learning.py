"""fit and predict: learn a model from data, and use it."""

from __future__ import annotations

from typing import Any

import click

from descend.cli import options
from descend.cli.arguments import Command, examples
from descend.cli.commands.descent import write_trace
from descend.cli.output import csv_text, put, put_json, put_result, write_table
from descend.errors import DataError


@click.command(
    cls=Command,
    epilog=examples(
        'descend fit "y = b0 + b1*x" data.csv',
        'descend fit "y = a*exp(-b*x) + c" data.parquet --start a=1 --start b=0.1 --start c=0',
        "descend fit 'y = b0 + b1*`Sepal Length (cm)`' - --holdout 0.2 --save model.json < data.csv",
    ),
)
@click.argument("model")
@click.argument("file")
@options.loss
@options.start()
@click.option(
    "--missing",
    type=click.Choice(["error", "drop"]),
    default="error",
    show_default=True,
    help="What to do with rows that have a missing value.",
)
@click.option("--holdout", type=options.NUMBER, metavar="SHARE", help="Hold back a share of the rows to judge the fit.")
@options.seed
@options.learning_rate()
@options.method
@options.precision
@options.fix
@options.let
@options.tie
@options.bounds
@options.penalty
@options.starts
@options.max_looks
@options.max_seconds
@options.target_cost
@options.no_escape
@options.save
@options.trace
@options.as_json
@options.quiet
def fit(*, model: str, file: str, save: str | None, trace: str | None, as_json: bool, quiet: bool, **rest: Any) -> int:
    """Learn the parameters of MODEL from FILE.

    Names in MODEL that are columns of FILE are columns, the others are parameters.  FILE is CSV, Parquet or Arrow; a
    single - is CSV on standard input.
    """
    from descend.api.fit import fit as learn

    result = learn(model, file, trace=trace is not None, **rest)
    code = put_result(result, as_json=as_json, quiet=quiet)
    if save is not None:
        result.save(save)
    write_trace(result, trace)
    return code


@click.command(
    cls=Command,
    epilog=examples(
        'descend fit "y = b0 + b1*x" data.csv --save model.json',
        "descend predict model.json new.csv --out answers.csv",
    ),
)
@click.argument("model")
@click.argument("file")
@options.table_out
@options.as_json
def predict(*, model: str, file: str, out: str | None, as_json: bool) -> int:
    """Predict each row of FILE with a saved MODEL.

    Prints CSV with one column, which is called like the left side of the model.
    """
    from descend.api.fit import load
    from descend.expression.write import to_text

    fitted = load(model)
    values = _predictions(fitted, file)
    tape, left = fitted.model.tape, fitted.model.left
    name = str(tape[left].value) if tape[left].op == "symbol" else to_text(tape, left)
    if out is not None:
        write_table({name: values}, out)
    if as_json:
        put_json({"model": str(fitted.model), "column": name, "rows": len(values), "predictions": finite(values)})
    elif out is None:
        put(csv_text({name: values}).removesuffix("\n"))
    return 0


def _predictions(fitted: Any, file: str) -> list[float]:
    try:
        return list(fitted.predict(file).tolist())
    except DataError as error:
        # Dropping rows, which fit offers, would leave a prediction beside the wrong row.
        reason = error.reason.partition(" Repair them")[0]
        raise DataError(reason, error.column, error.row) from None


def finite(values: list[float]) -> list[float | None]:
    """Return the numbers that JSON can hold: None for those that are not finite."""
    return [value if value - value == 0.0 else None for value in values]
