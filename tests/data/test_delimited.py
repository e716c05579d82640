"""CSV and its relatives.  The oracle is the standard library's `csv` module, and `float` for each cell."""

from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from descend.data.delimited import NULLS
from descend.data.layout import records
from descend.data.open import open_source
from descend.errors import DataError


@pytest.fixture
def write(tmp_path):
    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def columns(path, names=None, missing="error"):
    source = open_source(path, missing=missing)
    table = source.table(source.names if names is None else names)
    return {name: table.column(name).tolist() for name in table.names}


XY = {"x": [1.5, 3.0], "y": [-2.0, 0.004]}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("x,y\n1.5,-2\n3,4e-3\n", "d.csv"),
        ("x,y\n1.5,-2\n3,4e-3", "d.csv"),
        ("x,y\r\n1.5,-2\r\n3,4e-3\r\n", "d.csv"),
        ("x,y\r1.5,-2\r3,4e-3\r", "d.csv"),
        ("x,y\r\n1.5,-2\n3,4e-3\r", "d.csv"),
        ("\n\nx,y\n\n1.5,-2\n\n\n3,4e-3\n\n  \n\n", "d.csv"),
        (" x , y \n 1.5 , -2 \n 3 ,+4E-3\n", "d.csv"),
        ('"x","y"\n"1.5","-2"\n"3","4e-3"\n', "d.csv"),
        ("x;y\n1.5;-2\n3;4e-3\n", "d.csv"),
        ("x;y\n1,5;-2\n3;4e-3\n", "d.csv"),
        ("x;y\n1,5;-2\n3;0,004\n", "d.csv"),
        ("x\ty\n1.5\t-2\n3\t4e-3\n", "d.tsv"),
        ("x\ty\n1,5\t-2\n3\t,004\n", "d.tsv"),
        ("x|y\n1.5|-2\n3|4e-3\n", "d.txt"),
        ("x y\n1.5 -2\n3 4e-3\n", "d.txt"),
        ("  x   y\n\n 1.5   -2\n   3 4e-3  \n", "d.txt"),
        ("x y\n1,5 -2\n3 0,004\n", "d.txt"),
        ("x,y\n1.5,-2\n3,4e-3\n", "D.CSV"),
        ("x,y\n1.5,-2\n3,4e-3\n", "pipe"),
        (b"\xef\xbb\xbfx,y\n1.5,-2\n3,4e-3\n", "d.csv"),
        ("x,y\n1.5,-2\n3,4e-3\n".encode("utf-16"), "d.csv"),
        ("x;y\r\n1,5;-2\r\n3;4e-3\r\n".encode("utf-16-be").join([b"\xfe\xff", b""]), "d.csv"),
        (gzip.compress(b"x,y\n1.5,-2\n3,4e-3\n", mtime=0), "d.csv.gz"),
        (gzip.compress(b"x\ty\n1.5\t-2\n3\t4e-3\n", mtime=0), "d.tsv.gz"),
        (gzip.compress(b"x,y\n1.5,-2\n3,4e-3\n", mtime=0), "d.csv"),
    ],
)
def test_layouts(write, content, name):
    assert columns(write(content, name)) == XY


@pytest.mark.parametrize(
    ("content", "names"),
    [
        ("Sepal Length,y\n1,2\n", ("Sepal Length", "y")),
        ('"a,b";"c""d"\n1;2\n', ("a,b", 'c"d')),
        ('"a\nb",c\n1,2\n', ("a\nb", "c")),
        (",x,y\n0,1,2\n", ("column1", "x", "y")),
        ("x,,\n0,1,2\n", ("x", "column2", "column3")),
        ("column2,\n0,1\n", ("column2", "column2_")),
        (",0,1\n0,1,2\n", ("column1", "0", "1")),
        ('"2019","2020"\n1,2\n', ("2019", "2020")),
        ("größe,β\n1,2\n", ("größe", "β")),
        ("Time, s;Weight, kg\n1,5;2,5\n", ("Time, s", "Weight, kg")),
        ("y\n1\n2\n", ("y",)),
    ],
)
def test_names(write, content, names):
    source = open_source(write(content))
    assert source.names == names
    assert all(len(source.table([name]).columns) == 1 for name in names)


