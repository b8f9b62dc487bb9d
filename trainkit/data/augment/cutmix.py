"""A rectangle of one image pasted into another."""

from __future__ import annotations

from typing import Any

from trainkit.data.augment.arguments import check_positive
from trainkit.data.augment.boxes import paste, span
from trainkit.data.augment.keys import symmetric_beta, uniform
from trainkit.data.augment.mixing import blend_targets, partners
from trainkit.framework import tf


class CutMix:
    """Paste a rectangle of another image into each one, and mix the targets in the shares of the areas.

    The other is the one before it in the batch, for the first the last: what a sample is mixed with depends on its
    batch, its rectangle does not. The rectangle has the shape of the image and its centre anywhere; what is beyond
    the border is not pasted and does not count. Targets must be numbers that can be added up; classes are one-hot.

    Args:
        alpha: The area of the whole rectangle, as a share of the image, is drawn from Beta(`alpha`, `alpha`), for
            each sample anew: 1 makes every area as likely.

    Raises:
        InputError: If `alpha` is not above 0.

    Reference:
        Yun et al., ICCV 2019, section 3.1 and equation 2.
    """

    mixes: bool = True

    def __init__(self, *, alpha: float = 1.0) -> None:
        check_positive("alpha", alpha)
        self.alpha = alpha

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Mix `images`, shape `(batch, height, width, channels)`, and every target, `(batch, …)`; all float32."""
        shape = tf.shape(images)
        scales = tf.sqrt(symmetric_beta(keys, self.alpha))
        centres = uniform(keys, 2)
        rows = span(centres[:, 0], _scaled(shape[1], scales), shape[1])
        columns = span(centres[:, 1], _scaled(shape[2], scales), shape[2])
        pasted = tf.math.count_nonzero(rows, axis=1) * tf.math.count_nonzero(columns, axis=1)
        kept = 1.0 - tf.cast(pasted, tf.float32) / tf.cast(shape[1] * shape[2], tf.float32)
        return paste(images, partners(images), rows, columns), blend_targets(targets, kept)


def _scaled(length: Any, scales: Any) -> Any:
    return tf.cast(tf.cast(length, tf.float32) * scales, tf.int32)
