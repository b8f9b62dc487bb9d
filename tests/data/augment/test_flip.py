"""Tests of `trainkit.data.augment.flip`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.flip import RandomFlip
from trainkit.errors import InputError
from trainkit.framework import tf

LEFT_RIGHT, UP_DOWN = tf.image.flip_left_right, tf.image.flip_up_down
CASES = {
    "horizontal": [tf.identity, LEFT_RIGHT],
    "vertical": [tf.identity, UP_DOWN],
    "horizontal_and_vertical": [tf.identity, LEFT_RIGHT, UP_DOWN, lambda images: LEFT_RIGHT(UP_DOWN(images))],
}


@pytest.mark.parametrize("mode", CASES)
@pytest.mark.parametrize("channels", [1, 3])
def test_flips_are_as_frequent_as_one_another(make_images, make_keys, mode, channels):
    images = make_images(2_000, channels=channels)
    flipped = RandomFlip(mode=mode)(images, {}, make_keys(2_000))[0].numpy()
    matches = np.stack([(flipped == case(images).numpy()).all((1, 2, 3)) for case in CASES[mode]])
    np.testing.assert_array_equal(matches.sum(0), 1)  # each picture is exactly one of the cases
    share = 1 / len(CASES[mode])
    assert abs(matches.mean(1) - share).max() < 4 * np.sqrt(share * (1 - share) / 2_000)


def test_both_ways_is_the_default():
    assert RandomFlip().mode == "horizontal_and_vertical"


def test_unknown_mode_is_refused():
    with pytest.raises(InputError, match=r"`mode` must be one of .*mode='vertcal'\. Did you mean 'vertical'\?"):
        RandomFlip(mode="vertcal")
