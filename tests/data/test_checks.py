"""Tests of `trainkit.data.checks`."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from trainkit.data import ArraySplit, Facts, Splits, check_splits
from trainkit.errors import DataError


def test_good_splits_pass(make_split):
    check_splits(Splits(make_split([0, 1]), make_split([1], classes=2), make_split([1, 0])))


@pytest.mark.parametrize("label", [2, -1], ids=["too large", "negative"])
def test_label_without_a_class_is_named_with_its_sample(make_split, label):
    with pytest.raises(DataError, match=rf"images\.gz, image 3: a label must be in \[0, 1\].*Received: {label}\."):
        check_splits(Splits(make_split([0, 1, 0, label, label], classes=2)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf], ids=str)
def test_input_that_is_not_finite_is_named_with_its_sample(value):
    inputs = np.zeros((4, 2), np.float32)
    inputs[2, 1] = value
    split = ArraySplit(inputs, np.zeros(4, int), Facts((2,), ("0",)), "rows.gz")
    with pytest.raises(DataError, match=rf"rows\.gz, row 2: an input must be a finite number\. Received: {value}\."):
        check_splits(Splits(split))


def test_all_splits_are_checked(make_split):
    with pytest.raises(DataError, match=r"image 1: a label must be in \[0, 1\]"):
        check_splits(Splits(make_split([0, 1]), test=make_split([0, 2], classes=2)))


@pytest.mark.parametrize(
    "labels, size", [(np.zeros(0, int), 0), (np.zeros(3, int), 4)], ids=["no sample", "a label is missing"]
)
def test_sizes_are_checked(labels, size):
    facts = Facts((1,), ("0",))
    split = SimpleNamespace(size=size, facts=facts, labels=lambda: labels, arrays=None, original=str)
    with pytest.raises(DataError, match=f"Received: {size} samples and {len(labels)} labels"):
        check_splits(Splits(split))


def test_split_of_another_shape_is_refused(make_split):
    test = ArraySplit(np.zeros((2, 3, 3, 1)), np.zeros(2, int), Facts((3, 3, 1), ("0", "1")), "test.gz")
    with pytest.raises(DataError, match=r"the test split must have .* \(2, 2, 1\) .* Received: \(3, 3, 1\)"):
        check_splits(Splits(make_split([0, 1]), test=test))


def test_split_of_other_classes_is_refused(make_split):
    with pytest.raises(DataError, match=r"the validation split must have .* Received: .*\('0', '1', '2'\)"):
        check_splits(Splits(make_split([0, 1]), validation=make_split([0, 1, 2])))
