"""Objects on disk: whole or not there, bounded, and never anybody else's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from descend.kernel import cache
from descend.kernel.cache import Cached, Folder, Usage

KEY = "ab" + 62 * "0"
OTHER = "cd" + 62 * "0"
OBJECT = Cached(("exp", "sin"), bytes(range(256)) * 8)

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The folder of the cache, which is not there yet."""
    place = tmp_path / "objects"
    monkeypatch.setenv("DESCEND_CACHE", str(place))
    cache._say.cache_clear()
    return place


def only_file(store):
    (path,) = store.iterdir()
    assert re.fullmatch(r"[0-9a-f]{64}\.object", path.name)
    return path


class TestFiles:
    def test_there_and_back(self, store):
        assert cache.load(KEY) is None
        cache.save(KEY, OBJECT)
        assert cache.load(KEY) == OBJECT
        assert cache.load(OTHER) is None
        assert cache.usage() == Usage(1, only_file(store).stat().st_size)

    @pytest.mark.parametrize("thing", [Cached((), b""), Cached(("exp",), b"\n\n"), Cached((), b"\n exp\n")])
    def test_there_and_back_with_odd_contents(self, store, thing):
        cache.save(KEY, thing)
        assert cache.load(KEY) == thing

    @posix
    def test_nobody_else_may_read_or_write(self, store):
        before = os.umask(0)
        try:
            cache.save(KEY, OBJECT)
        finally:
            os.umask(before)
        assert store.stat().st_mode & 0o777 == 0o700
        assert only_file(store).stat().st_mode & 0o777 == 0o600

    def test_of_a_file_every_beginning_is_refused(self, store):
        cache.save(KEY, OBJECT)
        path = only_file(store)
        data = path.read_bytes()
        for length in range(len(data)):
            assert cache._unpack(KEY, data[:length]) is None
        assert cache._unpack(KEY, data + b"\0") is None
        assert cache._unpack(KEY, data) == OBJECT

    def test_every_changed_bit_is_refused(self, store):
        data = cache._pack(KEY, Cached(("exp",), bytes(range(64))))
        for place in range(len(data)):
            for bit in range(8):
                changed = bytearray(data)
                changed[place] ^= 1 << bit
                assert cache._unpack(KEY, bytes(changed)) is None

    def test_another_keys_file_is_refused(self, store):
        cache.save(KEY, OBJECT)
        (store / f"{KEY}.object").rename(store / f"{OTHER}.object")
        assert cache.load(OTHER) is None

    def test_a_damaged_file_is_written_anew(self, store):
        store.mkdir(0o700)
        (store / f"{KEY}.object").write_bytes(b"")
        assert cache.load(KEY) is None
        cache.save(KEY, OBJECT)
        assert cache.load(KEY) == OBJECT

    @posix
    def test_somebody_elses_file_is_refused(self, store, monkeypatch):
        cache.save(KEY, OBJECT)
        mode = only_file(store).stat().st_mode
        only_file(store).chmod(0o622)
        assert cache.load(KEY) is None
        only_file(store).chmod(mode)
        assert cache.load(KEY) == OBJECT
        monkeypatch.setattr(cache, "_checked", Folder)  # as if the folder were ours
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        assert cache.load(KEY) is None

    @posix
    def test_an_endless_file_is_not_read(self, store):
        store.mkdir(0o700)
        os.mkfifo(store / f"{KEY}.object", 0o600)
        assert cache.load(KEY) is None
        (store / f"{KEY}.object").unlink()
        (store / f"{KEY}.object").symlink_to("/dev/zero")
        assert cache.load(KEY) is None

    def test_a_huge_object_is_not_kept(self, store, monkeypatch):
        monkeypatch.setattr(cache, "LARGEST", 1000)
        cache.save(KEY, OBJECT)
        assert not store.exists()

    def test_what_cannot_be_read_is_not_there(self, store, monkeypatch):
        cache.save(KEY, OBJECT)

        def refused(path, *_):
            raise PermissionError(13, "Permission denied", str(path))

        monkeypatch.setattr(os, "open", refused)
        assert cache.load(KEY) is None

    def test_a_folder_that_vanishes(self, store, monkeypatch):
        real = Path.mkdir
        monkeypatch.setattr(Path, "mkdir", lambda *a, **k: None)
        cache.save(KEY, OBJECT)
        monkeypatch.setattr(Path, "mkdir", real)
        assert not store.exists()
        assert cache.usage() == cache.clear() == Usage(0, 0)
        assert cache.load(KEY) is None

    def test_said_once_in_the_log(self, store, caplog):
        caplog.set_level("DEBUG", logger="descend")
        store.mkdir()
        store.chmod(0o777)
        for _ in range(3):
            cache.save(KEY, OBJECT)
            assert cache.load(KEY) is None
        if os.name == "posix":
            ((_, level, text),) = caplog.record_tuples
            assert level == 30
            assert text.endswith(f"{store} holds code that runs, and may be written by others: chmod 700 it")

    @posix
    def test_a_foreign_file_is_said_in_the_log(self, store, caplog, tmp_path):
        caplog.set_level("WARNING", logger="descend")
        cache.save(KEY, OBJECT)
        path = only_file(store)
        path.chmod(0o622)
        assert cache.load(KEY) is None
        path.rename(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").chmod(0o600)
        path.symlink_to(tmp_path / "elsewhere")
        assert cache.load(KEY) is None
        assert [text.partition(str(path))[2] for _, _, text in caplog.record_tuples] == [
            " holds code that runs, and may be written by others: chmod 600 it",
            " is a link",
        ]


class TestKey:
    def test_parts_are_not_run_together(self):
        assert cache.key_of(["ab", "c"]) != cache.key_of(["a", "bc"]) != cache.key_of(["abc"])
        assert cache.key_of(["2:ab", "c"]) != cache.key_of(["ab", "c"])
        assert re.fullmatch("[0-9a-f]{64}", cache.key_of(["x"]))


class TestPlace:
    @pytest.fixture(autouse=True)
    def bare(self, monkeypatch, tmp_path):
        for name in ("DESCEND_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HOME", str(tmp_path))

    @pytest.mark.parametrize(
        ("platform", "place"), [("linux", ".cache"), ("freebsd14", ".cache"), ("darwin", "Library/Caches")]
    )
    def test_by_convention(self, monkeypatch, tmp_path, platform, place):
        monkeypatch.setattr(sys, "platform", platform)
        assert cache.folder() == Folder(tmp_path / place / "descend" / "objects")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
        assert cache.folder() == Folder(tmp_path / "caches" / "descend" / "objects")
        monkeypatch.setenv("XDG_CACHE_HOME", "not/from/the/root")  # which the standard says is to be ignored
        assert cache.folder() == Folder(tmp_path / place / "descend" / "objects")

    def test_on_windows(self, monkeypatch, tmp_path):
        monkeypatch.setattr(sys, "platform", "win32")
        assert cache.folder().path is None
        monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "Local"))
        assert cache.folder().path == tmp_path / "Local" / "descend" / "objects"

    def test_by_our_own_variable(self, monkeypatch, tmp_path):
        monkeypatch.setenv("DESCEND_CACHE", str(tmp_path / "here"))
        assert cache.folder() == Folder(tmp_path / "here")
        monkeypatch.setenv("DESCEND_CACHE", "off")
        assert cache.folder() == Folder(None, "DESCEND_CACHE is off")
        monkeypatch.setenv("DESCEND_CACHE", "here\x1b")
        assert cache.folder().reason == "DESCEND_CACHE is 'here?': neither off nor a folder by its full path"

    @posix
    def test_not_in_somebody_elses_home(self, monkeypatch, tmp_path):
        (tmp_path / ".cache").mkdir()
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        assert cache.folder() == Folder(None, f"{tmp_path / '.cache'} belongs to another user")


