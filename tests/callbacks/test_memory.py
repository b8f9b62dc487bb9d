"""What a callback knows goes through JSON and arrays, and comes back."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trainkit.callbacks.memory import pack, recall, remind, unkept, unpack
from trainkit.errors import TrainingError
from trainkit.framework import tf


class Counting(tf.keras.callbacks.Callback):
    """A callback of a user's own."""

    def __init__(self):
        super().__init__()
        self.count = 0
        self.seen = {"losses": [1.5, float("inf")], "pair": (1, "a")}
        self.writer = open  # a function is no state


class Telling(Counting):
    """One that says itself what it knows."""

    def get_state(self):
        return {"half": self.count / 2}

    def set_state(self, state):
        self.count = round(2 * state["half"])


def through_files(value):
    arrays = []
    text = json.dumps(pack(value, arrays))
    return unpack(json.loads(text), arrays)


VALUES = {
    "numbers": {"a": 1, "b": 0.1, "c": None, "d": True, "e": "text", "f": float("-inf")},
    "nested": {"a": [1, (2, 3), {"b": [()]}]},
    "floats": [np.float32(0.1), np.int64(7)],
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_pack_and_unpack_give_what_was_there(value):
    found = through_files(value)
    assert found == value
    assert [type(one) for one in found] == [type(one) for one in value]


def test_pack_and_unpack_keep_vocabularies():
    """They are among the weights of a model, which EarlyStopping keeps of the best epoch."""
    lookup = tf.keras.layers.StringLookup(output_mode="one_hot")
    lookup.adapt(tf.constant([["ja"], ["né"]]))
    model = tf.keras.Sequential([tf.keras.Input((1,), dtype=tf.string), lookup, tf.keras.layers.Dense(1)])
    stop = tf.keras.callbacks.EarlyStopping(restore_best_weights=True)
    stop.best_weights = model.get_weights()
    model.set_weights(through_files(recall(stop))["best_weights"])
    assert set(lookup.get_vocabulary()) == {"[UNK]", "ja", "né"}


def test_pack_and_unpack_keep_every_bit_of_arrays():
    given = {"best_weights": [np.random.default_rng(0).normal(size=(3, 2)).astype("float32"), np.arange(3)]}
    found = through_files(given)
    for one, other in zip(given["best_weights"], found["best_weights"], strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def stop_early(callback, losses, first=0):
    """The epochs at which EarlyStopping and ReduceLROnPlateau do something, for losses of epochs."""
    for epoch, loss in enumerate(losses, first):
        callback.on_epoch_end(epoch, {"loss": loss})


def test_early_stopping_goes_on_counting():
    model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
    callbacks = [tf.keras.callbacks.EarlyStopping("loss", patience=3, restore_best_weights=True) for _ in range(2)]
    for callback in callbacks:
        callback.set_model(model)
        callback.on_train_begin()
    stop_early(callbacks[0], [0.5, 0.6, 0.7])
    remind(callbacks[1], through_files(recall(callbacks[0])))
    model.stop_training = False
    stop_early(callbacks[1], [0.6], first=3)  # the third epoch in a row that is no better than the first
    assert (model.stop_training, callbacks[1].stopped_epoch, callbacks[1].best_epoch) == (True, 3, 0)


def test_callback_of_a_user_keeps_its_plain_attributes():
    one, other = Counting(), Counting()
    one.count, one.seen["losses"] = 5, [2.5]
    remind(other, through_files(recall(one)))
    assert (other.count, other.seen) == (5, {"losses": [2.5], "pair": (1, "a")})


def test_callback_that_has_get_state_says_itself_what_it_knows():
    one, other = Telling(), Telling()
    one.count = 4
    assert recall(one) == {"half": 2.0}
    remind(other, through_files(recall(one)))
    assert other.count == 4


def test_unkept_names_what_cannot_be_written():
    callback = Counting()
    assert unkept(callback) == {}
    callback.total = tf.Variable(1.0)
    callback.lines = {1: object()}
    assert unkept(callback) == {"total": "ResourceVariable", "lines": "dict"}
    assert unkept(tf.keras.callbacks.ReduceLROnPlateau()) == {}


def test_recall_leaves_the_arguments_of_keras_callbacks_to_the_config():
    stopping = tf.keras.callbacks.EarlyStopping(patience=3)
    stopping.on_train_begin()
    assert recall(stopping).keys() == {"wait", "stopped_epoch", "best", "best_weights", "best_epoch"}


def test_a_csv_logger_that_goes_on_writes_no_second_header(tmp_path):
    filepath = tmp_path / "epochs.csv"
    first = tf.keras.callbacks.CSVLogger(str(filepath))
    first.on_train_begin()
    first.on_epoch_end(0, {"loss": 0.5})
    first.csv_file.close()
    second = tf.keras.callbacks.CSVLogger(str(filepath), append=True)
    second.on_train_begin()
    remind(second, recall(first))
    second.on_epoch_end(1, {"loss": 0.25})
    second.on_train_end()
    assert filepath.read_text().splitlines() == ["epoch,loss,val_loss", "0,0.5,NA", "1,0.25,NA"]


@pytest.mark.parametrize("state", [{"counts": {3: 1}}, {"seen": {1, 2}}, [1]], ids=["keys", "set", "list"])
def test_recall_refuses_what_would_not_come_back(state):
    callback = Telling()
    callback.get_state = lambda: state
    with pytest.raises(TrainingError, match=r"Telling\.get_state\(\) must return a dictionary by text .* Received: "):
        recall(callback)
