"""Layer by layer: names, shapes, parameters and bytes."""

import pytest

from trainkit.framework import tf
from trainkit.models.costs import Amount, layer_costs, total

K = tf.keras.layers


def test_layer_costs_of_a_convolution_and_a_dense_layer():
    inputs = tf.keras.Input((6, 6, 1), name="input")
    x = K.Flatten(name="flatten1")(K.Conv2D(2, 3, name="conv2d1")(inputs))
    costs = layer_costs(tf.keras.Model(inputs, K.Dense(5, name="answer")(x)))
    assert [(cost.name, cost.class_name, cost.output_shape, cost.parameters) for cost in costs] == [
        ("input", "InputLayer", (6, 6, 1), 0),
        ("conv2d1", "Conv2D", (4, 4, 2), 3 * 3 * 1 * 2 + 2),
        ("flatten1", "Flatten", (32,), 0),
        ("answer", "Dense", (5,), 32 * 5 + 5),
    ]
    assert [cost.macs for cost in costs] == [Amount(count) for count in (0, 16 * 9 * 2, 0, 32 * 5)]
    assert [cost.activations for cost in costs] == [Amount(4 * count) for count in (36, 32, 32, 5)]
    assert costs[1].weight_bytes == 4 * 20


def test_layer_costs_tell_trained_weights_from_the_others():
    inputs = tf.keras.Input((4,))
    frozen = K.Dense(3, trainable=False)
    costs = layer_costs(tf.keras.Model(inputs, K.BatchNormalization()(frozen(inputs))))
    assert [(cost.parameters, cost.trainable) for cost in costs] == [(0, 0), (4 * 3 + 3, 0), (4 * 3, 2 * 3)]


def test_layer_costs_count_the_weights_of_a_shared_layer_once_and_its_work_twice():
    left, right = tf.keras.Input((4,), name="left"), tf.keras.Input((4,), name="right")
    shared = K.Dense(3, name="shared")
    costs = layer_costs(tf.keras.Model([left, right], K.Add(name="sum")([shared(left), shared(right)])))
    assert [(cost.name, cost.call, cost.parameters) for cost in costs] == [
        ("left", 1, 0),
        ("right", 1, 0),
        ("shared", 1, 15),
        ("shared", 2, 0),
        ("sum", 1, 0),
    ]
    assert [cost.macs for cost in costs[2:4]] == [Amount(12), Amount(12)]


def test_layer_costs_stand_branch_after_branch():
    inputs = tf.keras.Input((4,), name="input")
    long, short = inputs, K.Dense(3, name="short")(inputs)
    for number in range(3):
        long = K.Dense(3, name=f"long{number}")(long)
    model = tf.keras.Model(inputs, K.Add(name="sum")([long, short]))
    assert [cost.name for cost in layer_costs(model)] == ["input", "long0", "long1", "long2", "short", "sum"]


@pytest.mark.parametrize(
    ("dtype", "expected"), [("float16", Amount(2 * 4 * 5)), ("int64", Amount(8 * 4 * 5)), ("string", Amount())]
)
def test_layer_costs_count_bytes_by_type(dtype, expected):
    inputs = tf.keras.Input((4, 5), dtype=dtype)
    assert layer_costs(tf.keras.Model(inputs, K.Permute((2, 1), dtype=dtype)(inputs)))[0].activations == expected


def test_layer_costs_where_a_length_is_open_are_for_a_step():
    inputs = tf.keras.Input((None,), dtype="int32")
    costs = layer_costs(tf.keras.Model(inputs, K.Embedding(9, 6)(inputs)))
    assert [cost.activations for cost in costs] == [Amount(per_step=4), Amount(per_step=4 * 6)]
    assert costs[1].output_shape == (None, 6)


def test_layer_costs_of_a_model_in_a_model_are_those_of_its_layers():
    inner = tf.keras.Sequential([tf.keras.Input((4,)), K.Dense(3), K.Dense(2)], name="inner")
    inputs = tf.keras.Input((4,))
    cost = layer_costs(tf.keras.Model(inputs, inner(inputs)))[-1]
    assert (cost.parameters, cost.macs) == (15 + 8, Amount(12 + 6))


@pytest.mark.slow
def test_layer_costs_of_a_deep_network():
    """11.3 billion: He et al., CVPR 2016, table 1."""
    model = tf.keras.applications.ResNet152(weights=None, include_top=False, input_shape=(224, 224, 3))
    costs = layer_costs(model)
    assert sum(cost.parameters for cost in costs) == 60_419_944 - 2048 * 1000 - 1000
    assert total(cost.macs for cost in costs).fixed == pytest.approx(11.3e9, rel=0.01)
