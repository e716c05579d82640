"""The options that commands share, and how their values are read: numbers as people write them, name=number, rates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from descend.cli.output import check_target
from descend.errors import FormulaError, printable

if TYPE_CHECKING:
    ParamType = click.ParamType[Any, Any]
else:
    ParamType = click.ParamType  # takes no type arguments before click 8.5

Wrap = TypeVar("Wrap", bound=Callable[..., Any])


def read_number(text: str) -> float:
    """Read a number: a decimal such as 3, -1e3, or a constant formula such as 1/3 or pi/4.  Raises `FormulaError`."""
    value = None
    if text.strip("0123456789.+-eE") == "" and text.strip("+-eE"):
        try:
            value = float(text)
        except ValueError:
            value = None
    if value is None:
        value = _constant(text)
    if value is None:
        raise FormulaError(f"{printable(text)!r} is not a number")
    if not value - value == 0.0:
        raise FormulaError(f"{printable(text)} is not a finite number")
    return value


def _constant(text: str) -> float | None:
    """Evaluate a formula without names; None where it has some."""
    from descend.expression.parse import parse
    from descend.kernel.interpret import Interpreter
    from descend.kernel.program import lower

    formula = parse(text)
    if formula.names:
        return None
    (value,) = Interpreter(lower(formula.tape, [formula.root], ()))([])
    return float(value)


def read_name(text: str) -> str:
    """Read a name as formulas do: λ is lambda, x₁ is x1, `any text` stands for a column.  Raises `FormulaError`."""
    from descend.expression.limits import STANDARD
    from descend.expression.tokens import tokenise

    tokens = tokenise(text, STANDARD)
    if len(tokens) != 2 or tokens[0].kind not in {"name", "column"}:
        raise FormulaError(f"{printable(text)!r} is not a name")
    return tokens[0].text


class Value(ParamType):
    """A value that a function reads; what the function does not understand is bad usage."""

    def __init__(self, name: str, read: Callable[[str], Any]) -> None:
        self.name = name
        self._read = read

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read the value; a default is a value already."""
        if not isinstance(value, str):
            return value
        try:
            return self._read(value)
        except FormulaError as error:
            self.fail(str(error), param, ctx)


