"""Learn what layers need to know of the data, from the training split alone: means, vocabularies, bin borders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trainkit.data import Split
from trainkit.framework import tf

_GIVEN = ("input_mean", "input_vocabulary", "input_bin_boundaries")
"""Where layers of Keras keep statistics that the config gave them."""


def adapting(split: Split, *, batch_size: int) -> Callable[[Any, Any], None]:
    """Let layers learn from training samples.

    Args:
        split: The training samples.
        batch_size: Samples a call.

    Returns:
        `adapt(layer, tensor)` for `build_model`: a layer that was given its statistics or vocabulary keeps them, any
        other learns from the values that `tensor`, a symbolic tensor, takes for the training samples.
    """

    def adapt(layer: Any, tensor: Any) -> None:
        if _was_given(layer):
            return
        inputs = _inputs_of(tensor)
        before = tf.keras.Model(inputs, tensor)
        names = [value.node.layer.name for value in inputs]
        batches = split.ordered(batch_size).map(lambda given, *_: {name: given[name] for name in names})
        sequences = [name for name in names if split.lengths(name) is not None]
        if len(sequences) == 1 and tensor.shape.rank > 1 and tensor.shape[1] is None:
            (name,) = sequences
            lengths = tf.data.Dataset.from_tensor_slices(split.lengths(name)).batch(batch_size)
            layer.adapt(tf.data.Dataset.zip((batches, lengths)).map(_without_padding(before, name)))
        else:
            layer.adapt(batches.map(before))
        _check_finite(layer)

    return adapt


def _without_padding(before: Any, name: str) -> Callable[[Any, Any], Any]:
    """What a network gives for the steps of an input that are no padding, one sample after the other."""

    def steps(given: Any, lengths: Any) -> Any:
        values, longest = before(given), tf.shape(given[name])[1]
        real = tf.sequence_mask(lengths, longest)
        kept = tf.cond(  # a convolution may have changed how many steps there are
            tf.shape(values)[1] == longest, lambda: tf.boolean_mask(values, real)[tf.newaxis], lambda: values
        )
        return tf.ensure_shape(kept, [None, *values.shape[1:]])

    return steps


def _check_finite(layer: Any) -> None:
    """Refuse what was learned from samples with missing numbers: answers would be wrong, and nothing would fail."""
    for weight in layer.weights:
        if hasattr(weight, "dtype") and tf.as_dtype(weight.dtype).is_floating and not np.isfinite(weight.numpy()).all():
            raise ValueError("numbers are missing among them. Put Impute before it")


def _was_given(layer: Any) -> bool:
    """Whether the config gave a layer what it would learn; TextVectorization keeps that in a layer of its own."""
    holder = getattr(layer, "_lookup_layer", layer)
    return any(getattr(holder, name, None) is not None for name in _GIVEN)


def _inputs_of(tensor: Any) -> list[Any]:
    """The inputs of the network that a symbolic tensor depends on."""
    found: dict[str, Any] = {}
    waiting = [tensor]
    while waiting:
        value = waiting.pop()
        node = value.node
        if node.is_input:
            found[node.layer.name] = value
        else:
            waiting.extend(tf.nest.flatten(node.keras_inputs))
    return list(found.values())
