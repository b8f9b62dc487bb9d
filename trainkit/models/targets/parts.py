"""What a layer is made of, as far as tables of layers ask."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from trainkit.framework import tf

CONVOLUTIONAL_LOOPS = ("ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D")
NOTHING = (
    *("ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise", "Identity"),
    *("Impute", "InputLayer", "RandomBrightness", "RandomContrast", "RandomFlip", "RandomHeight", "RandomRotation"),
    *("RandomTranslation", "RandomWidth", "RandomZoom", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"),
)
"""Layers of which nothing is left in a file."""


def parts_of(layer: Any) -> Iterator[Any]:
    """A layer, and those that it calls: of a wrapper, a model, a recurrent layer of cells."""
    yield layer
    inner: list[Any] = []
    if isinstance(layer, tf.keras.Model):
        inner = layer.layers
    elif isinstance(layer, tf.keras.layers.Bidirectional):
        inner = [layer.forward_layer, layer.backward_layer]
    elif isinstance(layer, tf.keras.layers.Wrapper):
        inner = [layer.layer]
    elif isinstance(layer, tf.keras.layers.StackedRNNCells):
        inner = layer.cells
    elif isinstance(layer, tf.keras.layers.RNN):
        inner = [layer.cell]
    for one in inner:
        yield from parts_of(one)


def class_of(layer: Any, known: Collection[str]) -> str:
    """The name of the nearest class of a layer that is known; none, if none is."""
    return next((class_.__name__ for class_ in type(layer).__mro__ if class_.__name__ in known), "")


def activations_of(layer: Any) -> set[str]:
    """The activations that a layer computes, by their names in Keras."""
    given = [getattr(layer, name, None) for name in ("activation", "recurrent_activation")]
    names = {getattr(function, "__name__", "") for function in given if function is not None}
    symbol = getattr(layer, "symbol", "")  # of a function of TensorFlow that Keras has made a layer of
    return names | {str(symbol).rpartition(".")[2]}


def taken(layer: Any) -> list[Any]:
    """The tensors that a layer is called with."""
    return [tensor for node in layer._inbound_nodes for tensor in node.keras_inputs]


def axes_of(layer: Any) -> int:
    """The most axes of a tensor that a layer takes or gives, the batch among them."""
    given = [tensor for node in layer._inbound_nodes for tensor in tf.nest.flatten(node.outputs)]
    return max((tensor.shape.rank or 0 for tensor in [*taken(layer), *given]), default=0)


def is_open(layer: Any) -> bool:
    """Whether a layer takes any length, besides any batch size."""
    return any(None in tensor.shape.as_list()[1:] for tensor in taken(layer))


def is_loop(layer: Any) -> bool:
    """Whether a layer is computed step by step, in a loop of the file."""
    return isinstance(layer, tf.keras.layers.RNN) and not layer.unroll


def leaves_nothing(layer: Any) -> bool:
    """Whether it is certain that a layer is not in a file: one of Keras, not called as in training."""
    name = type(layer).__name__
    is_own = getattr(tf.keras.layers, name, type(layer)) is type(layer)
    return name in NOTHING and is_own and not any(node.call_kwargs.get("training") for node in layer._inbound_nodes)
