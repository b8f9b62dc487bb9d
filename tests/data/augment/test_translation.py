"""Tests of `trainkit.data.augment.translation`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.translation import RandomTranslation
from trainkit.errors import InputError
from trainkit.framework import tf


@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize("down, right", [(0.25, -0.4), (-0.9, 0.13)])
def test_fixed_translation_is_that_of_keras(make_images, make_keys, fill_mode, interpolation, down, right):
    arguments = {
        "height_factor": [down, down],
        "width_factor": [right, right],
        "fill_mode": fill_mode,
        "interpolation": interpolation,
        "fill_value": 0.5,
    }
    shifted, _ = RandomTranslation(**arguments)(make_images(4), {}, make_keys(4))
    expected = tf.keras.layers.RandomTranslation(**arguments)(make_images(4), training=True)
    np.testing.assert_allclose(shifted, expected, atol=1e-4)


def test_shifts_fill_their_ranges(make_keys):
    ramp = np.zeros((1_000, 101, 101, 2), np.float32)
    ramp[..., 0], ramp[..., 1] = np.arange(101)[:, np.newaxis], np.arange(101)
    step = RandomTranslation(height_factor=[-0.1, 0.3], width_factor=0.2, fill_mode="nearest")
    centres = step(tf.constant(ramp), {}, make_keys(1_000))[0][:, 50, 50].numpy()
    down, right = (50 - centres.T) / 101  # what is seen in the centre came from there
    np.testing.assert_allclose([down.min(), down.max()], [-0.1, 0.3], atol=0.002)
    np.testing.assert_allclose([right.min(), right.max()], [-0.2, 0.2], atol=0.002)
    assert abs(np.corrcoef(down, right)[0, 1]) < 4 / np.sqrt(1_000)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"height_factor": [0.3, 0.1]}, r"`height_factor` must be .* low no more than high.*=\[0\.3, 0\.1\]\. 0\.2 is"),
        (
            {"height_factor": -0.1},
            r"`height_factor` must be a number of 0 or more or .*Received: height_factor=-0\.1\.",
        ),
        ({"height_factor": 1.5}, r"`height_factor` must be .* in \[-1, 1\]\. Received: height_factor=1\.5\."),
        ({"width_factor": [0.1]}, r"`width_factor` must be .*Received: width_factor=\[0\.1\]\."),
        ({"width_factor": "0.1"}, r"`width_factor` must be .*Received: width_factor='0\.1'\."),
        ({"width_factor": True}, r"`width_factor` must be .*Received: width_factor=True\."),
        ({"width_factor": [0, float("nan")]}, r"`width_factor` must be .*Received: width_factor=\[0, nan\]\."),
        ({"fill_mode": "mirror"}, r"`fill_mode` must be one of"),
    ],
    ids=["order", "negative", "too much", "one", "text", "true", "nan", "fill mode"],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        RandomTranslation(**{"height_factor": 0.1, "width_factor": 0.1, **arguments})
