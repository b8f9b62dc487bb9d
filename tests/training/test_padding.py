"""Tests of `trainkit.training.padding`: what is told, and that a masked network does not see the padding."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.data import ArrayColumn, Split
from trainkit.data.sequence_column import SequenceColumn
from trainkit.framework import tf
from trainkit.training import prepare
from trainkit.training.padding import padding_notes

layers = tf.keras.layers
LENGTHS = np.array([4, 9, 1, 6, 2, 12, 3, 5])
STEPS = np.random.default_rng(3).uniform(1, 9, (LENGTHS.sum(), 3)).astype("float32")


def split_of(steps, **field):
    column = SequenceColumn(steps, LENGTHS, origin="data.npz, x").with_field(**field)
    return Split({"input": column}, {"answer": ArrayColumn(np.zeros((len(LENGTHS), 2)))})


def model_of(*chain, shape=(None, 3), dtype="float32"):
    tensor = inputs = tf.keras.Input(shape, name="input", dtype=dtype)
    for layer in [*chain, layers.Dense(2, name="answer")]:
        tensor = layer(tensor)
    return tf.keras.Model(inputs, tensor)


RECURRENT = {
    "lstm": lambda: [layers.LSTM(6)],
    "gru": lambda: [layers.GRU(6)],
    "bidirectional": lambda: [layers.Bidirectional(layers.LSTM(6))],
    "two": lambda: [layers.Bidirectional(layers.GRU(6, return_sequences=True)), layers.LSTM(4)],
    "normalized": lambda: [layers.BatchNormalization(), layers.LSTM(6)],
}


@pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT)
def test_sample_is_answered_alike_alone_and_beside_longer_ones(make):
    model, split = model_of(layers.Masking(), *make()), split_of(STEPS)
    inputs = split.first_inputs(len(LENGTHS))["input"]
    assert inputs.shape == (8, 12, 3)
    together = model(inputs).numpy()
    assert np.ptp(together, axis=0).max() > 1e-3
    for row, length in enumerate(LENGTHS):
        np.testing.assert_allclose(model(inputs[row : row + 1, :length]).numpy()[0], together[row], atol=1e-6)
    assert padding_notes(model, split) == []


@pytest.mark.parametrize(
    "chain",
    [
        lambda: [layers.LSTM(6)],
        lambda: [layers.Normalization(mean=5.0, variance=4.0), layers.Masking(), layers.LSTM(6)],
        lambda: [layers.Masking(), layers.Rescaling(0.1, offset=1.0), layers.LSTM(6)],
        lambda: [layers.Masking(mask_value=-1.0), layers.GRU(6)],
        lambda: [layers.Masking(), layers.Conv1D(4, 3, padding="same"), layers.LSTM(6)],
        lambda: [layers.GlobalAveragePooling1D()],
    ],
    ids=["no-mask", "normalization", "rescaling", "other-value", "convolution", "pooling"],
)
def test_network_that_sees_the_padding_is_told_of(chain):
    (note,) = padding_notes(model_of(*chain()), split_of(STEPS))
    assert note.startswith(
        "the padding behind the steps of 'input' changes answers: a sample is answered otherwise beside longer ones. "
        "Mask it, with `Masking: {mask_value: 0.0}`"
    )


def test_masked_value_is_that_of_the_padding():
    model = model_of(layers.Masking(mask_value=-1.0), layers.GRU(6))
    assert padding_notes(model, split_of(STEPS, padding=-1.0)) == []


@pytest.mark.parametrize(("is_masked", "notes"), [(True, 0), (False, 1)])
def test_ids_are_masked_by_their_embedding(is_masked, notes):
    model = model_of(layers.Embedding(9, 4, mask_zero=is_masked), layers.GRU(6), shape=(None,), dtype="int32")
    split = split_of(STEPS[:, 0].astype(int), dtype="int32", padding=0)
    assert len(padding_notes(model, split)) == notes


def test_real_steps_that_are_masked_are_told_of_once():
    steps = STEPS.copy()
    steps[[5, 6, 20]], steps[14] = 0, [0, 0, 1]  # of the second sample two, of the fifth one
    (note,) = padding_notes(model_of(layers.Masking(), layers.LSTM(6)), split_of(steps))
    assert note.startswith(
        "2 of 8 training samples have a step in 'input' that is 0.0 in all features, and so masked as padding is (the "
        "first: data.npz, x, row 1)."
    )
    masked = model_of(layers.Masking(mask_value=-1.0), layers.LSTM(6))
    assert padding_notes(masked, split_of(steps, padding=-1.0)) == []


def test_network_without_a_mask_is_told_of_no_masked_step():
    model = model_of(layers.Lambda(tf.nn.relu), layers.GlobalMaxPooling1D())
    assert padding_notes(model, split_of(STEPS * (STEPS > 5))) == []


def test_notes_are_part_of_what_a_training_says(tmp_path):
    np.savez(tmp_path / "data.npz", x=STEPS, x_lengths=LENGTHS, y=np.arange(8) % 2)
    config = {
        "version": 1,
        "name": "padded",
        "data": {"source": {"Npz": {"path": str(tmp_path / "data.npz")}}, "validation_split": 0},
        "model": {
            "input": [None, 3],
            "layers": [{"GRU": {"units": 4}}, {"Dense": {"units": 2, "activation": "softmax"}}],
        },
        "training": {"loss": "SparseCategoricalCrossentropy"},
    }
    (note,) = prepare(load_config(config)).splits.notes
    assert note.startswith("the padding behind the steps of 'input' changes answers")
