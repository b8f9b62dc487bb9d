"""The network of inference: BatchNormalization gone, kernels rounded, ranges fixed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainkit.deploy.compress.quantization.kinds import KERNELS
from trainkit.framework import tf


def fold(layer: Any, kernel: np.ndarray, norms: Sequence[Any], *, input_shape: Any) -> Any:
    """A layer with a bias that does what a layer and the BatchNormalizations after it do.

    Each output channel is scaled as a whole, kernel and step alike: a rounded kernel stays a rounded kernel.

    Args:
        layer: A layer with a kernel; it is not changed.
        kernel: The kernel to use, rounded.
        norms: Those that follow it.
        input_shape: Of what it is called with.

    Returns:
        A layer of the same name.
    """
    name, axes = KERNELS[type(layer)]
    channels = tuple(kernel.shape[axis] for axis in axes)
    bias = layer.bias.numpy().astype(np.float64) if layer.use_bias else np.zeros(np.prod(channels))
    values = kernel.astype(np.float64)
    for norm in norms:
        scale, offset = scaling(norm)
        values = values * np.expand_dims(scale.reshape(channels), [i for i in range(-values.ndim, 0) if i not in axes])
        bias = bias * scale + offset
    folded = type(layer).from_config({**layer.get_config(), "use_bias": True})
    folded.build(input_shape)
    getattr(folded, name).assign(values)
    folded.bias.assign(bias)
    return folded


def scaling(norm: Any) -> tuple[np.ndarray, np.ndarray]:
    """The factor and the offset of each channel of a BatchNormalization, once training is over."""
    width = norm.moving_mean.shape[0]
    gamma = norm.gamma.numpy() if norm.scale else np.ones(width)
    beta = norm.beta.numpy() if norm.center else np.zeros(width)
    scale = gamma.astype(np.float64) / np.sqrt(norm.moving_variance.numpy().astype(np.float64) + norm.epsilon)
    return scale, beta - norm.moving_mean.numpy() * scale


def as_convolution(norm: Any) -> Any:
    """A BatchNormalization as a depthwise convolution of one value a channel, which 8 bits hold exactly."""
    scale, offset = scaling(norm)
    layer = tf.keras.layers.DepthwiseConv2D(1, name=norm.name)
    layer.build((None, None, None, len(scale)))
    layer.set_weights([scale.reshape(1, 1, -1, 1), offset])
    return layer
