"""What integers cost in a file, estimated from how often they are zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainkit.framework import tf

LN2 = float(np.log(2.0))


def rate_of(scaled: Any) -> tuple[Any, Any]:
    """Estimate the bits that an adaptive coder needs for numbers rounded to integers.

    A value is zero or not, by a probability of its own; it then has a sign (one bit) and a size whose probability
    falls geometrically. How often values are not zero is counted in the whole and in each slice of each axis (a row of
    a matrix, a column, a filter, a pixel of a filter): the logarithm of the odds of a value is that of the whole, and
    what each of its slices adds.

    Args:
        scaled: A weight divided by its step.

    Returns:
        The bits of all values; and, for each, what the integer next to it, away from 0, costs beyond the one before,
        with the counts as they are: a value whose neighbours are all zero costs most.

    Reference:
        Oktay, Ballé, Singh and Shrivastava, Scalable Model Compression by Entropy Penalized Reparameterization,
        ICLR 2020, equation 2.
    """
    sizes = tf.abs(tf.round(scaled))
    is_set = tf.cast(sizes > 0, scaled.dtype)
    count, total = tf.reduce_sum(is_set), tf.reduce_sum(sizes)
    more = (total - count + 0.5) / (total + 1.0)  # probability that a size is larger than the one at hand
    no_more = (count + 0.5) / (total + 1.0)  # 1 - more is 0 where that is nearly 1
    of_sizes = -count * _log2(no_more) - (total - count) * _log2(more)
    of_zeros, logits = _zeros(is_set, count)
    first = tf.maximum(1.0 - _log2(no_more) - logits / LN2, 0.0)
    slopes = tf.where(tf.abs(scaled) < 1.0, first, -_log2(more))
    return of_zeros + count + of_sizes, slopes


def _zeros(is_set: Any, count: Any) -> tuple[Any, Any]:
    """The bits that tell which values are not zero, and the logarithm of the odds of each."""
    size = float(np.prod(is_set.shape, dtype=np.int64))
    density, sparsity = (count + 0.5) / (size + 1.0), (size - count + 0.5) / (size + 1.0)
    whole, odds = _entropy(count, size - count, density, sparsity), _log_odds(density, sparsity)
    bits, logits = whole, odds * tf.ones_like(is_set)
    for axis in axes_of(is_set.shape):
        length = size / is_set.shape[axis]
        counts = tf.reduce_sum(is_set, [other for other in range(is_set.shape.rank) if other != axis], keepdims=True)
        densities, sparsities = (counts + density) / (length + 1.0), (length - counts + sparsity) / (length + 1.0)
        bits += tf.reduce_sum(_entropy(counts, length - counts, densities, sparsities)) - whole
        logits += _log_odds(densities, sparsities) - odds
    return tf.maximum(bits, 0.0), logits


def axes_of(shape: Sequence[int]) -> list[int]:
    """The axes whose slices are worth counting in: there are several, of several values each.

    Example:
        >>> axes_of([784, 300]), axes_of([3, 3, 64, 1]), axes_of([10])
        ([0, 1], [0, 1, 2], [])
    """
    size = int(np.prod(shape, dtype=np.int64))
    return [axis for axis, length in enumerate(shape) if 1 < length < size]


def _entropy(count: Any, zeros: Any, density: Any, sparsity: Any) -> Any:
    """Bits of so many values that are not zero, and so many that are, by their probabilities."""
    return -count * _log2(density) - zeros * _log2(sparsity)


def _log_odds(density: Any, sparsity: Any) -> Any:
    """The sparsity is not `1 - density`, which is 0 where nearly all values are set."""
    return tf.math.log(density) - tf.math.log(sparsity)


def _log2(value: Any) -> Any:
    return tf.math.log(value) / LN2
