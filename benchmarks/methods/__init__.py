"""Methods beside their peers: `make bench-methods`; BENCH_ARGS="--only traps solve" chooses parts.

The parts: `contest` (n ≤ 200), `large` (n up to 10,000), `jax` and `named` (few variables), `disguise`, `traps`,
`solve`; and `ours` (descend alone on everything), which is run only when it is named.  `--quick` takes every tenth
problem.  Results go to build/methods.json.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

PARTS = ("ours", "contest", "large", "jax", "named", "disguise", "traps", "solve")
FILE = Path(__file__).resolve().parents[2] / "build" / "methods.json"
MOVES = 20  # random transformations of each trap


def run(*, quick: bool, only: Sequence[str] = ()) -> None:
    """Run the parts, print their tables, write the file and the picture."""
    unknown = sorted(set(only) - set(PARTS))
    if unknown:
        raise SystemExit(f"methods has no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    os.environ["DESCEND_CACHE"] = "off"  # what is compiled is compiled
    chosen = only or PARTS[1:]
    results: dict[str, Any] = json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}
    for part in PARTS:
        if part in chosen:
            results[part] = _part(part, quick=quick)
            FILE.parent.mkdir(exist_ok=True)
            FILE.write_text(json.dumps(results, indent=1), encoding="utf-8")
            print(flush=True)
    print(f"written: {FILE}")


def _part(part: str, *, quick: bool) -> Any:
    from benchmarks.methods import contest, disguise, jaxed, peers, profile, solve, traps
    from benchmarks.methods.problems import SMALL, problems

    step = 10 if quick else 1
    match part:
        case "ours":
            entries = contest.play(problems()[::step], peers.contestants()[:1])
            contest.report(entries)
        case "contest":
            entries = contest.play(problems(SMALL)[::step], peers.contestants())
            contest.report(entries)
            if not quick:
                profile.draw(entries)
        case "large":
            entries = contest.play(problems(smallest=SMALL + 1)[::step], peers.contestants())
            contest.report(entries)
        case "jax":
            entries = contest.play(problems(jaxed.MOST)[:: 2 * step], [peers.contestants()[0], *jaxed.contestants()])
            contest.report(entries)
        case "named":
            entries = contest.play(problems(jaxed.MOST)[::step], [peers.contestants()[0], *peers.by_name()])
            contest.outcomes(entries, f"methods: descend's methods by name, n ≤ {jaxed.MOST}, at most a second each")
        case "disguise":
            return _lines(disguise.run(problems(SMALL)[::step]), disguise.report)
        case "traps":
            return _lines(traps.run(1 if quick else MOVES), traps.report)
        case _:
            return solve.run(quick=quick)
    return [entry.record() for entry in entries]


def _lines(outcomes: Any, report: Any) -> list[dict[str, Any]]:
    for line in report(outcomes):
        print(f"- {line}")
    return [outcome._asdict() for outcome in outcomes]
