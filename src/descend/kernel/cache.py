"""Object code on disk, so that the next process need not compile a formula again.

LLVM ends the process over a damaged object, so each file begins with a SHA-256 over its key and all that follows, which
is checked first.  A file is written under another name and then renamed: it is whole or not there, for any number of
processes.  It is native code, so it is taken from a folder, and is a file, that belongs to this user and that nobody
else may write.

Whatever goes wrong here means that a formula is compiled, never an error; the log says why.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from descend.errors import printable
from descend.kernel.log import log

BOUND = 256 * 2**20  # bytes of all objects together, roughly: it is looked after now and then
KEPT = BOUND * 3 // 4  # bytes that are left then
LARGEST = 64 * 2**20  # bytes of one file
LARGE = 2**20  # bytes of a file after which the bound is looked after in any case
ROOM = 4096  # bytes that the size of a file is rounded up to, as file systems do
TOUCHED = 86_400.0  # s after which a file that is used is marked as used
ABANDONED = 3_600.0  # s after which an unfinished file is not going to be finished

MAGIC = b"descend object 1\n"
HEAD = len(MAGIC) + hashlib.sha256().digest_size
OURS = re.compile(r"[0-9a-f]{64}\.object|\.[0-9a-f]{64}\.[0-9a-f]{16}\.part")
READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class Cached(NamedTuple):
    """An object, and the functions of the process that it calls."""

    symbols: tuple[str, ...]
    code: bytes


class Folder(NamedTuple):
    """Where objects are kept; or None, and why there is none."""

    path: Path | None
    reason: str = ""
    foreign: bool = False  # somebody else may have written what is there


class Usage(NamedTuple):
    """How many objects there are, and their bytes."""

    objects: int
    bytes: int


class _File(NamedTuple):
    used: float  # s since the epoch
    bytes: int
    path: Path

    @property
    def room(self) -> int:
        return -(-self.bytes // ROOM) * ROOM

    @property
    def unfinished(self) -> bool:
        return self.path.suffix == ".part"

    def remove(self) -> bool:
        """Whether this removed it: another process may have been faster."""
        with suppress(OSError):
            self.path.unlink()
            return True
        return False


def folder() -> Folder:
    """Return where objects are kept: as ``DESCEND_CACHE`` says (a folder, or `off`), else among the user's caches."""
    wish = os.environ.get("DESCEND_CACHE", "").strip()
    if wish.lower() == "off":
        return Folder(None, "DESCEND_CACHE is off")
    if wish and not Path(wish).is_absolute():
        return Folder(None, f"DESCEND_CACHE is {printable(wish)!r}: neither off nor a folder by its full path")
    if wish:
        return _checked(Path(wish))
    caches = _caches()
    if caches is None:
        return Folder(None, "there is no home directory")
    try:
        if _foreign(caches.stat(), writable=0):  # as with sudo: what root makes there, its owner could not use
            return Folder(None, f"{printable(str(caches))} belongs to another user")
    except OSError:
        pass  # not there yet, or not to be read: the one is mended, the other said, when an object is saved
    return _checked(caches / "descend" / "objects")


def _caches() -> Path | None:
    """Return the folder for the user's caches."""
    home = os.environ.get("HOME", "")
    if sys.platform == "win32":
        places = [os.environ.get("LOCALAPPDATA", "")]
    else:
        usual = "Library/Caches" if sys.platform == "darwin" else ".cache"
        places = [os.environ.get("XDG_CACHE_HOME", ""), home and f"{home}/{usual}"]
    return next((Path(place) for place in places if Path(place).is_absolute()), None)


def _checked(path: Path) -> Folder:
    """Return the folder, or why it must not be used.  It need not be there yet."""
    try:
        about = path.lstat()
    except FileNotFoundError:
        return Folder(path)
    except OSError as error:
        return Folder(None, f"{printable(str(path))}: {error.strerror}")
    if not stat.S_ISDIR(about.st_mode):
        return Folder(None, f"{printable(str(path))} is a link, or no folder", foreign=True)
    if _foreign(about):
        return Folder(None, _danger(path, about), foreign=True)
    return Folder(path)


def _foreign(about: os.stat_result, writable: int = 0o022) -> bool:
    """Whether somebody else owns, or by these bits may write, a file or folder."""
    return os.name == "posix" and (about.st_uid != os.geteuid() or bool(about.st_mode & writable))