def test_description_says_what_was_recognised(write):
    assert open_source(write("x,y\n1,2\n")).description == "data.csv (1 row, 2 columns)"
    assert open_source(write("x;y\n1,5;2\n2;3\n")).description == "data.csv (2 rows, 2 columns, decimal comma)"
    assert open_source(write("x;y\n1.5;2\n")).description == "data.csv (1 row, 2 columns)"


@pytest.mark.parametrize("null", NULLS)
def test_marks_of_missing_values(write, null):
    path = write(f"x,y\n1,{null}\n2,5\n3, {null} \n")
    assert columns(path, missing="drop") == {"x": [2.0], "y": [5.0]}
    with pytest.raises(DataError, match=r"row 1: a missing value \(line 2\); 2 of 3 rows have"):
        columns(path)


@pytest.mark.parametrize("cell", ["inf", "-Infinity", "1e999"])
def test_infinite_cells(write, cell):
    with pytest.raises(DataError, match=r"column 'y', row 2: an infinite value \(line 3\)"):
        columns(write(f"x,y\n1,2\n3,{cell}\n"))


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        ("0.1 .5 5. -0 +7 1e5 1E+05 007 1e-400", [0.1, 0.5, 5.0, -0.0, 7.0, 1e5, 1e5, 7.0, 0.0]),
        ("9007199254740993 123456789012345678901234567890", [2.0**53, 123456789012345678901234567890.0]),
        ("2.2250738585072011e-308 1.7976931348623157e308", [2.2250738585072011e-308, 1.7976931348623157e308]),
        ("true false True", [1.0, 0.0, 1.0]),
        ("1 2.5 3", [1.0, 2.5, 3.0]),
    ],
)
def test_cells(write, cells, values):
    assert columns(write("x,z\n" + "".join(f"{cell},0\n" for cell in cells.split())))["x"] == values


def test_type_of_a_column_may_show_late(write):
    content = "x,y\n" + "1,2\n" * 500_000 + "1.5,2\n+2, NA\n"
    table = open_source(write(content), missing="drop").table(["x", "y"])
    assert table.rows == 500_001
    assert table.column("x")[-2:].tolist() == [1.0, 1.5]
    assert table.dropped == 1


