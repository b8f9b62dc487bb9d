"""Whether the last layer, the loss and the data fit each other."""

from __future__ import annotations

from typing import Any

from trainkit.config import Config, Node, NodeError
from trainkit.data.splits import Facts

_TWO_CLASSES = {"BinaryCrossentropy", "BinaryFocalCrossentropy", "Hinge", "SquaredHinge"}
_METRICS_OF_ONE_UNIT = {"Accuracy": "BinaryAccuracy", "SparseCategoricalAccuracy": "BinaryAccuracy"}
_METRICS_OF_CLASSES = {
    "Accuracy": "SparseCategoricalAccuracy",
    "BinaryAccuracy": "SparseCategoricalAccuracy",
    "CategoricalAccuracy": "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy": "SparseTopKCategoricalAccuracy",
    "CategoricalCrossentropy": "SparseCategoricalCrossentropy",
}


def check_head(config: Config, model: Any, facts: Facts) -> None:
    """Compare the shape of a model's output with the classes of the data, and what loss and metrics take.

    Raises:
        NodeError: At the loss or metric, where it does not take class ids; else at the last layer.
    """
    if facts.classes is None:
        return
    loss = config.experiment.training.loss
    head = config.experiment.model.layers[-1]
    classes = len(facts.classes)
    if loss.class_name not in {"SparseCategoricalCrossentropy", *_TWO_CLASSES}:
        use = "SparseCategoricalCrossentropy, or BinaryCrossentropy for two classes"
        raise NodeError(loss, f"{loss.class_name} does not take class ids, which the data has. Use {use}.")
    if loss.class_name in _TWO_CLASSES and classes != 2:
        raise NodeError(loss, f"{loss.class_name} takes 2 classes; the data has {classes}.")
    units = 1 if loss.class_name in _TWO_CLASSES else classes
    shape = tuple(model.output.shape[1:])
    if shape == (units,):
        _check_metrics(config.experiment.training.metrics, units)
        return
    name = model.layers[-1].name
    if len(shape) != 1:
        told = f"gives the shape {shape}, one answer a sample is needed. Put Flatten or a global pooling before it"
    else:
        told = f"gives {shape[0]} values for {classes} classes{_cure(units, classes)}"
    raise NodeError(head, f"{head.class_name} {name!r}, after {_before(config, model)}, {told}.")


def _check_metrics(metrics: list[Node], units: int) -> None:
    """Keras computes these metrics all the same, and what they say is wrong."""
    fitting = _METRICS_OF_ONE_UNIT if units == 1 else _METRICS_OF_CLASSES
    for metric in metrics:
        if metric.class_name in fitting:
            what = "the probability of one class" if units == 1 else "class ids"
            message = f"{metric.class_name} does not measure {what}. Use {fitting[metric.class_name]}."
            raise NodeError(metric, message)


def _cure(units: int, classes: int) -> str:
    if units == 1:
        return ": the loss takes 1. Write `units: 1` and `activation: sigmoid`"
    return f": they must be {classes}. Write `units: $classes`"


def _before(config: Config, model: Any) -> str:
    """The layer before the last, with its line."""
    layers = config.experiment.model.layers
    if len(layers) == 1:
        return "the input"
    line = config.line_of(layers[-2])
    return f"{layers[-2].class_name} {model.layers[-2].name!r}{f' (line {line})' if line else ''}"
