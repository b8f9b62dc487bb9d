"""Layers in place of a layer: at full rank they answer as it did."""

import numpy as np
import pytest

from trainkit.deploy.compress.factoring.choice import METHODS, Choice, factoring_of
from trainkit.deploy.compress.factoring.network import factored
from trainkit.framework import tf
from trainkit.models.costs import Amount

L = tf.keras.layers
OPTIONS = {
    "plain": {},
    "same": {"padding": "same"},
    "strides": {"strides": 2},
    "same strides": {"strides": 2, "padding": "same"},
    "wide strides": {"strides": 3, "padding": "same"},
    "dilation": {"dilation_rate": 2},
    "same dilation": {"dilation_rate": 2, "padding": "same"},
}
CONVOLUTIONS = {
    **{f"Conv2D {name}": (L.Conv2D(8, 3, **options), (11, 12, 5)) for name, options in OPTIONS.items()},
    **{f"Conv1D {name}": (L.Conv1D(8, 4, **options), (13, 5)) for name, options in OPTIONS.items()},
    "Conv2D uneven": (L.Conv2D(6, (2, 5), strides=2, padding="same"), (10, 13, 7)),
    "Conv2D row": (L.Conv2D(6, (1, 5), padding="same"), (9, 9, 4)),
    "Conv2D column": (L.Conv2D(6, (5, 1), strides=2), (9, 9, 4)),
    "Conv2D of one channel": (L.Conv2D(6, 5), (9, 9, 1)),
    "Conv2D uneven dilation": (L.Conv2D(6, 3, dilation_rate=(1, 3)), (12, 12, 4)),
    "Conv1D causal": (L.Conv1D(8, 4, padding="causal"), (13, 5)),
    "Conv1D causal strides": (L.Conv1D(8, 4, padding="causal", strides=2), (13, 5)),
    "Conv1D causal dilation": (L.Conv1D(8, 4, padding="causal", dilation_rate=2), (13, 5)),
}


def network_of(layer, shape):
    inputs = L.Input(shape, name="input")
    layer = type(layer).from_config(
        layer.get_config()
        | {"name": "layer", "activation": "tanh", "bias_initializer": "normal", "kernel_regularizer": "l2"}
    )
    return tf.keras.Model(inputs, layer(inputs))


def full_rank(factoring):
    *places, inputs, outputs = factoring.kernel.shape
    if factoring.method == "cp":
        return (int(np.prod(places)) * min(inputs, outputs),)
    return factoring.rank_of(10**6)


def answers(model, shape, count=3):
    samples = np.random.default_rng(1).normal(size=(count, *shape)).astype(np.float32)
    return model(samples).numpy()


def factor(model, method, rank=None):
    factoring = factoring_of(model.get_layer("layer"), method)
    rank = full_rank(factoring) if rank is None else factoring.rank_of(rank)
    return factored(model, {"layer": Choice(factoring, rank, (Amount(), Amount()))})


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolution_answers_as_before_at_full_rank(name, method):
    layer, shape = CONVOLUTIONS[name]
    model = network_of(layer, shape)
    network = factor(model, method)
    assert len(network.layers) > 2 or method == "tucker"  # whose core is then the kernel
    assert network.output_names == ["layer"]
    np.testing.assert_allclose(answers(network, shape), answers(model, shape), atol=1e-4)


@pytest.mark.parametrize(
    "layer, shape",
    [
        (L.Dense(7), (9,)),
        (L.Dense(12, use_bias=False), (5, 9)),
        (L.Conv2D(7, 1, strides=2), (6, 6, 9)),
        (L.Conv3D(4, 2, strides=2, padding="same"), (5, 5, 5, 3)),
    ],
    ids=["Dense", "Dense over steps", "Conv2D 1 × 1", "Conv3D"],
)
@pytest.mark.parametrize("method", ["svd", "auto"])
def test_other_layers_answer_as_before_at_full_rank(layer, shape, method):
    model = network_of(layer, shape)
    np.testing.assert_allclose(answers(factor(model, method), shape), answers(model, shape), atol=1e-4)


