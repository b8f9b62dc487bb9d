"""Functions of TensorFlow as layers of Keras that do the same."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.errors import InputError
from trainkit.framework import tf
from trainkit.models import describe_network

keras = tf.keras
layers = tf.keras.layers

OPERATORS = {
    "add-number": lambda x, y: x + 3,
    "number-add": lambda x, y: 3 + x,
    "subtract-number": lambda x, y: x - 2.5,
    "number-subtract": lambda x, y: 2 - x,
    "multiply-number": lambda x, y: x * 0.5,
    "divide-number": lambda x, y: x / 7,
    "vector": lambda x, y: (x - [1.0, 2.0, 3.0, 4.0, 5.0]) * [0.1, 0.2, 0.3, 0.4, 0.5],
    "negative": lambda x, y: -x,
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "absolute": lambda x, y: abs(x - y),
    "square": lambda x, y: tf.square(x - y),
    "power": lambda x, y: x**3,
    "maximum": lambda x, y: tf.maximum(x, y),
    "maximum-zero": lambda x, y: tf.maximum(x, 0.0),
    "maximum-number": lambda x, y: tf.maximum(x, 0.25),
    "minimum-number": lambda x, y: tf.minimum(x, 0.25),
    "add-n": lambda x, y: tf.add_n([x, y, x]),
    "clip": lambda x, y: tf.clip_by_value(x, 0, 0.5),
    "clip-below-zero": lambda x, y: tf.clip_by_value(x, -0.5, 0.75),
    "relu": lambda x, y: tf.nn.relu(x),
    "relu6": lambda x, y: tf.nn.relu6(x * 4),
    "leaky-relu": lambda x, y: tf.nn.leaky_relu(x, 0.1),
    "swish": lambda x, y: tf.nn.swish(x),
    "gelu": lambda x, y: tf.nn.gelu(x),
    "softmax": lambda x, y: tf.nn.softmax(x),
    "softmax-of-axis": lambda x, y: tf.nn.softmax(x, axis=1),
    "sigmoid": lambda x, y: tf.sigmoid(x),
    "tanh": lambda x, y: tf.tanh(x),
    "exponential": lambda x, y: tf.exp(x),
    "hard-sigmoid": lambda x, y: keras.activations.hard_sigmoid(x),
    "normalize": lambda x, y: tf.math.l2_normalize(x, axis=1),
    "matmul": lambda x, y: tf.matmul(x, tf.transpose(y, [0, 2, 1])),
    "matmul-transposed": lambda x, y: tf.matmul(x, y, transpose_b=True),
    "reshape": lambda x, y: tf.reshape(x, [-1, 2, 10]),
    "reshape-by-batch": lambda x, y: tf.reshape(x, [tf.shape(x)[0], 10, 2]),
    "transpose": lambda x, y: tf.transpose(x, [0, 2, 1]),
    "expand": lambda x, y: tf.expand_dims(x, -1),
    "squeeze": lambda x, y: tf.squeeze(tf.expand_dims(x, 1), axis=1),
    "concat": lambda x, y: tf.concat([x, y], axis=1),
    "concat-last": lambda x, y: tf.concat([x, y], axis=-1),
    "stack": lambda x, y: tf.stack([x, y], axis=2),
    "slice": lambda x, y: x[:, 1:3],
    "slice-last": lambda x, y: x[:, :, 1:-1],
    "slice-both": lambda x, y: x[:, -3:, :2],
    "index": lambda x, y: x[:, 0],
    "index-last": lambda x, y: x[:, -1, :],
    "split": lambda x, y: tf.split(x, [1, 3], axis=1)[1],
    "unstack": lambda x, y: tf.unstack(x, axis=2)[3],
    "mean": lambda x, y: tf.reduce_mean(x, 1),
    "mean-kept": lambda x, y: tf.reduce_mean(x, axis=[1], keepdims=True),
    "mean-last": lambda x, y: tf.reduce_mean(x, axis=-1),
    "mean-all": lambda x, y: tf.reduce_mean(x, axis=[1, 2], keepdims=True),
    "max-last": lambda x, y: tf.reduce_max(x, axis=2),
    "sum": lambda x, y: tf.reduce_sum(x, axis=1),
    "sum-last": lambda x, y: tf.reduce_sum(tf.square(x - y), axis=-1, keepdims=True),
    "resize": lambda x, y: tf.image.resize(tf.expand_dims(x, -1), (8, 10)),
    "resize-nearest": lambda x, y: tf.image.resize(tf.expand_dims(x, -1), (8, 10), method="nearest"),
    "identity": lambda x, y: tf.identity(x) + tf.cast(y, tf.float32),
}


@pytest.mark.parametrize("compute", OPERATORS.values(), ids=OPERATORS.keys())
def test_operators_become_layers_that_do_the_same(compute, same_network):
    x, y = keras.Input((4, 5), name="one"), keras.Input((4, 5), name="two")
    model = keras.Model([x, y], [compute(x, y), layers.Add()([x, y])])
    random = np.random.default_rng(2)
    same_network(model, *(random.normal(size=(6, 4, 5)).astype("float32") for _ in range(2)))


def test_operators_find_the_layers_that_a_person_would_write():
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, name="conv")(x)
    y = y * (tf.nn.relu6(y + 3.0) * (1 / 6))
    assert describe_network(keras.Model(x, tf.reduce_mean(y, axis=[1, 2])))["layers"][1:] == [
        {"Rescaling": {"scale": 1, "offset": 3}},
        {"ReLU": {"max_value": 6}},
        {"Rescaling": {"scale": "$(1/6)"}},
        {"Multiply": None, "inputs": ["conv", "rescaling2"]},
        "GlobalAveragePooling2D",
    ]


def test_operators_keep_axes_of_any_length(same_network):
    x = keras.Input((None, 6), name="steps")
    y = tf.transpose(tf.reshape(x, [tf.shape(x)[0], -1, 2, 3])[:, 1:], [0, 1, 3, 2])
    section = same_network(
        keras.Model(x, tf.reshape(y, [tf.shape(y)[0], -1, 6])), np.eye(30, dtype="float32").reshape(6, 5, 30)[:, :, :6]
    )
    assert {"Reshape": {"target_shape": [-1, 2, 3]}} in section["layers"]


def test_operators_see_no_mask_as_in_tensorflow(same_network):
    """What comes after an operator knows of no mask; an Add or a pooling layer would hand it on, or heed it."""
    words = keras.Input((6,), dtype="int32", name="words")
    x = layers.Embedding(7, 4, mask_zero=True)(words)
    outputs = [layers.LSTM(3)(x + x), tf.reduce_mean(x, axis=1)]
    ids = np.array([[1, 2, 0, 0, 0, 0], [3, 0, 4, 0, 0, 0], [5, 6, 1, 2, 3, 4]], "int32")
    same_network(keras.Model(words, outputs), ids)


def test_operators_compute_in_their_own_type(same_network):
    x = keras.Input((4,), name="given")
    half = layers.Dense(3, dtype="mixed_float16", name="half")(x)
    section = same_network(keras.Model(x, tf.cast(half * 2.0, tf.float32)), np.eye(4, dtype="float32"))
    assert section["layers"] == [
        {"Dense": {"units": 3, "dtype": "mixed_float16"}, "name": "half"},
        {"Rescaling": {"scale": 2, "dtype": "float16"}},
        {"Rescaling": {"scale": 1}},
    ]


REFUSED = {
    "divide": (lambda x: x / (x + 9.0), "divides by what is computed"),
    "square-root": (lambda x: tf.sqrt(x), "no layer of Keras does the same"),
    "across-samples": (lambda x: tf.reshape(x, [-1, 5]), "reshapes across samples"),
    "over-samples": (lambda x: tf.reduce_mean(x, axis=0, keepdims=True), "works along axis 0"),
    "over-everything": (lambda x: tf.reduce_mean(x), "over all samples at once"),
    "of-samples": (lambda x: x[:2], "a part of the samples"),
    "steps": (lambda x: x[:, ::2], "slices with steps"),
    "constants": (lambda x: x + np.ones((4, 5), "float32"), "constants of this shape"),
    "whole-numbers": (lambda x: tf.cast(x, tf.int32) + 1, "gives int32"),
    "axes": (lambda x: x + x[:, 0], "a different number of axes"),
    "shape": (lambda x: tf.cast(tf.shape(x), tf.float32), "no value of the network"),
}


@pytest.mark.parametrize(("compute", "told"), REFUSED.values(), ids=REFUSED.keys())
def test_operators_without_a_layer_are_refused(compute, told):
    x = keras.Input((4, 5))
    with pytest.raises(InputError, match=f"tf\\..*: .*{told}"):
        describe_network(keras.Model(x, compute(x)))
