"""What the inputs of dense kernels were before they were made flat."""

from __future__ import annotations

import pytest

from trainkit.framework import tf
from trainkit.models.geometry import geometries

layers = tf.keras.layers


def chain(shape, *body):
    inputs = x = tf.keras.Input(shape)
    for layer in body:
        x = layer(x)
    return tf.keras.Model(inputs, x)


def test_geometries_are_those_before_the_network_was_flat():
    model = chain(
        (12, 12, 1),
        layers.Conv2D(5, 5),
        layers.Flatten(),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(7, name="first"),
        layers.ReLU(),
        layers.Dense(3),
    )
    assert geometries(model) == {id(model.get_layer("first").kernel): (8, 8, 5)}


def test_a_sequence_has_the_width_1():
    assert list(geometries(chain((6, 4), layers.Flatten(), layers.Dense(3))).values()) == [(6, 1, 4)]


@pytest.mark.parametrize(
    "body",
    [
        [layers.Dense(3)],
        [layers.GlobalAveragePooling2D(), layers.Dense(3)],
        [layers.Permute((2, 1, 3)), layers.Flatten(), layers.Reshape((16,)), layers.Dense(3)],
    ],
    ids=["nothing flat", "pooled", "reshaped"],
)
def test_other_layers_have_none(body):
    assert geometries(chain((4, 4, 1), *body)) == {}


def test_a_layer_that_is_shared_has_none():
    inputs, shared = tf.keras.Input((4, 4, 1)), layers.Dense(3)
    both = [shared(layers.Flatten()(inputs)), shared(layers.Flatten()(inputs))]
    assert geometries(tf.keras.Model(inputs, layers.Add()(both))) == {}
