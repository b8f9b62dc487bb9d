"""Batches gathered from tensors that all datasets of a data set share."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.framework import tf


class TensorBatches:
    """Inputs and targets as tensors, held once; datasets carry indices only.

    Args:
        inputs: All inputs, shape `(samples, …)`; they become float32 batch by batch.
        targets: All targets, shape `(samples,)`.
    """

    def __init__(self, inputs: np.ndarray, targets: np.ndarray) -> None:
        self._inputs = _hold(inputs)
        self._targets = _hold(targets)

    def shuffled(self, indices: np.ndarray, batch_size: int, *, seed: int, first_epoch: int, first_step: int) -> Any:
        """An endless dataset: the samples at `indices`, each epoch in the order that (`seed`, epoch) gives."""

        def epoch_batches(epoch: Any) -> Any:
            key = tf.stack([tf.constant(seed, tf.int64), epoch])
            order = tf.random.experimental.stateless_shuffle(positions, key, alg="philox")
            return _slices(order, batch_size, len(indices))

        positions = _hold(indices)
        epochs = tf.data.Dataset.counter(first_epoch)
        batches = epochs.flat_map(epoch_batches).skip(first_step)  # skips indices, before any input is gathered
        return (
            batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))
            .map(self._gather)
            .prefetch(tf.data.AUTOTUNE)
        )

    def ordered(self, indices: np.ndarray, batch_size: int) -> Any:
        """A dataset of one pass over the samples at `indices`, in their order."""
        batches = _slices(_hold(indices), batch_size, len(indices))
        return batches.map(self._gather).prefetch(tf.data.AUTOTUNE)

    def _gather(self, indices: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        inputs = tf.cast(tf.gather(self._inputs, indices), tf.float32)
        return {"input": inputs}, {"target": tf.gather(self._targets, indices)}, {}


def _hold(array: np.ndarray) -> Any:
    """An eager tensor beside tf.data, which runs on the CPU; functions capture it instead of embedding a copy."""
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(array)


def _slices(indices: Any, batch_size: int, size: int) -> Any:
    return tf.data.Dataset.range(0, size, batch_size).map(lambda start: indices[start : start + batch_size])
