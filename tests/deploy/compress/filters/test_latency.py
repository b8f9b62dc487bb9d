"""How long a network takes as a file."""

from __future__ import annotations

import pytest

from trainkit.deploy.compress.filters.latency import latency_ratio
from trainkit.framework import tf

layers = tf.keras.layers


def wide(filters):
    inputs = tf.keras.Input((14, 14, 1), name="input")
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(inputs)
    x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return tf.keras.Model(inputs, layers.Dense(10, name="digit")(layers.GlobalAveragePooling2D()(x)))


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_a_network_of_a_fraction_of_the_work_takes_less_time(context_with, precision):
    """96 and 16 filters: 36 times as many products in the larger convolution."""
    assert latency_ratio(wide(96), wide(16), precision=precision, context=context_with()) < 0.5
