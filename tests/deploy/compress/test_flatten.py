from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.flatten import flatten
from trainkit.framework import tf

layers = tf.keras.layers


def block(name, width=3):
    return tf.keras.Sequential([layers.Dense(width), layers.BatchNormalization(), layers.ReLU()], name=name)


def functional(name):
    inputs = tf.keras.Input((3,))
    x = tf.nn.relu(layers.Dense(4)(inputs)) * 2.0
    return tf.keras.Model(inputs, [block("head")(x), inputs + 1.0], name=name)


def nested():
    """A sequential model in a functional one that is called twice, and whose outputs are outputs."""
    first, second = tf.keras.Input((4,), name="first"), tf.keras.Input((3,), name="second")
    inner, join = functional("inner"), layers.Add(name="join")
    left, right = inner(join([block("stem")(first), second]))
    once_more, _ = inner(right)
    return tf.keras.Model([first, second], {"sum": join([left, once_more]), "right": right}, name="outer")


def learned(model):
    """The model with other weights and statistics than those that it began with."""
    random = np.random.default_rng(1)
    model.set_weights([random.uniform(0.3, 1.5, weight.shape) for weight in model.get_weights()])
    return model


def answers(model):
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(5, *tensor.shape[1:])).astype(np.float32) for tensor in model.inputs]
    return tf.nest.flatten(model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0))


@pytest.mark.parametrize(
    "build",
    [
        pytest.param(nested, id="nested twice"),
        pytest.param(lambda: tf.keras.Sequential([tf.keras.Input((4,)), block("a"), block("b")]), id="sequential"),
        pytest.param(lambda: tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(2)], name="flat"), id="flat"),
    ],
)
def test_a_flat_network_answers_like_its_source_under_the_same_names(build):
    model = learned(build())
    flat = flatten(model)
    assert not any(isinstance(layer, tf.keras.Model) for layer in flat.layers)
    assert type(flat) is not tf.keras.Sequential
    assert (flat.name, flat.input_names, flat.output_names) == (model.name, model.input_names, model.output_names)
    for found, expected in zip(answers(flat), answers(model), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_layers_are_named_after_the_way_to_them():
    names = [layer.name for layer in flatten(nested()).layers]
    assert {"join", "stem.re_lu", "inner.head.re_lu"} <= {name.rstrip("_0123456789") for name in names}
    assert len(set(names)) == len(names)


def test_a_flat_network_shares_nothing_with_its_source():
    model = learned(nested())
    before = answers(model)
    flat = flatten(model)
    flat.set_weights([weight + 1 for weight in flat.get_weights()])
    np.testing.assert_array_equal(answers(model), before)


def test_a_network_that_is_flat_keeps_all_names():
    inputs = tf.keras.Input((4,), name="in")
    model = tf.keras.Model(inputs, layers.Dense(2, name="out")(layers.Dense(3, name="hidden")(inputs)))
    assert [layer.name for layer in flatten(model).layers] == ["in", "hidden", "out"]


def test_half_precision_becomes_float32():
    policy = tf.keras.mixed_precision.Policy("mixed_bfloat16")
    inputs = tf.keras.Input((4,))
    x = layers.Bidirectional(layers.LSTM(2, dtype=policy), dtype=policy)(layers.Reshape((2, 2), dtype=policy)(inputs))
    flat = flatten(tf.keras.Model(inputs, layers.Dense(2, dtype=policy)(x)))
    assert {layer.dtype_policy.name for layer in flat._flatten_layers(include_self=False)} == {"float32"}
    assert flat.outputs[0].dtype == tf.float32


def test_what_was_learned_from_data_is_copied():
    normalize, lookup = layers.Normalization(name="scale"), layers.StringLookup(name="color")
    normalize.adapt(np.array([[10.0], [20.0]], np.float32))
    lookup.adapt(np.array(["red", "green", "green"]))
    number, text = tf.keras.Input((1,), name="number"), tf.keras.Input((1,), name="text", dtype=tf.string)
    inner = tf.keras.Model([number, text], [normalize(number), lookup(text)], name="inner")
    flat = flatten(tf.keras.Model([number, text], inner([number, text])))
    scaled, ids = flat.predict([np.array([[20.0]]), np.array([["green"]])], verbose=0)
    assert (scaled.item(), ids.item()) == (1.0, 1)


def test_what_is_called_for_inference_stays_so_when_it_was_in_a_model():
    inputs = tf.keras.Input((4,))
    flat = flatten(tf.keras.Model(inputs, block("frozen")(inputs, training=False)))
    batch = np.random.default_rng(0).normal(5, 1, (8, 4)).astype(np.float32)
    np.testing.assert_array_equal(flat(batch, training=True), flat(batch, training=False))
