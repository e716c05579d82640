"""Files on disk and standard input: Parquet, Arrow, globs, and everything that can be wrong with a path."""

from __future__ import annotations

import gzip
import io
import math
import os
import random
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import feather, ipc, parquet

import descend.examples
from descend.data.open import open_source
from descend.errors import DataError

ROWS = 1000
TABLE = pa.table(
    {
        "x": np.linspace(0.0, 1.0, ROWS),
        "n": np.arange(ROWS),
        "a.b": np.arange(ROWS, dtype=np.float32),
        "a": pa.array([{"b": 1}] * ROWS),
        "who": ["anna"] * ROWS,
        "gaps": pa.array([None if n == 4 else n for n in range(ROWS)], pa.int16()),
        "kind": pa.array([1.5, 2.5] * (ROWS // 2)).dictionary_encode(),
    }
)


def write_parquet(path):
    parquet.write_table(TABLE, path, row_group_size=300)


def write_stream(path):
    with ipc.new_stream(str(path), TABLE.schema) as writer:
        writer.write_table(TABLE, max_chunksize=300)


WRITERS = {
    "d.parquet": write_parquet,
    "d.pq": write_parquet,
    "d.feather": lambda path: feather.write_feather(TABLE, path, compression="lz4", chunksize=300),
    "D.FEATHER": lambda path: feather.write_feather(TABLE, path, compression="zstd"),
    "d.arrow": lambda path: feather.write_feather(TABLE, path, compression="uncompressed"),
    "stream.arrow": write_stream,
}


@pytest.fixture(params=WRITERS)
def path(request, tmp_path):
    WRITERS[request.param](tmp_path / request.param)
    return tmp_path / request.param


@pytest.mark.parametrize("kind", [str, Path])
def test_columns_of_binary_files(path, kind):
    source = open_source(kind(path), missing="drop")
    assert source.names == tuple(TABLE.column_names)
    assert source.description == f"{path.name} (1,000 rows, 7 columns)"
    table = source.table(["n", "x", "a.b", "kind"])
    assert (table.rows, table.dropped) == (ROWS, 0)
    assert table.column("x").tolist() == TABLE["x"].to_pylist()
    assert table.column("n").tolist() == [float(n) for n in range(ROWS)]
    assert table.column("a.b").tolist() == [float(n) for n in range(ROWS)]
    assert table.column("kind").tolist() == [1.5, 2.5] * (ROWS // 2)
    assert source.table(["gaps"]).row_numbers.tolist() == [n for n in range(1, ROWS + 1) if n != 5]
    assert source.table([]).rows == ROWS


def test_errors_in_columns_of_binary_files(path):
    source = open_source(path)
    for name, message in [("who", r"row 1: holds text \('anna' in row 1\)"), ("a", "holds struct"), ("z", "no such")]:
        with pytest.raises(DataError, match=message) as caught:
            source.table(["x", name])
        assert caught.value.column == name
    with pytest.raises(DataError, match="a missing value; 1 of 1,000 rows has"):
        source.table(["gaps"])


def test_large_files_are_read_in_pieces(tmp_path):
    values = np.arange(300_000.0)
    parquet.write_table(pa.table({"x": values}), tmp_path / "d.parquet")
    assert np.array_equal(open_source(tmp_path / "d.parquet").table(["x"]).column("x"), values)


@pytest.mark.parametrize("name", ["d.parquet", "d.feather", "d.arrow"])
@pytest.mark.parametrize("content", [b"", b"x,y\n1,2\n", bytes(range(256)) * 10, b"PAR1" * 20, b"ARROW1\0\0" * 9])
def test_binary_files_that_are_none(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"could not be read as a {path.suffix} file") as caught:
        open_source(path)
    assert str(path) in str(caught.value)
    assert str(caught.value).isprintable()


def test_damaged_files_give_our_error_or_a_table(path):
    whole = path.read_bytes()
    generator = random.Random(1)
    for _ in range(60):
        damaged = bytearray(whole)
        if generator.random() < 0.3:
            del damaged[generator.randrange(len(damaged)) :]
        else:
            for _ in range(generator.randrange(1, 30)):
                damaged[generator.randrange(len(damaged))] = generator.randrange(256)
        path.write_bytes(damaged)
        try:
            table = open_source(path, missing="drop").table(["x", "n"])
            assert all(np.isfinite(column).all() for column in table.columns)
        except DataError:
            pass


def test_feather_of_the_first_version(tmp_path):
    (tmp_path / "d.feather").write_bytes(b"FEA1" + bytes(40) + b"FEA1")
    with pytest.raises(DataError, match="version 1 is not read"):
        open_source(tmp_path / "d.feather")


@pytest.mark.parametrize("suffix", ["parquet", "feather"])
def test_duplicate_names_and_no_rows(tmp_path, suffix):
    def write(table):
        path = tmp_path / f"d.{suffix}"
        (parquet.write_table if suffix == "parquet" else feather.write_feather)(table, path)
        return path

    with pytest.raises(DataError, match="no rows of data"):
        open_source(write(TABLE.slice(0, 0)))
    with pytest.raises(DataError, match="no columns"):
        open_source(write(TABLE.select([])))
    path = tmp_path / "twice.parquet"
    parquet.write_table(pa.table([[1], [2], [3]], names=["x", "y", "x"]), path)
    with pytest.raises(DataError, match="more than one column is named 'x'"):
        open_source(path)


def test_file_that_changes_between_opening_and_reading(tmp_path):
    path = tmp_path / "d.parquet"
    write_parquet(path)
    source = open_source(path)
    parquet.write_table(TABLE.slice(0, 10), path)
    with pytest.raises(DataError, match="has 10 rows, but 1,000 were announced"):
        source.table(["x"])
    parquet.write_table(pa.concat_tables([TABLE, TABLE]), path)
    with pytest.raises(DataError, match="more than the 1,000 rows"):
        source.table(["x"])
    parquet.write_table(TABLE.select(["n"]), path)
    with pytest.raises(DataError, match="no longer has this column"):
        source.table(["x"])
    path.unlink()
    with pytest.raises(DataError, match="no such file"):
        source.table(["x"])


@settings(max_examples=20)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False) | st.none(), min_size=1), st.integers(1, 5))
def test_parquet_round_trip(tmp_path_factory, values, group):
    path = tmp_path_factory.mktemp("parquet") / "d.parquet"
    parquet.write_table(pa.table({"x": pa.array(values, pa.float64())}), path, row_group_size=group)
    kept = [value for value in values if value is not None]
    if not kept:
        with pytest.raises(DataError, match="every one of the"):
            open_source(path, missing="drop").table(["x"])
    else:
        table = open_source(path, missing="drop").table(["x"])
        assert [math.copysign(1, v) * abs(v) for v in table.column("x").tolist()] == kept
        assert table.dropped == len(values) - len(kept)


