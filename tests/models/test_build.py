"""The network of a config -> tf.keras.Model."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import Model, NodeError, SettingError
from trainkit.framework import tf
from trainkit.models import build_model


def model_of(layers, *, input_shape=(28, 28, 1), scope=None, line_of=lambda node: None, **settings):
    shapes = {} if "inputs" in settings else {"input": list(input_shape)}
    written = {"layers": list(layers), **shapes, **settings}
    return build_model(Model.model_validate(written), scope or {"classes": 10}, name="net", line_of=line_of)


def shaped(**shapes):
    """The setting `inputs`."""
    return {name: {"shape": list(shape)} for name, shape in shapes.items()}


def random(*shape):
    return np.random.default_rng(3).normal(size=shape).astype("float32")


def assert_same_answers(model, twin, *inputs):
    """Two networks with the weights of the first answer alike."""
    twin.set_weights(model.get_weights())
    given = list(inputs) if len(inputs) > 1 else inputs[0]
    pairs = list(zip(tf.nest.flatten(model(given)), tf.nest.flatten(twin(given)), strict=True))
    assert pairs
    for left, right in pairs:
        np.testing.assert_array_equal(left, right)


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


def test_build_model_adds_up_branches_of_which_an_empty_one_changes_nothing():
    dense = {"Dense": {"units": 4, "activation": "relu"}}
    model = model_of([dense, {"Add": None, "branches": [[dense, {"Dense": {"units": 4}}], []]}], input_shape=[3])
    keras = tf.keras.layers
    inputs = tf.keras.Input((3,))
    x = keras.Dense(4, activation="relu")(inputs)
    outputs = keras.Add()([keras.Dense(4)(keras.Dense(4, activation="relu")(x)), x])
    assert_same_answers(model, tf.keras.Model(inputs, outputs), random(5, 3))


def test_build_model_feeds_branches_in_their_order():
    """Also those of a branch in a branch: `Subtract` tells its first input from its second."""
    inner = {"Subtract": None, "branches": [[], [{"Rescaling": {"scale": 3}}]]}
    model = model_of(
        [{"Rescaling": {"scale": 2}}, {"Subtract": None, "branches": [[{"Rescaling": {"scale": 5}}], [inner]]}],
        input_shape=[1],
    )
    assert model(np.ones((1, 1))).numpy().item() == 5 * 2 - (2 - 3 * 2)


def test_build_model_goes_on_after_branches_with_what_they_were_merged_to():
    merged = {"Concatenate": None, "branches": [[{"Dense": {"units": 2}}], [{"Dense": {"units": 5}}], []]}
    model = model_of([merged, {"Dense": {"units": 3}}], input_shape=[4])
    assert model.get_layer("dense3").kernel.shape == (2 + 5 + 4, 3)


def test_build_model_names_layers_of_branches_in_the_order_in_which_they_are_built():
    inner = {"Add": None, "branches": [["ReLU"], ["ReLU", "Softmax"]]}
    model = model_of(["ReLU", {"Add": None, "branches": [[inner], ["ReLU"]]}, "ReLU"], input_shape=[3])
    names = {layer.name for layer in model.layers}
    assert names == {"input", "relu1", "relu2", "relu3", "softmax1", "add1", "relu4", "add2", "relu5"}
    assert [tensor.node.layer.name for tensor in model.get_layer("add1").input] == ["relu2", "softmax1"]
    assert [tensor.node.layer.name for tensor in model.get_layer("add2").input] == ["add1", "relu4"]
    assert model.output_names == ["relu5"]


@pytest.mark.parametrize("inputs", ["trunk", ["trunk", "x"]], ids=["name", "list"])
def test_build_model_calls_a_layer_with_what_its_inputs_name(inputs):
    several = isinstance(inputs, list)
    model = model_of(
        [
            {"Dense": {"units": 4}, "name": "trunk"},
            {"Dense": {"units": 4, "activation": "tanh"}},
            {"Subtract" if several else "Softmax": None, "inputs": inputs, "name": "end"},
            *([] if several else [{"Add": None, "inputs": ["end", "dense1"]}]),
        ],
        input_shape=[3],
    )
    keras = tf.keras.layers
    given = tf.keras.Input((3,))
    trunk = keras.Dense(4)(given)
    x = keras.Dense(4, activation="tanh")(trunk)
    outputs = keras.Subtract()([trunk, x]) if several else keras.Add()([keras.Softmax()(trunk), x])
    assert_same_answers(model, tf.keras.Model(given, outputs), random(5, 3))


@pytest.mark.parametrize("value", ["x", "input"], ids=["before", "input"])
def test_build_model_calls_a_layer_with_arguments_by_name(value):
    model = model_of(
        [
            {"Dense": {"units": 6, "activation": "relu"}},
            {"MultiHeadAttention": {"num_heads": 2, "key_dim": 3}, "inputs": {"query": "x", "value": value}},
            {"LayerNormalization": None},
        ],
        input_shape=[7, 4],
    )
    keras = tf.keras.layers
    inputs = tf.keras.Input((7, 4))
    x = keras.Dense(6, activation="relu")(inputs)
    x = keras.MultiHeadAttention(2, 3)(query=x, value={"x": x, "input": inputs}[value])
    assert_same_answers(model, tf.keras.Model(inputs, keras.LayerNormalization()(x)), random(2, 7, 4))


def test_build_model_knows_that_an_argument_by_name_is_used():
    model = model_of(
        [{"MultiHeadAttention": {"num_heads": 2, "key_dim": 3}, "inputs": {"query": "left", "value": "right"}}],
        inputs=shaped(left=[7, 4], right=[5, 6]),
    )
    keras = tf.keras.layers
    left, right = tf.keras.Input((7, 4)), tf.keras.Input((5, 6))
    twin = tf.keras.Model([left, right], keras.MultiHeadAttention(2, 3)(query=left, value=right))
    assert_same_answers(model, twin, random(2, 7, 4), random(2, 5, 6))


SEVERAL = {
    "inputs": shaped(left=[3], right=[2]),
    "preprocess": {"right": [{"Rescaling": {"scale": 2.0}}], "left": [{"Rescaling": {"offset": 1.0, "scale": 1.0}}]},
    "outputs": ["second", "first"],
}


def test_build_model_takes_several_inputs_and_gives_several_outputs():
    model = model_of(
        [
            {"Concatenate": None, "inputs": ["left", "right"]},
            {"Dense": {"units": 4, "activation": "relu"}, "name": "trunk"},
            {"Dense": {"units": 3, "activation": "softmax"}, "name": "first"},
            {"Dense": {"units": 1}, "name": "second", "inputs": "trunk"},
        ],
        **SEVERAL,
    )
    assert (model.input_names, model.output_names) == (["left", "right"], ["second", "first"])
    keras = tf.keras.layers
    left, right = tf.keras.Input((3,)), tf.keras.Input((2,))
    x = keras.Concatenate()([keras.Rescaling(1.0, 1.0)(left), keras.Rescaling(2.0)(right)])
    x = keras.Dense(4, activation="relu")(x)
    first, second = keras.Dense(3, activation="softmax")(x), keras.Dense(1)(x)
    twin = tf.keras.Model([left, right], [second, first])
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    twin.set_weights([*weights["trunk"], *weights["second"], *weights["first"]])  # in the order of its outputs
    inputs = [random(5, 3), random(5, 2)]
    for found, expected in zip(model(inputs), twin(inputs), strict=True):
        np.testing.assert_array_equal(found, expected)
    by_name = model({"right": inputs[1], "left": inputs[0]})
    np.testing.assert_array_equal(by_name[1], twin(inputs)[1])


@pytest.mark.parametrize("dtype", ["int32", "string"])
def test_build_model_gives_inputs_their_type(dtype):
    layer = (
        {"StringLookup": {"vocabulary": ["a", "b"]}}
        if dtype == "string"
        else {"Embedding": {"input_dim": 3, "output_dim": 2}}
    )
    model = model_of([layer], inputs={"words": {"shape": [4], "dtype": dtype}})
    assert model.inputs[0].dtype == dtype


def test_build_model_refuses_a_layer_that_no_output_needs():
    settings = Model.model_validate(
        {
            "input": [3],
            "layers": [
                {"Dense": {"units": 4}, "name": "trunk"},
                {"Dense": {"units": 2}, "name": "forgotten"},
                {"Dense": {"units": 1}, "name": "answer", "inputs": "trunk"},
            ],
        }
    )
    told = r"no output depends on Dense 'forgotten'\. Use it in the `inputs` of a layer, name it in `model\.outputs`"
    with pytest.raises(NodeError, match=told) as caught:
        build_model(settings, {}, name="net")
    assert caught.value.node is settings.layers[1]


def test_build_model_refuses_layers_below_the_only_output():
    with pytest.raises(NodeError, match="no output depends on ReLU 'relu1'"):
        model_of([{"Dense": {"units": 4}, "name": "trunk"}, "ReLU"], input_shape=[3], outputs=["trunk"])


def test_build_model_refuses_an_input_that_no_output_needs():
    with pytest.raises(SettingError, match=r"no output depends on it\. Use it, or remove it\.") as caught:
        model_of([{"Dense": {"units": 1}, "inputs": "left"}], inputs=shaped(left=[3], right=[2]))
    assert caught.value.path == ("model", "inputs", "right")


@pytest.mark.parametrize("tokens", [None, "$tokens", "$(tokens + 2)"], ids=["default", "name", "expression"])
def test_build_model_knows_the_size_of_the_vocabulary_before_a_layer(tokens):
    arguments = {} if tokens is None else {"num_tokens": tokens}
    model = model_of(
        [
            {"StringLookup": {"vocabulary": ["a", "b", "c"]}},
            {"CategoryEncoding": {"output_mode": "one_hot", **arguments}},
        ],
        inputs={"word": {"shape": [1], "dtype": "string"}},
    )
    more = 2 if tokens == "$(tokens + 2)" else 0
    np.testing.assert_array_equal(model(tf.constant([["b"], ["?"]])), np.eye(4 + more)[[2, 0]])


def test_build_model_says_that_there_is_no_vocabulary_before_a_layer():
    with pytest.raises(NodeError, match="tokens") as caught:
        model_of([{"Dense": {"units": 2}}, "CategoryEncoding"], input_shape=[3])
    assert caught.value.argument == "num_tokens"


def test_build_model_lets_layers_learn_before_they_are_used():
    """From what stands before them, not from the input; layers without statistics are not asked."""
    called = []

    def adapt(layer, tensor):
        called.append((layer.name, tensor.node.layer.name, layer.built))
        layer.adapt(np.array([[4.0, 0.0], [6.0, 0.0]], "float32"))

    written = {"input": [2], "preprocess": ["ReLU", "Normalization"], "layers": [{"Rescaling": {"scale": 2.0}}]}
    model = build_model(Model.model_validate(written), {}, name="net", adapt=adapt)
    assert called == [("normalization1", "relu1", False)]
    np.testing.assert_allclose(model(np.array([[7.0, 0.0]])), [[2 * (7 - 5) / 1, 0]])


def test_build_model_places_what_keeps_a_layer_from_learning():
    def adapt(layer, tensor):
        raise ValueError("no sample has a value")

    settings = Model.model_validate({"input": [2], "layers": ["Normalization"]})
    told = r"Normalization 'normalization1' cannot learn from the training samples: no sample has a value\."
    with pytest.raises(NodeError, match=told) as caught:
        build_model(settings, {}, name="net", adapt=adapt)
    assert caught.value.node is settings.layers[0]


def test_build_model_tells_the_shapes_of_all_that_goes_into_a_layer():
    lines = {"Dense": 7, "Add": 9}
    told = (
        r"Add 'add1' does not fit what stands before it: the input 'left' gives the shape \(3,\); "
        r"Dense 'wide', line 7 gives the shape \(5,\)\. TensorFlow says: \w"
    )
    with pytest.raises(NodeError, match=told):
        model_of(
            [{"Dense": {"units": 5}, "name": "wide", "inputs": "right"}, {"Add": None, "inputs": ["left", "wide"]}],
            inputs=shaped(left=[3], right=[2]),
            line_of=lambda node: lines[node.class_name],
        )


def test_build_model_tells_the_shapes_of_branches():
    branches = [[{"Dense": {"units": 4}, "name": "narrow"}], []]
    told = r"Dense 'narrow' gives the shape \(4,\); the input gives the shape \(3,\)"
    with pytest.raises(NodeError, match=told):
        model_of([{"Multiply": None, "branches": branches}], input_shape=[3])


def test_build_model_tells_the_shapes_of_arguments_by_name():
    told = r"the input gives the shape \(7, 4\); Flatten 'flatten1' gives the shape \(28,\)\. TensorFlow says: \w"
    with pytest.raises(NodeError, match=told):
        model_of(
            [
                "Flatten",
                {"MultiHeadAttention": {"num_heads": 2, "key_dim": 3}, "inputs": {"query": "input", "value": "x"}},
            ],
            input_shape=[7, 4],
        )


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


def test_build_model_calls_the_values_of_a_layer_by_number():
    model = model_of(
        [
            {"LSTM": {"units": 3, "return_state": True}, "name": "encoder"},
            {"Concatenate": None, "inputs": ["encoder.0", "encoder.2"]},
        ],
        input_shape=(5, 2),
    )
    lstm = model.get_layer("encoder")
    sequence = np.random.default_rng(0).normal(size=(2, 5, 2)).astype(np.float32)
    output, _, cell = lstm(sequence)
    np.testing.assert_allclose(model(sequence), np.concatenate([output, cell], axis=1), atol=1e-6)


def test_build_model_refuses_a_part_that_a_layer_does_not_have():
    layers = [{"LSTM": {"units": 3, "return_state": True}, "name": "encoder"}, {"ReLU": None, "inputs": "encoder.3"}]
    with pytest.raises(NodeError, match=r"unknown part 'encoder\.3' of 'encoder': its parts are 0, 1, 2"):
        model_of(layers, input_shape=(5, 2))
