"""pandas, polars, Arrow and whoever speaks their interfaces."""

from __future__ import annotations

import datetime as dt
import warnings
from decimal import Decimal

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from descend.data.open import open_source
from descend.errors import DataError

FRAMES = {
    "pandas": pd.DataFrame,
    "pandas-arrow": lambda data: pd.DataFrame(data).convert_dtypes(dtype_backend="pyarrow"),
    "pandas-nullable": lambda data: pd.DataFrame(data).convert_dtypes(dtype_backend="numpy_nullable"),
    "polars": lambda data: pl.DataFrame(data, strict=False),
    "polars-lazy": lambda data: pl.LazyFrame(data, strict=False),
    "arrow": pa.table,
    "batch": lambda data: pa.table(data).combine_chunks().to_batches()[0],
    "reader": lambda data: pa.table(data).to_reader(),
    "narwhals": lambda data: nw.from_native(pl.DataFrame(data, strict=False)),
    "stream": lambda data: OnlyStream(pa.table(data)),
    "capsule": lambda data: OnlyCapsule(pa.table(data).combine_chunks().to_batches()[0]),
}


class OnlyStream:
    """An unknown library's table, which has nothing but the Arrow interface."""

    def __init__(self, table):
        self.table = table

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


class OnlyCapsule:
    """The same for one batch (or one array)."""

    def __init__(self, batch):
        self.batch = batch

    def __arrow_c_array__(self, requested_schema=None):
        return self.batch.__arrow_c_array__(requested_schema)


@pytest.fixture(params=FRAMES)
def frame(request):
    return FRAMES[request.param]


def test_every_kind_of_frame(frame):
    source = open_source(
        frame({"i": [1, 2, 3], "x": [1.5, -2.5, 3.5], "who": ["a", "b", "c"], "b": [True, False, True]})
    )
    assert (source.names, source.rows) == (("i", "x", "who", "b"), 3)
    assert source.description.endswith("(3 rows, 4 columns)")
    table = source.table(["b", "x", "i"])
    assert [column.tolist() for column in table.columns] == [[1.0, 0.0, 1.0], [1.5, -2.5, 3.5], [1.0, 2.0, 3.0]]
    with pytest.raises(DataError, match=r"column 'who', row 1: holds text \('a' in row 1\), not numbers"):
        source.table(["who"])
    with pytest.raises(DataError, match="did you mean 'who'"):
        source.table(["whom"])


def test_every_kind_of_frame_with_missing_values(frame):
    data = {
        "i": [1, None, 3, 4],
        "x": [1.5, 2.5, None, 4.5],
        "b": [True, True, True, False],
        "f": [1.0, 2.0, 3.0, None],
    }
    table = open_source(frame(data), missing="drop").table(["i", "x", "b"])
    assert (table.rows, table.dropped) == (2, 2)
    assert table.row_numbers.tolist() == [1, 4]
    assert [column.tolist() for column in table.columns] == [[1.0, 4.0], [1.5, 4.5], [1.0, 0.0]]
    with pytest.raises(DataError, match="a missing value; 1 of 4 rows") as caught:
        open_source(frame(data)).table(["x", "b"])
    assert (caught.value.column, caught.value.row) == ("x", 3)


def test_every_kind_of_frame_without_rows(frame):
    if frame in (FRAMES["batch"], FRAMES["capsule"]):
        data = frame({"x": [1.0]})
        data = OnlyCapsule(data.batch.slice(0, 0)) if isinstance(data, OnlyCapsule) else data.slice(0, 0)
    else:
        data = frame({"x": np.array([], dtype=float)})
    with pytest.raises(DataError, match="no rows of data"):
        open_source(data)


def test_descriptions():
    assert open_source(pd.DataFrame({"x": [1]})).description == "pandas DataFrame (1 row, 1 column)"
    assert open_source(pl.DataFrame({"x": [1]})).description == "polars DataFrame (1 row, 1 column)"
    assert open_source(pa.table({"x": [1]})).description == "pyarrow Table (1 row, 1 column)"


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_round_trip(values):
    for make in FRAMES.values():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # pandas 2 warns of its own trials of integers
            data = make({"x": values})
        assert open_source(data).table(["x"]).column("x").tolist() == values


@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none(), min_size=1).filter(any))
def test_nullable_integers(values):
    kept = [float(value) for value in values if value is not None]
    for data in (
        pd.DataFrame({"x": pd.array(values, dtype="Int64")}),
        pd.DataFrame({"x": pd.array(values, dtype="int64[pyarrow]")}),
        pl.DataFrame({"x": pl.Series(values, dtype=pl.Int64)}),
        pl.DataFrame({"x": pl.Series(values, dtype=pl.Int128)}),
        pa.table({"x": pa.array(values, pa.int64())}),
        pa.table({"x": pa.chunked_array([pa.array([value], pa.int64()) for value in values])}),
    ):
        assert open_source(data, missing="drop").table(["x"]).column("x").tolist() == kept


