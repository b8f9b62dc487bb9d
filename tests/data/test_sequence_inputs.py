"""Tests of `trainkit.data.sequence_inputs`, by the data of a config."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data import describe, load_data
from trainkit.data.description import Description
from trainkit.data.fingerprint import fingerprint
from trainkit.errors import ConfigError

IDS = np.array([5, 3, 8, 1, 2, 7, 4, 4, 9, 6, 1, 2])
LENGTHS = np.array([2, 1, 3, 2, 3, 1])


@pytest.fixture
def load(make_config, tmp_path):
    """Load a file of sequences for an input of a shape and a dtype."""

    def call(shape, dtype="float32", *, x=IDS, lengths=LENGTHS, **changes):
        y = np.arange(len(lengths)) % 2
        np.savez(tmp_path / "data.npz", x=x, x_lengths=lengths, y=y, age=y + 0.5)
        settings = {
            "data__source": {"Npz": {"path": str(tmp_path / "data.npz")}},
            "data__inputs": "x",
            "data__validation_split": 0,
            "model__input": ...,
            "model__inputs": {"steps": {"shape": shape, "dtype": dtype}},
        }
        config = make_config(**settings | changes)
        return load_data(config), config

    return call


def batch(splits, rows=(1, 0, 5)):
    inputs, *_ = next(iter(splits.train.subset(np.array(rows)).ordered(9)))
    return inputs["steps"].numpy()


def test_ids_go_in_as_integers(load):
    values = batch(load([None], "int32")[0])
    assert (values.dtype, values.tolist()) == (np.int32, [[8, 0], [5, 3], [2, 0]])


def test_numbers_go_in_with_a_feature_axis(load):
    values = batch(load([None, 1])[0])
    assert (values.dtype, values[..., 0].tolist()) == (np.float32, [[8, 0], [5, 3], [2, 0]])


def test_padding_is_chosen(load):
    assert batch(load([None], "int64", data__padding=-1)[0]).tolist() == [[8, -1], [5, 3], [2, -1]]
    assert batch(load([None], data__padding=0.5)[0]).tolist() == [[8, 0.5], [5, 3], [2, 0.5]]


def test_texts_are_padded_with_empty_ones(load):
    splits, _ = load([None], "string", x=IDS.astype(str))
    assert batch(splits).tolist() == [[b"8", b""], [b"5", b"3"], [b"2", b""]]


def test_batches_of_an_epoch_are_as_long_as_their_samples(load):
    splits, _ = load([None], "int32")
    shapes = [inputs["steps"].shape[1] for inputs, *_ in splits.train.batches(1, seed=3).take(6)]
    assert sorted(shapes) == sorted(LENGTHS)
    again = [inputs["steps"].shape[1] for inputs, *_ in splits.train.batches(1, seed=3, first_step=2).take(4)]
    assert again == shapes[2:]


def test_first_inputs_are_padded_together(load):
    splits, _ = load([None], "int32")
    values = splits.train.first_inputs(5, batch_size=2)["steps"]
    assert values.tolist() == [[5, 3, 0], [8, 0, 0], [1, 2, 7], [4, 4, 0], [9, 6, 1]]
    assert splits.train.sample_bytes == 4 * 3


def test_description_of_sequences_is_read_again(load):
    splits, config = load([None, 1], data__padding=-1.0)
    description = describe(config.experiment, splits.train.facts)
    told = description.to_json()
    assert told["inputs"]["steps"] == {"shape": [None, 1], "dtype": "float32", "columns": ["x"], "padding": -1.0}
    assert Description.from_json(told) == description


def test_fingerprint_is_that_of_the_steps_and_lengths(load):
    one, same, other = LENGTHS, LENGTHS.copy(), LENGTHS[::-1]
    prints = [fingerprint(load([None], "int32", lengths=lengths)[0]) for lengths in (one, same, other)]
    assert prints[0] == prints[1] != prints[2]


def test_bad_sequences_are_left_out_if_the_config_says_so(load):
    x = IDS.astype(float)
    x[0] = np.inf
    lengths = np.array([2, 0, 1, 3, 2, 3, 1])
    with pytest.raises(ConfigError, match=r"row 0: step 0 must be a finite .* inf\.\n.*row 1: must have"):
        load([None], x=x, lengths=lengths)
    splits, _ = load([None], x=x, lengths=lengths, data__bad_data={"skip": 2})
    assert splits.train.rows.tolist() == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("shape", "dtype", "changes", "told"),
    [
        (
            [3],
            "int32",
            {},
            r"model\.inputs\.steps\.shape: must begin with null, any number of steps: the samples of the data have "
            r"1 to 3\. Received: \[3\]\. Write \[null\]\.",
        ),
        ([3, 1], "float32", {}, r"Received: \[3, 1\]\. Write \[null, 1\]\."),
        ([None, 4], "float32", {}, r"must be the shape of the data, \[null\]\. Received: \[null, 4\]"),
        ([None], "string", {}, r"the data of 'steps' are numbers\. Received: dtype='string'"),
        (
            [None],
            "int32",
            {"data__padding": 0.5},
            r"data\.padding: must be a whole number: .* takes int32",
        ),
        (
            [None],
            "int32",
            {"data__inputs": ["x", "age"]},
            r"one column where it holds sequences\. Received: x, age",
        ),
        (
            [None],
            "int32",
            {"data__targets": "x", "data__inputs": "x"},
            r"data\.targets: must be one label or number for each sample, not a sequence of them\.",
        ),
        (
            [1],
            "float32",
            {"data__padding": 0.5, "data__inputs": "age"},
            r"data\.padding: is for sequences of different lengths: .* Received: padding=0\.5\. Leave it out\.",
        ),
    ],
    ids=["fixed", "fixed-features", "features", "texts", "padding", "several", "target", "no-sequences"],
)
def test_what_cannot_go_in_is_refused_with_the_cure(load, shape, dtype, changes, told):
    with pytest.raises(ConfigError, match=told):
        load(shape, dtype, **changes)
