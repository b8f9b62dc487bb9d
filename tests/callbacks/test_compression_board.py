"""TensorBoard's event files of a compression step."""

from __future__ import annotations

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainkit.callbacks import CompressionBoard
from trainkit.framework import tf


def train(folder, *, masked=False, epochs=2):
    """Train 10 steps an epoch, of which every fifth is written."""
    model = tf.keras.Sequential([tf.keras.layers.Dense(2, use_bias=False, name="answer", input_shape=(4,))])
    if masked:
        mask = model.layers[0].add_weight("mask", shape=(4, 2), initializer="zeros", trainable=False)
        mask.assign([[1, 0], [1, 1], [1, 1], [0, 1]])
    model.compile(tf.keras.optimizers.SGD(0.1), "mse")
    data = np.ones((10, 4)), np.zeros((10, 2))
    board = CompressionBoard(folder, steps_per_epoch=100)
    model.fit(*data, batch_size=1, epochs=epochs, validation_data=data, callbacks=[board], verbose=0)
    events = EventAccumulator(str(folder), size_guidance={"tensors": 0}).Reload()
    return {
        tag: {event.step: float(tf.make_ndarray(event.tensor_proto)) for event in events.Tensors(tag)}
        for tag in events.Tags()["tensors"]
    }


def test_board_writes_the_loss_by_training_step(tmp_path):
    written = train(tmp_path)
    assert list(written["batch_loss"]) == [5, 10, 15, 20]
    assert written["batch_loss"][20] < written["batch_loss"][5]


def test_board_writes_the_logs_by_epoch(tmp_path):
    written = train(tmp_path)
    assert list(written["epoch_loss"]) == list(written["epoch_val_loss"]) == [1, 2]


def test_board_writes_the_zeros_of_masks(tmp_path):
    assert list(train(tmp_path, masked=True)["zeros"].values()) == pytest.approx([0.25] * 4)


def test_board_writes_no_zeros_where_nothing_is_pruned(tmp_path):
    assert "zeros" not in train(tmp_path)
