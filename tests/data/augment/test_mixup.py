"""Tests of `trainkit.data.augment.mixup`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.mixup import MixUp
from trainkit.errors import InputError
from trainkit.framework import tf


def test_images_and_targets_are_mixed_in_the_same_shares(make_keys):
    # image i is i everywhere, so that its value tells the share, as its one-hot target does
    images = tf.tile(tf.range(16.0)[:, tf.newaxis, tf.newaxis, tf.newaxis], [1, 4, 5, 3])
    targets = {"digit": tf.eye(16), "place": tf.range(16.0)}
    mixed, labels = MixUp(alpha=1.0)(images, targets, make_keys(16))
    np.testing.assert_allclose(mixed, tf.broadcast_to(mixed[:, :1, :1, :1], mixed.shape))
    np.testing.assert_allclose(labels["digit"].numpy() @ np.arange(16), mixed[:, 0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(labels["place"], mixed[:, 0, 0, 0], atol=1e-5)
    np.testing.assert_allclose(tf.reduce_sum(labels["digit"], 1), 1.0, atol=1e-6)
    assert np.count_nonzero(labels["digit"], axis=1).max() == 2


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_have_their_distribution(make_images, make_keys, alpha):
    targets = {"target": tf.constant([[1.0, 0.0], [0.0, 1.0]] * 5_000)}
    labels = MixUp(alpha=alpha)(make_images(10_000, 1, 1, 1), targets, make_keys(10_000))[1]["target"].numpy()
    shares = labels[np.arange(10_000), np.arange(10_000) % 2]
    variance = 1 / (4 * (2 * alpha + 1))
    assert shares.mean() == pytest.approx(0.5, abs=4 * np.sqrt(variance / 10_000))
    assert shares.var() == pytest.approx(variance, rel=0.05)


def test_one_sample_alone_stays_as_it_is(make_images, make_keys):
    mixed, labels = MixUp()(make_images(1), {"target": tf.eye(1)}, make_keys(1))
    np.testing.assert_allclose(mixed, make_images(1), atol=1e-6)
    np.testing.assert_allclose(labels["target"], [[1.0]], atol=1e-6)


@pytest.mark.parametrize("alpha", [0, -1.0, float("nan"), "0.2", True], ids=["0", "negative", "nan", "text", "true"])
def test_wrong_alpha_is_refused(alpha):
    with pytest.raises(InputError, match=r"`alpha` must be a number above 0\. Received: alpha="):
        MixUp(alpha=alpha)
