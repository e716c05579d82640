"""A formula as a sum of terms, and which of them share no variable: those groups can be minimised one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

from descend.expression.analyse.deadline import ENDLESS, Deadline
from descend.expression.analyse.polynomial import Monomial, expand
from descend.expression.tape import Tape, natural

MOST_TERMS = 5_000


class Term(NamedTuple):
    """`factor` times an entry."""

    factor: Fraction
    entry: int


class Group(NamedTuple):
    """The part of a formula that contains just these variables: an entry of its own."""

    names: tuple[str, ...]
    root: int


def terms(tape: Tape, root: int, most: int = MOST_TERMS) -> list[Term]:
    """Return `root` as a sum; signs, constant factors and divisors are gathered in the factors."""
    found: list[Term] = []
    todo = [Term(Fraction(1), root)]
    while todo:
        factor, index = todo.pop()
        entry = tape[index]
        if len(found) + len(todo) > most:
            return [Term(Fraction(1), root)]
        match entry.op:
            case "add":
                todo += [Term(factor, a) for a in reversed(entry.args)]
                continue
            case "neg":
                todo.append(Term(-factor, entry.args[0]))
                continue
            case "div":
                bottom = tape.value(entry.args[1])
                if bottom:
                    todo.append(Term(factor / bottom, entry.args[0]))
                    continue
            case "mul":
                head, core = tape.factor(index)
                if core != index:
                    todo.append(Term(factor * head, core))
                    continue
        found.append(Term(factor, index))
    return found


def joined(tape: Tape, parts: Iterable[Term]) -> int:
    """Return the entry of a sum of terms."""
    return tape.add([tape.mul((tape.constant(factor), entry)) for factor, entry in parts])


class _Sets:
    """Names that belong together (union-find)."""

    def __init__(self) -> None:
        self.parent: dict[str, str] = {}

    def top(self, name: str) -> str:
        self.parent.setdefault(name, name)
        while self.parent[name] != name:
            self.parent[name] = self.parent[self.parent[name]]
            name = self.parent[name]
        return name

    def join(self, names: Sequence[str]) -> None:
        tops = [self.top(name) for name in names]
        for other in tops[1:]:
            self.parent[self.top(other)] = self.top(tops[0])

    def groups(self) -> dict[str, list[str]]:
        result: dict[str, list[str]] = {}
        for name in sorted(self.parent, key=natural):
            result.setdefault(self.top(name), []).append(name)
        return result


def groups(tape: Tape, root: int, deadline: Deadline = ENDLESS) -> list[Group]:
    """Return the parts of `root` that share no variable; their sum is `root` (constants belong to the first).

    A polynomial is multiplied out first, so (x + y)² - 2xy is seen to be x² + y².  Raises `OutOfTimeError`.
    """
    parts = terms(tape, root)
    sets = _Sets()
    names_of: list[list[str]] = []
    for term in parts:
        deadline.check()
        names = list(tape.symbols((term.entry,)))
        names_of.append(names)
        if names:
            sets.join(names)
    found = sets.groups()
    if len(found) < 2:
        multiplied = _multiplied(tape, root, deadline)
        return multiplied or [Group(tuple(n for names in found.values() for n in names), root)]
    members: dict[str, list[Term]] = {top: [] for top in found}
    first = next(iter(found))
    for term, names in zip(parts, names_of, strict=True):
        members[sets.top(names[0]) if names else first].append(term)
    return [Group(tuple(found[top]), joined(tape, members[top])) for top in found]


def _multiplied(tape: Tape, root: int, deadline: Deadline) -> list[Group] | None:
    names = list(tape.symbols((root,)))
    if not 1 < len(names) <= 50:
        return None
    polynomial = expand(tape, root, names, deadline, 2_000)
    if polynomial is None:
        return None
    sets = _Sets()
    for monomial in polynomial:
        if monomial:
            sets.join([names[k] for k, _ in monomial])
    found = sets.groups()
    if len(found) < 2:
        return None
    members: dict[str, list[int]] = {top: [] for top in found}
    first = next(iter(found))
    for monomial, coefficient in polynomial.items():
        top = sets.top(names[monomial[0][0]]) if monomial else first
        members[top].append(_entry(tape, names, monomial, coefficient))
    return [Group(tuple(found[top]), tape.add(members[top])) for top in found]


def _entry(tape: Tape, names: Sequence[str], monomial: Monomial, coefficient: Fraction) -> int:
    powers = [tape.pow(tape.symbol(names[k]), tape.constant(e)) for k, e in monomial]
    return tape.mul([tape.constant(coefficient), *powers])
