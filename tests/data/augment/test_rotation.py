"""Tests of `trainkit.data.augment.rotation`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.rotation import RandomRotation
from trainkit.errors import InputError
from trainkit.framework import tf


@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("turns", [0.07, -0.31, 1.6])
def test_fixed_rotation_is_that_of_keras(make_images, make_keys, fill_mode, interpolation, turns):
    arguments = {
        "factor": [turns, turns],
        "fill_mode": fill_mode,
        "interpolation": interpolation,
        "fill_value": 0.5,
    }
    turned, _ = RandomRotation(**arguments)(make_images(4), {}, make_keys(4))
    expected = tf.keras.layers.RandomRotation(**arguments)(make_images(4), training=True)
    np.testing.assert_allclose(turned, expected, atol=1e-4)


def test_quarter_turn_is_counter_clockwise(make_images, make_keys):
    images = make_images(2, 8, 8)
    turned, _ = RandomRotation(factor=[0.25, 0.25])(images, {}, make_keys(2))
    np.testing.assert_allclose(turned, tf.image.rot90(images), atol=1e-4)


def test_angles_fill_their_range(make_keys):
    ramp = np.zeros((1_000, 101, 101, 2), np.float32)
    ramp[..., 0], ramp[..., 1] = 50 - np.arange(101)[:, np.newaxis], np.arange(101) - 50  # up and right of the centre
    seen = RandomRotation(factor=[-0.1, 0.2])(tf.constant(ramp), {}, make_keys(1_000))[0][:, 50, 80].numpy()
    turns = -np.arctan2(seen[:, 0], seen[:, 1]) / (2 * np.pi)
    np.testing.assert_allclose([turns.min(), turns.max()], [-0.1, 0.2], atol=0.002)
    assert turns.mean() == pytest.approx(0.05, abs=4 * 0.3 / np.sqrt(12 * 1_000))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"factor": -0.1}, r"`factor` must be a number of 0 or more or \[low, high\] .*Received: factor=-0\.1\."),
        ({"factor": [0.2, 0.1]}, r"`factor` must be .*Received: factor=\[0\.2, 0\.1\]\."),
        ({"factor": float("inf")}, r"`factor` must be .*Received: factor=inf\."),
        ({"factor": None}, r"`factor` must be .*Received: factor=None\."),
        ({"factor": 0.1, "interpolation": "cubic"}, r"`interpolation` must be one of nearest, bilinear\."),
    ],
    ids=["negative", "order", "infinite", "none", "interpolation"],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        RandomRotation(**arguments)