@pytest.mark.parametrize(
    ("content", "message", "row"),
    [
        ("x,y\n1,abc\n", r"holds text \('abc' in row 1, line 2\), not numbers", 1),
        ("x,y\n1,2\n1,\n\n1,abc\n", r"holds text \('abc' in row 3, line 5\)", 3),
        ('x,y\n"a\nb",2\n1,abc\n', r"holds text \('abc' in row 2, line 4\)", 2),
        ("x,y\n1,1.5\n2,5 kg\n", "line 3.*unit", 2),
        ('x,y\n1,"1,5"\n', "line 2.*decimal comma", 1),
        ('x,y\n1,"1,234,567"\n', "line 2.*thousands marks", 1),
        ("x;y\n0,5;1.234,5\n", "line 2.*thousands marks", 1),
        ("x;y\n1.5;2,5\n", "line 2.*decimal comma", 1),
        ("x\ty\n1\t1,234\n", "line 2.*decimal commas and thousands marks are not read here", 1),
        ("x,y\n1,yes\n", "write 1 for yes and 0 for no", 1),
        ("x,y\n1,2\n2,-\n", "line 3.*leave the cell empty", 2),
        ("x,y\n1,2020-01-01\n", r"holds dates or times, not numbers.*\(line 2\)", 1),
        ("x,y\n1,12:30\n", "holds dates or times", 1),
        ("x,y\n1,d\x1b[31mef\n", r"'d\?\[31mef'", 1),
        (b"x,y\n1,2\n1,Zo\xeb\n", r"holds text \('Zo.' in row 2, line 3\)", 2),
        (b"x,y\n1,2\n1,1\xa0000\n", r"holds text \('1.000' in row 2, line 3\)", 2),
    ],
)
def test_text_in_a_column_that_is_used(write, content, message, row):
    path = write(content)
    with pytest.raises(DataError, match=message) as caught:
        columns(path, ["y"])
    assert (caught.value.column, caught.value.row) == ("y", row)
    if row == 1 and "\n1" in str(content):
        assert len(columns(path, ["x"])["x"]) == 1  # unused, it does not matter


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "data.csv: the file is empty"),
        ("\n \n\r\n", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        ("x,y\n", "no rows of data"),
        ("x,y", "no rows of data"),
        ("x y\n\n\n", "no rows of data"),
        ("1,2\n3,4\n", "no line of names: the first line is '1,2'; .*such as 'x1,x2'"),
        ("1,5;2,5\n", "no line of names: the first line is '1,5;2,5'; .*such as 'x1;x2'"),
        ("5\n", "no line of names"),
        ("1 2\n3 4\n", "no line of names"),
        ("x,y,x,z,z\n1,2,3,4,5\n", "more than one column is named 'x', 'z'"),
        ("x, x\n1,2\n", "more than one column is named 'x'"),
        ("x,y\n1,2\n3\n", "row 2: .*data.csv: line 3 has 1 cell, but the line of names has 2"),
        ("x,y\n1,2\n\n3,4,5\n", "row 2: .*data.csv: line 4 has 3 cells, but the line of names has 2"),
        ('x,y\n"a\nb",2\n3\n', "row 2: .*data.csv: line 4 has 1 cell"),
        ("x,y\n1,2\n   \n3,4\n", "line 3 has 1 cell"),
        ("a title\nx,y\n1,2\n", "line 2 has 2 cells, but the line of names has 1"),
        ('x,y\n1,2\n"3,4\n5,6\n', "row 2: .*data.csv: a quotation mark on line 3 is never closed"),
        ('x,y\n1,2\n3,"4\n5,6\n', "row 2: .*data.csv: a quotation mark on line 3 is never closed"),
        ('x,y\n1,2\n3,"' + "4\n" * (5 << 20), "a quotation mark on line 3 is never closed"),
        (b"x,y\n1,\0\n", "this is not a text file .byte 7, on line 2, is zero"),
        (b"x,n\xe9\n1,2\n", "line 1 is not UTF-8 .byte 0xe9 in the name 'n.'.; save the file as UTF-8"),
        (b"\xff\xfex\x00,", "the text is not the UTF-16 it claims to be"),
        (b"PAR1\x15\x04", "not text in columns but a Parquet file: give it the ending .parquet"),
        (b"PK\x03\x04abc", "an Excel or zip file: save the sheet as CSV"),
        (b"\x1f\x8bgarbage", "the compressed file is damaged"),
        (gzip.compress(b"x,y\n1,2\n" * 1000, mtime=0)[:-9], "the compressed file is damaged"),
        ("x," * (3 << 20), "the first line is longer than 4 MiB"),
        ("x,y\n1," + "a" * (17 << 20) + "\n", "a row is longer than 8 MiB"),
        ("\x1b[2J,x\n1,2,\x07\n", "line 2 has 3 cells"),
    ],
)
def test_files_that_cannot_be_read(write, content, message):
    with pytest.raises(DataError, match=message) as caught:
        open_source(write(content))
    assert str(caught.value).isprintable()


def test_long_cells_that_are_not_used_do_not_matter(write):
    assert columns(write("x,y\n1," + "a" * (5 << 20) + "\n2,b\n"), ["x"]) == {"x": [1.0, 2.0]}


