"""All questions about a formula, one after the other, each with its share of the time; what fails is "unknown"."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf, isfinite
from typing import TypeVar

from descend.errors import FormulaError
from descend.expression.analyse.below import Below, below
from descend.expression.analyse.curvature import bend
from descend.expression.analyse.deadline import Deadline, OutOfTimeError
from descend.expression.analyse.domain import Domain, domain
from descend.expression.analyse.explanation import Explanation, QuadraticFacts
from descend.expression.analyse.interval import Range
from descend.expression.analyse.kinks import kinks
from descend.expression.analyse.linear import linear_alone, linear_together
from descend.expression.analyse.polynomial import Polynomial, degree, expand, total_degree
from descend.expression.analyse.quadratic import EXACT_VARIABLES, Quadratic, Rates, quadratic_form, rates, spectrum
from descend.expression.analyse.ranges import ranges
from descend.expression.analyse.separable import separate_entries
from descend.expression.analyse.squares import squares
from descend.expression.analyse.terms import Group, groups
from descend.expression.analyse.together import roles
from descend.expression.analyse.unroll import unrolled
from descend.expression.analyse.witness import Bend
from descend.expression.stabilise import stabilise
from descend.expression.tape import Formula, Tape, natural
from descend.expression.words import combination_words, condition_words, formula_words, kink_words

MOST_UNROLLED = 200  # variables

Answer = TypeVar("Answer")


@dataclass
class _Questions:
    """Asks within the time, and remembers what was not answered."""

    deadline: Deadline
    unfinished: list[str] = field(default_factory=list)

    def ask(self, name: str, share: float, question: Callable[[Deadline], Answer], unknown: Answer) -> Answer:
        try:
            return question(self.deadline.share(share))
        except OutOfTimeError:
            self.unfinished.append(name)
        except (FormulaError, ArithmeticError):  # the formula cannot be taken apart in this way
            pass
        return unknown


@dataclass(frozen=True)
class Given:
    """A formula with what is known about its names.

    `arrays` are the values of constant arrays, `columns` names that are columns of data, `size` the number of variables
    (entries counted), `model` the left side of a model.
    """

    formula: Formula
    arrays: Mapping[str, Sequence[float]] = field(default_factory=dict)
    columns: frozenset[str] = frozenset()
    size: int = 0
    model: str | None = None
    notes: tuple[str, ...] = ()


def explanation_of(given: Given, seconds: float) -> Explanation:
    """Answer all questions about a formula within about `seconds`."""
    deadline = Deadline(seconds)
    questions = _Questions(deadline)
    ask = questions.ask
    tape, root = given.formula
    constants = given.columns | frozenset(given.arrays)
    indexed = tuple(a for a in tape.arrays((root,)) if a not in given.arrays)
    variables = tuple(sorted([*(n for n in given.formula.names if n not in constants), *indexed], key=natural))
    text = formula_words(tape, root, 400)
    short = given.formula
    if indexed or given.arrays or _has_binders(tape, root):
        written_out = None
        if given.size <= MOST_UNROLLED:
            written_out = ask("written out", 0.3, lambda d: unrolled(given.formula, given.arrays, d), None)
        short = written_out or given.formula
    work, top = short
    names = [n for n in short.names if n not in constants]
    spans = {name: Range(min(map(float, v)), max(map(float, v))) for name, v in given.arrays.items() if len(v)}

    where = ask("domain", 0.3, lambda d: domain(work, top, d, spans), None)
    own = set(work.arrays((top,))) - set(given.arrays)
    whole = [Group((*names, *sorted(own, key=natural)), top)]
    parts = whole if own else ask("separable", 0.3, lambda d: groups(work, top, d), whole)
    polynomial = _polynomial(ask, work, top, names) if not own else None
    bound = degree(tape, root, variables)
    if polynomial is not None:
        bound = total_degree(polynomial)
    nothing: tuple[str, ...] = ()
    alone = ask("linear", 0.3, lambda d: linear_alone(tape, root, variables, d), nothing)
    together = ask("linear", 0.3, lambda d: linear_together(tape, root, alone, d), nothing)
    facts = None
    if polynomial is not None and bound == 2:
        facts = ask("quadratic", 0.5, lambda _: _quadratic(polynomial, names), None)
    bent, low = Bend(), Below()
    kinked = found_roles = found_squares = None
    shown, shown_at = given.formula  # conditions and kinks of x[i] are said once, not of x[0], x[1], ...
    there = where if short is given.formula else ask("domain", 0.3, lambda d: domain(shown, shown_at, d, spans), None)
    if where is not None:
        known: Domain = where
        bent = ask("convex", 0.6, lambda d: bend(work, top, parts, known, constants, d), bent)
        if not given.columns:
            low = ask("bounded below", 0.5, lambda d: below(work, top, parts, known, d), low)
        open_ends = not bent.known or (bent.convex and not isfinite(bent.most))
        if open_ends or (low.bounded is None and not given.columns):  # once more, in forms that keep their digits
            bent, low = ask(
                "stable form", 0.5, lambda d: _again(work, top, known, constants, bent, low, d), (bent, low)
            )
        if there is not None:
            bounds = there.bounds
            kinked = ask("kinks", 0.5, lambda d: kinks(shown, shown_at, bounds, constants, d), None)
        found_squares = ask("sum of squares", 0.5, lambda d: squares(work, top, known.bounds, constants, d), None)
        if not own and (given.columns or not given.model):
            found_roles = ask("dead variables", 0.8, lambda d: roles(work, top, names, known, d), None)
    low = _solved(low, facts, names)
    reached = where.bounds.get(top) if where is not None and not where.empty else None
    span = _range(reached, low)
    return Explanation(
        formula=text,
        variables=variables,
        size=given.size,
        model=given.model,
        degree=bound,
        linear_in=alone,
        linear_together=together,
        quadratic=facts,
        residuals=found_squares.count if found_squares else None,
        sum_of_squares=found_squares is not None,
        convex=bent.convex,
        concave=bent.concave,
        bounded_below=low.bounded,
        range=span,
        domain=None if there is None else tuple(dict.fromkeys(condition_words(shown, c) for c in there.conditions)),
        domain_empty=where is not None and where.empty,
        kinks=None if kinked is None else tuple(dict.fromkeys(kink_words(shown, k) for k in kinked)),
        groups=None if own else tuple(tuple(sorted(p.names, key=natural)) for p in parts if p.names),
        separable_entries=separate_entries(tape, root, indexed),
        dead=None if found_roles is None else found_roles.dead,
        together=None if found_roles is None else tuple(combination_words(t) for t in found_roles.together),
        rates=_rates(facts, bent, where),
        bend=bent,
        below=low,
        unfinished=tuple(dict.fromkeys(questions.unfinished)),
        notes=(*given.notes, *_too_many(given.size, not own and len(names) <= MOST_UNROLLED)),
        seconds=seconds - deadline.left,
    )


def _again(
    tape: Tape, root: int, where: Domain, constants: frozenset[str], bent: Bend, low: Below, deadline: Deadline
) -> tuple[Bend, Below]:
    """Ask again about an equal formula, with log(1 + exp(x)) as softplus and the like; keep what was known."""
    other = stabilise(tape, root)
    if other == root or tape.arrays((root,)):
        return bent, low
    bounds = ranges(tape, (other,), where.boxes, deadline)
    there = replace(where, bounds=bounds)
    parts = groups(tape, other, deadline)
    found = bend(tape, other, parts, there, constants, deadline.share(0.6))
    if not bent.known or not isfinite(bent.most):
        convex, concave = (
            b if a is None else a for a, b in ((bent.convex, found.convex), (bent.concave, found.concave))
        )
        down, up = bent.not_convex or found.not_convex, bent.not_concave or found.not_concave
        least, most = max(bent.least, found.least), min(bent.most, found.most)
        bent = Bend(convex, concave, bent.why or found.why, down, up, least, most)
    if low.bounded is None and not constants:
        low = below(tape, other, parts, there, deadline)
    return bent, low


def _too_many(size: int, looked: bool) -> tuple[str, ...]:
    """Say what was not looked at because there are too many variables, or terms."""
    if looked:
        return ()
    why = (
        f"{size} variables are too many (at most {MOST_UNROLLED})"
        if size > MOST_UNROLLED
        else "there are too many terms"
    )
    return (f"curvatures, learning rates and the minimum in closed form are unknown: {why}",)


def _has_binders(tape: Tape, root: int) -> bool:
    return any(tape[i].op in {"sum", "prod", "access"} for i in tape.reachable((root,)))


def _polynomial(
    ask: Callable[..., Polynomial | None], tape: Tape, root: int, names: Sequence[str]
) -> Polynomial | None:
    if degree(tape, root, names) is None or len(names) > MOST_UNROLLED:
        return None
    return ask("polynomial", 0.4, lambda d: expand(tape, root, names, d), None)


def _quadratic(polynomial: Polynomial | None, names: Sequence[str]) -> QuadraticFacts | None:
    form = quadratic_form(polynomial, len(names)) if polynomial is not None else None
    if form is None or polynomial is None:
        return None
    constant = polynomial.get((), Fraction(0))
    if len(names) <= EXACT_VARIABLES:
        return _exact(form, constant, names)
    ends = spectrum(form.matrix)
    if ends is None:
        return None
    noise = 1e-14 * len(names) * max(abs(ends.smallest), abs(ends.largest))
    if ends.smallest < -noise:
        return QuadraticFacts("hill" if ends.largest < -noise else "saddle", *ends, None, None, None)
    if ends.smallest <= noise:
        return None
    import numpy as np

    vector = np.array([float(b) for b in form.vector])
    found = np.linalg.solve(np.array([[float(a) for a in row] for row in form.matrix]), -vector)
    least = float(constant) + float(vector @ found) / 2
    at = dict(zip(names, map(float, found), strict=True))
    return QuadraticFacts("bowl", *ends, ends.largest / ends.smallest, at, least)


def _exact(form: Quadratic, constant: Fraction, names: Sequence[str]) -> QuadraticFacts | None:
    ends = spectrum(form.matrix)
    if ends is None:
        return None
    if not form.semidefinite():
        minus = Quadratic(tuple(tuple(-v for v in row) for row in form.matrix), form.vector)
        return QuadraticFacts("hill" if minus.semidefinite() else "saddle", *ends, None, None, None)
    solved = form.stationary()
    level = Quadratic(form.matrix, (Fraction(0),) * len(names)).stationary()
    across = spectrum(form.matrix, len(level[1]) if level else 0)
    if solved is None or across is None:
        return QuadraticFacts("falls", 0.0, ends.largest, None, None, None)
    solution, basis = solved
    try:
        least = float(constant + sum((b * x for b, x in zip(form.vector, solution, strict=True)), Fraction(0)) / 2)
        at = {n: float(x) for n, x in zip(names, solution, strict=True)}
    except OverflowError:
        return None
    condition = across.largest / across.smallest if across.smallest > 0 else inf
    return QuadraticFacts("valley" if basis else "bowl", *across, condition, at, least)


def _solved(low: Below, facts: QuadraticFacts | None, names: Sequence[str]) -> Below:
    if facts is None or facts.shape not in {"bowl", "valley"} or facts.value is None or facts.minimum is None:
        return low
    at = ({n: facts.minimum[n] for n in names},) if facts.shape == "bowl" else ()
    return replace(low, bounded=True, bound=facts.value, attained=True, at=at, minimum=True)


def _range(reached: Range | None, low: Below) -> tuple[float, float] | None:
    if reached is None:
        return None
    least = max(reached.low, low.bound) if low.bound is not None and low.bounded else reached.low
    return (least + 0.0, reached.high + 0.0)


def _rates(facts: QuadraticFacts | None, bent: Bend, where: Domain | None) -> Rates | None:
    if facts is not None:
        return rates(facts.smallest, facts.largest) if facts.shape in {"bowl", "valley"} else None
    if where is None or not where.everywhere or not isfinite(bent.most):
        return None
    return rates(max(0.0, bent.least), bent.most)
