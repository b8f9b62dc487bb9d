"""Tests of `trainkit.data.validation`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data import ArraySplit, Facts, Splits, split_validation
from trainkit.data.validation import choose_stratified
from trainkit.errors import DataError


def labels_of(*sizes):
    """Labels with `sizes[k]` samples of class `k`, mixed."""
    return np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))


def pixels(split):
    """The first pixel of each image: its index before the split."""
    return split.arrays["input"][:, 0, 0, 0].tolist()


@pytest.mark.parametrize(
    "sizes, fraction, expected",
    [
        pytest.param((50, 30, 20), 0.1, [5, 3, 2], id="whole numbers"),
        pytest.param((5, 3, 2), 0.3, [1, 1, 1], id="1.5, 0.9, 0.6: the largest remainders get the rest"),
        pytest.param((25, 25, 50), 0.1, [3, 2, 5], id="2.5, 2.5, 5: of equal remainders the first"),
        pytest.param((9, 1), 0.1, [1, 0], id="0.9, 0.1"),
        pytest.param((4, 1, 1), 0.5, [3, 0, 0], id="2, 0.5, 0.5: a class of one sample stays whole"),
        pytest.param((4, 0, 4), 0.5, [2, 0, 2], id="a class without samples"),
    ],
)
def test_each_class_keeps_its_share(make_split, sizes, fraction, expected):
    splits = split_validation(Splits(make_split(labels_of(*sizes))), fraction=fraction, seed=7)
    assert np.bincount(splits.validation.labels(), minlength=len(sizes)).tolist() == expected
    left = np.subtract(sizes, expected).tolist()
    assert np.bincount(splits.train.labels(), minlength=len(sizes)).tolist() == left


@pytest.mark.parametrize("asked", [{"fraction": 0.25}, {"last": 10}], ids=["fraction", "last"])
def test_each_sample_is_on_one_side_and_in_order(make_split, asked):
    splits = split_validation(Splits(make_split(labels_of(20, 20))), **asked, seed=7)
    train, validation = pixels(splits.train), pixels(splits.validation)
    assert (len(train), len(validation)) == (30, 10)
    assert sorted(train + validation) == list(range(40))
    assert (train, validation) == (sorted(train), sorted(validation))


def test_choice_is_a_function_of_the_seed(make_split):
    def chosen(seed):
        return pixels(split_validation(Splits(make_split(labels_of(50, 50))), fraction=0.2, seed=seed).validation)

    assert chosen(7) == chosen(7)
    assert chosen(7) != chosen(8)


def test_choice_takes_from_everywhere():
    labels = np.zeros(1_000, int)
    halves = [(choose_stratified(labels, count=500, seed=seed) < 500).sum() for seed in range(20)]
    assert 200 < min(halves) < max(halves) < 300  # expected 250 with standard deviation 11


def test_last_takes_the_end_of_the_training_split(make_split):
    splits = split_validation(Splits(make_split([0, 1, 0, 1, 0, 1])), last=2, seed=7)
    assert pixels(splits.train) == [0, 1, 2, 3]
    assert pixels(splits.validation) == [4, 5]


def test_test_split_is_kept(make_split):
    test = make_split([0, 1])
    assert split_validation(Splits(make_split([0, 1] * 10), test=test), fraction=0.5, seed=7).test is test


def test_split_without_classes_is_split_by_chance_alone():
    train = ArraySplit(np.zeros((8, 1)), np.arange(8), Facts((1,)), "rows")
    splits = split_validation(Splits(train), fraction=0.25, seed=7)
    assert (splits.train.size, splits.validation.size) == (6, 2)


@pytest.mark.parametrize(
    "asked", [{}, {"fraction": 0}, {"fraction": 0.0}, {"last": 0}], ids=["nothing", "0", "0.0", "last 0"]
)
def test_nothing_asked_leaves_the_splits_alone(make_split, asked):
    splits = Splits(make_split([0, 1]), validation=make_split([0, 1]))
    assert split_validation(splits, **asked, seed=7) is splits


def test_validation_of_the_source_is_not_replaced(make_split):
    splits = Splits(make_split([0, 1] * 10), validation=make_split([0, 1, 0]))
    with pytest.raises(DataError, match=r"brings validation samples of its own, here 3\. Received: .*=0\.1\."):
        split_validation(splits, fraction=0.1, seed=7)


@pytest.mark.parametrize(
    "asked, message",
    [
        pytest.param(
            {"fraction": 0.01}, r"the 10 training samples\. Received: .*=0\.01, which takes 0\.", id="too few"
        ),
        pytest.param({"fraction": 0.99}, r"the 10 training samples\. Received: .*=0\.99, which takes 10\.", id="all"),
        pytest.param({"last": 10}, r"Received: validation_split={last: 10}, which takes 10\.", id="last takes all"),
        pytest.param({"fraction": 0.9}, r"9 of 10 .* the 2 classes have 5 to 5 samples", id="a class would be empty"),
        pytest.param({"fraction": 1.0}, r"must be in \[0, 1\)\. Received: validation_split=1\.0\.", id="one"),
        pytest.param({"fraction": -0.1}, r"must be in \[0, 1\)\. Received: validation_split=-0\.1\.", id="negative"),
        pytest.param({"fraction": float("nan")}, r"must be in \[0, 1\)\. Received: validation_split=nan", id="nan"),
        pytest.param({"last": -1}, r"`last` must be 0 or more\. Received: last=-1\.", id="negative last"),
        pytest.param({"fraction": 0.1, "last": 2}, r"not both\. Received: 0\.1 and last=2\.", id="both"),
    ],
)
def test_impossible_split_is_refused(make_split, asked, message):
    with pytest.raises(DataError, match=message):
        split_validation(Splits(make_split([0, 1] * 5)), **asked, seed=7)


def test_last_that_takes_a_whole_class_is_refused(make_split):
    with pytest.raises(DataError, match=r"takes all 3 of class '1' and leaves 4 of other classes"):
        split_validation(Splits(make_split([0, 0, 0, 0, 0, 1, 1, 1])), last=4, seed=7)