@given(st.lists(st.decimals(min_value=-(10**20), max_value=10**20, places=15), min_size=1))
def test_decimals_are_rounded_once(values):
    expected = [float(value) for value in values]
    kind = pa.decimal128(38, 15)
    for data in (
        pa.table({"x": pa.array(values, kind)}),
        pd.DataFrame({"x": values}),
        pd.DataFrame({"x": pd.array(values, dtype=pd.ArrowDtype(kind))}),
        pl.DataFrame({"x": pl.Series(values, dtype=pl.Decimal(38, 15))}),
    ):
        assert open_source(data).table(["x"]).column("x").tolist() == expected


@pytest.mark.parametrize(
    "kind", [pa.int8(), pa.uint64(), pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.decimal256(50, 5)]
)
def test_arrow_types(kind):
    values = pa.array([1, 0, None, 1]).cast(pa.int8()).cast(pa.float32() if kind == pa.float16() else kind).cast(kind)
    source = open_source(pa.table({"x": values}), missing="drop")
    assert source.table(["x"]).column("x").tolist() == [1.0, 0.0, 1.0]


def test_dictionaries_of_numbers_are_numbers():
    encoded = pa.array([1.5, 2.5, 1.5, None]).dictionary_encode()
    assert open_source(pa.table({"x": encoded}), missing="drop").table(["x"]).column("x").tolist() == [1.5, 2.5, 1.5]
    frame = pd.DataFrame({"x": pd.Categorical([3, 1, 3])})
    assert open_source(frame).table(["x"]).column("x").tolist() == [3.0, 1.0, 3.0]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()]
)
def test_arrow_text_types(kind):
    table = pa.table({"x": pa.array([None, "abc"], pa.string()).cast(kind)})
    with pytest.raises(DataError, match=r"row 2: holds text \('abc' in row 2\)"):
        open_source(table, missing="drop").table(["x"])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["x", None, "y"]),
        pd.Series(["x", None, "y"], dtype=object),
        pd.Series(["x", None, "y"], dtype="category"),
        pd.Series(["x", None, "y"], dtype="string"),
        pl.Series(["x", None, "y"]),
        pl.Series(["x", None, "y"], dtype=pl.Categorical),
        pl.Series(["x", None, "y"], dtype=pl.Enum(["x", "y"])),
        pa.array(["x", None, "y"]),
        pa.chunked_array([[], ["x"], [None, "y"]], pa.string()),
    ],
)
def test_text_columns_of_every_library(column):
    with pytest.raises(DataError, match=r"row 1: holds text \('x' in row 1\), not numbers"):
        open_source({"x": column}).table(["x"])


def test_first_text_stands_where_it_is_said_to_stand():
    column = pa.chunked_array([pa.array([None, None], pa.string()), pa.array([None, "1,5"], pa.string())])
    with pytest.raises(DataError, match=r"holds text \('1,5' in row 4\), not numbers; it looks like .* decimal comma"):
        open_source({"x": column}).table(["x"])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(pd.to_datetime(["2020-01-01", None])),
        pd.Series(pd.to_datetime(["2020-01-01"])).dt.tz_localize("UTC"),
        pd.Series(pd.to_timedelta([1], unit="s")),
        pl.Series([dt.date(2020, 1, 1)]),
        pl.Series([dt.datetime(2020, 1, 1, tzinfo=dt.UTC)]),
        pl.Series([dt.timedelta(1)]),
        pl.Series([dt.time(1)]),
        pa.array([dt.date(2020, 1, 1)]),
    ],
)
def test_dates_of_every_library(column):
    with pytest.raises(DataError, match="holds dates or times, not numbers; convert"):
        open_source({"x": column}).table(["x"])


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([[1], [2]]),
        pl.Series([{"a": 1}]),
        pa.array([[1], [2]]),
        pa.array([b"ab"], pa.binary(2)),
        pl.Series([object()], dtype=pl.Object),
        pd.Series([[1], [2]]),
        pd.Series(pd.period_range("2020", periods=2, freq="D")),
        pd.Series(pd.interval_range(0, 2)),
        pd.Series([1j, 2]),
    ],
)
def test_columns_of_no_numbers(column):
    with pytest.raises(DataError, match=r"column 'x'.*holds"):
        open_source({"x": column}).table(["x"])


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2, 3], index=[7, 8, 9]),
        pd.Series([1, 2, 3], dtype="Int8"),
        pd.Series([1, 2, 3], dtype=object),
        pd.Series(pd.arrays.SparseArray([1.0, 2.0, 3.0])),
        pl.Series([1, 2, 3]),
        pl.Series([1, 2, 3], dtype=pl.Int128),
        pa.array([1, 2, 3]),
        pa.chunked_array([[1], [2, 3]]),
        nw.from_native(pl.Series([1, 2, 3]), series_only=True),
        OnlyStream(pa.chunked_array([[1, 2], [3]])),
        OnlyCapsule(pa.array([1, 2, 3])),
    ],
)
def test_columns_of_every_library_in_a_mapping(column):
    data = {"x": column, "y": [1, 2, 3]}
    assert open_source(data).table(["x", "y"]).column("x").tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("missing", [None, pd.NA, pd.NaT, np.nan])
