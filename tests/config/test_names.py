"""Names of layers that were given none, and what an entry of a list may be called by."""

from __future__ import annotations

import pytest

from trainkit.config.names import automatic_names, metric_names, names_in_list


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([], []),
        ([("Conv2D", None), ("Conv2D", None), ("Dense", None)], ["conv2d1", "conv2d2", "dense1"]),
        ([("Conv2D", "stem"), ("Conv2D", None)], ["stem", "conv2d1"]),
        ([("Conv2D", None), ("Dense", "conv2d1")], ["conv2d2", "conv2d1"]),
        ([("ReLU", None), ("LeakyReLU", None)], ["relu1", "leakyrelu1"]),
    ],
    ids=["none", "counted-by-kind", "given", "taken-later", "capitals"],
)
def test_automatic_names_count_by_kind(entries, names):
    assert automatic_names(entries) == names


def test_automatic_names_takes_an_iterator():
    assert automatic_names(iter([("Dense", None)])) == ["dense1"]


def test_names_in_list_gives_name_and_class():
    items = ["Flatten", {"Dense": {"units": 3}, "name": "digit"}, {"Dense": None}, {"Dense": {}, "name": 3}]
    assert names_in_list(items) == [
        {"Flatten", "flatten1"},
        {"Dense", "digit"},
        {"Dense", "dense1"},
        {"Dense", "dense2"},
    ]


def test_names_in_list_has_none_for_what_is_no_node():
    assert names_in_list([3, None, "relu", {"filters": 3}, [], {}]) == [set()] * 6


def test_names_in_list_counts_the_branches_that_are_built_before():
    branches = [["Conv2D", {"Add": None, "branches": [["Conv2D"], []]}], ["Conv2D"], None, "odd"]
    items = ["Conv2D", {"Add": None, "branches": branches}, "Conv2D"]
    assert names_in_list(items) == [{"Conv2D", "conv2d1"}, {"Add", "add2"}, {"Conv2D", "conv2d5"}]
    assert names_in_list(items, (1, "branches", 0)) == [{"Conv2D", "conv2d2"}, {"Add", "add1"}]
    assert names_in_list(items, (1, "branches", 0, 1, "branches", 0)) == [{"Conv2D", "conv2d3"}]
    assert names_in_list(items, (1, "branches", 1)) == [{"Conv2D", "conv2d4"}]


@pytest.mark.parametrize("path", [(1, "branches"), (0, "Dense", "units")], ids=["list-of-branches", "argument"])
def test_names_in_list_has_none_for_a_list_of_other_things(path):
    assert names_in_list(["ReLU", {"Add": None, "branches": [["ReLU"], []]}], path) == []


@pytest.mark.parametrize(
    ("entries", "names"),
    [
        ([], []),
        ([("AUC", None), ("SparseCategoricalAccuracy", None)], ["auc", "sparse_categorical_accuracy"]),
        ([("AUC", None), ("AUC", None), ("AUC", None)], ["auc", "auc_2", "auc_3"]),
        ([("AUC", None), ("Recall", "auc")], ["auc_2", "auc"]),
    ],
    ids=["none", "snake-case", "counted", "taken-later"],
)
def test_metric_names_are_those_of_keras(entries, names):
    assert metric_names(entries) == names


@pytest.mark.parametrize(
    "setting", [{"repeat": 2}, {"for_each": {"i": [1]}}, {"when": False}], ids=["repeat", "each", "when"]
)
def test_names_in_list_gives_no_automatic_names_where_the_count_is_not_certain(setting):
    items = ["Flatten", {"Dense": {"units": 3}, "name": "digit"} | setting, {"Dense": None}]
    assert names_in_list(items) == [{"Flatten"}, {"Dense", "digit"}, {"Dense"}]


def test_names_in_list_counts_through_branches():
    items = ["ReLU", {"Add": None, "branches": [["ReLU"], [{"ReLU": None, "name": "inner"}, "ReLU"]]}, "ReLU"]
    assert names_in_list(items) == [{"ReLU", "relu1"}, {"Add", "add1"}, {"ReLU", "relu4"}]
    assert names_in_list(items, (1, "branches", 1)) == [{"ReLU", "inner"}, {"ReLU", "relu3"}]


def test_names_in_list_counts_blocks_and_shared_layers():
    items = [{"ConvBN": None}, {"ConvBN": {"filters": 3}}, {"share": "convbn1", "name": "again"}]
    assert names_in_list(items)[:2] == [{"ConvBN", "convbn1"}, {"ConvBN", "convbn2"}]
