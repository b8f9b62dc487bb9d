"""What a recurrent layer must be for a .tflite of integers.

Each step is written out there: TensorFlow's process ends with a crash where it calibrates a loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainkit.framework import tf
from trainkit.models.targets.parts import CONVOLUTIONAL_LOOPS, class_of, is_loop, parts_of
from trainkit.models.targets.target import Lack

MOST_STEPS = 256
"""Of a network of integers, each step is written out: 200 steps of an LSTM took 50 s and 2,800 operations."""
_CURE = "Use `precision: float32`, `float16` or `dynamic`, or ONNX."


def is_recurrent(layer: Any) -> bool:
    """Whether a layer is recurrent, or wraps one that is."""
    return isinstance(_wrapped(layer)[0], tf.keras.layers.RNN)


def uncountable_steps(layer: Any) -> Lack | None:
    """Why the steps of a recurrent layer, or of one that it wraps, cannot be written out in a .tflite of integers."""
    rule = next(_rules(layer), None) if is_recurrent(layer) else None
    return Lack((), _CURE, rule) if rule else None


def _rules(layer: Any) -> Iterator[str]:
    """What the layer would have to be, and is not, a sentence without its subject."""
    inner, depth = _wrapped(layer)
    is_counted = any(is_loop(part) for part in parts_of(layer))  # who writes `unroll` wants all steps written out
    for node in layer._inbound_nodes:
        if class_of(inner, CONVOLUTIONAL_LOOPS):
            yield "cannot be one of integers: TensorFlow Lite cannot calibrate its loop."
        if any(getattr(tensor, "_keras_mask", None) is not None for tensor in node.keras_inputs):
            rule = "must see every step to be one of integers"
            yield f"{rule}. Received: a mask. Leave out Masking or `mask_zero`."
        steps = node.keras_inputs[0].shape[1 : depth + 2]
        if None in steps.as_list():
            yield "must have a fixed number of steps to be one of integers. Received: any. Write it in `input`."
        elif steps[-1] > MOST_STEPS and is_counted:
            rule = f"must have at most {MOST_STEPS} steps to be one of integers"
            yield f"{rule}. Received: {steps[-1]}. Shorten them."


def _wrapped(layer: Any) -> tuple[Any, int]:
    """The layer inside of wrappers, and before which of its axes of steps theirs stand."""
    depth = 0
    while isinstance(layer, tf.keras.layers.Wrapper):
        depth += isinstance(layer, tf.keras.layers.TimeDistributed)
        layer = layer.layer
    return layer, depth