def _danger(path: Path, about: os.stat_result) -> str:
    """Return why a foreign file or folder is not used."""
    mode = 700 if stat.S_ISDIR(about.st_mode) else 600
    others = "belongs to another user" if _foreign(about, writable=0) else f"may be written by others: chmod {mode} it"
    return f"{printable(str(path))} holds code that runs, and {others}"


@cache
def _say(reason: str, *, warn: bool = False) -> None:
    """Write a line into the log, once."""
    log("warning" if warn else "debug", "no cached machine code: %s", reason)


def _usable() -> Path | None:
    """Return the folder, if there is one to use."""
    where = folder()
    if where.reason:
        _say(where.reason, warn=where.foreign)
    return where.path


# ----------------------------------------------------------------------------------------------------- one object


def key_of(parts: Iterable[str]) -> str:
    """Return the key of all that decides which object is made."""
    digest = hashlib.sha256()
    for part in parts:
        text = part.encode()
        digest.update(b"%d:" % len(text) + text)
    return digest.hexdigest()


def load(key: str) -> Cached | None:
    """Return the object of a key; None where there is none, or none that is whole."""
    place = _usable()
    if place is None:
        return None
    path = place / f"{key}.object"
    try:
        with os.fdopen(os.open(path, READ), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
                return None
            if _foreign(about):
                _say(_danger(path, about), warn=True)
                return None
            found = _unpack(key, file.read())
    except FileNotFoundError:
        return None
    except OSError as error:
        link = path.is_symlink()
        _say(f"{printable(str(path))}{' is a link' if link else f': {error.strerror}'}", warn=link)
        return None
    if found is None:
        _say(f"{printable(str(path))} is damaged")
    elif not -TOUCHED < time.time() - about.st_mtime < TOUCHED:
        with suppress(OSError):
            os.utime(path)
    return found


def save(key: str, cached: Cached) -> None:
    """Keep an object, where that is possible."""
    place, data = _usable(), _pack(key, cached)
    if place is None or len(data) > LARGEST:
        return
    unfinished = place / f".{key}.{os.urandom(8).hex()}.part"
    try:
        place.mkdir(0o700, parents=True, exist_ok=True)
        if _usable() != place:
            return
        try:
            with os.fdopen(os.open(unfinished, WRITE, 0o600), "wb") as file:
                file.write(data)
            unfinished.replace(place / f"{key}.object")
        finally:
            with suppress(OSError):
                unfinished.unlink()
    except OSError as error:
        _say(f"{printable(str(place))}: {error.strerror}")
        return
    if len(data) > LARGE or key.startswith("00"):  # one key in 256
        prune(place)


def _pack(key: str, cached: Cached) -> bytes:
    body = " ".join(cached.symbols).encode() + b"\n" + cached.code
    return MAGIC + _checksum(key, body) + body


def _unpack(key: str, data: bytes) -> Cached | None:
    """Return what is in a file; None unless it is this key's, to the last bit."""
    body = data[HEAD:]
    if data[:HEAD] != MAGIC + _checksum(key, body):
        return None
    symbols, _, code = body.partition(b"\n")
    return Cached(tuple(symbols.decode().split()), code)


def _checksum(key: str, body: bytes) -> bytes:
    return hashlib.sha256(key.encode() + body).digest()


# ---------------------------------------------------------------------------------------------------- all objects


def usage() -> Usage:
    """Return what is there."""
    files = [file for file in _files(folder().path) if not file.unfinished]
    return Usage(len(files), sum(file.bytes for file in files))


def clear() -> Usage:
    """Remove all objects, and nothing else; return what was removed.

    Another process may be using them meanwhile: what it has loaded stays, what it looks for is compiled.
    """
    removed = [file for file in _files(folder().path) if file.remove() and not file.unfinished]
    return Usage(len(removed), sum(file.bytes for file in removed))


def prune(place: Path) -> None:
    """Where there is more than `BOUND`, remove what was not used for longest; and what was never finished."""
    files = sorted(_files(place))
    total = sum(file.room for file in files)
    most = KEPT if total > BOUND else BOUND
    abandoned = time.time() - ABANDONED
    for file in files:
        if total > most or (file.unfinished and file.used < abandoned):
            file.remove()
            total -= file.room


def _files(place: Path | None) -> Iterator[_File]:
    """Our files; one that vanishes meanwhile is not among them."""
    if place is None:
        return
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            if OURS.fullmatch(entry.name):
                with suppress(OSError):
                    about = entry.stat(follow_symlinks=False)
                    if not stat.S_ISDIR(about.st_mode):
                        yield _File(about.st_mtime, about.st_size, place / entry.name)
