"""What tests of weights share: a network, and numbers for one."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.framework import tf


@pytest.fixture(name="network")
def fixture_network():
    """Builds a network."""
    return network


@pytest.fixture(name="fill")
def fixture_fill():
    """Gives a network random weights."""
    return fill


def network(prefix="", units=3):
    """Layers of several kinds, two of them of one class and in an order that is not that of their names."""
    keras = tf.keras.layers
    inputs = tf.keras.Input((6, 6, 2))
    x = keras.SeparableConv2D(4, 3, name=f"{prefix}z_separable")(inputs)
    x = keras.BatchNormalization(name=f"{prefix}norm")(x)
    x = keras.Conv2D(4, 1, name=f"{prefix}second", trainable=False)(x)
    x = keras.Conv2D(4, 1, use_bias=False, name=f"{prefix}first")(x)
    x = keras.ReLU()(x)
    x = keras.DepthwiseConv2D(3, name=f"{prefix}block/depthwise".replace("/", "_" if prefix else "/"))(x)
    x = keras.Flatten()(x)
    return tf.keras.Model(inputs, keras.Dense(units, name=f"{prefix}head")(x))


def fill(model):
    """Every number another one."""
    shapes = [weights.shape for weights in model.get_weights()]
    numbers = np.random.default_rng(3).uniform(0.1, 1, sum(map(int, map(np.prod, shapes))))
    parts = np.split(numbers, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
    model.set_weights([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])
    return model
