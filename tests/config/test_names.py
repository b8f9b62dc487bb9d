"""Names of layers that were given none, and what an entry of a list may be called by."""

from __future__ import annotations

import pytest

from trainkit.config.names import automatic_names, names_in_list


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
