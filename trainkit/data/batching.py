"""The order of samples: datasets of rows, from which the values are gathered."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.framework import tf


def shuffled_rows(rows: np.ndarray, batch_size: int, *, seed: int, first_epoch: int, first_step: int) -> Any:
    """An endless dataset of `(epoch, rows)`: a batch an element, each epoch in the order that (`seed`, epoch) gives."""

    def epoch_batches(epoch: Any) -> Any:
        key = tf.stack([tf.constant(seed, tf.int64), epoch])
        order = tf.random.experimental.stateless_shuffle(held, key, alg="philox")
        return _slices(order, batch_size, len(rows)).map(lambda batch: (epoch, batch))

    held = _hold(rows)
    batches = tf.data.Dataset.counter(first_epoch).flat_map(epoch_batches).skip(first_step)  # nothing is gathered yet
    return batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def ordered_rows(rows: np.ndarray, batch_size: int) -> Any:
    """A dataset of one pass over some rows, in their order: a batch an element."""
    return _slices(_hold(rows), batch_size, len(rows))


def _hold(array: np.ndarray) -> Any:
    """An eager tensor beside tf.data, which runs on the CPU; functions capture it instead of embedding a copy."""
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(array)


def _slices(rows: Any, batch_size: int, size: int) -> Any:
    return tf.data.Dataset.range(0, size, batch_size).map(lambda start: rows[start : start + batch_size])
