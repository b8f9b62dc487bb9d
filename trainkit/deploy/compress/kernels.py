"""Which weights of a model are compressed: the kernels of convolutions and dense layers."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from typing import Any, TypeVar

import numpy as np

from trainkit.deploy.compress.result import ZEROS, Kind, Promise, count_zeros
from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.models.patterns import fits, unknown_pattern

T = TypeVar("T")

_layers = tf.keras.layers

KERNELS = {
    _layers.Conv1D: "kernel",
    _layers.Conv2D: "kernel",
    _layers.Conv3D: "kernel",
    _layers.Conv2DTranspose: "kernel",
    _layers.Dense: "kernel",
    _layers.SeparableConv2D: "pointwise_kernel",
}
"""Layers with a kernel that can be compressed, and what Keras calls it.

Depthwise kernels are left alone: they hold few values, and each is the whole filter of a channel.
"""


def is_kernel(owner: Any, attribute: str) -> bool:
    """Whether an attribute of a layer is its kernel."""
    return KERNELS.get(type(owner)) == attribute


def kernels_of(model: Any) -> dict[str, np.ndarray]:
    """The kernels that can be compressed, by the name of their layer, in the order of the network."""
    found = [layer for layer in model.layers if type(layer) in KERNELS]
    return {layer.name: getattr(layer, KERNELS[type(layer)]).numpy() for layer in found}


def promise_of(model: Any, layer: str, *, step: str, kind: Kind, limit: int) -> Promise:
    """What a step promises of a kernel."""
    weight = KERNELS[type(model.get_layer(layer))]
    return Promise(step, layer, weight, kind, limit, kernels_of(model)[layer].size)


def promise_zeros(model: Any, layers: Iterable[str], *, step: str) -> tuple[Promise, ...]:
    """What a step promises that has pruned some kernels: the zeros that they have."""
    zeros = {name: count_zeros(kernel) for name, kernel in kernels_of(model).items()}
    return tuple(promise_of(model, name, step=step, kind=ZEROS, limit=zeros[name]) for name in layers)


def variables_of(layer: Any) -> list[Any]:
    """What can be trained or set of a layer or model: for Keras a vocabulary is a weight, too."""
    return [weight for weight in layer.weights if hasattr(weight, "assign")]


def digest_of(model: Any) -> str:
    """The sha256 of all values that can be trained or set, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for variable in variables_of(model):
        digest.update(variable.numpy().tobytes())
    return digest.hexdigest()


def weights_of(model: Any, layer: str, size: int) -> list[tuple[np.ndarray, int]]:
    """The kernels of so many values of a layer, also where it was taken apart: `conv` is now `conv.linear`, say.

    Returns:
        Each with its axis of output channels.
    """
    found = (one for one in model.layers if one.name == layer or one.name.startswith(f"{layer}."))
    return [
        (weight.numpy(), channels_of(one))
        for one in found
        for weight in variables_of(one)
        if weight.shape.rank > 1 and np.prod(weight.shape) == size
    ]


def channels_of(layer: Any) -> int:
    """The axis of output channels of a layer's kernel."""
    inner = layer.layer if hasattr(layer, "quantize_config") else layer
    return -2 if isinstance(inner, _layers.Conv2DTranspose) else -1


def choose(
    names: Collection[str], default: T, patterns: Mapping[str, T] | None, *, argument: str = "layers"
) -> dict[str, T]:
    """What holds for each layer: what the first pattern says that fits its name, else the default.

    Args:
        names: The layers.
        default: What holds where no pattern fits.
        patterns: From a pattern, as shells have it, or the name of a block, to what holds: `{"dense*": 0.9}`.
        argument: Where the patterns were given.

    Raises:
        InputError: If a pattern fits no layer.

    Example:
        >>> choose(["conv1", "dense1", "dense2"], 0.5, {"dense1": 0.8, "dense*": 0.9})
        {'conv1': 0.5, 'dense1': 0.8, 'dense2': 0.9}
    """
    patterns = patterns or {}
    for pattern in patterns:
        if told := unknown_pattern(pattern, names, kind="layer with a kernel"):
            raise InputError(f"`{argument}` {told}")
    return {
        name: next((value for pattern, value in patterns.items() if fits(pattern, name)), default) for name in names
    }
