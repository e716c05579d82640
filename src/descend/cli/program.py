"""The program `descend`: its commands, and what becomes of everything that can go wrong in one."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

import click

import descend
from descend.cli.arguments import CONTEXT, examples
from descend.cli.output import StandardOutputError, complain, let_go, settle, spell_out
from descend.errors import DescendError

FORMULA = "^*/+()"  # of these, one at least is in any formula worth minimising
BAD_INPUT, BUG, INTERRUPTED = 2, 70, 130

# Name → module and attribute.  A command's module is read when the command is asked for (or its help is).
COMMANDS = {
    "minimize": "descend.cli.commands.descent:minimize",
    "gradient-descent": "descend.cli.commands.descent:gradient_descent",
    "fit": "descend.cli.commands.learning:fit",
    "predict": "descend.cli.commands.learning:predict",
    "steps": "descend.cli.commands.showing:steps",
    "derive": "descend.cli.commands.showing:derive",
    "explain": "descend.cli.commands.explaining:explain",
    "methods": "descend.cli.commands.listing:methods",
    "losses": "descend.cli.commands.listing:losses",
    "functions": "descend.cli.commands.listing:functions",
    "cache": "descend.cli.commands.caching:cache",
}
# The same under names that people try; help does not list them.
HIDDEN = {
    "minimise": COMMANDS["minimize"],
    "maximize": "descend.cli.commands.descent:maximize",
    "maximise": "descend.cli.commands.descent:maximize",
    "gradient_descent": COMMANDS["gradient-descent"],
    "doctor": "descend.cli.commands.later:doctor",
    "lab": "descend.cli.commands.later:lab",
}


class Program(click.Group):
    """The group of all commands; reads a command's module only when that command is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names that help lists."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Return the command of that name."""
        home = COMMANDS.get(cmd_name) or HIDDEN.get(cmd_name)
        if home is None:
            return None
        from importlib import import_module

        module, _, attribute = home.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Refuse a formula that stands alone and begins with a minus, before it is taken for options."""
        if args and args[0][:1] == "-" and any(c in FORMULA for c in args[0]):
            ctx.fail(_verb(args[0]))
        return super().parse_args(ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or say what was probably meant."""
        if args and self.get_command(ctx, args[0]) is None:
            if any(c in FORMULA for c in args[0]):
                ctx.fail(_verb(args[0]))
            ctx.fail(f"No such command {args[0]!r}.{_likely(args[0])}")
        return super().resolve_command(ctx, args)

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> Any:  # type: ignore[override]
        """Run, say what went wrong in words, and exit with the code that the outcome has."""
        extra["standalone_mode"] = False
        sys.exit(guarded(lambda: super(Program, self).main(args, prog_name or "descend", **extra)))


def _verb(formula: str) -> str:
    return f'A formula needs a verb before it: descend minimize "{formula}"'


def _likely(name: str) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, [*COMMANDS, *HIDDEN], n=1)
    return f" Did you mean {close[0]!r}?" if close else f" There are {', '.join(COMMANDS)}."


def guarded(work: Callable[[], Any]) -> int:
    """Do `work` and return the exit code; no exception of any kind leaves here with a traceback."""
    try:
        code = work()
        settle()
    except (KeyboardInterrupt, click.Abort):
        complain("interrupted before there was a result")
        return INTERRUPTED
    except click.UsageError as error:
        complain(error.format_message(), _where_help_is(error))
        return BAD_INPUT
    except StandardOutputError as error:
        complain(str(error))
        let_go()
        return BAD_INPUT
    except DescendError as error:
        complain(_said(error))
        return BAD_INPUT
    except MemoryError:
        complain("this needs more memory than there is")
        return BAD_INPUT
    except OSError as error:
        name = f"{error.filename}: " if isinstance(error.filename, str) else ""
        complain(f"{name}{error.strerror or error}")
        return BAD_INPUT
    except Exception as error:  # noqa: BLE001 - the last line of defence: a bug is said to be one
        _own_up(error)
        return BUG
    return code if isinstance(code, int) else 0


def _said(error: DescendError) -> str:
    from descend.cli.words import in_shell

    reason, newline, place = str(error).partition("\n")  # the rest is the user's own text, with a caret under it
    return in_shell(reason) + newline + place


def _where_help_is(error: click.UsageError) -> str:
    path = error.ctx.command_path if error.ctx is not None else "descend"
    return f"Help: {path} --help"


def _own_up(error: Exception) -> None:
    if os.environ.get("DESCEND_DEBUG", "0") not in {"", "0"}:
        import traceback

        complain("".join(traceback.format_exception(error)))
    complain(
        f"this is a bug in descend {descend.__version__}, not in your input ({type(error).__name__}); "
        "please report it with the command you typed. DESCEND_DEBUG=1 shows the traceback"
    )


EPILOG = f"""\
{examples('descend minimize "x^2" --start 3 --learning-rate 0.1', 'descend fit "y = b0 + b1*x" data.csv')}

\b
Exit codes:
  0    success: what was asked for was reached
  1    a result without success; its status says why
  2    bad usage or bad input
  70   a bug in descend (DESCEND_DEBUG=1 shows the traceback)
  130  interrupted; the best point so far is printed
"""


@click.group("descend", cls=Program, invoke_without_command=True, context_settings=CONTEXT, epilog=EPILOG)
@click.version_option(descend.__version__, prog_name="descend", message="%(prog)s %(version)s")
@click.pass_context
def program(ctx: click.Context) -> None:
    """Gradient descent on formulas: exact slopes, and the truth about where it arrived."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def run(args: list[str]) -> int:
    """Run the program as a process does: words even on terminals that lack our letters, warnings as sentences."""
    import warnings

    spell_out()
    warnings.showwarning = lambda message, *_, **__: complain(f"warning: {message}")
    try:
        program.main(args)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else BAD_INPUT
    raise AssertionError("main ends in SystemExit")
