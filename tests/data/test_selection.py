"""Tests of `trainkit.data.selection`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import SettingError
from trainkit.data import ArrayColumn, Records
from trainkit.data.images import ImageFiles
from trainkit.data.selection import column_path, input_columns, target_columns, weight_column

TWO_INPUTS = {
    "model__input": ...,
    "model__inputs": {"left": {"shape": [1]}, "right": {"shape": [1]}},
    "model__layers": [
        {"Dense": {"units": 2}, "inputs": "left", "name": "digit"},
        {"Dense": {"units": 2}, "inputs": "right", "name": "parity"},
    ],
    "model__outputs": ["digit", "parity"],
    "training__loss": {"digit": "Hinge", "parity": "Hinge"},
}


def records_of(*names, target=None):
    return Records({name: ArrayColumn(np.arange(3.0)) for name in names}, target)


@pytest.fixture
def chosen(make_config):
    """The names of the columns that `choose` finds for a config."""

    def call(choose, records, **changes):
        found = choose(records, make_config(**changes).experiment)
        assert all(column is records.columns[key] for columns in found.values() for key, column in columns.items())
        return {name: list(columns) for name, columns in found.items()}

    return call


@pytest.mark.parametrize(
    "records, written, expected",
    [
        (records_of("image", "label", target="label"), None, ["label"]),
        (records_of("image", "label", target="label"), "image", ["image"]),
        (records_of("a", "b", "c"), ["c", "a"], ["c", "a"]),
        (records_of("a", "b", "c"), {"digit": "b"}, ["b"]),
        (records_of("a", "b", "c"), {"digit": ["b", "c"]}, ["b", "c"]),
    ],
    ids=["of the source", "other than the source", "list", "mapping", "mapping to a list"],
)
def test_target_is_what_is_written_or_what_the_source_says(chosen, records, written, expected):
    assert chosen(target_columns, records, data__targets=written) == {"digit": expected}


def test_each_output_has_its_target(chosen):
    written = {"digit": "b", "parity": ["c", "a"]}
    assert chosen(target_columns, records_of("a", "b", "c"), **TWO_INPUTS, data__targets=written) == {
        "digit": ["b"],
        "parity": ["c", "a"],
    }


def test_outputs_share_the_target_of_the_source(chosen):
    assert chosen(target_columns, records_of("left", "label", target="label"), **TWO_INPUTS) == {
        "digit": ["label"],
        "parity": ["label"],
    }


@pytest.mark.parametrize(
    "records, changes, expected",
    [
        (records_of("image", "label", target="label"), {}, ["image"]),
        (records_of("a", "b", "c"), {"data__targets": "b"}, ["a", "c"]),
        (records_of("a", "b", "c", "d"), {"data__targets": ["b", "d"]}, ["a", "c"]),
        (records_of("a", "b", "c", "d"), {"data__targets": {"digit": ["b", "d"]}}, ["a", "c"]),
        (records_of("a", "b", "w"), {"data__targets": "b", "data__sample_weight": "w"}, ["a"]),
        (records_of("input", "b", "c"), {"data__targets": "b"}, ["input"]),
        (records_of("a", "b", "c"), {"data__targets": "b", "data__inputs": "c"}, ["c"]),
        (records_of("a", "b", "c"), {"data__targets": "b", "data__inputs": ["c", "a"]}, ["c", "a"]),
        (records_of("a", "b", "c"), {"data__targets": "b", "data__inputs": {"input": ["c", "a"]}}, ["c", "a"]),
        (records_of("a", "b"), {"data__targets": "b", "data__inputs": "b"}, ["b"]),
    ],
    ids=[
        "all but the target",
        "all but targets",
        "all but a list",
        "all but a mapping",
        "all but the weight",
        "of its name",
        "written",
        "list",
        "mapping",
        "the target itself",
    ],
)
def test_single_input_takes_what_is_left(chosen, records, changes, expected):
    assert chosen(input_columns, records, **changes) == {"input": expected}


def test_several_inputs_take_the_columns_of_their_names(chosen):
    records = records_of("right", "label", "left", target="label")
    assert chosen(input_columns, records, **TWO_INPUTS) == {"left": ["left"], "right": ["right"]}


def test_several_inputs_take_what_is_written(chosen):
    records = records_of("a", "b", "c", target="c")
    written = {"left": ["b", "a"], "right": "b"}
    assert chosen(input_columns, records, **TWO_INPUTS, data__inputs=written) == {"left": ["b", "a"], "right": ["b"]}


COLUMNS = r"Columns: image, label\.$"


@pytest.mark.parametrize(
    "choose, changes, path, message",
    [
        (target_columns, {}, ("data", "targets"), rf"^must name the column to learn\. {COLUMNS}"),
        (
            target_columns,
            {"data__targets": "labl"},
            ("data", "targets"),
            rf"^the data has no column 'labl'\. Did you mean 'label'\? {COLUMNS}",
        ),
        (
            target_columns,
            {"data__targets": {"digit": ["label", "zebra"]}},
            ("data", "targets", "digit"),
            rf"^the data has no column 'zebra'\. {COLUMNS}",
        ),
        (
            input_columns,
            {"data__inputs": ["image", "zebra"]},
            ("data", "inputs"),
            rf"^the data has no column 'zebra'\. {COLUMNS}",
        ),
        (
            input_columns,
            {"data__inputs": {"input": "imag"}},
            ("data", "inputs", "input"),
            rf"^the data has no column 'imag'\. Did you mean 'image'\? {COLUMNS}",
        ),
        (input_columns, TWO_INPUTS, ("data", "inputs"), rf"^the data has no column 'left'\. {COLUMNS}"),
        (
            input_columns,
            {"data__targets": ["image", "label"]},
            ("data", "inputs"),
            rf"^the data has no column for the input\. {COLUMNS}",
        ),
        (
            weight_column,
            {"data__sample_weight": "imag"},
            ("data", "sample_weight"),
            rf"^the data has no column 'imag'\. Did you mean 'image'\? {COLUMNS}",
        ),
    ],
    ids=["none said", "target", "target by name", "input", "input by name", "several", "nothing left", "weight"],
)
def test_missing_column_is_named(make_config, choose, changes, path, message):
    with pytest.raises(SettingError, match=message) as caught:
        choose(records_of("image", "label"), make_config(**changes).experiment)
    assert caught.value.path == path


def test_many_columns_are_not_all_listed(make_config):
    records = records_of(*(f"c{index}" for index in range(13)))
    with pytest.raises(SettingError, match=r"Columns: c0, c1, .*, c11, …\.$"):
        target_columns(records, make_config().experiment)


def test_weight_is_a_number_of_each_sample(make_config):
    column = ArrayColumn(np.array([1, 2, 3], np.int64), origin="a.csv", known_bad={1: "is odd."}, missing=True)
    weight = weight_column(Records({"w": column}), make_config(data__sample_weight="w").experiment)
    assert (weight.array.tolist(), weight.field.dtype, weight.original(2)) == ([1, 2, 3], "float32", "a.csv, row 2")
    assert list(weight.bad()) == [(1, "is odd.")]


def test_weight_must_not_be_missing(make_config):
    column = ArrayColumn(np.array([1, np.nan], np.float32), missing=True)
    weight = weight_column(Records({"w": column}), make_config(data__sample_weight="w").experiment)
    assert list(weight.bad()) == [(1, "must be a finite number. Received: nan.")]


def test_no_weight_is_none(make_config):
    assert weight_column(records_of("a"), make_config().experiment) is None


@pytest.mark.parametrize(
    "column",
    [ArrayColumn(np.array(["a"])), ArrayColumn(np.zeros((1, 2))), ImageFiles([], root=None)],
    ids=["text", "two", "images"],
)
def test_weight_that_is_no_number_is_refused(make_config, column):
    with pytest.raises(SettingError, match=r"^must be a column of numbers\. Received: 'w'\.$"):
        weight_column(Records({"w": column}), make_config(data__sample_weight="w").experiment)


@pytest.mark.parametrize(
    "written, path",
    [(None, ()), ("a", ()), (["a"], ()), ({"input": "a"}, ("input",))],
    ids=["default", "text", "list", "mapping"],
)
def test_column_path_is_where_the_columns_are_said(make_config, written, path):
    experiment = make_config(data__inputs=written).experiment
    assert column_path(experiment, "inputs", "input") == ("data", "inputs", *path)
