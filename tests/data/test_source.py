"""What a `Source` promises, whatever stands behind it: names, checks, missing values, tables."""

from __future__ import annotations

import numpy as np
import pytest

from descend.data.open import open_source
from descend.data.source import Table, number_hint
from descend.errors import DataError

NAN, INF = float("nan"), float("inf")


def test_table_has_the_columns_asked_for_in_the_order_asked_for():
    source = open_source({"x": [1, 2], "y": [3, 4], "z": [5, 6]})
    assert (source.names, source.rows) == (("x", "y", "z"), 2)
    table = source.table(["z", "x", "z"])
    assert table.names == ("z", "x")
    assert [column.tolist() for column in table.columns] == [[5.0, 6.0], [1.0, 2.0]]
    assert (table.rows, table.dropped, table.row_numbers) == (2, 0, None)


def test_no_columns_asked_for_gives_the_number_of_rows():
    table = open_source({"x": ["a", "b"]}).table([])
    assert (table.names, table.columns, table.rows) == ((), (), 2)


def test_columns_are_read_only_contiguous_float64():
    mine = np.arange(10.0)
    table = open_source({"x": mine, "i": np.arange(20)[::2]}).table(["x", "i"])
    for column in table.columns:
        assert column.dtype == np.dtype("=f8")
        assert column.ndim == 1
        assert column.flags.c_contiguous
        assert column.flags.aligned
        assert not column.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        table.column("x")[0] = 1.0
    mine[0] = 7.0  # the user's own array stays his


@pytest.mark.parametrize("unused", [["a", "b"], [1j, 2], [[1, 2], [3, 4]], 5, None, [NAN, NAN], [1, 2, 3]])
def test_what_is_not_asked_for_does_not_matter(unused):
    table = open_source({"x": [1, 2], "unused": unused}).table(["x"])
    assert table.column("x").tolist() == [1.0, 2.0]
    assert table.dropped == 0


def test_missing_values_are_an_error_that_names_the_first_row():
    source = open_source({"x": [1, 2, 3, NAN], "y": [1, None, INF, 4]})
    with pytest.raises(DataError, match="a missing value; 3 of 4 rows have a missing") as caught:
        source.table(["x", "y"])
    assert (caught.value.column, caught.value.row) == ("y", 2)
    assert 'missing="drop" in Python, --missing drop on the command line' in str(caught.value)
    with pytest.raises(DataError, match="1 of 4 rows has") as caught:
        source.table(["x"])
    assert (caught.value.column, caught.value.row) == ("x", 4)


@pytest.mark.parametrize("value", [INF, -INF])
def test_infinite_values_are_called_so(value):
    with pytest.raises(DataError, match="row 1: an infinite value"):
        open_source({"x": [value, 1]}).table(["x"])


def test_missing_values_are_dropped_and_counted():
    source = open_source({"x": [1, 2, 3, NAN, 5], "y": [1, None, INF, 4, -5]}, missing="drop")
    table = source.table(["x", "y"])
    assert (table.rows, table.dropped, source.rows) == (2, 3, 5)
    assert table.column("x").tolist() == [1.0, 5.0]
    assert table.column("y").tolist() == [1.0, -5.0]
    assert table.row_numbers.tolist() == [1, 5]
    assert source.table(["x"]).dropped == 1


def test_dropping_every_row_is_an_error():
    with pytest.raises(DataError, match="every one of the 2 rows"):
        open_source({"x": [None, 1], "y": [1, None]}, missing="drop").table(["x", "y"])


@pytest.mark.parametrize("missing", ["skip", None, "Drop"])
def test_unknown_way_with_missing_values(missing):
    with pytest.raises(DataError, match='missing has to be "error" or "drop"'):
        open_source({"x": [1]}, missing=missing)


