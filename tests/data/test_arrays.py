"""NumPy arrays, lists and mappings of them.  The oracle is Python's own `float`, value by value."""

from __future__ import annotations

import array
import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from descend.data.open import open_source
from descend.errors import DataError


def column(values, missing="error"):
    return open_source({"x": values}, missing=missing).table(["x"]).column("x")


NUMBERS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(10**300), 10**300),
    st.booleans(),
    st.fractions(min_value=-(10**6), max_value=10**6),
    st.decimals(min_value=-(10**9), max_value=10**9, allow_nan=False, allow_infinity=False),
)


@given(st.lists(NUMBERS, min_size=1))
def test_lists_of_any_numbers(values):
    assert column(values).tolist() == [float(value) for value in values]


@given(
    hnp.arrays(
        st.one_of(
            hnp.integer_dtypes(endianness="?"),
            hnp.unsigned_integer_dtypes(endianness="?"),
            hnp.floating_dtypes(endianness="?"),
            hnp.boolean_dtypes(),
        ),
        st.integers(1, 20),
        elements={"allow_nan": False, "allow_infinity": False},
    ),
    st.integers(-3, 3).filter(bool),
)
def test_arrays_of_any_numeric_type_order_and_stride(values, step):
    strided = values[::step]
    assert column(strided).tolist() == [float(value) for value in strided.tolist()]


def test_contiguous_float64_is_not_copied():
    mine = np.arange(1000.0)
    assert np.shares_memory(column(mine), mine)
    readonly = mine.view()
    readonly.flags.writeable = False
    assert np.shares_memory(column(readonly), mine)
    assert np.shares_memory(column(mine[10:20]), mine)
    matrix = np.arange(12.0).reshape(3, 4, order="F")
    assert np.shares_memory(column(matrix[:, 1]), matrix)
    assert mine.flags.writeable


def test_unaligned_memory_is_copied_right():
    raw = b"\0" + np.array([1.5, -2.5]).tobytes()
    unaligned = np.frombuffer(raw, np.float64, offset=1)
    assert not unaligned.flags.aligned
    assert column(unaligned).tolist() == [1.5, -2.5]
    assert column(unaligned).flags.aligned


def test_integers_beyond_float64_are_rounded():
    big = 2**53 + 1
    assert column([big, -big]).tolist() == [float(2**53), -float(2**53)]
    assert column(np.array([big, 2**63 - 1])).tolist() == [float(2**53), float(2**63)]
    assert column(np.array([2**64 - 1], np.uint64)).tolist() == [float(2**64)]
    assert column([2**70 + 1, 1]).tolist() == [float(2**70), 1.0]


@pytest.mark.parametrize("number", [10**400, Fraction(10) ** 400, [10**400, 1.5][0]])
def test_number_beyond_double_precision(number):
    with pytest.raises(DataError, match="row 2: holds a number too large for double precision"):
        column([1, number])


def test_long_double_beyond_double_precision_counts_as_infinite():
    with pytest.raises(DataError, match="an infinite value"):
        column(np.array([np.finfo(np.longdouble).max]))


@pytest.mark.parametrize(
    "values",
    [
        [1.0, None, 3.0],
        [1, float("nan"), 3],
        [1, Decimal("NaN"), 3],
        [1, Decimal("sNaN"), 3],
        (1, np.nan, 3),
        np.array([1, None, 3], dtype=object),
        np.ma.array([1.0, 2.0, 3.0], mask=[False, True, False]),
        np.ma.array([1, 2, 3], mask=[False, True, False]),
        np.ma.array([1, "junk", 3], mask=[False, True, False], dtype=object),
        np.array([1, np.nan, 3], dtype=">f4"),
    ],
)
def test_missing_values(values):
    source = open_source({"x": values}, missing="drop")
    table = source.table(["x"])
    assert table.column("x").tolist() == [1.0, 3.0]
    assert table.row_numbers.tolist() == [1, 3]


def test_masked_array_without_a_mask_and_with_user_data_untouched():
    mine = np.ma.array([1.0, 2.0], mask=[False, True])
    assert column(mine, "drop").tolist() == [1.0]
    assert mine.data.tolist() == [1.0, 2.0]
    assert column(np.ma.array([1.0, 2.0])).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "values",
    [
        range(3),
        array.array("d", [0, 1, 2]),
        array.array("i", [0, 1, 2]),
        memoryview(array.array("q", [0, 1, 2])),
        [np.float32(0), np.int8(1), 2],
        [Fraction(0), Decimal(1), True + 1],
    ],
)
def test_other_sequences(values):
    assert column(values).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("dtype", ["U3", "S3", "O", np.dtypes.StringDType()])
def test_text_arrays(dtype):
    with pytest.raises(DataError, match=r"column 'x', row 1: holds text \('abc' in row 1\), not numbers") as caught:
        column(np.array(["abc", "d"], dtype=dtype))
    assert (caught.value.column, caught.value.row) == ("x", 1)


