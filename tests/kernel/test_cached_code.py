"""Machine code from the cache: the code that was compiled, and never a file that somebody cut, changed or moved.

LLVM ends the process over a damaged object, so processes of their own load them here.
"""

from __future__ import annotations

import math
import os
import random
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import llvmlite
import pytest

from descend.expression.functions import TABLE
from descend.kernel import cache
from descend.kernel import compile as compiling
from descend.kernel.cache import Cached
from descend.kernel.compile import COUNTERS, PointKernel
from descend.kernel.interpret import Interpreter
from tests.kernel.tapes import all_same, moderate_point, random_formula, with_gradient

FORMULA = "exp(-x^2)*sin(y) + 3"
POINT = (0.75, -1.25)
# Value and gradient of FORMULA, and how many formulas were compiled rather than loaded.
SCRIPT = f"""
from descend.kernel.compile import COUNTERS, PointKernel
from tests.kernel.tapes import with_gradient
print(*PointKernel(with_gradient({FORMULA!r}))({POINT}), COUNTERS.compiled)
"""

posix = pytest.mark.skipif(os.name != "posix", reason="owners and modes are POSIX's")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs Linux's resource limits")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The folder of the cache, which is not there yet."""
    place = tmp_path / "objects"
    monkeypatch.setenv("DESCEND_CACHE", str(place))
    return place


@pytest.fixture
def path(store):
    """The file of an object that a process made and another one used."""
    assert_right(process(), compiled=1)
    assert_right(process(), compiled=0)
    (path,) = store.iterdir()
    return path


def process(script=SCRIPT, before="", **environment):
    """Run a script as a process of its own, which must end well; return its words."""
    done = subprocess.run(
        [sys.executable, "-c", before + script],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env={**os.environ, **environment},
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert not done.stderr
    return done.stdout.split()


def assert_right(printed, compiled):
    """Of a kernel that has the interpreter's bits."""
    *values, count = printed
    assert [float(v) for v in values] == Interpreter(with_gradient(FORMULA))(POINT)
    assert int(count) == compiled


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :]


