"""Weights that keep what earlier steps promised, and rounding of weights to 8 bits."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainkit.deploy.compress.result import Promise
from trainkit.framework import tf

LEVELS = 127
"""Steps on each side of 0: the range is symmetric, so a 0 stays 0."""


@dataclass(frozen=True)
class Projection:
    """The nearest weights that keep a promise.

    Args:
        is_kept: False where a weight is 0 and has to stay 0; None where zeros were not promised.
        clusters: To which of the values that are shared each weight belongs; None where none were promised.
    """

    is_kept: np.ndarray | None = None
    clusters: np.ndarray | None = None

    def __call__(self, weights: Any) -> Any:
        """Project weights, given as a tensor of the promise's shape; gradients pass."""
        if self.clusters is not None:
            count = int(self.clusters.max()) + 1
            means = tf.math.unsorted_segment_mean(tf.reshape(weights, [-1]), self.clusters.ravel(), count)
            weights = tf.gather(means, self.clusters)
        return weights if self.is_kept is None else weights * tf.cast(self.is_kept, weights.dtype)


def project(weights: np.ndarray, promises: Sequence[Promise]) -> Projection:
    """The projection that keeps what was promised of a weight.

    Args:
        weights: As they are now, with the zeros and the distinct values that were promised.
        promises: Of this weight.
    """
    kinds = {promise.kind for promise in promises}
    clusters = np.unique(weights, return_inverse=True)[1].reshape(weights.shape).astype(np.int32)
    return Projection(weights != 0 if "zeros" in kinds else None, clusters if "distinct values" in kinds else None)


def scheme_of(promises: Collection[Promise]) -> str:
    """What training with rounding is called, by what it preserves."""
    kinds = {promise.kind for promise in promises}
    return f"{'P' if 'zeros' in kinds else ''}{'C' if 'distinct values' in kinds else ''}QAT"


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
