"""Images made lighter or darker."""

from __future__ import annotations

from typing import Any

from trainkit.data.augment.arguments import as_pair, factor_bounds, refusal
from trainkit.data.augment.keys import uniform_between
from trainkit.framework import tf

_BYTES = [0.0, 255.0]


class RandomBrightness:
    """Add a number to all values of an image; results are clipped to the range of values.

    Args:
        factor: Range of the number as a share of the range of values, `[low, high]` in [-1, 1]: 1 makes every image
            white, -1 black. A number is short for as much either way.
        value_range: Least and largest value that an image can have.

    Raises:
        InputError: If an argument is out of its range.
    """

    mixes: bool = False

    def __init__(self, *, factor: float | list[float], value_range: list[float] = _BYTES) -> None:
        self.bounds = factor_bounds("factor", factor, least=-1, most=1, any_order=True)
        self.least, self.most = sorted(as_pair(value_range))
        if not self.least < self.most:
            raise refusal(
                "value_range", value_range, rule="[least, most], two numbers that differ", cure="Bytes have [0, 255]."
            )

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Change `images`, float32 of shape `(batch, height, width, channels)`; `targets` stay as they are."""
        (shares,) = uniform_between(keys, self.bounds)
        steps = shares * (self.most - self.least)
        return tf.clip_by_value(images + steps[:, tf.newaxis, tf.newaxis, tf.newaxis], self.least, self.most), targets
