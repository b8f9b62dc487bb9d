"""A model -> the steps of its network: models inside it dissolved, layers called again told apart from new ones."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, replace
from typing import Any

from trainkit.errors import shown
from trainkit.framework import tf
from trainkit.models.calls import in_reading_order, is_graph
from trainkit.models.describe.layer import LEARNED_AS_ARGUMENTS, describe_layer
from trainkit.models.describe.operators import OPERATOR_LAYERS, describe_operator
from trainkit.models.describe.step import Inputs, Record, Ref, RefusalError, Size, Step, is_tensor

_FROZEN = (
    "The model calls layers as if nobody trained (`training=False`), which a config does not say: they learn, unless "
    "`trainable: false` stands with them."
)


@dataclass(frozen=True)
class Place:
    """Where a layer stands.

    Args:
        values: What each tensor of its graph is, by id.
        prefix: The way to the model that it is in.
        trainable: Whether that model learns.
    """

    values: dict[int, Any]
    prefix: str = ""
    trainable: bool = True


def walk(model: Any, place: Place, record: Record) -> list[Any]:
    """Describe the calls of a model in reading order.

    Args:
        model: A functional or sequential `tf.keras.Model`.
        place: Where it stands, with the values of its inputs; those of its other tensors are added.
        record: What is found is added to it.

    Returns:
        What its outputs are.
    """
    for call in in_reading_order(model):
        try:
            made = _describe(call, place, record)
        except RefusalError as refusal:
            record.problems.append((place.prefix + call.layer.name, _kind(call.layer), str(refusal)))
            made = [Step("Identity", {}, []) for _ in tf.nest.flatten(call.outputs)]
        place.values.update(zip((id(tensor) for tensor in tf.nest.flatten(call.outputs)), made, strict=True))
    return [place.values[id(tensor)] for tensor in model.outputs]


def _kind(layer: Any) -> str:
    return f"tf.{layer.symbol}" if type(layer).__name__ in OPERATOR_LAYERS else type(layer).__name__


def _describe(call: Any, place: Place, record: Record) -> list[Any]:
    """What the outputs of a call are."""
    if type(call.layer).__name__ in OPERATOR_LAYERS:
        return describe_operator(call, place.values, record)
    if is_graph(call.layer):
        return _enter(call, place, record)
    inputs = _inputs(call, place, record)
    if (count := len(tf.nest.flatten(call.outputs))) > 1:
        raise RefusalError(f"it gives {count} values, of which the config language takes one")
    return [_layer(call, inputs, place, record)]


def _enter(call: Any, place: Place, record: Record) -> list[Any]:
    """Go on inside a model that is called like a layer."""
    model = call.layer
    keywords = dict(call.call_kwargs)
    given = call.call_args[0] if call.call_args else keywords.pop("inputs")
    tensors = model._flatten_to_reference_inputs(given)
    _check_settings(call, {key: value for key, value in keywords.items() if not is_tensor(value)}, record)
    values = {id(inner): place.values[id(outer)] for inner, outer in zip(model.inputs, tensors, strict=True)}
    inside = Place(values, f"{place.prefix}{model.name}_", place.trainable and model.trainable)
    return walk(model, inside, record)


def _layer(call: Any, inputs: Inputs, place: Place, record: Record) -> Step:
    layer, rank = call.layer, len(call.keras_inputs[0].shape)
    nodes = describe_layer(layer, rank=rank, trainable=place.trainable and layer.trainable)
    name = place.prefix + layer.name
    (class_name, arguments), *after = nodes
    step = Step(class_name, arguments, inputs, f"{name}_linear" if after else name)
    if class_name == "Impute" and layer.strategy != "constant":
        record.note(f"{name!r} is without the values that it puts in: it learns them again, from your data.")
    if layer.weights and class_name not in LEARNED_AS_ARGUMENTS:
        first = record.first.setdefault(id(layer), step)
        step = step if first is step else replace(step, same_as=first)
    record.steps.append(step)
    for class_name, arguments in after:
        step = Step(class_name, arguments, step, name)
        record.steps.append(step)
    return step


def _inputs(call: Any, place: Place, record: Record) -> Inputs:
    """What a layer is called with, as the language says it."""
    parameters = inspect.signature(call.layer.call).parameters
    arguments = dict(zip(parameters, call.call_args, strict=False)) | call.call_kwargs
    taken = {key: value for key, value in arguments.items() if any(map(is_tensor, tf.nest.flatten(value)))}
    _check_settings(call, {key: value for key, value in arguments.items() if key not in taken}, record)
    if list(taken) == [next(iter(parameters))]:
        (value,) = taken.values()
        return [_ref(item, place) for item in value] if isinstance(value, list | tuple) else _ref(value, place)
    return {key: _ref(value, place) for key, value in taken.items()}


def _ref(value: Any, place: Place) -> Ref:
    found = place.values.get(id(value)) if is_tensor(value) else None
    if found is None:
        raise RefusalError("it is called with constants, or with lists in lists, which the config language cannot say")
    if isinstance(found, Size):
        raise RefusalError("it is called with the shape of something, which the config language cannot say")
    return found


def _check_settings(call: Any, settings: dict[str, Any], record: Record) -> None:
    """Refuse what a call sets besides tensors, if that makes a difference."""
    parameters = inspect.signature(call.layer.call).parameters
    for key, value in settings.items():
        if key == "training" and value is False:
            record.note(_FROZEN)
        elif value is not None and not (key in parameters and parameters[key].default is value):
            raise RefusalError(f"it is called with {key}={shown(value)}, which the config language cannot say")
