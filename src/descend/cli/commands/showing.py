"""steps and derive: see how learning goes, and what it goes by."""

from __future__ import annotations

from typing import Any

import click

from descend.cli import options
from descend.cli.arguments import Command, examples
from descend.cli.output import complain, put, put_json
from descend.errors import FormulaError, printable


@click.command(
    cls=Command,
    epilog=examples(
        'descend steps "x^2" --start 3 --learning-rate 0.1 --count 3',
        'descend steps "y = b0 + b1*x" --data data.csv --learning-rate 1e-6',
    ),
)
@options.cost
@options.start()
@options.learning_rate(required=True)
@click.option("--count", type=options.COUNT, default=10, show_default=True, help="How many steps to show.")
@click.option("--data", metavar="FILE", help="Learn from data: then COST is a model such as y = b0 + b1*x.")
@options.loss
@options.let
@options.fix
@click.option("--maximize", "--maximise", "maximise", is_flag=True, help="Go uphill instead.")
@options.as_json
def steps(*, cost: str, count: int, as_json: bool, **rest: Any) -> int:
    """Show each step: predict, calculate the error, learn."""
    from descend.answer.result import plain
    from descend.api.reading import positive_count
    from descend.api.steps import steps as walk

    positive_count(count, "--count", 1)
    shown: list[dict[str, Any]] = []
    trouble = ""
    for step in walk(cost, **rest):
        if as_json:
            shown.append(
                {
                    "step": step.number,
                    "predict": plain(step.predict),
                    "error": plain(step.error),
                    "slope": plain(step.slope),
                    "learning_rate": plain(step.learning_rate),
                    "learn": plain(step.learn),
                }
            )
        elif not put(str(step)):
            break
        if not all(value - value == 0.0 for value in step.learn.values()):
            trouble = f"step {step.number} leads to a point that is not finite, so there is no next step"
        if trouble or step.number >= count:
            break
    if as_json:
        put_json({"steps": shown})
    if trouble:
        complain(trouble)
    return 1 if trouble else 0


@click.command(
    cls=Command, epilog=examples('descend derive "x^2*sin(y)"', 'descend derive "x^2*sin(y)" --hessian --latex')
)
@options.cost
@options.let
@click.option("--latex", is_flag=True, help="Write LaTeX.")
@click.option("--hessian", is_flag=True, help="Show the second derivatives too.")
@options.as_json
def derive(*, cost: str, constants: Any, latex: bool, hessian: bool, as_json: bool) -> int:
    """Show the exact derivatives of COST, a formula."""
    from descend.api.derivative import ArrayDerivative, derivative, second_derivatives

    def write(slope: Any) -> str:
        if latex:
            return str(slope.latex())
        return str(slope.text()) if as_json else str(slope)  # what a program gets, it can read back

    slopes = derivative(cost, constants=constants)
    if not slopes:
        raise FormulaError("the formula contains no variable, so there is nothing to derive")
    first = {name: write(slope) for name, slope in slopes.items()}
    second = {
        pair: write(slope) for pair, slope in (second_derivatives(cost, constants=constants) if hessian else {}).items()
    }
    if as_json:
        rows = {a: {b: second[a, b] for b in first} for a in first} if hessian else None
        put_json({"gradient": first, "hessian": rows})
        return 0
    names = {name: _letter(name) if latex else printable(name) for name in first}
    lines = [
        text if isinstance(slopes[name], ArrayDerivative) else _first(names[name], text, latex=latex)
        for name, text in first.items()
    ]
    order = list(first)
    lines += [
        _second(names[a], names[b], text, latex=latex)
        for (a, b), text in second.items()
        if order.index(a) <= order.index(b)  # the other half is the same
    ]
    put("\n".join(lines))
    return 0


def _letter(name: str) -> str:
    from descend.expression.tape import Tape
    from descend.expression.write import to_latex

    tape = Tape()
    return to_latex(tape, tape.symbol(name))


def _first(name: str, text: str, *, latex: bool) -> str:
    return rf"\frac{{\partial f}}{{\partial {name}}} = {text}" if latex else f"slope in {name} = {text}"


def _second(a: str, b: str, text: str, *, latex: bool) -> str:
    if not latex:
        return f"curvature in {a}, {b} = {text}"
    below = rf"\partial {a}^2" if a == b else rf"\partial {a}\,\partial {b}"
    return rf"\frac{{\partial^2 f}}{{{below}}} = {text}"
