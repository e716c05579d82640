"""The command line: `descend` in a shell, or ``python -m descend``."""

from __future__ import annotations

import sys

__all__ = ["main"]


def main() -> int:
    """Run the command line on `sys.argv` and return the exit code.

    0: a success status.  1: a result without success.  2: bad usage or bad input.  70: a bug in descend (a sentence
    says so; DESCEND_DEBUG=1 shows the traceback).  130: interrupted.
    """
    try:
        from descend.cli.program import run

        return run(sys.argv[1:])
    except KeyboardInterrupt:  # while the program itself was still being read
        sys.stderr.write("\ndescend: interrupted before there was a result\n")
        return 130
