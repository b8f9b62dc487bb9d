"""Tests of `trainkit.data.columns`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data import ArrayColumn, Field
from trainkit.framework import tf

ROWS = np.arange(3)
NUMBERS = np.arange(12, dtype=np.uint8).reshape(3, 4)
TEXTS = np.array(["a", "", "bcd"])


@pytest.mark.parametrize(
    "array, field",
    [
        (np.zeros((3, 2, 2, 1), np.uint8), Field((2, 2, 1), value_range=(0.0, 255.0))),
        (np.zeros((3, 4), np.float32), Field((4,))),
        (np.zeros(3, np.int64), Field(())),
        (TEXTS, Field((), "string")),
        (TEXTS.astype(object).reshape(3, 1), Field((1,), "string")),
    ],
    ids=["bytes", "floats", "ids", "texts", "objects"],
)
def test_column_tells_what_its_array_tells(array, field):
    assert ArrayColumn(array).field == field


def test_column_has_a_row_for_each_sample():
    assert len(ArrayColumn(np.zeros((5, 2)))) == 5


def test_values_keep_their_dtype_and_are_cast_in_the_batch():
    column = ArrayColumn(NUMBERS)
    batch = column.gather(tf.constant([2, 0]))
    assert column.array.dtype == np.uint8
    assert batch.dtype == "float32"
    assert batch.numpy().tolist() == NUMBERS[[2, 0]].tolist()


@pytest.mark.parametrize("dtype", ["int32", "int64", "float32"])
def test_batch_has_the_dtype_of_the_field(dtype):
    assert ArrayColumn(NUMBERS, Field((4,), dtype)).gather(ROWS).dtype == dtype


def test_texts_are_strings_in_the_batch():
    batch = ArrayColumn(np.array(["é", "", "bcd"])).gather(tf.constant([2, 0]))
    assert batch.dtype == "string"
    assert [text.decode() for text in batch.numpy()] == ["bcd", "é"]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
@pytest.mark.parametrize("shape", [(4,), (4, 2), (4, 2, 2, 1)], ids=["number", "features", "image"])
def test_number_that_is_not_finite_makes_its_row_bad(value, shape):
    array = np.zeros(shape, np.float32)
    array.reshape(4, -1)[2, -1] = value
    assert list(ArrayColumn(array).bad()) == [(2, f"must be a finite number. Received: {value!r}.")]


def test_first_number_that_is_not_finite_is_shown():
    array = np.array([[0, np.inf, np.nan], [np.nan, 0, 0]], np.float32)
    assert [reason for _, reason in ArrayColumn(array).bad()] == [
        "must be a finite number. Received: inf.",
        "must be a finite number. Received: nan.",
    ]


def test_missing_number_is_good_where_the_network_takes_care_of_it():
    array = np.array([[0, np.nan], [np.nan, np.inf], [0, 0]], np.float32)
    assert list(ArrayColumn(array, missing=True).bad()) == [(1, "must be a finite number. Received: inf.")]


@pytest.mark.parametrize("array", [NUMBERS, TEXTS], ids=["bytes", "texts"])
def test_what_cannot_be_infinite_is_never_bad(array):
    assert list(ArrayColumn(array).bad()) == []


def test_row_that_its_reader_knows_to_be_bad_is_told_once():
    column = ArrayColumn(np.array([0, np.nan, np.nan], np.float32), known_bad={1: "is no number. Received: 'x'."})
    assert list(column.bad()) == [
        (1, "is no number. Received: 'x'."),
        (2, "must be a finite number. Received: nan."),
    ]


@pytest.mark.parametrize(
    "array, origin, place",
    [
        (np.zeros((3, 2, 2, 1)), "images.gz", "images.gz, image 2"),
        (np.zeros((3, 4)), "rows.npy", "rows.npy, row 2"),
        (np.zeros(3), "labels.gz", "labels.gz, row 2"),
        (np.zeros(3), lambda row: f"table.csv, line {row + 2}", "table.csv, line 4"),
    ],
    ids=["image", "features", "number", "function"],
)
def test_original_says_where_a_row_comes_from(array, origin, place):
    assert ArrayColumn(array, origin=origin).original(2) == place


def test_digest_is_the_same_as_long_as_the_values_are():
    first = ArrayColumn(NUMBERS).digest(ROWS)
    assert ArrayColumn(NUMBERS.copy(), origin="elsewhere").digest(ROWS) == first
    assert ArrayColumn(np.repeat(NUMBERS, 2, axis=1)[:, ::2]).digest(ROWS) == first
    assert ArrayColumn(NUMBERS[[2, 0]]).digest(np.arange(2)) == ArrayColumn(NUMBERS).digest(np.array([2, 0]))
    assert len(first) == 32


@pytest.mark.parametrize(
    "array, rows",
    [
        (NUMBERS + 1, ROWS),
        (NUMBERS.astype(np.int8), ROWS),
        (NUMBERS.reshape(3, 2, 2), ROWS),
        (NUMBERS, ROWS[::-1]),
        (NUMBERS, ROWS[:2]),
    ],
    ids=["values", "dtype", "shape", "order", "rows"],
)
def test_digest_is_another_where_something_differs(array, rows):
    assert ArrayColumn(array).digest(rows) != ArrayColumn(NUMBERS).digest(ROWS)


def test_digest_of_texts_is_that_of_the_texts_alone():
    first = ArrayColumn(TEXTS).digest(ROWS)
    assert ArrayColumn(TEXTS.astype(object)).digest(ROWS) == first
    assert ArrayColumn(np.array(["a", "", "bcd", "longer"])).digest(ROWS) == first


@pytest.mark.parametrize("texts", [["a", "b", "cd"], ["a", "bcd", ""], ["A", "", "bcd"]], ids=["cut", "order", "case"])
def test_digest_of_other_texts_is_another(texts):
    assert ArrayColumn(np.array(texts)).digest(ROWS) != ArrayColumn(TEXTS).digest(ROWS)


def test_digest_takes_an_empty_text():
    empty, full = (ArrayColumn(np.array([text])).digest(np.array([0])) for text in ("", "a"))
    assert empty != full


def test_with_field_changes_the_field_alone():
    array = np.array([0, np.nan], np.float32)
    column = ArrayColumn(array, origin="a.csv", missing=True, known_bad={0: "is odd."})
    other = column.with_field(dtype="int64", columns=("a",))
    assert other.field == Field((), "int64", columns=("a",))
    assert other.array is array
    assert (other.original(1), list(other.bad())) == ("a.csv, row 1", [(0, "is odd.")])
    assert column.field == Field(())
