"""Tests of `trainkit.data.sequence_column`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.fields import Field
from trainkit.data.sequence_column import SequenceColumn, join_batches
from trainkit.framework import tf

STEPS = np.arange(12, dtype=np.float32).reshape(6, 2)
LENGTHS = np.array([2, 1, 3])
SAMPLES = [[[0, 1], [2, 3]], [[4, 5]], [[6, 7], [8, 9], [10, 11]]]


@pytest.fixture
def column():
    return SequenceColumn(STEPS, LENGTHS, origin="a.npz, x")


def by_keras(samples, dtype="float32", value=0.0):
    return tf.keras.utils.pad_sequences(samples, padding="post", dtype=dtype, value=value).tolist()


@pytest.mark.parametrize("rows", [[0, 1, 2], [1], [2, 0], [1, 1]], ids=["all", "shortest", "turned", "twice"])
def test_batch_is_padded_to_its_longest_sample(column, rows):
    expected = by_keras([SAMPLES[row] for row in rows])
    assert column.gather(rows).numpy().tolist() == expected
    assert column.padded(np.array(rows)).tolist() == expected


def test_what_is_known_of_a_sample(column):
    assert column.field == Field((None, 2), padding=0.0)
    assert (len(column), column.array, column.original(2)) == (3, None, "a.npz, x, row 2")


def test_batches_of_a_dataset_keep_their_features(column):
    (batch,) = tf.data.Dataset.from_tensors([2, 0]).map(column.gather)
    assert batch.numpy().tolist() == by_keras([SAMPLES[2], SAMPLES[0]])
    spec = tf.data.Dataset.from_tensors([2, 0]).map(column.gather).element_spec
    assert spec.shape.as_list()[1:] == [None, 2]


@pytest.mark.parametrize(
    ("steps", "field", "expected"),
    [
        (np.array([5, 3, 8], np.int64), {"dtype": "int32", "padding": 0}, [[5, 0], [3, 8]]),
        (np.array([5, 3, 8], np.uint8), {"padding": -1.0}, [[5.0, -1.0], [3.0, 8.0]]),
        (np.array(["a", "b", "cc"]), {}, [["a", ""], ["b", "cc"]]),
    ],
    ids=["ids", "padding", "texts"],
)
def test_steps_have_the_type_and_padding_of_their_field(steps, field, expected):
    column = SequenceColumn(steps, np.array([1, 2])).with_field(**field)
    batch = column.gather([0, 1]).numpy()
    assert (batch.astype(str) if batch.dtype == object else batch).tolist() == expected
    assert column.padded(np.array([0, 1])).tolist() == expected
    assert batch.dtype == (object if column.field.dtype == "string" else column.field.dtype)


def test_sample_without_a_step_and_numbers_that_are_not_finite_are_bad():
    steps = STEPS.copy()
    steps[3, 1] = np.nan
    column = SequenceColumn(steps, np.array([2, 0, 4, 0]))
    assert dict(column.bad()) == {
        1: "must have at least one step. Received: none.",
        2: "step 1 must be a finite number. Received: nan.",
        3: "must have at least one step. Received: none.",
    }


def test_numbers_that_an_integer_type_cannot_hold_are_bad():
    column = SequenceColumn(np.array([1.0, 2.5, 3.0, 3e9]), np.array([1, 1, 2])).whole("int32")
    assert column.field.dtype == "int32"
    assert dict(column.bad()) == {
        1: "must be whole numbers that fit int32. Received: 2.5.",
        2: "must be whole numbers that fit int32. Received: 3000000000.0.",
    }


def test_digest_is_that_of_the_samples(column):
    same = SequenceColumn(np.concatenate([STEPS[3:], STEPS[:2]]), np.array([3, 2]))
    assert column.digest(np.array([2, 0])) == same.digest(np.array([0, 1]))
    cut = SequenceColumn(STEPS, np.array([1, 2, 3]))
    rows = np.arange(3)
    assert len({column.digest(rows), cut.digest(rows), column.digest(rows[::-1]), column.digest(rows[:2])}) == 4


def test_digest_of_many_samples_is_one(column, monkeypatch):
    whole = column.digest(np.arange(3))
    monkeypatch.setattr("trainkit.data.sequence_column._ROWS", 1)
    assert column.digest(np.arange(3)) == whole


def test_steps_that_look_like_padding_are_found():
    steps = np.array([[1, 0], [0, 0], [0, 2], [3, 3], [0, 0]], np.uint8)
    column = SequenceColumn(steps, np.array([2, 2, 1]))
    assert column.looks_padded(np.array([0, 1, 2])).tolist() == [True, False, True]
    assert column.looks_padded(np.array([1])).tolist() == [False]
    other = column.with_field(padding=-1.0)
    assert other.looks_padded(np.array([0, 1, 2])).tolist() == [False, False, False]


def test_numbers_become_steps_of_one_feature():
    column = SequenceColumn(np.array([5, 3, 8]), np.array([1, 2])).with_features()
    assert (column.field.shape, column.gather([0, 1]).shape) == ((None, 1), (2, 2, 1))


def test_batches_of_different_lengths_are_joined():
    short, long = np.ones((2, 1, 3)), np.full((1, 2, 3), 2.0)
    joined = join_batches([short, long], -1.0)
    assert joined.shape == (3, 2, 3)
    assert joined[:, :, 0].tolist() == [[1, -1], [1, -1], [2, 2]]
    assert join_batches([short, short], None).shape == (4, 1, 3)