def test_missing_marks_of_pandas_in_objects(missing):
    for data in ({"x": [1, missing, 3]}, pd.DataFrame({"x": pd.Series([1, missing, 3], dtype=object)})):
        assert open_source(data, missing="drop").table(["x"]).column("x").tolist() == [1.0, 3.0]


@pytest.mark.parametrize(
    "column",
    [
        pa.nulls(3),
        pa.array([None] * 3, pa.string()),
        pl.Series([None] * 3),
        pl.Series([None] * 3, dtype=pl.Date),
        pd.Series([None] * 3, dtype=object),
    ],
)
def test_columns_of_nothing_are_missing_values(column):
    with pytest.raises(DataError, match="a missing value; 3 of 3 rows"):
        open_source({"x": column}).table(["x"])


class TestWithoutCopies:
    VALUES = np.arange(100.0)

    def test_pandas(self):
        frame = pd.DataFrame({"x": self.VALUES, "who": "a"})
        assert np.shares_memory(open_source(frame).table(["x"]).column("x"), frame["x"].to_numpy())

    def test_polars(self):
        frame = pl.DataFrame({"x": self.VALUES})
        assert np.shares_memory(open_source(frame).table(["x"]).column("x"), frame["x"].to_numpy())

    def test_arrow(self):
        table = pa.table({"x": self.VALUES})
        for data in (table, OnlyStream(table)):
            column = open_source(data).table(["x"]).column("x")
            assert np.shares_memory(column, table["x"].chunk(0).to_numpy())

    def test_a_strided_column_is_copied(self):
        frame = pd.DataFrame(np.arange(20.0).reshape(10, 2), columns=["x", "y"])
        column = open_source(frame).table(["y"]).column("y")
        assert column.tolist() == list(np.arange(1.0, 20.0, 2.0))
        assert column.flags.c_contiguous


class TestNames:
    def test_names_that_are_not_text(self):
        source = open_source(pd.DataFrame([[1, 2], [3, 4]]))
        assert source.names == ("0", "1")
        assert source.table(["1"]).column("1").tolist() == [2.0, 4.0]
        columns = pd.MultiIndex.from_tuples([("a", "b"), ("a", "c")])
        assert open_source(pd.DataFrame([[1, 2]], columns=columns)).names == ("('a', 'b')", "('a', 'c')")

    @pytest.mark.parametrize(
        "data",
        [
            pd.DataFrame([[1, 2]], columns=["a", "a"]),
            pa.table([pa.array([1]), pa.array([2])], names=["a", "a"]),
            pa.record_batch([pa.array([1]), pa.array([2])], names=["a", "a"]),
            pd.DataFrame([[1, 2]], columns=[1, "1"]).rename(columns={1: 1}),
        ],
    )
    def test_duplicates(self, data):
        with pytest.raises(DataError, match=r"unique column names.*'a'|more than one column is named '[a1]'"):
            open_source(data)

    def test_none(self):
        with pytest.raises(DataError, match="no columns"):
            open_source(pd.DataFrame())
        with pytest.raises(DataError, match="no columns"):
            open_source(pa.table({}))


@pytest.mark.parametrize("data", [pd.Series([1, 2]), pl.Series([1, 2]), pa.chunked_array([[1, 2]])])
def test_one_column_is_no_table(data):
    with pytest.raises(DataError, match="one column has no name"):
        open_source(data)


@pytest.mark.parametrize("data", [pa.array([1, 2]), OnlyStream(pa.chunked_array([[1]])), OnlyCapsule(pa.array([1]))])
def test_arrow_data_that_are_no_table(data):
    with pytest.raises(DataError, match="no table with named columns"):
        open_source(data)


def test_a_stream_that_fails_is_our_error():
    class Broken:
        def __arrow_c_stream__(self, requested_schema=None):
            raise ValueError("out\nof \x1b order")

    with pytest.raises(DataError, match=r"Broken: no table with named columns: out of \? order"):
        open_source(Broken())


def test_decimal_objects_in_pandas():
    frame = pd.DataFrame({"x": [Decimal("0.1"), None, Decimal("1e-30")]})
    assert open_source(frame, missing="drop").table(["x"]).column("x").tolist() == [0.1, 1e-30]


def test_dask_is_refused_with_advice():
    dataframe = pytest.importorskip("dask.dataframe", reason="Dask is an optional extra")
    with pytest.raises(DataError, match=r"a Dask DataFrame is not read yet; give its \.compute\(\)"):
        open_source(dataframe.from_pandas(pd.DataFrame({"x": [1]}), npartitions=1))
