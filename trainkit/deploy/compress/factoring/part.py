"""The layers that stand in place of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.framework import tf

layers = tf.keras.layers

PARTS = ("left", "right", "first", "core", "last")
"""What the parts are called that have kernels which other steps compress: `left` of `dense1` is `dense1.left`."""

_BARE = {
    "activation": "linear",
    "use_bias": False,
    **dict.fromkeys(("bias_regularizer", "bias_constraint", "activity_regularizer")),
}


@dataclass(frozen=True)
class Part:
    """A layer to be made, as often as it is asked for.

    Args:
        class_: Its class.
        config: What the class makes it from.
        weights: What it gets once it is built.
    """

    class_: Any
    config: dict[str, Any]
    weights: Sequence[np.ndarray] = ()

    @property
    def name(self) -> str:
        """Of the layer."""
        return str(self.config["name"])

    def make(self) -> Any:
        """A new layer, without its weights."""
        return self.class_.from_config(self.config)


def inner(layer: Any, name: str, kernel: np.ndarray) -> Part:
    """A layer with another kernel, without bias and activation; what punishes large weights stays.

    Args:
        layer: A `Dense` layer or a convolution.
        name: Of the part: `left` of layer `dense1` is `dense1.left`.
        kernel: Its last axis are the outputs. A matrix makes of a convolution one of a single place.
    """
    return _like(layer, name, kernel, [], _BARE)


def outer(layer: Any, name: str, kernel: np.ndarray) -> Part:
    """The last part of a layer, with its bias and activation; else as `inner`."""
    return _like(layer, name, kernel, layer.get_weights()[1:], {})


def depthwise(layer: Any, name: str, taps: np.ndarray, **changes: Any) -> Part:
    """A filter for each channel by itself.

    Args:
        layer: The convolution whose part it is.
        name: Of the part.
        taps: Shape `(…, channels)`.
        changes: `strides`, `padding` and `dilation_rate`.
    """
    class_ = layers.DepthwiseConv1D if taps.ndim == 2 else layers.DepthwiseConv2D
    config = layer.get_config()
    common = {key: config[key] for key in ("trainable", "dtype", "data_format")}
    own = {"kernel_size": taps.shape[:-1], "use_bias": False, "depthwise_regularizer": config["kernel_regularizer"]}
    return Part(class_, {**common, **own, **changes, "name": f"{layer.name}.{name}"}, [taps[..., np.newaxis]])


def padding(layer: Any, name: str, margins: Sequence[tuple[int, int]]) -> Part:
    """Zeros around what a convolution is given."""
    common: dict[str, Any] = {"name": f"{layer.name}.{name}", "dtype": layer.get_config()["dtype"]}
    if len(margins) == 1:
        return Part(layers.ZeroPadding1D, {**common, "padding": margins[0]})
    return Part(layers.ZeroPadding2D, {**common, "padding": tuple(margins), "data_format": layer.data_format})


def _like(layer: Any, name: str, kernel: np.ndarray, bias: list[np.ndarray], changes: dict[str, Any]) -> Part:
    config = {key: value for key, value in layer.get_config().items() if key != "batch_input_shape"}
    axes = layer.kernel.shape.rank - 2
    if kernel.ndim == 2 < layer.kernel.shape.rank:
        ones = (1,) * axes
        kernel = kernel.reshape(*ones, *kernel.shape)
        changes = {**changes, "kernel_size": ones, "strides": ones, "dilation_rate": ones, "padding": "valid"}
    changes = {**changes, ("filters" if axes else "units"): kernel.shape[-1], "name": f"{layer.name}.{name}"}
    return Part(type(layer), {**config, **changes}, [kernel, *bias])
