"""What each kind of layer does with the channels that it takes: the last axis of what it is called with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from trainkit.framework import tf


@dataclass(frozen=True)
class Tie:
    """The channels along one axis of a weight.

    Args:
        weight: The layer's name for it: `kernel`.
        axis: Of the weight, counted from its end.
        channels: The number of each channel.
        makes: Whether the layer makes these channels: then they are its filters, and this is its kernel.
    """

    weight: str
    axis: int
    channels: np.ndarray
    makes: bool = False


@dataclass(frozen=True)
class Passed:
    """What a call does with channels.

    Args:
        gives: The channels of what it gives.
        ties: The channels along the axes of the layer's weights.
        sizes: The channels that an argument of the layer counts: `filters`.
        free: Weights without an axis of channels.
    """

    gives: np.ndarray
    ties: tuple[Tie, ...] = ()
    sizes: Mapping[str, np.ndarray] = field(default_factory=dict)
    free: tuple[str, ...] = ()


class Numbering(Protocol):
    """Who gives channels their numbers."""

    def own(self, layer: Any, count: int) -> np.ndarray:
        """The channels that a layer makes."""

    def tie(self, first: np.ndarray, second: np.ndarray) -> None:
        """Let channels go together, pair by pair."""

    def keep(self, channels: np.ndarray) -> None:
        """Let channels stay."""


Rule = Callable[[Numbering, Any, Sequence[np.ndarray]], Passed | None]
"""`rule(numbering, call, given)`: from the channels of what a call takes to what it does with them; None: not known."""

_layers = tf.keras.layers

_POINTWISE = tuple(
    tf.keras.activations.get(name)
    for name in (
        *("elu", "exponential", "gelu", "hard_sigmoid", "leaky_relu", "linear", "mish", "relu", "relu6", "selu"),
        *("sigmoid", "softplus", "softsign", "swish", "tanh"),
    )
    if hasattr(tf.keras.activations, name)
)
"""Activations that work number by number: softmax does not."""


def rule_of(layer: Any) -> Rule | None:
    """The rule of a layer, if its channels are the last axis and it is none of a user's own."""
    is_last = getattr(layer, "data_format", "channels_last") == "channels_last"
    return _RULES.get(type(layer)) if is_last else None


