"""Rectangles in images, cut off at the border."""

from __future__ import annotations

from typing import Any

from trainkit.framework import tf


def span(centres: Any, sides: Any, length: Any) -> Any:
    """One side of a rectangle for each image.

    Args:
        centres: Where its middle is along the axis, float32 in [0, 1), shape `(batch,)`.
        sides: How many pixels long it is, int32, shape `(batch,)` or a scalar.
        length: Pixels along the axis, an int32 scalar.

    Returns:
        Which pixels it covers, bool of shape `(batch, length)`: fewer than `sides` where it crosses the border.
    """
    middles = tf.cast(tf.floor(centres * tf.cast(length, tf.float32)), tf.int32)
    starts = middles - sides // 2
    positions = tf.range(length)
    return (positions >= starts[:, tf.newaxis]) & (positions < (starts + sides)[:, tf.newaxis])


def paste(images: Any, patch: Any, rows: Any, columns: Any) -> Any:
    """Put something else into a rectangle of each image.

    Args:
        images: float32, shape `(batch, height, width, channels)`.
        patch: Images of the same shape, or a float.
        rows: Rows of the rectangle, bool, shape `(batch, height)`.
        columns: Columns of it, bool, shape `(batch, width)`.

    Returns:
        Images of the same shape: `patch` where `rows` and `columns` meet, `images` elsewhere.
    """
    shape = tf.shape(images)
    flat = [shape[0], shape[1], shape[2] * shape[3]]  # without the channels' axis, over which to broadcast is slow
    is_inside = rows[:, :, tf.newaxis] & tf.repeat(columns, shape[3], axis=1)[:, tf.newaxis]
    inside = patch if isinstance(patch, float) else tf.reshape(patch, flat)
    return tf.reshape(tf.where(is_inside, inside, tf.reshape(images, flat)), shape)
