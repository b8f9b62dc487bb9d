"""Images turned."""

from __future__ import annotations

import math
from typing import Any

from trainkit.data.augment.arguments import factor_bounds
from trainkit.data.augment.keys import uniform_between
from trainkit.data.augment.projection import FillMode, Interpolation, Projection, height_and_width
from trainkit.framework import tf


class RandomRotation:
    """Turn each image about its centre.

    Args:
        factor: Range of the angle in full turns, `[low, high]`: positive is counter-clockwise. A number is short for
            as much either way.
        fill_mode: What comes in from beyond the border: `reflect`, `wrap`, `constant` or `nearest`.
        interpolation: `bilinear` or `nearest`.
        fill_value: For `fill_mode: constant`, in the unit of the images.

    Raises:
        InputError: If an argument is out of its range.
    """

    mixes: bool = False

    def __init__(
        self,
        *,
        factor: float | list[float],
        fill_mode: FillMode = "reflect",
        interpolation: Interpolation = "bilinear",
        fill_value: float = 0.0,
    ) -> None:
        self.bounds = factor_bounds("factor", factor)
        self.projection = Projection(fill_mode, interpolation, fill_value)

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Turn `images`, float32 of shape `(batch, height, width, channels)`; `targets` stay as they are."""
        (turns,) = uniform_between(keys, self.bounds)
        angles = tf.cast(turns, tf.float64) * (2.0 * math.pi)
        # float64: the last bit of a float32 cosine depends on where in a batch it is computed
        cosine, sine = tf.cast(tf.cos(angles), tf.float32), tf.cast(tf.sin(angles), tf.float32)
        height, width = height_and_width(images)
        right, down = (width - 1.0) / 2.0, (height - 1.0) / 2.0  # from the first pixel to the centre
        x = (cosine, -sine, right - (cosine * right - sine * down))
        y = (sine, cosine, down - (sine * right + cosine * down))
        return self.projection(images, x=x, y=y), targets
