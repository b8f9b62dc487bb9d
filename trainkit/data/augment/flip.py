"""Images mirrored."""

from __future__ import annotations

from typing import Any, Literal

from trainkit.data.augment.arguments import check_choice
from trainkit.data.augment.keys import uniform
from trainkit.framework import tf

_HEIGHT, _WIDTH = 1, 2
_MIRRORS = {  # mode: the axes that are reversed in each of the equally likely cases
    "horizontal": [[], [_WIDTH]],
    "vertical": [[], [_HEIGHT]],
    "horizontal_and_vertical": [[], [_WIDTH], [_HEIGHT], [_HEIGHT, _WIDTH]],
}


class RandomFlip:
    """Mirror half of the images.

    Args:
        mode: `horizontal` exchanges left and right, `vertical` top and bottom; `horizontal_and_vertical` decides on
            each by itself, so that a quarter of the images stays as it is.

    Raises:
        InputError: If `mode` is something else.
    """

    mixes: bool = False

    def __init__(
        self, *, mode: Literal["horizontal", "vertical", "horizontal_and_vertical"] = "horizontal_and_vertical"
    ) -> None:
        check_choice("mode", mode, list(_MIRRORS))
        self.mode = mode

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Flip `images`, float32 of shape `(batch, height, width, channels)`; `targets` stay as they are."""
        mirrors = _MIRRORS[self.mode]
        cases = tf.cast(uniform(keys, 1)[:, 0] * len(mirrors), tf.int32)
        groups = tf.dynamic_partition(images, cases, len(mirrors))
        places = tf.dynamic_partition(tf.range(tf.size(cases)), cases, len(mirrors))
        flipped = [tf.reverse(group, axes) if axes else group for group, axes in zip(groups, mirrors, strict=True)]
        return tf.ensure_shape(tf.dynamic_stitch(places, flipped), images.shape), targets
