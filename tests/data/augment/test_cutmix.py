"""Tests of `trainkit.data.augment.cutmix`."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.data.augment.cutmix import CutMix
from trainkit.errors import InputError
from trainkit.framework import tf


def mix(keys, alpha=1.0, height=12, width=20):
    """Where the partner shows in each image, bool `(batch, height, width)`, and the mixed one-hot targets."""
    batch = len(keys)
    images = tf.tile(tf.range(float(batch))[:, tf.newaxis, tf.newaxis, tf.newaxis], [1, height, width, 3])
    mixed, targets = CutMix(alpha=alpha)(images, {"target": tf.eye(batch)}, keys)
    own, partner = np.arange(batch)[:, None, None, None], np.roll(np.arange(batch), 1)[:, None, None, None]
    assert ((mixed == own) | (mixed == partner)).numpy().all()
    return (mixed == partner).numpy().all(3), targets["target"].numpy()


def test_share_of_the_target_is_the_area_in_pixels(make_keys):
    pasted, labels = mix(make_keys(300))
    areas = pasted.mean((1, 2))
    own = np.arange(300)
    np.testing.assert_allclose(labels[own, own], 1 - areas, atol=1e-6)
    np.testing.assert_allclose(labels[own, own - 1], areas, atol=1e-6)
    np.testing.assert_allclose(labels.sum(1), 1.0, atol=1e-6)


def test_what_is_pasted_is_a_rectangle(make_keys):
    pasted, _ = mix(make_keys(300))
    rows, columns = pasted.any(2), pasted.any(1)
    np.testing.assert_array_equal(pasted, rows[:, :, None] & columns[:, None])
    assert (abs(np.diff(np.pad(rows, ((0, 0), (1, 1))).astype(int), axis=1)).sum(1) <= 2).all()  # in one piece
    assert (abs(np.diff(np.pad(columns, ((0, 0), (1, 1))).astype(int), axis=1)).sum(1) <= 2).all()


def test_sides_are_in_the_proportion_of_the_image(make_keys):
    pasted, _ = mix(make_keys(300), height=60, width=120)
    rows, columns = pasted.any(2), pasted.any(1)
    is_inside = ~(rows[:, 0] | rows[:, -1] | columns[:, 0] | columns[:, -1])
    assert is_inside.sum() > 20
    np.testing.assert_allclose(columns.sum(1)[is_inside], 2 * rows.sum(1)[is_inside], atol=1)


def test_area_before_the_border_has_its_distribution(make_keys):
    # with a large alpha nearly every rectangle has half of the area: sides of √½ of the image's
    pasted, _ = mix(make_keys(300), alpha=1e6, height=100, width=100)
    assert {pasted.any(2).sum(1).max(), pasted.any(1).sum(1).max()} == {70}
    assert pasted.any(2).sum(1).min() == pytest.approx(35, abs=1)  # centre at the border


def test_other_targets_are_mixed_too(make_images, make_keys):
    targets = {"digit": tf.eye(8), "size": tf.range(8.0)}
    labels = CutMix()(make_images(8), targets, make_keys(8))[1]
    np.testing.assert_allclose(labels["size"], labels["digit"].numpy() @ np.arange(8), atol=1e-5)


@pytest.mark.parametrize("alpha", [0, -1.0, float("inf"), [1.0]], ids=["0", "negative", "infinite", "list"])
def test_wrong_alpha_is_refused(alpha):
    with pytest.raises(InputError, match=r"`alpha` must be a number above 0\. Received: alpha="):
        CutMix(alpha=alpha)