def _pass(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed:
    return Passed(given[0])


def _activation(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed | None:
    return Passed(given[0]) if call.layer.activation in _POINTWISE else None


def _dropout(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed | None:
    return Passed(given[0]) if call.layer.noise_shape is None else None


def _convolution(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed | None:
    return None if call.layer.groups > 1 else _made(numbering, call.layer, given[0], "filters")


def _transposed(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed:
    return _made(numbering, call.layer, given[0], "filters", axes=(-1, -2))


def _dense(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed:
    return _made(numbering, call.layer, given[0], "units")


def _separable(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed:
    layer = call.layer
    middle = np.repeat(given[0], layer.depth_multiplier)
    made = _made(numbering, layer, middle, "filters", kernel="pointwise_kernel")
    return Passed(made.gives, (*made.ties, Tie("depthwise_kernel", -2, given[0])), made.sizes)


def _made(
    numbering: Numbering,
    layer: Any,
    given: np.ndarray,
    argument: str,
    *,
    axes: tuple[int, int] = (-2, -1),
    kernel: str = "kernel",
) -> Passed:
    """A kernel from channels that are taken to those that are made, at two of its axes."""
    own = numbering.own(layer, getattr(layer, argument))
    if layer.activation not in _POINTWISE:
        numbering.keep(own)
    taken, makes = axes
    ties = [Tie(kernel, taken, given), Tie(kernel, makes, own, makes=True)]
    return Passed(own, (*ties, *_vectors(layer, own, "bias")), {argument: own})


def _depthwise(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed:
    layer = call.layer
    gives = np.repeat(given[0], layer.depth_multiplier)
    if layer.activation not in _POINTWISE:
        numbering.keep(gives)
    return Passed(gives, (Tie("depthwise_kernel", -2, given[0]), *_vectors(layer, gives, "bias")))


def _batch_normalization(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed | None:
    layer, rank = call.layer, call.keras_inputs[0].shape.rank
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    if [axis % rank for axis in axes] != [rank - 1]:
        return None
    return Passed(given[0], _vectors(layer, given[0], "gamma", "beta", "moving_mean", "moving_variance"))


def _vectors(layer: Any, channels: np.ndarray, *names: str) -> tuple[Tie, ...]:
    return tuple(Tie(name, -1, channels) for name in names if getattr(layer, name, None) is not None)


def _prelu(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed:
    is_shared = call.keras_inputs[0].shape.rank - 1 in (call.layer.shared_axes or ())
    return Passed(given[0], free=("alpha",)) if is_shared else Passed(given[0], (Tie("alpha", -1, given[0]),))


def _merge(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed | None:
    """Number by number, where one channel may stand for all."""
    widest = max(given, key=len)
    for channels in given:
        if len(channels) == len(widest):
            numbering.tie(channels, widest)
        elif len(channels) == 1:
            numbering.keep(channels)
        else:
            return None
    return Passed(widest)


def _concatenate(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed | None:
    rank = call.keras_inputs[0].shape.rank
    axis = call.layer.axis % rank
    if axis == rank - 1:
        return Passed(np.concatenate(given))
    return _merge(numbering, call, given) if axis else None


def _flatten(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed | None:
    return _reshaped(call, given[0])


def _reshape(numbering: Numbering, call: Any, given: Sequence[np.ndarray]) -> Passed | None:
    passed, target = _reshaped(call, given[0]), call.layer.target_shape
    if passed is None or not target or target[-1] == -1:
        return passed
    return Passed(passed.gives, sizes={"target_shape": passed.gives})


def _reshaped(call: Any, given: np.ndarray) -> Passed | None:
    """The same channels at every place, if that is what they are: a row of channels is never divided."""
    before, after = call.keras_inputs[0].shape[1:], call.outputs.shape[1:]
    if None in before or None in after:
        return None
    rows = np.tile(given, math.prod(before[:-1])).reshape(-1, after[-1])
    return Passed(rows[0]) if (rows == rows[0]).all() else None


_RULES: dict[type, Rule] = {
    **dict.fromkeys(
        (
            *(_layers.ReLU, _layers.LeakyReLU, _layers.ELU, _layers.ThresholdedReLU),
            *(_layers.GaussianNoise, _layers.GaussianDropout, _layers.ActivityRegularization, _layers.RepeatVector),
            *(
                getattr(_layers, f"{name}{rank}D")
                for name in ("AveragePooling", "MaxPooling", "GlobalAveragePooling", "GlobalMaxPooling")
                for rank in (1, 2, 3)
            ),
            *(
                getattr(_layers, f"{name}{rank}D")
                for name in ("Cropping", "SpatialDropout", "UpSampling", "ZeroPadding")
                for rank in (1, 2, 3)
            ),
        ),
        _pass,
    ),
    **dict.fromkeys(
        (_layers.Add, _layers.Average, _layers.Maximum, _layers.Minimum, _layers.Multiply, _layers.Subtract), _merge
    ),
    **dict.fromkeys((_layers.Conv1D, _layers.Conv2D, _layers.Conv3D), _convolution),
    **dict.fromkeys((_layers.Conv1DTranspose, _layers.Conv2DTranspose, _layers.Conv3DTranspose), _transposed),
    **dict.fromkeys((_layers.DepthwiseConv1D, _layers.DepthwiseConv2D), _depthwise),
    **dict.fromkeys((_layers.SeparableConv1D, _layers.SeparableConv2D), _separable),
    _layers.Activation: _activation,
    _layers.BatchNormalization: _batch_normalization,
    _layers.Concatenate: _concatenate,
    _layers.Dense: _dense,
    _layers.Dropout: _dropout,
    _layers.Flatten: _flatten,
    _layers.PReLU: _prelu,
    _layers.Reshape: _reshape,
}
