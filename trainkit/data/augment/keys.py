"""Random numbers that are functions of a seed, an epoch and a sample: no generator, no state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from trainkit.framework import tf

_GAMMA = 0x9E3779B97F4A7C15  # 2⁶⁴ divided by the golden ratio, made odd
_FRACTION_BITS = 24  # of a float32


def splitmix64(states: Any) -> Any:
    """The number that the SplitMix64 generator gives in each state.

    It is a bijection in which each bit of a state changes about half of the bits of its number.

    Args:
        states: uint64, any shape. The generator goes from one state to the next by adding 0x9E3779B97F4A7C15.

    Returns:
        uint64, the same shape.

    Reference:
        Steele, Lea and Flood, OOPSLA 2014 (the generator); Stafford, 2011, mix 13 (the constants).
    """
    states = states + tf.constant(_GAMMA, tf.uint64)
    states = _shift_xor(states, 30) * tf.constant(0xBF58476D1CE4E5B9, tf.uint64)
    states = _shift_xor(states, 27) * tf.constant(0x94D049BB133111EB, tf.uint64)
    return _shift_xor(states, 31)


def sample_keys(seed: int, epoch: Any, indices: Any, *, salt: int) -> Any:
    """One key for each sample, from which all its random numbers are drawn.

    Args:
        seed: Of the training; any integer, of which 64 bits count.
        epoch: Number of the epoch, an int64 scalar.
        indices: Indices of the samples in their split, int64, shape `(batch,)`.
        salt: Tells one use of the keys from another.

    Returns:
        uint64, shape `(batch,)`.

    Example:
        >>> keys = sample_keys(7, 0, [5, 6], salt=1)
        >>> bool(tf.reduce_all(keys[1:] == sample_keys(7, 0, [6], salt=1)))
        True
    """
    keys = splitmix64(tf.constant(seed % 2**64, tf.uint64))
    for part in (salt, epoch, indices):
        keys = splitmix64(tf.bitwise.bitwise_xor(keys, tf.cast(part, tf.uint64)))
    return keys


def uniform(keys: Any, count: int) -> Any:
    """`count` independent numbers for each key.

    Args:
        keys: uint64, shape `(batch,)`.
        count: Numbers a key; asking for more does not change the first ones.

    Returns:
        float32 in [0, 1), multiples of 2⁻²⁴, shape `(batch, count)`.
    """
    # as an array: in a graph, a list of 0 and numbers of 64 bits would lose their last bits in a float64
    steps = tf.constant(np.array([column * _GAMMA % 2**64 for column in range(count)], np.uint64))
    numbers = splitmix64(keys[:, tf.newaxis] + steps)
    high_bits = tf.bitwise.right_shift(numbers, tf.constant(64 - _FRACTION_BITS, tf.uint64))
    return tf.cast(high_bits, tf.float32) * 2.0**-_FRACTION_BITS


def uniform_between(keys: Any, *bounds: tuple[float, float]) -> list[Any]:
    """One number for each key and each pair of bounds.

    Args:
        keys: uint64, shape `(batch,)`.
        bounds: Least and largest number of each.

    Returns:
        For each pair float32 of shape `(batch,)`.
    """
    columns = tf.unstack(uniform(keys, len(bounds)), axis=1)
    return [low + (high - low) * column for column, (low, high) in zip(columns, bounds, strict=True)]


def symmetric_beta(keys: Any, alpha: float) -> Any:
    """One number for each key, Beta(`alpha`, `alpha`) distributed and independent of `uniform(keys, …)`.

    With U and V uniform, T = √(2α (U^(-1/α) - 1)) · cos 2πV has Student's distribution of 2α degrees of freedom, and
    then (1 + T / √(2α + T²)) / 2 has this one. Both are written here so that nothing overflows where α is small.

    Args:
        keys: uint64, shape `(batch,)`.
        alpha: Both parameters, greater than 0: below 1 most numbers are near 0 and 1, above 1 near 1/2.

    Returns:
        float32 in [0, 1], shape `(batch,)`.

    Reference:
        Bailey, Mathematics of Computation 62, 1994 (Student's distribution); Devroye, Winter Simulation Conference
        1996 (one-line generators).
    """
    # float64: the last bit of a float32 cosine depends on where in a batch it is computed
    draws = tf.cast(uniform(tf.bitwise.invert(keys), 2), tf.float64)
    log_share = tf.math.log1p(-draws[:, 0]) / alpha
    cosine = tf.cos(2.0 * math.pi * draws[:, 1])
    share, rest = tf.exp(log_share), -tf.math.expm1(log_share)
    numbers = (1.0 + cosine * tf.sqrt(rest / (share + rest * cosine**2))) / 2.0
    return tf.clip_by_value(tf.cast(numbers, tf.float32), 0.0, 1.0)  # a rounded root can exceed 1


def _shift_xor(states: Any, bits: int) -> Any:
    return tf.bitwise.bitwise_xor(states, tf.bitwise.right_shift(states, tf.constant(bits, tf.uint64)))