@pytest.mark.parametrize(
    "method, names",
    [
        ("svd", ["layer.left", "layer.right"]),
        ("tucker", ["layer.first", "layer.core", "layer.last"]),
        ("cp", ["layer.first", "layer.vertical", "layer.horizontal", "layer.last"]),
    ],
)
def test_parts_have_names_and_only_the_last_has_a_bias_and_an_activation(method, names):
    model = network_of(*CONVOLUTIONS["Conv2D plain"])
    *parts, output = factor(model, method, rank=3).layers[1:]
    assert [part.name for part in parts] == names
    assert output.name == "layer"
    assert [part.use_bias for part in parts] == [False] * (len(names) - 1) + [True]
    assert [part.activation.__name__ for part in parts] == ["linear"] * (len(names) - 1) + ["tanh"]
    assert len(factor(model, method, rank=3).losses) == len(names)  # the kernels are still punished
    assert [weight.name.split("/")[0] for weight in parts[0].weights] == [names[0]]


def test_tucker_leaves_out_what_keeps_all_channels():
    names = [layer.name for layer in factor(network_of(L.Conv2D(9, 3), (8, 8, 4)), "tucker", rank=4).layers[1:-1]]
    assert names == ["layer.core", "layer.last"]
    names = [layer.name for layer in factor(network_of(L.Conv2D(4, 3), (8, 8, 9)), "tucker", rank=4).layers[1:-1]]
    assert names == ["layer.first", "layer.core"]


def test_padding_of_steps_is_made_by_a_layer_of_its_own():
    network = factor(network_of(*CONVOLUTIONS["Conv2D same strides"]), "cp", rank=2)
    assert network.get_layer("layer.padding").padding == ((1, 1), (0, 1))  # 11 rows and 12 columns, every other one


def test_shared_layer_is_factored_once():
    left, right = L.Input((6,)), L.Input((6,))
    dense = L.Dense(5, name="layer")
    model = tf.keras.Model([left, right], L.Subtract()([dense(left), dense(right)]))
    network = factor(model, "svd")
    assert [len(network.get_layer(name).inbound_nodes) for name in ("layer.left", "layer.right")] == [2, 2]
    samples = [np.random.default_rng(seed).normal(size=(3, 6)).astype(np.float32) for seed in (1, 2)]
    np.testing.assert_allclose(network(samples), model(samples), atol=1e-5)


def test_frozen_layer_has_frozen_parts():
    model = network_of(L.Dense(5), (6,))
    model.get_layer("layer").trainable = False
    assert not factor(model, "svd").trainable_weights


@pytest.mark.parametrize(
    "layer, shape, method, reason",
    [
        (L.Conv2D(8, 3, groups=2), (8, 8, 4), "auto", "in groups"),
        (L.Dense(8, kernel_constraint="non_neg"), (9,), "auto", "has a constraint"),
        (L.Conv3D(4, 3), (8, 8, 8, 2), "cp", "no depthwise convolution of three axes"),
        (L.Conv2D(4, 3, strides=(1, 2)), (8, 8, 2), "cp", "steps as far down as along"),
        (L.Conv2D(4, 3, strides=2, padding="same"), (None, 8, 2), "cp", "depend on a size of its input that is open"),
    ],
)
def test_layers_that_cannot_be_factored_say_why(layer, shape, method, reason):
    assert reason in factoring_of(network_of(layer, shape).get_layer("layer"), method)


@pytest.mark.parametrize(
    "method", [pytest.param(name, marks=pytest.mark.slow) if name == "cp" else name for name in METHODS]
)
@pytest.mark.parametrize("energy", [0.5, 0.9])
def test_rank_holds_the_energy_that_is_asked_for_and_no_more(method, energy):
    random = np.random.default_rng(3)
    layer = network_of(L.Conv2D(24, 3), (8, 8, 16)).get_layer("layer")
    scales = 0.7 ** np.arange(24)
    layer.kernel.assign(
        np.einsum("hwir,ro,r->hwio", *(random.normal(size=shape) for shape in ((3, 3, 16, 24), (24, 24))), scales)
    )
    factoring = factoring_of(layer, method)
    rank = factoring.rank_holding(energy)
    assert 1 - factoring.error(rank) ** 2 >= energy - 1e-6
    if method != "tucker":
        assert 1 - factoring.error((rank[0] - 1,)) ** 2 < energy
    parts = factoring.parts(rank)
    assert factoring.size(rank) + 24 == sum(weight.size for part in parts for weight in part.weights)
