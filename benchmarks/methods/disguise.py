"""The second part: the same problems with other names, shifted and scaled; `auto` must have the same success.

The disguises are made on the text: x[i] becomes w[i], or (x[i] - s) with the start shifted by s (each variable's size
at the start, or 1), and the cost is multiplied by 1e12 or 1e-12.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

from benchmarks.measure import show
from benchmarks.methods.judge import Judge, Ruling
from benchmarks.methods.peers import ours
from benchmarks.methods.problems import Problem


class Outcome(NamedTuple):
    """One disguised run, judged in the disguise."""

    problem: str
    disguise: str
    success: bool
    right: bool
    status: str
    looks: int
    plain: bool  # whether the plain problem was solved


def renamed(problem: Problem) -> Problem:
    """Return the problem with other names (the order of the vector stays)."""
    if problem.names is None:
        return replace(problem, text=re.sub(r"\bx\[", "w[", problem.text), array="w")
    names = {name: f"q{len(problem.names) - k}" for k, name in enumerate(problem.names)}
    text = re.sub(r"\b[A-Za-z_]\w*\b", lambda m: names.get(m[0], m[0]), problem.text)
    return replace(problem, text=text, names=tuple(names.values()))


def shifted(problem: Problem) -> Problem:
    """Return the problem with every variable moved by the size of its start, an odd multiple of 2⁻¹⁰ of it."""
    largest = max(map(abs, problem.start)) or 1.0
    if problem.names is None:
        shift = _dyadic(largest)
        text = re.sub(r"\bx\[((?:[^\[\]])*)\]", lambda m: f"(x[{m[1]}] - {shift!r})", problem.text)
        return replace(problem, text=text, start=tuple(v + shift for v in problem.start))
    shifts = {name: _dyadic(abs(v) or 1.0) for name, v in zip(problem.names, problem.start, strict=True)}
    text = re.sub(
        r"\b[A-Za-z_]\w*\b", lambda m: f"({m[0]} - {shifts[m[0]]!r})" if m[0] in shifts else m[0], problem.text
    )
    start = tuple(v + s for v, s in zip(problem.start, shifts.values(), strict=True))
    return replace(problem, text=text, start=start)


def _dyadic(size: float) -> float:
    return round(1.37 * size * 1024) / 1024 or 2.0**-10


def scaled(factor: str) -> Callable[[Problem], Problem]:
    """Return a disguise that multiplies the cost by a power of ten."""

    def disguise(problem: Problem) -> Problem:
        return replace(problem, text=f"{factor}*({problem.text})", scale=float(factor))

    return disguise


DISGUISES: dict[str, Callable[[Problem], Problem]] = {
    "renamed": renamed,
    "shifted": shifted,
    "cost × 1e12": scaled("1e12"),
    "cost × 1e-12": scaled("1e-12"),
}


def run(problems: Sequence[Problem]) -> list[Outcome]:
    """Run `auto` on every disguise of every problem."""
    found = []
    for problem in problems:
        judge = Judge(problem)
        answer = ours(problem)
        plain = answer.success and judge.ruling(answer.x).right
        for name, make in DISGUISES.items():
            disguised = make(problem)
            answer = ours(disguised)
            ruling = Ruling(False, "no point") if answer.x is None else Judge(disguised).ruling(answer.x)
            found.append(Outcome(problem.label, name, answer.success, ruling.right, answer.status, answer.looks, plain))
    return found


def report(outcomes: Sequence[Outcome]) -> list[str]:
    """Print the table; return a line for each disguise that changed the success."""
    rows = []
    for name in DISGUISES:
        mine = [o for o in outcomes if o.disguise == name]
        solved = [o.success and o.right for o in mine]
        rows.append(
            (
                name,
                len(mine),
                sum(o.plain for o in mine),
                sum(solved),
                sum(o.plain and not s for o, s in zip(mine, solved, strict=True)),
                sum(s and not o.plain for o, s in zip(mine, solved, strict=True)),
                sum(o.success and not o.right for o in mine),
            )
        )
    head = ("disguise", "problems", "solved plain", "solved disguised", "lost", "gained", "FALSE SUCCESS")
    show("methods: the same problems in disguise, auto", head, rows)
    return [
        f"{o.disguise}: {o.problem}: {o.status}, judged {'right' if o.right else 'wrong'}, {o.looks} looks;"
        f" plain {'solved' if o.plain else 'not solved'}"
        for o in outcomes
        if (o.success and o.right) != o.plain or (o.success and not o.right)
    ]
