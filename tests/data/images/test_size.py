"""Tests of `trainkit.data.images.size`, and so of `trainkit.data.images.resample`."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from trainkit.data.images import METHODS, ImageSpec, size_array
from trainkit.errors import InputError
from trainkit.framework import tf

SIZES = {
    "half": ((64, 64), (32, 32)),
    "smaller": ((61, 83), (29, 27)),
    "much smaller": ((199, 131), (28, 27)),
    "larger": ((19, 21), (53, 64)),
    "both": ((30, 101), (64, 67)),
    "one pixel": ((1, 1), (3, 5)),
    "to one pixel": ((40, 30), (1, 1)),
}


def noise(height, width, channels=3, *, smooth=True):
    """Random values; smooth ones look like a photo, and do not leave [0, 255] between two passes of a filter."""
    values = np.random.default_rng(7).integers(0, 256, (height, width, channels)).astype(np.uint8)
    bands = [Image.fromarray(values[..., band]) for band in range(channels)]
    soft = [band.filter(ImageFilter.GaussianBlur(2)) if smooth else band for band in bands]
    return np.stack([np.asarray(band) for band in soft], axis=-1)


def expected(images, size, method, antialias):
    method = {"lanczos": "lanczos3"}.get(method, method)
    values = tf.image.resize(images, size, method=method, antialias=antialias).numpy()
    return np.rint(values).clip(0, 255)


def size_one(image, spec):
    return size_array(image[np.newaxis], spec)[0]


def difference(first, second):
    return np.abs(first.astype(float) - second.astype(float)).max()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("antialias", [True, False], ids=["antialias", "plain"])
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("method", METHODS)
def test_method_is_that_of_tensorflow(method, sizes, antialias, channels):
    image = noise(*sizes[0], channels)
    sized = size_one(image, ImageSpec(*sizes[1], channels, method, antialias))
    assert sized.shape == (*sizes[1], channels)
    assert sized.dtype == np.uint8
    assert difference(sized, expected(image, sizes[1], method, antialias)) <= 1


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize("method", ["area", "bilinear", "bicubic", "lanczos"])
def test_plain_method_is_that_of_tensorflow_on_the_hardest_image(method, sizes):
    image = noise(*sizes[0], smooth=False)
    sized = size_one(image, ImageSpec(*sizes[1], 3, method, antialias=False))
    assert difference(sized, expected(image, sizes[1], method, False)) <= 1


def test_antialias_changes_the_image():
    image = noise(64, 64, smooth=False)
    plain, wide = (size_one(image, ImageSpec(16, 16, 3, antialias=antialias)) for antialias in (False, True))
    assert difference(plain, wide) > 50


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_images_of_the_right_size_are_returned_as_they_are(method, fit):
    images = noise(6, 5, smooth=False)[np.newaxis]
    assert size_array(images, ImageSpec(6, 5, 3, method, fit=fit)) is images


@pytest.mark.parametrize("antialias", [True, False], ids=["antialias", "plain"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("height, width", [(20, 33), (33, 20), (20, 32)], ids=["wide", "high", "even"])
def test_crop_takes_the_centre_pixel_by_pixel(method, antialias, height, width):
    image = noise(height, width, smooth=False)
    top, left = (height - 20) // 2, (width - 20) // 2
    sized = size_one(image, ImageSpec(20, 20, 3, method, antialias, "crop"))
    np.testing.assert_array_equal(sized, image[top : top + 20, left : left + 20])


@pytest.mark.parametrize("antialias", [True, False], ids=["antialias", "plain"])
@pytest.mark.parametrize("method", ["bilinear", "bicubic", "area", "lanczos"])
@pytest.mark.parametrize("height, width", [(48, 80), (81, 50), (10, 17)], ids=["wide", "high", "larger"])
def test_crop_scales_the_shorter_side_and_cuts_the_longer(method, antialias, height, width):
    image = noise(height, width)
    scale = 24 / min(height, width)
    whole = round(height * scale), round(width * scale)
    top, left = (whole[0] - 24) // 2, (whole[1] - 24) // 2
    scaled = expected(image, whole, method, antialias)[top : top + 24, left : left + 24]
    assert difference(size_one(image, ImageSpec(24, 24, 3, method, antialias, "crop")), scaled) <= 1


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pad_scales_the_longer_side_and_adds_black(method, channels):
    image = noise(20, 41, channels)
    sized = size_one(image, ImageSpec(21, 20, channels, method, fit="pad"))
    np.testing.assert_array_equal(sized[5:15], size_one(image, ImageSpec(10, 20, channels, method)))
    assert not sized[:5].any()
    assert not sized[15:].any()


def test_pad_centres_a_narrow_image():
    sized = size_one(np.full((9, 3, 1), 200, np.uint8), ImageSpec(9, 6, 1, fit="pad"))
    assert sized[0, :, 0].tolist() == [0, 200, 200, 200, 0, 0]


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("shape", [(1, 5000), (5000, 1)], ids=["wide", "high"])
@pytest.mark.parametrize("method", METHODS)
def test_line_of_pixels_becomes_an_image(method, shape, fit):
    sized = size_one(np.full((*shape, 3), 77, np.uint8), ImageSpec(32, 40, 3, method, fit=fit))
    assert sized.shape == (32, 40, 3)
    assert set(np.unique(sized)) == ({77} if fit == "crop" else {0, 77})


def test_transparent_pixels_count_like_others():
    image = np.array([[[200, 0, 0, 0], [0, 100, 0, 255]]], np.uint8)
    assert size_one(image, ImageSpec(1, 1, 4)).tolist() == [[[100, 50, 0, 128]]]


@pytest.mark.parametrize(
    "values, channels, result",
    [
        ([[[255, 0, 0]]], 1, [[[76]]]),  # 0.299 × 255
        ([[[0, 255, 0, 9]]], 1, [[[150]]]),  # 0.587 × 255
        ([[[9]]], 3, [[[9, 9, 9]]]),
        ([[[1, 2, 3, 9]]], 3, [[[1, 2, 3]]]),
        ([[[1, 2, 3]]], 4, [[[1, 2, 3, 255]]]),
        ([[[9]]], 4, [[[9, 9, 9, 255]]]),
    ],
    ids=["RGB to grey", "RGBA to grey", "grey to RGB", "RGBA to RGB", "RGB to RGBA", "grey to RGBA"],
)
def test_channels_become_those_asked_for(values, channels, result):
    assert size_one(np.array(values, np.uint8), ImageSpec(1, 1, channels)).tolist() == result


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((2, 4, 4, 3)),
        np.zeros((4, 4, 3), np.uint8),
        np.zeros((2, 4, 4, 2), np.uint8),
        np.zeros((2, 0, 4, 3), "u1"),
    ],
    ids=["floats", "3 dimensions", "2 channels", "no height"],
)
def test_array_that_holds_no_images_is_refused(images):
    with pytest.raises(InputError, match=r"images must be of uint8, in 4 dimensions.*Received: the shape \(.*of"):
        size_array(images, ImageSpec(2, 2, 3))
