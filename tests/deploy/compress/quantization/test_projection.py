from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress import Promise
from trainkit.deploy.compress.quantization.projection import project, round_weights
from trainkit.framework import tf

START = np.array([[0.0, 1.0], [1.0, 2.0]], np.float32)
MOVED = np.array([[0.5, 1.0], [3.0, 4.0]], np.float32)


def promises(*kinds):
    return [Promise("Step", "layer", "kernel", kind, 1, 4) for kind in kinds]


@pytest.mark.parametrize(
    "kinds, expected",
    [
        ((), MOVED),
        (("zeros",), [[0, 1], [3, 4]]),
        (("distinct values",), [[0.5, 2], [2, 4]]),
        (("zeros", "distinct values"), [[0, 2], [2, 4]]),
    ],
    ids=["nothing", "zeros", "values", "both"],
)
def test_weights_are_moved_to_the_nearest_that_keep_a_promise(kinds, expected):
    np.testing.assert_allclose(project(START, promises(*kinds))(tf.constant(MOVED)), expected)


def test_gradients_are_shared_as_values_are():
    weights = tf.Variable(MOVED)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(project(START, promises("zeros", "distinct values"))(weights) * [[1.0, 2.0], [4.0, 8.0]])
    np.testing.assert_allclose(tape.gradient(loss, weights), [[0, 3], [3, 8]])


def test_each_output_channel_has_a_step_of_its_own():
    rounded = round_weights(tf.constant([[127.0, 1.27], [0.6, 0.016]]), (-1,))
    np.testing.assert_allclose(rounded, [[127, 1.27], [1, 0.02]], rtol=1e-6)


def test_channels_may_take_two_axes_or_the_last_but_one():
    weights = np.random.default_rng(0).normal(size=(2, 2, 3, 4)).astype(np.float32)
    two, one = round_weights(tf.constant(weights), (-2, -1)), round_weights(tf.constant(weights), (-2,))
    by_rows = round_weights(tf.reshape(weights, (4, 12)), (-1,))
    np.testing.assert_allclose(tf.reshape(two, (4, 12)), by_rows)
    turned = round_weights(tf.constant(weights.transpose(0, 1, 3, 2)), (-1,))
    np.testing.assert_allclose(one, tf.transpose(turned, (0, 1, 3, 2)))


def test_a_channel_of_zeros_stays_zero():
    np.testing.assert_array_equal(round_weights(tf.zeros((3, 2)), (-1,)), np.zeros((3, 2)))
