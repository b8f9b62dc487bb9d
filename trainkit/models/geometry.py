"""What the inputs of dense kernels were before they were made flat."""

from __future__ import annotations

from math import prod
from typing import Any

from trainkit.framework import tf

_ELEMENTWISE = ("Activation", "BatchNormalization", "Dropout", "LeakyReLU", "ReLU", "Rescaling")
"""Layers that leave each value at its place."""


def geometries(model: Any) -> dict[int, tuple[int, int, int]]:
    """The shape that the inputs of dense kernels had before a `Flatten`, `(height, width, channels)`.

    Args:
        model: A functional `tf.keras.Model`.

    Returns:
        By the id of the kernel, of those whose inputs were an image or a sequence, whose width is then 1.
    """
    found = {}
    for layer in model._flatten_layers():
        if type(layer) is tf.keras.layers.Dense:
            shape = _before_flat(layer)
            if shape is not None and prod(shape) == layer.kernel.shape[0]:
                found[id(layer.kernel)] = shape
    return found


def _before_flat(layer: Any) -> tuple[int, int, int] | None:
    while (layer := _before(layer)) is not None:
        if isinstance(layer, tf.keras.layers.Flatten):
            shape = _shape_before(layer)
            if len(shape) not in (2, 3) or None in shape or layer.data_format != "channels_last":
                return None
            return (shape[0], shape[1] if len(shape) == 3 else 1, shape[-1])
        if type(layer).__name__ not in _ELEMENTWISE:
            return None
    return None


def _shape_before(layer: Any) -> Any:
    """Of what a layer takes, without samples; nothing where it takes several."""
    is_one = len(layer.inbound_nodes) == 1 and isinstance(layer.input_shape, tuple)
    return layer.input_shape[1:] if is_one else ()


def _before(layer: Any) -> Any:
    """The one layer that a layer is called with, if it is called once."""
    nodes = layer.inbound_nodes
    before = nodes[0].inbound_layers if len(nodes) == 1 else None
    return before if isinstance(before, tf.keras.layers.Layer) else None
