"""The last and the best state of the model."""

from __future__ import annotations

import json

import pytest

from trainkit.callbacks import Checkpoint
from trainkit.errors import TrainingError
from trainkit.framework import tf


@pytest.fixture
def train(tmp_path):
    """Run a Checkpoint through epochs whose monitored value is given."""

    def run(values, *, mode="min", monitor="val_loss"):
        model = tf.keras.Sequential([tf.keras.layers.Dense(1, input_shape=(1,))])
        model.compile("sgd", "mse")
        callback = Checkpoint(tmp_path / "checkpoints", monitor=monitor, mode=mode)
        callback.set_model(model)
        callback.on_train_begin()
        for epoch, value in enumerate(values):
            callback.on_epoch_end(epoch, {"val_loss": value})
        return {name: facts(tmp_path, name) for name in ("last", "best")}

    return run


def facts(folder, name):
    filepath = folder / "checkpoints" / name / "facts.json"
    return json.loads(filepath.read_text()) if filepath.exists() else None


@pytest.mark.parametrize(("mode", "best"), [("min", 3), ("max", 2)])
def test_checkpoint_keeps_the_best_and_the_last_epoch(train, mode, best):
    kept = train([0.5, 0.9, 0.1, 0.4], mode=mode)
    assert kept["best"]["epoch"] == best
    assert kept["last"] == {"epoch": 4, "monitor": "val_loss", "value": 0.4}


def test_checkpoint_keeps_the_earlier_of_two_equal_epochs(train):
    assert train([0.5, 0.5])["best"]["epoch"] == 1


def test_checkpoint_never_calls_nan_the_best(train):
    kept = train([float("nan"), float("nan")])
    assert kept["best"] is None
    assert kept["last"]["value"] is None


def test_checkpoint_says_which_metrics_there_are(train):
    with pytest.raises(TrainingError, match=r"best\.monitor must be a metric of the epoch: val_loss\. Received: 'auc'"):
        train([0.5], monitor="auc")
