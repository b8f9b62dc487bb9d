"""A chain of layers -> tf.keras.Model."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import Model, NodeError
from trainkit.framework import tf
from trainkit.models import build_model


def model_of(layers, *, input_shape=(28, 28, 1), preprocess=(), scope=None):
    written = {"input": list(input_shape), "preprocess": list(preprocess), "layers": list(layers)}
    return build_model(Model.model_validate(written), scope or {"classes": 10}, name="net")


LENET5 = [
    {"Conv2D": {"filters": 20, "kernel_size": 5, "activation": "relu"}},
    "MaxPooling2D",
    {"Conv2D": {"filters": 50, "kernel_size": 5, "activation": "relu"}},
    "MaxPooling2D",
    "Flatten",
    {"Dense": {"units": 500, "activation": "relu"}},
    {"Dense": {"units": "$classes", "activation": "softmax"}, "name": "digit"},
]


def test_build_model_has_the_parameters_of_the_paper():
    assert model_of(LENET5).count_params() == 431_080


def test_build_model_names_layers_inputs_and_outputs():
    model = model_of(LENET5, preprocess=[{"Rescaling": {"scale": 0.5}}])
    names = [
        "input",
        "rescaling1",
        "conv2d1",
        "maxpooling2d1",
        "conv2d2",
        "maxpooling2d2",
        "flatten1",
        "dense1",
        "digit",
    ]
    assert [layer.name for layer in model.layers] == names
    assert (model.input_names, model.output_names) == (["input"], ["digit"])


def test_build_model_answers_as_the_same_chain_written_in_keras():
    model = model_of(LENET5, preprocess=[{"Rescaling": {"scale": "$(1/255)"}}])
    keras = tf.keras
    twin = keras.Sequential(
        [
            keras.layers.Rescaling(1 / 255, input_shape=(28, 28, 1)),
            keras.layers.Conv2D(20, 5, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Conv2D(50, 5, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dense(500, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    twin.set_weights(model.get_weights())
    images = np.random.default_rng(3).uniform(0, 255, (4, 28, 28, 1)).astype("float32")
    np.testing.assert_array_equal(model(images).numpy(), twin(images).numpy())


def test_build_model_says_which_two_layers_do_not_fit():
    written = Model.model_validate(
        {"input": [28, 28, 1], "layers": ["Flatten", {"Conv1D": {"filters": 2, "kernel_size": 3}}]}
    )
    told = r"Conv1D 'conv1d1' does not fit .*: Flatten 'flatten1', line 7 gives the shape \(784,\).*expected min_ndim=3"
    with pytest.raises(NodeError, match=told) as caught:
        build_model(written, {}, name="net", line_of=lambda node: 7)
    assert caught.value.node is written.layers[1]


@pytest.mark.parametrize(
    "layers",
    [
        [{"Conv2D": {"filters": 2, "kernel_size": 50}}],
        [{"MaxPooling2D": {"pool_size": 40}}],
        [{"Reshape": {"target_shape": [3, 5]}}],
        ["Add"],
        [{"LSTM": {"units": 3}}],
    ],
    ids=["kernel", "pool", "reshape", "merge", "rank"],
)
def test_build_model_places_every_shape_error_of_keras(layers):
    with pytest.raises(NodeError, match=r"the input gives the shape \(28, 28, 1\)\. TensorFlow says: \w"):
        model_of(layers)


def test_build_model_refuses_a_layer_with_several_outputs():
    with pytest.raises(NodeError, match="gives more than one value"):
        model_of([{"LSTM": {"units": 3, "return_state": True}}], input_shape=(5, 2))
