"""What is learned at each output: names of the logs, form of the targets."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import load_config
from trainkit.data import Facts, Field
from trainkit.training.outputs import logged_names, outputs_of

CLASSES = Field((), "int32", ("a", "b", "c"))
NUMBERS = Field((2,))
ONE = {
    "version": 1,
    "name": "net",
    "data": {"source": "Sample"},
    "model": {"input": [4], "layers": [{"Dense": {"units": 3}, "name": "kind"}]},
}
TWO = ONE | {
    "model": {
        "input": [4],
        "layers": [{"Dense": {"units": 2}, "name": "size"}, {"Dense": {"units": 3}, "name": "kind", "inputs": "input"}],
        "outputs": ["kind", "size"],
    }
}


def outputs(written, training, **targets):
    experiment = load_config(written | {"training": training}).experiment
    return outputs_of(experiment, Facts({}, targets))


def test_outputs_have_their_layer_loss_metrics_and_target():
    training = {
        "loss": {"size": "Huber", "kind": "SparseCategoricalCrossentropy"},
        "metrics": {"size": ["MeanAbsoluteError", {"MeanAbsoluteError": {}, "name": "off"}]},
    }
    found = outputs(TWO, training, kind=CLASSES, size=NUMBERS)
    assert list(found) == ["kind", "size"]
    assert [output.node.name for output in found.values()] == ["kind", "size"]
    assert [output.loss.class_name for output in found.values()] == ["SparseCategoricalCrossentropy", "Huber"]
    assert (list(found["kind"].metrics), list(found["size"].metrics)) == ([], ["mean_absolute_error", "off"])
    assert [output.target for output in found.values()] == [CLASSES, NUMBERS]


def test_logged_names_of_one_output_are_those_of_keras():
    training = {"loss": "SparseCategoricalCrossentropy", "metrics": ["SparseCategoricalAccuracy"]}
    found = outputs(ONE, training, kind=CLASSES)
    assert logged_names(found, validation=False) == ["loss", "sparse_categorical_accuracy"]


def test_logged_names_of_several_outputs_begin_with_the_output():
    training = {
        "loss": {"size": "Huber", "kind": "SparseCategoricalCrossentropy"},
        "metrics": {"size": ["MeanAbsoluteError"], "kind": ["SparseCategoricalAccuracy"]},
    }
    names = logged_names(outputs(TWO, training, kind=CLASSES, size=NUMBERS), validation=True)
    plain = ["loss", "kind_loss", "size_loss", "kind_sparse_categorical_accuracy", "size_mean_absolute_error"]
    assert names == [*plain, *(f"val_{name}" for name in plain)]


@pytest.mark.parametrize(
    "loss", ["CategoricalCrossentropy", {"CategoricalFocalCrossentropy": {"gamma": 1.0}}, "KLDivergence"], ids=str
)
def test_class_ids_become_vectors_where_the_loss_takes_probabilities(loss):
    (output,) = outputs(ONE, {"loss": loss}, kind=CLASSES).values()
    np.testing.assert_array_equal(output.encode(np.array([2, 0])), [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize(
    ("loss", "target"),
    [("SparseCategoricalCrossentropy", CLASSES), ("MeanSquaredError", NUMBERS), ("KLDivergence", NUMBERS)],
    ids=["ids", "numbers", "probabilities"],
)
def test_other_targets_stay_as_they_are(loss, target):
    (output,) = outputs(ONE, {"loss": loss}, kind=target).values()
    given = np.array([[0.25, 0.75]])
    assert output.encode(given) is given
