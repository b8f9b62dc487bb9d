"""The one way from an image file to the values that a network sees."""

from __future__ import annotations

import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from trainkit.data.images.size import size_image, with_channels
from trainkit.data.images.spec import ImageSpec
from trainkit.errors import DataError, shown

if TYPE_CHECKING:
    from PIL import Image
    from PIL.ImageFile import ImageFile

MOST_PIXELS = 100_000_000
"""An image with more is refused before it is decoded: a small file can claim any size."""

_KINDS = "a PNG, JPEG, BMP, GIF or WebP image"
_OTHERS = {b"II*\0": "a TIFF image", b"MM\0*": "a TIFF image", b"%PDF": "a PDF document", b"<svg": "an SVG drawing"}
_OTHER_BRANDS = {b"heic": "a HEIC image", b"heix": "a HEIC image", b"mif1": "a HEIC image", b"avif": "an AVIF image"}
_ORIENTATION = 0x0112
_QUIET = ("ignore", None, Warning, re.compile(r"PIL\."), 0)
"""The filter of what Pillow says of damaged metadata, as `warnings.filters` holds it."""


class ImageError(DataError):
    """An image cannot be read. The message is a sentence to stand after the name of the file."""


def read_image(source: Path | bytes, spec: ImageSpec) -> np.ndarray:
    """Read an image in the size and channels asked for: the first frame, upright as its EXIF orientation says.

    Colour profiles are not applied. An image of the right size keeps its values.

    Args:
        source: The file, or what it holds: PNG, JPEG, BMP, GIF or WebP, whatever its name.
        spec: The size and channels.

    Returns:
        uint8, shape `spec.shape`.

    Raises:
        ImageError: If it is no such image, damaged, or has more than `MOST_PIXELS` pixels.
    """
    from PIL import Image

    content = source if isinstance(source, bytes) else read_content(source)
    if _QUIET not in warnings.filters:  # `warnings.catch_warnings` must not be used in threads
        warnings.filterwarnings("ignore", module=_QUIET[3].pattern)
    kind = _kind_of(content)
    try:
        with _open(content, kind) as image:
            _check_size(image)
            image.load()
            upright = _turn(with_channels(image, spec.channels), image)
    except (ImageError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"must have at most {MOST_PIXELS:,} pixels. Received: more. Make it smaller.") from error
    except Exception as error:  # a decoder raises whatever damaged bytes lead it to
        reason = str(error).rstrip(".") or type(error).__name__
        raise ImageError(f"must be a whole, undamaged {kind} image. Received: {reason}.") from error
    return size_image(upright, spec)


def read_content(filepath: Path) -> bytes:
    """What a file holds.

    Raises:
        ImageError: If it cannot be read.
    """
    try:
        regular = filepath.is_file() or not filepath.exists()
        content = filepath.read_bytes() if regular else b""  # a pipe would never end
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ImageError(f"must be a file that can be read. Received: {reason}.") from error
    if not regular:
        raise ImageError(f"must be {_KINDS}. Received: {'a folder' if filepath.is_dir() else 'no regular file'}.")
    return content


def _kind_of(content: bytes) -> str:
    """The format, by the bytes that a file of it begins with.

    Raises:
        ImageError: If it is none that is read.
    """
    for kind, start in (("PNG", b"\x89PNG\r\n\x1a\n"), ("JPEG", b"\xff\xd8\xff"), ("BMP", b"BM"), ("GIF", b"GIF8")):
        if content.startswith(start):
            return kind
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    if not content:
        raise ImageError(f"must be {_KINDS}. Received: 0 bytes.")
    brand = _OTHER_BRANDS.get(content[8:12]) if content[4:8] == b"ftyp" else _OTHERS.get(content[:4])
    raise ImageError(f"must be {_KINDS}. Received: {brand or f'a file that begins with {shown(content[:12])}'}.")


def _open(content: bytes, kind: str) -> ImageFile:
    """Read the header. The formats' own classes know nothing of Pillow's limit of pixels, as `Image.open` does."""
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    stream = io.BytesIO(content)
    if kind == "PNG":
        return PngImagePlugin.PngImageFile(stream)
    if kind == "JPEG":
        return JpegImagePlugin.JpegImageFile(stream)
    if kind == "BMP":
        return BmpImagePlugin.BmpImageFile(stream)
    return GifImagePlugin.GifImageFile(stream) if kind == "GIF" else WebPImagePlugin.WebPImageFile(stream)


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise ImageError(
            f"must have at most {MOST_PIXELS:,} pixels. Received: {image.width:,}×{image.height:,}. Make it smaller."
        )


def _turn(image: Image.Image, original: Image.Image) -> Image.Image:
    """Turn an image as the EXIF of its original says; `ImageOps.exif_transpose` fails where other tags are damaged."""
    from PIL.Image import Transpose

    try:
        orientation = original.getexif().get(_ORIENTATION)
    except Exception:  # an orientation that cannot be read does not damage the image
        return image
    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(turns[orientation]) if orientation in turns else image
