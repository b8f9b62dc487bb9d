"""A row for each call of a layer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from trainkit.framework import tf
from trainkit.models.calls import in_reading_order, nodes_of
from trainkit.models.costs.amount import Amount, amount_of, total
from trainkit.models.costs.macs import Shape, count_macs
from trainkit.models.weights import weight_bytes, weight_count


@dataclass(frozen=True)
class LayerCost:
    """One call of a layer.

    Args:
        name: As in the model.
        class_name: As Keras spells it.
        output_shape: Of one sample, without the batch axis; None for any length.
        call: Which call of the layer it is; more than 1 only for a shared layer.
        parameters: Number of weights; 0 from the second call on, and for those that an earlier layer counts.
        trainable: How many of them are trained.
        weight_bytes: What the weights take.
        macs: Multiply-accumulates for one sample, see `count_macs`; None if nothing is known of such a layer.
        activations: Bytes of what it gives for one sample; texts count nothing.
    """

    name: str
    class_name: str
    output_shape: Shape
    call: int
    parameters: int
    trainable: int
    weight_bytes: int
    macs: Amount | None
    activations: Amount


def layer_costs(model: Any) -> list[LayerCost]:
    """What each call of a layer costs.

    Args:
        model: A functional or sequential `tf.keras.Model`; nothing is computed with it.

    Returns:
        A row for each input, then one for each call, branch after branch; each comes after those that it depends on.
    """
    weights: set[int] = set()
    calls: Counter[int] = Counter()
    return [_cost(node, calls, weights) for node in ordered_nodes(model)]


def ordered_nodes(model: Any) -> list[Any]:
    """The calls of a model as a person would read them: inputs first, then branch after branch."""
    inputs = [node for node in nodes_of(model) if node.is_input]
    makers = {id(tensor): node for node in inputs for tensor in tf.nest.flatten(node.outputs)}
    return [*(makers[id(tensor)] for tensor in model.inputs), *in_reading_order(model)]


def bytes_of(tensor: Any) -> Amount:
    """The bytes of a tensor of the graph for one sample; a text has no size."""
    if tensor.dtype == tf.string:
        return Amount()
    return amount_of(_shape(tensor)) * tensor.dtype.size


def _cost(node: Any, calls: Counter[int], counted: set[int]) -> LayerCost:
    layer, outputs = node.layer, tf.nest.flatten(node.outputs)
    calls[id(layer)] += 1
    weights = list(_new(layer.weights, counted))
    trainable = {id(weight) for weight in layer.trainable_weights}
    return LayerCost(
        name=layer.name,
        class_name=type(layer).__name__,
        output_shape=_shape(outputs[0]),
        call=calls[id(layer)],
        parameters=weight_count(weights),
        trainable=weight_count([weight for weight in weights if id(weight) in trainable]),
        weight_bytes=weight_bytes(weights),
        macs=Amount() if node.is_input else count_macs(layer, _given(node), _shape(outputs[0])),
        activations=total(bytes_of(tensor) for tensor in outputs),
    )


def _new(weights: Sequence[Any], counted: set[int]) -> Iterator[Any]:
    for weight in weights:
        if id(weight) not in counted:
            counted.add(id(weight))
            yield weight


def _given(node: Any) -> list[Shape]:
    """The shapes of what a layer is called with; of attention in the order query, value, key."""
    named = node.call_kwargs
    tensors = node.keras_inputs
    if isinstance(node.layer, tf.keras.layers.MultiHeadAttention):
        arguments = dict(zip(("query", "value", "key"), node.call_args, strict=False)) | named
        tensors = [arguments[name] for name in ("query", "value", "key") if arguments.get(name) is not None]
    return [_shape(tensor) for tensor in tensors]


def _shape(tensor: Any) -> Shape:
    return tuple(tensor.shape[1:])
