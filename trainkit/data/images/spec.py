"""What an image becomes: its size, its channels, and how it gets there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trainkit.errors import InputError

METHODS = ("nearest", "bilinear", "bicubic", "area", "lanczos")
FITS = ("stretch", "crop", "pad")
MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""What Pillow calls an image of so many channels."""


@dataclass(frozen=True)
class ImageSpec:
    """The size and channels of an image, and how it is given them.

    A method is that of `tf.image.resize`, rounded to whole numbers in `[0, 255]`:

    | method   | `tf.image.resize` and Keras' `Resizing` | an output pixel is                        |
    |----------|-----------------------------------------|-------------------------------------------|
    | nearest  | nearest                                 | the pixel under its centre                |
    | bilinear | bilinear                                | weighed by a triangle                     |
    | bicubic  | bicubic                                 | weighed by Keys' cubic, a = -0.5          |
    | area     | area                                    | the mean of what it covers                |
    | lanczos  | lanczos3                                | weighed by a windowed sinc of three lobes |

    Args:
        height: In pixels.
        width: In pixels.
        channels: 1 for grey (the luma of ITU-R BT.601), 3 for RGB, 4 for RGBA.
        method: The interpolation; one of `METHODS`.
        antialias: Widen the filter where an image gets smaller, so that every pixel counts; `nearest` and `area` have
            nothing to widen.
        fit: `stretch` both sides to size; or keep their proportion and `crop` the centre, or `pad` with black (with
            zeros in all channels). Where that leaves an odd pixel, it is cut or padded at the bottom or right.

    Raises:
        InputError: If a value is none of these.

    Example:
        >>> spec = ImageSpec(96, 128, 3, fit="crop")
        >>> spec.shape, ImageSpec.from_json(spec.to_json()) == spec
        ((96, 128, 3), True)
    """

    height: int
    width: int
    channels: int
    method: str = "bilinear"
    antialias: bool = True
    fit: str = "stretch"

    def __post_init__(self) -> None:
        for name, side in (("height", self.height), ("width", self.width)):
            if type(side) is not int or side < 1:
                raise InputError(f"`{name}` must be a whole number from 1. Received: {name}={side!r}.")
        if type(self.channels) is not int or self.channels not in MODES:
            raise InputError(f"`channels` must be 1 (grey), 3 (RGB) or 4 (RGBA). Received: channels={self.channels!r}.")
        for name, value, known in (("method", self.method, METHODS), ("fit", self.fit, FITS)):
            if value not in known:
                raise InputError(f"`{name}` must be one of {', '.join(known)}. Received: {name}={value!r}.")

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        return self.height, self.width, self.channels

    def to_json(self) -> dict[str, Any]:
        """All values by name."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ImageSpec:
        """What `to_json` returned, as a spec again."""
        return cls(**values)
