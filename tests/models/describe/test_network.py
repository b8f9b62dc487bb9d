"""A model -> the `model:` section that builds the same network."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.models import describe_network
from trainkit.models.describe import describe

keras = tf.keras
layers = tf.keras.layers


def noise(*shape, scale=1.0):
    return np.random.default_rng(3).normal(0, scale, shape).astype("float32")


def tokens(*shape, most):
    return np.random.default_rng(3).integers(0, most, shape).astype("int32")


def named(section):
    """The nodes that have a name, by it."""
    return {node["name"]: node for node in section["layers"] if isinstance(node, dict) and "name" in node}


def a_unet():
    inputs = keras.Input((16, 16, 3), name="image")
    x, skips = inputs, []
    for filters in (4, 8):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
        skips.append(x)
        x = layers.MaxPooling2D()(x)
    for filters in (8, 4):
        x = layers.Conv2DTranspose(filters, 3, strides=2, padding="same")(x)
        x = layers.Concatenate()([x, skips.pop()])
        x = layers.BatchNormalization()(x)
    return keras.Model(inputs, layers.Conv2D(2, 1, activation="softmax", name="mask")(x))


def two_inputs():
    left, right = keras.Input((6,), name="left"), keras.Input((4,), name="right")
    x = layers.Concatenate()([layers.Dense(5, activation="tanh")(left), right])
    return keras.Model([left, right], layers.Dense(3)(x))


def two_outputs():
    inputs = keras.Input((6,))
    trunk = layers.Dense(8, activation="relu", name="trunk")(inputs)
    digit = layers.Dense(4, activation="softmax", name="digit")(trunk)
    parity = layers.Dense(1, activation="sigmoid", name="parity")(trunk)
    return keras.Model(inputs, [parity, digit])


def a_masked_bilstm():
    inputs = keras.Input((9,), dtype="int32", name="words")
    x = layers.Embedding(12, 5, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.LSTM(4, return_sequences=True), merge_mode="sum")(x)
    return keras.Model(inputs, layers.Dense(2)(layers.GRU(3)(x)))


def attention_by_name():
    one, two = keras.Input((7, 6), name="one"), keras.Input((5, 4), name="two")
    x = layers.MultiHeadAttention(2, 3, name="look")(query=one, value=two)
    x = layers.LayerNormalization()(layers.Add()([one, x]))
    return keras.Model([one, two], layers.GlobalAveragePooling1D()(x))


def a_model_inside_a_model():
    encoder = keras.Sequential(
        [layers.Conv2D(4, 3, input_shape=(8, 8, 3), name="Conv1"), layers.BatchNormalization(name="conv1/bn")],
        name="encoder",
    )
    part = keras.Input((6, 6, 4))
    head = keras.Model(part, layers.Dense(3, name="dense")(layers.GlobalMaxPooling2D()(part)), name="head")
    inputs = keras.Input((8, 8, 3))
    return keras.Model(inputs, head(layers.ReLU()(encoder(inputs))))


def with_a_state_from_elsewhere():
    steps, state = keras.Input((5, 3), name="steps"), keras.Input((4,), name="state")
    return keras.Model([steps, state], layers.GRU(4)(steps, initial_state=[state]))


def cells_and_wrappers():
    return keras.Sequential(
        [
            layers.TimeDistributed(layers.Conv1D(4, 2, activation="relu"), input_shape=(5, 6, 3)),
            layers.TimeDistributed(layers.BatchNormalization()),
            layers.TimeDistributed(layers.Flatten()),
            layers.RNN(layers.GRUCell(4), return_sequences=True),
            layers.Dense(3, activation=layers.LeakyReLU(0.1), name="answer"),
        ]
    )


NETWORKS = {
    "unet": (a_unet, [noise(4, 16, 16, 3)]),
    "two-inputs": (two_inputs, [noise(4, 6), noise(4, 4)]),
    "two-outputs": (two_outputs, [noise(4, 6)]),
    "masked-bilstm": (a_masked_bilstm, [tokens(6, 9, most=5)]),
    "attention": (attention_by_name, [noise(4, 7, 6), noise(4, 5, 4)]),
    "model-inside": (a_model_inside_a_model, [noise(4, 8, 8, 3)]),
    "initial-state": (with_a_state_from_elsewhere, [noise(4, 5, 3), noise(4, 4)]),
    "cells": (cells_and_wrappers, [noise(4, 5, 6, 3)]),
}


@pytest.mark.parametrize(("make", "inputs"), NETWORKS.values(), ids=NETWORKS.keys())
def test_describe_network_gives_a_network_with_the_same_answers(make, inputs, same_network):
    same_network(make(), *inputs)


APPLICATIONS = {
    "MobileNetV2": {"input_shape": (32, 32, 3), "alpha": 0.35},
    "ResNet50": {"input_shape": (32, 32, 3)},
    "MobileNetV3Small": {"input_shape": (32, 32, 3), "minimalistic": False},
    "EfficientNetB0": {"input_shape": (32, 32, 3)},
}
SLOW = ("ResNet50", "EfficientNetB0", "MobileNetV3Small")
"""Larger ones with nothing in them that those above, the networks of `NETWORKS` and the zoo do not have."""


@pytest.mark.parametrize(
    ("name", "arguments"),
    [pytest.param(*one, id=one[0], marks=[pytest.mark.slow] * (one[0] in SLOW)) for one in APPLICATIONS.items()],
)
def test_describe_network_gives_known_networks_with_the_same_answers(name, arguments, same_network):
    model = getattr(keras.applications, name)(weights=None, classes=10, classifier_activation=None, **arguments)
    suffix = None if name == "ResNet50" else ".keras"  # its file takes a quarter of a minute to read
    same_network(model, 127.5 + noise(3, 32, 32, 3, scale=60), suffix=suffix)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
def test_describe_network_reads_h5_too(same_network):
    same_network(a_unet(), noise(4, 16, 16, 3), suffix=".h5")


def test_describe_network_writes_a_layer_a_line_as_a_person_would():
    inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(1 / 255, name="rescaling1")(inputs)
    x = layers.Conv2D(8, (3, 3), strides=(2, 2), padding="same", use_bias=False, name="stem")(x)
    x = layers.MaxPooling2D(3, strides=2, name="Pool")(x)
    y = layers.Conv2D(8, (1, 3), padding="same", kernel_initializer="he_normal", name="wide")(x)
    x = layers.Add(name="1x1")([y, x])
    x = layers.Dense(5, kernel_regularizer=keras.regularizers.L2(1e-4), name="dense1")(layers.Flatten(name="x")(x))
    assert describe_network(keras.Model(inputs, x)) == {
        "input": [32, 32, 3],
        "layers": [
            {"Rescaling": {"scale": "$(1/255)"}},
            {
                "Conv2D": {"filters": 8, "kernel_size": 3, "strides": 2, "padding": "same", "use_bias": False},
                "name": "stem",
            },
            {"MaxPooling2D": {"pool_size": 3, "strides": 2}, "name": "pool"},
            {
                "Conv2D": {"filters": 8, "kernel_size": [1, 3], "padding": "same", "kernel_initializer": "HeNormal"},
                "name": "wide",
            },
            {"Add": None, "name": "layer_1x1", "inputs": ["wide", "pool"]},
            {"Flatten": None, "name": "layer_x"},
            {"Dense": {"units": 5, "kernel_regularizer": {"L2": {"l2": 0.0001}}}},
        ],
    }


def test_describe_network_names_inputs_outputs_and_arguments_of_calls():
    section = describe_network(attention_by_name())
    assert section["inputs"] == {"one": {"shape": [7, 6]}, "two": {"shape": [5, 4]}}
    assert named(section)["look"]["inputs"] == {"query": "one", "value": "two"}
    assert "outputs" not in section
    section = describe_network(two_outputs())
    assert section["outputs"] == ["parity", "digit"]
    assert named(section)["digit"]["inputs"] == "trunk"


@pytest.mark.parametrize(
    ("dtype", "expected", "note"),
    [("int64", "int64", False), ("string", "string", False), ("uint8", "int32", True), ("float16", None, True)],
)
def test_describe_network_gives_inputs_their_type(dtype, expected, note):
    inputs = keras.Input((4,), name="given", dtype=dtype)
    layer = layers.StringLookup(vocabulary=["a", "b"]) if dtype == "string" else layers.Rescaling(2.0)
    described = describe(keras.Model(inputs, layer(inputs)))
    spec = (
        described.section["inputs"]["given"] if expected else {"shape": described.section["inputs"]["given"]["shape"]}
    )
    assert spec == {"shape": [4]} | ({"dtype": expected} if expected else {})
    assert bool(described.notes) == note


def test_describe_network_tells_which_layers_do_not_learn(same_network):
    inputs = keras.Input((8, 8, 3))
    base = keras.Sequential(
        [layers.Conv2D(4, 3, name="conv"), layers.BatchNormalization(name="bn"), layers.ReLU()], "base"
    )
    x = base(inputs, training=False)
    base.trainable = False
    model = keras.Model(inputs, layers.Dense(2, name="head")(layers.Flatten()(x)))
    section = same_network(model, noise(3, 8, 8, 3))
    frozen = [name for name, node in named(section).items() if "trainable" in (next(iter(node.values())) or {})]
    assert frozen == ["base_conv", "base_bn"]
    assert "training=False" in describe(model).notes[0]


def test_describe_network_keeps_what_a_normalization_has_learned(same_network):
    normalization = layers.Normalization(name="norm")
    normalization.adapt(np.array([[1.0, 10.0], [3.0, 30.0]], "float32"))
    inputs = keras.Input((2,))
    section = describe_network(keras.Model(inputs, normalization(inputs)))
    assert section["layers"] == [{"Normalization": {"mean": [2, 20], "variance": [1, 100]}, "name": "norm"}]
    same_network(keras.Model(inputs, layers.Dense(3)(normalization(inputs))), noise(5, 2, scale=9))


@pytest.mark.parametrize("layer", ["StringLookup", "TextVectorization"])
def test_describe_network_keeps_short_vocabularies(layer):
    made = getattr(layers, layer)(vocabulary=["a", "$b"], name="look")
    inputs = keras.Input((1,), dtype="string")
    (node,) = describe_network(keras.Model(inputs, made(inputs)))["layers"]
    assert node == {layer: {"vocabulary": ["a", "$$b"]}, "name": "look"}


def test_describe_network_refuses_long_vocabularies():
    words = layers.StringLookup(vocabulary=[f"w{index}" for index in range(1001)])
    inputs = keras.Input((1,), dtype="string")
    with pytest.raises(InputError, match=r"its vocabulary has 1,001 entries"):
        describe_network(keras.Model(inputs, words(inputs)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_describe_network_writes_boundaries_that_were_learned():
    bins = layers.Discretization(num_bins=2, name="bins")
    bins.adapt(np.array([[0.0], [1.0], [2.0], [3.0]], "float32"))
    inputs = keras.Input((1,))
    (node,) = describe_network(keras.Model(inputs, bins(inputs)))["layers"]
    assert node["Discretization"] == {"bin_boundaries": [pytest.approx(float(bins.bin_boundaries[0]))]}


class Custom(layers.Layer):
    def call(self, inputs):
        return inputs * 2.0


def test_describe_network_tells_all_that_it_cannot_write_at_once():
    inputs = keras.Input((4, 4))
    x = Custom(name="mine")(inputs)
    x = tf.math.cumsum(x, axis=1)
    x = layers.LSTM(3, return_state=True, name="states")(x)[0]
    told = (
        "(?s)3 layers:.*'mine' \\(Custom\\): the config language has no such layer.*tf.math.cumsum.*no layer of Keras"
    )
    with pytest.raises(InputError, match=told) as caught:
        describe_network(keras.Model(inputs, x))
    assert "'states' (LSTM): it gives 3 values" in str(caught.value)


def test_describe_network_refuses_settings_of_a_call():
    inputs = keras.Input((4, 6))
    attention = layers.MultiHeadAttention(2, 3)(inputs, inputs, use_causal_mask=True)
    with pytest.raises(InputError, match="it is called with use_causal_mask=True"):
        describe_network(keras.Model(inputs, attention))


def test_describe_network_refuses_a_model_without_a_graph():
    with pytest.raises(InputError, match="must be a functional or sequential Keras model with known inputs"):
        describe_network(keras.Sequential([layers.Dense(2)]))


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: layers.LSTM(2, stateful=True), "keeps its state"),
        (lambda: layers.TimeDistributed(keras.Sequential([layers.Dense(2)])), "a model inside"),
    ],
    ids=["stateful", "model"],
)
def test_describe_network_refuses_what_the_language_cannot_say(make, told):
    inputs = keras.Input((4, 3), batch_size=2)
    with pytest.raises(InputError, match=told):
        describe_network(keras.Model(inputs, make()(inputs)))


def test_describe_network_leaves_out_inputs_without_use():
    used, unused = keras.Input((3,), name="used"), keras.Input((2,), name="unused")
    described = describe(keras.Model([used, unused], layers.Dense(2)(used)))
    assert list(described.section["inputs"]) == ["used"]
    assert described.notes == ["Input 'unused' is left out: no output depends on it."]


def test_describe_network_calls_layers_without_weights_anew(same_network):
    relu = layers.ReLU(name="relu")
    inputs = keras.Input((4,))
    section = same_network(keras.Model(inputs, relu(layers.Dense(3)(relu(inputs)))), noise(5, 4))
    assert [name for name, node in named(section).items() if "ReLU" in node] == ["relu", "relu_1"]


def test_describe_network_keeps_outputs_apart_that_are_one_value(same_network):
    inputs = keras.Input((4,), name="given")
    x = layers.Dense(3, name="dense")(inputs)
    section = same_network(keras.Model(inputs, [x, x, inputs]), noise(5, 4))
    assert section["outputs"][0] == "dense"
    assert len(set(section["outputs"])) == 3


def test_describe_network_counts_no_axes_where_a_layer_works_on_the_last(same_network):
    inputs = keras.Input((4, 4, 3))
    x = layers.BatchNormalization(name="last")(layers.Conv2D(4, 3, name="conv")(inputs))
    section = same_network(
        keras.Model(inputs, layers.LayerNormalization(axis=[1, 2], name="both")(x)), noise(4, 4, 4, 3)
    )
    assert named(section)["last"]["BatchNormalization"] is None
    assert named(section)["both"]["LayerNormalization"] == {"axis": [1, 2]}


def test_describe_network_writes_a_normalization_twice_that_is_called_twice(same_network):
    normalization = layers.Normalization(name="norm")
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    x = layers.Subtract()([normalization(left), normalization(right)])
    section = same_network(keras.Model([left, right], layers.Dense(2)(x)), noise(5, 2), noise(5, 2)[::-1])
    assert named(section)["norm"]["Normalization"] == named(section)["norm_1"]["Normalization"]