DAMAGES = {
    "empty": lambda data: b"",
    "one byte": lambda data: data[:1],
    "within the magic": lambda data: data[:10],
    "after the magic": lambda data: data[: len(cache.MAGIC)],
    "within the checksum": lambda data: data[: len(cache.MAGIC) + 16],
    "after the checksum": lambda data: data[: cache.HEAD],
    "within the symbols": lambda data: data[: cache.HEAD + 2],
    "after the symbols": lambda data: data[: data.index(b"\n", cache.HEAD) + 1],
    "within the object": lambda data: data[: len(data) // 2],
    "the last byte": lambda data: data[:-1],
    "longer": lambda data: data + data,
    "zeroes": lambda data: bytes(len(data)),
    "zeroes behind the head": lambda data: data[: cache.HEAD] + bytes(len(data) - cache.HEAD),
    "a page of zeroes": lambda data: data[:256] + bytes(256) + data[512:],
    "a bit of the magic": lambda data: flipped(data, 3),
    "a bit of the checksum": lambda data: flipped(data, cache.HEAD - 1),
    "a bit of the symbols": lambda data: flipped(data, cache.HEAD),
    "a bit of the object's head": lambda data: flipped(data, data.index(b"\n", cache.HEAD) + 41),
    "a bit of the code": lambda data: flipped(data, len(data) // 2),
    "the last bit": lambda data: flipped(data, len(data) - 1),
    "noise": lambda data: b"\x90\xc3\xeb\xfe" * (len(data) // 4),
    "noise behind the magic": lambda data: cache.MAGIC + b"\x7fELF" * (len(data) // 4),
    "noise with its checksum, but of no key": lambda data: cache._pack("", Cached((), b"\x7fELF" * 200)),
    "another format": lambda data: data.replace(b"object 1", b"object 2", 1),
}


class TestDamage:
    """What a person, a disk or another program may do to a file: a new process compiles, and answers right."""

    def test_of_all_kinds(self, path):
        """All in one process: it would die of the first that reached LLVM."""
        data = path.read_bytes()
        assert all(damage(data) != data for damage in DAMAGES.values())
        damaged = path.parent / "damaged"
        damaged.mkdir()
        for k, damage in enumerate(DAMAGES.values()):
            (damaged / str(k)).write_bytes(damage(data))
        loop = f"""
from pathlib import Path
from descend.kernel import cache
from descend.kernel.compile import COUNTERS, PointKernel
from tests.kernel.tapes import with_gradient
path, program = Path({str(path)!r}), with_gradient({FORMULA!r})
for k in range({len(DAMAGES)}):
    path.write_bytes(Path({str(damaged)!r}, str(k)).read_bytes())
    print(*PointKernel(program)({POINT}), COUNTERS.compiled)
    COUNTERS.compiled = 0
    print(*PointKernel(program)({POINT}), COUNTERS.compiled + 1)
"""
        printed = process(loop)
        for k in range(2 * len(DAMAGES)):
            assert_right(printed[4 * k : 4 * k + 4], compiled=1)
        assert path.read_bytes() == data

    @pytest.mark.parametrize("damage", ["empty", "within the object", "zeroes", "a bit of the code", "noise"])
    def test_a_process_each(self, path, damage):
        data = path.read_bytes()
        path.write_bytes(DAMAGES[damage](data))
        assert_right(process(), compiled=1)
        assert path.read_bytes() == data
        assert_right(process(), compiled=0)

    def test_a_file_of_another_key(self, path):
        process(SCRIPT.replace(" + 3", " + 4"))
        (other,) = set(path.parent.iterdir()) - {path}
        other.replace(path)
        assert_right(process(), compiled=1)

    def test_a_directory_in_its_place(self, path):
        path.unlink()
        path.mkdir()
        (path / "something").write_text("of the user's")
        assert_right(process(), compiled=1)
        assert (path / "something").exists()

    @posix
    def test_a_link_in_its_place(self, path, tmp_path):
        elsewhere = path.rename(tmp_path / "elsewhere")
        path.symlink_to(elsewhere)
        data = elsewhere.read_bytes()
        assert_right(process(), compiled=1)
        assert not path.is_symlink()
        assert path.read_bytes() == elsewhere.read_bytes() == data

    @posix
    def test_a_file_that_may_not_be_read(self, path):
        path.chmod(0)
        assert_right(process(), 0 if os.geteuid() == 0 else 1)  # root reads everything

    @posix
    def test_a_folder_that_others_may_write(self, path):
        path.parent.chmod(0o777)
        assert_right(process(), compiled=1)
        path.parent.chmod(0o755)
        assert_right(process(), compiled=0)

    @posix
    def test_a_folder_of_somebody_else(self, path):
        assert_right(process(before="import os; os.geteuid = lambda: 12345\n"), compiled=1)

    @posix
    def test_a_link_to_a_folder(self, path):
        (path.parent.parent / "link").symlink_to(path.parent)
        assert_right(process(DESCEND_CACHE=str(path.parent.parent / "link")), compiled=1)

    def test_a_function_that_is_not_there(self, path, store):
        """A file that is whole, but whose object calls what this process has not."""
        key, found = path.stem, cache.load(path.stem)
        assert set(found.symbols) >= {"cos", "exp", "sin"}
        cache.save(key, Cached((*found.symbols, "no_such_function_here"), found.code))
        assert_right(process(), compiled=1)
        assert cache.load(key) == found


class TestNoCache:
    """No place for it, no room in it: the formula is compiled, nothing is said but in the log."""

    @pytest.mark.parametrize("place", ["off", "OFF", "relative/folder", "/dev/null/objects", "/proc/nothing/objects"])
    def test_no_folder(self, place):
        assert_right(process(DESCEND_CACHE=place), compiled=1)

    def test_no_folder_by_that_name_can_be(self, store):
        assert_right(process(DESCEND_CACHE=str(store / ("x" * 5000))), compiled=1)

    def test_no_home(self, tmp_path):
        environment = {"DESCEND_CACHE": "", "HOME": "", "XDG_CACHE_HOME": "", "LOCALAPPDATA": ""}
        assert_right(process(**environment), compiled=1)
        assert_right(process(before="import os; os.environ.pop('HOME')\n", **environment), compiled=1)

    @linux
    def test_a_disk_without_room(self, store):
        limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))\n"
        assert_right(process(before=limit), compiled=1)
        assert list(store.iterdir()) == []

    @posix
    def test_a_folder_that_may_not_be_written(self, store):
        store.mkdir(0o500)
        assert_right(process(), compiled=1)
        assert len(list(store.iterdir())) == (1 if os.geteuid() == 0 else 0)  # root writes everywhere


class TestKey:
    def test_everything_that_decides_is_in_it(self, monkeypatch):
        def key():
            return cache.key_of(compiling._all_that_decides("text", 1, 1))

        keys = {key(), cache.key_of(compiling._all_that_decides("text", 2, 1))}
        keys.add(cache.key_of(compiling._all_that_decides("text", 1, 0)))
        keys.add(cache.key_of(compiling._all_that_decides("texts", 1, 1)))
        made_for = compiling.target()
        for field in ("triple", "cpu", "features", "c_library"):
            with monkeypatch.context() as patch:
                patch.setattr(compiling, "target", lambda field=field: replace(made_for, **{field: "another"}))
                keys.add(key())
        with monkeypatch.context() as patch:
            patch.setattr(llvmlite, "__version__", "0.0.1")
            keys.add(key())
        with monkeypatch.context() as patch:
            patch.setattr(llvmlite.binding, "llvm_version_info", (1, 2, 3))
            keys.add(key())
        with monkeypatch.context() as patch:
            patch.setattr(compiling, "VERSION", compiling.VERSION + 1)
            keys.add(key())
        assert len(keys) == 11


class TestCode:
    """Loaded code is the code that was compiled."""

    @pytest.mark.parametrize("target", ["native", "generic"])
    def test_same_bits(self, store, monkeypatch, target):
        monkeypatch.setenv("DESCEND_TARGET", target)
        rng = random.Random(4)
        programs = [with_gradient(random_formula(rng, 4)) for _ in range(30)]
        points = [[list(map(moderate_point(rng).get, p.inputs)) for _ in range(20)] for p in programs]
        before = COUNTERS.compiled
        fresh = [PointKernel(p) for p in programs]
        made = COUNTERS.compiled - before
        assert made == len(list(store.iterdir())) > 25  # a formula may come twice
        cached = [PointKernel(p) for p in programs]
        assert COUNTERS.compiled == before + made
        for one, other, places in zip(fresh, cached, points, strict=True):
            assert all(all_same(one(place), other(place)) for place in places)

    def test_a_loaded_function_outlives_its_file(self, store):
        program = with_gradient(FORMULA)
        expected = PointKernel(program)(POINT)
        loaded = PointKernel(program)
        assert cache.clear().objects == 1
        assert loaded(POINT) == expected

    def test_targets_do_not_mix(self, store, monkeypatch):
        for target in ("native", "generic"):
            monkeypatch.setenv("DESCEND_TARGET", target)
            PointKernel(with_gradient(FORMULA))
        assert len(list(store.iterdir())) == 2


INSIDE = {"acosh": "1 + ", "log1mexp": "-"}
UNARY = [name for name, function in TABLE.items() if function.arity == (1, 1) and name not in {"not", "neg"}]


def every(a, b):
    """A formula with all functions in it, for 0 < a < 1."""
    one = [f"{name}({INSIDE.get(name, '')}{a})" for name in UNARY]
    return " + ".join([f"{a}^{b}", f"8^{b}", *(f"{f}({a}, {b})" for f in ("atan2", "hypot", "logaddexp")), *one])


# One of each kind of kernel.
KERNELS = f"""
import descend
from descend.kernel.compile import COUNTERS, PointKernel
from tests.kernel.tapes import with_gradient
values = PointKernel(with_gradient({every("a", "b")!r}))([0.7, 0.6])
columns = {{"x": [k / 100 for k in range(1, 40)], "y": [1.0] * 39}}
rows = descend.compile({"y = " + every("(x*a)", "b")!r}, columns)
values += [rows([0.7, 0.6]), *rows.gradient([0.7, 0.6])]
summed = descend.compile("sum({every("x[i]", "x[i+1]")}, i, 0, n-2)", constants={{"n": 600}})
point = [0.3 + k / 2000 for k in range(600)]
values += [summed(point), *summed.gradient(point)]
print(*map(float, values), COUNTERS.compiled)
"""


class TestFunctionsOfTheProcess:
    """LLVM ends the process over a function that it does not find, so each object says which it calls."""

    @pytest.mark.parametrize("target", ["native", "generic"])
    def test_all_kernels_in_a_process_that_compiled_nothing(self, store, target):
        *fresh, compiled = process(KERNELS, DESCEND_TARGET=target)
        assert int(compiled) == len(list(store.iterdir())) >= 3
        assert process(KERNELS, DESCEND_TARGET=target) == [*fresh, "0"]
        assert all(map(math.isfinite, map(float, fresh)))

    @linux
    @pytest.mark.parametrize("target", ["native", "generic"])
    def test_all_of_them_are_listed(self, store, target):
        process(KERNELS, DESCEND_TARGET=target)
        found = [cache.load(path.stem) for path in store.iterdir()]
        for symbols, code in found:
            called = undefined(code)
            assert called
            assert called <= set(symbols), called - set(symbols)


def undefined(code):
    """The names that an ELF object needs from elsewhere (System V ABI, ELF-64 object file format, 1998)."""
    assert code[:6] == b"\x7fELF\x02\x01"
    (table,), (count,) = struct.unpack_from("<Q", code, 40), struct.unpack_from("<H", code, 60)
    sections = [struct.unpack_from("<IIQQQQIIQQ", code, table + 64 * k) for k in range(count)]
    (symbols,) = [section for section in sections if section[1] == 2]
    names = sections[symbols[6]]
    found = set()
    for place in range(symbols[4], symbols[4] + symbols[5], 24):
        name, info, _, section, _, _ = struct.unpack_from("<IBBHQQ", code, place)
        if section == 0 and info >> 4:  # not here, and global
            found.add(code[names[4] + name :].partition(b"\0")[0].decode())
    return found
