"""Batch normalization whose statistics need no bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainkit.deploy.compress.quantization.folding import scaling
from trainkit.deploy.compress.quantization.kinds import KERNELS
from trainkit.framework import tf
from trainkit.models.calls import Graph

STEPS = 128
"""In the typical factor of a channel, and in the typical spread of what comes out."""

KINDS = (tf.keras.layers.BatchNormalization,)


def absorb_statistics(model: Any) -> Iterator[tuple[str, Any, float]]:
    """Let each BatchNormalization compute, once training is over, with its factors and offsets alone.

    The moving mean becomes 0 and the moving variance what gives a deviation of 1: beta and gamma do the rest. They are
    rounded to steps so small that the network answers as before: a 256th of a typical value is the most that one is
    off. Without beta the mean stays, without gamma the variance. A channel that is 0 whatever comes, as that of a
    filter of zeros, is multiplied by 0 where it has a beta: by its deviation, the factor would be the largest of all.

    Args:
        model: A `tf.keras.Model`; it is changed.

    Returns:
        Layer, variable and step, of each gamma and beta.
    """
    graph = Graph(model)
    for layer in model.layers:
        if isinstance(layer, KINDS):
            factor, offset = scaling(layer)
            if layer.center:
                factor = np.where(_silent(graph, layer), 0.0, factor)
            spread = _typical(layer.gamma.numpy()) if layer.scale else 1.0
            if layer.scale:
                layer.moving_variance.assign(np.full_like(factor, 1.0 - layer.epsilon))
                yield layer.name, layer.gamma, _round(layer.gamma, factor, _typical(factor))
            if layer.center:
                layer.moving_mean.assign(np.zeros_like(offset))
                yield layer.name, layer.beta, _round(layer.beta, offset, spread)


def _silent(graph: Graph, norm: Any) -> np.ndarray | bool:
    """Which channels that a BatchNormalization takes are 0 whatever comes, as far as the layer before it tells."""
    calls = graph.of(norm)
    makers = [maker.layer for maker in graph.makers(calls[0])]
    if len(calls) != 1 or len(makers) != 1 or type(makers[0]) not in KERNELS:
        return False
    (layer,) = makers
    is_linear = not layer.use_bias and layer.activation is tf.keras.activations.linear
    is_last = list(norm.axis) == [len(calls[0].outputs.shape) - 1]
    if not (is_linear and is_last and getattr(layer, "data_format", "channels_last") == "channels_last"):
        return False
    name, axes = KERNELS[type(layer)]
    kernel = getattr(layer, name).numpy()
    return ~kernel.any(axis=tuple(axis for axis in range(-kernel.ndim, 0) if axis not in axes)).reshape(-1)


def _round(variable: Any, values: np.ndarray, size: float) -> float:
    """Set a variable to values on a grid, and tell the step."""
    step = np.float32(size / STEPS)
    variable.assign(step * (np.rint(values / step) + 0.0).astype(np.float32))
    return float(step)


def _typical(values: np.ndarray) -> float:
    """The median size of those that are not zero; 1 where all are."""
    sizes = np.abs(values[values != 0])
    return float(np.median(sizes)) if sizes.size else 1.0
