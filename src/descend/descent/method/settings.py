"""Settings of methods, checked."""

from __future__ import annotations

from collections.abc import Iterable
from operator import index
from typing import Any

from descend.errors import MethodError, printable


def one_of(value: Any, names: Iterable[str], name: str) -> None:
    """Raise `MethodError` where the setting is not one of `names`."""
    if value not in names:
        raise MethodError(f"{name} is one of {', '.join(names)}, not {printable(repr(value), 40)}")


def whole_number(value: Any, name: str, least: int = 1) -> int:
    """Return the setting as an int.  Raises `MethodError` for what is no whole number of at least `least`."""
    try:
        number = least - 1 if isinstance(value, bool) else index(value)
    except TypeError:
        number = least - 1
    if number < least:
        raise MethodError(f"{name} must be a whole number of at least {least}, not {printable(repr(value), 40)}")
    return number