def test_multiline_cells_at_the_end_are_no_open_quotation(write):
    assert columns(write('x,y\n1,"a"\n2,"5"" or\n6"""\n'), ["x"]) == {"x": [1.0, 2.0]}
    assert columns(write('x,y\n1,5" a\n2,"c\nd"\n'), ["x"]) == {"x": [1.0, 2.0]}


def test_row_numbers_and_lines_with_blank_lines_and_long_cells(write):
    content = 'x,note\n\n1,"two\nlines"\n\n,b\n3,"c\n\n\nd"\nq,e\n'
    with pytest.raises(DataError, match=r"row 4: holds text \('q' in row 4, line 11\)"):
        columns(write(content), ["x"])
    content = content.replace("q", "4")
    with pytest.raises(DataError, match=r"row 2: a missing value \(line 6\)"):
        columns(write(content), ["x"])
    table = open_source(write(content), missing="drop").table(["x"])
    assert table.row_numbers.tolist() == [1, 3, 4]


NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**70), 2**70))


@given(
    st.lists(st.tuples(NUMBERS, NUMBERS, st.text("ab\"',;\n é", max_size=6)), min_size=1, max_size=20),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_round_trip_through_the_standard_library(tmp_path_factory, rows, delimiter, quoting, end):
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow(["x", "y", "note"])
    writer.writerows(rows)
    path = tmp_path_factory.mktemp("csv") / "d.csv"
    path.write_bytes(text.getvalue().encode())
    table = open_source(path).table(["y", "x"])
    assert table.column("x").tolist() == [float(x) for x, _, _ in rows]
    assert table.column("y").tolist() == [float(y) for _, y, _ in rows]


@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9)), min_size=1), st.sampled_from([";", "\t", "|"]))
def test_round_trip_with_decimal_commas(tmp_path_factory, rows, delimiter):
    rows = [(0.5, 0.5), *rows]  # so that the mark can be recognised
    text = "".join(f"{x!r}{delimiter}{y!r}\n".replace(".", ",") for x, y in rows)
    path = tmp_path_factory.mktemp("csv") / "d.csv"
    path.write_text(f"x{delimiter}y\n{text}")
    assert columns(path) == {"x": [x for x, _ in rows], "y": [y for _, y in rows]}


@given(st.lists(st.sampled_from(["a", "b", '"', '""', ",", "\n", '",', ',"', '\n"', '"\n']), max_size=30).map("".join))
@example('"a\nb","c""\n"\n\n"d",5" e\n')
def test_records_agree_with_the_standard_library(text):
    try:
        expected = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:  # an open quotation mark, or something behind a closed one
        assume(False)
    found = list(records(text.encode(), b","))
    cells = [[c[1:-1].replace(b'""', b'"') if c.startswith(b'"') else c for c in record.cells] for record in found]
    assert cells == [[cell.encode() for cell in row] for row in expected]
    assert [record.end for record in found] == sorted({record.end for record in found})
    for before, record in zip([0] + [record.end for record in found], found, strict=False):
        lead = text[before : record.end]
        assert record.line == text[:before].count("\n") + len(lead) - len(lead.lstrip("\n")) + 1


@given(st.binary(max_size=200) | st.text('0123456789.,;"\n\r\t |xye+-', max_size=200).map(str.encode))
@example(b'"')
@example(b'x,y\n"')
@example(b",\n,")
@example(b"\xff\xfe")
@example(b"\x1f\x8b")
@example(b"x\n\x0b\n")
@example(b'x\n"\n\n"')
def test_whatever_the_bytes_there_is_a_table_or_our_error(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("csv") / "d.csv"
    path.write_bytes(content)
    reasons = []
    try:
        source = open_source(path, missing="drop")
        for name in source.names:
            table = source.table([name])
            assert table.rows + table.dropped == source.rows
    except DataError as error:
        reasons.append(str(error))
    assert all(reason.isprintable() for reason in reasons)
