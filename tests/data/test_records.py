"""Tests of `trainkit.data.records`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data import ArrayColumn, Records, Splits


@pytest.mark.parametrize(
    "splits, present",
    [
        (Splits("a"), {"train": "a"}),
        (Splits("a", test="c"), {"train": "a", "test": "c"}),
        (Splits("a", "b", "c", notes=("told",)), {"train": "a", "validation": "b", "test": "c"}),
    ],
    ids=["train", "test", "all"],
)
def test_present_has_the_parts_that_there_are_in_their_order(splits, present):
    assert list(splits.present.items()) == list(present.items())


def test_records_have_as_many_rows_as_their_columns():
    assert Records({"a": ArrayColumn(np.zeros((4, 2))), "b": ArrayColumn(np.zeros(4))}).size == 4


def test_records_have_no_target_and_nothing_bad_by_default():
    first, second = (Records({"a": ArrayColumn(np.zeros(1))}) for _ in range(2))
    assert (first.target, first.bad) == (None, {})
    assert first.bad is not second.bad
