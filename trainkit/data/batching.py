"""The order of samples: datasets of rows, from which the values are gathered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainkit.framework import tf


def shuffled(rows: Any, *, seed: int, epoch: Any) -> Any:
    """Some rows in the order that (`seed`, epoch) gives; `epoch` is a scalar of int64."""
    key = tf.stack([tf.constant(seed, tf.int64), epoch])
    return tf.random.experimental.stateless_shuffle(rows, key, alg="philox")


def shuffled_rows(rows: np.ndarray, batch_size: int, *, seed: int, first_epoch: int, first_step: int) -> Any:
    """An endless dataset of `(epoch, rows)`: a batch an element, each epoch in the order that (`seed`, epoch) gives."""

    def epoch_batches(epoch: Any) -> Any:
        order = shuffled(held, seed=seed, epoch=epoch)
        return _slices(order, batch_size, len(rows)).map(lambda batch: (epoch, batch))

    held = hold(rows)
    batches = tf.data.Dataset.counter(first_epoch).flat_map(epoch_batches).skip(first_step)  # nothing is gathered yet
    return batches.apply(tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY))


def ordered_rows(rows: np.ndarray, batch_size: int) -> Any:
    """A dataset of `(0, rows)`: one pass over some rows, in their order, a batch an element."""
    return _slices(hold(rows), batch_size, len(rows)).map(lambda batch: (tf.constant(0, tf.int64), batch))


def parts_of(batches: Any, parts: Sequence[int], count: int) -> Any:
    """The parts of each batch of rows that some replicas take, one after the other.

    Args:
        batches: A dataset of `(epoch, rows)`.
        parts: Which parts, counted from 0.
        count: How many parts there are.

    Returns:
        A dataset of `(epoch, rows, share)`; see `part_of`.
    """
    wanted = tf.constant(list(parts), tf.int64)

    def split(epoch: Any, rows: Any) -> Any:
        part = tf.data.Dataset.from_tensor_slices(wanted)
        return part.map(lambda index: (epoch, *part_of(rows, index, count)))

    return batches.flat_map(split)


def part_of(rows: Any, index: Any, count: int) -> tuple[Any, Any]:
    """The part of a batch that one replica takes, and by what its loss is multiplied.

    A replica gives the mean loss of its part divided by the number of replicas; parts may differ in size by one row,
    and be empty. The sum over the replicas is the mean loss of the batch all the same.

    Args:
        rows: Of the whole batch.
        index: Which part, a scalar, counted from 0.
        count: How many parts there are.

    Returns:
        The rows of the part, and its share of the batch times `count`, float32.

    Example:
        >>> rows, share = part_of(tf.constant([4, 0, 9]), 1, 2)
        >>> rows.numpy().tolist(), round(float(share), 3)
        ([0, 9], 1.333)
    """
    size, index = tf.size(rows, out_type=tf.int64), tf.cast(index, tf.int64)
    begin, end = size * index // count, size * (index + 1) // count
    return rows[begin:end], tf.cast((end - begin) * count, tf.float32) / tf.cast(size, tf.float32)


def hold(array: np.ndarray) -> Any:
    """An eager tensor beside tf.data, which runs on the CPU; functions capture it instead of embedding a copy."""
    with tf.init_scope(), tf.device("CPU:0"):
        return tf.constant(array)


def _slices(rows: Any, batch_size: int, size: int) -> Any:
    return tf.data.Dataset.range(0, size, batch_size).map(lambda start: rows[start : start + batch_size])