@pytest.mark.parametrize(
    ("asked", "meant"), [("presure", "pressure"), ("Pressure", "pressure"), ("TEMP", "temp"), ("zzz", None)]
)
def test_unknown_column(asked, meant):
    source = open_source({"pressure": [1], "temp": [2]})
    with pytest.raises(DataError, match="no such column") as caught:
        source.table(["temp", asked])
    assert caught.value.column == asked
    assert "Columns present: 'pressure', 'temp'" in str(caught.value)
    assert (f"did you mean '{meant}'?" in str(caught.value)) == (meant is not None)
    with pytest.raises(DataError, match="no such column"):
        source.table(["temp"]).column(asked)


def test_long_lists_of_columns_are_cut():
    source = open_source({f"c{n}": [1] for n in range(50)})
    with pytest.raises(DataError, match="and 30 more"):
        source.table(["x"])


def test_columns_of_different_length():
    source = open_source({"x": [1, 2], "y": [1, 2, 3]})
    with pytest.raises(DataError, match="has 3 values, but 'x' has 2"):
        source.table(["x", "y"])
    assert source.table(["y"]).rows == 3


@pytest.mark.parametrize(
    ("indices", "rows"), [([0, 2], [1, 4]), (np.array([2, 0, 2]), [4, 1, 4]), ([True, False, True], [1, 4]), ([], [])]
)
def test_take(indices, rows):
    table = open_source({"x": [1, None, 3, 4], "y": [5, 6, 7, 8]}, missing="drop").table(["x", "y"])
    taken = table.take([0, 1, 2]).take(indices)
    assert taken.row_numbers.tolist() == rows
    assert taken.column("x").tolist() == [float(r) for r in rows]
    assert taken.column("y").tolist() == [float(r + 4) for r in rows]
    assert (taken.rows, taken.dropped, taken.names) == (len(rows), 1, ("x", "y"))
    assert all(not column.flags.writeable and column.flags.c_contiguous for column in taken.columns)


def test_take_numbers_rows_also_when_nothing_was_dropped():
    table = open_source({"x": [10, 20, 30]}).table(["x"])
    assert table.take([2, 1]).row_numbers.tolist() == [3, 2]
    assert isinstance(table, Table)


def test_control_characters_are_never_echoed():
    hostile = "\x1b[2J\x07\u202e"
    with pytest.raises(DataError) as caught:
        open_source({hostile: ["a" + hostile], hostile + "2": [1]}).table([hostile])
    assert "?" in str(caught.value)
    assert not set(hostile[:1] + hostile[4:]) & set(str(caught.value))
    with pytest.raises(DataError) as caught:
        open_source({hostile: [1]}).table(["x"])
    assert not set(hostile[:1] + hostile[4:]) & set(str(caught.value))


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("1.5", "kept as text"),
        ("-2", "kept as text"),
        ("1.234", "kept as text"),
        ("1e-3", "kept as text"),
        ("1,5", "decimal comma"),
        (",5", "decimal comma"),
        ("1,234", "decimal commas and thousands marks"),
        ("1,234,567", "thousands marks"),
        ("1.234,5", "thousands marks"),
        ("1'234", "thousands marks"),
        ("1 234", "thousands marks"),
        ("1_000", "thousands marks"),
        ("5 kg", "unit"),
        ("12%", "unit"),
        ("3.5°C", "unit"),
        ("$3.20", "unit"),
        ("€ 3", "unit"),
        ("1d5", "Fortran"),
        ("yes", "1 for yes"),
        ("FALSE", "1 for yes"),
        ("-", "missing value"),
        ("missing", "missing value"),
        ("#DIV/0!", "missing value"),
        ("abc", ""),
        ("2020-01-01", ""),
        ("10.0.0.1", ""),
        ("a" * 10_000, ""),
        ("1" * 10_000 + "x", "kept as text"),
    ],
)
def test_hints_on_texts_that_look_like_numbers(text, hint):
    found = number_hint(text)
    assert (hint in found) if hint else found == ""
