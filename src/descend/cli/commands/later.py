"""Commands that people will try and that this version does not have yet: one clear sentence each."""

from __future__ import annotations

from typing import NoReturn

import click

from descend.errors import UnavailableError

ANYTHING = {"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []}


def _later(name: str, instead: str) -> NoReturn:
    raise UnavailableError(f"the command {name} comes in a later version of descend; until then, {instead}")


@click.command(hidden=True, context_settings=ANYTHING)
def doctor() -> None:
    """Not in this version."""
    _later("doctor", "descend --version says which version runs")


@click.command(hidden=True, context_settings=ANYTHING)
def lab() -> None:
    """Not in this version."""
    _later("lab", "descend steps COST --start 3 --learning-rate 0.1 shows each step in the shell")
