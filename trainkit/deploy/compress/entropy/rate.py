"""What integers cost in a file, estimated from how often they are zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainkit.coding.tensors import are_many
from trainkit.framework import tf

LN2 = float(np.log(2.0))


def rate_of(scaled: Any, layout: Sequence[int] | None = None) -> tuple[Any, Any]:
    """Estimate the bits that an adaptive coder needs for numbers rounded to integers.

    A value is zero or not, by a probability of its own; it then has a sign (one bit) and a size whose probability
    falls geometrically. How often values are not zero is counted in the whole and in each slice of each axis (a row of
    a matrix, a column, a filter, a pixel of a filter): the logarithm of the odds of a value is that of the whole, and
    what each of its slices adds, and, in an image, how many of the eight values next to it are not zero.

    Args:
        scaled: A weight divided by its step.
        layout: Its height, width, channels and units, see `trainkit.coding.integers.layout_of`; without one, and in a
            weight of more values than are coded one by one, nothing is next to anything.

    Returns:
        The bits of all values; and, for each, what the integer next to it, away from 0, costs beyond the one before,
        with the counts as they are: a value whose neighbours are all zero costs most, as it makes those that a coder
        comes to later dearer, too.

    Reference:
        Oktay, Ballé, Singh and Shrivastava, Scalable Model Compression by Entropy Penalized Reparameterization,
        ICLR 2020, equation 2.
    """
    dtype, scaled = scaled.dtype, tf.cast(scaled, tf.float32)
    sizes = tf.abs(tf.round(scaled))
    is_set = tf.cast(sizes > 0, tf.float32)
    count, total = tf.reduce_sum(is_set), tf.reduce_sum(sizes)
    more = (total - count + 0.5) / (total + 1.0)  # probability that a size is larger than the one at hand
    no_more = (count + 0.5) / (total + 1.0)  # 1 - more is 0 where that is nearly 1
    of_sizes = -count * _log2(no_more) - (total - count) * _log2(more)
    of_zeros, logits = _zeros(is_set, count)
    if layout is not None and layout[0] * layout[1] > 1 and not are_many(layout):
        saved, more_logits = _neighbours(tf.reshape(is_set, layout), tf.reshape(logits, layout))
        of_zeros, logits = tf.maximum(of_zeros - saved, 0.0), logits + tf.reshape(more_logits, is_set.shape)
    first = tf.maximum(1.0 - _log2(no_more) - logits / LN2, 0.0)
    slopes = tf.where(tf.abs(scaled) < 1.0, first, -_log2(more))
    return tf.cast(of_zeros + count + of_sizes, dtype), tf.cast(slopes, dtype)


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


def _neighbours(is_set: Any, logits: Any) -> tuple[Any, Any]:
    """What the eight values next to each one in its image say of it; all of shape `(height, width, channels, units)`.

    Returns:
        The bits that this saves, half of what it would if all of them were known before: of two neighbours, one is
        coded first. And what it adds to the logarithm of the odds: that of values with as many neighbours that are not
        zero, less what was expected of them; whole, as a value also tells of those that are coded after it.
    """
    padded = tf.pad(is_set, [[1, 1], [1, 1], [0, 0], [0, 0]])
    rows = padded[:, :-2] + padded[:, 1:-1] + padded[:, 2:]
    counts = tf.cast(rows[:-2] + rows[1:-1] + rows[2:] - is_set, tf.int32)

    def sums(values: Any) -> Any:
        return tf.math.unsorted_segment_sum(tf.reshape(values, [-1]), tf.reshape(counts, [-1]), 9)

    sizes, found, expected = sums(tf.ones_like(is_set)), sums(is_set), sums(tf.sigmoid(logits))
    odds, others = (_log_odds(some + 0.5, sizes - some + 0.5) for some in (found, expected))
    more = tf.gather(odds - others, counts)
    saved = tf.math.softplus(logits) - tf.math.softplus(logits + more) + is_set * more
    return tf.reduce_sum(saved) / (2 * LN2), more


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
    """Of shares or of counts; the sparsity is not `1 - density`, which is 0 where nearly all values are set."""
    return tf.math.log(density) - tf.math.log(sparsity)


def _log2(value: Any) -> Any:
    return tf.math.log(value) / LN2
