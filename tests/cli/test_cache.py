"""`descend cache`: where machine code is kept, how much of it, and how it is removed."""

from __future__ import annotations

import json
import os

import pytest

from descend.kernel import cache

LONG = ("gradient-descent", "x^2", "--start", "3", "--learning-rate", "1e-9", "--max-iterations", "1000000", "--json")


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("DESCEND_CACHE", str(tmp_path / "objects"))
    return tmp_path / "objects"


def test_from_nothing_to_something_and_back(process, store):
    empty = process("cache")
    assert (empty.returncode, empty.stderr) == (0, "")
    assert empty.stdout == f"{store}\n0 objects (0 bytes), at most 256 MiB\n"
    first, second = process(*LONG), process(*LONG)
    assert json.loads(first.stdout)["variables"] == json.loads(second.stdout)["variables"]
    (path,) = store.iterdir()
    said = json.loads(process("cache", "--json").stdout)
    assert said == {
        "folder": str(store), "reason": None, "objects": 1, "bytes": path.stat().st_size, "bound": 2**28
    }  # fmt: skip
    cleared = process("cache", "--clear")
    assert cleared.stdout == f"Removed 1 object ({said['bytes'] / 1024:.3g} KiB) from {store}\n"
    assert list(store.iterdir()) == []
    assert json.loads(process("cache", "--clear", "--json").stdout) == {
        "folder": str(store), "reason": None, "removed": 0, "bytes": 0, "bound": 2**28
    }  # fmt: skip


@pytest.mark.parametrize("count", [0, 999, 1000, 1024, 5000, 2**20 - 1, 2**28, 2**33])
def test_sizes_have_three_digits_at_most(shell, store, monkeypatch, count):
    monkeypatch.setattr(cache, "usage", lambda: cache.Usage(1234, count))
    expected = {0: "0 bytes", 999: "999 bytes", 1000: "0.977 KiB", 1024: "1 KiB", 5000: "4.88 KiB",
                2**20 - 1: "1 MiB", 2**28: "256 MiB", 2**33: "8 GiB"}  # fmt: skip
    assert shell("cache").stdout == f"{store}\n1,234 objects ({expected[count]}), at most 256 MiB\n"


@pytest.mark.parametrize("words", [(), ("--clear",)])
def test_it_says_why_nothing_is_kept(shell, monkeypatch, words):
    monkeypatch.setenv("DESCEND_CACHE", "off")
    result = shell("cache", *words)
    assert (result.exit_code, result.stdout) == (0, "Nothing is kept: DESCEND_CACHE is off.\n")
    said = json.loads(shell("cache", "--json", *words).stdout)
    assert said["folder"] is None
    assert said["reason"] == "DESCEND_CACHE is off"


@pytest.fixture(params=["writable", "link", "file"])
def unsafe(request, store, tmp_path):
    """A place that must not be used, with an object where it can hold one, and what is said of it."""
    real = store if request.param == "writable" else tmp_path / "elsewhere"
    real.mkdir(0o700)
    kept = real / f"{'ab' * 32}.object"
    kept.write_bytes(b"object")
    if request.param == "writable":
        real.chmod(0o777)
        return kept, f"{store} holds code that runs, and may be written by others: chmod 700 it"
    if request.param == "link":
        store.symlink_to(real)
    else:
        store.write_bytes(b"")
    return kept, f"{store} is a link, or no folder"


@pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
def test_an_unsafe_folder_is_neither_used_nor_cleared(shell, unsafe):
    kept, reason = unsafe
    looked = shell("cache")
    assert (looked.exit_code, looked.stdout) == (0, f"Nothing is used from that folder: {reason}.\n")
    said = json.loads(shell("cache", "--json").stdout)
    assert (said["folder"], said["reason"], said["objects"]) == (None, reason, 0)
    for words in ((), ("--json",)):
        cleared = shell("cache", "--clear", *words)
        assert (cleared.exit_code, cleared.stdout) == (2, "")
        assert f"nothing was cleared: {reason}" in cleared.stderr
    assert kept.read_bytes() == b"object"


def test_help_says_how_to_move_it(shell):
    shown = shell("cache", "--help").stdout
    for word in ("DESCEND_CACHE", "off", "XDG_CACHE_HOME", "LOCALAPPDATA", "--clear"):
        assert word in shown
