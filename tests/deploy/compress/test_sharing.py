"""Values that share a few numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trainkit.deploy.compress.sharing import Shared, k_means, share
from trainkit.framework import tf

SINGLES = st.integers(-64, 64).map(lambda eighths: eighths / 8)


def spread(values, centres):
    """The sum of the squared distances to the nearest centre."""
    return float((np.abs(values[:, np.newaxis] - centres).min(axis=1) ** 2).sum())


def test_k_means_finds_clusters_that_are_apart():
    draw = np.random.default_rng(0)
    values = np.concatenate([draw.normal(centre, 0.01, 500) for centre in (-3, 0.5, 0.9, 7)])
    np.testing.assert_allclose(k_means(values, 4), [-3, 0.5, 0.9, 7], atol=0.01)


@given(arrays.arrays(np.float32, st.integers(1, 60), elements=SINGLES), st.integers(1, 9))
def test_k_means_leaves_no_cluster_empty_and_each_centre_in_the_middle_of_its_own(values, count):
    centres = k_means(values, count)
    assert len(centres) == min(count, len(np.unique(values)))
    nearest = np.abs(values[:, np.newaxis].astype(np.float64) - centres).argmin(axis=1)
    means = [values[nearest == index].astype(np.float64).mean() for index in range(len(centres))]
    np.testing.assert_allclose(means, centres, rtol=1e-6, atol=1e-6)


def test_k_means_is_nearly_as_good_as_the_best_of_many_beginnings():
    """Of 16 clusters of a bell curve, Lloyd's iterations from 20 random samples."""
    draw = np.random.default_rng(0)
    values = draw.normal(size=2000)
    found = []
    for _ in range(20):
        centres = np.sort(draw.choice(values, 16, replace=False))
        for _ in range(200):
            nearest = np.abs(values[:, np.newaxis] - centres).argmin(axis=1)
            centres = np.array([values[nearest == index].mean() for index in range(16)])
        found.append(spread(values, centres))
    assert spread(values, k_means(values, 16)) < 1.1 * min(found)


def test_k_means_of_a_long_tail_leaves_no_cluster_empty():
    values = np.concatenate([np.random.default_rng(0).laplace(3, 0.1, 20_000), [100.0, 200.0]])
    centres = k_means(values, 1000)
    assert len(np.unique(centres)) == 1000
    assert centres[0] >= values.min()
    nearest = np.searchsorted((centres[1:] + centres[:-1]) / 2, values)
    assert len(np.unique(nearest)) == 1000


def test_a_million_values_share_a_number_exactly():
    """The float32 mean of so many is off by a percent."""
    weight = tf.Variable(np.full(1_000_001, 0.01, np.float32))
    layer = Shared(weight, clusters=2, keep_zeros=False)
    weight.assign_add(tf.fill(weight.shape, 1e-5))
    assert set(layer(weight).numpy().tolist()) == {float(np.float32(0.01) + np.float32(1e-5))}


@given(arrays.arrays(np.float32, arrays.array_shapes(max_dims=3, max_side=6), elements=SINGLES), st.integers(2, 9))
def test_share_keeps_zeros_apart(values, count):
    numbers, ids = share(values, count, keep_zeros=True)
    assert len(numbers) <= count
    assert np.array_equal(ids == 0, values == 0)
    assert numbers[0] == 0
    assert numbers.dtype == np.float32


@pytest.mark.parametrize("keep_zeros", [True, False])
def test_values_that_share_a_number_learn_together(keep_zeros):
    start = np.array([[0.0, 1.0, 1.2], [0.0, 5.0, 5.4]], np.float32)
    weight = tf.Variable(start)
    layer = Shared(weight, clusters=3, keep_zeros=keep_zeros)
    np.testing.assert_allclose(layer(weight), [[0, 1.1, 1.1], [0, 5.2, 5.2]], rtol=1e-6)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(weight) * tf.constant([[1.0, 2.0, 4.0], [3.0, 10.0, 20.0]]))
    zero = 0 if keep_zeros else 2
    np.testing.assert_allclose(tape.gradient(loss, weight), [[zero, 3, 3], [zero, 15, 15]])
