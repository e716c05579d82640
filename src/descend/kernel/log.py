"""What the kernel decided, for those who ask: ``DESCEND_LOG=debug`` (or info, warning) writes it to standard error.

The logger is Python's own, "descend".  It is not even imported where nobody can listen.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from descend.errors import MethodError, printable

if TYPE_CHECKING:
    from logging import StreamHandler

LEVELS = {"debug": 10, "info": 20, "warning": 30}  # as `logging` has them


def log(level: str, message: str, *args: object) -> None:
    """Write one line to the logger "descend".  Raises `MethodError` where DESCEND_LOG has an unknown value."""
    wanted = os.environ.get("DESCEND_LOG", "").strip().lower()
    if wanted:
        if wanted not in LEVELS:
            raise MethodError(f"DESCEND_LOG is {printable(wanted, 40)!r}; it may be debug, info or warning")
        _listen(LEVELS[wanted])
    elif "logging" not in sys.modules:
        return
    import logging

    logging.getLogger("descend").log(LEVELS[level], message, *args)


def _listen(level: int) -> None:
    """Write to standard error, unless the program that uses us has handlers of its own."""
    import logging

    logger, handler = logging.getLogger("descend"), _standard_error()
    logger.setLevel(level)
    if handler in logger.handlers:
        handler.setStream(sys.stderr)  # it may have been replaced
    elif not logger.hasHandlers():
        logger.addHandler(handler)


@cache
def _standard_error() -> StreamHandler[Any]:
    import logging

    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("descend: %(message)s"))
    return handler