def _assignment(text: str, example: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise FormulaError(f"{printable(text)!r} is not of the form NAME=VALUE, such as {example}")
    return read_name(name), value


def _named_number(text: str) -> tuple[str, float]:
    name, value = _assignment(text, "n=1000")
    return name, read_number(value)


def _bounds(text: str) -> tuple[str, tuple[float | None, float | None]]:
    """Read NAME=LOWER:UPPER; an end that is left away is not there."""
    name, equals, ends = text.partition("=")
    low, colon, high = ends.partition(":")
    if not equals or not colon or ":" in high or not (low.strip() or high.strip()):
        raise FormulaError(f"{printable(text)!r} is not of the form NAME=LOWER:UPPER, such as x=0:5, x=0: or x=:5")
    return read_name(name), (read_number(low) if low.strip() else None, read_number(high) if high.strip() else None)


def _start(text: str) -> tuple[str | None, float]:
    return _named_number(text) if "=" in text else (None, read_number(text))


def _rate(text: str) -> float | str:
    """Read a learning rate: a number where it is constant, else the text of a formula of k."""
    try:
        return read_number(text)
    except FormulaError:
        from descend.expression.parse import parse

        if parse(text).names == ("k",):
            return text
        raise


def _count(text: str) -> int:
    value = read_number(text)
    if value != int(value):
        raise FormulaError(f"{printable(text)} is not a whole number")
    return int(value)


NUMBER = Value("number", read_number)
COUNT = Value("count", _count)


def _mapping(ctx: click.Context, param: click.Parameter, pairs: tuple[tuple[str, Any], ...]) -> dict[str, Any] | None:
    """Make repeated NAME=VALUE a mapping; the same name twice is bad usage."""
    result: dict[str, Any] = {}
    for name, value in pairs:
        if name in result:
            raise click.BadParameter(f"{printable(name)} is given twice", ctx, param)
        result[name] = value
    return result or None


def _starts(ctx: click.Context, param: click.Parameter, pairs: tuple[tuple[str | None, float], ...]) -> Any:
    """Make the starts one number, or a mapping."""
    if len(pairs) == 1 and pairs[0][0] is None:
        return pairs[0][1]
    for name, _ in pairs:
        if name is None:
            raise click.BadParameter("several starts each need their name: --start x=1 --start y=2", ctx, param)
    return _mapping(ctx, param, pairs)  # type: ignore[arg-type]


def _target(*endings: str) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Check, before any work is done, that a file can be written there."""

    def check(ctx: click.Context, param: click.Parameter, path: str | None) -> str | None:
        trouble = None if path is None else check_target(path, endings)
        if trouble is not None:
            raise click.BadParameter(trouble, ctx, param)
        return path

    return check


def cost(command: Wrap) -> Wrap:
    """Take the formula of the cost."""
    return click.argument("cost")(command)


def start(*, required: bool = False) -> Callable[[Wrap], Wrap]:
    """Take starts."""
    return click.option(
        "--start",
        type=Value("start", _start),
        multiple=True,
        required=required,
        metavar="[NAME=]NUMBER",
        callback=_starts,
        help="Where to start; for several variables, repeat it with their names.",
    )


def learning_rate(*, required: bool = False) -> Callable[[Wrap], Wrap]:
    """Take a learning rate."""
    return click.option(
        "--learning-rate",
        type=Value("rate", _rate),
        required=required,
        metavar="RATE",
        help="The factor on the slope: a number, or a formula of the step number k such as 0.1/(1+k/10).",
    )


def named_numbers(option: str, keyword: str, text: str) -> Callable[[Wrap], Wrap]:
    """Take NAME=NUMBER, repeatedly."""
    kind = Value("assignment", _named_number)
    return click.option(option, keyword, type=kind, multiple=True, metavar="NAME=NUMBER", callback=_mapping, help=text)


fix = named_numbers("--fix", "fixed", "Hold a variable at a number.")
let = named_numbers("--let", "constants", "Give a constant of the formula its value.")
tie = click.option(
    "--tie",
    "tied",
    type=Value("assignment", lambda text: _assignment(text, '"y=2*x"')),
    multiple=True,
    metavar="NAME=FORMULA",
    callback=_mapping,
    help="Make a variable a formula of the others.",
)
method = click.option("--method", default="auto", metavar="NAME", help="See `descend methods`; otherwise chosen.")
precision = click.option(
    "--precision", type=NUMBER, help="How near to the minimum, in the variables' units; otherwise as far as doubles go."
)
max_looks = click.option(
    "--max-looks", type=COUNT, default=100_000, show_default=True, help="Budget: evaluations of cost and slope."
)
max_seconds = click.option("--max-seconds", type=NUMBER, help="Budget: seconds.")
bounds = click.option(
    "--bounds",
    type=Value("bounds", _bounds),
    multiple=True,
    metavar="NAME=LOWER:UPPER",
    callback=_mapping,
    help="Keep a variable between two ends, of which one may be left away: x=0:5, x=0:, x=:5.",
)
penalty = click.option(
    "--penalty",
    metavar="FORMULA",
    help="Add to the cost: l2(0.5), l1(0.1), elastic-net(0.1, 0.5), group(1: a b; c d), or a formula.",
)
starts = click.option(
    "--starts", type=COUNT, default=1, show_default=True, help="Descend from so many starts and list the minima."
)
seed = click.option("--seed", type=COUNT, default=0, show_default=True, help="Of everything that is random.")
target_cost = click.option("--target-cost", type=NUMBER, help="Stop as soon as the cost is as good as this.")
no_escape = click.option(
    "--no-escape", "escape", is_flag=True, flag_value=False, default=True, help="End at a saddle, do not go on."
)
trace = click.option(
    "--trace",
    metavar="FILE",
    callback=_target(".csv", ".parquet"),
    help="Write every point looked at to FILE.csv or FILE.parquet.",
)
table_out = click.option(
    "--out", metavar="FILE", callback=_target(".csv", ".parquet"), help="Write to FILE.csv or FILE.parquet instead."
)
save = click.option("--save", metavar="FILE", callback=_target(), help="Keep the fitted model in FILE, for predict.")
loss = click.option("--loss", default="rss", show_default=True, metavar="NAME", help="See `descend losses`.")
as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
quiet = click.option("--quiet", is_flag=True, help="Print only the numbers found, one name a line.")
