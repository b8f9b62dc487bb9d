"""The weights of a finished network as its file holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.deploy.compress.kernels import variables_of
from trainkit.deploy.compress.quantization.kinds import kernel_of
from trainkit.deploy.compress.quantization.projection import LEVELS
from trainkit.framework import tf


@dataclass(frozen=True)
class StoredKernel:
    """A kernel of a finished network as its file holds it.

    Args:
        integers: int8, shaped as in Keras.
        off: How far the network's own values are from those that the integers stand for, at most, in steps.
        axes: Those of output channels.
    """

    integers: np.ndarray
    off: float
    axes: tuple[int, ...]


def stored_kernels(model: Any) -> dict[str, StoredKernel]:
    """The kernels of a finished network that a file holds as integers, by layer.

    Args:
        model: What `QuantizationAware.finish` gives.
    """
    return {layer.name: _store(getattr(layer, name).numpy(), axes) for layer, name, axes in _with_kernels(model)}


def other_weights(model: Any) -> list[np.ndarray]:
    """The float weights of a finished network that are no kernels."""
    own = {id(getattr(layer, name)) for layer, name, _ in _with_kernels(model)}
    others = [weight for weight in variables_of(model) if id(weight) not in own and weight.dtype == tf.float32]
    return [weight.numpy() for weight in others]


def _with_kernels(model: Any) -> Iterator[tuple[Any, str, tuple[int, ...]]]:
    for wrapper in model.layers:
        layer = wrapper.layer if hasattr(wrapper, "quantize_config") else wrapper
        if (found := kernel_of(layer)) is not None:
            yield layer, *found


def _store(kernel: np.ndarray, axes: tuple[int, ...]) -> StoredKernel:
    inner = tuple(axis for axis in range(kernel.ndim) if axis - kernel.ndim not in axes)
    steps = np.abs(kernel).max(axis=inner, keepdims=True) / LEVELS
    in_steps = np.divide(kernel, steps, out=np.zeros_like(kernel), where=steps > 0)
    integers = np.rint(in_steps)
    return StoredKernel(integers.astype(np.int8), float(np.abs(in_steps - integers).max()), axes)
