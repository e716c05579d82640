"""methods, losses, functions: what there is to choose from."""

from __future__ import annotations

from typing import Any

import click

from descend.cli import options
from descend.cli.arguments import Command
from descend.cli.output import put, put_json


def _show(listing: Any, title: str, *, as_json: bool) -> int:
    if as_json:
        put_json({title: list(listing)})
    else:
        put(str(listing))
    return 0


@click.command(cls=Command)
@options.as_json
def methods(*, as_json: bool) -> int:
    """List the methods that --method takes."""
    from descend.api.registries import methods as listing

    return _show(listing(), "methods", as_json=as_json)


@click.command(cls=Command)
@options.as_json
def losses(*, as_json: bool) -> int:
    """List the losses that --loss takes."""
    from descend.api.registries import losses as listing

    return _show(listing(), "losses", as_json=as_json)


@click.command(cls=Command)
@options.as_json
def functions(*, as_json: bool) -> int:
    """List the functions that formulas may use."""
    from descend.api.registries import functions as listing

    return _show(listing(), "functions", as_json=as_json)
