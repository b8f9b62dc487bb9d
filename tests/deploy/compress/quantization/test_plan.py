from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from trainkit.deploy.compress.flatten import flatten
from trainkit.deploy.compress.quantization import QuantizationAware
from trainkit.framework import tf

layers = tf.keras.layers
CLOSE = 0.04
"""Of the spread of answers: what an int8 file may differ by from a network that rounds like it."""


def conv(x, filters=8, **arguments):
    return layers.Conv2D(filters, 3, **arguments)(x)


def norm(x, activation=None):
    x = layers.BatchNormalization()(x)
    return layers.Activation(activation)(x) if activation else x


def head(x):
    return layers.Dense(4)(layers.GlobalAveragePooling2D()(x))


def hard_swish_of_operations(x):
    return layers.Multiply()([x, layers.ReLU(6.0)(x + 3.0) * (1 / 6)])


def hard_swish_of_functions(x):
    return x * tf.nn.relu6(x + 3.0) / 6.0


def hard_swish_of_layers(x):
    return layers.Multiply()([x, layers.Rescaling(1 / 6)(layers.ReLU(6.0)(layers.Rescaling(1.0, 3.0)(x)))])


def squeeze_and_excite(x):
    squeezed = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gates = layers.Conv2D(8, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(squeezed))
    return layers.Multiply()([x, gates])


def inception(x):
    x = conv(x, 4)
    beside = [layers.Conv2D(4, 1)(x), layers.MaxPooling2D(3, 1, "same")(x), conv(x, 4, padding="same")]
    return conv(layers.Concatenate()(beside))


def residual(x):
    x = conv(x)
    return tf.nn.relu(conv(x, padding="same") + x)


HEAD = {"MEAN": 1, "FULLY_CONNECTED": 1}
SIZE = {"SHAPE": 1, "STRIDED_SLICE": 1, "PACK": 1}  # how large the output of a transposed convolution is
NETS = {
    "relu": (lambda x: norm(conv(x, use_bias=False), "relu"), {"CONV_2D": 1}),
    "relu6": (lambda x: layers.ReLU(6.0)(norm(conv(x))), {"CONV_2D": 1}),
    "no norm": (lambda x: layers.ReLU()(conv(x)), {"CONV_2D": 1}),
    "sigmoid": (lambda x: norm(conv(x), "sigmoid"), {"CONV_2D": 1, "LOGISTIC": 1}),
    "tanh": (lambda x: conv(x, activation="tanh"), {"CONV_2D": 1, "TANH": 1}),
    "swish": (lambda x: norm(conv(x), "swish"), {"CONV_2D": 1, "LOGISTIC": 1, "MUL": 1}),
    "swish inside": (lambda x: conv(x, activation="swish"), {"CONV_2D": 1, "LOGISTIC": 1, "MUL": 1}),
    "gelu": (lambda x: norm(conv(x), "gelu"), {"CONV_2D": 1, "GELU": 1}),
    "depthwise": (lambda x: norm(layers.DepthwiseConv2D(3, depth_multiplier=2)(x), "relu"), {"DEPTHWISE_CONV_2D": 1}),
    "separable": (
        lambda x: norm(layers.SeparableConv2D(8, 3)(x), "relu"),
        {"DEPTHWISE_CONV_2D": 1, "CONV_2D": 1},
    ),
    "transposed": (
        lambda x: norm(layers.Conv2DTranspose(8, 3, strides=2)(x), "relu"),
        {"TRANSPOSE_CONV": 1, "RELU": 1, **SIZE},
    ),
    "pre-activation": (lambda x: norm(conv(x, activation="relu"), "relu"), {"CONV_2D": 1, "DEPTHWISE_CONV_2D": 1}),
    "padding between": (
        lambda x: norm(layers.ZeroPadding2D()(conv(x))),
        {"CONV_2D": 1, "PAD": 1, "DEPTHWISE_CONV_2D": 1},
    ),
    "dropout between": (lambda x: layers.ReLU()(layers.Dropout(0.5)(norm(conv(x)))), {"CONV_2D": 1}),
    "hard swish of operations": (lambda x: hard_swish_of_operations(norm(conv(x))), {"CONV_2D": 1, "HARD_SWISH": 1}),
    "hard swish of functions": (lambda x: hard_swish_of_functions(norm(conv(x))), {"CONV_2D": 1, "HARD_SWISH": 1}),
    "hard swish of layers": (lambda x: hard_swish_of_layers(norm(conv(x))), {"CONV_2D": 1, "HARD_SWISH": 1}),
    "squeeze and excite": (
        lambda x: squeeze_and_excite(norm(conv(x), "relu")),
        {"CONV_2D": 3, "MEAN": 1, "LOGISTIC": 1, "MUL": 1},
    ),
    "concatenation": (inception, {"CONV_2D": 4, "MAX_POOL_2D": 1, "CONCATENATION": 1}),
    "residual": (residual, {"CONV_2D": 2, "ADD": 1}),
    "leaky": (lambda x: layers.LeakyReLU(0.1)(norm(conv(x))), {"CONV_2D": 1, "LEAKY_RELU": 1}),
    "pooling": (
        lambda x: layers.UpSampling2D()(layers.AveragePooling2D()(conv(x))),
        {"CONV_2D": 1, "AVERAGE_POOL_2D": 1, "RESIZE_NEAREST_NEIGHBOR": 1},
    ),
}


GROUPS = {
    "activations": ("relu", "relu6", "no norm", "sigmoid", "tanh", "swish", "swish inside", "gelu", "leaky"),
    "kernels": ("depthwise", "separable", "transposed"),
    "norms": ("pre-activation", "padding between", "dropout between"),
    "hard swishes": ("hard swish of operations", "hard swish of functions", "hard swish of layers"),
    "merges": ("squeeze and excite", "concatenation", "residual", "pooling"),
}
"""Converting takes seconds: what is alike is an output of one network."""


