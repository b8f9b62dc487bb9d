"""The ranges that a network's own activations have, before it is rounded."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from trainkit.framework import tf
from trainkit.models.calls import Graph

BATCH_SIZE = 64


def measure(model: Any, names: Collection[str], samples: Mapping[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """The ranges of the outputs of layers, as means over batches.

    Args:
        model: A functional model.
        names: Of the layers.
        samples: Arrays by input name; the first axis is that of samples.

    Returns:
        Where each range begins and ends, by layer; 0 is in it.
    """
    tensors = [(call.layer.name, call.outputs) for call in Graph(model).calls if call.layer.name in names]
    probe = tf.keras.Model(model.inputs, [tensor for _, tensor in tensors])
    count = len(next(iter(samples.values())))
    seen: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for start in range(0, count, BATCH_SIZE):
        batch = [samples[name][start : start + BATCH_SIZE] for name in model.input_names]
        for (name, _), array in zip(tensors, tf.nest.flatten(probe.predict_on_batch(batch)), strict=True):
            seen[name].append((min(float(array.min()), 0.0), max(float(array.max()), 0.0)))
    means = {name: np.mean(ends, axis=0) for name, ends in seen.items()}
    return {name: (float(low), float(high)) for name, (low, high) in means.items()}
