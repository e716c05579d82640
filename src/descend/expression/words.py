"""Words about a formula: what `explain` says, in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction
from math import inf, isfinite
from typing import TYPE_CHECKING

from descend.errors import printable
from descend.expression.tape import Tape
from descend.expression.write import to_text

if TYPE_CHECKING:
    from descend.expression.analyse.conditions import Condition
    from descend.expression.analyse.explanation import Explanation
    from descend.expression.analyse.kinks import Kink
    from descend.expression.analyse.together import Together
    from descend.expression.analyse.witness import Witness

ENTRY = re.compile(r"`([^`\[\]]+\[-?\d+\])`")  # `x[3]` of a sum written out
MOST_KINKS = 4  # that are said one by one
RELATIONS = {">": ">", "<": "<", ">=": "≥", "<=": "≤", "!=": "≠"}


def number(value: float) -> str:
    """Write a number for reading: six digits."""
    text = f"{value + 0.0:.6g}"
    return "∞" if value == inf else "-∞" if value == -inf else text


def number_below(value: float, digits: int = 6) -> str:
    """Write a number, rounded down: what is said of "below" and "never below" stays true."""
    if value == 0 or not isfinite(value):
        return number(value)
    exact = Decimal(repr(value + 0.0))
    rounded = exact.quantize(Decimal(1).scaleb(exact.adjusted() - digits + 1), rounding=ROUND_FLOOR)
    return f"{float(rounded):.{max(digits, 6)}g}"


def number_above(value: float, digits: int = 6) -> str:
    """Write a number, rounded up."""
    text = number_below(-value, digits)
    return number(value) if value == 0 else text[1:] if text.startswith("-") else f"-{text}"


def fraction(value: Fraction) -> str:
    """Write an exact number: as an integer or decimal where that is short, else as a quotient."""
    if value.denominator == 1:
        return number(float(value)) if abs(value) > 10**9 else str(value)
    decimal = f"{float(value):.6g}"
    short = Fraction(decimal) == value
    return decimal if short else f"{value}" if len(str(value)) < 12 else f"about {decimal}"


def formula_words(tape: Tape, root: int, limit: int = 60) -> str:
    """Write an entry; entries of written-out arrays without their backticks."""
    return ENTRY.sub(r"\1", to_text(tape, root, limit))


def condition_words(tape: Tape, condition: Condition) -> str:
    """Say a condition: "x > 0, because of log(x)"."""
    left = printable(condition.variable) if condition.variable else formula_words(tape, condition.entry)
    because = f", because of {formula_words(tape, condition.because)}"
    match condition.relation:
        case "value":
            return f"{left} has a value{because}"
        case "whole":
            return f"{left} is a whole number{because}"
    about = "about " if condition.approximate else ""
    bound = number(float(condition.bound)) if condition.approximate else fraction(condition.bound)
    partly = " (elsewhere for some exponents only)" if condition.partly else ""
    return f"{left} {RELATIONS[condition.relation]} {about}{bound}{partly}{because}"


def kink_words(tape: Tape, kink: Kink) -> str:
    """Say a kink: "abs(x - 0.3) has a kink at x = 0.3"."""
    bent = "no derivative" if kink.steep else "a kink"
    what = f"has {bent}" if kink.sure else f"may have {bent}"
    if kink.jump:
        what = "may jump or bend" if tape[kink.entry].op == "where" else "jumps" if kink.sure else "may jump"
    if kink.variable is not None and kink.value is not None:
        about = "about " if kink.approximate else ""
        value = number(float(kink.value)) if kink.approximate else fraction(kink.value)
        place = f"at {about}{printable(kink.variable)} = {value}"
    elif kink.whole:
        place = f"where {formula_words(tape, kink.zero)} is a whole number"
    elif kink.beside is not None:
        place = f"where {formula_words(tape, kink.zero)} = 0 and {formula_words(tape, kink.beside)} = 0"
    else:
        place = f"where {formula_words(tape, kink.zero)} = 0"
    return f"{formula_words(tape, kink.entry)} {what} {place}"


def combination_words(found: Together) -> str:
    """Say the one combination in which names occur: "a*b"."""
    names = [printable(n) for n in found.names]
    match found.kind:
        case "sum":
            text = ""
            for name, weight in zip(names, found.weights, strict=True):
                size = "" if abs(weight) == 1 else f"{abs(weight)}*"
                sign = ("-" if weight < 0 else "") if not text else " - " if weight < 0 else " + "
                text += f"{sign}{size}{name}"
            return text
        case "product":
            top = [_power(n, w) for n, w in zip(names, found.weights, strict=True) if w > 0]
            bottom = [_power(n, -w) for n, w in zip(names, found.weights, strict=True) if w < 0]
            below = bottom[0] if len(bottom) == 1 else f"({'*'.join(bottom)})"
            return "*".join(top) + (f"/{below}" if bottom else "")
    weight = found.weights[0]  # name₀·exp(name₁/weight)
    inverse = 1 / abs(weight)
    sign = "-" if weight < 0 else ""
    if inverse.numerator == 1:
        inside = names[1] if inverse == 1 else f"{names[1]}/{inverse.denominator}"
    else:
        inside = f"{inverse}*{names[1]}"
    return f"{names[0]}*exp({sign}{inside})"


def _power(name: str, weight: Fraction) -> str:
    return name if weight == 1 else f"{name}^{weight}"


def listed(items: Iterable[str], most: int = 6) -> str:
    """Write "a, b and c"."""
    found = list(items)
    if len(found) > most:
        return f"{', '.join(found[: most - 1])}, ... ({len(found)} in all)"
    return " and ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


def point_words(point: Mapping[str, float], most: int = 6) -> str:
    """Write "x = 1, y = 2"."""
    shown = [f"{printable(name)} = {number(x)}" for name, x in list(point.items())[:most]]
    return ", ".join(shown) + (", ..." if len(point) > most else "")


# ------------------------------------------------------------------------------------------------------- the sentences


def sentences(e: Explanation) -> str:
    """Return all that is known, a sentence a line, beginning with the formula."""
    if not e.variables:
        return f"{e.formula}\n  A constant: it contains no variable."
    lines = [
        _kind(e), *_domain(e), *_shape(e), *_lowest(e), *_descent(e), *_structure(e),
        *(f"Note: {note}." for note in e.notes),
    ]  # fmt: skip
    if e.unfinished:
        lines.append(f"Not finished in time, so unknown: {', '.join(e.unfinished)}.")
    head = f"{e.model} = {e.formula}" if e.model else e.formula
    return "\n".join([head, *(f"  {line}" for line in lines)])


def _variables(e: Explanation) -> str:
    return f"{listed(map(printable, e.variables))}" + (f" ({e.size} numbers)" if e.size > len(e.variables) else "")


def _kind(e: Explanation) -> str:
    names = _variables(e)
    match e.degree:
        case 0:
            text = f"Constant: {names} cancel{'s' if len(e.variables) == 1 else ''}"
        case 1:
            text = f"Linear in {names}"
        case 2:
            text = f"Quadratic in {names}"
        case None:
            text = f"A formula in {names}"
        case degree:
            text = f"A polynomial of degree {degree} in {names}"
    if e.sum_of_squares:
        count = "" if e.residuals is None else f" of {e.residuals} residual{'s' if e.residuals != 1 else ''}"
        text += f", a sum of squares{count}" if e.residuals != 1 else ", the square of one residual"
    return text + (", defined for all real numbers." if e.domain == () and not e.domain_empty else ".")


def _domain(e: Explanation) -> list[str]:
    if e.domain_empty:
        because = f" ({e.domain[0]})" if e.domain else ""
        return [f"It has no real value anywhere{because}."]
    if not e.domain:
        return []
    return [f"Defined where {listed(e.domain, 4)}."]


def _witness(found: Witness | None, kind: str) -> str:
    if found is None:
        return ""
    if found.chord is not None:
        a, b = point_words(found.point), point_words(found.chord)
        side = "above" if kind == "not convex" else "below"
        return f": halfway between {a} and {b} it lies {side} the chord"
    along = "" if len(found.point) == 1 else f" along ({point_words(found.direction)})"
    place = "everywhere" if found.everywhere else f"at {point_words(found.point)}"
    amount = number(found.curvature)
    return (
        f": {place} the curvature{along} is {amount if found.tight else f'less than {number_above(found.curvature)}'}"
    )


def _shape(e: Explanation) -> list[str]:
    if e.domain_empty or e.model or e.degree in {0, 1}:
        return []
    if e.dead and set(e.dead) >= set(e.variables):
        return ["Constant." if e.domain == () else "Constant wherever it is defined."]
    if e.convex and e.concave:
        return ["A straight line in every direction."]
    if e.convex:
        return ["Convex." if e.bounded_below is False else "Convex: a minimum that is found is the minimum."]
    if e.concave:
        return ["Concave: bent downwards everywhere."]
    if e.convex is False:
        both = "Neither convex nor concave" if e.concave is False else "Not convex"
        return [f"{both}{_witness(e.bend.not_convex, 'not convex')}."]
    return ["Convex? Unknown."]


def _lowest(e: Explanation) -> list[str]:
    low = e.below
    if e.domain_empty or e.model:
        return []
    if low.bounded is None:
        return ["Bounded below? Unknown."]
    if not low.bounded:
        if low.towards and " from " in low.towards:
            return [f"It falls without end as {low.towards}{_others(low.base, low.direction)}."]
        if not low.direction:
            return ["It falls without end."]
        way = ", ".join(f"{printable(n)} → {'∞' if d > 0 else '-∞'}" for n, d in low.direction.items())
        steep = len({abs(d) for d in low.direction.values()}) > 1 or len(low.direction) > 1
        ray = f", along the direction ({point_words(low.direction)})" if steep else ""
        return [f"It falls without end as {way}{_others(low.base, low.direction)}{ray}."]
    bound = None if low.bound is None else number(low.bound)
    under = None if low.bound is None else number_below(low.bound)
    if e.degree == 0 and low.bound is not None:
        return [f"Its value is {bound} everywhere."]
    if low.attained:
        if e.quadratic is not None and e.quadratic.shape == "valley":
            some = f", {point_words(e.quadratic.minimum)} among them" if e.quadratic.minimum else ""
            return [f"Lowest value {bound}, on a whole line or plane of points{some}."]
        places = " and at ".join(point_words(p) for p in low.at[:3])
        more = ", among others" if len(low.at) > 3 else ""
        return [f"Lowest value {bound}{f', at {places}' if places else ''}{more}."]
    if low.attained is False:
        least = bound if bound == under and bound is not None and float(bound) == low.bound else f"about {bound}"
        return [f"Never as low as {least}, but as near to it as you like ({low.towards}): the infimum is not attained."]
    known = f"never below {under}" if under is not None else "bounded below"
    return [f"{known[0].upper()}{known[1:]}{', and it has a lowest value' if low.minimum else ''}."]


def _others(base: Mapping[str, float], direction: Mapping[str, float]) -> str:
    rest = {n: x for n, x in base.items() if n not in direction}
    return f" with {point_words(rest)}" if rest and len(rest) <= 4 else ""


def _descent(e: Explanation) -> list[str]:
    if e.rates is None or e.model:
        return []
    lines = []
    q = e.quadratic
    least, most = (q.smallest, q.largest) if q is not None else (max(0.0, e.bend.least), e.bend.most)
    if q is not None:
        across = " across the valley" if q.shape == "valley" else ""
        condition = "" if q.condition is None or q.smallest == q.largest else f" (condition {number(q.condition)})"
        one = q.smallest == q.largest
        text = f"Curvature {number(least)}" if one else f"Curvature from {number(least)} to {number(most)}{condition}"
        lines.append(f"{text}{across}.")
    else:
        above = number_above(most)
        lines.append(
            f"Curvature between {number_below(least)} and {above}." if least > 0 else f"Curvature at most {above}."
        )
    best, below = _rates(e.rates.best, e.rates.safe_below)
    safe = f"Gradient descent: any learning rate below {below} is safe"
    steps = e.rates.steps_per_digit
    if steps == 0:
        return [*lines, f"{safe}; {number(e.rates.best)} arrives in one step."]
    if isfinite(steps):
        sure = "" if q is not None else " at most"
        return [*lines, f"{safe}, the best is {best}:{sure} {_count(steps)} for each decimal digit."]
    return [*lines, f"{safe}."]


def _rates(best: float, safe: float) -> tuple[str, str]:
    """Write the best rate and the bound of the safe ones with as many digits as tell them apart."""
    for digits in range(6, 18):
        below, text = number_below(safe, digits), f"{best:.{digits}g}"
        if float(text) < float(below):
            return text, below
    return "just below that", number_below(safe)


def _count(steps: float) -> str:
    return f"{steps:.2g} steps" if steps < 100 else f"{float(f'{steps:.2g}'):,.0f} steps"


def _structure(e: Explanation) -> list[str]:
    lines: list[str] = []
    partly = [n for n in e.linear_together if n not in (e.dead or ())]
    if partly and e.degree != 1 and (e.model or len(partly) < len(e.variables)):
        every = "all names" if e.model and len(partly) == len(e.variables) else listed(map(printable, partly))
        lines.append(f"Linear in {every}{' together' if len(partly) > 1 else ''}.")
    if e.groups is not None and len(e.groups) > 1 and e.degree != 1 and not e.model:
        lines.append(_groups(e.groups))
    elif e.separable_entries and e.size > 1:
        entries = " and ".join(f"{a}[i]" for a in e.separable_entries)
        lines.append(f"Separable: each {entries} can be minimised by itself.")
    if e.dead:
        lines.append(
            f"{listed(map(printable, e.dead))} cancel{'s' if len(e.dead) == 1 else ''}: no effect on the value."
        )
    if e.degree != 1:
        lines += [f"Only {text} matters: its parts are not determined one by one." for text in e.together or ()]
    kinks = e.kinks or ()
    lines += [f"{'Perhaps not' if ' may ' in kink else 'Not'} smooth: {kink}." for kink in kinks[:MOST_KINKS]]
    if len(kinks) > MOST_KINKS:
        lines.append(f"Not smooth: {len(kinks) - MOST_KINKS} more such places.")
    return lines


def _groups(groups: Sequence[Sequence[str]]) -> str:
    if all(len(g) == 1 for g in groups):
        return f"Separable: {listed(printable(g[0]) for g in groups)} can each be minimised alone."
    shown = ["{" + ", ".join(map(printable, g)) + "}" for g in groups]
    return f"Separable into independent parts: {listed(shown)}."
