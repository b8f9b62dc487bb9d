"""What TensorFlow Lite does with which layer in 8 bits."""

from __future__ import annotations

from typing import Any

from trainkit.framework import tf
from trainkit.models.targets.integers import FLOAT_ACTIVATIONS

_layers, _activations = tf.keras.layers, tf.keras.activations

KERNELS: dict[type, tuple[str, tuple[int, ...]]] = {
    _layers.Conv1D: ("kernel", (-1,)),
    _layers.Conv2D: ("kernel", (-1,)),
    _layers.Conv2DTranspose: ("kernel", (-2,)),
    _layers.Dense: ("kernel", (-1,)),
    _layers.DepthwiseConv2D: ("depthwise_kernel", (-2, -1)),
}
"""Layers with a kernel, what Keras calls it, and its axes of output channels: each channel has a scale of its own."""

ARITHMETIC = (_layers.Add, _layers.Subtract, _layers.Multiply)
"""Layers into which the file fuses a ReLU; the output has a range of its own."""

SAME_RANGE = (_layers.Concatenate, _layers.Maximum, _layers.Minimum)
"""Layers whose inputs must all have the range of their output."""

MOVERS = (
    *(_layers.Flatten, _layers.Reshape, _layers.Permute, _layers.RepeatVector),
    *(_layers.ZeroPadding1D, _layers.ZeroPadding2D, _layers.Cropping1D, _layers.Cropping2D),
    *(_layers.MaxPooling1D, _layers.MaxPooling2D, _layers.GlobalMaxPooling1D, _layers.GlobalMaxPooling2D),
    *(_layers.AveragePooling1D, _layers.AveragePooling2D, _layers.UpSampling1D, _layers.UpSampling2D),
)
"""Layers whose output has the range of their input, in the file too: none of their values is larger."""

TRAINING_ONLY = (
    *(_layers.Dropout, _layers.SpatialDropout1D, _layers.SpatialDropout2D, _layers.AlphaDropout),
    *(_layers.GaussianDropout, _layers.GaussianNoise, _layers.ActivityRegularization),
)
"""Layers that do nothing once training is over."""

COMPUTING = (
    *(_layers.Average, _layers.LeakyReLU, _layers.PReLU, _layers.ReLU, _layers.Rescaling),
    *(_layers.GlobalAveragePooling1D, _layers.GlobalAveragePooling2D),
)
"""Layers whose output has a range of its own, and which stand alone in the file."""

FIXED = {"sigmoid": (0.0, 255 / 256), "softmax": (0.0, 255 / 256), "tanh": (-1.0, 127 / 128)}
"""Activations whose output has one and the same range in every file."""

LEARNED = (
    *("relu", "relu6", "leaky_relu", "gelu", "exponential"),
    *("selu", "softplus", "softsign", "mish", "hard_sigmoid"),  # several steps, all of them in integers
)
"""Activations whose output has a range of its own."""

FLOAT = tuple(FLOAT_ACTIVATIONS)
"""Activations that the file computes with real numbers."""

_FUNCTIONS = {
    **{
        getattr(_activations, name): name
        for name in ("linear", *FIXED, *FLOAT, *LEARNED)
        if hasattr(_activations, name)
    },
    _activations.swish: "swish",
    tf.nn.relu: "relu",
    tf.nn.relu6: "relu6",
    tf.nn.leaky_relu: "leaky_relu",
    tf.nn.silu: "swish",
    tf.nn.gelu: "gelu",
    tf.nn.elu: "elu",
    tf.nn.sigmoid: "sigmoid",
    tf.nn.tanh: "tanh",
}


def kernel_of(layer: Any) -> tuple[str, tuple[int, ...]] | None:
    """The name of the kernel of a layer and its axes of output channels."""
    return KERNELS.get(type(layer))


def activation_of(layer: Any) -> str | None:
    """The name of the activation that a layer is, or ends with; None where it is none, or an unknown one."""
    if type(layer) is _layers.ReLU:
        return _relu(layer)
    if type(layer) is _layers.Softmax:
        return "softmax" if layer.axis == -1 else None
    if type(layer) is _layers.ELU:
        return "elu"
    return _FUNCTIONS.get(getattr(layer, "activation", None))


def _relu(layer: Any) -> str | None:
    if layer.negative_slope or layer.threshold:
        return None
    most = None if layer.max_value is None else float(layer.max_value)  # an array of no axes after loading
    return {None: "relu", 6.0: "relu6"}.get(most)


def is_relu(layer: Any) -> bool:
    """Whether a layer is nothing but an activation that the file fuses into the one before."""
    return type(layer) in (_layers.ReLU, _layers.Activation) and activation_of(layer) in ("relu", "relu6")


def is_identity(call: Any) -> bool:
    """Whether a call does nothing once training is over."""
    if type(call.layer) in TRAINING_ONLY:
        return not call.call_kwargs.get("training")
    return type(call.layer) is _layers.Activation and activation_of(call.layer) == "linear"
