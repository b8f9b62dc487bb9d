"""Images made larger or smaller inside their frame."""

from __future__ import annotations

from typing import Any

from trainkit.data.augment.arguments import factor_bounds
from trainkit.data.augment.keys import uniform_between
from trainkit.data.augment.projection import FillMode, Interpolation, Projection, height_and_width


class RandomZoom:
    """Zoom each image about its centre; its frame stays.

    Args:
        height_factor: Range of the zoom as a share of the height, `[low, high]` in [-1, 1]: 0.5 shows half as much
            again, so that things become smaller, -0.5 shows half of it. A number is short for as much either way.
        width_factor: The same for the width, at least -1; None for that of the height, so that shapes are kept.
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
        width_factor: float | list[float] | None = None,
        fill_mode: FillMode = "reflect",
        interpolation: Interpolation = "bilinear",
        fill_value: float = 0.0,
    ) -> None:
        self.bounds = [factor_bounds("height_factor", height_factor, least=-1, most=1, any_order=True)]
        if width_factor is not None:
            self.bounds.append(factor_bounds("width_factor", width_factor, least=-1, any_order=True))
        self.projection = Projection(fill_mode, interpolation, fill_value)

    def __call__(self, images: Any, targets: dict[str, Any], keys: Any) -> tuple[Any, dict[str, Any]]:
        """Zoom `images`, float32 of shape `(batch, height, width, channels)`; `targets` stay as they are."""
        factors = uniform_between(keys, *self.bounds)
        vertical, horizontal = factors[0], factors[-1]
        height, width = height_and_width(images)
        x = (1.0 + horizontal, 0.0, -horizontal * (width - 1.0) / 2.0)
        y = (0.0, 1.0 + vertical, -vertical * (height - 1.0) / 2.0)
        return self.projection(images, x=x, y=y), targets
