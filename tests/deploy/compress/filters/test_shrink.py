"""Networks without some of their channels: where nothing was made of those, the answers are what they were."""

from __future__ import annotations

import numpy as np
import pytest

from trainkit.deploy.compress.copying import copy_model
from trainkit.deploy.compress.filters.channels import Channels
from trainkit.deploy.compress.filters.costs import count_filters, count_macs, count_parameters
from trainkit.deploy.compress.filters.shrink import shrink
from trainkit.framework import tf
from trainkit.models.costs import layer_costs

layers = tf.keras.layers
IMAGE, SERIES, VOLUME = (8, 8, 3), (12, 3), (6, 6, 6, 2)


def filters(count=6, **arguments):
    return layers.Conv2D(count, 3, padding="same", **arguments)


def steps(count=6, **arguments):
    return layers.Conv1D(count, 3, padding="same", **arguments)


def volumes(count=6, **arguments):
    return layers.Conv3D(count, 3, padding="same", **arguments)


def chain(shape, *between):
    """A network that makes channels, passes them through layers, and answers; the last layers take them in."""

    def make():
        inputs = layers.Input(shape, name="input")
        x = inputs
        for layer in between:
            x = layer()(x)
        x = layers.Flatten()(x)
        return tf.keras.Model(inputs, layers.Dense(4, activation="softmax", name="digit")(x))

    return make


CHAINS = {
    "dense": chain((5,), lambda: layers.Dense(8, activation="relu"), lambda: layers.Dense(6, activation="tanh")),
    "dense on steps": chain(SERIES, lambda: layers.Dense(8, activation="gelu"), lambda: layers.Dense(6)),
    "conv1d": chain(SERIES, steps, steps),
    "conv2d": chain(IMAGE, filters, lambda: filters(4, strides=2, activation="relu")),
    "conv3d": chain(VOLUME, volumes, volumes),
    "conv1d transpose": chain(SERIES, steps, lambda: layers.Conv1DTranspose(5, 3, strides=2), steps),
    "conv2d transpose": chain(IMAGE, filters, lambda: layers.Conv2DTranspose(5, 3, strides=2), filters),
    "conv3d transpose": chain(VOLUME, volumes, lambda: layers.Conv3DTranspose(5, 3), volumes),
    "depthwise": chain(IMAGE, filters, lambda: layers.DepthwiseConv2D(3), filters),
    "depthwise, several": chain(IMAGE, filters, lambda: layers.DepthwiseConv2D(3, depth_multiplier=2), filters),
    "depthwise 1d": chain(SERIES, steps, lambda: layers.DepthwiseConv1D(3, depth_multiplier=2), steps),
    "separable": chain(IMAGE, filters, lambda: layers.SeparableConv2D(5, 3, depth_multiplier=2), filters),
    "separable 1d": chain(SERIES, steps, lambda: layers.SeparableConv1D(5, 3), steps),
    "batch normalization": chain(IMAGE, filters, layers.BatchNormalization, layers.ReLU, filters),
    "batch normalization without factor": chain(IMAGE, filters, lambda: layers.BatchNormalization(scale=False)),
    "batch normalization of a row": chain(IMAGE, filters, layers.Flatten, layers.BatchNormalization),
    "prelu": chain(IMAGE, filters, layers.PReLU, filters, lambda: layers.PReLU(shared_axes=[1, 2])),
    "prelu of all": chain(IMAGE, filters, lambda: layers.PReLU(shared_axes=[1, 2, 3])),
    "activations": chain(IMAGE, filters, layers.LeakyReLU, layers.ELU, lambda: layers.Activation("swish")),
    "dropout": chain(IMAGE, filters, lambda: layers.Dropout(0.5), lambda: layers.SpatialDropout2D(0.5)),
    "noise": chain(IMAGE, filters, lambda: layers.GaussianNoise(1.0)),
    "pooling": chain(IMAGE, filters, layers.MaxPooling2D, filters, layers.AveragePooling2D),
    "padding": chain(IMAGE, filters, layers.ZeroPadding2D, lambda: layers.Cropping2D(2), layers.UpSampling2D),
    "global": chain(IMAGE, filters, layers.GlobalMaxPooling2D, lambda: layers.RepeatVector(3), steps),
    "global 1d": chain(SERIES, steps, layers.GlobalAveragePooling1D),
    "reshape to steps": chain(IMAGE, filters, lambda: layers.Reshape((64, 6)), steps),
    "reshape with rest": chain(IMAGE, filters, lambda: layers.Reshape((-1, 6)), steps),
    "reshape to rows": chain(IMAGE, filters, lambda: layers.Reshape((8, 48)), steps),
    "reshape to one row": chain(IMAGE, filters, lambda: layers.Reshape((-1,))),
}


