"""Images of any size -> arrays of one size."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from trainkit.data.images.resample import resample
from trainkit.data.images.spec import MODES, ImageSpec
from trainkit.errors import InputError

if TYPE_CHECKING:
    from PIL import Image


def size_array(images: np.ndarray, spec: ImageSpec) -> np.ndarray:
    """Give images in memory the size and channels that image files get.

    Args:
        images: uint8, shape `(rows, height, width, channels)`, with 1, 3 or 4 channels.
        spec: The size and channels.

    Returns:
        uint8, shape `(rows, *spec.shape)`; `images` itself where they have the right shape already.

    Raises:
        InputError: If they are no such images.

    Example:
        >>> size_array(np.full((2, 8, 8, 1), 7, np.uint8), ImageSpec(4, 4, 3)).shape
        (2, 4, 4, 3)
    """
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[-1] not in MODES or 0 in images.shape[1:]:
        raise InputError(
            "images must be of uint8, in 4 dimensions, with 1, 3 or 4 channels last. Received: the shape "
            f"{images.shape!r} of {images.dtype.name}."
        )
    if images.shape[1:] == spec.shape:
        return images
    from PIL import Image

    sized = np.empty((len(images), *spec.shape), np.uint8)
    for row, values in enumerate(images):
        image = Image.fromarray(values[..., 0] if values.shape[-1] == 1 else values)
        sized[row] = size_image(with_channels(image, spec.channels), spec)
    return sized


def with_channels(image: Image.Image, channels: int) -> Image.Image:
    """An image in grey, RGB or RGBA, whatever it was: palettes are looked up, 16 bits become 8, alpha is dropped.

    Of 16 bits the upper 8 are kept, as libpng and `tf.io.decode_png` do.
    """
    from PIL import Image

    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    return image if image.mode == MODES[channels] else image.convert(MODES[channels])


def size_image(image: Image.Image, spec: ImageSpec) -> np.ndarray:
    """Size one image, which has the channels of `spec` already.

    Returns:
        uint8, shape `spec.shape`.
    """
    if image.size == (spec.width, spec.height):
        return np.asarray(image).reshape(spec.shape)
    plan = _plan(image.size, spec)
    values = _resize(image, plan, spec).reshape(plan.height, plan.width, spec.channels)
    if spec.fit != "pad":
        return values
    padded = np.zeros(spec.shape, np.uint8)
    top, left = (spec.height - plan.height) // 2, (spec.width - plan.width) // 2
    padded[top : top + plan.height, left : left + plan.width] = values
    return padded


class _Plan(NamedTuple):
    """What an image is resized to, and the part of it that is: left, top, right, bottom."""

    width: int
    height: int
    box: tuple[float, float, float, float]


def _plan(size: tuple[int, int], spec: ImageSpec) -> _Plan:
    width, height = size
    if spec.fit == "stretch":
        return _Plan(spec.width, spec.height, (0, 0, width, height))
    scales = spec.width / width, spec.height / height
    scale = max(scales) if spec.fit == "crop" else min(scales)
    whole = max(1, round(width * scale)), max(1, round(height * scale))
    if spec.fit == "pad":
        return _Plan(*whole, (0, 0, width, height))
    left, top = (whole[0] - spec.width) // 2, (whole[1] - spec.height) // 2
    x, y = width / whole[0], height / whole[1]
    box = (left * x, top * y, min(width, (left + spec.width) * x), min(height, (top + spec.height) * y))
    return _Plan(spec.width, spec.height, box)


def _resize(image: Image.Image, plan: _Plan, spec: ImageSpec) -> np.ndarray:
    from PIL import Image

    if spec.method == "area" or (spec.method != "nearest" and not spec.antialias):
        return resample(np.asarray(image), plan.height, plan.width, plan.box, spec.method)
    if image.mode == "RGBA":  # CMYK has four channels too, but Pillow does not weigh them by the last
        image = Image.merge("CMYK", image.split())
    return np.asarray(image.resize((plan.width, plan.height), Image.Resampling[spec.method.upper()], plan.box))
