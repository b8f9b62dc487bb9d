"""What a training keeps of each sample between the forward and the backward pass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainkit.framework import tf
from trainkit.models.costs.amount import Amount, amount_of, total
from trainkit.models.costs.layers import bytes_of, ordered_nodes

_VIEWS = ("ActivityRegularization", "Flatten", "Identity", "Masking", "Reshape")
"""Layers that give what they take, under another shape at most."""

_NEEDS_NOTHING = (
    *("Add", "Average", "Concatenate", "Subtract", "Permute", "RepeatVector", "Rescaling", "Normalization", "Resizing"),
    *("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"),
    *(
        f"{name}{rank}D"
        for name in (
            "AveragePooling",
            "Cropping",
            "GlobalAveragePooling",
            "SpatialDropout",
            "UpSampling",
            "ZeroPadding",
        )
        for rank in (1, 2, 3)
    ),
)
_NEEDS_OUTPUTS = ("ELU", "ReLU", "Softmax")
_NEEDS_INPUTS = (
    *("AdditiveAttention", "Attention", "BatchNormalization", "Bidirectional", "Conv", "Dense", "Dot", "EinsumDense"),
    *("Embedding", "GroupNormalization", "LayerNormalization", "LeakyReLU", "LocallyConnected1D"),
    *("LocallyConnected2D", "Maximum", "Minimum", "MultiHeadAttention", "Multiply", "PReLU", "RNN"),
    *("ThresholdedReLU", "TimeDistributed", "UnitNormalization"),
)
"""What the gradient of a layer is computed from, by class or base class; of a class that is not here, from both."""

_ACTIVATIONS_OF_OUTPUT = ("elu", "relu", "relu6", "selu", "sigmoid", "softmax", "tanh")
"""Activations whose gradient is computed from what they give."""

_COPIES: Mapping[str, float] = {
    **dict.fromkeys(("AlphaDropout", "Dropout", "GaussianDropout"), 0.25),  # a mask of one byte a number
    **dict.fromkeys(("GroupNormalization", "LayerNormalization", "PReLU"), 1),
    "gelu": 4,
    "mish": 3,
}
"""What a layer or a fused activation keeps of its own, in copies of its output."""

_GATES: Mapping[str, int] = {"GRUCell": 6, "LSTMCell": 7, "SimpleRNNCell": 1}
"""What a cell keeps of each step, in copies of its state."""


def kept_activations(model: Any) -> Amount:
    """Estimate the bytes that a training step keeps of each sample for its backward pass.

    Counted are the inputs and outputs of layers that the gradients are computed from, each once: a convolution needs
    what it was given, a ReLU what it gave, an addition neither; and what recurrent layers, attention and some
    activations keep inside. What stands before the first trained weight needs no gradient, and is not kept. Not counted
    are the gradients of the activations, which come and go, and what the computation of one layer takes for itself.

    Args:
        model: A functional or sequential `tf.keras.Model`.

    Returns:
        Within about a tenth of what TensorFlow's own graph of convolutional networks keeps, a quarter of recurrent
        ones.
    """
    learning: set[int] = set()
    sources: dict[int, Any] = {}
    kept: dict[int, Amount] = {}
    inside = Amount()
    for node in ordered_nodes(model):
        outputs = tf.nest.flatten(node.outputs)
        inputs = list(node.keras_inputs)
        if _class_of(node.layer, _VIEWS):
            sources[id(outputs[0])] = sources.get(id(inputs[0]), inputs[0])
        if not node.layer.trainable_weights and not any(id(tensor) in learning for tensor in inputs):
            continue
        learning |= {id(tensor) for tensor in outputs}
        needed = [sources.get(id(tensor), tensor) for tensor in _needed(node.layer, inputs, outputs)]
        kept |= {id(tensor): bytes_of(tensor) for tensor in needed}
        inside += _inside(node.layer, inputs, outputs[0])
    return total(kept.values()) + inside


def _needed(layer: Any, inputs: list[Any], outputs: list[Any]) -> list[Any]:
    """The tensors that the gradient of a layer is computed from."""
    activation = _activation(layer)
    if _class_of(layer, ("Activation",)):
        return outputs if activation in _ACTIVATIONS_OF_OUTPUT else inputs
    if _class_of(layer, (*_VIEWS, *_NEEDS_NOTHING)):
        return []
    if _class_of(layer, _NEEDS_OUTPUTS):
        return outputs
    if not _class_of(layer, _NEEDS_INPUTS):
        return [*inputs, *outputs]
    is_frozen = bool(layer.weights) and not layer.trainable_weights
    return [*([] if is_frozen else inputs), *(outputs if activation in _ACTIVATIONS_OF_OUTPUT else [])]


def _inside(layer: Any, inputs: list[Any], output: Any) -> Amount:
    """What a layer keeps besides its inputs and outputs."""
    keras = tf.keras.layers
    if isinstance(layer, keras.Bidirectional):
        return _inside(layer.forward_layer, inputs, output) + _inside(layer.backward_layer, inputs, output)
    if isinstance(layer, keras.RNN):
        return amount_of([inputs[0].shape[1]]) * _state(layer.cell, output)
    if isinstance(layer, keras.MultiHeadAttention):
        return _heads(layer, inputs, output)
    if isinstance(layer, keras.Attention | keras.AdditiveAttention):
        return amount_of([*inputs[0].shape[1:-1], inputs[1].shape[-2]]) * output.dtype.size
    if isinstance(layer, keras.SeparableConv1D | keras.SeparableConv2D):
        channels = output.shape[-1 if layer.data_format == "channels_last" else 1]
        depthwise = int(layer.pointwise_kernel.shape[-2])
        return _scaled(bytes_of(output), depthwise / channels)
    activation = _activation(layer)
    plain = activation in ("linear", *_ACTIVATIONS_OF_OUTPUT) or _class_of(layer, ("Activation",))
    copies = _COPIES.get(type(layer).__name__, 0) + _COPIES.get(activation, 0 if plain else 1)
    return _scaled(bytes_of(output), copies)


def _state(cell: Any, output: Any) -> Amount:
    """What a cell keeps of one step, of those numbers that it gives."""
    if isinstance(cell, tf.keras.layers.StackedRNNCells):
        return total(_state(inner, output) for inner in cell.cells)
    if hasattr(cell, "filters"):  # of a convolutional LSTM
        places = output.shape[-1 - len(cell.kernel_size) : -1] if cell.data_format == "channels_last" else ()
        return amount_of([*places, cell.filters]) * (_GATES["LSTMCell"] * output.dtype.size)
    units = getattr(cell, "units", output.shape[-1])
    return amount_of([units]) * (_GATES.get(type(cell).__name__, 1) * output.dtype.size)


def _heads(layer: Any, inputs: list[Any], output: Any) -> Amount:
    """Queries, keys, values and answers of all heads, and how much each step looks at each, before and after."""
    query, value = inputs[0].shape[1:], inputs[min(1, len(inputs) - 1)].shape[1:]
    steps = amount_of(value[axis - 1] for axis in layer._attention_axes)
    projected = amount_of(query[:-1]) * (layer._key_dim + layer._value_dim)
    projected += amount_of(value[:-1]) * (layer._key_dim + layer._value_dim)
    return (projected + amount_of(query[:-1]) * steps) * (layer._num_heads * output.dtype.size)


def _activation(layer: Any) -> str:
    return getattr(getattr(layer, "activation", None), "__name__", "linear")


def _class_of(layer: Any, names: tuple[str, ...]) -> bool:
    return any(class_.__name__ in names for class_ in type(layer).__mro__)


def _scaled(amount: Amount, factor: float) -> Amount:
    return Amount(*(round(term * factor) for term in amount.terms))
