"""What keeps its channels, because it is not known to be right without some of them."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.filters.channels import Channels
from trainkit.framework import tf

layers = tf.keras.layers


class Mean(tf.keras.layers.Layer):
    """A layer of a user."""

    def call(self, inputs):
        return inputs - tf.reduce_mean(inputs, axis=-1, keepdims=True)


class Longer(tf.keras.layers.Dense):
    """One that looks like a layer of Keras."""


def makers(*after, first=None, shape=(8, 8, 3)):
    """The layers whose filters may go, of a network whose first one makes six channels that some layers take."""
    inputs = layers.Input(shape)
    x = (first or layers.Conv2D(6, 3, padding="same", name="maker"))(inputs)
    for layer in after:
        x = layer(x)
    x = layers.Flatten()(x)
    model = tf.keras.Model(inputs, layers.Dense(4, name="head")(x))
    return {maker for group in Channels(model).groups() for maker in group.makers}


def test_what_is_known_may_go():
    assert makers(layers.ReLU()) == {"maker"}


KEEPING = {
    "a reshape that divides": [layers.Reshape((8, 8, 2, 3))],
    "a reshape across places": [layers.Reshape((24, 16))],
    "permute": [layers.Permute((3, 1, 2))],
    "softmax": [layers.Softmax()],
    "softmax as an activation": [layers.Activation("softmax")],
    "layer normalization": [layers.LayerNormalization()],
    "group normalization": [layers.GroupNormalization(2)],
    "normalization of another axis": [layers.BatchNormalization(axis=1)],
    "a convolution in groups": [layers.Conv2D(4, 3, groups=2)],
    "a layer of a user": [Mean()],
    "a lambda": [layers.Lambda(lambda x: x[..., ::-1])],
    "a function": [lambda x: tf.reverse(x, [-1])],
    "a recurrent layer": [layers.Reshape((64, 6)), layers.LSTM(4)],
    "a wrapper": [layers.TimeDistributed(layers.Dense(4))],
    "masks of noise": [layers.Dropout(0.5, noise_shape=(1, 1, 1, 6))],
    "a constant": [lambda x: layers.Multiply()([x, tf.ones((1, 1, 1, 6))])],
}


@pytest.mark.parametrize("after", KEEPING.values(), ids=KEEPING)
def test_what_is_not_known_keeps_its_channels(after):
    assert "maker" not in makers(*after)


@pytest.mark.parametrize(
    "first",
    [
        layers.Conv2D(6, 3, activation="softmax", name="maker"),
        layers.Conv2D(6, 3, activation=lambda x: x[..., ::-1], name="maker"),
        Longer(6, name="maker"),
        layers.EinsumDense("abcd,de->abce", (8, 8, 6), name="maker"),
    ],
    ids=["softmax", "a function", "a class of a user", "another kernel"],
)
def test_what_is_not_known_keeps_its_filters(first):
    assert makers(first=first) == set()


def test_what_a_network_gives_stays():
    inputs = layers.Input((5,))
    x = layers.Dense(6, name="given")(inputs)
    y = layers.Dense(6, name="tied")(layers.ReLU()(layers.Dense(3, name="free")(x)))
    model = tf.keras.Model(inputs, [layers.ReLU()(x), layers.Dense(2, name="head")(layers.Add()([x, y]))])
    assert {maker for group in Channels(model).groups() for maker in group.makers} == {"free"}


def test_what_a_network_is_given_stays():
    inputs = layers.Input((8, 8, 6))
    x = layers.Add()([inputs, layers.Conv2D(6, 3, padding="same", name="tied")(inputs)])
    assert Channels(tf.keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))).groups() == []


def test_a_layer_that_is_called_in_a_way_that_is_not_known_stays_as_it_is():
    inputs, shared = layers.Input((8, 6)), layers.Dense(6, name="shared")
    x = shared(layers.Dense(6, name="maker")(inputs))
    y = shared(layers.LSTM(6, return_sequences=True)(inputs))
    model = tf.keras.Model(inputs, layers.Dense(2)(layers.Flatten()(layers.Concatenate()([x, y]))))
    (known,) = {group.makers for group in Channels(model).groups()}
    assert known == ("shared",)  # what it makes may go, but not what it takes: the LSTM gives that, too


def test_an_addition_ties_filters_one_by_one():
    inputs = layers.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, padding="same", name="first")(inputs)
    y = layers.Concatenate()([layers.Conv2D(1, 1, name="second")(inputs), layers.Conv2D(3, 1, name="third")(inputs)])
    x = layers.Flatten()(layers.Add()([x, y]))
    groups = Channels(tf.keras.Model(inputs, layers.Dense(2, name="head")(x))).groups()
    assert [dict(group.filters) for group in groups] == [
        {"first": (0,), "second": (0,)},
        {"first": (1,), "third": (0,)},
        {"first": (2,), "third": (1,)},
        {"first": (3,), "third": (2,)},
    ]


def test_channels_of_any_length_stay():
    inputs = layers.Input((None, None, 3))
    x = layers.Conv2D(6, 3, name="maker")(inputs)
    model = tf.keras.Model(inputs, layers.Conv2D(2, 1, name="head")(x))
    channels = Channels(model)
    assert [group.makers for group in channels.groups()] == [("maker",)] * 6
    assert channels.staying(channels.makers()["maker"].channels, [channels.groups()[2].root]).tolist() == [
        *(True, True, False),
        *(True, True, True),
    ]
    assert np.unique(channels.roots(channels.makers()["maker"].channels)).size == 6
