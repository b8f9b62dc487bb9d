"""Tests of `trainkit.data.augment.brightness`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.brightness import RandomBrightness
from trainkit.errors import InputError
from trainkit.framework import tf


@pytest.mark.parametrize("value_range", [[0, 255], [-1.0, 1.0], [1.0, 0.0]], ids=["bytes", "signed", "most first"])
@pytest.mark.parametrize("factor", [0.3, -0.6, 1.0])
def test_fixed_brightness_is_that_of_keras(make_images, make_keys, value_range, factor):
    images = make_images(4) * (max(value_range) - min(value_range)) + min(value_range)
    arguments = {"factor": [factor, factor], "value_range": value_range}
    changed, _ = RandomBrightness(**arguments)(images, {}, make_keys(4))
    expected = tf.keras.layers.RandomBrightness(**arguments)(images, training=True)
    np.testing.assert_allclose(changed, expected, atol=1e-4)


@pytest.mark.parametrize("factor", [0.2, -0.2, [0.2, -0.2]], ids=["number", "negative", "high first"])
def test_numbers_fill_their_range(make_keys, factor):
    changed, _ = RandomBrightness(factor=factor)(tf.fill((1_000, 2, 2, 3), 100.0), {}, make_keys(1_000))
    added = changed.numpy().reshape(1_000, -1) - 100.0
    np.testing.assert_allclose(np.ptp(added, axis=1), 0.0)  # one number an image
    np.testing.assert_allclose([added.min(), added.max()], [-51.0, 51.0], atol=0.5)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"factor": 1.1}, r"`factor` must be a number or \[low, high\] in \[-1, 1\]\. Received: factor=1\.1\."),
        ({"factor": [0, -2]}, r"`factor` must be .*Received: factor=\[0, -2\]\."),
        ({"factor": {}}, r"`factor` must be .*Received: factor={}\."),
        (
            {"factor": 0.1, "value_range": [0]},
            r"`value_range` must be \[least, most\], .*Received: value_range=\[0\]\. By",
        ),
        ({"factor": 0.1, "value_range": [1, 1]}, r"`value_range` must be .*Received: value_range=\[1, 1\]\."),
        ({"factor": 0.1, "value_range": 255}, r"`value_range` must be .*Received: value_range=255\."),
    ],
    ids=["too much", "too little", "mapping", "one", "same", "number"],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        RandomBrightness(**arguments)
