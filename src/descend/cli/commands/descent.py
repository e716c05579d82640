"""minimize, maximize and gradient-descent."""

from __future__ import annotations

from typing import Any

import click

from descend.cli import options
from descend.cli.arguments import Command, examples
from descend.cli.output import complain, put_result, write_table

SETTINGS = (
    options.cost,
    options.start(),
    options.learning_rate(),
    options.method,
    options.precision,
    options.fix,
    options.let,
    options.tie,
    options.bounds,
    options.penalty,
    options.starts,
    options.seed,
    options.max_looks,
    options.max_seconds,
    options.target_cost,
    options.no_escape,
    options.trace,
    options.as_json,
    options.quiet,
)


def settings(command: Any) -> Any:
    """Take the arguments and options that minimize and maximize share."""
    for setting in reversed(SETTINGS):
        command = setting(command)
    return command


@click.command(
    cls=Command,
    epilog=examples(
        'descend minimize "x^2" --start 3 --learning-rate 0.1',
        'descend minimize "100*(y - x^2)^2 + (1 - x)^2" --start x=-1.2 --start y=1',
        'descend minimize "-x^2 + n*x" --let n=4 --maximize',
        'descend minimize "x^4 - 3x^2 + x" --starts 20 --bounds x=-3:3',
    ),
)
@settings
@click.option("--maximize", "--maximise", "maximise", is_flag=True, help="Go uphill instead.")
def minimize(*, maximise: bool, **given: Any) -> int:
    """Find the minimum of COST, a formula."""
    return _extremise(maximise=maximise, **given)


@click.command(cls=Command, hidden=True)
@settings
def maximize(**given: Any) -> int:
    """Find the maximum of COST, a formula: the same as `descend minimize COST --maximize`."""
    return _extremise(maximise=True, **given)


def _extremise(
    *, maximise: bool, cost: str, start: Any, trace: str | None, as_json: bool, quiet: bool, **settings: Any
) -> int:
    from descend.api.minimize import maximize, minimize

    verb = maximize if maximise else minimize
    result = verb(cost, start, trace=trace is not None, **settings)
    code = put_result(result, as_json=as_json, quiet=quiet)
    write_trace(result, trace)
    return code


def write_trace(result: Any, path: str | None) -> None:
    """Write the trace of a result to a file, if one is asked for."""
    if path is None:
        return
    write_table(result.trace.columns, path)
    if result.trace.stride > 1:
        complain(f"note: the trace was long, so only every {result.trace.stride}th look is in it, and the last")


@click.command(
    cls=Command,
    epilog=examples(
        'descend gradient-descent "x^2" --start 3 --learning-rate 0.1',
        'descend gradient-descent "x^2" --start 3 --learning-rate 0.1 --precision 1e-4',
    ),
)
@options.cost
@options.start(required=True)
@options.learning_rate(required=True)
@click.option("--precision", type=options.NUMBER, help="Stop as soon as a step is shorter than this.")
@click.option("--max-iterations", type=options.COUNT, default=100, show_default=True, help="How many steps are taken.")
@options.as_json
@options.quiet
def gradient_descent(
    *, cost: str, start: Any, learning_rate: float | str, as_json: bool, quiet: bool, **rest: Any
) -> int:
    """Walk the textbook loop on COST.

    Each step is new = old - learning rate * slope, and exactly as many are taken as --max-iterations says, unless
    --precision ends them earlier.  The last point is printed, and where it really lies.
    """
    from descend.api.article import gradient_descent as walk

    return put_result(walk(cost, start, learning_rate, **rest), as_json=as_json, quiet=quiet)
