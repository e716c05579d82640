"""The first part: every contestant on every problem, judged; tables of outcomes and of work."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from math import exp, log
from typing import Any, NamedTuple

from benchmarks.measure import show
from benchmarks.methods.judge import Judge, Ruling
from benchmarks.methods.peers import Answer, Contestant
from benchmarks.methods.problems import SMALL, Problem

US = "descend"


class Entry(NamedTuple):
    """One run, judged."""

    problem: str
    n: int
    contestant: str
    answer: Answer
    ruling: Ruling

    @property
    def solved(self) -> bool:
        """Right, and said so."""
        return self.ruling.right and self.answer.success

    @property
    def false(self) -> bool:
        """Wrong, and called a success."""
        return self.answer.success and not self.ruling.right

    def record(self) -> dict[str, Any]:
        """Return what goes into the file."""
        a, r = self.answer, self.ruling
        x = [] if a.x is None or self.n > 20 else [float(v) for v in a.x]
        return {
            "problem": self.problem, "n": self.n, "contestant": self.contestant, "success": a.success,
            "status": a.status, "right": r.right, "why": r.why, "value": r.value, "above": r.above,
            "slope": r.slope, "looks": a.looks, "hessians": a.hessians, "products": a.products,
            "seconds": a.seconds, "x": x,
        }  # fmt: skip


def play(problems: Sequence[Problem], contestants: Sequence[Contestant]) -> list[Entry]:
    """Run all, problem by problem; what descend does not solve is said on standard error at once."""
    entries = []
    for problem in problems:
        judge = Judge(problem)
        for contestant in contestants:
            if problem.n > contestant.most:
                continue
            answer = contestant.run(problem)
            ruling = Ruling(False, "no point") if answer.x is None else judge.ruling(answer.x)
            entries.append(Entry(problem.label, problem.n, contestant.name, answer, ruling))
            for line in failures(entries[-1:]):
                print(f"- {line}", file=sys.stderr, flush=True)
    return entries


def mean(values: Iterable[float]) -> float:
    """Return the geometric mean (of nothing: not a number); zeros count as one."""
    logs = [log(max(v, 1e-9)) for v in values]
    return exp(sum(logs) / len(logs)) if logs else float("nan")


def outcomes(entries: Sequence[Entry], title: str) -> None:
    """Print how often each was right and said so."""
    rows = []
    for name in dict.fromkeys(e.contestant for e in entries):
        mine = [e for e in entries if e.contestant == name]
        right = sum(e.solved for e in mine)
        solved = [e for e in mine if e.solved]
        rows.append(
            (
                name,
                len(mine),
                right,
                f"{100 * right / len(mine):.1f}",
                sum(e.ruling.right and not e.answer.success for e in mine),
                sum(e.false for e in mine),
                sum(not e.ruling.right and not e.answer.success for e in mine),
                f"{mean(e.answer.looks for e in solved):.1f}",
                f"{1e3 * mean(e.answer.seconds for e in solved):.1f}",
            )
        )
    head = ("", "problems", "right, success", "%", "right, none", "FALSE SUCCESS", "wrong, none", "looks", "ms")
    show(title, head, rows, ("looks, ms: geometric means over what the method itself solved; ms includes compiling",))


def duels(entries: Sequence[Entry], title: str) -> None:
    """Print descend beside each peer, over the problems that both solve."""
    ours = {e.problem: e for e in entries if e.contestant == US}
    rows = []
    for name in dict.fromkeys(e.contestant for e in entries):
        pairs = [(ours[e.problem], e) for e in entries if e.contestant == name and e.problem in ours]
        both = [(a.answer, b.answer) for a, b in pairs if a.solved and b.solved]
        if name == US or not both:
            continue
        ahead = sum(a.looks < b.looks for a, b in both)
        ties = sum(a.looks == b.looks for a, b in both)
        rows.append(
            (
                name,
                len(both),
                f"{mean(a.looks for a, _ in both):.1f}",
                f"{mean(b.looks for _, b in both):.1f}",
                f"{mean(a.looks / max(b.looks, 1) for a, b in both):.2f}",
                f"{mean(a.seconds / b.seconds for a, b in both):.2f}",
                _mean_count([a.hessians for a, _ in both]),
                _mean_count([b.hessians for _, b in both]),
                _mean_count([a.products for a, _ in both]),
                _mean_count([b.products for _, b in both]),
                f"{ahead}/{ties}/{len(both) - ahead - ties}",
                f"{100 * ahead / len(both):.0f}",
                f"{100 * (ahead + ties) / len(both):.0f}",
            )
        )
    head = (
        "descend beside", "both solve", "our looks", "theirs", "ratio", "time ratio", "our Hessians", "theirs",
        "our products", "theirs", "won/tied/lost", "ahead %", "not behind %",
    )  # fmt: skip
    show(title, head, rows, ("geometric means; Hessians and products: arithmetic means a problem",))


def _mean_count(counts: Sequence[int]) -> str:
    return f"{sum(counts) / len(counts):.1f}"


def failures(entries: Sequence[Entry]) -> list[str]:
    """Return a line for each problem that descend did not solve."""
    return [
        f"{'FALSE SUCCESS ' if e.false else ''}{e.problem}: {e.answer.status};"
        f" judged {'right' if e.ruling.right else 'wrong'} ({e.ruling.why});"
        f" f={e.ruling.value:.12g}, f-f*={e.ruling.above:.3g}, slope={e.ruling.slope:.3g};"
        f" {e.answer.looks} looks, {e.answer.hessians} Hessians, {e.answer.products} products,"
        f" {e.answer.seconds:.2f} s"
        for e in entries
        if e.contestant == US and not e.solved
    ]


def report(entries: Sequence[Entry]) -> None:
    """Print the tables of the first part."""
    small, large = [e for e in entries if e.n <= SMALL], [e for e in entries if e.n > SMALL]
    if small:
        outcomes(small, f"methods: outcomes, n ≤ {SMALL}")
        print()
        duels(small, f"methods: work, n ≤ {SMALL}")
    if large:
        print()
        outcomes(large, f"methods: outcomes, {SMALL} < n ≤ 10,000")
        print()
        duels(large, f"methods: work, {SMALL} < n ≤ 10,000")
    lines = failures(entries)
    print(f"\nNot solved by descend: {len(lines)}")
    for line in lines:
        print(f"- {line}")
