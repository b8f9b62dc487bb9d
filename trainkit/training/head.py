"""Whether each output, its loss, its metrics and the data fit each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from trainkit.config import Config, NodeError
from trainkit.training.outputs import ONE_HOT_LOSSES, Output

_TWO_CLASSES = {"BinaryCrossentropy", "BinaryFocalCrossentropy", "Hinge", "SquaredHinge"}
_PROBABILITIES = {
    "SparseCategoricalCrossentropy": "softmax",
    "CategoricalCrossentropy": "softmax",
    "BinaryCrossentropy": "sigmoid",
}
"""Losses of probabilities, and the activation that gives them."""
_OF_CLASSES = {"SparseCategoricalCrossentropy", *ONE_HOT_LOSSES}
_METRICS_OF_ONE_UNIT = {"Accuracy": "BinaryAccuracy", "SparseCategoricalAccuracy": "BinaryAccuracy"}
_METRICS_OF_CLASSES = {
    "Accuracy": "SparseCategoricalAccuracy",
    "BinaryAccuracy": "SparseCategoricalAccuracy",
    "CategoricalAccuracy": "SparseCategoricalAccuracy",
    "TopKCategoricalAccuracy": "SparseTopKCategoricalAccuracy",
    "CategoricalCrossentropy": "SparseCategoricalCrossentropy",
}
_METRICS_OF_ONE_HOT = {
    "Accuracy": "CategoricalAccuracy",
    "BinaryAccuracy": "CategoricalAccuracy",
    "SparseCategoricalAccuracy": "CategoricalAccuracy",
    "SparseTopKCategoricalAccuracy": "TopKCategoricalAccuracy",
    "SparseCategoricalCrossentropy": "CategoricalCrossentropy",
}
_WRONG_FOR_NUMBERS = {
    *_METRICS_OF_CLASSES,
    *_METRICS_OF_ONE_HOT,
    *_METRICS_OF_ONE_UNIT,
    "SparseTopKCategoricalAccuracy",
    "TopKCategoricalAccuracy",
}


def check_head(config: Config, model: Any, output: Output) -> None:
    """Compare the shape of an output with the target it learns, and with what loss and metrics take.

    Raises:
        NodeError: At the loss or metric, where it does not take such targets; else at the layer that gives the output.
    """
    if output.target.classes is None:
        _check_numbers(config, model, output)
    else:
        _check_classes(config, model, output, len(output.target.classes))


def head_notes(model: Any, outputs: Iterable[Output]) -> list[str]:
    """What a person should know of outputs that are no probabilities where their loss takes such."""
    notes = []
    for output in outputs:
        wanted = _PROBABILITIES.get(output.loss.class_name)
        layer = model.get_layer(output.name)
        if not wanted or type(layer).__name__ != "Dense" or output.loss.arguments.get("from_logits"):
            continue
        given = getattr(layer.activation, "__name__", "another")
        if given != wanted:
            told = (
                f"{output.loss.class_name} takes probabilities; {output.name!r} gives none, its activation is {given}"
            )
            notes.append(f"{told}. Write `activation: {wanted}`, or of linear values `from_logits: true` in the loss")
    return notes


def _check_numbers(config: Config, model: Any, output: Output) -> None:
    if output.loss.class_name in _OF_CLASSES:
        message = f"{output.loss.class_name} takes classes; the target of {output.name!r} is a number."
        cure = "Use MeanSquaredError, or name the column in the source's `categorical` or give its `classes`."
        raise NodeError(output.loss, f"{message} {cure}")
    for metric in output.metrics.values():
        if metric.class_name in _WRONG_FOR_NUMBERS:
            message = f"{metric.class_name} does not measure numbers. Use MeanAbsoluteError or RootMeanSquaredError."
            raise NodeError(metric, message)
    expected = output.target.shape
    found = tuple(model.get_layer(output.name).output.shape[1:])
    if found != expected:
        told = f"gives the shape {found}; its targets have the shape {expected}"
        cure = f". Write `units: {expected[0]}`" if len(found) == 1 else ""
        raise NodeError(output.node, f"{_told(config, output)} {told}{cure}.")


def _check_classes(config: Config, model: Any, output: Output, classes: int) -> None:
    loss = output.loss
    if loss.definition:  # of one's own: it knows what it takes
        return
    if loss.class_name not in {*_OF_CLASSES, *_TWO_CLASSES}:
        use = "SparseCategoricalCrossentropy, or BinaryCrossentropy for two classes"
        raise NodeError(loss, f"{loss.class_name} does not take class ids, which the data has. Use {use}.")
    if loss.class_name in _TWO_CLASSES and classes != 2:
        raise NodeError(loss, f"{loss.class_name} takes 2 classes; the data has {classes}.")
    units = 1 if loss.class_name in _TWO_CLASSES else classes
    shape = tuple(model.get_layer(output.name).output.shape[1:])
    if shape == (units,):
        _check_metrics(output, units)
        return
    if len(shape) != 1:
        told = f"gives the shape {shape}, one answer a sample is needed. Put {_to_one(shape)} before it"
    else:
        told = f"gives {shape[0]} values for {classes} classes{_cure(units, classes)}"
    raise NodeError(output.node, f"{_told(config, output)} {told}.")


def _to_one(shape: tuple[int | None, ...]) -> str:
    """What makes one value of many; of any number of steps, Flatten cannot."""
    if None in shape:
        return "a global pooling, or a recurrent layer without `return_sequences`,"
    return "Flatten or a global pooling"


def _check_metrics(output: Output, units: int) -> None:
    """Keras computes these metrics all the same, and what they say is wrong."""
    fitting, what = _METRICS_OF_CLASSES, "class ids"
    if output.is_one_hot:
        fitting, what = _METRICS_OF_ONE_HOT, f"the probabilities that {output.loss.class_name} takes"
    elif units == 1:
        fitting, what = _METRICS_OF_ONE_UNIT, "the probability of one class"
    for metric in output.metrics.values():
        if metric.class_name in fitting:
            message = f"{metric.class_name} does not measure {what}. Use {fitting[metric.class_name]}."
            raise NodeError(metric, message)


def _cure(units: int, classes: int) -> str:
    if units == 1:
        return ": the loss takes 1. Write `units: 1` and `activation: sigmoid`"
    return f": they must be {classes}. Write `units: $classes`"


def _told(config: Config, output: Output) -> str:
    """The layer of an output, and the layer before it where that is plain to see."""
    network = config.experiment.model.network
    call = network.maker(output.name)
    told = f"{output.node.class_name} {output.name!r}"
    if call is None or not isinstance(call.inputs, str):
        return told
    before = network.calls.get(call.inputs)
    if before is None:
        return f"{told}, after the input,"
    line = config.line_of(before.node)
    return f"{told}, after {before.node.class_name} {before.name!r}{f' (line {line})' if line else ''},"