class TestPaths:
    @pytest.mark.parametrize(
        ("path", "message"),
        [
            ("", "the path of the data is empty"),
            ("  ", "the path of the data is empty"),
            ("nothing.csv", "nothing.csv: there is no such file"),
            ("nowhere/nothing.parquet", "there is no such file"),
            ("x,y\n1,2", r"x,y\?1,2: there is no such file"),
            ("a\0b.csv", r"a\?b.csv: this could not be read.*null byte"),
            ("a" * 5000 + ".csv", "could not be read.*too long"),
            ("*" + "a" * 5000, "could not be read.*too long"),
            ("~no such user/x.csv", "could not be read"),
            ("*.nothing", "no file matches"),
            ("https://example.com/d.csv", "only files of this machine are read; download it first"),
            ("\x1b2J.csv", r"\?2J.csv: there is no such file"),
        ],
    )
    def test_that_lead_nowhere(self, path, message, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with pytest.raises(DataError, match=message) as caught:
            open_source(path)
        assert str(caught.value).isprintable()

    def test_misspelt(self, tmp_path):
        (tmp_path / "norris.csv").write_text("x\n1\n")
        with pytest.raises(DataError, match=r"no such file; did you mean 'norris\.csv'\?"):
            open_source(tmp_path / "noris.csv")

    def test_folder(self, tmp_path):
        with pytest.raises(DataError, match=r"this is a folder; for the files in it, write '.*/\*\.parquet'"):
            open_source(tmp_path)

    @pytest.mark.parametrize("name", ["d.xlsx", "d.json", "d.parquet.gz", "d.dat"])
    def test_unknown_ending(self, tmp_path, name):
        (tmp_path / name).write_bytes(b"x\n1\n")
        with pytest.raises(DataError, match=r"files that end in '\.\w+' are not read; readable are \.csv"):
            open_source(tmp_path / name)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_forbidden(self, tmp_path):
        path = tmp_path / "d.csv"
        path.write_text("x\n1\n")
        path.chmod(0)
        with pytest.raises(DataError, match="permission denied"):
            open_source(path)

    def test_forbidden_is_said_so(self, tmp_path, monkeypatch):
        def refuse(self):
            raise PermissionError

        monkeypatch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(DataError, match="may not be read"):
            open_source(tmp_path / "d.csv")

    def test_too_large_is_said_so(self, tmp_path, monkeypatch):
        def refuse(self):
            raise MemoryError

        monkeypatch.setattr(Path, "read_bytes", refuse)
        with pytest.raises(DataError, match="more memory than there is"):
            open_source(tmp_path / "d.csv")

    def test_home(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        (tmp_path / "d.csv").write_text("x\n1\n")
        assert open_source("~/d.csv").rows == 1
        assert open_source("~/*.csv").rows == 1

    def test_name_with_a_star_that_exists(self, tmp_path):
        (tmp_path / "a*.csv").write_text("x\n1\n")
        (tmp_path / "ab.csv").write_text("x\n2\n")
        assert open_source(str(tmp_path / "a*.csv")).rows == 1


class TestGlob:
    def test_parquet_files_one_after_the_other(self, tmp_path):
        for number, name in enumerate(["b", "a", "c"]):
            parquet.write_table(pa.table({"x": [number + 0.5, number + 1.0]}), tmp_path / f"{name}.parquet")
        parquet.write_table(pa.table({"x": pa.array([], pa.float64())}), tmp_path / "bb.parquet")
        (tmp_path / "z.parquet").mkdir()
        source = open_source(str(tmp_path / "*.parquet"))
        assert source.description == f"{tmp_path}/*.parquet (6 rows, 1 column, 4 files)"
        assert source.table(["x"]).column("x").tolist() == [1.5, 2.0, 0.5, 1.0, 2.5, 3.0]

    def test_of_every_kind_and_order_of_columns(self, tmp_path):
        (tmp_path / "1.csv").write_text("x;y\n1,5;2\n")
        (tmp_path / "2.csv").write_text("y,x\n3,4.5\n")
        parquet.write_table(pa.table({"y": [5], "x": [6.5]}), tmp_path / "3.parquet")
        feather.write_feather(pa.table({"x": [7.5], "y": [8]}), tmp_path / "4.feather")
        (tmp_path / "5.csv.gz").write_bytes(gzip.compress(b"x,y\n9.5,10\n", mtime=0))
        table = open_source(tmp_path / "*").table(["x", "y"])
        assert table.column("x").tolist() == [1.5, 4.5, 6.5, 7.5, 9.5]
        assert table.column("y").tolist() == [2.0, 3.0, 5.0, 8.0, 10.0]

    def test_rows_are_named_by_file(self, tmp_path):
        (tmp_path / "a.csv").write_text("x,y\n1,2\n3,4\n")
        (tmp_path / "b.csv").write_text("x,y\n5,6\n\n,abc\n")
        source = open_source(str(tmp_path / "*.csv"))
        with pytest.raises(DataError, match=r"row 4: a missing value \(line 4 of b\.csv\); 1 of 4 rows"):
            source.table(["x"])
        with pytest.raises(DataError, match=r"holds text \('abc' in row 4, line 4 of b\.csv\)"):
            source.table(["y"])
        (tmp_path / "b.csv").unlink()
        parquet.write_table(pa.table({"x": [5.0, None], "y": [1, 2]}), tmp_path / "c.parquet")
        with pytest.raises(DataError, match=r"row 4: a missing value \(row 2 of c\.parquet\)"):
            open_source(str(tmp_path / "*")).table(["x"])

    def test_files_with_other_columns(self, tmp_path):
        (tmp_path / "a.csv").write_text("x,y\n1,2\n")
        (tmp_path / "b.csv").write_text("x,z\n1,2\n")
        with pytest.raises(
            DataError, match=r"b\.csv: its columns are not those of a\.csv: it lacks 'y' and it adds 'z'"
        ):
            open_source(str(tmp_path / "*.csv"))

    def test_one_file_that_cannot_be_read(self, tmp_path):
        (tmp_path / "a.csv").write_text("x\n1\n")
        (tmp_path / "b.parquet").write_bytes(b"nonsense")
        with pytest.raises(DataError, match=r"b\.parquet: this could not be read"):
            open_source(str(tmp_path / "*"))


class TestStandardInput:
    @staticmethod
    def give(monkeypatch, content):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))

    @pytest.mark.parametrize(
        "content", [b"x,y\n1.5,2\n", gzip.compress(b"x;y\n1,5;2\n", mtime=0), "x\ty\n1.5\t2".encode("utf-16")]
    )
    def test_is_text_in_columns(self, monkeypatch, content):
        self.give(monkeypatch, content)
        source = open_source("-")
        assert source.description.startswith("standard input (1 row, 2 columns")
        assert source.table(["x"]).column("x").tolist() == [1.5]

    def test_errors(self, monkeypatch):
        self.give(monkeypatch, b"")
        with pytest.raises(DataError, match="standard input: the file is empty"):
            open_source("-")
        self.give(monkeypatch, b"x\nabc\n")
        with pytest.raises(DataError, match=r"row 1: holds text \('abc' in row 1, line 2\)"):
            open_source("-").table(["x"])
        self.give(monkeypatch, b"PAR1")
        with pytest.raises(DataError, match="standard input: this is not text"):
            open_source("-")

    @pytest.mark.parametrize("stream", [None, io.StringIO("x\n1\n")])
    def test_that_is_none(self, monkeypatch, stream):
        monkeypatch.setattr(sys, "stdin", stream)
        with pytest.raises(DataError, match="there is none to read here"):
            open_source("-")


def test_the_example_has_the_digits_of_its_source():
    path = Path(descend.examples.__file__).with_name("norris.csv")
    source = open_source(path)
    assert source.description == "norris.csv (36 rows, 2 columns)"
    table = source.table(["x", "y"])
    x, y = table.column("x"), table.column("y")
    # NIST certifies 15 digits; the normal equations, centred, keep 12 of them on these data.
    slope = ((x - x.mean()) @ (y - y.mean())) / ((x - x.mean()) @ (x - x.mean()))
    intercept = y.mean() - slope * x.mean()
    assert slope == pytest.approx(1.00211681802045, rel=1e-13)
    assert intercept == pytest.approx(-0.262323073774029, rel=1e-11)
    assert ((y - intercept - slope * x) ** 2).sum() == pytest.approx(26.6173985294224, rel=1e-11)
    assert path.read_text().splitlines()[:2] == ["x,y", "0.2,0.1"]
