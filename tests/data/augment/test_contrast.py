"""Tests of `trainkit.data.augment.contrast`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.contrast import RandomContrast
from trainkit.errors import InputError
from trainkit.framework import tf


def contrasts(images, changed):
    """The contrast of each image, where nothing was clipped: the slope of its values."""
    before, after = (np.asarray(values, np.float64).reshape(len(values), -1) for values in (images, changed))
    return (after - after.mean(1, keepdims=True)).std(1) / (before - before.mean(1, keepdims=True)).std(1)


def test_contrast_is_that_of_tensorflow(make_images, make_keys):
    images = make_images(8, channels=1) * 100.0 + 50.0
    changed, _ = RandomContrast(factor=[0.5, 0.4])(images, {}, make_keys(8))
    expected = [
        tf.image.adjust_contrast(image, contrast)
        for image, contrast in zip(images, contrasts(images, changed), strict=True)
    ]
    np.testing.assert_allclose(changed, expected, rtol=1e-4)


def test_each_channel_keeps_its_mean(make_images, make_keys):
    images = make_images(8) * 50.0 + tf.constant([20.0, 90.0, 160.0])
    changed, _ = RandomContrast(factor=0.3)(images, {}, make_keys(8))
    np.testing.assert_allclose(tf.reduce_mean(changed, [1, 2]), tf.reduce_mean(images, [1, 2]), rtol=1e-4)
    assert abs(changed - images).numpy().max() > 1


@pytest.mark.parametrize(
    "factor, least, most", [(0.4, 0.6, 1.4), ([0.1, 1.5], 0.9, 2.5), ([1, 0], 0.0, 1.0)], ids=["number", "list", "less"]
)
def test_contrasts_fill_their_range(make_images, make_keys, factor, least, most):
    images = make_images(1_000, channels=1) * 40.0 + 100.0
    changed, _ = RandomContrast(factor=factor)(images, {}, make_keys(1_000))
    found = contrasts(images, changed)
    np.testing.assert_allclose([found.min(), found.max()], [least, most], atol=0.01)
    assert found.mean() == pytest.approx((least + most) / 2, abs=4 * (most - least) / np.sqrt(12 * 1_000))


def test_results_are_clipped_to_bytes_as_in_keras(make_keys):
    images = tf.constant([[0.0, 255.0]] * 20)[:, tf.newaxis, :, tf.newaxis]
    changed, _ = RandomContrast(factor=[0, 1])(images, {}, make_keys(20))
    np.testing.assert_array_equal(changed, images)
    darkest, _ = RandomContrast(factor=0.5)(-images - 255.0, {}, make_keys(20))
    np.testing.assert_array_equal(darkest, tf.zeros_like(images))


@pytest.mark.parametrize(
    "factor",
    [-0.1, 1.2, [1.1, 0.5], [0.5, -0.1], [0.5], "0.5", None, float("nan")],
    ids=["negative", "too much", "lower too much", "upper negative", "one", "text", "none", "nan"],
)
def test_wrong_factor_is_refused(factor):
    with pytest.raises(InputError, match=r"`factor` must be a number in \[0, 1\], or .*Received: factor=.*\. 0\.2 is"):
        RandomContrast(factor=factor)
