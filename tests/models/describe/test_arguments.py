"""The arguments that a Keras object was made with, without those that are defaults."""

from __future__ import annotations

import pytest

from trainkit.framework import tf
from trainkit.models.describe.arguments import arguments_of
from trainkit.models.describe.step import RefusalError

keras = tf.keras
layers = tf.keras.layers

LAYERS = {
    "pairs": (layers.Conv2D(3, (5, 5), strides=(2, 2)), {"filters": 3, "kernel_size": 5, "strides": 2}),
    "unlike": (layers.Conv2D(3, (5, 1)), {"filters": 3, "kernel_size": [5, 1]}),
    "depends": (layers.MaxPooling2D(3), {"pool_size": 3}),
    "default-again": (layers.MaxPooling2D(3, strides=2), {"pool_size": 3, "strides": 2}),
    "nested-pairs": (layers.ZeroPadding2D(((2, 2), (2, 2))), {"padding": 2}),
    "shape": (layers.Reshape((4, 4)), {"target_shape": [4, 4]}),
    "null": (layers.Dropout(0.5, noise_shape=(None, 1, 1)), {"rate": 0.5, "noise_shape": [None, 1, 1]}),
    "float32": (layers.LeakyReLU(0.3), {}),
    "whole-config": (layers.TextVectorization(standardize=None), {"standardize": None}),
    "initializer": (
        layers.Dense(2, kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02)),
        {"units": 2, "kernel_initializer": {"TruncatedNormal": {"stddev": 0.02}}},
    ),
    "constraint": (layers.Dense(2, kernel_constraint="non_neg"), {"units": 2, "kernel_constraint": "NonNeg"}),
    "l1l2": (
        layers.Dense(2, kernel_regularizer=keras.regularizers.L1L2(l1=0.0, l2=1e-3)),
        {"units": 2, "kernel_regularizer": {"L1L2": {"l2": 0.001}}},
    ),
    "wrapper": (
        layers.Bidirectional(layers.LSTM(3), merge_mode=None),
        {"layer": {"LSTM": {"units": 3}}, "merge_mode": None},
    ),
    "cell": (layers.RNN(layers.GRUCell(4)), {"cell": {"GRUCell": {"units": 4}}}),
}


@pytest.mark.parametrize(("layer", "expected"), LAYERS.values(), ids=LAYERS.keys())
def test_arguments_of_gives_those_that_are_needed(layer, expected):
    assert arguments_of("layer", type(layer).__name__, layer.get_config()) == expected


@pytest.mark.parametrize("layer", [layers.Dense(2), layers.GRU(2)], ids=["dense", "gru"])
def test_arguments_of_leaves_the_names_of_keras_alone(layer):
    before = int(layers.Dense(1).name.rsplit("_", 1)[-1])
    arguments_of("layer", type(layer).__name__, layer.get_config())
    assert layers.Dense(1).name == f"dense_{before + 1}"


def test_arguments_of_refuses_what_the_language_has_no_argument_for():
    layer = layers.LSTM(2, zero_output_for_mask=True)
    with pytest.raises(RefusalError, match="no argument for its zero_output_for_mask=True"):
        arguments_of("layer", "LSTM", layer.get_config())


def test_arguments_of_refuses_what_keras_does_not_have():
    config = layers.Dense(2).get_config() | {"kernel_regularizer": {"class_name": "Mine", "config": {}}}
    with pytest.raises(RefusalError, match="does not make it again"):
        arguments_of("layer", "Dense", config)