def test_text_in_a_list_is_found_where_it_is():
    with pytest.raises(DataError, match=r"row 3: holds text \('a' in row 3\)"):
        column([1, 2.5, "a"])
    with pytest.raises(DataError, match="kept as text: convert the column"):
        column(["1.5", "2"])
    with pytest.raises(DataError, match="decimal comma"):
        column(["1,5", "2"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1, 2j], "row 2: holds complex numbers"),
        (np.array([1, 2j]), "holds complex numbers"),
        ([np.complex64(1), None], "holds complex numbers"),
        (np.array(["2020-01-01"], "M8[D]"), "holds dates or times, not numbers; convert them"),
        (np.array([1], "m8[s]"), "holds dates or times"),
        ([dt.date(2020, 1, 1)], "row 1: holds dates or times"),
        ([1.0, dt.timedelta(1)], "row 2: holds dates or times"),
        ([dt.time(1)], "holds dates or times"),
        ([np.datetime64("2020-01-01"), 1], "holds dates or times"),
        ([[1, 2], [3, 4]], r"has the shape \(2, 2\), but a column has one dimension.*a\[:, 0\]"),
        (np.ones((3, 1)), r"has the shape \(3, 1\)"),
        (np.ma.ones((3, 2)), r"has the shape \(3, 2\)"),
        (np.array(5.0), "is a single float64, not a column"),
        ([[1], [2, 3]], "row 1: holds a list, not a number"),
        ([object()], "row 1: holds an object, not a number"),
        (np.array([{}], dtype=object), "row 1: holds a dict, not a number"),
        (np.array([(1, 2)], dtype="i4,i4"), "not numbers"),
        (np.array([b"ab"], dtype="V2"), "not numbers"),
        (np.array([], dtype="U1"), "no rows"),
        ([], "no rows"),
        (5, "is an int, not a column"),
        ("abc", "is a str, not a column"),
        (None, "is a NoneType, not a column"),
        ({1, 2}, "is a set, not a column"),
        ({"a": 1}, "is a dict, not a column"),
        ((number for number in [1, 2]), "is a generator, not a column"),
    ],
)
def test_what_is_no_column_of_numbers(values, message):
    with pytest.raises(DataError, match=message) as caught:
        open_source({"ok": [1, 2, 3], "x": values}).table(["x"])
    assert caught.value.column == "x"


class TestMapping:
    def test_description(self):
        assert open_source({"x": [1], "y": [2]}).description == "mapping of arrays (1 row, 2 columns)"
        assert open_source({"x": range(5000)}).description == "mapping of arrays (5,000 rows, 1 column)"

    def test_empty(self):
        with pytest.raises(DataError, match="no columns"):
            open_source({})

    @pytest.mark.parametrize("data", [{"x": 1, "y": 2.5}, {"x": "text"}, {"x": None}])
    def test_scalars(self, data):
        with pytest.raises(DataError, match="single values, not columns"):
            open_source(data)

    def test_zero_rows(self):
        with pytest.raises(DataError, match="no rows of data"):
            open_source({"x": [], "y": np.array([])})

    def test_keys_become_text(self):
        sympy = pytest.importorskip("sympy", reason="SymPy is a dependency of descend, not of this room")
        source = open_source({sympy.Symbol("alpha"): [1], 2: [3]})
        assert source.names == ("alpha", "2")
        assert source.table(["2"]).column("2").tolist() == [3.0]

    def test_keys_that_become_the_same_text(self):
        with pytest.raises(DataError, match="more than one column is named '1'"):
            open_source({1: [1], "1": [2]})


class TestStructured:
    DTYPE = np.dtype([("n", "i1"), ("x", ">f8"), ("who", "U3"), ("pair", "f8", (2,))])

    def test_fields_are_columns(self):
        data = np.array([(1, 2.5, "a", (1, 2)), (3, 4.5, "b", (3, 4))], self.DTYPE)
        for source in (open_source(data), open_source(data.view(np.recarray))):
            assert source.names == ("n", "x", "who", "pair")
            assert source.description == "NumPy structured array (2 rows, 4 columns)"
            table = source.table(["x", "n"])
            assert table.column("x").tolist() == [2.5, 4.5]
            assert table.column("n").tolist() == [1.0, 3.0]
            with pytest.raises(DataError, match=r"row 1: holds text \('a' in row 1\)"):
                source.table(["who"])
            with pytest.raises(DataError, match="one dimension"):
                source.table(["pair"])

    def test_masked(self):
        data = np.ma.array([(1, 2.0), (3, 4.0)], mask=[(False, True), (False, False)], dtype="i4,f8")
        assert open_source(data, missing="drop").table(["f0", "f1"]).column("f0").tolist() == [3.0]

    @pytest.mark.parametrize("shape", [(), (2, 2), (0,)])
    def test_shapes(self, shape):
        with pytest.raises(DataError, match=r"one dimension|no rows"):
            open_source(np.zeros(shape, self.DTYPE))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.ones((3, 2)), r"give the columns names: \{'x': a\[:, 0\]"),
        (np.ones(3), r"give the columns names: \{'x': a\}"),
        ([1, 2], "a list has no names"),
        ([{"x": 1}], "a list has no names"),
        (5, "int: data of this kind cannot be read; give a mapping"),
        (None, "NoneType: data of this kind cannot be read"),
        (object(), "object: data of this kind cannot be read"),
    ],
)
def test_what_is_no_data(data, message):
    with pytest.raises(DataError, match=message):
        open_source(data)
