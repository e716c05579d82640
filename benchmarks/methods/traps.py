"""The third part: the traps of `tests/oracles/traps.py`, each as written and under random shifts, rotations, scalings.

A success whose point is no minimum of the transformed trap is false; there must be none.  How many of the traps that
have a minimum end in a success is shown as well: a verdict that never says yes is never wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import descend
from benchmarks.measure import show
from benchmarks.methods.peers import TooLong, patience
from tests.oracles.traps import TRAPS, starts, variant, variants

PATIENCE = 10.0  # s a run
LOOKS = 3000  # a run: many traps have no end


class Outcome(NamedTuple):
    """One run on a trap."""

    trap: str
    text: str
    start: str
    moved: bool
    minimum: bool  # whether the trap has one
    success: bool
    status: str
    objection: str | None


def run(count: int) -> list[Outcome]:
    """Run every trap as written and under `count` transformations."""
    found = []
    for trap in TRAPS:
        plain = {variant(trap, start).text for start in starts(trap)}
        for case in variants(trap, count):
            success, status, why = False, "", None
            try:
                with patience(PATIENCE):
                    result = descend.minimize(case.text, dict(case.start), max_looks=LOOKS)
                success, status = result.success, result.status.name
                why = case.objection(result.variables) if success else None
            except TooLong:
                status = "TOO LONG"
            except descend.DescendError as error:
                status = type(error).__name__
            except Exception as error:  # noqa: BLE001 - a traceback is an outcome here, and a bad one
                status = f"crash: {type(error).__name__}: {error}"[:120]
            has_minimum = trap.away is not None
            found.append(
                Outcome(
                    trap.text, case.text, str(case.start), case.text not in plain, has_minimum, success, status, why
                )
            )
    return found


def report(outcomes: Sequence[Outcome]) -> list[str]:
    """Print the table; return a line for each false success and crash."""
    rows = []
    for moved in (False, True):
        mine = [o for o in outcomes if o.moved is moved]
        if mine:
            rows.append(
                (
                    "shifted, rotated, scaled" if moved else "as written",
                    len({o.trap for o in mine}),
                    len(mine),
                    sum(o.success for o in mine),
                    sum(o.objection is not None for o in mine),
                    f"{sum(o.success for o in mine if o.minimum)}/{sum(o.minimum for o in mine)}",
                    sum(o.status.startswith("crash") for o in mine),
                )
            )
    head = ("traps", "traps", "runs", "successes", "FALSE SUCCESS", "success where there is a minimum", "crashes")
    show(f"methods: traps, auto, at most {LOOKS} looks", head, rows)
    return [
        f"{o.status}: {o.text} from {o.start}" + (f": {o.objection}" if o.objection else "")
        for o in outcomes
        if o.objection or o.status.startswith("crash") or o.status == "TOO LONG"
    ]
