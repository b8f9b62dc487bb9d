"""Tests of `trainkit.data.targets`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import SettingError
from trainkit.data import ArrayColumn, Field
from trainkit.data.targets import classes_of, make_target

PATH = ("data", "targets", "kind")
TEXTS = ArrayColumn(np.array(["dog", "cat", "", "owl", "cat"]), origin="a.csv")
IDS = ArrayColumn(np.array([0, 2, 1], np.int16), Field((), "int32", ("a", "b", "c")), origin="labels.gz")
NUMBERS = ArrayColumn(np.array([1, 2, 3], np.float64))
COUNTS = ArrayColumn(np.array([1, 4, 3], np.int64))


def target(columns, classes=None):
    return make_target(columns, classes, path=PATH)


def test_classes_are_those_of_the_source():
    assert classes_of([IDS], np.arange(3), path=PATH) == ("a", "b", "c")


def test_classes_of_texts_are_sorted_and_never_empty():
    assert classes_of([TEXTS], np.arange(5), path=PATH) == ("cat", "dog", "owl")


def test_classes_come_from_good_rows_only():
    assert classes_of([TEXTS], np.array([0, 1, 2]), path=PATH) == ("cat", "dog")


def test_classes_of_texts_that_the_source_names_keep_its_order():
    column = TEXTS.with_field(classes=("owl", "dog", "cat"))
    assert classes_of([column], np.arange(5), path=PATH) == ("owl", "dog", "cat")
    assert target([column], ("owl", "dog", "cat")).column.array.tolist() == [1, 2, -1, 0, 2]


def test_whole_numbers_are_ids_up_to_the_largest_of_training():
    assert classes_of([COUNTS], np.arange(3), path=PATH) == ("0", "1", "2", "3", "4")
    assert classes_of([COUNTS], np.array([0, 2]), path=PATH) == ("0", "1", "2", "3")


def test_whole_numbers_too_large_for_ids_are_refused():
    with pytest.raises(SettingError, match=r"must be class ids below 65,536, or numbers of a float type"):
        classes_of([ArrayColumn(np.array([70_000]))], np.arange(1), path=PATH)


@pytest.mark.parametrize("columns", [[NUMBERS], [NUMBERS, COUNTS], [COUNTS, COUNTS]], ids=["one", "two", "whole"])
def test_numbers_have_no_classes(columns):
    assert classes_of(columns, np.arange(3), path=PATH) is None


def test_ids_stay_what_they_are():
    column, bad = target([IDS], ("a", "b", "c"))
    assert column.array.tolist() == [0, 2, 1]
    assert (column.array.dtype, column.field) == (np.int32, Field((), "int32", ("a", "b", "c")))
    assert (column.original(2), bad) == ("labels.gz, row 2", {})


@pytest.mark.parametrize("shape", [(5,), (5, 1)], ids=["flat", "one column"])
def test_texts_become_ids(shape):
    texts = ArrayColumn(np.array(["dog", "cat", "owl", "cat", "dog"]).reshape(shape))
    column, bad = target([texts], ("cat", "dog", "owl"))
    assert column.array.tolist() == [1, 0, 2, 0, 1]
    assert (column.field, bad) == (Field((), "int32", ("cat", "dog", "owl")), {})


def test_text_that_is_no_class_makes_its_row_bad():
    assert target([TEXTS], ("cat", "dog")).bad == {
        2: "a label must be a class of the training samples: cat, dog. Received: ''.",
        3: "a label must be a class of the training samples: cat, dog. Received: 'owl'.",
    }


def test_many_classes_are_not_all_listed():
    classes = tuple(f"c{index}" for index in range(9))
    (reason,) = target([ArrayColumn(np.array(["zebra"]))], classes).bad.values()
    assert reason.endswith("samples: c0, c1, c2, c3, c4, c5, c6, c7, …. Received: 'zebra'.")


def test_id_out_of_range_makes_its_row_bad():
    column = ArrayColumn(np.array([0, 2, -3], np.int32), Field((), "int32", ("a", "b")))
    assert target([column], ("a", "b")).bad == {
        1: "a label must be in [0, 1], the id of one of 2 classes. Received: 2.",
        2: "a label must be in [0, 1], the id of one of 2 classes. Received: -3.",
    }


def test_numbers_stand_side_by_side():
    rows = ArrayColumn(np.array([[4, 5], [6, 7], [8, 9]], np.uint8), origin="b.npy")
    column, bad = target([NUMBERS, rows])
    assert column.array.tolist() == [[1, 4, 5], [2, 6, 7], [3, 8, 9]]
    assert (column.array.dtype, column.field, bad) == (np.float32, Field((3,)), {})


def test_one_number_is_a_column_of_one():
    assert target([NUMBERS]).column.array.tolist() == [[1], [2], [3]]


def test_number_that_is_not_finite_makes_its_row_bad():
    second = ArrayColumn(np.array([0, np.nan, 0], np.float32))
    assert target([NUMBERS, second]).bad == {1: "must be a finite number. Received: nan."}


def test_missing_number_can_go_in_but_not_be_learned():
    column = ArrayColumn(np.array([0, np.nan], np.float32), missing=True)
    assert target([column]).bad == {1: "the target must have a value. Received: none."}


def test_what_the_reader_knows_of_a_row_is_told():
    column = ArrayColumn(np.array([0, np.nan], np.float32), known_bad={1: "column 'a' must be a number."})
    assert target([column]).bad == {1: "column 'a' must be a number."}


@pytest.mark.parametrize(
    "columns, classes, message",
    [
        ([ArrayColumn(np.zeros((3, 2, 2, 1)))], None, r"^must be labels or numbers, not images\.$"),
        ([IDS, NUMBERS], ("a", "b", "c"), r"^must be one column where it is a class\. Received: 2 columns\.$"),
        ([NUMBERS, IDS], None, r"^must be one column where it is a class\. Received: 2 columns\.$"),
        ([NUMBERS, TEXTS], None, r"^must be one column where it is a class\. Received: 2 columns\.$"),
    ],
    ids=["image", "class first", "class second", "text second"],
)
def test_columns_that_are_no_target_are_refused(columns, classes, message):
    with pytest.raises(SettingError, match=message) as caught:
        target(columns, classes)
    assert caught.value.path == PATH
