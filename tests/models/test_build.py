"""The network of a config -> tf.keras.Model."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.config import Model, NodeError, SettingError
from trainkit.config.expand import expand
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


def dense(units=3, **further):
    return {"Dense": {"units": units, "activation": "tanh"}, **further}


ENCODER = {
    "Encoder": {"params": {"units": 4}, "layers": [dense("$units", name="one"), {"Dense": {"units": "$(2 * units)"}}]}
}


def test_build_model_calls_a_shared_layer_with_the_same_weights():
    shared = [dense(name="one"), {"share": "one", "name": "two"}, {"share": "two"}]
    model = model_of([*shared, {"Add": None, "inputs": ["one", "two", "x"]}], input_shape=[3])
    assert model.count_params() == 3 * 3 + 3
    layer = tf.keras.layers.Dense(3, activation="tanh")
    inputs = tf.keras.Input((3,))
    one = layer(inputs)
    two = layer(one)
    assert_same_answers(model, tf.keras.Model(inputs, one + two + layer(two)), random(5, 3))


def test_build_model_calls_a_shared_block_as_a_shared_model_in_keras():
    model = model_of(
        [
            {"Encoder": {"units": 5}, "name": "encoder", "inputs": "left"},
            {"share": "encoder", "name": "other", "inputs": "right"},
            {"Subtract": None, "inputs": ["encoder", "other"]},
            {"Concatenate": None, "inputs": ["x", "other.one"]},
        ],
        blocks=ENCODER,
        inputs=shaped(left=[3], right=[3]),
    )
    keras = tf.keras.layers
    one, two = keras.Dense(5, activation="tanh"), keras.Dense(10)
    left, right = tf.keras.Input((3,)), tf.keras.Input((3,))
    outputs = tf.concat([two(one(left)) - two(one(right)), one(right)], axis=1)
    assert_same_answers(model, tf.keras.Model([left, right], outputs), random(5, 3), random(5, 3))
    assert [layer.name for layer in model.layers if layer.weights] == ["encoder.one", "encoder.dense1"]


def test_build_model_gives_outputs_that_are_blocks_shared_calls_and_inner_layers():
    model = model_of(
        [{"Encoder": None, "name": "first"}, {"share": "first", "inputs": "input", "name": "again"}],
        blocks=ENCODER,
        input_shape=[3],
        outputs=["first", "again", "first.one", "first.dense1"],
    )
    assert model.output_names == ["first", "again", "first.one", "first.dense1"]
    first, again, inner, last = model(random(5, 3))
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first, last)
    assert (first.shape, inner.shape) == ((5, 8), (5, 4))


def test_build_model_gives_an_output_of_a_block_whose_layers_are_left_out():
    blocks = {"Maybe": {"params": {"on": False}, "layers": [{"ReLU": None, "when": "$on"}]}}
    lstm = {"LSTM": {"units": 2, "return_state": True}, "name": "lstm"}
    layers = [lstm, {"Maybe": None, "name": "same"}, {"Maybe": None, "name": "state", "inputs": "lstm.1"}]
    model = model_of(layers, blocks=blocks, input_shape=[4, 3], outputs=["same", "state", "lstm"])
    assert model.output_names == ["same", "state", "lstm"]
    same, state, output = model(random(5, 4, 3))
    np.testing.assert_array_equal(same, output)
    np.testing.assert_array_equal(state, output)  # of the last step


@pytest.mark.parametrize("shape", [[6, 3], [None, 3]], ids=["six-steps", "any-steps"])
def test_build_model_runs_a_block_at_every_step(shape):
    blocks = {"Step": {"layers": [dense(3), {"Add": None, "branches": [[dense(3)], []]}, "BatchNormalization"]}}
    model = model_of([{"TimeDistributed": {"layer": "Step"}, "name": "steps"}], blocks=blocks, input_shape=shape)
    keras = tf.keras.layers
    inputs = tf.keras.Input((3,))
    x = keras.Dense(3, activation="tanh")(inputs)
    x = keras.BatchNormalization()(keras.Add()([keras.Dense(3, activation="tanh")(x), x]))
    step = tf.keras.Model(inputs, x)
    weights = [np.abs(weights) + 0.1 for weights in step.get_weights()]
    step.set_weights(weights)
    model.set_weights(weights)
    sequence = random(2, 6, 3)
    expected = np.stack([step(sequence[:, number]) for number in range(6)], axis=1)
    np.testing.assert_allclose(model(sequence), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "make"),
    [
        ({"Bidirectional": {"layer": "Cell"}}, lambda keras: keras.Bidirectional(keras.LSTM(4, return_sequences=True))),
        ({"RNN": {"cell": {"GRUCell": {"units": 4}}}}, lambda keras: keras.RNN(keras.GRUCell(4))),
        (
            {"RNN": {"cell": {"StackedRNNCells": {"cells": [{"LSTMCell": {"units": 3}}, {"One": {"units": 4}}]}}}},
            lambda keras: keras.RNN(keras.StackedRNNCells([keras.LSTMCell(3), keras.GRUCell(4)])),
        ),
        (
            {"RNN": {"cell": [{"One": {"units": 3}}, "One"], "return_sequences": True}},
            lambda keras: keras.RNN([keras.GRUCell(3), keras.GRUCell(5)], return_sequences=True),
        ),
        (
            {"TimeDistributed": {"layer": {"Dense": {"units": 2}}}},
            lambda keras: keras.TimeDistributed(keras.Dense(2)),
        ),
    ],
    ids=["block-of-a-layer", "cell", "stacked", "list", "layer"],
)
def test_build_model_puts_layers_and_blocks_of_one_layer_into_others(layer, make):
    blocks = {
        "Cell": {"layers": [{"LSTM": {"units": 4, "return_sequences": True}}]},
        "One": {"params": {"units": 5}, "layers": [{"GRUCell": {"units": "$units"}}]},
    }
    model = model_of([layer], blocks=blocks, input_shape=[6, 3])
    inputs = tf.keras.Input((6, 3))
    assert_same_answers(model, tf.keras.Model(inputs, make(tf.keras.layers)(inputs)), random(2, 6, 3))


def test_build_model_lets_masks_through_blocks():
    blocks = {"Encode": {"layers": [{"Embedding": {"input_dim": 9, "output_dim": 4, "mask_zero": True}}, dense(4)]}}
    inputs = {"words": {"shape": [None], "dtype": "int32"}}
    model = model_of(["Encode", {"LSTM": {"units": 3}}], blocks=blocks, inputs=inputs)
    words = np.array([[3, 5, 0, 0]])
    np.testing.assert_allclose(model(words), model(words[:, :2]), rtol=1e-5)
    assert np.abs(model(np.array([[3, 5, 1, 1]])) - model(words)).max() > 1e-4


def test_build_model_builds_what_parameters_stand_for():
    params = {"units": "required", "scale": 0.5, "penalty": {"L2": {"l2": "$scale"}}, "start": "Zeros"}
    arguments = {"units": "$units", "kernel_regularizer": "$penalty", "kernel_initializer": "$start"}
    arguments |= {
        "bias_initializer": {"Constant": {"value": "$(units + 1)"}},
        "bias_constraint": {"MaxNorm": {"max_value": 2}},
    }
    model = model_of(
        [
            {"Unit": {"units": "$classes"}},
            {"Unit": {"units": 2, "scale": 0.25, "start": {"RandomNormal": {"stddev": 1e-3, "seed": 1}}}},
            {"Unit": {"units": 2, "penalty": None}},
        ],
        blocks={"Unit": {"params": params, "layers": [{"Dense": arguments}]}},
        input_shape=[3],
        scope={"classes": 7},
    )
    one, two, three = (model.get_layer(f"unit{number}.dense1") for number in (1, 2, 3))
    assert (one.units, float(one.kernel_regularizer.l2), float(two.kernel_regularizer.l2)) == (7, 0.5, 0.25)
    assert three.kernel_regularizer is None
    assert [layer.bias.numpy()[0] for layer in (one, two)] == [8, 3]
    assert not one.kernel.numpy().any()
    assert 0 < np.abs(two.kernel.numpy()).max() < 0.01
    assert two.bias_constraint.max_value == 2


def test_build_model_gives_layers_their_type_and_lets_them_stay_as_they_are():
    blocks = {"Still": {"params": {"learns": False}, "layers": [{"Dense": {"units": 3, "trainable": "$learns"}}]}}
    layers = ["Still", {"Still": {"learns": True}}, {"Dense": {"units": 2, "dtype": "float64"}}]
    model = model_of(layers, blocks=blocks, input_shape=[3])
    assert [weight.name.split("/")[0] for weight in model.trainable_weights[::2]] == ["still2.dense1", "dense1"]
    assert model.output.dtype == "float64"


def test_build_model_places_what_does_not_fit_in_a_block():
    settings = Model.model_validate(
        {
            "input": [8, 8, 1],
            "blocks": {"Unit": {"params": {"size": 3}, "layers": [{"Conv2D": {"filters": 2, "kernel_size": "$size"}}]}},
            "layers": [{"Unit": None, "name": "first"}, {"Unit": {"size": 9}, "name": "second"}],
        }
    )
    told = r"Conv2D 'second\.conv2d1' does not fit .*: Conv2D 'first\.conv2d1', line 3 gives the shape \(6, 6, 2\)"
    with pytest.raises(NodeError, match=told) as caught:
        build_model(settings, {}, name="net", line_of=lambda node: 3)
    assert caught.value.node.origin is settings.blocks["Unit"].layers[0]
    assert caught.value.node.users == (settings.layers[1],)


def test_build_model_refuses_a_copy_that_no_output_needs():
    with pytest.raises(NodeError, match=r"no output depends on Dense 'dense1'\. Use it in the `inputs` of a layer"):
        model_of([{**dense(), "repeat": 2, "inputs": "input"}], input_shape=[3])


@pytest.mark.slow
def test_build_model_builds_thousands_of_layers():
    model = model_of([{"ReLU": None, "repeat": 3000}], input_shape=[3])
    assert len(model.layers) == 3001
    assert model.output_names == ["relu3000"]


def test_build_model_refuses_a_layer_that_would_learn_from_the_data_inside_another():
    with pytest.raises(NodeError, match=r"Normalization learns from the data, which it cannot inside TimeDistributed"):
        model_of([{"TimeDistributed": {"layer": "Normalization"}}, "Flatten"], input_shape=(3, 4))


def test_build_model_heeds_the_settings_of_what_is_around_an_application():
    application = {"KerasApplication": {"application": "MobileNet", "alpha": 0.25, "include_top": False}}
    layers = [{"TimeDistributed": {"layer": application, "trainable": False}}]
    model = model_of(layers, input_shape=(2, 32, 32, 3))
    assert model.weights
    assert model.trainable_weights == []


def test_build_model_refuses_an_application_inside_another_layer():
    application = {"KerasApplication": {"application": "MobileNet"}}
    settings = Model.model_validate({"input": [4, 4], "layers": [{"Bidirectional": {"layer": application}}]})
    (fault,) = expand(settings)[1]
    assert "of those around it, only TimeDistributed can be" in fault.message


def test_whole_numbers_may_be_computed_with_fractions():
    model = model_of([{"Dense": {"units": "$(32 * 0.25)"}}], input_shape=(4,))
    assert model.output_shape == (None, 8)


def test_time_distributed_blocks_with_sums_heed_masks():
    block = {"layers": [{"Dense": {"units": 3}}, {"Add": None, "branches": [[{"Dense": {"units": 3}}], []]}]}
    model = model_of(
        ["Masking", {"TimeDistributed": {"layer": "Frame"}}, {"LSTM": {"units": 2}}],
        input_shape=(None, 3),
        blocks={"Frame": block},
    )
    sample = random(1, 4, 3)
    padded = np.concatenate([sample, np.zeros((1, 3, 3), "float32")], axis=1)
    np.testing.assert_allclose(model(sample), model(padded), atol=1e-6)


def test_build_model_refuses_a_shared_layer_on_other_channels():
    layers = [
        {"Conv2D": {"filters": 2, "kernel_size": 1}, "name": "conv", "inputs": "left"},
        {"share": "conv", "name": "again", "inputs": "right"},
        {"Add": None, "inputs": ["conv", "again"]},
    ]
    with pytest.raises(NodeError, match=r"Conv2D 'again' does not fit .* expected axis -1 .* value 1"):
        model_of(layers, inputs=shaped(left=(4, 4, 1), right=(4, 4, 8)))
