"""Tests of `trainkit.data.load`."""

from __future__ import annotations

import pytest

from trainkit.data import Splits, load_data
from trainkit.errors import DataError


def test_load_data_splits_validation(make_split):
    splits = load_data(lambda: Splits(make_split([0, 1] * 10)), fraction=0.2, seed=7)
    assert (splits.train.size, splits.validation.size, splits.test) == (16, 4, None)


def test_load_data_takes_the_last(make_split):
    assert load_data(lambda: Splits(make_split([0, 1] * 10)), last=6, seed=7).validation.size == 6


def test_load_data_checks_what_the_source_returned(make_split):
    with pytest.raises(DataError, match=r"image 2: a label must be in \[0, 1\]"):
        load_data(lambda: Splits(make_split([0, 1, 2], classes=2)), seed=7)
