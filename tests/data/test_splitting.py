"""Tests of `trainkit.data.splitting`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import Last, SettingError
from trainkit.data import ArrayColumn, Field, Split
from trainkit.data.splitting import absent_classes, choose_stratified, split_off


def labels_of(*sizes):
    """Labels with `sizes[k]` samples of class `k`, mixed."""
    return np.random.default_rng(0).permutation(np.repeat(np.arange(len(sizes)), sizes))


def split(train, share, *, key="validation_split", seed=7):
    return split_off(train, share, key=key, seed=seed)


def pixels(part):
    """The first pixel of each image: its index before the split."""
    return [int(value) for batch in part.ordered(100) for value in batch[0]["input"][:, 0, 0, 0]]


def counts(part, classes):
    return np.bincount(part.labels("digit"), minlength=classes).tolist()


@pytest.mark.parametrize(
    "sizes, share, expected",
    [
        pytest.param((50, 30, 20), 0.1, [5, 3, 2], id="whole numbers"),
        pytest.param((5, 3, 2), 0.3, [1, 1, 1], id="1.5, 0.9, 0.6: the largest remainders get the rest"),
        pytest.param((25, 25, 50), 0.1, [3, 2, 5], id="2.5, 2.5, 5: of equal remainders the first"),
        pytest.param((9, 1), 0.1, [1, 0], id="0.9, 0.1"),
        pytest.param((4, 1, 1), 0.5, [3, 0, 0], id="2, 0.5, 0.5: a class of one sample stays whole"),
        pytest.param((4, 0, 4), 0.5, [2, 0, 2], id="a class without samples"),
    ],
)
def test_each_class_keeps_its_share(make_split, sizes, share, expected):
    rest, taken = split(make_split(labels_of(*sizes)), share)
    assert counts(taken, len(sizes)) == expected
    assert counts(rest, len(sizes)) == np.subtract(sizes, expected).tolist()


@pytest.mark.parametrize("share", [0.25, Last(last=10)], ids=["share", "last"])
def test_each_sample_is_on_one_side_and_in_order(make_split, share):
    rest, taken = (pixels(part) for part in split(make_split(labels_of(20, 20)), share))
    assert (len(rest), len(taken)) == (30, 10)
    assert sorted(rest + taken) == list(range(40))
    assert (rest, taken) == (sorted(rest), sorted(taken))


def test_choice_is_a_function_of_the_seed(make_split):
    train = make_split(labels_of(50, 50))
    first, again, other = (pixels(split(train, 0.2, seed=seed)[1]) for seed in (7, 7, 8))
    assert first == again
    assert first != other


def test_choice_does_not_depend_on_what_it_is_for(make_split):
    train = make_split(labels_of(50, 50))
    assert pixels(split(train, 0.2)[1]) == pixels(split(train, 0.2, key="test_split")[1])


def test_choice_takes_from_everywhere():
    labels = np.zeros(1_000, int)
    halves = [(choose_stratified(labels, count=500, seed=seed) < 500).sum() for seed in range(20)]
    assert 200 < min(halves) < max(halves) < 300  # expected 250 with standard deviation 11


def test_last_takes_the_end_of_the_training_split(make_split):
    rest, taken = split(make_split([0, 1, 0, 1, 0, 1]), Last(last=2))
    assert (pixels(rest), pixels(taken)) == ([0, 1, 2, 3], [4, 5])


def test_what_is_taken_of_a_subset_is_of_its_samples(make_split):
    part = make_split([0, 1] * 10).subset(np.arange(10, 20))
    rest, taken = split(part, 0.2)
    assert sorted(pixels(rest) + pixels(taken)) == list(range(10, 20))
    assert counts(taken, 2) == [1, 1]


def test_numbers_are_split_by_chance_alone():
    train = Split({"input": ArrayColumn(np.zeros((8, 1)))}, {"price": ArrayColumn(np.arange(8.0))})
    rest, taken = split(train, 0.25)
    assert (rest.size, taken.size) == (6, 2)


def test_first_target_that_is_a_class_keeps_its_shares():
    first = ArrayColumn(np.array([0, 1] * 20, np.int32), Field((), "int32", ("a", "b")))
    second = ArrayColumn(np.repeat([0, 1], 20).astype(np.int32), Field((), "int32", ("c", "d")))
    targets = {"size": ArrayColumn(np.arange(40.0)), "first": first, "second": second}
    taken = split(Split({"input": ArrayColumn(np.zeros((40, 1)))}, targets), 0.25)[1]
    assert np.bincount(taken.labels("first")).tolist() == [5, 5]


@pytest.mark.parametrize("key", ["validation_split", "test_split"])
@pytest.mark.parametrize(
    "share, message",
    [
        pytest.param(0.01, r"the 10 training samples\. Received: {key}=0\.01, which takes 0\.$", id="too few"),
        pytest.param(0.99, r"the 10 training samples\. Received: {key}=0\.99, which takes 10\.$", id="all"),
        pytest.param(Last(last=10), r"Received: {key}={{last: 10}}, which takes 10\.$", id="last takes all"),
        pytest.param(0.9, r"^9 of 10 .* the 2 classes have 5 to 5 samples", id="a class would be empty"),
        pytest.param(
            Last(last=9),
            r"Received: {key}={{last: 9}}, which takes all 5 of class '1' and leaves 1 of other classes",
            id="last takes a class",
        ),
    ],
)
def test_impossible_split_is_refused(make_split, share, message, key):
    with pytest.raises(SettingError, match=message.format(key=key)) as caught:
        split(make_split([0, 1] * 5), share, key=key)
    assert caught.value.path == ("data", key)


def test_class_that_any_target_would_lose_is_named():
    first = ArrayColumn(np.array([0, 1] * 4, np.int32), Field((), "int32", ("a", "b")))
    second = ArrayColumn(np.array([0] * 7 + [1], np.int32), Field((), "int32", ("c", "rare")))
    train = Split({"input": ArrayColumn(np.zeros((8, 1)))}, {"first": first, "second": second})
    with pytest.raises(SettingError, match=r"takes all 1 of class 'rare' and leaves 6 of other classes"):
        split(train, Last(last=2))


def test_absent_classes_are_those_that_training_has(make_split):
    train = make_split([0, 1, 1, 3], classes=5)
    assert absent_classes(train, make_split([1, 2], classes=5)) == ["0", "3"]
    assert absent_classes(train, train) == []


def test_numbers_have_no_absent_classes():
    train = Split({"input": ArrayColumn(np.zeros((2, 1)))}, {"price": ArrayColumn(np.arange(2.0))})
    assert absent_classes(train, train.subset(np.array([0]))) == []
