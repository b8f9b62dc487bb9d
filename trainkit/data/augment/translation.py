"""Images shifted."""

from __future__ import annotations

from typing import Any

from trainkit.data.augment.arguments import factor_bounds
from trainkit.data.augment.keys import uniform_between
from trainkit.data.augment.projection import FillMode, Interpolation, Projection, height_and_width


class RandomTranslation:
    """Shift each image.

    Args:
        height_factor: Range of the shift as a share of the height, `[low, high]` in [-1, 1]: positive is down. A
            number is short for as much either way.
        width_factor: The same for the width: positive is right.
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
        height_factor: float | list[float],
        width_factor: float | list[float],
        fill_mode: FillMode = "reflect",
        interpolation: Interpolation = "bilinear",
        fill_value: float = 0.0,
    ) -> None:
        self.height_bounds = factor_bounds("height_factor", height_factor, least=-1, most=1)
        self.width_bounds = factor_bounds("width_factor", width_factor, least=-1, most=1)
        self.projection = Projection(fill_mode, interpolation, fill_value)

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Shift `images`, float32 of shape `(batch, height, width, channels)`; `targets` stay as they are."""
        height, width = height_and_width(images)
        down, right = uniform_between(keys, self.height_bounds, self.width_bounds)
        return self.projection(images, x=(1.0, 0.0, -right * width), y=(0.0, 1.0, -down * height)), targets
