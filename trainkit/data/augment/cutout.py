"""Images with a square hidden."""

from __future__ import annotations

from typing import Any

from trainkit.data.augment.arguments import check_number, check_positive
from trainkit.data.augment.boxes import paste, span
from trainkit.data.augment.keys import uniform
from trainkit.framework import tf


class Cutout:
    """Hide a square of each image.

    The centre is anywhere in the image, so that part of the square may be beyond the border.

    Args:
        size_factor: Side of the square as a share of the shorter side of the image, in (0, 1].
        fill_value: What hides it, in the unit of the images.

    Raises:
        InputError: If an argument is out of its range.

    Reference:
        DeVries and Taylor, 2017, arXiv:1708.04552, section 3.2; half of the image is their length of 16 for CIFAR-10.
    """

    mixes: bool = False

    def __init__(self, *, size_factor: float = 0.5, fill_value: float = 0.0) -> None:
        check_positive("size_factor", size_factor, most=1)
        check_number("fill_value", fill_value)
        self.size_factor = size_factor
        self.fill_value = float(fill_value)

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Cut `images`, float32 of shape `(batch, height, width, channels)`; `targets` stay as they are."""
        shape = tf.shape(images)
        height, width = shape[1], shape[2]
        side = tf.cast(tf.round(self.size_factor * tf.cast(tf.minimum(height, width), tf.float32)), tf.int32)
        centres = uniform(keys, 2)
        rows, columns = span(centres[:, 0], side, height), span(centres[:, 1], side, width)
        return paste(images, self.fill_value, rows, columns), targets
