"""Learn what normalization layers subtract and divide by, from the training split alone."""

from __future__ import annotations

from typing import Any

from trainkit.data import Split
from trainkit.framework import tf


def adapt_normalization(model: Any, split: Split, *, batch_size: int) -> None:
    """Adapt every `Normalization` of a model that was given no mean, in the order of the graph.

    Args:
        model: A `tf.keras.Model` with one input.
        split: The training samples.
        batch_size: Samples a call.
    """
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.Normalization) and layer.input_mean is None:
            before = tf.keras.Model(model.inputs, layer.input)
            layer.adapt(split.ordered(batch_size).map(lambda inputs, *_, before=before: before(inputs)))
