"""The most memory that activations take at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from trainkit.framework import tf
from trainkit.models.costs.amount import Amount, total
from trainkit.models.costs.layers import bytes_of, ordered_nodes

_IN_PLACE = (
    *("Activation", "ActivityRegularization", "BatchNormalization", "ELU", "Identity", "LeakyReLU", "Masking", "PReLU"),
    *("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "SpatialDropout1D", "SpatialDropout2D"),
    *("SpatialDropout3D", "Flatten", "Normalization", "ReLU", "Rescaling", "Reshape", "ThresholdedReLU"),
)
"""Layers that work number by number, or give what they take under another shape."""


@dataclass(frozen=True)
class Peak:
    """Where activations take the most memory.

    Args:
        activations: Bytes of one sample that are needed at once.
        layer: The name of the layer that is computed then.
    """

    activations: Amount
    layer: str


def peak_memory(model: Any) -> Peak:
    """The most bytes that one sample needs at once in inference.

    The calls of the layers are made one after the other, in the order of `layer_costs`. At each, there is what it
    takes, what it gives, and what later calls still need. A layer that works number by number, such as a ReLU, writes
    its result over what it was given, if nothing else needs that. What a layer keeps inside itself is not counted.

    Args:
        model: A functional or sequential `tf.keras.Model`.

    Returns:
        The first of the largest.
    """
    nodes = ordered_nodes(model)
    uses = Counter(id(tensor) for node in nodes for tensor in node.keras_inputs)
    uses.update(id(tensor) for tensor in (*model.outputs, *model.inputs))  # those are of the caller
    last = {id(tensor): index for index, node in enumerate(nodes) for tensor in node.keras_inputs}
    last |= {id(tensor): len(nodes) for tensor in model.outputs}
    alive = {id(tensor): bytes_of(tensor) for tensor in model.inputs}
    peak = Peak(total(alive.values()), nodes[0].layer.name)
    for index, node in enumerate(nodes):
        if _is_in_place(node, uses):
            del alive[id(node.keras_inputs[0])]
        alive |= {id(tensor): bytes_of(tensor) for tensor in tf.nest.flatten(node.outputs)}
        now = total(alive.values())
        if peak.activations < now:
            peak = Peak(now, node.layer.name)
        alive = {tensor: size for tensor, size in alive.items() if last.get(tensor, -1) > index}
    return peak


def _is_in_place(node: Any, uses: Counter[int]) -> bool:
    if not any(class_.__name__ in _IN_PLACE for class_ in type(node.layer).__mro__) or len(node.keras_inputs) != 1:
        return False
    (tensor,) = node.keras_inputs
    return uses[id(tensor)] == 1 and bytes_of(tensor) == bytes_of(node.outputs)
