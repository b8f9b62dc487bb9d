"""Images moved by an affine map, and what is seen beyond their border."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

from trainkit.data.augment.arguments import check_choice, check_number
from trainkit.framework import tf

FillMode = Literal["reflect", "wrap", "constant", "nearest"]
Interpolation = Literal["nearest", "bilinear"]


@dataclass(frozen=True)
class Projection:
    """How pixels are read off an image at points between and beyond them.

    Args:
        fill_mode: Beyond the border: `reflect` (d c b a | a b c d | d c b a), `nearest` (a a a a | a b c d | d d d d),
            `constant` (`fill_value` everywhere), or `wrap` (d d c d | a b c d | a b a a): all of the image but its last
            pixel, and that one again and again, as TensorFlow has it.
        interpolation: Between pixels: the `nearest` one, or `bilinear`, of the four around.
        fill_value: For `constant`, in the unit of the images.

    Raises:
        InputError: If an argument is something else.
    """

    fill_mode: FillMode
    interpolation: Interpolation
    fill_value: float

    def __post_init__(self) -> None:
        check_choice("fill_mode", self.fill_mode, get_args(FillMode))
        check_choice("interpolation", self.interpolation, get_args(Interpolation))
        check_number("fill_value", self.fill_value)

    def __call__(self, images: Any, x: tuple[Any, Any, Any], y: tuple[Any, Any, Any]) -> Any:
        """Read each image anew.

        Args:
            images: float32, shape `(batch, height, width, channels)`.
            x: `(a, b, c)`, numbers or shape `(batch,)`: the pixel in column `u` and row `v` of the result is read in
                column `a u + b v + c` of the image.
            y: The same for the row.

        Returns:
            Images of the same shape.
        """
        zeros = tf.zeros(tf.shape(images)[:1])
        projected = tf.raw_ops.ImageProjectiveTransformV3(
            images=images,
            transforms=tf.stack([zeros + value for value in (*x, *y, 0.0, 0.0)], axis=1),
            output_shape=tf.shape(images)[1:3],
            fill_value=tf.constant(self.fill_value, tf.float32),
            interpolation=self.interpolation.upper(),
            fill_mode=self.fill_mode.upper(),
        )
        return tf.ensure_shape(projected, images.shape)


def height_and_width(images: Any) -> tuple[Any, Any]:
    """Both, as float32 scalars."""
    shape = tf.cast(tf.shape(images), tf.float32)
    return shape[1], shape[2]