SLOW = ("activations",)


@pytest.mark.parametrize(
    "names", [pytest.param(GROUPS[name], id=name, marks=[pytest.mark.slow] * (name in SLOW)) for name in GROUPS]
)
def test_a_file_computes_in_integers_what_the_network_trained_with(names, workshop):
    finished = workshop.quantize(workshop.network(lambda x: [head(NETS[name][0](x)) for name in names])).finish()
    file = workshop.write(finished)
    assert file.floats == []
    assert file.operations == sum((Counter(NETS[name][1]) + Counter(HEAD) for name in names), Counter())
    found, expected = file.predict(workshop.samples(finished)), workshop.answers(finished)
    differences = [workshop.difference({0: found[output]}, {0: expected[output]}) for output in finished.output_names]
    assert max(differences) < CLOSE, dict(zip(names, differences, strict=True))


def test_every_network_is_in_a_group():
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(NETS)


@pytest.mark.parametrize("activation", [None, "relu"], ids=["linear", "relu"])
def test_a_norm_after_a_dense_layer_is_folded(activation, workshop):
    model = workshop.network(lambda x: norm(layers.Dense(5)(layers.Flatten()(x)), activation))
    finished = workshop.quantize(model).finish()
    file = workshop.write(finished)
    assert (file.operations, file.floats) == ({"RESHAPE": 1, "FULLY_CONNECTED": 1}, [])
    assert workshop.difference(file.predict(workshop.samples(finished)), workshop.answers(finished)) < CLOSE


def test_sequences_are_convolved_in_integers(workshop):
    def compute(x):
        x = norm(layers.Conv1D(8, 3, padding="causal")(x), "relu")
        return layers.Dense(4, name="answer")(layers.GlobalAveragePooling1D()(x))

    finished = workshop.quantize(workshop.network(compute, shape=(16, 4))).finish()
    file = workshop.write(finished)
    assert file.floats == []
    assert file.operations == {"PAD": 1, "EXPAND_DIMS": 1, "CONV_2D": 1, "RESHAPE": 1, **HEAD}
    assert workshop.difference(file.predict(workshop.samples(finished)), workshop.answers(finished)) < CLOSE


def test_preprocessing_is_left_as_it_is(workshop):
    model = workshop.network(lambda x: head(conv(layers.Rescaling(0.5, 0.1, name="scale")(x))))
    quantized = workshop.quantize(model)
    assert type(quantized.model.get_layer("scale")) is layers.Rescaling
    assert ("scale", "calibrated") in [(layer.layer, layer.status) for layer in quantized.layers]
    assert workshop.write(quantized.finish()).floats == []


def test_kernels_that_depend_on_each_other_are_not_folded(workshop):
    """Both norms take what one convolution gives: neither can go into it."""

    def compute(x):
        x = layers.Conv2D(8, 3, name="shared")(x)
        return head(layers.Add()([norm(x), layers.BatchNormalization(name="second")(x)]))

    quantized = workshop.quantize(workshop.network(compute))
    assert ("second", "quantized", "follows shared: not folded, output rounded") in [
        (layer.layer, layer.status, layer.reason) for layer in quantized.layers
    ]
    file = workshop.write(quantized.finish())
    assert (file.operations["DEPTHWISE_CONV_2D"], file.operations["MUL"], file.floats) == (2, 0, [])


def test_what_is_only_concatenated_takes_the_range_of_the_whole(workshop):
    def compute(x):
        moved = layers.ZeroPadding2D()(layers.Conv2D(4, 3, activation="relu")(x))
        return head(layers.Concatenate()([moved, layers.Conv2D(4, 1)(x)]))

    file = workshop.write(workshop.quantize(workshop.network(compute)).finish())
    assert (file.operations["CONCATENATION"], file.changes_of_range) == (1, 0)


def test_a_convolution_and_a_norm_that_are_called_together_twice_are_folded(workshop):
    first, second = tf.keras.Input((8, 8, 3), name="first"), tf.keras.Input((8, 8, 3), name="second")
    tower = tf.keras.Sequential([layers.Conv2D(8, 3), layers.BatchNormalization(), layers.ReLU()], name="tower")
    difference = layers.Subtract()([tower(first), tower(second)])
    model = workshop.settle(tf.keras.Model([first, second], head(difference)))
    finished = workshop.quantize(model).finish()
    file = workshop.write(finished)
    assert file.operations == {"CONV_2D": 2, "SUB": 1, **HEAD}
    assert workshop.difference(file.predict(workshop.samples(finished)), workshop.answers(finished)) < CLOSE


def test_an_activation_of_real_numbers_is_told(workshop):
    quantized = workshop.quantize(workshop.network(lambda x: head(layers.Conv2D(4, 3, activation="elu", name="c")(x))))
    assert ("c", "float") in [(layer.layer, layer.status) for layer in quantized.layers]
    assert "ELU" in workshop.write(quantized.finish()).operations


def test_layers_that_take_a_mask_are_left_to_calibration(workshop):
    inputs = tf.keras.Input((6,), name="input", dtype=tf.int32)
    x = layers.Dense(4, name="masked")(layers.Embedding(9, 4, mask_zero=True)(inputs))
    model = tf.keras.Model(inputs, layers.Dense(2, name="answer")(layers.Flatten()(layers.LSTM(3)(x))))
    quantized = QuantizationAware(flatten(model), (), {"input": np.ones((4, 6), np.int32)})
    status = {layer.layer: layer.status for layer in quantized.layers}
    assert (status["masked"], status["answer"]) == ("calibrated", "quantized")
