"""What the tests of augmentations share: images, and keys of samples."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.keys import sample_keys
from trainkit.framework import tf


@pytest.fixture
def make_images():
    """Random images as a tensor: values in [0, 1] unless `most` says otherwise."""

    def make(batch, height=9, width=7, channels=3, most=1.0):
        values = np.random.default_rng(5).random((batch, height, width, channels)) * most
        return tf.constant(values, tf.float32)

    return make


@pytest.fixture
def make_keys():
    """Keys of samples 0 to `count`, or of the samples at `indices`."""

    def make(count=None, *, indices=None, epoch=0, seed=3, salt=0):
        numbers = tf.constant(np.arange(count) if indices is None else indices, tf.int64)
        return sample_keys(seed, tf.constant(epoch, tf.int64), numbers, salt=salt)

    return make
