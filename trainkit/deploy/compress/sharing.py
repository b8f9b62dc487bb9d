"""A weight whose values share a few numbers, which learn."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainkit.deploy.compress.reparameterized import add_state
from trainkit.framework import tf

MOST_ROUNDS = 500
"""Of k-means: from then on centres move by less than anything that matters."""


class Shared(tf.keras.layers.Layer):
    """Gives a weight in which all values of a cluster are one number, and learn together.

    Each of them has the mean of their gradients, so that they stay equal, and learn as fast as a weight of its own does
    at the rate of the run. (Han et al. add the gradients up.)

    Args:
        weight: The variable that is trained; its values become those of their clusters.
        clusters: How many numbers there are.
        keep_zeros: Whether what is zero now stays so; 0 is then one of the numbers.

    Reference:
        Han et al., Deep Compression, ICLR 2016, section 3.
    """

    def __init__(self, weight: Any, *, clusters: int, keep_zeros: bool) -> None:
        super().__init__(dtype=weight.dtype, name="shared")
        numbers, ids = share(weight.numpy(), clusters, keep_zeros=keep_zeros)
        weight.assign(numbers[ids])
        used, places = np.unique(ids, return_index=True)
        first = np.zeros(len(numbers), np.int64)
        first[used] = places
        self._keep_zeros = keep_zeros
        self.ids = add_state(self, "ids", tf.constant(ids, tf.int64))
        self.first = add_state(self, "first", tf.constant(first))

    def call(self, weight: Any, training: Any = None) -> Any:
        """The weight as it counts: the first of each cluster, for all of it."""
        return _shared(tf.convert_to_tensor(weight), self.ids, self.first, keep_zeros=self._keep_zeros)


def _shared(weight: Any, ids: Any, first: Any, *, keep_zeros: bool) -> Any:
    ids, first = tf.convert_to_tensor(ids), tf.convert_to_tensor(first)

    def without_zeros(numbers: Any) -> Any:
        return tf.concat([tf.zeros_like(numbers[:1]), numbers[1:]], axis=0) if keep_zeros else numbers

    @tf.custom_gradient
    def give(weight: Any) -> tuple[Any, Any]:
        def gradient(upstream: Any) -> Any:
            flat, clusters = tf.reshape(upstream, [-1]), tf.reshape(ids, [-1])
            means = tf.math.unsorted_segment_mean(flat, clusters, first.shape[0])
            return tf.gather(without_zeros(means), ids)

        return tf.gather(without_zeros(tf.gather(tf.reshape(weight, [-1]), first)), ids), gradient

    return give(weight)


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
        means = np.where(sizes, totals / np.maximum(sizes, 1), centres)
        if not sizes.all():  # empty clusters begin anew, at the ends of the widest
            lasts, firsts = ordered[np.maximum(edges[1:], 1) - 1], ordered[np.minimum(edges[:-1], len(ordered) - 1)]
            widths = np.where(sizes, lasts - firsts, 0.0)
            widest = np.argsort(-widths, kind="stable")[: min((sizes == 0).sum(), (widths > 0).sum())]
            means[np.flatnonzero(sizes == 0)[: len(widest)]] = lasts[widest]
            means.sort()
        if np.array_equal(means, centres):
            break
        centres = means
    return centres
