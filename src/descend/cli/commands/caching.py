"""cache: where machine code is kept from one process to the next."""

from __future__ import annotations

from typing import Any

import click

from descend.cli import options
from descend.cli.arguments import Command, examples
from descend.cli.output import put, put_json
from descend.errors import DataError

EPILOG = f"""\
{examples("descend cache", "descend cache --clear", "DESCEND_CACHE=off descend minimize ...")}

\b
Where it is:
  DESCEND_CACHE    a folder by its full path, or off: nothing is kept
  else             $XDG_CACHE_HOME/descend/objects, or ~/.cache/descend/objects
                   (macOS: ~/Library/Caches/..., Windows: %LOCALAPPDATA%\\...)
"""


@click.command(cls=Command, epilog=EPILOG)
@click.option("--clear", is_flag=True, help="Remove everything that is kept, and nothing else.")
@options.as_json
def cache(*, clear: bool, as_json: bool) -> int:
    """Say where compiled formulas are kept, how many and how large; or remove them.

    A formula that was compiled before on this machine is loaded, which takes a millisecond.  It holds no data and no
    names.  What was not used for longest is removed when the bound is passed.  A folder that others may write, or that
    is a link, is neither used nor cleared.
    """
    from descend.kernel import cache as objects

    where = objects.folder()
    if clear and where.foreign:
        raise DataError(f"nothing was cleared: {where.reason}")
    found = objects.clear() if clear else objects.usage()
    facts: dict[str, Any] = {"folder": None if where.path is None else str(where.path), "reason": where.reason or None}
    facts |= {"removed" if clear else "objects": found.objects, "bytes": found.bytes, "bound": objects.BOUND}
    if as_json:
        put_json(facts)
    elif where.path is None:
        put(f"Nothing is {'used from that folder' if where.foreign else 'kept'}: {where.reason}.")
    elif clear:
        put(f"Removed {_objects(found)} from {where.path}")
    else:
        put(f"{where.path}\n{_objects(found)}, at most {_size(objects.BOUND)}")
    return 0


def _objects(found: Any) -> str:
    return f"{found.objects:,} object{'s' if found.objects != 1 else ''} ({_size(found.bytes)})"


def _size(count: int) -> str:
    """Return a number of bytes, in words, to three digits at most."""
    size = float(count)
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"
