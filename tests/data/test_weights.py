"""Tests of `trainkit.data.weights`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import SettingError
from trainkit.data import ArrayColumn, Field, Split
from trainkit.data.weights import weigh


def weights_of(split, name="digit"):
    return np.concatenate([batch[2][name] for batch in split.ordered(100)]).tolist()


def two_targets(first, second, weights=None):
    targets = {
        "first": ArrayColumn(np.array(first, np.int32), Field((), "int32", ("a", "b"))),
        "second": ArrayColumn(np.array(second, np.int32), Field((), "int32", ("c", "d", "e"))),
        "size": ArrayColumn(np.arange(len(first), dtype=np.float32)),
    }
    return Split({"input": ArrayColumn(np.zeros((len(first), 1)))}, targets, weights)


def test_nothing_asked_leaves_the_split_alone(make_split):
    split = make_split([0, 1])
    assert weigh(split, None) is split


def test_balanced_lets_each_class_count_the_same(make_split):
    weighted = weigh(make_split([0, 0, 0, 1, 2, 2]), "balanced")
    # 6 samples, 3 classes: 6 / (3 × 3), 6 / (3 × 1), 6 / (3 × 2)
    np.testing.assert_allclose(weights_of(weighted), [2 / 3, 2 / 3, 2 / 3, 2, 1, 1], rtol=1e-6)
    assert np.mean(weights_of(weighted)) == pytest.approx(1)


def test_balanced_leaves_out_classes_without_samples(make_split):
    weighted = weigh(make_split([0, 0, 0, 2], classes=5), "balanced")
    np.testing.assert_allclose(weights_of(weighted), [2 / 3, 2 / 3, 2 / 3, 2], rtol=1e-6)


def test_balanced_counts_the_samples_of_the_split_only(make_split):
    part = make_split([0, 0, 0, 1, 1, 1]).subset(np.array([0, 1, 2, 3]))
    np.testing.assert_allclose(weights_of(weigh(part, "balanced")), [2 / 3, 2 / 3, 2 / 3, 2], rtol=1e-6)


def test_classes_that_are_not_named_count_once(make_split):
    assert weights_of(weigh(make_split([0, 1, 2, 1]), {"1": 3.0})) == [1, 3, 1, 3]


def test_class_can_count_nothing(make_split):
    assert weights_of(weigh(make_split([0, 1]), {"1": 0.0})) == [1, 0]


def test_weight_of_a_sample_is_kept_as_a_factor(make_split):
    own = {"digit": ArrayColumn(np.array([1, 2, 3, 4], np.float32))}
    split = make_split([0, 1, 1, 0], weights=own)
    assert weights_of(weigh(split, {"1": 10.0})) == [1, 20, 30, 4]
    assert weights_of(weigh(split.subset(np.array([2, 0])), {"1": 10.0})) == [30, 1]


def test_weights_are_float32(make_split):
    ((_, _, weights),) = weigh(make_split([0, 1]), "balanced").ordered(2)
    assert weights["digit"].dtype == "float32"


def test_row_that_was_left_out_has_no_say(make_split):
    split = Split(
        {"input": ArrayColumn(np.zeros((3, 1)))},
        {"digit": ArrayColumn(np.array([0, -1, 1], np.int32), Field((), "int32", ("0", "1")))},
    )
    assert weights_of(weigh(split.subset(np.array([0, 2])), "balanced")) == [1, 1]


def test_balanced_weighs_each_output_by_its_own_classes():
    weighted = weigh(two_targets([0, 0, 0, 1], [0, 1, 2, 2]), "balanced")
    np.testing.assert_allclose(weights_of(weighted, "first"), [2 / 3, 2 / 3, 2 / 3, 2], rtol=1e-6)
    np.testing.assert_allclose(weights_of(weighted, "second"), [4 / 3, 4 / 3, 2 / 3, 2 / 3], rtol=1e-6)
    assert list(weighted.weights) == ["first", "second"]


def test_numbers_keep_the_weights_of_their_samples():
    own = dict.fromkeys(("first", "second", "size"), ArrayColumn(np.array([1, 2], np.float32)))
    weighted = weigh(two_targets([0, 1], [0, 1], own), "balanced")
    assert weights_of(weighted, "size") == [1, 2]


@pytest.mark.parametrize(
    "split, class_weight, message",
    [
        (two_targets([0, 1], [0, 1]), {"a": 2.0}, r"^must be balanced where several outputs are classes\.$"),
        (
            Split({"input": ArrayColumn(np.zeros((2, 1)))}, {"size": ArrayColumn(np.arange(2.0))}),
            "balanced",
            r"^needs a target that is a class: here all are numbers\.$",
        ),
    ],
    ids=["several", "numbers"],
)
def test_weights_that_cannot_be_are_refused(split, class_weight, message):
    with pytest.raises(SettingError, match=message) as caught:
        weigh(split, class_weight)
    assert caught.value.path == ("data", "class_weight")


def test_unknown_class_is_named_with_the_nearest():
    target = ArrayColumn(np.array([0, 1], np.int32), Field((), "int32", ("Iris setosa", "Iris virginica")))
    split = Split({"input": ArrayColumn(np.zeros((2, 1)))}, {"kind": target})
    told = r"^unknown class 'iris setosa'\. Did you mean 'Iris setosa'\? Classes: Iris setosa, Iris virginica\.$"
    with pytest.raises(SettingError, match=told):
        weigh(split, {"iris setosa": 2.0})