def expect_equal(model, gone, silence, seed=0):
    """Take channels out of a model that does not need them, and compare."""
    silence(model, gone)
    smaller = shrink(model, Channels(model), gone)
    drawn = np.random.default_rng(seed)
    given = [drawn.normal(size=(5, *tensor.shape[1:])).astype(np.float32) for tensor in model.inputs]
    before, after = (tf.nest.flatten(one(given, training=False)) for one in (model, smaller))
    for one, other in zip(before, after, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)
        assert np.ptp(one, axis=0).max() > 1e-4  # the answers say something
    return smaller


@pytest.mark.parametrize("make", CHAINS.values(), ids=CHAINS)
def test_shrink_takes_channels_through(make, scrambled, some_of, unneeded):
    model = scrambled(make())
    gone = some_of(Channels(model).groups())
    assert gone
    smaller = expect_equal(model, gone, unneeded)
    assert smaller.count_params() < model.count_params()


def densely_connected():
    inputs = layers.Input(IMAGE, name="input")
    x = filters(4)(inputs)
    for _ in range(3):
        y = filters(3)(layers.ReLU()(layers.BatchNormalization()(x)))
        x = layers.Concatenate()([x, y])
    x = layers.Conv2D(5, 1, activation="relu")(x)
    return tf.keras.Model(inputs, layers.Dense(4)(layers.GlobalAveragePooling2D()(x)))


def inception_like():
    inputs = layers.Input(IMAGE, name="input")
    x = filters(8)(inputs)
    narrow, wide = layers.Conv2D(4, 1)(x), filters(6)(layers.Conv2D(4, 1)(x))
    x = layers.Concatenate()([narrow, wide, layers.MaxPooling2D(3, 1, "same")(x)])
    x = layers.Add()([filters(18)(x), x])  # ties three layers, each at a place of its own
    return tf.keras.Model(inputs, layers.Dense(4)(layers.Flatten()(x)))


def branches_side_by_side():
    inputs = layers.Input(IMAGE, name="input")
    x = layers.Concatenate(axis=1)([filters()(inputs), filters(activation="relu")(inputs)])
    x = layers.Maximum()([x, layers.Concatenate(axis=2)([filters(strides=(1, 2))(x), filters(strides=(1, 2))(x)])])
    return tf.keras.Model(inputs, layers.Dense(4)(layers.Flatten()(x)))


def attention_in_space():
    inputs = layers.Input(IMAGE, name="input")
    x = filters()(inputs)
    mask = layers.Conv2D(1, 1, activation="sigmoid", name="mask")(x)
    x = layers.Multiply()([x, mask])
    return tf.keras.Model(inputs, layers.Dense(4)(layers.Flatten()(x)))


def two_of_each():
    left, right = layers.Input(IMAGE, name="left"), layers.Input((5,), name="right")
    shared = filters(name="shared")
    x = layers.Subtract()([shared(left), filters()(left)])
    y = layers.Dense(6, activation="relu")(right)
    z = layers.Average()([layers.GlobalAveragePooling2D()(x), y])
    return tf.keras.Model([left, right], [layers.Dense(4, name="kind")(z), layers.Dense(2, name="size")(y)])


def shared_twice():
    inputs = layers.Input(IMAGE, name="input")
    shared = tf.keras.layers.Conv2D(6, 3, padding="same", name="shared")
    norm, flat = layers.BatchNormalization(name="norm"), layers.Flatten()
    x, y = filters()(inputs), filters(activation="relu")(inputs)
    x, y = norm(shared(x)), norm(shared(y))  # both take what both branches make
    return tf.keras.Model(inputs, layers.Dense(4)(layers.Concatenate()([flat(x), flat(y)])))


