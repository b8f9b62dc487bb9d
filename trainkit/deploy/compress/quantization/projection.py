"""Weights that keep what earlier steps promised, and rounding of weights to 8 bits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.deploy.compress.result import DISTINCT, ZEROS, Promise
from trainkit.framework import tf

LEVELS = 127
"""Steps on each side of 0: the range is symmetric, so a 0 stays 0."""


@dataclass(frozen=True)
class Projection:
    """The nearest weights that keep a promise.

    Both are tensors, not arrays: TensorFlow copies an array into each function that uses it.

    Args:
        is_kept: float32, 0 where a weight is 0 and has to stay 0, else 1; None where zeros were not promised.
        clusters: int32, to which of the values that are shared each weight belongs; None where none were promised.
        values: float32, what these were: sums of the small distances from them are exact enough for any kernel.
    """

    is_kept: Any = None
    clusters: Any = None
    values: Any = None

    def __call__(self, weights: Any) -> Any:
        """Project weights, given as a tensor of the promise's shape; gradients pass."""
        if self.clusters is not None:
            ids = tf.reshape(self.clusters, [-1])
            moved = tf.reshape(weights, [-1]) - tf.gather(self.values, ids)
            means = self.values + tf.math.unsorted_segment_mean(moved, ids, self.values.shape[0])
            weights = tf.gather(means, self.clusters)
        return weights if self.is_kept is None else weights * self.is_kept


class Projected(tf.keras.layers.Layer):
    """Gives a weight as a projection makes it.

    Args:
        projection: Of weights.
    """

    def __init__(self, projection: Projection) -> None:
        super().__init__(name="projected")
        self._projection = projection

    def call(self, weight: Any, training: Any = None) -> Any:
        """The weight that keeps the promise."""
        return self._projection(tf.convert_to_tensor(weight))


def project(weights: np.ndarray, promises: Sequence[Promise]) -> Projection:
    """The projection that keeps what was promised of a weight.

    Args:
        weights: As they are now, with the zeros and the distinct values that were promised.
        promises: Of this weight.
    """
    kinds = {promise.kind for promise in promises}
    is_kept = tf.constant(weights != 0, tf.float32) if ZEROS in kinds else None
    if DISTINCT not in kinds:
        return Projection(is_kept)
    values, ids = np.unique(weights, return_inverse=True)
    return Projection(is_kept, tf.constant(ids.reshape(weights.shape), tf.int32), tf.constant(values, tf.float32))


def scheme_of(promises: Collection[Promise]) -> str:
    """What training with rounding is called, by what it preserves."""
    kinds = {promise.kind for promise in promises}
    return f"{'P' if ZEROS in kinds else ''}{'C' if DISTINCT in kinds else ''}QAT"


def round_weights(weights: Any, axes: Sequence[int]) -> Any:
    """Round weights to 255 levels, symmetric about 0, with a step for each output channel.

    Args:
        weights: A tensor.
        axes: Its axes of output channels, counted from the end.

    Returns:
        A tensor of that shape. Gradients pass as if nothing had been rounded.
    """
    rank = len(weights.shape)
    inner = [axis for axis in range(rank) if axis - rank not in axes]
    step = tf.reduce_max(tf.abs(weights), axis=inner, keepdims=True) / LEVELS
    rounded = tf.round(tf.math.divide_no_nan(weights, step)) * step
    return weights + tf.stop_gradient(rounded - weights)
