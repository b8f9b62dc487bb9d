"""A training with two inputs and two outputs, from the arrays to the metrics."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

import trainkit
from trainkit.config import load_config
from trainkit.data import load_data
from trainkit.errors import ConfigError
from trainkit.framework import tf

LOGGED = ["loss", "kind_loss", "size_loss", "kind_sparse_categorical_accuracy", "size_mean_absolute_error"]


@pytest.fixture(scope="module")
def history(two_run):
    with two_run.history.open() as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def metrics(two_run):
    return json.loads(two_run.metrics.read_text())


@pytest.fixture(scope="module", params=["validation", "test"])
def answered(request, two_run):
    """A split, its targets, and what the saved model answers."""
    split = load_data(load_config(two_run.resolved)).present[request.param]
    inputs, targets, _ = next(iter(split.ordered(split.size).as_numpy_iterator()))
    kind, size = tf.keras.models.load_model(two_run.model, compile=False)(inputs)
    return request.param, targets, kind.numpy().astype(float), size.numpy().astype(float)


def test_fit_logs_loss_and_metrics_of_each_output(history):
    names = ["epoch", "seconds", "learning_rate", *LOGGED, *(f"val_{name}" for name in LOGGED)]
    assert list(history[0]) == names
    assert float(history[-1]["val_kind_loss"]) < float(history[0]["val_kind_loss"])
    assert float(history[-1]["val_size_loss"]) < float(history[0]["val_size_loss"])


def test_fit_adds_the_losses_with_their_weights(history):
    for row in history:
        expected = float(row["kind_loss"]) + 0.2 * float(row["size_loss"])
        assert float(row["loss"]) == pytest.approx(expected, rel=1e-4)


def test_fit_keeps_the_epoch_that_a_metric_of_an_output_calls_best(history, metrics):
    values = [float(row["val_kind_sparse_categorical_accuracy"]) for row in history]
    losses = [float(row["val_loss"]) for row in history]
    assert metrics["best"]["monitor"] == "val_kind_sparse_categorical_accuracy"
    assert metrics["best"]["epoch"] == 1 + values.index(max(values)) != 1 + losses.index(min(losses))
    assert metrics["best"]["value"] == pytest.approx(max(values))
    measured = metrics["validation"]["metrics"]["kind_sparse_categorical_accuracy"]
    assert measured == pytest.approx(max(values))


def test_fit_measures_the_class_of_a_network_with_two_outputs(answered, metrics):
    role, targets, kind, _ = answered
    result, truth, given = metrics[role]["outputs"]["kind"], targets["kind"], kind.argmax(axis=1)
    assert result["accuracy"] == pytest.approx(np.mean(truth == given))
    assert result["classes"] == ["0", "1", "2"]
    counts = [[int(np.sum((truth == a) & (given == b))) for b in range(3)] for a in range(3)]
    assert result["confusion_matrix"] == counts
    for index in range(3):
        right = np.sum((truth == index) & (given == index))
        precision, recall = right / max(1, np.sum(given == index)), right / np.sum(truth == index)
        assert result["per_class"]["precision"][index] == pytest.approx(precision)
        assert result["per_class"]["recall"][index] == pytest.approx(recall)
        assert result["per_class"]["f1"][index] == pytest.approx(2 * precision * recall / (precision + recall))
        assert result["per_class"]["support"][index] == np.sum(truth == index)


def test_fit_measures_the_numbers_of_a_network_with_two_outputs(answered, metrics):
    role, targets, _, size = answered
    error = size - targets["size"]
    spread = targets["size"].astype(float) - targets["size"].astype(float).mean(axis=0)
    assert metrics[role]["outputs"]["size"] == {
        "mae": pytest.approx(np.abs(error).mean(), rel=1e-5),
        "rmse": pytest.approx(np.sqrt((error**2).mean()), rel=1e-5),
        "r2": pytest.approx(1 - (error**2).sum() / (spread**2).sum(), rel=1e-5),
    }


def test_fit_measures_what_it_logs(answered, metrics):
    role, targets, kind, size = answered
    kind_loss = -np.log(kind[np.arange(len(kind)), targets["kind"]]).mean()
    size_loss = ((size - targets["size"]) ** 2).mean()
    assert metrics[role]["metrics"] == {
        "loss": pytest.approx(kind_loss + 0.2 * size_loss, rel=1e-4),
        "kind_loss": pytest.approx(kind_loss, rel=1e-4),
        "size_loss": pytest.approx(size_loss, rel=1e-4),
        "kind_sparse_categorical_accuracy": pytest.approx((kind.argmax(axis=1) == targets["kind"]).mean()),
        "size_mean_absolute_error": pytest.approx(np.abs(size - targets["size"]).mean(), rel=1e-4),
    }


def test_fit_refuses_to_monitor_what_no_output_has(two_config, tmp_path):
    told = (
        r"training\.best\.monitor: must be a metric of this training: loss, kind_loss, size_loss, "
        r"kind_sparse_categorical_accuracy, .*Received: 'val_sparse_categorical_accuracy'"
    )
    with pytest.raises(ConfigError, match=told):
        trainkit.fit(two_config, ["training.best.monitor=val_sparse_categorical_accuracy"], runs=tmp_path)
    assert not list(tmp_path.iterdir())


def test_fit_measures_a_unit_for_two_classes(train):
    """From end to end: Keras gives loss and metrics of one unit another shape than those of several."""
    trained = train(
        "data.source.target=is_high",
        "data.targets=is_high",
        "model.layers.answer.units=1",
        "model.layers.answer.activation=sigmoid",
        "training.loss=BinaryCrossentropy",
        "training.metrics=[BinaryAccuracy]",
    )
    answers, kinds, _ = trained.samples("test")
    is_high, answer = kinds > 0, answers[:, 0]
    measured = trained.metrics["test"]
    loss = -np.log(np.where(is_high, answer, 1 - answer)).mean()
    assert measured["metrics"]["loss"] == pytest.approx(loss, rel=1e-4)
    right = ((answer > 0.5) == is_high).mean()
    assert measured["accuracy"] == pytest.approx(right)
    assert measured["metrics"]["binary_accuracy"] == pytest.approx(right)


def test_outputs_may_stand_in_any_order(two_config, tmp_path):
    run = trainkit.fit(two_config, ["model.outputs=[size, kind]", "training.epochs=1"], runs=tmp_path)
    with run.history.open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["loss"]) == pytest.approx(float(row["kind_loss"]) + 0.2 * float(row["size_loss"]), rel=1e-4)
