"""Tests of `trainkit.data.augment.mixing`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.mixing import blend, blend_targets, partners
from trainkit.framework import tf


def test_partner_is_the_one_before():
    assert partners(tf.constant([1, 2, 3])).numpy().tolist() == [3, 1, 2]


@pytest.mark.parametrize("shape", [(3,), (3, 2), (3, 2, 2, 1)], ids=str)
def test_blend_takes_samples_of_any_rank(shape):
    samples = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    expected = [0.25 * samples[0] + 0.75 * samples[2], samples[1], samples[1]]
    np.testing.assert_allclose(blend(tf.constant(samples), tf.constant([0.25, 1.0, 0.0])), expected)


def test_every_target_is_blended():
    targets = {"digit": tf.eye(2), "size": tf.constant([1.0, 3.0])}
    blended = blend_targets(targets, tf.constant([0.75, 0.5]))
    np.testing.assert_allclose(blended["digit"], [[0.75, 0.25], [0.5, 0.5]])
    np.testing.assert_allclose(blended["size"], [1.5, 2.0])
