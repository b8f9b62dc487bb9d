"""What is written in the box of a layer."""

from __future__ import annotations

import pytest

from trainkit.framework import tf
from trainkit.models.drawing.describe import describe_layer, show_shape

L = tf.keras.layers


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (lambda: L.Conv2D(64, 3, strides=2, padding="same", activation="relu"), "Conv2D 64, 3×3, stride 2, same, relu"),
        (lambda: L.Conv2D(8, (1, 7), dilation_rate=2, groups=4), "Conv2D 8, 1×7, dilation 2, 4 groups"),
        (lambda: L.Conv1D(8, 5, padding="causal"), "Conv1D 8, 5, causal"),
        (lambda: L.DepthwiseConv2D(3, depth_multiplier=2), "DepthwiseConv2D 3×3, multiplier 2"),
        (lambda: L.Dense(10, activation="softmax"), "Dense 10, softmax"),
        (lambda: L.Dense(10), "Dense 10"),
        (lambda: L.MaxPooling2D(), "MaxPooling2D 2×2"),
        (lambda: L.MaxPooling2D(3, 2, padding="same"), "MaxPooling2D 3×3, stride 2, same"),
        (lambda: L.Activation("swish"), "Activation swish"),
        (lambda: L.ReLU(max_value=6), "ReLU at most 6"),
        (lambda: L.Rescaling(1 / 255), "Rescaling × 1/255"),
        (lambda: L.Dropout(0.5), "Dropout 0.5"),
        (lambda: L.Bidirectional(L.LSTM(32, return_sequences=True)), "Bidirectional LSTM 32, sequences"),
        (lambda: L.MultiHeadAttention(4, 16), "MultiHeadAttention 4 heads of 16"),
        (lambda: L.Embedding(1000, 64), "Embedding 1000 to 64"),
        (lambda: L.ZeroPadding2D(3), "ZeroPadding2D 3"),
        (lambda: L.Reshape((7, 7, -1)), "Reshape 7 × 7 × any"),
        (lambda: L.Concatenate(), "Concatenate"),
        (lambda: L.Concatenate(axis=1), "Concatenate axis 1"),
        (lambda: L.BatchNormalization(), "BatchNormalization"),
    ],
)
def test_describe_layer_names_the_arguments_that_people_look_for(layer, told):
    assert describe_layer(layer()) == told


def test_describe_layer_of_a_class_that_is_not_keras():
    class Scaled(L.Dense):
        pass

    assert describe_layer(Scaled(3, activation=tf.nn.relu)) == "Scaled 3, relu"


def test_show_shape_of_an_unknown_rank():
    assert show_shape(tf.TensorShape(None)) == "any shape"
