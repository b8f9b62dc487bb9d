"""Images with more or less contrast."""

from __future__ import annotations

from typing import Any

from trainkit.data.augment.arguments import as_pair, is_number, refusal
from trainkit.data.augment.keys import uniform_between
from trainkit.framework import tf


class RandomContrast:
    """Move the values of each channel of each image away from their mean, or towards it.

    A value becomes `(value - mean) * contrast + mean`. As in Keras, results are clipped to [0, 255], whatever the
    range of the images; unlike there, each image has a contrast of its own, not each batch.

    Args:
        factor: `[lower, upper]`: the contrast is between `1 - lower` and `1 + upper`, with `lower` in [0, 1] and
            `upper` at least 0. A number in [0, 1] is short for both.

    Raises:
        InputError: If `factor` is something else.
    """

    mixes: bool = False

    def __init__(self, *, factor: float | list[float]) -> None:
        lower, upper = as_pair([factor, factor] if is_number(factor) else factor)
        if not (0 <= lower <= 1 and upper >= 0):
            rule = "a number in [0, 1], or [lower, upper] with lower in [0, 1] and upper at least 0"
            raise refusal("factor", factor, rule=rule, cure="0.2 is short for [0.2, 0.2]: a contrast from 0.8 to 1.2.")
        self.bounds = (1.0 - lower, 1.0 + upper)

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Change `images`, float32 of shape `(batch, height, width, channels)`; `targets` stay as they are."""
        (contrast,) = uniform_between(keys, self.bounds)
        contrast = contrast[:, tf.newaxis]
        shape = tf.shape(images)
        # a row at a time, all channels side by side: broadcasting over the last axis is three times as slow
        rows = tf.reshape(images, [shape[0], shape[1], shape[2] * shape[3]])
        means = _means(tf.reshape(_means(rows), [shape[0], shape[2], shape[3]]))
        shifts = tf.tile((1.0 - contrast) * means, [1, shape[2]])[:, tf.newaxis]
        changed = tf.clip_by_value(rows * contrast[:, :, tf.newaxis] + shifts, 0.0, 255.0)
        return tf.reshape(changed, shape), targets


def _means(values: Any) -> Any:
    """The mean over the axis in the middle, added up in an order that has nothing to do with the rest of the batch.

    `tf.reduce_mean` gives other last bits to a sample in another place of a batch.
    """
    shape = tf.shape(values)
    samples = tf.repeat(tf.range(shape[0]), shape[1])
    return tf.math.segment_mean(tf.reshape(values, [shape[0] * shape[1], shape[2]]), samples)
