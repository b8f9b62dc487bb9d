"""Zeros that are chosen while a model trains."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.masks import keep_largest, train_masked
from trainkit.framework import tf

L = tf.keras.layers


def halve(step, kernels):
    """Leave the larger half of each kernel before the second step, and note the steps."""
    for one in kernels:
        kept = keep_largest(tf.abs(one.weight), one.weight.shape.num_elements() // 2)
        one.mask.assign(tf.where(tf.equal(step, 1), kept, one.mask))
        one.threshold.assign(tf.cast(step, one.threshold.dtype))


@pytest.fixture
def network():
    tf.keras.utils.set_random_seed(1)
    image = tf.keras.Input((14, 14, 1), name="input")
    shared = L.Conv2D(4, 3, padding="same", name="shared")
    x = L.BatchNormalization()(shared(L.Conv2D(4, 3, padding="same", name="conv")(L.Rescaling(1 / 255)(image))))
    x = L.Flatten()(L.MaxPooling2D(4)(L.ReLU()(L.Add()([x, shared(x)]))))
    return tf.keras.Model(image, L.Dense(10, activation="softmax", name="digit")(x))


def kernel(model, layer):
    return model.get_layer(layer).get_weights()[0]


def test_train_masked_leaves_zeros_where_the_masks_were(network, context_with):
    found = train_masked(network, ["conv", "shared"], halve, epochs=1, context=context_with())
    assert [np.count_nonzero(kernel(found, layer)) for layer in ("conv", "shared", "digit")] == [18, 72, 360]
    assert [type(layer) for layer in found.layers] == [type(layer) for layer in network.layers]


def test_train_masked_counts_steps_though_a_layer_is_called_twice(network, context_with):
    seen = []

    def note(step, kernels):
        tf.py_function(lambda at: seen.append(int(at)), [step], [])

    train_masked(network, ["shared"], note, epochs=2, context=context_with())
    assert seen == [step for step in range(40) for _ in range(2)]


@pytest.mark.parametrize("revives", [False, True], ids=["stay", "revive"])
def test_train_masked_trains_what_counts_as_zero_only_where_it_may_come_back(network, context_with, revives):
    def hide_then_show(step, kernels):
        (one,) = kernels
        one.mask.assign(tf.fill(one.mask.shape, tf.cast(step == 19, tf.float32)))

    found = train_masked(network, ["digit"], hide_then_show, epochs=1, context=context_with(), revives=revives)
    moved = np.abs(kernel(found, "digit") - kernel(network, "digit")).mean()
    assert bool(moved > 5e-3) == revives
    assert moved > 0


@pytest.mark.parametrize("count, kept", [(0, 0), (3, 3), (5, 5)])
def test_keep_largest_keeps_as_many_though_all_are_equal(count, kept):
    assert int(tf.reduce_sum(keep_largest(tf.ones(5), count))) == kept
