"""Fitted models written as JSON: versioned, and no pickle."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

from descend.errors import DataError, printable

FORMAT = "descend-model"
VERSION = 1
LARGEST = 10_000_000  # bytes of a file that is read back


def save_model(content: dict[str, Any], path: str | Path) -> None:
    """Write a model to `path`, first under a temporary name, so that an interrupted write loses nothing."""
    whole = {"format": FORMAT, "version": VERSION, **content}
    text = json.dumps(whole, ensure_ascii=False, allow_nan=False, indent=1)
    try:
        target = Path(path)
    except TypeError:
        raise DataError(f"the path of a model is text, not {type(path).__name__}") from None
    try:
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=target.name, suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text + "\n")
            Path(temporary).chmod(0o666 & ~_umask())
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "this is no path"
        raise DataError(f"the model cannot be written to {printable(str(target))}: {why}") from None


def _umask() -> int:
    """Return the process's mask: a temporary file is private, the model need not be."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
