"""Image files -> arrays of one size. Neither Pillow nor TensorFlow is imported before an image is read."""

from trainkit.data.images.files import ImageFiles
from trainkit.data.images.read import MOST_PIXELS, ImageError, read_image
from trainkit.data.images.size import size_array
from trainkit.data.images.spec import FITS, METHODS, ImageSpec

__all__ = [
    "FITS",
    "METHODS",
    "MOST_PIXELS",
    "ImageError",
    "ImageFiles",
    "ImageSpec",
    "read_image",
    "size_array",
]
