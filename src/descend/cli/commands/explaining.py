"""explain: what can be known about a cost before descending."""

from __future__ import annotations

from typing import Any

import click

from descend.cli import options
from descend.cli.arguments import Command, examples
from descend.cli.output import put, put_json


@click.command(
    cls=Command,
    epilog=examples(
        'descend explain "x^4 - 3x^2"',
        'descend explain "sum((x[i+1] - x[i])^2, i, 0, n-2)" --let n=10',
        'descend explain "y = a*exp(-b*x) + c" --column x',
    ),
)
@options.cost
@options.let
@click.option("--column", "columns", multiple=True, metavar="NAME", help="In a model: a name that is a column of data.")
@click.option("--max-seconds", type=options.NUMBER, help="How long to think; otherwise 0.4 seconds.")
@options.as_json
def explain(*, cost: str, as_json: bool, max_seconds: float | None, **rest: Any) -> int:
    """Say what can be known about COST, a formula or a model: domain, shape, lowest value, what descent can expect."""
    from descend.api.explain import SECONDS
    from descend.api.explain import explain as look

    found = look(cost, max_seconds=SECONDS if max_seconds is None else max_seconds, **rest)
    if as_json:
        put_json(found.to_dict())
    else:
        from descend.cli.words import in_shell

        put(in_shell(str(found)))
    return 0
