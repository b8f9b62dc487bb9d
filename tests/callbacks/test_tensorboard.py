"""TensorBoard's event files: what is written, and at which step."""

from __future__ import annotations

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from trainkit.callbacks import Clock, TensorBoard
from trainkit.callbacks.tensorboard import end_of_records
from trainkit.errors import OutputError
from trainkit.framework import tf


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """What three epochs write, with histograms every second epoch."""
    folder = tmp_path_factory.mktemp("events")
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, name="answer", input_shape=(2,))])
    model.compile(tf.keras.optimizers.SGD(0.25), "mse")
    data = np.zeros((8, 2)), np.zeros(8)
    clock = Clock(8)
    board = TensorBoard(folder, config="name: small", clock=clock, histogram_freq=2, write_steps_per_second=True)
    model.fit(*data, epochs=3, validation_data=data, callbacks=[clock, board], verbose=0)
    return {split: EventAccumulator(str(folder / split)).Reload() for split in ("train", "validation")}


@pytest.mark.parametrize(
    ("split", "tag", "steps"),
    [
        ("train", "epoch_loss", [1, 2, 3]),
        ("validation", "epoch_loss", [1, 2, 3]),
        ("train", "epoch_learning_rate", [1, 2, 3]),
        ("train", "epoch_samples_per_second", [1, 2, 3]),
        ("train", "epoch_steps_per_second", [1, 2, 3]),
        ("train", "answer/kernel_0/histogram", [1, 3]),
        ("train", "config", [0]),
    ],
    ids=["loss", "validation", "learning-rate", "throughput", "steps", "histogram", "config"],
)
def test_tensorboard_counts_epochs_from_1(split, tag, steps, events):
    assert [event.step for event in events[split].Tensors(tag)] == steps


def test_tensorboard_writes_the_scalars_of_an_epoch_at_once(events):
    times = [
        [event.wall_time for event in events["train"].Tensors(tag)] for tag in ("epoch_loss", "epoch_learning_rate")
    ]
    assert times[0] == times[1]


def test_tensorboard_writes_the_learning_rate(events):
    rates = [tf.make_ndarray(event.tensor_proto) for event in events["train"].Tensors("epoch_learning_rate")]
    assert rates == [0.25, 0.25, 0.25]


def test_tensorboard_says_what_throughput_is(events):
    described = events["train"].SummaryMetadata("epoch_samples_per_second").summary_description
    assert described.startswith("Training samples a second")


@pytest.fixture
def board(tmp_path):
    """A callback that has written a text."""
    board = TensorBoard(tmp_path, config="name: small", clock=Clock(8))
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(2,))])
    board.set_model(model)
    board.on_train_begin()
    board.flush()
    yield board
    board.on_train_end()


def test_tensorboard_finds_what_tensorflow_could_not_write(board):
    (filepath,) = board.files
    whole = filepath.read_bytes()
    assert end_of_records(filepath, 0) == len(whole)
    board.flush()
    filepath.write_bytes(whole + whole[:30])  # a length and the beginning of its record
    with pytest.raises(OutputError, match=rf"{filepath} cannot be written: a part of it is missing"):
        board.flush()
    filepath.write_bytes(whole[:-1])
    assert end_of_records(filepath, 0) < len(whole) - 1


def test_tensorboard_leaves_the_files_of_others_alone(board):
    (board.files[0].parent / "events.out.tfevents.1795304813.host.1.0.v2").write_bytes(b"half")
    board.flush()
