"""Tests of `trainkit.data.sources.csv`, and so of `trainkit.data.csv_table` and `csv_columns`."""

from __future__ import annotations

import csv as standard
import io
import re
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainkit.data.sources.csv import csv
from trainkit.errors import DataError

PENGUINS = """\
species,island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex,year
Adelie,Torgersen,39.1,18.7,181,3750,male,2007
Adelie,Torgersen,39.5,17.4,186,3800,female,2007
Adelie,Torgersen,NA,NA,NA,NA,NA,2007
Gentoo,Biscoe,46.1,13.2,211,4500,female,2008
Gentoo,Biscoe,44.5,14.3,216,4100,NA,2008
Chinstrap,Dream,46.5,17.9,192,3500,female,2009
"""
NUMBERS = "a,b\n1,x\n2,y\n3,z\n"
MISSING = ["", " ", "NA", " NA ", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None", "?"]


@pytest.fixture
def read(tmp_path):
    """Write texts (or bytes) as CSV files and call the source on them."""

    def call(path, *, test=None, validation=None, **arguments):
        files = {"path": ("train.csv", path), "test": ("test.csv", test), "validation": ("val.csv", validation)}
        for key, (name, content) in files.items():
            if content is not None:
                arguments[key] = tmp_path / name
                arguments[key].write_bytes(content if isinstance(content, bytes) else content.encode())
        return csv(**arguments)

    return call


def values(records):
    return {name: column.array.tolist() for name, column in records.columns.items()}


def test_columns_are_numbers_or_texts(read):
    columns = read(PENGUINS, missing="keep").train.columns
    texts = {name for name, column in columns.items() if column.field.dtype == "string"}
    assert list(columns) == PENGUINS.splitlines()[0].split(",")
    assert texts == {"species", "island", "sex"}
    assert {column.array.dtype for name, column in columns.items() if name in texts} == {np.dtype(object)}
    assert {column.array.dtype for name, column in columns.items() if name not in texts} == {np.dtype(np.float32)}
    assert {column.field.shape for column in columns.values()} == {()}


def bad_rows(part):
    """The rows that cannot be used where all columns are, each with its first reason, as the loader tells it."""
    found = dict(part.bad)
    for column in part.columns.values():
        for row, reason in column.bad():
            found.setdefault(row, f"{column.original(row)}: {reason}")
    return dict(sorted(found.items()))


def test_no_column_is_the_target(read):
    assert read(NUMBERS).train.target is None


def test_rows_with_missing_values_are_bad(read):
    train = read(PENGUINS).train
    assert train.size == 6
    assert bad_rows(train) == {
        2: "train.csv, line 4: column 'bill_length_mm' must have a value. Received: 'NA'. Fill it in, or set "
        "`missing: drop` or `missing: keep`.",
        4: "train.csv, line 6: column 'sex' must have a value. Received: 'NA'. Fill it in, or set `missing: drop` or "
        "`missing: keep`.",
    }


def test_rows_with_missing_values_can_be_dropped(read):
    train = read(PENGUINS, missing="drop").train
    assert values(train)["body_mass_g"] == [3750, 3800, 4500, 3500]
    assert values(train)["sex"] == ["male", "female", "female", "female"]
    assert [train.columns["sex"].original(row) for row in range(4)] == [f"train.csv, line {n}" for n in (2, 3, 5, 7)]
    assert bad_rows(train) == {}


def test_missing_values_can_be_kept(read):
    train = read(PENGUINS, missing="keep").train
    assert values(train)["sex"] == ["male", "female", "", "female", "", "female"]
    assert np.isnan(train.columns["body_mass_g"].array).tolist() == [False, False, True, False, False, False]
    assert [list(column.bad()) for column in train.columns.values()] == [[]] * 8
    assert bad_rows(train) == {}


def test_tensorflow_takes_the_columns(read):
    columns = read(PENGUINS, missing="keep").train.columns
    assert columns["sex"].gather([2, 0]).numpy().tolist() == [b"", b"male"]
    assert columns["year"].gather([2, 0]).numpy().tolist() == [2007, 2007]


def test_dropping_moves_the_bad_rows_along(read):
    train = read("a,b\n1,2\n,2\n1,2,3\n1,inf\n", missing="drop").train
    assert list(bad_rows(train)) == [1, 2]
    assert [bad_rows(train)[row][: len("train.csv, line 4")] for row in (1, 2)] == [
        "train.csv, line 4",
        "train.csv, line 5",
    ]


@pytest.mark.parametrize("cell", MISSING, ids=repr)
def test_missing_values_are_known_among_numbers(read, cell):
    assert bad_rows(read(f"a,b\n1,x\n{cell},y\n").train).keys() == {1}


@pytest.mark.parametrize("cell", MISSING, ids=repr)
def test_missing_values_are_known_among_texts(read, cell):
    assert values(read(f"a,b\n1,x\n2,{cell}\n", missing="keep").train)["b"] == ["x", ""]


def test_column_without_any_value_is_one_of_numbers(read):
    assert np.isnan(values(read("a,b\n1,\n2,NA\n", missing="keep").train)["b"]).all()


@pytest.mark.parametrize(
    "cell, number",
    [("7", 7), ("-0.5", -0.5), ("1e-3", np.float32(1e-3)), ("+2.", 2), (".5", 0.5), (" 7 ", 7), ("\t7", 7), ('"7"', 7)],
)
def test_numbers_are_read(read, cell, number):
    assert values(read(f"a,b\n{cell},1\n").train)["a"] == [number]


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1,5", "1 2", "2007-11-16", "1/2", "€5", "--1"])
def test_other_cells_make_a_column_of_texts(read, cell):
    assert values(read(f'a,b\n"{cell}",1\n3,1\n').train)["a"] == [cell, "3"]


def test_text_far_down_makes_a_column_of_texts(read):
    rows = "".join(f"{row},{row}\n" for row in range(20_000))
    train = read(f"a,b\n{rows}x,0\n").train
    assert values(train)["a"] == [*(str(row) for row in range(20_000)), "x"]
    assert values(train)["b"] == [*range(20_000), 0]
    assert train.columns["b"].original(20_000) == "train.csv, line 20002"


def test_texts_stay_as_they_are_written(read):
    assert values(read('a,b\n" x ",Ä\n"say ""hi""","1,2\n3"\n').train) == {
        "a": [" x ", 'say "hi"'],
        "b": ["Ä", "1,2\n3"],
    }


def test_categorical_columns_are_texts(read):
    columns = read(PENGUINS, missing="drop", categorical=["year"]).train.columns
    assert columns["year"].array.tolist() == ["2007", "2007", "2008", "2009"]
    assert columns["year"].field.dtype == "string"


def test_unknown_categorical_column_is_refused(read):
    with pytest.raises(
        DataError, match=r"`categorical` must name columns of .*species.*Received: 'yaer'\. Did you mean 'year'\?"
    ):
        read(PENGUINS, categorical=["yaer"])


@pytest.mark.parametrize(
    "cell, why",
    [
        ("inf", "must be a finite number of 32 bits. Received: 'inf'."),
        ("-Infinity", "must be a finite number of 32 bits. Received: '-Infinity'."),
        ("1e999", "must be a finite number of 32 bits. Received: '1e999'."),
        ("1e39", "must be a finite number of 32 bits. Received: '1e39'."),
        ("-nan", "must be a finite number of 32 bits. Received: '-nan'."),
    ],
)
@pytest.mark.parametrize("missing", ["fail", "drop", "keep"])
def test_numbers_that_are_not_finite_are_bad(read, cell, why, missing):
    assert bad_rows(read(f"a,b\n1,x\n{cell},y\n", missing=missing).train) == {1: f"train.csv, line 3: column 'a' {why}"}


def test_text_among_the_numbers_of_the_test_file_is_bad(read):
    source = read(NUMBERS, test="a,b\n1,x\nfour,y\n")
    assert bad_rows(source.train) == {}
    assert bad_rows(source.test) == {
        1: "test.csv, line 3: column 'a' must be a number, as in the training file. Received: 'four'. Mend it, or "
        "name the column in `categorical`."
    }


def test_numbers_among_the_texts_of_the_test_file_are_texts(read):
    assert values(read(NUMBERS, test="a,b\n1,7\n").test)["b"] == ["7"]


def test_test_and_validation_files_make_parts(read):
    source = read(NUMBERS, test="b,a\nx,4\n", validation="a,b\n5,y\n")
    assert list(source.present) == ["train", "validation", "test"]
    assert values(source.test) == {"a": [4], "b": ["x"]}
    assert values(source.validation) == {"a": [5], "b": ["y"]}
    assert source.test.columns["a"].original(0) == "test.csv, line 2"


def test_without_other_files_there_is_only_a_training_part(read):
    assert list(read(NUMBERS).present) == ["train"]


@pytest.mark.parametrize("part", ["test", "validation"])
@pytest.mark.parametrize(
    "names, came",
    [("a,c", "no 'b', 'c', which is not there"), ("a,b,c", "'c', which is not there"), ("b", "no 'a'")],
    ids=["other", "more", "fewer"],
)
def test_parts_of_other_columns_are_refused(read, part, names, came):
    with pytest.raises(DataError, match=rf"line 1: must name the columns of .*train\.csv\. Received: {came}\."):
        read(NUMBERS, **{part: f"{names}\n1,2,3\n"})


def test_ragged_rows_are_bad(read):
    train = read("a,b\n1,x\n2\n3,y,z\n4,w\n").train
    assert bad_rows(train) == {
        row: f"train.csv, line {row + 2}: must have 2 cells, one a column. Received: {count}. Mend the row; a cell "
        "that holds the delimiter needs quotes."
        for row, count in ((1, 1), (2, 3))
    }
    assert train.columns["a"].field.dtype == "float32"
    assert values(train)["b"] == ["x", "", "", "w"]


def test_bad_rows_are_found_far_down(read):
    train = read("a,b\n" + "1,x\n" * 20_000 + "2\n,y\ninf,z\n").train
    assert [bad_rows(train)[row].split(": ")[0] for row in bad_rows(train)] == [
        "train.csv, line 20002",
        "train.csv, line 20003",
        "train.csv, line 20004",
    ]
    assert list(bad_rows(train)) == [20_000, 20_001, 20_002]


def test_single_column_may_have_the_delimiter_in_its_name(read):
    assert list(read('"a,b"\n1\n').train.columns) == ["a,b"]


def test_lines_are_counted_as_in_an_editor(read):
    train = read('a,b\n\n"1\n2",x\r\n\n3,y\n4\n').train
    assert [train.columns["a"].original(row) for row in range(3)] == [f"train.csv, line {n}" for n in (3, 6, 7)]
    assert bad_rows(train)[2].startswith("train.csv, line 7: ")


def test_line_ends_of_old_macs_are_read(read):
    assert values(read("a,b\r1,x\r2,y\r").train) == {"a": [1, 2], "b": ["x", "y"]}


def test_byte_order_mark_is_no_part_of_a_name(read):
    assert list(read("\ufeffa,b\n1,2\n").train.columns) == ["a", "b"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"], ids=repr)
def test_delimiter_can_be_said(read, delimiter):
    text = NUMBERS.replace(",", delimiter)
    assert values(read(text, delimiter=delimiter).train) == {"a": [1, 2, 3], "b": ["x", "y", "z"]}


@pytest.mark.parametrize("delimiter, shown", [(";", "';'"), ("\t", r'"\\t"'), ("|", r"'\|'")], ids=[";", "tab", "|"])
def test_delimiter_that_was_not_said_is_named(read, delimiter, shown):
    with pytest.raises(
        DataError, match=rf"line 1: must name columns with ',' .*Received: one column, .*; set `delimiter: {shown}`"
    ):
        read(NUMBERS.replace(",", delimiter))


@pytest.mark.parametrize("delimiter", ["", ";;", "\\t", '"', "\n", "\0"], ids=repr)
def test_delimiter_must_be_one_character(read, delimiter):
    with pytest.raises(DataError, match=r"`delimiter` must be one character.*Received: delimiter=.*A tab is"):
        read(NUMBERS, delimiter=delimiter)


@pytest.mark.parametrize(
    "content, came",
    [
        ("a,a\n1,2\n", r"line 1, column 2: must have a name of its own\. Received: 'a', the name of column 1 too"),
        (",a\n1,2\n", r"line 1, column 1: must have a name\. Received: ''.*index=False"),
        ("a,b, \n1,2,3\n", r"line 1, column 3: must have a name\. Received: ' '"),
        ("", r"must be a CSV file: .*Received: an empty file\."),
        ("\n\n", r"must be a CSV file: .*Received: an empty file\."),
        ("a,b\n", r"must be a CSV file: .*Received: a header alone\."),
        ("a,b\n\n", r"must be a CSV file: .*Received: a header alone\."),
        (
            "a,b\nx,1\ncafé,2\n".encode("latin-1"),
            r"line 3, byte 4: must be UTF-8 text\. Received: the byte 0xe9.*iconv",
        ),
        ("a,b\n1,2\n".encode("utf-16"), r"line 1, byte 1: must be UTF-8.*Received: UTF-16 text"),
        (b"\x1f\x8b\x08\0", r"line 1, byte 2: must be UTF-8.*Received: a gzip file"),
        (b"PK\x03\x04\xff", r"line 1, byte 5: must be UTF-8.*Received: a zip file or a workbook"),
        ("a,b\n1,x\n2,y\0\n", r"line 3, column 'b': must be text\. Received: a NUL byte"),
        ("a,b\0\n1,x\n", r"line 1, column 2: must be text\. Received: a NUL byte"),
        ('a,b\n1,x\n2,"y\n3,z\n4,w\n', r"line 3: must be cells .*Received: unexpected end of data\. Close every quote"),
        ('a,b\n1,"x"y\n', r"line 2: must be cells .*Received: ',' expected after '\"'"),
        (f"a,b\n1,{'x' * 140_000}\n", r"line 2: must be cells .*Received: field larger than field limit \(131072\)"),
    ],
    ids=[
        "name twice",
        "no name",
        "blank name",
        "empty",
        "blank",
        "header alone",
        "header and blank line",
        "latin-1",
        "utf-16",
        "gzip",
        "zip",
        "nul",
        "nul in header",
        "open quote",
        "text after quote",
        "long cell",
    ],
)
def test_file_that_is_no_table_is_refused(read, content, came):
    with pytest.raises(DataError, match=rf"train\.csv.*{came}"):
        read(content)


def test_byte_that_is_no_text_is_found_far_down(read):
    with pytest.raises(DataError, match=r"line 20002, byte 3: must be UTF-8 text\. Received: the byte 0xff"):
        read(b"a,b\n" + b"1,2\n" * 20_000 + b"1,\xff\n")


def test_file_without_complete_row_cannot_drop(read):
    with pytest.raises(DataError, match=r"must have a row without a missing value\. Received: 2 rows, none complete"):
        read("a,b\n1,\n,2\n", missing="drop")


@pytest.mark.parametrize(
    "name, came",
    [("nothing.csv", "no such file"), (".", "a directory"), ("x" * 300, "File name too long")],
    ids=["missing", "directory", "name"],
)
def test_path_that_is_no_file_is_refused(tmp_path, name, came):
    with pytest.raises(DataError, match=rf"must be a CSV file: .*Received: {came}\. Check the "):
        csv(path=tmp_path / name)


def test_file_without_permission_is_refused(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    filepath = tmp_path / "train.csv"
    filepath.write_text(NUMBERS)
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"must be a CSV file: .*Received: Permission denied\. Check the file\."):
        csv(path=filepath)


cells = st.text(st.one_of(st.sampled_from(" ,;|\t\"'\r\n?"), st.characters(codec="utf-8", exclude_characters="\0")))


@settings(deadline=None)
@given(rows=st.lists(st.tuples(cells, cells, cells), min_size=1), delimiter=st.sampled_from(",;|\t"))
def test_tables_read_back_as_python_writes_them(rows, delimiter):
    names = ["plain", "with , and ;", 'with "quotes"\nin two lines']
    text = io.StringIO(newline="")
    standard.writer(text, delimiter=delimiter).writerows([names, *rows])
    with tempfile.TemporaryDirectory() as folder:
        filepath = Path(folder) / "table.csv"
        filepath.write_bytes(text.getvalue().encode())
        train = csv(path=filepath, categorical=names, missing="keep", delimiter=delimiter).train
    expected = [tuple("" if cell.strip() in MISSING else cell for cell in row) for row in rows]
    assert list(zip(*values(train).values(), strict=True)) == expected
    assert bad_rows(train) == {}
    heights = [1 + sum(len(re.findall("\r\n|\r|\n", cell)) for cell in row) for row in rows]
    lines = [3 + sum(heights[:row]) for row in range(len(rows))]
    assert [train.columns["plain"].original(row) for row in range(len(rows))] == [
        f"table.csv, line {line}" for line in lines
    ]


@settings(deadline=None)
@given(numbers=st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1))
def test_numbers_read_back_exactly(numbers):
    with tempfile.TemporaryDirectory() as folder:
        filepath = Path(folder) / "table.csv"
        filepath.write_text("".join(["a,b\n", *(f"{number!r},{number:.9g}\n" for number in numbers)]))
        found = values(csv(path=filepath).train)
    assert {name: [float(np.float32(value)) for value in column] for name, column in found.items()} == {
        "a": numbers,
        "b": numbers,
    }


def test_whole_numbers_too_large_for_32_bits_stay_what_they_are(read):
    ids = [16_777_217, 2**40 + 1, 2**53 - 1]
    assert values(read("a,b\n" + "".join(f"{number},x\n" for number in ids)).train)["a"] == ids
