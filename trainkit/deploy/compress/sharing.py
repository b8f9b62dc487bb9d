"""A weight whose values share a few numbers, which learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.framework import tf

MOST_ROUNDS = 500
"""Of k-means: from then on centres move by less than anything that matters."""


class Shared(tf.keras.layers.Layer):
    """Gives a weight in which all values of a cluster are one number: their mean, of which they learn together.

    Args:
        weight: The variable that is trained; its values become those of their clusters.
        clusters: How many numbers there are.
        keep_zeros: Whether what is zero now stays so; 0 is then one of the numbers.

    Reference:
        Han et al., Deep Compression, ICLR 2016, section 3.
    """

    def __init__(self, weight: Any, *, clusters: int, keep_zeros: bool) -> None:
        super().__init__(dtype=weight.dtype, name="shared")
        centres, ids = share(weight.numpy(), clusters, keep_zeros=keep_zeros)
        weight.assign(centres[ids])
        self._count, self._keep_zeros = len(centres), keep_zeros
        self.ids = self.add_weight(
            "ids",
            shape=ids.shape,
            dtype=tf.int64,
            initializer=lambda *_, **__: tf.constant(ids, tf.int64),
            trainable=False,
            synchronization=tf.VariableSynchronization.ON_READ,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def call(self, weight: Any, training: Any = None) -> Any:
        """The weight as it counts."""
        ids = tf.convert_to_tensor(self.ids)
        numbers = tf.math.unsorted_segment_mean(tf.reshape(weight, [-1]), tf.reshape(ids, [-1]), self._count)
        if self._keep_zeros:
            numbers = tf.concat([tf.zeros_like(numbers[:1]), numbers[1:]], axis=0)
        return tf.gather(numbers, ids)


def share(values: np.ndarray, count: int, *, keep_zeros: bool) -> tuple[np.ndarray, np.ndarray]:
    """The numbers that the values of an array come to share, and which of them each value has.

    Args:
        values: Of any shape.
        count: How many numbers at most.
        keep_zeros: Whether the first of them is 0, for the zeros alone.

    Returns:
        The numbers, in the dtype of the values, and int64 indices, of the shape of the values.

    Example:
        >>> numbers, ids = share(np.array([[0.0, 1.0], [1.2, 5.0]]), 3, keep_zeros=True)
        >>> numbers.tolist(), ids.tolist()
        ([0.0, 1.1, 5.0], [[0, 1], [1, 2]])
    """
    flat = values.reshape(-1)
    rest = flat[flat != 0] if keep_zeros else flat
    centres = k_means(rest, count - keep_zeros)
    ids = np.searchsorted((centres[1:] + centres[:-1]) / 2, flat.astype(np.float64))
    if keep_zeros:
        centres, ids = np.concatenate([[0.0], centres]), np.where(flat == 0, 0, ids + 1)
    return centres.astype(values.dtype), ids.reshape(values.shape)


def k_means(values: np.ndarray, count: int) -> np.ndarray:
    """Centres of clusters of numbers, in ascending order: at first as far apart as each other, none of them empty.

    Args:
        values: Of shape `(values,)`.
        count: How many centres; fewer where there are fewer distinct values.

    Example:
        >>> k_means(np.array([1.0, 1.0, 2.0, 9.0, 11.0]), 2)
        array([ 1.33333333, 10.        ])

    Reference:
        Han et al., Deep Compression, ICLR 2016, section 3.1 and 3.2 (linear initialization).
    """
    ordered = np.sort(values).astype(np.float64)
    distinct = np.unique(ordered)
    if len(distinct) <= count:
        return distinct
    sums = np.concatenate([[0.0], np.cumsum(ordered)])
    centres = np.linspace(ordered[0], ordered[-1], count)
    for _ in range(MOST_ROUNDS):
        edges = np.searchsorted(ordered, (centres[1:] + centres[:-1]) / 2, side="right")
        edges = np.concatenate([[0], edges, [len(ordered)]])
        sizes, totals = np.diff(edges), np.diff(sums[edges])
        means = totals / np.maximum(sizes, 1)
        if not sizes.all():  # an empty cluster begins anew, at the end of the widest
            lasts, firsts = ordered[np.maximum(edges[1:], 1) - 1], ordered[np.minimum(edges[:-1], len(ordered) - 1)]
            means[np.argmin(sizes)] = lasts[np.argmax(np.where(sizes, lasts - firsts, -1.0))]
            means.sort()
        if np.array_equal(means, centres):
            break
        centres = means
    return centres