NETWORKS = {one.__name__: one for one in (densely_connected, inception_like, branches_side_by_side)}
NETWORKS |= {one.__name__: one for one in (attention_in_space, two_of_each, shared_twice)}


@pytest.mark.parametrize("make", NETWORKS.values(), ids=NETWORKS)
def test_shrink_takes_channels_out_of_networks(make, scrambled, some_of, unneeded):
    model = scrambled(make())
    gone = some_of(Channels(model).groups())
    assert len(gone) > 2
    expect_equal(model, gone, unneeded)


def test_shrink_takes_channels_out_of_a_residual_network(residual, some_of, unneeded):
    model = copy_model(residual)
    smaller = expect_equal(model, some_of(Channels(model).groups()), unneeded)
    sizes = {layer.name: layer.get_config() for layer in smaller.layers}
    assert sizes["stem"]["filters"] == sizes["outer"]["filters"] == sizes["excite"]["units"] == 3
    assert (sizes["inner"]["filters"], sizes["squeeze"]["units"], sizes["digit"]["units"]) == (4, 2, 10)


ZOO = {
    "ResNet8": {"classes": 10},
    "MobileNetV1": {"classes": 4, "shape": [32, 32, 3], "alpha": 0.25},
    "MobileNetV2": {"classes": 4, "shape": [32, 32, 3], "alpha": 0.35},
    "DSCNN": {"classes": 12},
    "UNet": {"classes": 3, "shape": [32, 32, 1]},
    "ResNet1D": {"classes": 4},
    "LSTMClassifier": {"classes": 4},
}


@pytest.mark.parametrize("name", ["ResNet8", pytest.param("MobileNetV1", marks=pytest.mark.slow), "DSCNN"])
def test_shrink_takes_channels_out_of_the_zoo(name, zoo, some_of, unneeded):
    model = zoo(name, **ZOO[name])
    groups = Channels(model).groups()
    smaller = expect_equal(model, some_of(groups), unneeded)
    assert smaller.count_params() < 0.5 * model.count_params()


def test_shrink_leaves_out_filters_that_give_zeros(residual):
    model = copy_model(residual)
    channels = Channels(model)
    (group,) = (one for one in channels.groups() if one.filters == {"inner": (2,)})
    normalization = model.layers[[layer.name for layer in model.layers].index("inner") + 1]
    for weight in (normalization.gamma, normalization.beta):
        weight.assign(weight.numpy() * (np.arange(8) != 2))
    images = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype(np.float32)
    smaller = shrink(model, channels, [group.root])
    np.testing.assert_allclose(smaller.predict(images, verbose=0), model.predict(images, verbose=0), atol=1e-5)


def test_shrink_keeps_the_weights_of_what_stays_in_their_order(residual):
    channels = Channels(residual)
    gone = [one.root for one in channels.groups() if one.filters.get("inner") in ((0,), (3,))]
    smaller = shrink(residual, channels, gone)
    before, after = (model.get_layer("inner").kernel.numpy() for model in (residual, smaller))
    np.testing.assert_array_equal(after, before[..., [1, 2, 4, 5, 6, 7]])
    np.testing.assert_array_equal(smaller.get_layer("stem").kernel, residual.get_layer("stem").kernel)


@pytest.mark.parametrize("make", [*NETWORKS.values(), CHAINS["separable"], CHAINS["depthwise, several"]])
def test_costs_are_those_of_the_smaller_network(make, some_of):
    model = make()
    channels = Channels(model)
    gone = some_of(channels.groups())
    smaller = shrink(model, channels, gone)
    assert count_macs(model, channels, gone) == pytest.approx(sum(cost.macs.fixed for cost in layer_costs(smaller)))
    assert count_parameters(model, channels, gone) == smaller.count_params()
    assert count_filters(model, channels, gone) == count_filters(smaller, Channels(smaller), ())