class TestBound:
    @pytest.fixture
    def small(self, store, monkeypatch):
        """Room for eight objects, six of which are left when there are more; key number → when it was used."""
        monkeypatch.setattr(cache, "BOUND", 8 * cache.ROOM)
        monkeypatch.setattr(cache, "KEPT", 6 * cache.ROOM)
        return store

    @staticmethod
    def fill(store, numbers):
        for k in numbers:
            cache.save(f"{k:064x}".replace("00", "ab", 1), OBJECT)
            os.utime(store / f"{k:064x}.object".replace("00", "ab", 1), (1e9 + k, 1e9 + k))

    @staticmethod
    def kept(store):
        return sorted(int(path.stem.replace("ab", "00", 1), 16) for path in store.glob("*.object"))

    def test_the_last_used_stay(self, small):
        self.fill(small, [5, 3, 9, 1, 7, 2, 8, 4])
        cache.prune(small)
        assert self.kept(small) == [1, 2, 3, 4, 5, 7, 8, 9]  # as many as there is room for
        self.fill(small, [6])
        cache.prune(small)
        assert self.kept(small) == [4, 5, 6, 7, 8, 9]

    def test_some_writes_look_after_it(self, small, monkeypatch):
        self.fill(small, range(1, 20))
        assert len(self.kept(small)) == 19
        cache.save("00" + "ff" * 31, OBJECT)
        assert len(list(small.iterdir())) == 6
        assert (small / f"00{'ff' * 31}.object").exists()
        self.fill(small, range(1, 20))
        monkeypatch.setattr(cache, "LARGE", 100)
        self.fill(small, [20])
        assert len(list(small.iterdir())) == 6

    def test_what_was_never_finished(self, small):
        self.fill(small, [1])
        old, new = (small / f".{KEY}.{digit * 16}.part" for digit in "01")
        old.write_bytes(b"")
        new.write_bytes(b"")
        os.utime(old, (1e9, 1e9))
        cache.prune(small)
        assert new.exists()
        assert not old.exists()
        assert self.kept(small) == [1]
        assert cache.usage().objects == 1

    def test_what_is_used_is_marked_now_and_then(self, store):
        cache.save(KEY, OBJECT)
        path = only_file(store)
        recent = path.stat().st_mtime - 3600
        os.utime(path, (recent, recent))
        cache.load(KEY)
        assert path.stat().st_mtime == pytest.approx(recent, abs=1)
        for other in (-30, +30):  # days
            os.utime(path, (recent, recent + other * 86_400))
            cache.load(KEY)
            assert path.stat().st_mtime == pytest.approx(recent + 3600, abs=600)

    def test_clearing_removes_ours_only(self, store):
        cache.save(KEY, OBJECT)
        size = only_file(store).stat().st_size
        theirs = [
            "notes.txt",
            f"{KEY}.objects",
            f"{KEY[:-1]}.object",
            f"{KEY.upper()}.object",
            f"{KEY}.part",
            ".hidden",
        ]
        for name in theirs:
            (store / name).write_text("mine")
        (store / f"{OTHER}.object").mkdir()
        (store / f".{KEY}.{'0' * 16}.part").write_bytes(b"")
        assert cache.clear() == Usage(1, size)
        assert sorted(path.name for path in store.iterdir()) == sorted([*theirs, f"{OTHER}.object"])

    @posix
    def test_nothing_is_removed_through_a_link(self, store, tmp_path, monkeypatch):
        cache.save(KEY, OBJECT)
        (tmp_path / "link").symlink_to(store)
        monkeypatch.setenv("DESCEND_CACHE", str(tmp_path / "link"))
        assert cache.clear() == cache.usage() == Usage(0, 0)
        assert only_file(store).exists()

    def test_many_processes_write_read_prune_and_clear_at_once(self, store):
        script = """
import os, random, sys
from descend.kernel import cache
cache.BOUND, cache.KEPT = 8 * cache.ROOM, 4 * cache.ROOM
rng, found = random.Random(int(os.environ["SEED"])), 0
def thing(k):
    return cache.Cached(("exp",) * k, bytes([k]) * (500 * k))
for turn in range(1500):
    k = rng.randrange(20)
    key = f"{k:02x}" + "0" * 62
    old = cache.load(key)
    assert old in (None, thing(k))
    found += old is not None
    cache.save(key, thing(k))
    if turn % 10 == 0:
        cache.prune(cache.folder().path)
    if turn % 100 == 0:
        cache.clear()
assert found > 10
"""
        running = [
            subprocess.Popen([sys.executable, "-c", script], env={**os.environ, "SEED": str(k)}, stderr=subprocess.PIPE)
            for k in range(4)
        ]
        assert [(p.communicate(timeout=120)[1], p.returncode) for p in running] == [(b"", 0)] * 4
        assert not list(store.glob(".*"))
        cache.prune(store)
        assert cache.usage().bytes <= cache.BOUND
