"""Tests of `trainkit.data.augment.zoom`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.zoom import RandomZoom
from trainkit.errors import InputError
from trainkit.framework import tf


@pytest.mark.parametrize("fill_mode", ["reflect", "wrap", "constant", "nearest"])
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    "factors",
    [
        {"height_factor": [0.27, 0.27], "width_factor": [-0.43, -0.43]},
        {"height_factor": [-0.31, -0.31]},
        {"height_factor": [0.13, 0.13], "width_factor": [1.7, 1.7]},
    ],
    ids=["both", "height", "far"],
)
def test_fixed_zoom_is_that_of_keras(make_images, make_keys, fill_mode, interpolation, factors):
    arguments = {**factors, "fill_mode": fill_mode, "interpolation": interpolation, "fill_value": 0.5}
    zoomed, _ = RandomZoom(**arguments)(make_images(4), {}, make_keys(4))
    expected = tf.keras.layers.RandomZoom(**arguments)(make_images(4), training=True)
    np.testing.assert_allclose(zoomed, expected, atol=1e-4)


def zooms(keys, **arguments):
    """The vertical and the horizontal zoom of each sample."""
    ramp = np.zeros((len(keys), 101, 101, 2), np.float32)
    ramp[..., 0], ramp[..., 1] = np.arange(101)[:, np.newaxis], np.arange(101)
    seen = RandomZoom(**arguments, fill_mode="nearest")(tf.constant(ramp), {}, keys)[0][:, 70, 70].numpy()
    return (seen.T - 50) / 20 - 1


def test_zooms_fill_their_ranges(make_keys):
    vertical, horizontal = zooms(make_keys(1_000), height_factor=[-0.1, 0.3], width_factor=0.5)
    np.testing.assert_allclose([vertical.min(), vertical.max()], [-0.1, 0.3], atol=0.005)
    np.testing.assert_allclose([horizontal.min(), horizontal.max()], [-0.5, 0.5], atol=0.005)
    assert abs(np.corrcoef(vertical, horizontal)[0, 1]) < 4 / np.sqrt(1_000)


def test_zoom_without_width_keeps_shapes(make_keys):
    vertical, horizontal = zooms(make_keys(100), height_factor=0.4)
    assert np.ptp(vertical) > 0.6
    np.testing.assert_allclose(vertical, horizontal, atol=1e-5)


@pytest.mark.parametrize("factor", [-0.4, [0.4, -0.4]], ids=["negative", "high first"])
def test_order_does_not_matter_as_in_keras(make_keys, factor):
    np.testing.assert_array_equal(
        zooms(make_keys(10), height_factor=factor), zooms(make_keys(10), height_factor=[-0.4, 0.4])
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"height_factor": 1.5}, r"`height_factor` must be .* in \[-1, 1\]\. Received: height_factor=1\.5\."),
        (
            {"height_factor": 0.1, "width_factor": [-2, 1]},
            r"`width_factor` must be a number or \[low, high\], at least -1\. Received: width_factor=\[-2, 1\]\.",
        ),
        ({"height_factor": 0.1, "width_factor": [0, 1, 2]}, r"`width_factor` must be .*Received: .*=\[0, 1, 2\]\."),
        ({"height_factor": None}, r"`height_factor` must be .*Received: height_factor=None\."),
        ({"height_factor": 0.1, "fill_value": None}, r"`fill_value` must be a finite number"),
    ],
    ids=["too much", "less than nothing", "three", "none", "fill value"],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(InputError, match=message):
        RandomZoom(**arguments)
