"""Layers that a model calls more than once."""

from __future__ import annotations

import numpy as np

from trainkit.framework import tf

keras = tf.keras
layers = tf.keras.layers


def noise(*shape):
    return np.random.default_rng(sum(shape)).normal(0, 1, shape).astype("float32")


def test_describe_network_shares_a_layer(same_network):
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    encode = layers.Dense(4, activation="tanh", name="encode")
    x = layers.Dot(1, normalize=True, name="alike")([encode(left), encode(right)])
    section = same_network(keras.Model([left, right], x), noise(5, 6), noise(5, 6) + 1)
    assert section["layers"] == [
        {"Dense": {"units": 4, "activation": "tanh"}, "name": "encode", "inputs": "left"},
        {"share": "encode", "name": "encode_1", "inputs": "right"},
        {"Dot": {"axes": 1, "normalize": True}, "name": "alike", "inputs": ["encode", "encode_1"]},
    ]


def test_describe_network_shares_the_layers_of_a_model_inside(same_network):
    inside = [layers.Conv2D(4, 3, input_shape=(8, 8, 3), name="conv"), layers.BatchNormalization(name="bn")]
    tower = keras.Sequential([*inside, layers.ReLU(name="relu"), layers.GlobalMaxPooling2D(name="pool")], name="tower")
    left, right = keras.Input((8, 8, 3), name="left"), keras.Input((8, 8, 3), name="right")
    model = keras.Model([left, right], layers.Dense(2, name="head")(abs(tower(left) - tower(right))))
    section = same_network(model, noise(4, 8, 8, 3), noise(4, 8, 8, 3)[::-1])
    shared = {node["name"]: node["share"] for node in section["layers"] if "share" in node}
    assert shared == {"tower_conv_1": "tower_conv", "tower_bn_1": "tower_bn"}


def test_describe_network_shares_a_layer_along_a_chain(same_network):
    inputs = keras.Input((6,), name="given")
    again = layers.Dense(6, activation="tanh", name="again")
    section = same_network(keras.Model(inputs, again(again(again(inputs)))), noise(5, 6))
    assert [node.get("share") for node in section["layers"]] == [None, "again", "again"]
    assert ["inputs" in node for node in section["layers"]] == [False, False, False]


def test_describe_network_names_outputs_of_one_layer_as_keras_does(same_network):
    left, right = keras.Input((6,), name="left"), keras.Input((6,), name="right")
    score = layers.Dense(1, name="score", activation=layers.LeakyReLU(0.1))
    model = keras.Model([left, right], [score(left), score(right)])
    section = same_network(model, noise(5, 6), noise(5, 6) * 2)
    assert section["outputs"] == model.output_names == ["score", "score_1"]
