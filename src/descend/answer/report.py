"""Words about a result: the article's two lines, then what was reached, how sure that is and what to do next."""

from __future__ import annotations

from math import floor, log10
from textwrap import fill
from typing import TYPE_CHECKING, Any

from descend.descent.status import Status
from descend.errors import printable

if TYPE_CHECKING:
    from descend.answer.result import Result

WIDTH = 100
MOST_MINIMA = 10  # that a report lists


def headline(result: Result) -> list[str]:
    """Return the two lines that the article prints (for several variables, the same two with names).

    The article prints them whatever happened, and so does `gradient_descent`; elsewhere a point that is not known to
    be a minimum is not called one.
    """
    extreme = "maximum" if result.problem.maximise else "minimum"
    if result.status is Status.COST_REACHED and result.reported == "best":
        first, second = "The cost that was asked for was reached at", "there is: "
    elif result.success or result.reported == "last":
        first, second = f"{extreme.capitalize()} occurs at", f"at the {extreme} is: "
    else:
        best = "highest" if result.problem.maximise else "lowest"
        first, second = f"No {extreme} was found; the {best} cost seen is at", "there is: "
    if len(result.variables) == 1 and not result.problem.extents:
        ((name, value),) = result.variables.items()
        (slope,) = result.gradient.values()
        return [f"{first} {printable(name)}-value: {value!r}", f"Slope {second} {slope!r}"]
    labels = result.problem.labels
    shown = [f"{printable(n)} = {v!r}" for n, v in zip(labels, _numbers(result.variables), strict=True)]
    slopes = [f"{printable(n)}: {g!r}" for n, g in zip(labels, _numbers(result.gradient), strict=True)]
    return [f"{first} {_list(shown)}", f"Gradient {second} {_list(slopes)}"]


def _list(parts: list[str], most: int = 12) -> str:
    if len(parts) > most:
        parts = [*parts[:most], f"... ({len(parts)} in all)"]
    return ", ".join(parts)


def verdict_lines(result: Result) -> list[str]:
    """Return status, sentence, work done, method, criteria, advice and notes."""
    lines = ["", f"{result.status.name}: {result.message}"]
    if result.advice:
        lines.append(fill(result.advice, WIDTH, initial_indent="  → ", subsequent_indent="    "))
    share = "" if result.penalty is None else f", {_of_it(result)} penalty {result.penalty:.10g},"
    lines.append(f"  cost {result.cost!r}{share} after {_work(result)}")
    here = _numbers(result.variables)
    for which, point in (("last", result.last), ("best", result.best)):
        there = _numbers(point.variables)
        if there != here:
            shown = _list([f"{printable(n)} = {v:.10g}" for n, v in zip(result.problem.labels, there, strict=True)])
            lines.append(f"  {which} point {shown}, cost {point.cost!r}")
            break
    lines.append(fill(f"{result.method} ({result.why_method})", WIDTH, initial_indent="  ", subsequent_indent="  "))
    lines += [f"  {criterion}" for criterion in result.criteria]
    lines += _minima_lines(result)
    lines += [fill(f"note: {note}", WIDTH, initial_indent="  ", subsequent_indent="    ") for note in result.notes]
    return lines


def _of_it(result: Result) -> str:
    return "after subtracting the" if result.problem.maximise else "of it the"


def _minima_lines(result: Result) -> list[str]:
    """Return the distinct minima of a descent from many starts."""
    if not result.minima:
        return []
    extreme = "maxima" if result.problem.maximise else "minima"
    lines = [f"  distinct {extreme} found: {len(result.minima)}"]
    for minimum in result.minima[:MOST_MINIMA]:
        values = zip(result.problem.labels, _numbers(minimum.variables), strict=True)
        shown = _list([f"{printable(n)} = {v:.10g}" for n, v in values])
        starts = f"{minimum.starts} start{'s' * (minimum.starts != 1)}"
        lines.append(f"    cost {minimum.cost:.10g} at {shown} ({minimum.status.name}, {starts})")
    if len(result.minima) > MOST_MINIMA:
        lines.append(f"    ... and {len(result.minima) - MOST_MINIMA} more, in result.minima")
    return lines


def _numbers(values: dict[str, Any]) -> list[float]:
    """Return the entries of all variables, one after the other."""
    numbers: list[float] = []
    for value in values.values():
        if isinstance(value, float):
            numbers.append(value)
        else:
            numbers += value.tolist()
    return numbers


def _work(result: Result) -> str:
    steps = f"{result.steps:,} step{'s' * (result.steps != 1)}"
    looks = f"{result.looks:,} look{'s' * (result.looks != 1)}"
    return f"{steps}, {looks} ({duration(result.seconds)}, {result.evaluator})"


def duration(seconds: float) -> str:
    """Return a length of time that a person reads at a glance."""
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} µs"
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"


def report_text(result: Result) -> str:
    """Return the report of a minimisation."""
    return "\n".join(headline(result) + verdict_lines(result))


def rounded_down(value: float) -> float:
    """Return the largest number of two significant digits that is not larger (up to rounding)."""
    if not value > 0:
        return value
    unit = 10.0 ** (floor(log10(value)) - 1)
    return floor(value / unit * (1 + 1e-6)) * unit


def short(value: float) -> str:
    """Two significant digits, as a person writes them: 4.0e-4, 0.25, 12."""
    text = f"{value:.1e}"
    mantissa, _, exponent = text.partition("e")
    power = int(exponent) if exponent else 0
    return f"{value:.2g}" if -3 < power < 5 else f"{mantissa}e{power}"
