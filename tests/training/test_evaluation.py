"""The metrics of a model on a split, whatever runs it."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.data import ArrayColumn, Field, Split
from trainkit.errors import InputError
from trainkit.inference.keras import KerasPredictor
from trainkit.training import prepare
from trainkit.training.evaluation import evaluate
from trainkit.training.outputs import outputs_of
from trainkit.training.pipeline import encoding

IDS = np.array([0, 0, 0, 1, 1, 2, 2, 2, 2, 2] * 60, np.int32)
ANSWERS = np.array([0, 0, 1, 1, 2, 2, 2, 2, 2, 0] * 60)
"""Of each 10: class 0 right in 2 of 3, class 1 in 1 of 2, class 2 in 4 of 5."""
NUMBERS = np.array([[0.0, 10.0], [2.0, 14.0]] * 300, np.float32)
ERRORS = np.array([1, -3], np.float32)


class Table:
    """A predictor that knows the answer to each sample, whose input is its number."""

    def __init__(self, **answers):
        self.answers = answers
        self.sizes = []

    def predict(self, inputs):
        rows = inputs["input"][:, 0].astype(int)
        self.sizes.append(len(rows))
        return {name: values[rows].astype(np.float32) for name, values in self.answers.items()}


def measure(predictor, training, **targets):
    """Evaluate a predictor on 600 samples with the given targets."""
    inputs = {"input": ArrayColumn(np.arange(600, dtype=np.float32).reshape(600, 1))}
    split = Split(inputs, {name: ArrayColumn(array, field) for name, (array, field) in targets.items()})
    layers = [{"Dense": {"units": 1}, "name": name, "inputs": "input"} for name in targets]
    model = {"input": [1], "layers": layers, "outputs": list(targets)}
    written = {"version": 1, "name": "net", "data": {"source": "Sample"}, "model": model, "training": training}
    experiment = load_config(written).experiment
    return evaluate(predictor, split, outputs_of(experiment, split.facts), experiment)


KIND = (IDS, Field((), "int32", ("a", "b", "c")))
SIZE = (NUMBERS, Field((2,)))


def test_evaluate_measures_classes():
    shares = np.where(np.eye(3)[ANSWERS] == 1, 0.5, 0.25)
    table = Table(anything=shares)
    training = {"loss": "SparseCategoricalCrossentropy", "metrics": ["SparseCategoricalAccuracy"]}
    result = measure(table, training, kind=KIND)
    assert table.sizes == [256, 256, 88]
    assert result["samples"] == 600
    expected = 0.7 * np.log(2) + 0.3 * np.log(4)
    assert result["metrics"] == {"loss": pytest.approx(expected), "sparse_categorical_accuracy": pytest.approx(0.7)}
    assert result["accuracy"] == pytest.approx(0.7)
    assert result["classes"] == ["a", "b", "c"]
    assert result["confusion_matrix"] == [[120, 60, 0], [0, 60, 60], [60, 0, 240]]
    precision, recall = [2 / 3, 1 / 2, 4 / 5], [2 / 3, 1 / 2, 4 / 5]
    assert result["per_class"] == {
        "precision": pytest.approx(precision),
        "recall": pytest.approx(recall),
        "f1": pytest.approx([2 * p * r / (p + r) for p, r in zip(precision, recall, strict=True)]),
        "support": [180, 120, 300],
    }


def test_evaluate_measures_numbers():
    """The errors are 1 and 3; the targets lie 1 and 2 from their means."""
    table = Table(size=NUMBERS + ERRORS)
    training = {"loss": "MeanSquaredError", "metrics": ["MeanAbsoluteError"]}
    result = measure(table, training, size=SIZE)
    assert result == {
        "samples": 600,
        "metrics": {"loss": pytest.approx(5), "mean_absolute_error": pytest.approx(2)},
        "mae": pytest.approx(2),
        "rmse": pytest.approx(5**0.5),
        "r2": pytest.approx(1 - (1 + 9) / (1 + 4)),
    }


def test_evaluate_measures_each_of_several_outputs():
    table = Table(more=IDS, size=NUMBERS + ERRORS, kind=np.where(np.eye(3)[ANSWERS] == 1, 0.5, 0.25))
    training = {
        "loss": {"kind": "SparseCategoricalCrossentropy", "size": "MeanSquaredError"},
        "loss_weights": {"size": 0.1},
        "metrics": {"size": ["MeanAbsoluteError"]},
    }
    result = measure(table, training, kind=KIND, size=SIZE)
    kind_loss = 0.7 * np.log(2) + 0.3 * np.log(4)
    assert result["metrics"] == {
        "loss": pytest.approx(kind_loss + 0.1 * 5),
        "kind_loss": pytest.approx(kind_loss),
        "size_loss": pytest.approx(5),
        "size_mean_absolute_error": pytest.approx(2),
    }
    assert result["outputs"]["kind"]["accuracy"] == pytest.approx(0.7)
    assert result["outputs"]["size"]["rmse"] == pytest.approx(5**0.5)
    assert "accuracy" not in result


def test_evaluate_measures_one_unit_of_two_classes():
    ids = (IDS > 0).astype(np.int32)
    logits = np.where(ANSWERS > 0, 2.0, -2.0)[:, None]
    training = {"loss": {"BinaryCrossentropy": {"from_logits": True}}}
    result = measure(Table(high=logits), training, high=(ids, Field((), "int32", ("no", "yes"))))
    assert result["confusion_matrix"] == [[120, 60], [60, 360]]
    right, wrong = np.log1p(np.exp(-2.0)), np.log1p(np.exp(2.0))
    assert result["metrics"]["loss"] == pytest.approx(0.8 * right + 0.2 * wrong, rel=1e-5)


def test_evaluate_believes_a_loss_that_says_logits():
    """Logits above 0 all say yes, though these look like probabilities."""
    ids = (IDS > 0).astype(np.int32)
    training = {"loss": {"BinaryCrossentropy": {"from_logits": True}}}
    table = Table(high=np.where(ANSWERS > 0, 0.9, 0.1)[:, None])
    result = measure(table, training, high=(ids, Field((), "int32", ("no", "yes"))))
    assert result["confusion_matrix"] == [[0, 180], [0, 420]]


@pytest.mark.parametrize("units", [2, 4, 1], ids=["fewer", "more", "one"])
def test_evaluate_wants_an_answer_for_each_class(units):
    told = rf"'kind' must have an answer for each of 3 classes \(a, b, c\)\. Received: {units}\."
    with pytest.raises(InputError, match=told):
        measure(Table(kind=np.zeros((600, units))), {"loss": "MeanSquaredError"}, kind=KIND)


def test_evaluate_says_which_output_a_model_does_not_have():
    training = {"loss": {"kind": "SparseCategoricalCrossentropy", "size": "MeanSquaredError"}}
    table = Table(kind=np.eye(3)[ANSWERS], length=NUMBERS)
    told = r"must have the outputs \['kind', 'size'\]\. Received: \['kind', 'length'\]: no 'size'"
    with pytest.raises(InputError, match=told):
        measure(table, training, kind=KIND, size=SIZE)


ONE_UNIT = [
    "data.source.target=is_high",
    "data.targets=is_high",
    "model.layers.answer.units=1",
    "model.layers.answer.activation=sigmoid",
    "training.loss=BinaryFocalCrossentropy",
    "training.metrics=[BinaryAccuracy, AUC, Precision]",
    "data.sample_weight=weight",
]


@pytest.mark.parametrize(
    "overrides",
    [
        ["training.metrics=[SparseCategoricalAccuracy]", "data.sample_weight=weight"],
        ["training.loss={CategoricalCrossentropy: {label_smoothing: 0.2}}", "training.metrics=[AUC, Recall]"],
        ONE_UNIT,
        ["data.targets=[size, weight]", "training.loss=Huber", "model.layers.answer={Dense: {units: 2}, name: answer}"],
    ],
    ids=["weighted", "smoothed", "one-unit", "numbers"],
)
def test_evaluate_equals_keras(overrides, prepared):
    assert_equals_keras(prepared(*overrides))


def test_evaluate_equals_keras_on_several_outputs_but_for_regularization(two_config):
    regularized = "model.layers.trunk={Dense: {units: 32, kernel_regularizer: {L2: {l2: 0.5}}}, name: trunk}"
    result = prepare(load_config(two_config, [regularized]))
    assert float(sum(result.model.losses)) > 1
    assert_equals_keras(result)


def assert_equals_keras(result):
    split, model = result.splits.test, result.model
    expected = model.evaluate(split.ordered(32, change=encoding(result.outputs)), return_dict=True, verbose=0)
    expected["loss"] -= float(sum(model.losses))
    measured = evaluate(KerasPredictor(model), split, result.outputs, result.config.experiment)["metrics"]
    assert list(measured) == list(expected)
    for name, value in expected.items():
        assert measured[name] == pytest.approx(value, rel=1e-4), name
