"""A command whose formulas may begin with a minus, and kind words for what people type by mistake."""

from __future__ import annotations

from collections.abc import Iterator

import click

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def examples(*lines: str) -> str:
    """Return the end of a help text: commands to copy, which click is not to wrap."""
    return "\b\n" + "\n".join(("For example:", *(f"  {line}" for line in lines)))


# Options of the contract that this version does not have yet.
LATER = {
    "--certify": "the report says how sure it is",
    "--plot": "write the points with --trace FILE.csv and plot them",
    "--checkpoint": "give a budget with --max-seconds, and go on from the last point with --start",
    "--by": "fit each group by itself",
}


class Command(click.Command):
    """A command in which only its own options are options: everything else, such as ``-x^2``, is an argument."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Tell options from arguments before click does."""
        if not ctx.resilient_parsing:  # not while a shell completes a line that is still being typed
            args = self._sorted(ctx, args)
        return super().parse_args(ctx, args)

    def _sorted(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return the options with their values, then ``--``, then the arguments."""
        params = self.get_params(ctx)
        options = {name: p for p in params if isinstance(p, click.Option) for name in (*p.opts, *p.secondary_opts)}
        chosen: list[str] = []
        operands: list[str] = []
        rest = iter(args)
        for arg in rest:
            name, equals, _ = arg.partition("=")
            if arg == "--":
                operands.extend(rest)
            elif name in options:
                chosen.append(arg)
                if not (options[name].is_flag or options[name].count or equals):
                    chosen.append(_value(name, rest, options, ctx))
            elif _like_an_option(name):
                raise _unknown(name, options, ctx)
            elif f"-{name}" in options:  # -start for --start
                raise click.NoSuchOption(name, possibilities=[f"-{name}"], ctx=ctx)
            else:
                operands.append(arg)
        most = sum(isinstance(p, click.Argument) for p in params)
        if len(operands) > most:
            raise click.UsageError(_too_many(operands, most), ctx)
        return [*chosen, "--", *operands]


def _value(name: str, rest: Iterator[str], options: dict[str, click.Option], ctx: click.Context) -> str:
    value = next(rest, None)
    if value is None or value.partition("=")[0] in options:
        raise click.BadOptionUsage(name, f"Option '{name}' needs a value after it.", ctx)
    return value


def _like_an_option(name: str) -> bool:
    """Whether this is two dashes and a word, rather than a formula that begins with two minuses."""
    word = name[2:]
    return name.startswith("--") and word[:1].isalpha() and all(c.isalnum() or c in "-_" for c in word)


def _unknown(name: str, options: dict[str, click.Option], ctx: click.Context) -> click.UsageError:
    if name in LATER:
        return click.UsageError(f"{name} comes in a later version of descend; until then, {LATER[name]}.", ctx)
    return click.NoSuchOption(name, possibilities=options, ctx=ctx)


def _too_many(operands: list[str], most: int) -> str:
    extra = " ".join(operands[most:])
    if not most:
        return f"Unexpected argument: {extra}"
    return (
        f'Unexpected: {extra}\nA formula with spaces, *, ( or | in it needs quotes in a shell: "{" ".join(operands)}"'
    )
